//! Deadlines of an I/O thread's sessions and listeners, one each.

use std::collections::BTreeSet;
use std::time::Instant;

/// Deadlines by time. Whoever has one remembers it, so that it can be moved.
#[derive(Debug, Default)]
pub(super) struct Timers {
    deadlines: BTreeSet<(Instant, u64)>,
}

impl Timers {
    /// Moves a deadline from `old` to `new`.
    pub(super) fn set(&mut self, id: u64, old: &mut Option<Instant>, new: Option<Instant>) {
        if *old == new {
            return;
        }
        if let Some(at) = old.take() {
            self.deadlines.remove(&(at, id));
        }
        if let Some(at) = new {
            self.deadlines.insert((at, id));
            *old = Some(at);
        }
    }

    /// The next deadline.
    pub(super) fn next(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Takes one deadline that has passed.
    pub(super) fn take_expired(&mut self, now: Instant) -> Option<u64> {
        let first = *self.deadlines.first()?;
        if first.0 > now {
            return None;
        }
        self.deadlines.remove(&first);
        Some(first.1)
    }
}
