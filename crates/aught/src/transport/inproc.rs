//! `inproc://`: names within one context, and the ends of pipes that wait for a name to be
//! bound (zmq_inproc(7)). No descriptors are involved.

use std::collections::HashMap;

use crate::message::Peer;
use crate::pipe::PipeEnd;
use crate::socket::core::SocketCore;
use crate::sync::{Arc, Weak};

/// The end of a pipe whose other side connected before the name was bound.
pub(crate) struct Waiting {
    pub(crate) end: PipeEnd,
    pub(crate) peer: Arc<Peer>,
}

/// The names of one context.
#[derive(Default)]
pub(crate) struct Names {
    bound: HashMap<String, (u64, Weak<SocketCore>)>,
    waiting: HashMap<String, Vec<Waiting>>,
}

impl Names {
    /// Gives `name` to a socket. Returns the ends that waited for it, or `None` if it is taken.
    pub(crate) fn bind(&mut self, name: &str, socket: &Arc<SocketCore>) -> Option<Vec<Waiting>> {
        if self.find(name).is_some() {
            return None;
        }
        self.bound.insert(name.to_owned(), (socket.id, Arc::downgrade(socket)));
        Some(self.waiting.remove(name).unwrap_or_default())
    }

    /// The socket that has `name`.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<SocketCore>> {
        self.bound.get(name).and_then(|(_, socket)| socket.upgrade())
    }

    /// Keeps an end until `name` is bound.
    pub(crate) fn wait(&mut self, name: &str, waiting: Waiting) {
        self.waiting.entry(name.to_owned()).or_default().push(waiting);
    }

    /// Forgets connectors that wait for one of `names`, went and left nothing: they need no
    /// place any more.
    pub(crate) fn tidy(&mut self, names: &[String]) {
        for name in names {
            if let Some(list) = self.waiting.get_mut(name) {
                list.retain_mut(|old| !old.end.is_closed() || old.end.can_read());
                if list.is_empty() {
                    self.waiting.remove(name);
                }
            }
        }
    }

    /// Takes `name` from a socket. False if it did not have it.
    pub(crate) fn unbind(&mut self, name: &str, socket: u64) -> bool {
        match self.bound.get(name) {
            Some((owner, _)) if *owner == socket => self.bound.remove(name).is_some(),
            _ => false,
        }
    }

    /// Takes all names from a socket.
    pub(crate) fn forget_socket(&mut self, socket: u64) {
        self.bound.retain(|_, (owner, _)| *owner != socket);
    }

    /// Takes what waits, to be dropped: nothing will be bound any more.
    pub(crate) fn take_waiting(&mut self) -> Vec<Waiting> {
        self.waiting.drain().flat_map(|(_, waiting)| waiting).collect()
    }
}
