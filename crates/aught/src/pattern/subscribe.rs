//! SUB: an XSUB whose subscriptions are options, and which drops what it did not ask for
//! (RFC 29). It sends nothing.

use super::xsub::Xsub;
use super::{Attach, Drop, Pattern, PatternOption, RecvError, SendError, UnknownOption};
use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

#[derive(Debug)]
pub(super) struct Subscribe(Xsub);

impl Default for Subscribe {
    fn default() -> Self {
        Self(Xsub::new(true))
    }
}

impl Pattern for Subscribe {
    fn attach(&mut self, pipe: PipeId, how: Attach<'_>, pipes: &mut Pipes) {
        self.0.attach(pipe, how, pipes);
    }

    fn detach(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        self.0.detach(pipe, pipes);
    }

    fn closing(&mut self, pipe: PipeId, pipes: &mut Pipes) -> bool {
        self.0.closing(pipe, pipes)
    }

    fn readable(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        self.0.readable(pipe, pipes);
    }

    fn writable(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        self.0.writable(pipe, pipes);
    }

    fn hiccup(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        self.0.hiccup(pipe, pipes);
    }

    fn send(&mut self, _part: &mut Part, _pipes: &mut Pipes) -> Result<(), SendError> {
        Err(SendError::Unsupported)
    }

    #[inline]
    fn recv(&mut self, pipes: &mut Pipes) -> Result<Part, RecvError> {
        self.0.recv(pipes)
    }

    fn recv_to(&mut self, pipes: &mut Pipes, to: &mut Part) -> Result<(), RecvError> {
        self.0.recv_to(pipes, to)
    }

    fn has_in(&mut self, pipes: &mut Pipes) -> bool {
        self.0.has_in(pipes)
    }

    fn has_out(&mut self, _pipes: &mut Pipes) -> bool {
        false
    }

    fn set(&mut self, option: PatternOption, pipes: &mut Pipes) -> Result<(), UnknownOption> {
        self.0.set(option, pipes)
    }

    fn take_drops(&mut self) -> Vec<(Drop, u64)> {
        self.0.take_drops()
    }

    fn topics(&self) -> Option<usize> {
        self.0.topics()
    }
}
