//! DEALER: messages go to the pipes in turn and come from them in turn (RFC 28).

use super::drops::Drops;
use super::fair_queue::FairQueue;
use super::load_balance::{LoadBalance, Sent};
use super::{Attach, Drop, Pattern, PatternOption, RecvError, SendError, UnknownOption};
use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

#[derive(Debug, Default)]
pub(super) struct Dealer {
    input: FairQueue,
    out: LoadBalance,
    probe: bool,
    drops: Drops,
}

impl Dealer {
    fn stop_sending(&mut self, pipe: PipeId) {
        let lost = self.out.detach(pipe);
        self.drops.add(Drop::PeerGone, u64::from(lost));
    }
}

impl Pattern for Dealer {
    fn attach(&mut self, pipe: PipeId, _how: Attach<'_>, pipes: &mut Pipes) {
        if self.probe {
            send_probe(pipe, pipes);
        }
        self.input.attach(pipe);
        self.out.attach(pipe);
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

    fn set(&mut self, option: PatternOption, _pipes: &mut Pipes) -> Result<(), UnknownOption> {
        match option {
            PatternOption::ProbeRouter(probe) => self.probe = probe,
            _ => return Err(UnknownOption),
        }
        Ok(())
    }

    fn take_drops(&mut self) -> Vec<(Drop, u64)> {
        self.drops.take()
    }
}

/// Tells a ROUTER at the other end that somebody is here: an empty message
/// (`ZMQ_PROBE_ROUTER`, zmq_setsockopt(3)).
pub(super) fn send_probe(pipe: PipeId, pipes: &mut Pipes) {
    if let Some(end) = pipes.get_mut(pipe)
        && end.can_write()
    {
        end.write(Part::new());
        end.flush();
    }
}
