//! The count of what a pattern dropped on purpose, by cause.

use super::Drop;

/// Messages dropped since the last look.
#[derive(Debug, Default)]
pub(super) struct Drops {
    // Few causes occur in one pattern: a list beats a table.
    counts: Vec<(Drop, u64)>,
}

impl Drops {
    /// Counts `n` messages.
    pub(super) fn add(&mut self, cause: Drop, n: u64) {
        if n == 0 {
            return;
        }
        match self.counts.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, count)) => *count += n,
            None => self.counts.push((cause, n)),
        }
    }

    /// Takes the counts and begins anew.
    pub(super) fn take(&mut self) -> Vec<(Drop, u64)> {
        std::mem::take(&mut self.counts)
    }
}
