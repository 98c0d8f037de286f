//! PUB: an XPUB that tells its application nothing (RFC 29). It receives nothing; what
//! subscribers send apart from subscriptions is dropped. It takes the options of XPUB, as the
//! reference's does: of these `ZMQ_XPUB_MANUAL` leaves subscriptions without effect, for the
//! application is never told of a peer that it could subscribe.

use super::xpub::Xpub;
use super::{Attach, Drop, Pattern, PatternOption, RecvError, SendError, UnknownOption};
use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

#[derive(Debug)]
pub(super) struct Publish(Xpub);

impl Default for Publish {
    fn default() -> Self {
        Self(Xpub::new(true))
    }
}

impl Pattern for Publish {
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

    #[inline]
    fn send(&mut self, part: &mut Part, pipes: &mut Pipes) -> Result<(), SendError> {
        self.0.send(part, pipes)
    }

    fn recv(&mut self, _pipes: &mut Pipes) -> Result<Part, RecvError> {
        Err(RecvError::Unsupported)
    }

    fn has_in(&mut self, _pipes: &mut Pipes) -> bool {
        false
    }

    fn has_out(&mut self, pipes: &mut Pipes) -> bool {
        self.0.has_out(pipes)
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
