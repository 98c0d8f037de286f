//! A compact map from byte strings to values that finds all stored prefixes of a key in one pass:
//! a radix tree whose nodes live in one vector. What the values are is in `subscriptions`.
//!
//! Nothing here recurses, so that neither a long topic nor a deep tree can exhaust a stack, in
//! dropping it neither. Labels are short, so that a peer cannot make a node expensive to split:
//! a long topic is a chain of nodes.

/// The longest label of a node, in bytes.
const MAX_LABEL: usize = 250;
/// Labels up to this length need no memory of their own.
const MAX_SHORT: usize = 22;

/// The root is always there.
const ROOT: NodeId = NodeId(0);

/// The name of a node. A node with a value keeps its name until the value is vacant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NodeId(u32);

impl NodeId {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A value that says when it need not be kept.
pub(super) trait Value: Default {
    fn is_vacant(&self) -> bool;
}

#[derive(Debug)]
enum Label {
    Short { len: u8, bytes: [u8; MAX_SHORT] },
    Long(Box<[u8]>),
}

impl Label {
    fn new(bytes: &[u8]) -> Self {
        let mut short = [0; MAX_SHORT];
        match short.get_mut(..bytes.len()) {
            Some(start) => {
                start.copy_from_slice(bytes);
                Self::Short { len: bytes.len() as u8, bytes: short }
            }
            None => Self::Long(bytes.into()),
        }
    }

    #[inline]
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Long(bytes) => bytes,
        }
    }
}

#[derive(Debug)]
struct Node<V> {
    label: Label,
    parent: NodeId,
    /// By the first byte of the child's label, sorted.
    children: Vec<(u8, NodeId)>,
    value: V,
}

impl<V: Value> Node<V> {
    fn new(label: &[u8], parent: NodeId) -> Self {
        Self { label: Label::new(label), parent, children: Vec::new(), value: V::default() }
    }

    #[inline]
    fn child(&self, byte: u8) -> Option<NodeId> {
        match self.children.as_slice() {
            [] => None,
            [(only, node)] => (*only == byte).then_some(*node),
            many => {
                let at = many.binary_search_by_key(&byte, |(first, _)| *first).ok()?;
                Some(many[at].1)
            }
        }
    }

    fn set_child(&mut self, byte: u8, node: NodeId) {
        match self.children.binary_search_by_key(&byte, |(first, _)| *first) {
            Ok(at) => self.children[at].1 = node,
            Err(at) => {
                self.children.reserve_exact(usize::from(self.children.is_empty()));
                self.children.insert(at, (byte, node));
            }
        }
    }

    fn remove_child(&mut self, byte: u8) {
        if let Ok(at) = self.children.binary_search_by_key(&byte, |(first, _)| *first) {
            self.children.remove(at);
            if self.children.is_empty() {
                self.children = Vec::new();
            }
        }
    }
}

/// The tree. See the module's description.
#[derive(Debug)]
pub(super) struct PrefixTree<V> {
    nodes: Vec<Node<V>>,
    free: Vec<NodeId>,
}

impl<V: Value> Default for PrefixTree<V> {
    fn default() -> Self {
        Self { nodes: vec![Node::new(&[], ROOT)], free: Vec::new() }
    }
}

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

impl<V: Value> PrefixTree<V> {
    fn node(&self, id: NodeId) -> &Node<V> {
        &self.nodes[id.index()]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node<V> {
        &mut self.nodes[id.index()]
    }

    fn allocate(&mut self, node: Node<V>) -> NodeId {
        match self.free.pop() {
            Some(id) => {
                *self.node_mut(id) = node;
                id
            }
            None => {
                self.nodes.push(node);
                NodeId((self.nodes.len() - 1) as u32)
            }
        }
    }

    #[cfg(test)]
    pub(super) fn value(&self, id: NodeId) -> &V {
        &self.node(id).value
    }

    pub(super) fn value_mut(&mut self, id: NodeId) -> &mut V {
        &mut self.node_mut(id).value
    }

    /// The node of exactly this key.
    pub(super) fn find(&self, key: &[u8]) -> Option<NodeId> {
        let mut at = ROOT;
        let mut rest = key;
        while let Some(first) = rest.first() {
            at = self.node(at).child(*first)?;
            rest = rest.strip_prefix(self.node(at).label.as_slice())?;
        }
        Some(at)
    }

    /// Calls `visit` with the values of all prefixes of `key`, the shortest first, until it
    /// returns true; whether it did.
    #[inline]
    pub(super) fn any_prefix(&self, key: &[u8], mut visit: impl FnMut(&V) -> bool) -> bool {
        let mut node = self.node(ROOT);
        let mut rest = key;
        loop {
            if !node.value.is_vacant() && visit(&node.value) {
                return true;
            }
            let Some(child) = rest.first().and_then(|first| node.child(*first)) else {
                return false;
            };
            node = self.node(child);
            match rest.strip_prefix(node.label.as_slice()) {
                Some(shorter) => rest = shorter,
                None => return false,
            }
        }
    }

    /// The node of a key, made if needed. Its value has to be set to something that is not
    /// vacant, or [`PrefixTree::prune`] to be called.
    pub(super) fn insert(&mut self, key: &[u8]) -> NodeId {
        let mut at = ROOT;
        let mut rest = key;
        while let Some(first) = rest.first().copied() {
            let Some(child) = self.node(at).child(first) else {
                let label = &rest[..rest.len().min(MAX_LABEL)];
                let node = self.allocate(Node::new(label, at));
                self.node_mut(at).set_child(first, node);
                rest = &rest[label.len()..];
                at = node;
                continue;
            };
            let label = self.node(child).label.as_slice();
            let common = common_prefix(label, rest);
            at = if common < label.len() { self.split(child, common) } else { child };
            rest = &rest[common..];
        }
        at
    }

    /// Puts a node for the first `at` bytes of a node's label above it. The node itself keeps
    /// its name.
    fn split(&mut self, id: NodeId, at: usize) -> NodeId {
        let node = self.node(id);
        let (parent, label) = (node.parent, node.label.as_slice());
        let (upper, lower) = (Node::new(&label[..at], parent), Label::new(&label[at..]));
        let (first, second) = (label[0], label[at]);
        let above = self.allocate(upper);
        self.node_mut(above).set_child(second, id);
        self.node_mut(parent).set_child(first, above);
        let node = self.node_mut(id);
        node.label = lower;
        node.parent = above;
        above
    }

    /// Removes a node if nothing needs it any more, and those above it that it kept alive.
    pub(super) fn prune(&mut self, id: NodeId) {
        let mut at = id;
        while at != ROOT && self.node(at).value.is_vacant() {
            let node = self.node(at);
            let parent = node.parent;
            match node.children.as_slice() {
                [] => {
                    let first = node.label.as_slice()[0];
                    self.node_mut(parent).remove_child(first);
                    self.release(at);
                    at = parent;
                }
                [(_, child)] => return self.merge(at, *child),
                _ => return,
            }
        }
        if self.nodes.len() - self.free.len() == 1 && self.nodes.len() > 1 {
            // Nothing but the root is left: give the memory back.
            self.nodes.truncate(1);
            self.nodes.shrink_to_fit();
            self.free = Vec::new();
        }
    }

    /// Removes a node by adding its label to that of its only child, unless that gets too long.
    fn merge(&mut self, id: NodeId, child: NodeId) {
        let upper = self.node(id).label.as_slice();
        let lower = self.node(child).label.as_slice();
        if upper.len() + lower.len() > MAX_LABEL {
            return;
        }
        let first = upper[0];
        let label = Label::new(&[upper, lower].concat());
        let parent = self.node(id).parent;
        self.node_mut(parent).set_child(first, child);
        let node = self.node_mut(child);
        node.label = label;
        node.parent = parent;
        self.release(id);
    }

    fn release(&mut self, id: NodeId) {
        *self.node_mut(id) = Node::new(&[], ROOT);
        self.free.push(id);
    }

    /// The key of a node.
    pub(super) fn key(&self, id: NodeId) -> Vec<u8> {
        let mut labels = Vec::new();
        let mut at = id;
        while at != ROOT {
            let node = self.node(at);
            labels.push(node.label.as_slice());
            at = node.parent;
        }
        labels.reverse();
        labels.concat()
    }

    /// Calls `visit` with every key that has a value, in byte order.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&[u8], &V)) {
        let mut key = Vec::new();
        let mut todo = vec![(ROOT, 0)];
        while let Some((id, depth)) = todo.pop() {
            let node = self.node(id);
            key.truncate(depth);
            key.extend_from_slice(node.label.as_slice());
            if !node.value.is_vacant() {
                visit(&key, &node.value);
            }
            todo.extend(node.children.iter().rev().map(|(_, child)| (*child, key.len())));
        }
    }

    /// How many nodes there are, for tests of memory.
    #[cfg(test)]
    pub(super) fn node_count(&self) -> usize {
        self.nodes.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    impl Value for Option<u32> {
        fn is_vacant(&self) -> bool {
            self.is_none()
        }
    }

    fn keys(tree: &PrefixTree<Option<u32>>) -> Vec<Vec<u8>> {
        let mut keys = Vec::new();
        tree.for_each(|key, _| keys.push(key.to_vec()));
        keys
    }

    #[test]
    fn agrees_with_a_sorted_map_under_random_changes() {
        let mut seed = 7_u64;
        let mut next = |below: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let mut tree = PrefixTree::<Option<u32>>::default();
        let mut model = BTreeMap::<Vec<u8>, u32>::new();
        for round in 0..20_000_u32 {
            let base = if next(8) == 0 { next(401) as usize } else { 0 };
            let mut key = vec![b'x'; base];
            for _ in 0..next(6) {
                key.push(b'a' + next(3) as u8);
            }
            if next(5) < 3 {
                let node = tree.insert(&key);
                *tree.value_mut(node) = Some(round);
                assert_eq!(tree.key(node), key);
                model.insert(key, round);
            } else if let Some(node) = tree.find(&key) {
                assert_eq!(*tree.value(node), model.remove(&key));
                *tree.value_mut(node) = None;
                tree.prune(node);
            } else {
                assert!(!model.contains_key(&key));
            }
            if round % 200 == 0 {
                assert!(keys(&tree).iter().eq(model.keys()));
                let probe: Vec<u8> = (0..next(9)).map(|_| b'a' + next(3) as u8).collect();
                let mut found = Vec::new();
                tree.any_prefix(&probe, |value| {
                    found.extend(*value);
                    false
                });
                let expected = (0..=probe.len()).filter_map(|n| model.get(&probe[..n]));
                assert!(found.iter().eq(expected));
            }
        }
        for key in keys(&tree) {
            let node = tree.find(&key).unwrap();
            *tree.value_mut(node) = None;
            tree.prune(node);
        }
        assert_eq!(tree.node_count(), 1);
    }

    #[test]
    fn a_very_long_key_needs_no_stack() {
        std::thread::Builder::new()
            .stack_size(256 * 1024)
            .spawn(|| {
                let key = vec![b'z'; 16 << 20];
                let mut tree = PrefixTree::<Option<u32>>::default();
                let node = tree.insert(&key);
                *tree.value_mut(node) = Some(1);
                let short = tree.insert(&key[..1000]);
                *tree.value_mut(short) = Some(2);
                assert!(tree.any_prefix(&key, |value| *value == Some(1)));
                assert_eq!(tree.key(node), key);
                *tree.value_mut(node) = None;
                tree.prune(node);
                assert_eq!(keys(&tree), [&key[..1000]]);
                let node = tree.insert(&key);
                *tree.value_mut(node) = Some(1);
                drop(tree);
            })
            .unwrap()
            .join()
            .unwrap();
    }
}
