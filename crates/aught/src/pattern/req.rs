//! REQ: sends a request to the next peer in turn, receives the reply from that peer, and so on in
//! turns (RFC 28).

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use super::dealer::send_probe;
use super::drops::Drops;
use super::envelope::skip_message;
use super::fair_queue::FairQueue;
use super::load_balance::{LoadBalance, Sent};
use super::{Attach, Drop, Pattern, PatternOption, RecvError, SendError, UnknownOption};
use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

/// ```text
/// Ready -- first part --> Sending -- last part --> Waiting -- first part --> Receiving -+
///   ^                                                                      last part   |
///   +----------------------------------------------------------------------------------+
/// ```
/// With `ZMQ_REQ_RELAXED` a first part may be sent from `Waiting` and `Receiving`, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ready,
    Sending,
    /// For the reply, which may be at hand already.
    Waiting,
    Receiving,
}

#[derive(Debug)]
pub(super) struct Req {
    input: FairQueue,
    out: LoadBalance,
    state: State,
    /// The pipe that the request went to. When it is gone, so is probably the request, and as
    /// with the reference anybody may reply.
    replier: Option<PipeId>,
    /// The number that the reply has to carry.
    expected: Option<[u8; 4]>,
    /// The first part of the reply, read before the application asked for it.
    reply: Option<Part>,
    next_number: u32,
    correlate: bool,
    relaxed: bool,
    probe: bool,
    drops: Drops,
}

impl Default for Req {
    fn default() -> Self {
        Self {
            input: FairQueue::default(),
            out: LoadBalance::default(),
            state: State::Ready,
            replier: None,
            expected: None,
            reply: None,
            // A random start, so that replies to an earlier life match nothing.
            next_number: RandomState::new().build_hasher().finish() as u32,
            correlate: false,
            relaxed: false,
            probe: false,
            drops: Drops::default(),
        }
    }
}

impl Req {
    fn may_begin(&self) -> bool {
        match self.state {
            State::Ready => true,
            State::Sending => false,
            State::Waiting | State::Receiving => self.relaxed,
        }
    }

    /// Sends what stands before the body: the number, if there is one, and the delimiter.
    fn begin(&mut self, pipes: &mut Pipes) -> Result<(), SendError> {
        let number = self.correlate.then(|| self.next_number.to_be_bytes());
        let mut header = match number {
            Some(number) => Part::copy_from(&number),
            None => Part::new(),
        }
        .with_more(true);
        match self.out.send(&mut header, pipes) {
            Sent::Full => return Err(SendError::Full),
            Sent::Swallowed => self.replier = None,
            Sent::To(pipe) => self.replier = Some(pipe),
        }
        if number.is_some() {
            self.next_number = self.next_number.wrapping_add(1);
            self.out.send(&mut Part::new().with_more(true), pipes);
        }
        self.expected = number;
        self.forget_old_replies(pipes);
        self.state = State::Sending;
        Ok(())
    }

    /// What came before the request was made is no reply to it.
    fn forget_old_replies(&mut self, pipes: &mut Pipes) {
        if self.reply.take().is_some() {
            self.drops.add(Drop::StaleReply, 1);
        }
        self.input.skip_rest(pipes);
        let Some(pipe) = self.replier else { return };
        while let Some(part) = pipes.read(pipe) {
            self.drops.add(Drop::StaleReply, u64::from(!part.more()));
        }
    }

    /// Makes sure that the first part of the reply is at hand, if it has come.
    fn fetch(&mut self, pipes: &mut Pipes) -> bool {
        while self.reply.is_none() {
            let Some((pipe, first)) = self.input.recv(pipes) else {
                return false;
            };
            // RFC 28: "SHALL discard silently any messages received from other peers."
            if self.replier.is_some_and(|replier| replier != pipe) {
                skip_message(&first, &mut self.input, pipes);
                self.drops.add(Drop::StaleReply, 1);
                continue;
            }
            self.reply = self.open(first, pipes);
        }
        true
    }

    /// Takes a reply out of its envelope.
    fn open(&mut self, first: Part, pipes: &mut Pipes) -> Option<Part> {
        let mut part = first;
        if let Some(number) = self.expected {
            if part.as_slice() != number {
                skip_message(&part, &mut self.input, pipes);
                self.drops.add(Drop::StaleReply, 1);
                return None;
            }
            if part.more() {
                part = self.input.recv(pipes)?.1;
            }
        }
        // RFC 28: "A delimiter, consisting of an empty frame", then "One or more data frames".
        if part.is_empty() && part.more() {
            return self.input.recv(pipes).map(|(_, body)| body);
        }
        skip_message(&part, &mut self.input, pipes);
        self.drops.add(Drop::Malformed, 1);
        None
    }

    fn stop_sending(&mut self, pipe: PipeId) {
        let lost = self.out.detach(pipe);
        self.drops.add(Drop::PeerGone, u64::from(lost));
    }
}

impl Pattern for Req {
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
        if self.replier == Some(pipe) {
            self.replier = None;
        }
    }

    fn closing(&mut self, pipe: PipeId, pipes: &mut Pipes) -> bool {
        self.stop_sending(pipe);
        // Only a reply is worth waiting for.
        let awaited = self.replier.is_none_or(|replier| replier == pipe)
            && matches!(self.state, State::Waiting | State::Receiving);
        awaited && self.input.contains(pipe) && pipes.can_read(pipe)
    }

    fn readable(&mut self, pipe: PipeId, _pipes: &mut Pipes) {
        self.input.readable(pipe);
    }

    fn writable(&mut self, pipe: PipeId, _pipes: &mut Pipes) {
        self.out.writable(pipe);
    }

    fn send(&mut self, part: &mut Part, pipes: &mut Pipes) -> Result<(), SendError> {
        if self.state != State::Sending {
            if !self.may_begin() {
                return Err(SendError::State);
            }
            self.begin(pipes)?;
        }
        let more = part.more();
        // Once begun, a message is taken to its end: `Full` does not occur.
        self.out.send(part, pipes);
        if !more {
            self.state = State::Waiting;
        }
        Ok(())
    }

    fn recv(&mut self, pipes: &mut Pipes) -> Result<Part, RecvError> {
        let part = match self.state {
            State::Ready | State::Sending => return Err(RecvError::State),
            State::Waiting => {
                self.fetch(pipes);
                self.reply.take()
            }
            State::Receiving => self.input.recv(pipes).map(|(_, part)| part),
        };
        let part = part.ok_or(RecvError::Empty)?;
        self.state = if part.more() { State::Receiving } else { State::Ready };
        Ok(part)
    }

    fn has_in(&mut self, pipes: &mut Pipes) -> bool {
        match self.state {
            State::Ready | State::Sending => false,
            State::Waiting => self.fetch(pipes),
            State::Receiving => self.input.has_in(pipes),
        }
    }

    fn has_out(&mut self, pipes: &mut Pipes) -> bool {
        self.state == State::Sending || self.may_begin() && self.out.has_out(pipes)
    }

    fn set(&mut self, option: PatternOption, _pipes: &mut Pipes) -> Result<(), UnknownOption> {
        match option {
            PatternOption::ReqCorrelate(on) => self.correlate = on,
            PatternOption::ReqRelaxed(on) => self.relaxed = on,
            PatternOption::ProbeRouter(on) => self.probe = on,
            _ => return Err(UnknownOption),
        }
        Ok(())
    }

    fn take_drops(&mut self) -> Vec<(Drop, u64)> {
        self.drops.take()
    }
}
