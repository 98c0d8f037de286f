//! Who is behind which routing id: the table of ROUTER, REP and STREAM. What happens when two
//! peers claim the same id is decided in `peers`; a STREAM gives the ids itself.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use super::rotation::PipeMap;
use crate::message::Part;
use crate::pipe::PipeId;

/// Pipes by routing id and back.
#[derive(Debug)]
pub(super) struct RoutingTable {
    // The default hasher resists peers that choose their ids to collide.
    by_id: HashMap<Box<[u8]>, PipeId>,
    by_pipe: PipeMap<Part>,
    next_automatic: u32,
}

impl Default for RoutingTable {
    fn default() -> Self {
        Self {
            by_id: HashMap::new(),
            by_pipe: PipeMap::default(),
            // A random start, so that ids of an earlier life do not name a new peer.
            next_automatic: RandomState::new().build_hasher().finish() as u32,
        }
    }
}

impl RoutingTable {
    /// A fresh id of ours: a zero byte, with which no application's id may begin, and four
    /// bytes that count.
    pub(super) fn automatic_id(&mut self) -> Part {
        loop {
            let mut id = [0; 5];
            id[1..].copy_from_slice(&self.next_automatic.to_be_bytes());
            self.next_automatic = self.next_automatic.wrapping_add(1);
            if !self.by_id.contains_key(&id[..]) {
                return Part::copy_from(&id);
            }
        }
    }

    /// Gives a pipe an id that is free.
    pub(super) fn assign(&mut self, pipe: PipeId, id: Part) {
        self.by_id.insert(id.as_slice().into(), pipe);
        self.by_pipe.insert(pipe, id);
    }

    /// The pipe to the peer with this id.
    #[inline]
    pub(super) fn pipe_of(&self, id: &[u8]) -> Option<PipeId> {
        self.by_id.get(id).copied()
    }

    /// The id that messages from this pipe carry.
    #[inline]
    pub(super) fn id_of(&self, pipe: PipeId) -> Option<&Part> {
        self.by_pipe.get(pipe)
    }

    /// Nothing can be sent to the pipe any more: its id is free again. Messages from the pipe
    /// still carry it.
    pub(super) fn unroute(&mut self, pipe: PipeId) {
        if let Some(id) = self.by_pipe.get(pipe)
            && self.by_id.get(id.as_slice()) == Some(&pipe)
        {
            self.by_id.remove(id.as_slice());
        }
    }

    /// Forgets a pipe.
    pub(super) fn remove(&mut self, pipe: PipeId) {
        self.unroute(pipe);
        self.by_pipe.remove(pipe);
    }
}
