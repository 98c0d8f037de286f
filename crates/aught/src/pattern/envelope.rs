//! The envelope of request and reply (RFC 28): the parts before an empty one, the delimiter, and
//! where the body that follows goes out. Who reads and who writes it is in `req` and `rep`.

use super::fair_queue::FairQueue;
use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

/// Where the parts of a message that is being sent to one chosen peer go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Destination {
    /// No message was begun.
    #[default]
    Open,
    /// To this pipe.
    Pipe(PipeId),
    /// Nowhere: the message cannot be delivered.
    Nowhere,
}

impl Destination {
    /// The pipe is gone. True if the beginning of a message is gone with it.
    #[must_use = "a message that is lost has to be counted"]
    pub(super) fn lose(&mut self, pipe: PipeId) -> bool {
        let lost = *self == Self::Pipe(pipe);
        if lost {
            *self = Self::Nowhere;
        }
        lost
    }

    /// Writes a part to where its message goes. After the last one no message is open.
    #[inline]
    pub(super) fn write(&mut self, part: Part, pipes: &mut Pipes) {
        let last = !part.more();
        if let Self::Pipe(pipe) = self
            && let Some(end) = pipes.get_mut(*pipe)
        {
            end.write(part);
            if last {
                end.flush();
            }
        }
        if last {
            *self = Self::Open;
        }
    }
}

/// Reads an envelope: the parts before the delimiter go to `path`, which is cleared first.
/// `first` is the message's first part. Gives the first part of the body, or `None`, with the
/// message dropped, when there is no delimiter or nothing behind it.
pub(super) fn read_envelope(
    first: Part,
    path: &mut Vec<Part>,
    input: &mut FairQueue,
    pipes: &mut Pipes,
) -> Option<Part> {
    path.clear();
    let mut part = first;
    while part.more() {
        let next = input.recv(pipes).map(|(_, next)| next)?;
        if part.is_empty() {
            return Some(next);
        }
        part.set_peer(None);
        path.push(part);
        part = next;
    }
    None
}

/// Drops the rest of a message whose part this is.
pub(super) fn skip_message(part: &Part, input: &mut FairQueue, pipes: &mut Pipes) {
    if part.more() {
        input.skip_rest(pipes);
    }
}
