//! PAIR: one peer, and no routing (RFC 31). Further pipes are turned away while there is one,
//! also while one that is closing has something left to read.

use super::drops::Drops;
use super::fair_queue::FairQueue;
use super::load_balance::{LoadBalance, Sent};
use super::{Attach, Drop, Pattern, RecvError, SendError};
use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

#[derive(Debug, Default)]
pub(super) struct Pair {
    pipe: Option<PipeId>,
    // Rows of one pipe: they keep messages whole when the pipe goes away in the middle.
    input: FairQueue,
    out: LoadBalance,
    rejected: Vec<PipeId>,
    drops: Drops,
}

impl Pair {
    fn stop_sending(&mut self, pipe: PipeId) {
        let lost = self.out.detach(pipe);
        self.drops.add(Drop::PeerGone, u64::from(lost));
    }
}

impl Pattern for Pair {
    fn attach(&mut self, pipe: PipeId, _how: Attach<'_>, _pipes: &mut Pipes) {
        if self.pipe.is_some() {
            self.rejected.push(pipe);
            return;
        }
        self.pipe = Some(pipe);
        self.input.attach(pipe);
        self.out.attach(pipe);
    }

    fn detach(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        if self.pipe == Some(pipe) {
            self.pipe = None;
            self.stop_sending(pipe);
            self.input.detach(pipe, pipes);
        }
    }

    fn closing(&mut self, pipe: PipeId, pipes: &mut Pipes) -> bool {
        self.stop_sending(pipe);
        self.pipe == Some(pipe) && pipes.can_read(pipe)
    }

    fn readable(&mut self, pipe: PipeId, _pipes: &mut Pipes) {
        self.input.readable(pipe);
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

    fn recv(&mut self, pipes: &mut Pipes) -> Result<Part, RecvError> {
        self.input.recv(pipes).map(|(_, part)| part).ok_or(RecvError::Empty)
    }

    fn recv_to(&mut self, pipes: &mut Pipes, to: &mut Part) -> Result<(), RecvError> {
        self.input.recv_to(pipes, to).map(|_| ()).ok_or(RecvError::Empty)
    }

    fn has_in(&mut self, pipes: &mut Pipes) -> bool {
        self.input.has_in(pipes)
    }

    fn has_out(&mut self, pipes: &mut Pipes) -> bool {
        self.out.has_out(pipes)
    }

    fn take_rejected(&mut self) -> Vec<PipeId> {
        std::mem::take(&mut self.rejected)
    }

    fn take_drops(&mut self) -> Vec<(Drop, u64)> {
        self.drops.take()
    }
}
