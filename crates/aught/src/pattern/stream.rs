//! STREAM: connections that carry bytes without a protocol (zmq_socket(3)). Each message is a
//! routing id and what was read, or is to be written. An empty message tells that a connection
//! was made or lost, and asks for a connection to be closed. ROUTER's raw mode is this, too.

use std::collections::VecDeque;

use super::drops::Drops;
use super::envelope::Destination;
use super::fair_queue::FairQueue;
use super::rotation::PipeMap;
use super::routing_table::RoutingTable;
use super::{Attach, Drop, Pattern, PatternOption, RecvError, SendError, UnknownOption};
use crate::message::{Kind, Part};
use crate::pipe::{PipeId, Pipes};

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// There is nobody at the other end yet.
    Awaited,
    Connected,
    /// The peer is gone, and what it sent may be left.
    Lost,
}

#[derive(Debug)]
pub(super) struct Stream {
    input: FairQueue,
    table: RoutingTable,
    phases: PipeMap<Phase>,
    /// Pipes that are lost, with something left to read when that was found out.
    lost: Vec<PipeId>,
    /// Messages that are not in a pipe: what a connection that the application closed had sent,
    /// and that connections were made or lost.
    ready: VecDeque<(Part, Part)>,
    /// The message whose routing id was given to the application.
    body: Option<Part>,
    out: Destination,
    notify: bool,
    mandatory: bool,
    /// The id of the connection that was begun last from here.
    last_begun: Option<Part>,
    finished: Vec<PipeId>,
    drops: Drops,
}

impl Default for Stream {
    fn default() -> Self {
        Self::for_router(true)
    }
}

impl Stream {
    /// The raw mode of a ROUTER, which drops what it cannot route unless `mandatory`.
    pub(super) fn for_router(mandatory: bool) -> Self {
        Self {
            input: FairQueue::default(),
            table: RoutingTable::default(),
            phases: PipeMap::default(),
            lost: Vec::new(),
            ready: VecDeque::new(),
            body: None,
            out: Destination::Open,
            notify: true,
            mandatory,
            last_begun: None,
            finished: Vec::new(),
            drops: Drops::default(),
        }
    }

    /// Tells the application that a connection was made or lost.
    fn tell(&mut self, pipe: PipeId, pipes: &Pipes) {
        if !self.notify {
            return;
        }
        if let Some(id) = self.table.id_of(pipe) {
            let mut notice = Part::new();
            notice.set_peer(pipes.get(pipe).and_then(|end| end.peer().cloned()));
            self.ready.push_back((id.clone(), notice));
        }
    }

    /// Looks whether the connection that a pipe waits for is there.
    fn greet(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        let readable = pipes.can_read(pipe); // takes in a note about the peer
        if readable || pipes.get(pipe).is_some_and(|end| end.peer().is_some()) {
            self.phases.insert(pipe, Phase::Connected);
            self.tell(pipe, pipes);
            self.input.attach(pipe);
        }
    }

    /// Tells of lost connections once they are read to the end.
    fn tell_of_lost(&mut self, pipes: &mut Pipes) {
        for pipe in std::mem::take(&mut self.lost) {
            if pipes.can_read(pipe) {
                self.lost.push(pipe);
            } else {
                self.detach(pipe, pipes);
            }
        }
    }

    /// Nothing can be sent to the pipe any more.
    fn stop_sending(&mut self, pipe: PipeId) {
        self.table.unroute(pipe);
        if self.out.lose(pipe) {
            self.drops.add(Drop::PeerGone, 1);
        }
    }

    fn forget(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        self.stop_sending(pipe);
        self.phases.remove(pipe);
        self.lost.retain(|lost| *lost != pipe);
        self.input.detach(pipe, pipes);
        self.table.remove(pipe);
    }

    /// The application closes a connection. What was received on it can still be read, and what
    /// was sent is still written.
    fn close(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        if let Some(id) = self.table.id_of(pipe).cloned() {
            while let Some(part) = pipes.read(pipe) {
                if part.kind() == Kind::Data {
                    self.ready.push_back((id.clone(), part));
                }
            }
        }
        self.forget(pipe, pipes);
        self.finished.push(pipe);
    }

    /// Finds out where a message goes from its first part.
    fn route(&mut self, id: &Part, pipes: &mut Pipes) -> Result<Destination, SendError> {
        let (cause, error) = match self.table.pipe_of(id) {
            Some(pipe) if pipes.can_write(pipe) => return Ok(Destination::Pipe(pipe)),
            Some(_) => (Drop::RouterHwm, SendError::Full),
            None => (Drop::RouterUnroutable, SendError::Unroutable),
        };
        if self.mandatory {
            return Err(error);
        }
        self.drops.add(cause, 1);
        Ok(Destination::Nowhere)
    }
}

impl Pattern for Stream {
    fn attach(&mut self, pipe: PipeId, how: Attach<'_>, pipes: &mut Pipes) {
        let id = match how.routing_id {
            Some(id) if !id.is_empty() => Part::copy_from(id),
            _ => self.table.automatic_id(),
        };
        if self.table.pipe_of(&id).is_some() {
            self.drops.add(Drop::DuplicateId, 1);
            self.finished.push(pipe);
            return;
        }
        if how.locally_initiated {
            self.last_begun = Some(id.clone());
        }
        self.table.assign(pipe, id);
        self.phases.insert(pipe, Phase::Awaited);
        self.greet(pipe, pipes);
    }

    fn detach(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        if self.phases.get(pipe) == Some(&Phase::Lost) {
            self.tell(pipe, pipes);
        }
        self.forget(pipe, pipes);
    }

    fn closing(&mut self, pipe: PipeId, pipes: &mut Pipes) -> bool {
        if self.phases.get(pipe) == Some(&Phase::Awaited) {
            self.greet(pipe, pipes);
        }
        self.stop_sending(pipe);
        match self.phases.get_mut(pipe) {
            Some(phase @ Phase::Connected) => *phase = Phase::Lost,
            _ => return false,
        }
        if pipes.can_read(pipe) {
            self.lost.push(pipe);
            return true;
        }
        self.detach(pipe, pipes);
        false
    }

    fn readable(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        if self.phases.get(pipe) == Some(&Phase::Awaited) {
            self.greet(pipe, pipes);
        } else {
            self.input.readable(pipe);
        }
    }

    fn writable(&mut self, _pipe: PipeId, _pipes: &mut Pipes) {}

    fn send(&mut self, part: &mut Part, pipes: &mut Pipes) -> Result<(), SendError> {
        if self.out == Destination::Open {
            if part.more() {
                self.out = self.route(part, pipes)?;
            } else {
                // A routing id without a message: there is nothing to send.
                self.drops.add(Drop::Malformed, 1);
            }
            drop(std::mem::take(part));
            return Ok(());
        }
        // zmq_socket(3): `ZMQ_SNDMORE` "is ignored on data frames".
        let part = std::mem::take(part).with_more(false);
        if let (Destination::Pipe(pipe), true) = (self.out, part.is_empty()) {
            self.out = Destination::Open;
            self.close(pipe, pipes);
        } else {
            self.out.write(part, pipes);
        }
        Ok(())
    }

    fn recv(&mut self, pipes: &mut Pipes) -> Result<Part, RecvError> {
        if let Some(part) = self.body.take() {
            return Ok(part);
        }
        let (id, part) = match self.ready.pop_front() {
            Some(message) => message,
            None => match self.input.recv(pipes) {
                Some((pipe, part)) => (self.table.id_of(pipe).cloned().unwrap_or_default(), part),
                None => {
                    self.tell_of_lost(pipes);
                    self.ready.pop_front().ok_or(RecvError::Empty)?
                }
            },
        };
        let mut id = id.with_more(true);
        id.set_peer(part.peer().cloned());
        self.body = Some(part.with_more(false));
        Ok(id)
    }

    fn has_in(&mut self, pipes: &mut Pipes) -> bool {
        if self.body.is_some() || !self.ready.is_empty() || self.input.has_in(pipes) {
            return true;
        }
        self.tell_of_lost(pipes);
        !self.ready.is_empty()
    }

    fn has_out(&mut self, _pipes: &mut Pipes) -> bool {
        true
    }

    fn set(&mut self, option: PatternOption, _pipes: &mut Pipes) -> Result<(), UnknownOption> {
        match option {
            PatternOption::StreamNotify(on) => self.notify = on,
            PatternOption::RouterMandatory(on) => self.mandatory = on,
            _ => return Err(UnknownOption),
        }
        Ok(())
    }

    fn routing_id(&self) -> Option<&[u8]> {
        self.last_begun.as_deref()
    }

    fn take_rejected(&mut self) -> Vec<PipeId> {
        std::mem::take(&mut self.finished)
    }

    fn take_drops(&mut self) -> Vec<(Drop, u64)> {
        self.drops.take()
    }
}
