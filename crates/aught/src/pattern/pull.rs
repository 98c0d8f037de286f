//! PULL: messages come from the pipes in turn (RFC 30). It sends nothing.

use super::fair_queue::FairQueue;
use super::{Attach, Pattern, RecvError, SendError};
use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

#[derive(Debug, Default)]
pub(super) struct Pull {
    input: FairQueue,
}

impl Pattern for Pull {
    fn attach(&mut self, pipe: PipeId, _how: Attach<'_>, _pipes: &mut Pipes) {
        self.input.attach(pipe);
    }

    fn detach(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        self.input.detach(pipe, pipes);
    }

    fn closing(&mut self, pipe: PipeId, pipes: &mut Pipes) -> bool {
        self.input.contains(pipe) && pipes.can_read(pipe)
    }

    fn readable(&mut self, pipe: PipeId, _pipes: &mut Pipes) {
        self.input.readable(pipe);
    }

    fn writable(&mut self, _pipe: PipeId, _pipes: &mut Pipes) {}

    fn send(&mut self, _part: &mut Part, _pipes: &mut Pipes) -> Result<(), SendError> {
        Err(SendError::Unsupported)
    }

    fn recv(&mut self, pipes: &mut Pipes) -> Result<Part, RecvError> {
        self.input.recv(pipes).map(|(_, part)| part).ok_or(RecvError::Empty)
    }

    fn recv_to(&mut self, pipes: &mut Pipes, to: &mut Part) -> Result<(), RecvError> {
        self.input.recv_to(pipes, to).map(|_| ()).ok_or(RecvError::Empty)
    }

    fn has_in(&mut self, pipes: &mut Pipes) -> bool {
        self.input.has_in(pipes)
    }

    fn has_out(&mut self, _pipes: &mut Pipes) -> bool {
        false
    }
}
