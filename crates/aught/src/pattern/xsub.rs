//! XSUB: messages come from the pipes in turn, and subscriptions go to all of them (RFC 29).
//! `subscribe` is the same with options in place of messages, and with a filter of its own.

use super::drops::Drops;
use super::fair_queue::FairQueue;
use super::fan_out::FanOut;
use super::subscriptions::Filter;
use super::{Attach, Drop, Pattern, PatternOption, RecvError, SendError, UnknownOption};
use crate::message::{Kind, Part};
use crate::pipe::{PipeId, Pipes};

/// XSUB, and the better part of SUB.
#[derive(Debug, Default)]
pub(super) struct Xsub {
    input: FairQueue,
    out: FanOut,
    wanted: Filter,
    /// SUB: what is not wanted is dropped, in case a publisher sends it nevertheless.
    filters: bool,
    invert: bool,
    /// The first part of a message that passed the filter.
    passed: Option<Part>,
    /// The first part of a message was received, and not its last.
    receiving: bool,
    /// The first part of a message was sent, and not its last.
    sending: bool,
    /// Notes that must not go between the parts of a message.
    late_notes: Vec<Part>,
    drops: Drops,
}

impl Xsub {
    pub(super) fn new(filters: bool) -> Self {
        Self { filters, ..Self::default() }
    }

    /// Asks for a prefix. Repeated requests are passed on, too: whether they are of interest is
    /// for the publishers to know.
    pub(super) fn subscribe(&mut self, topic: &[u8], pipes: &mut Pipes) {
        self.wanted.add(topic);
        self.note_all(Part::copy_from(topic).with_kind(Kind::Subscribe), pipes);
    }

    /// Gives up a prefix. Publishers hear of it when it was the last time.
    pub(super) fn unsubscribe(&mut self, topic: &[u8], pipes: &mut Pipes) {
        if self.wanted.remove(topic) {
            self.note_all(Part::copy_from(topic).with_kind(Kind::Cancel), pipes);
        }
    }

    fn note_all(&mut self, note: Part, pipes: &mut Pipes) {
        if self.sending {
            self.late_notes.push(note);
            return;
        }
        for pipe in self.out.pipes() {
            if let Some(end) = pipes.get_mut(pipe) {
                end.write(note.clone());
                end.flush();
            }
        }
    }

    /// Sends all subscriptions to a publisher that knows of none.
    fn introduce(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        let Some(end) = pipes.get_mut(pipe) else {
            return;
        };
        self.wanted.for_each(|topic| {
            end.write(Part::copy_from(topic).with_kind(Kind::Subscribe));
        });
        end.flush();
    }

    /// A part of a message to the publishers.
    fn send_message(&mut self, part: &mut Part, pipes: &mut Pipes) {
        if !self.sending {
            self.out.choose_all();
            let full = self.out.leave_out_full(pipes);
            self.drops.add(Drop::PubHwm, full);
            self.drops.add(Drop::NoPeer, u64::from(self.out.is_empty()));
        }
        self.sending = part.more();
        self.out.write(std::mem::take(part), pipes);
        if !self.sending && !self.late_notes.is_empty() {
            for note in std::mem::take(&mut self.late_notes) {
                self.note_all(note, pipes);
            }
        }
    }

    /// The next part that is wanted.
    #[inline]
    fn next(&mut self, pipes: &mut Pipes, to: &mut Part) -> bool {
        if let Some(part) = self.passed.take() {
            *to = part;
            return true;
        }
        loop {
            let mut part = Part::new();
            if self.input.recv_to(pipes, &mut part).is_none() {
                return false;
            }
            if self.receiving || !self.filters || self.wanted.matches(&part) != self.invert {
                *to = part;
                return true;
            }
            if part.more() {
                self.input.skip_rest(pipes);
            }
            self.drops.add(Drop::Unmatched, 1);
        }
    }
}

impl Pattern for Xsub {
    fn attach(&mut self, pipe: PipeId, _how: Attach<'_>, pipes: &mut Pipes) {
        self.input.attach(pipe);
        self.out.attach(pipe);
        self.introduce(pipe, pipes);
    }

    fn detach(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        let lost = self.out.detach(pipe);
        self.drops.add(Drop::PeerGone, u64::from(lost));
        self.input.detach(pipe, pipes);
    }

    fn closing(&mut self, pipe: PipeId, pipes: &mut Pipes) -> bool {
        let lost = self.out.detach(pipe);
        self.drops.add(Drop::PeerGone, u64::from(lost));
        self.input.contains(pipe) && pipes.can_read(pipe)
    }

    fn readable(&mut self, pipe: PipeId, _pipes: &mut Pipes) {
        self.input.readable(pipe);
    }

    fn writable(&mut self, pipe: PipeId, _pipes: &mut Pipes) {
        self.out.writable(pipe);
    }

    fn hiccup(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        if !self.out.contains(pipe) {
            return;
        }
        // What was begun cannot be finished on another connection.
        let lost = self.out.leave_out(pipe);
        self.drops.add(Drop::PeerGone, u64::from(lost));
        if let Some(end) = pipes.get_mut(pipe) {
            end.rollback();
            end.write(Part::new().with_kind(Kind::Restart));
        }
        self.introduce(pipe, pipes);
    }

    fn send(&mut self, part: &mut Part, pipes: &mut Pipes) -> Result<(), SendError> {
        // RFC 29, in the form of RFC 23: a first byte of one or zero makes it a subscription or
        // its end, anything else a message to the publishers.
        let subscribe = match part.first() {
            Some(1) => true,
            Some(0) => false,
            _ => {
                self.send_message(part, pipes);
                return Ok(());
            }
        };
        let topic = part.get(1..).unwrap_or_default();
        if !self.sending {
            let note = Part::copy_from(topic);
            if subscribe {
                self.subscribe(&note, pipes);
            } else {
                self.unsubscribe(&note, pipes);
            }
            drop(std::mem::take(part));
        } else {
            // Within a message it stays a part of it, which publishers understand as well.
            if subscribe {
                self.wanted.add(topic);
            } else {
                self.wanted.remove(topic);
            }
            self.send_message(part, pipes);
        }
        Ok(())
    }

    #[inline]
    fn recv(&mut self, pipes: &mut Pipes) -> Result<Part, RecvError> {
        let mut part = Part::new();
        self.recv_to(pipes, &mut part)?;
        Ok(part)
    }

    fn recv_to(&mut self, pipes: &mut Pipes, to: &mut Part) -> Result<(), RecvError> {
        if !self.next(pipes, to) {
            return Err(RecvError::Empty);
        }
        self.receiving = to.more();
        Ok(())
    }

    fn has_in(&mut self, pipes: &mut Pipes) -> bool {
        if self.passed.is_none() {
            let mut part = Part::new();
            self.passed = self.next(pipes, &mut part).then_some(part);
            // The rest of the message that was begun here is not to be filtered.
            self.receiving |= self.passed.as_ref().is_some_and(Part::more);
        }
        self.passed.is_some()
    }

    fn has_out(&mut self, _pipes: &mut Pipes) -> bool {
        true
    }

    fn take_drops(&mut self) -> Vec<(Drop, u64)> {
        self.drops.take()
    }

    fn topics(&self) -> Option<usize> {
        Some(self.wanted.topics())
    }

    fn set(&mut self, option: PatternOption, pipes: &mut Pipes) -> Result<(), UnknownOption> {
        match option {
            PatternOption::Subscribe(topic) if self.filters => self.subscribe(&topic, pipes),
            PatternOption::Unsubscribe(topic) if self.filters => self.unsubscribe(&topic, pipes),
            PatternOption::InvertMatching(on) if self.filters => self.invert = on,
            _ => return Err(UnknownOption),
        }
        Ok(())
    }
}
