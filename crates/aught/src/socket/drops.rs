//! The count of the messages that a socket, or all sockets of a context, dropped, by cause; and
//! the numbers by which C programs ask for it. Why a pattern drops is in `pattern`, what the
//! engine drops it tells through [`SocketCore`].

use super::core::{SocketCore, State};
use crate::error::Error;
use crate::options::write_bytes;
use crate::pattern::Drop as Cause;
use crate::pipe::PipeEnd;
use crate::sync::{Mutex, lock};

/// The number of `AUGHT_DROPS_ALL` in `zmq.h`: all causes together. Those of the causes follow.
const ALL: i32 = 0x4155_0000;

/// The causes in the order of their numbers. New ones go to the end: programs know the numbers.
const CAUSES: [Cause; 13] = [
    Cause::PubHwm,
    Cause::RouterUnroutable,
    Cause::RouterHwm,
    Cause::DuplicateId,
    Cause::StaleReply,
    Cause::Malformed,
    Cause::Unmatched,
    Cause::NoPeer,
    Cause::PeerGone,
    Cause::Conflated,
    Cause::Linger,
    Cause::ConnectionLost,
    Cause::Unread,
];

/// What an option of the family `AUGHT_DROPS_` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    All,
    One(Cause),
}

impl Asked {
    /// What the option of this number asks for, if it is one of the family.
    pub(crate) fn of(option: i32) -> Option<Self> {
        match usize::try_from(option.checked_sub(ALL)?).ok()? {
            0 => Some(Self::All),
            index => CAUSES.get(index - 1).copied().map(Self::One),
        }
    }

    /// The answer.
    pub(crate) fn count(self, drops: &[(Cause, u64)]) -> u64 {
        let wanted = drops.iter().filter(|(cause, _)| match self {
            Self::All => true,
            Self::One(one) => one == *cause,
        });
        wanted.map(|(_, count)| count).sum()
    }

    /// The answer, as zmq_getsockopt(3) gives 64 bits.
    pub(crate) fn write(self, drops: &[(Cause, u64)], out: &mut [u8]) -> Result<usize, Error> {
        Ok(write_bytes(&self.count(drops).to_ne_bytes(), out)?)
    }
}

/// Dropped messages by cause.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Vec<(Cause, u64)>>);

impl Tally {
    pub(crate) fn add(&self, cause: Cause, messages: u64) {
        if messages == 0 {
            return;
        }
        let mut counts = lock(&self.0);
        match counts.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, count)) => *count += messages,
            None => counts.push((cause, messages)),
        }
    }

    /// The counts so far, of the causes that occurred.
    pub(crate) fn counts(&self) -> Vec<(Cause, u64)> {
        lock(&self.0).clone()
    }
}

impl SocketCore {
    /// Counts for the socket and for its context, which outlives it.
    pub(crate) fn count_drops(&self, cause: Cause, messages: u64) {
        if !self.is_internal() {
            self.tally.add(cause, messages);
            self.context.tally.add(cause, messages);
        }
    }

    /// Messages that were not sent in the socket's linger time.
    pub(crate) fn count_lingered(&self, messages: u64) {
        self.count_drops(Cause::Linger, messages);
    }

    /// Messages that went with the connection that they were sent over.
    pub(crate) fn count_lost(&self, messages: u64) {
        self.count_drops(Cause::ConnectionLost, messages);
    }

    /// Messages that arrived, and that nobody will receive.
    pub(crate) fn count_unread(&self, messages: u64) {
        self.count_drops(Cause::Unread, messages);
    }

    /// The messages that were dropped since the socket was made, by cause.
    pub(crate) fn drops(&self) -> Result<Vec<(Cause, u64)>, Error> {
        let mut state = self.enter()?;
        self.look_if_pending(&mut state);
        self.collect_drops(&mut state);
        self.leave(state);
        Ok(self.tally.counts())
    }

    /// The same for the context, when it asks each of its sockets.
    pub(crate) fn report_drops(&self) {
        if let Ok(mut state) = self.enter() {
            self.collect_drops(&mut state);
            self.leave(state);
        }
    }

    /// Brings the counts of the pattern and of the pipes up to date.
    pub(crate) fn collect_drops(&self, state: &mut State) {
        for (cause, count) in state.pattern.take_drops() {
            self.count_drops(cause, count);
        }
        let ids: Vec<_> = state.pipes.ids().collect();
        for id in ids {
            let replaced = state.pipes.get_mut(id).map_or(0, PipeEnd::take_replaced);
            self.count_drops(Cause::Conflated, replaced);
        }
    }

    /// Counts what goes with a pipe: what was not read at this end, and not at the other.
    pub(crate) fn drop_pipe(&self, mut end: PipeEnd) {
        self.count_drops(Cause::Conflated, end.take_replaced());
        self.count_unread(end.discard_unread());
        self.count_lost(end.take_stranded());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_to_causes() {
        assert_eq!(Asked::of(ALL), Some(Asked::All));
        assert_eq!(Asked::of(ALL + 1), Some(Asked::One(Cause::PubHwm)));
        assert_eq!(Asked::of(ALL + 13), Some(Asked::One(Cause::Unread)));
        for none in [ALL - 1, ALL + 14, 0, -1, i32::MIN, i32::MAX] {
            assert_eq!(Asked::of(none), None, "{none}");
        }
    }

    #[test]
    fn counts_add_up() {
        let tally = Tally::default();
        tally.add(Cause::NoPeer, 2);
        tally.add(Cause::Linger, 0);
        tally.add(Cause::Unread, 3);
        tally.add(Cause::NoPeer, 5);
        let counts = tally.counts();
        assert_eq!(counts, [(Cause::NoPeer, 7), (Cause::Unread, 3)]);
        assert_eq!(Asked::All.count(&counts), 10);
        assert_eq!(Asked::One(Cause::NoPeer).count(&counts), 7);
        assert_eq!(Asked::One(Cause::Linger).count(&counts), 0);
    }
}
