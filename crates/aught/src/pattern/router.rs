//! ROUTER: the first part of a message says which peer it goes to or comes from (RFC 28). The
//! table of peers is in `routing_table`; the raw mode is that of `stream`.

use super::dealer::send_probe;
use super::drops::Drops;
use super::envelope::Destination;
use super::fair_queue::FairQueue;
use super::rotation::{PipeMap, Rotation};
use super::routing_table::RoutingTable;
use super::stream::Stream;
use super::{Attach, Drop, Pattern, PatternOption, RecvError, SendError, UnknownOption};
use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

#[derive(Debug, Default)]
pub(super) struct Router {
    input: FairQueue,
    table: RoutingTable,
    /// Pipes whose peers have not said who they are.
    unknown: PipeMap<()>,
    /// Pipes whose routing id is another's, and which stay nevertheless: those that lost it in a
    /// handover, and those from sockets of this process, which cannot be disconnected without
    /// the other socket losing its only pipe. What they say is dropped.
    refused: PipeMap<()>,
    /// Pipes to known peers, for finding one that has room.
    routes: Rotation,
    out: Destination,
    /// The first part of a message whose routing id was given to the application.
    body: Option<Part>,
    /// Within a message whose routing id was given to the application.
    receiving: bool,
    mandatory: bool,
    handover: bool,
    probe: bool,
    rejected: Vec<PipeId>,
    drops: Drops,
    /// `ZMQ_ROUTER_RAW`: everything is done there.
    raw: Option<Box<Stream>>,
}

impl Router {
    /// Takes a peer in once it is known who it is.
    fn identify(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        let readable = pipes.can_read(pipe); // takes in a note about the peer
        let id = match pipes.get(pipe).and_then(|end| end.peer()) {
            Some(peer) => Part::copy_from(peer.routing_id()),
            None if readable => Part::new(),
            None => return,
        };
        self.unknown.remove(pipe);
        let id = if id.is_empty() { self.table.automatic_id() } else { id };
        self.admit(pipe, id, pipes);
    }

    fn admit(&mut self, pipe: PipeId, id: Part, pipes: &mut Pipes) {
        if let Some(holder) = self.table.pipe_of(&id) {
            if !self.handover {
                self.drops.add(Drop::DuplicateId, 1);
                self.refuse(pipe, pipes);
                return;
            }
            // The old connection is not closed, as with the reference: its peer would come back
            // and take the id again, and so on for ever.
            self.forget(holder, pipes);
            self.mute(holder, pipes);
        }
        self.table.assign(pipe, id);
        self.routes.attach(pipe);
        self.input.attach(pipe);
    }

    fn refuse(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        let peer = pipes.get(pipe).and_then(|end| end.peer());
        if peer.is_some_and(|peer| peer.descriptor().is_some()) {
            self.rejected.push(pipe);
        } else {
            self.mute(pipe, pipes);
        }
    }

    fn mute(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        self.refused.insert(pipe, ());
        self.discard(pipe, pipes);
    }

    fn discard(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        while let Some(part) = pipes.read(pipe) {
            self.drops.add(Drop::DuplicateId, u64::from(!part.more()));
        }
    }

    fn stop_sending(&mut self, pipe: PipeId) {
        self.table.unroute(pipe);
        self.routes.detach(pipe);
        let lost = self.out.lose(pipe);
        self.drops.add(Drop::PeerGone, u64::from(lost));
    }

    fn forget(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        self.stop_sending(pipe);
        self.unknown.remove(pipe);
        self.refused.remove(pipe);
        self.input.detach(pipe, pipes);
        self.table.remove(pipe);
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

impl Pattern for Router {
    fn attach(&mut self, pipe: PipeId, how: Attach<'_>, pipes: &mut Pipes) {
        if let Some(raw) = &mut self.raw {
            return raw.attach(pipe, how, pipes);
        }
        if self.probe {
            send_probe(pipe, pipes);
        }
        match how.routing_id {
            Some(id) if !id.is_empty() => self.admit(pipe, Part::copy_from(id), pipes),
            _ => {
                self.unknown.insert(pipe, ());
                self.identify(pipe, pipes);
            }
        }
    }

    fn detach(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        match &mut self.raw {
            Some(raw) => raw.detach(pipe, pipes),
            None => self.forget(pipe, pipes),
        }
    }

    fn closing(&mut self, pipe: PipeId, pipes: &mut Pipes) -> bool {
        if let Some(raw) = &mut self.raw {
            return raw.closing(pipe, pipes);
        }
        if self.unknown.contains(pipe) {
            self.identify(pipe, pipes);
        }
        self.stop_sending(pipe);
        self.input.contains(pipe) && pipes.can_read(pipe)
    }

    fn readable(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        if let Some(raw) = &mut self.raw {
            raw.readable(pipe, pipes);
        } else if self.unknown.contains(pipe) {
            self.identify(pipe, pipes);
        } else if self.refused.contains(pipe) {
            self.discard(pipe, pipes);
        } else {
            self.input.readable(pipe);
        }
    }

    fn writable(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        match &mut self.raw {
            Some(raw) => raw.writable(pipe, pipes),
            None => self.routes.resume(pipe),
        }
    }

    fn send(&mut self, part: &mut Part, pipes: &mut Pipes) -> Result<(), SendError> {
        if let Some(raw) = &mut self.raw {
            return raw.send(part, pipes);
        }
        if self.out != Destination::Open {
            self.out.write(std::mem::take(part), pipes);
            return Ok(());
        }
        if part.more() {
            self.out = self.route(part, pipes)?;
        } else {
            // A routing id without a message: there is nothing to send.
            self.drops.add(Drop::Malformed, 1);
        }
        drop(std::mem::take(part));
        Ok(())
    }

    fn recv(&mut self, pipes: &mut Pipes) -> Result<Part, RecvError> {
        if let Some(raw) = &mut self.raw {
            return raw.recv(pipes);
        }
        if let Some(part) = self.body.take() {
            self.receiving = part.more();
            return Ok(part);
        }
        let (pipe, part) = self.input.recv(pipes).ok_or(RecvError::Empty)?;
        if self.receiving {
            self.receiving = part.more();
            return Ok(part);
        }
        let mut id = self.table.id_of(pipe).cloned().unwrap_or_default().with_more(true);
        id.set_peer(part.peer().cloned());
        self.body = Some(part);
        Ok(id)
    }

    fn has_in(&mut self, pipes: &mut Pipes) -> bool {
        match &mut self.raw {
            Some(raw) => raw.has_in(pipes),
            None => self.body.is_some() || self.input.has_in(pipes),
        }
    }

    fn has_out(&mut self, pipes: &mut Pipes) -> bool {
        if let Some(raw) = &mut self.raw {
            return raw.has_out(pipes);
        }
        if !self.mandatory || self.out != Destination::Open {
            return true;
        }
        while let Some(pipe) = self.routes.current() {
            if pipes.can_write(pipe) {
                return true;
            }
            self.routes.suspend_current();
        }
        false
    }

    fn set(&mut self, option: PatternOption, pipes: &mut Pipes) -> Result<(), UnknownOption> {
        match option {
            PatternOption::RouterMandatory(on) => {
                self.mandatory = on;
                if let Some(raw) = &mut self.raw {
                    return raw.set(option, pipes);
                }
            }
            PatternOption::RouterHandover(on) => self.handover = on,
            PatternOption::ProbeRouter(on) => self.probe = on,
            PatternOption::RouterRaw(on) => {
                self.raw = on.then(|| Box::new(Stream::for_router(self.mandatory)));
            }
            _ => return Err(UnknownOption),
        }
        Ok(())
    }

    fn take_rejected(&mut self) -> Vec<PipeId> {
        match &mut self.raw {
            Some(raw) => raw.take_rejected(),
            None => std::mem::take(&mut self.rejected),
        }
    }

    fn take_drops(&mut self) -> Vec<(Drop, u64)> {
        match &mut self.raw {
            Some(raw) => raw.take_drops(),
            None => self.drops.take(),
        }
    }
}
