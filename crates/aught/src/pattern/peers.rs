//! Who is let in under which routing id, for the types that tell their peers apart: ROUTER, and
//! REP, which the reference makes of it. The table alone is in `routing_table`; what is done with
//! the pipes of those who are in is the patterns' affair.

use super::dealer::send_probe;
use super::drops::Drops;
use super::rotation::PipeMap;
use super::routing_table::RoutingTable;
use super::{Attach, Drop};
use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

/// What becomes of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Its peer is in. Whoever had its routing id has lost it (`ZMQ_ROUTER_HANDOVER`): the
    /// pattern forgets that pipe, and then has it muted.
    In { ousted: Option<PipeId> },
    /// Its peer is not let in, or has yet to say who it is.
    Out,
}

/// The peers of a socket.
#[derive(Debug, Default)]
pub(super) struct Peers {
    table: RoutingTable,
    /// Pipes whose peers have not said who they are.
    unknown: PipeMap<()>,
    /// Pipes whose routing id is another's, and which stay nevertheless: those that lost it in a
    /// handover, and those from sockets of this process, which cannot be disconnected without
    /// the other socket losing its only pipe. What they say is dropped.
    refused: PipeMap<()>,
    rejected: Vec<PipeId>,
    /// `ZMQ_ROUTER_HANDOVER`.
    pub(super) handover: bool,
    /// `ZMQ_PROBE_ROUTER`.
    pub(super) probe: bool,
    pub(super) drops: Drops,
}

impl Peers {
    /// A pipe has come.
    pub(super) fn attach(&mut self, pipe: PipeId, how: Attach<'_>, pipes: &mut Pipes) -> Admission {
        if self.probe {
            send_probe(pipe, pipes);
        }
        match how.routing_id {
            Some(id) if !id.is_empty() => self.admit(pipe, Part::copy_from(id), pipes),
            _ => {
                self.unknown.insert(pipe, ());
                self.identify(pipe, pipes)
            }
        }
    }

    /// Takes a peer in once it is known who it is. `Out` for all but those who had yet to say.
    pub(super) fn identify(&mut self, pipe: PipeId, pipes: &mut Pipes) -> Admission {
        if !self.unknown.contains(pipe) {
            return Admission::Out;
        }
        let readable = pipes.can_read(pipe); // takes in a note about the peer
        let id = match pipes.get(pipe).and_then(|end| end.peer()) {
            Some(peer) => Part::copy_from(peer.routing_id()),
            None if readable => Part::new(),
            None => return Admission::Out,
        };
        self.unknown.remove(pipe);
        let id = if id.is_empty() { self.table.automatic_id() } else { id };
        self.admit(pipe, id, pipes)
    }

    fn admit(&mut self, pipe: PipeId, id: Part, pipes: &mut Pipes) -> Admission {
        let ousted = self.table.pipe_of(&id);
        if let Some(holder) = ousted {
            if !self.handover {
                self.drops.add(Drop::DuplicateId, 1);
                self.refuse(pipe, pipes);
                return Admission::Out;
            }
            self.table.remove(holder);
        }
        self.table.assign(pipe, id);
        Admission::In { ousted }
    }

    fn refuse(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        let peer = pipes.get(pipe).and_then(|end| end.peer());
        if peer.is_some_and(|peer| peer.descriptor().is_some()) {
            self.rejected.push(pipe);
        } else {
            self.mute(pipe, pipes);
        }
    }

    /// Keeps a pipe, and drops what comes from it. The connection of a peer that lost its routing
    /// id is not closed, as with the reference: the peer would come back and take the id again,
    /// and so on for ever.
    pub(super) fn mute(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        self.refused.insert(pipe, ());
        self.discard(pipe, pipes);
    }

    /// Drops what a pipe has, if its peer is not let in. Whether that is so.
    pub(super) fn discard_refused(&mut self, pipe: PipeId, pipes: &mut Pipes) -> bool {
        let refused = self.refused.contains(pipe);
        if refused {
            self.discard(pipe, pipes);
        }
        refused
    }

    fn discard(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        while let Some(part) = pipes.read(pipe) {
            self.drops.add(Drop::DuplicateId, u64::from(!part.more()));
        }
    }

    /// The pipe to the peer with this id.
    #[inline]
    pub(super) fn pipe_of(&self, id: &[u8]) -> Option<PipeId> {
        self.table.pipe_of(id)
    }

    /// The id that messages from this pipe carry.
    #[inline]
    pub(super) fn id_of(&self, pipe: PipeId) -> Option<&Part> {
        self.table.id_of(pipe)
    }

    /// Nothing can be sent to the pipe any more: its id is free again.
    pub(super) fn unroute(&mut self, pipe: PipeId) {
        self.table.unroute(pipe);
    }

    /// Forgets a pipe.
    pub(super) fn remove(&mut self, pipe: PipeId) {
        self.unknown.remove(pipe);
        self.refused.remove(pipe);
        self.table.remove(pipe);
    }

    /// The pipes to be closed, since the last call.
    pub(super) fn take_rejected(&mut self) -> Vec<PipeId> {
        std::mem::take(&mut self.rejected)
    }
}
