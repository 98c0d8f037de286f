//! REP: receives a request, sends the reply to where the request came from, and so on in turns
//! (RFC 28). Who is let in is decided in `peers`.

use super::envelope::{Destination, read_envelope};
use super::fair_queue::FairQueue;
use super::peers::{Admission, Peers};
use super::{Attach, Drop, Pattern, PatternOption, RecvError, SendError, UnknownOption};
use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

/// ```text
/// Waiting -- first part --> Receiving -- last part --> Replying -- last part --> Waiting
/// ```
#[derive(Debug, Default)]
enum State {
    /// For a request, which may be at hand already.
    #[default]
    Waiting,
    Receiving,
    /// The reply's envelope was not sent yet, or it was, and `Rep::reply` is where it goes.
    Replying,
}

#[derive(Debug, Default)]
pub(super) struct Rep {
    input: FairQueue,
    state: State,
    /// The first part of a request, read before the application asked for it.
    request: Option<Part>,
    /// The envelope of the request, for the reply.
    path: Vec<Part>,
    /// Who sent the request.
    requester: Option<PipeId>,
    reply: Destination,
    peers: Peers,
}

impl Rep {
    /// Makes sure that the first part of a request is at hand, if there is a request.
    fn fetch(&mut self, pipes: &mut Pipes) -> bool {
        while self.request.is_none() {
            let Some((pipe, first)) = self.input.recv(pipes) else {
                return false;
            };
            // RFC 28: "SHALL remove and store the address envelope, including the delimiter."
            self.request = read_envelope(first, &mut self.path, &mut self.input, pipes);
            self.requester = Some(pipe);
            if self.request.is_none() {
                self.peers.drops.add(Drop::Malformed, 1);
            }
        }
        true
    }

    /// Begins with a peer that is in.
    fn seat(&mut self, pipe: PipeId, admission: Admission, pipes: &mut Pipes) {
        let Admission::In { ousted } = admission else { return };
        if let Some(holder) = ousted {
            self.forget(holder, pipes);
            self.peers.mute(holder, pipes);
        }
        self.input.attach(pipe);
    }

    fn stop_sending(&mut self, pipe: PipeId) {
        self.peers.unroute(pipe);
        if self.requester == Some(pipe) {
            self.requester = None;
        }
        let lost = self.reply.lose(pipe);
        self.peers.drops.add(Drop::PeerGone, u64::from(lost));
    }

    fn forget(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        self.stop_sending(pipe);
        self.input.detach(pipe, pipes);
        self.peers.remove(pipe);
    }

    /// Sends the envelope of the reply.
    fn begin_reply(&mut self, pipes: &mut Pipes) {
        // RFC 28: "SHALL silently discard the reply, or return an error, if the originating
        // peer is no longer connected" and "SHALL not block on sending".
        let there = |pipe: &PipeId| pipes.get(*pipe).is_some_and(|end| !end.is_closed());
        self.reply = match self.requester.take().filter(there) {
            Some(pipe) if pipes.can_write(pipe) => Destination::Pipe(pipe),
            Some(_) => {
                self.peers.drops.add(Drop::RouterHwm, 1);
                Destination::Nowhere
            }
            None => {
                self.peers.drops.add(Drop::NoPeer, 1);
                Destination::Nowhere
            }
        };
        for part in self.path.drain(..) {
            self.reply.write(part.with_more(true), pipes);
        }
        self.reply.write(Part::new().with_more(true), pipes);
    }
}

impl Pattern for Rep {
    fn attach(&mut self, pipe: PipeId, how: Attach<'_>, pipes: &mut Pipes) {
        let admission = self.peers.attach(pipe, how, pipes);
        self.seat(pipe, admission, pipes);
    }

    fn detach(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        self.forget(pipe, pipes);
    }

    fn closing(&mut self, pipe: PipeId, pipes: &mut Pipes) -> bool {
        let admission = self.peers.identify(pipe, pipes);
        self.seat(pipe, admission, pipes);
        self.stop_sending(pipe);
        self.input.contains(pipe) && pipes.can_read(pipe)
    }

    fn readable(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        if self.input.contains(pipe) {
            self.input.readable(pipe);
        } else if !self.peers.discard_refused(pipe, pipes) {
            let admission = self.peers.identify(pipe, pipes);
            self.seat(pipe, admission, pipes);
        }
    }

    fn writable(&mut self, _pipe: PipeId, _pipes: &mut Pipes) {}

    fn send(&mut self, part: &mut Part, pipes: &mut Pipes) -> Result<(), SendError> {
        if !matches!(self.state, State::Replying) {
            return Err(SendError::State);
        }
        if self.reply == Destination::Open {
            self.begin_reply(pipes);
        }
        if !part.more() {
            self.state = State::Waiting;
        }
        self.reply.write(std::mem::take(part), pipes);
        Ok(())
    }

    fn recv(&mut self, pipes: &mut Pipes) -> Result<Part, RecvError> {
        let part = match self.state {
            State::Waiting => {
                self.fetch(pipes);
                self.request.take()
            }
            State::Receiving => self.input.recv(pipes).map(|(_, part)| part),
            State::Replying => return Err(RecvError::State),
        };
        let part = part.ok_or(RecvError::Empty)?;
        self.state = if part.more() { State::Receiving } else { State::Replying };
        Ok(part)
    }

    fn has_in(&mut self, pipes: &mut Pipes) -> bool {
        match self.state {
            State::Waiting => self.fetch(pipes),
            State::Receiving => self.input.has_in(pipes),
            State::Replying => false,
        }
    }

    fn has_out(&mut self, _pipes: &mut Pipes) -> bool {
        matches!(self.state, State::Replying)
    }

    fn set(&mut self, option: PatternOption, _pipes: &mut Pipes) -> Result<(), UnknownOption> {
        match option {
            PatternOption::RouterHandover(on) => self.peers.handover = on,
            PatternOption::ProbeRouter(on) => self.peers.probe = on,
            // RFC 28: "SHALL silently discard the reply", whatever the application would have
            // a ROUTER say. The reference ends the process where a ROUTER would fail.
            PatternOption::RouterMandatory(_) => {}
            _ => return Err(UnknownOption),
        }
        Ok(())
    }

    fn take_rejected(&mut self) -> Vec<PipeId> {
        self.peers.take_rejected()
    }

    fn take_drops(&mut self) -> Vec<(Drop, u64)> {
        self.peers.drops.take()
    }
}
