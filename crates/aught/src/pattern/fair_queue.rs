//! Fair queueing: messages are taken from the pipes in turn, one from each. Which pipes belong
//! here, and what is done with the messages, is the patterns' affair.

use std::collections::VecDeque;

use super::rotation::Rotation;
use crate::message::{Kind, Part};
use crate::pipe::{PipeId, Pipes};

/// The receiving side of a socket with several pipes. Notes that are not data are skipped.
#[derive(Debug, Default)]
pub(super) struct FairQueue {
    row: Rotation,
    /// The pipe whose message was begun and not finished.
    reading: Option<PipeId>,
    /// The rest of a begun message whose pipe is gone.
    rest: VecDeque<Part>,
    rest_of: Option<PipeId>,
}

impl FairQueue {
    /// Adds a pipe, which will be looked at.
    pub(super) fn attach(&mut self, pipe: PipeId) {
        self.row.attach(pipe);
    }

    /// Whether the pipe is one of these.
    pub(super) fn contains(&self, pipe: PipeId) -> bool {
        self.row.contains(pipe)
    }

    /// There is something to read on a pipe that was found empty.
    pub(super) fn readable(&mut self, pipe: PipeId) {
        self.row.resume(pipe);
    }

    /// Forgets a pipe. What is left of a message that was begun is kept: a message is received
    /// whole or not at all.
    pub(super) fn detach(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        self.row.detach(pipe);
        if self.reading != Some(pipe) {
            return;
        }
        self.reading = None;
        while let Some(part) = pipes.read(pipe) {
            let more = part.more();
            self.rest.push_back(part);
            if !more {
                break;
            }
        }
        if let Some(last) = self.rest.back_mut() {
            last.set_more(false);
            self.rest_of = Some(pipe);
        }
    }

    /// Takes the next part, and says where it came from.
    pub(super) fn recv(&mut self, pipes: &mut Pipes) -> Option<(PipeId, Part)> {
        let mut part = Part::new();
        self.recv_to(pipes, &mut part).map(|pipe| (pipe, part))
    }

    /// Moves the next part to where it is wanted, and says where it came from.
    #[inline]
    pub(super) fn recv_to(&mut self, pipes: &mut Pipes, to: &mut Part) -> Option<PipeId> {
        if let Some(pipe) = self.reading {
            if pipes.read_to(pipe, to) {
                self.took(pipe, to);
                return Some(pipe);
            }
            // Messages arrive whole, so this does not happen; the others go on.
            self.reading = None;
        }
        if let Some(pipe) = self.rest_of {
            if let Some(part) = self.rest.pop_front() {
                *to = part;
                return Some(pipe);
            }
            self.rest_of = None;
        }
        while let Some(pipe) = self.row.current() {
            if !pipes.read_to(pipe, to) {
                self.row.suspend_current();
            } else if to.kind() == Kind::Data {
                self.took(pipe, to);
                return Some(pipe);
            }
        }
        None
    }

    #[inline]
    fn took(&mut self, pipe: PipeId, part: &Part) {
        if part.more() {
            self.reading = Some(pipe);
        } else {
            self.reading = None;
            self.row.advance();
        }
    }

    /// Whether `recv` would give a part.
    pub(super) fn has_in(&mut self, pipes: &mut Pipes) -> bool {
        if self.reading.is_some() || !self.rest.is_empty() {
            return true;
        }
        while let Some(pipe) = self.row.current() {
            if !pipes.can_read(pipe) {
                self.row.suspend_current();
                continue;
            }
            let kind = pipes.get_mut(pipe).and_then(|end| end.next_kind());
            if kind == Some(Kind::Data) {
                return true;
            }
            drop(pipes.read(pipe));
        }
        false
    }

    /// Whether a message was begun and not finished.
    pub(super) fn is_inside(&self) -> bool {
        self.reading.is_some() || !self.rest.is_empty()
    }

    /// Drops the rest of the message that was begun.
    pub(super) fn skip_rest(&mut self, pipes: &mut Pipes) {
        while self.is_inside() {
            if self.recv(pipes).is_none_or(|(_, part)| !part.more()) {
                break;
            }
        }
    }
}
