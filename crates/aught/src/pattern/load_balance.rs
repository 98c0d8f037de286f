//! Load balancing: messages are given to the pipes in turn, one to each that has room. What goes
//! into the messages is the patterns' affair.

use super::rotation::Rotation;
use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It was written to the pipe.
    To(PipeId),
    /// It belongs to a message whose pipe went away in the middle, and was dropped.
    Swallowed,
    /// No pipe has room for a message. The part was left alone.
    Full,
}

/// The sending side of a socket with several pipes.
#[derive(Debug, Default)]
pub(super) struct LoadBalance {
    row: Rotation,
    /// The pipe that gets the message that was begun.
    sending: Option<PipeId>,
    /// That pipe is gone, and the rest of the message with it.
    swallowing: bool,
}

impl LoadBalance {
    pub(super) fn attach(&mut self, pipe: PipeId) {
        self.row.attach(pipe);
    }

    /// There is room on a pipe that was found full.
    pub(super) fn writable(&mut self, pipe: PipeId) {
        self.row.resume(pipe);
    }

    /// Forgets a pipe. True if it takes the beginning of a message with it.
    #[must_use = "a message that is lost has to be counted"]
    pub(super) fn detach(&mut self, pipe: PipeId) -> bool {
        self.row.detach(pipe);
        if self.sending == Some(pipe) {
            self.sending = None;
            self.swallowing = true;
            return true;
        }
        false
    }

    /// Sends a part, taken out of `part`.
    #[inline]
    pub(super) fn send(&mut self, part: &mut Part, pipes: &mut Pipes) -> Sent {
        if self.swallowing {
            self.swallowing = part.more();
            drop(std::mem::take(part));
            return Sent::Swallowed;
        }
        let Some(pipe) = self.sending.or_else(|| self.pick(pipes)) else {
            return Sent::Full;
        };
        let more = part.more();
        if let Some(end) = pipes.get_mut(pipe) {
            end.write_from(part);
            if !more {
                end.flush();
            }
        }
        if more {
            self.sending = Some(pipe);
        } else {
            self.sending = None;
            self.row.advance();
        }
        Sent::To(pipe)
    }

    #[inline]
    fn pick(&mut self, pipes: &mut Pipes) -> Option<PipeId> {
        while let Some(pipe) = self.row.current() {
            if pipes.can_write(pipe) {
                return Some(pipe);
            }
            self.row.suspend_current();
        }
        None
    }

    /// Whether `send` would take a part.
    pub(super) fn has_out(&mut self, pipes: &mut Pipes) -> bool {
        self.sending.is_some() || self.swallowing || self.pick(pipes).is_some()
    }
}
