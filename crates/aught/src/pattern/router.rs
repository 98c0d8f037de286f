//! ROUTER: the first part of a message says which peer it goes to or comes from (RFC 28). Who
//! is let in is decided in `peers`; the raw mode is that of `stream`.

use super::envelope::Destination;
use super::fair_queue::FairQueue;
use super::peers::{Admission, Peers};
use super::rotation::Rotation;
use super::stream::Stream;
use super::{Attach, Drop, Pattern, PatternOption, RecvError, SendError, UnknownOption};
use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

#[derive(Debug, Default)]
pub(super) struct Router {
    input: FairQueue,
    peers: Peers,
    /// Pipes to known peers, for finding one that has room.
    routes: Rotation,
    out: Destination,
    /// The first part of a message whose routing id was given to the application.
    body: Option<Part>,
    /// Within a message whose routing id was given to the application.
    receiving: bool,
    mandatory: bool,
    /// `ZMQ_ROUTER_RAW`: everything is done there.
    raw: Option<Box<Stream>>,
}

impl Router {
    /// Begins with a peer that is in.
    fn seat(&mut self, pipe: PipeId, admission: Admission, pipes: &mut Pipes) {
        let Admission::In { ousted } = admission else { return };
        if let Some(holder) = ousted {
            self.forget(holder, pipes);
            self.peers.mute(holder, pipes);
        }
        self.routes.attach(pipe);
        self.input.attach(pipe);
    }

    fn stop_sending(&mut self, pipe: PipeId) {
        self.peers.unroute(pipe);
        self.routes.detach(pipe);
        let lost = self.out.lose(pipe);
        self.peers.drops.add(Drop::PeerGone, u64::from(lost));
    }

    fn forget(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        self.stop_sending(pipe);
        self.input.detach(pipe, pipes);
        self.peers.remove(pipe);
    }

    /// Finds out where a message goes from its first part.
    fn route(&mut self, id: &Part, pipes: &mut Pipes) -> Result<Destination, SendError> {
        let (cause, error) = match self.peers.pipe_of(id) {
            Some(pipe) if pipes.can_write(pipe) => return Ok(Destination::Pipe(pipe)),
            Some(_) => (Drop::RouterHwm, SendError::Full),
            None => (Drop::RouterUnroutable, SendError::Unroutable),
        };
        if self.mandatory {
            return Err(error);
        }
        self.peers.drops.add(cause, 1);
        Ok(Destination::Nowhere)
    }
}

impl Pattern for Router {
    fn attach(&mut self, pipe: PipeId, how: Attach<'_>, pipes: &mut Pipes) {
        if let Some(raw) = &mut self.raw {
            return raw.attach(pipe, how, pipes);
        }
        let admission = self.peers.attach(pipe, how, pipes);
        self.seat(pipe, admission, pipes);
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
        let admission = self.peers.identify(pipe, pipes);
        self.seat(pipe, admission, pipes);
        self.stop_sending(pipe);
        self.input.contains(pipe) && pipes.can_read(pipe)
    }

    fn readable(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        if let Some(raw) = &mut self.raw {
            raw.readable(pipe, pipes);
        } else if self.input.contains(pipe) {
            self.input.readable(pipe);
        } else if !self.peers.discard_refused(pipe, pipes) {
            let admission = self.peers.identify(pipe, pipes);
            self.seat(pipe, admission, pipes);
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
            self.peers.drops.add(Drop::Malformed, 1);
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
        let mut id = self.peers.id_of(pipe).cloned().unwrap_or_default().with_more(true);
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
            PatternOption::RouterHandover(on) => self.peers.handover = on,
            PatternOption::ProbeRouter(on) => self.peers.probe = on,
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
            None => self.peers.take_rejected(),
        }
    }

    fn take_drops(&mut self) -> Vec<(Drop, u64)> {
        match &mut self.raw {
            Some(raw) => raw.take_drops(),
            None => self.peers.drops.take(),
        }
    }
}
