//! REP: receives a request, sends the reply to where the request came from, and so on in turns
//! (RFC 28).

use super::drops::Drops;
use super::envelope::{Destination, read_envelope};
use super::fair_queue::FairQueue;
use super::{Attach, Drop, Pattern, RecvError, SendError};
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
    drops: Drops,
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
                self.drops.add(Drop::Malformed, 1);
            }
        }
        true
    }

    fn stop_sending(&mut self, pipe: PipeId) {
        if self.requester == Some(pipe) {
            self.requester = None;
        }
        let lost = self.reply.lose(pipe);
        self.drops.add(Drop::PeerGone, u64::from(lost));
    }

    /// Sends the envelope of the reply.
    fn begin_reply(&mut self, pipes: &mut Pipes) {
        // RFC 28: "SHALL silently discard the reply, or return an error, if the originating
        // peer is no longer connected" and "SHALL not block on sending".
        let there = |pipe: &PipeId| pipes.get(*pipe).is_some_and(|end| !end.is_closed());
        self.reply = match self.requester.take().filter(there) {
            Some(pipe) if pipes.can_write(pipe) => Destination::Pipe(pipe),
            Some(_) => {
                self.drops.add(Drop::RouterHwm, 1);
                Destination::Nowhere
            }
            None => {
                self.drops.add(Drop::NoPeer, 1);
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
    fn attach(&mut self, pipe: PipeId, _how: Attach<'_>, _pipes: &mut Pipes) {
        self.input.attach(pipe);
    }

    fn detach(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        self.stop_sending(pipe);
        self.input.detach(pipe, pipes);
    }

    fn closing(&mut self, pipe: PipeId, pipes: &mut Pipes) -> bool {
        self.stop_sending(pipe);
        self.input.contains(pipe) && pipes.can_read(pipe)
    }

    fn readable(&mut self, pipe: PipeId, _pipes: &mut Pipes) {
        self.input.readable(pipe);
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

    fn take_drops(&mut self) -> Vec<(Drop, u64)> {
        self.drops.take()
    }
}
