//! What is subscribed to: on the publishing side which pipes want which prefixes, on the
//! subscribing side how often each prefix was asked for. The tree itself is in `prefix_tree`.

use std::collections::HashSet;

use super::prefix_tree::{NodeId, PrefixTree, Value};

/// Who wants one prefix. Pipes are known by their slots.
#[derive(Debug, Default)]
enum Subscribers {
    #[default]
    None,
    // Most prefixes have one subscriber, which should not cost memory of its own.
    One(u32),
    /// Two or more, sorted.
    #[expect(clippy::box_collection, reason = "one word instead of three, in every node")]
    Many(Box<Vec<u32>>),
}

impl Value for Subscribers {
    fn is_vacant(&self) -> bool {
        matches!(self, Self::None)
    }
}

impl Subscribers {
    #[inline]
    fn as_slice(&self) -> &[u32] {
        match self {
            Self::None => &[],
            Self::One(slot) => std::slice::from_ref(slot),
            Self::Many(slots) => slots,
        }
    }

    /// False if the pipe was there already.
    fn add(&mut self, slot: u32) -> bool {
        match self {
            Self::None => *self = Self::One(slot),
            Self::One(other) if *other == slot => return false,
            Self::One(other) => {
                *self = Self::Many(Box::new(vec![slot.min(*other), slot.max(*other)]));
            }
            Self::Many(slots) => match slots.binary_search(&slot) {
                Ok(_) => return false,
                Err(at) => slots.insert(at, slot),
            },
        }
        true
    }

    fn remove(&mut self, slot: u32) {
        match self {
            Self::One(only) if *only == slot => *self = Self::None,
            Self::Many(slots) => {
                if let Ok(at) = slots.binary_search(&slot) {
                    slots.remove(at);
                }
                if let [only] = slots.as_slice() {
                    *self = Self::One(*only);
                } else if slots.capacity() > 64 && slots.len() < slots.capacity() / 4 {
                    slots.shrink_to(slots.len() * 2);
                }
            }
            Self::None | Self::One(_) => {}
        }
    }
}

/// What the end of a subscription did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cancelled {
    /// The pipe had no such subscription.
    Unknown,
    /// Other pipes still want the prefix.
    OthersRemain,
    /// Nobody wants the prefix any more.
    Last,
}

/// Which pipes want which prefixes.
///
/// A pipe either wants a prefix or does not: subscribing twice is the same as once. Subscribers
/// count themselves, and may repeat a subscription without repeating its end.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    tree: PrefixTree<Subscribers>,
    /// The prefixes of each pipe, so that its end costs no more than its subscriptions did.
    by_slot: Vec<HashSet<NodeId>>,
    topics: usize,
}

impl Subscriptions {
    /// Adds a subscription. True if nobody wanted the prefix before.
    pub(super) fn subscribe(&mut self, slot: u32, topic: &[u8]) -> bool {
        let node = self.tree.insert(topic);
        let value = self.tree.value_mut(node);
        let first = value.is_vacant();
        if value.add(slot) {
            let index = slot as usize;
            if index >= self.by_slot.len() {
                self.by_slot.resize_with(index + 1, HashSet::new);
            }
            self.by_slot[index].insert(node);
        }
        self.topics += usize::from(first);
        first
    }

    /// Ends a subscription.
    pub(super) fn cancel(&mut self, slot: u32, topic: &[u8]) -> Cancelled {
        let Some(node) = self.tree.find(topic) else {
            return Cancelled::Unknown;
        };
        let Some(own) = self.by_slot.get_mut(slot as usize) else {
            return Cancelled::Unknown;
        };
        if !own.remove(&node) {
            return Cancelled::Unknown;
        }
        if own.capacity() > 64 && own.len() < own.capacity() / 4 {
            own.shrink_to(own.len() * 2);
        }
        if self.drop_subscriber(node, slot) { Cancelled::Last } else { Cancelled::OthersRemain }
    }

    /// True if it was the last one.
    fn drop_subscriber(&mut self, node: NodeId, slot: u32) -> bool {
        let value = self.tree.value_mut(node);
        value.remove(slot);
        let last = value.is_vacant();
        if last {
            self.topics -= 1;
            self.tree.prune(node);
        }
        last
    }

    /// Ends all subscriptions of a pipe.
    pub(super) fn remove_pipe(&mut self, slot: u32) {
        for node in self.take_nodes(slot) {
            self.drop_subscriber(node, slot);
        }
    }

    /// Ends all subscriptions of a pipe and lists their topics in byte order, each with whether
    /// it was the last one for its prefix.
    pub(super) fn remove_pipe_and_tell(&mut self, slot: u32) -> Vec<(Vec<u8>, bool)> {
        let mut topics = Vec::new();
        for node in self.take_nodes(slot) {
            let topic = self.tree.key(node);
            topics.push((topic, self.drop_subscriber(node, slot)));
        }
        topics.sort_unstable();
        topics
    }

    fn take_nodes(&mut self, slot: u32) -> HashSet<NodeId> {
        self.by_slot.get_mut(slot as usize).map(std::mem::take).unwrap_or_default()
    }

    /// Calls `visit` with every pipe that wants a message of this topic. A pipe that wants
    /// several prefixes of it comes several times.
    #[inline]
    pub(super) fn for_each_match(&self, topic: &[u8], mut visit: impl FnMut(u32)) {
        self.tree.any_prefix(topic, |subscribers| {
            subscribers.as_slice().iter().copied().for_each(&mut visit);
            false
        });
    }

    /// How many different prefixes are wanted.
    pub(super) fn topics(&self) -> usize {
        self.topics
    }
}

/// How often a prefix was asked for.
#[derive(Debug, Default)]
struct Count(u32);

impl Value for Count {
    fn is_vacant(&self) -> bool {
        self.0 == 0
    }
}

/// The prefixes that a subscriber wants. They count: each has to be given up as often as it was
/// asked for.
#[derive(Debug, Default)]
pub(super) struct Filter {
    tree: PrefixTree<Count>,
    topics: usize,
}

impl Filter {
    /// Adds a prefix. True if it is new.
    pub(super) fn add(&mut self, topic: &[u8]) -> bool {
        let node = self.tree.insert(topic);
        let count = self.tree.value_mut(node);
        count.0 = count.0.saturating_add(1);
        let first = count.0 == 1;
        self.topics += usize::from(first);
        first
    }

    /// Gives a prefix up. True if that was the last time it was asked for.
    pub(super) fn remove(&mut self, topic: &[u8]) -> bool {
        let Some(node) = self.tree.find(topic) else {
            return false;
        };
        let count = self.tree.value_mut(node);
        if count.0 == 0 {
            return false;
        }
        count.0 -= 1;
        if count.0 > 0 {
            return false;
        }
        self.topics -= 1;
        self.tree.prune(node);
        true
    }

    /// Whether any of the prefixes is one of this topic.
    #[inline]
    pub(super) fn matches(&self, topic: &[u8]) -> bool {
        self.tree.any_prefix(topic, |_| true)
    }

    /// Calls `visit` with every prefix, in byte order.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&[u8])) {
        self.tree.for_each(|topic, _| visit(topic));
    }

    /// How many different prefixes there are.
    pub(super) fn topics(&self) -> usize {
        self.topics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matching(subscriptions: &Subscriptions, topic: &[u8]) -> Vec<u32> {
        let mut slots = Vec::new();
        subscriptions.for_each_match(topic, |slot| slots.push(slot));
        slots
    }

    #[test]
    fn a_pipe_subscribes_once_however_often_it_says_so() {
        let mut subscriptions = Subscriptions::default();
        assert!(subscriptions.subscribe(1, b"a"));
        assert!(!subscriptions.subscribe(1, b"a"));
        assert!(!subscriptions.subscribe(2, b"a"));
        assert_eq!(matching(&subscriptions, b"abc"), [1, 2]);
        assert_eq!(subscriptions.cancel(1, b"a"), Cancelled::OthersRemain);
        assert_eq!(subscriptions.cancel(1, b"a"), Cancelled::Unknown);
        assert_eq!(subscriptions.cancel(2, b"a"), Cancelled::Last);
        assert_eq!(subscriptions.cancel(2, b"b"), Cancelled::Unknown);
        assert_eq!(subscriptions.topics(), 0);
    }

    #[test]
    fn a_pipe_that_goes_tells_its_topics_in_byte_order() {
        let mut subscriptions = Subscriptions::default();
        for topic in ["Z", "Ab", "A", "", "Abc", "a"] {
            subscriptions.subscribe(3, topic.as_bytes());
        }
        subscriptions.subscribe(4, b"Ab");
        let gone = subscriptions.remove_pipe_and_tell(3);
        let topics: Vec<_> = gone.iter().map(|(topic, last)| (topic.as_slice(), *last)).collect();
        let expected: [(&[u8], bool); 6] =
            [(b"", true), (b"A", true), (b"Ab", false), (b"Abc", true), (b"Z", true), (b"a", true)];
        assert_eq!(topics, expected);
        assert_eq!(matching(&subscriptions, b"Abc"), [4]);
    }

    #[test]
    fn memory_stays_flat_however_many_come_and_go() {
        let mut subscriptions = Subscriptions::default();
        subscriptions.subscribe(0, b"keep");
        for round in 0..100_000_u32 {
            subscriptions.subscribe(1, format!("topic {}", round % 1000).as_bytes());
            subscriptions.subscribe(1, b"other");
            subscriptions.remove_pipe(1);
        }
        assert_eq!(subscriptions.tree.node_count(), 2);
        assert_eq!(subscriptions.topics(), 1);
    }

    #[test]
    fn a_million_topics_are_found() {
        let mut subscriptions = Subscriptions::default();
        const TOPICS: u32 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
        for topic in 0..TOPICS {
            assert!(subscriptions.subscribe(topic % 7, format!("t{topic:07}").as_bytes()));
        }
        assert_eq!(subscriptions.topics(), TOPICS as usize);
        for topic in (0..TOPICS).step_by(997) {
            assert_eq!(matching(&subscriptions, format!("t{topic:07}/x").as_bytes()), [topic % 7]);
        }
        for slot in 0..7 {
            subscriptions.remove_pipe(slot);
        }
        assert_eq!(subscriptions.topics(), 0);
        assert_eq!(subscriptions.tree.node_count(), 1);
    }

    #[test]
    fn a_filter_counts() {
        let mut filter = Filter::default();
        assert!(!filter.matches(b"a"));
        assert!(filter.add(b"a"));
        assert!(!filter.add(b"a"));
        assert!(!filter.remove(b"b"));
        assert!(!filter.remove(b""));
        assert!(!filter.remove(b"a"));
        assert!(filter.matches(b"ab"));
        assert!(filter.remove(b"a"));
        assert!(!filter.matches(b"ab"));
        assert!(filter.add(b""));
        assert!(filter.matches(b""));
        assert_eq!(filter.topics(), 1);
    }
}
