//! PUSH: messages go to the pipes in turn (RFC 30). It receives nothing.

use super::drops::Drops;
use super::load_balance::{LoadBalance, Sent};
use super::{Attach, Drop, Pattern, RecvError, SendError};
use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

#[derive(Debug, Default)]
pub(super) struct Push {
    out: LoadBalance,
    drops: Drops,
}

impl Pattern for Push {
    fn attach(&mut self, pipe: PipeId, _how: Attach<'_>, pipes: &mut Pipes) {
        self.out.attach(pipe);
        discard_input(pipe, pipes);
    }

    fn detach(&mut self, pipe: PipeId, _pipes: &mut Pipes) {
        let lost = self.out.detach(pipe);
        self.drops.add(Drop::PeerGone, u64::from(lost));
    }

    fn closing(&mut self, pipe: PipeId, pipes: &mut Pipes) -> bool {
        self.detach(pipe, pipes);
        false
    }

    fn readable(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        discard_input(pipe, pipes);
    }

    fn writable(&mut self, pipe: PipeId, _pipes: &mut Pipes) {
        self.out.writable(pipe);
    }

    fn send(&mut self, part: &mut Part, pipes: &mut Pipes) -> Result<(), SendError> {
        match self.out.send(part, pipes) {
            Sent::Full => Err(SendError::Full),
            Sent::To(_) | Sent::Swallowed => Ok(()),
        }
    }

    fn recv(&mut self, _pipes: &mut Pipes) -> Result<Part, RecvError> {
        Err(RecvError::Unsupported)
    }

    fn has_in(&mut self, _pipes: &mut Pipes) -> bool {
        false
    }

    fn has_out(&mut self, pipes: &mut Pipes) -> bool {
        self.out.has_out(pipes)
    }

    fn take_drops(&mut self) -> Vec<(Drop, u64)> {
        self.drops.take()
    }
}

/// A peer that talks to a socket that never receives is not to fill its pipe for ever.
fn discard_input(pipe: PipeId, pipes: &mut Pipes) {
    while pipes.read(pipe).is_some() {}
}
