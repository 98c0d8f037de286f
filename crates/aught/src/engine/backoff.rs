//! How long to wait before a connection is tried again (`ZMQ_RECONNECT_IVL`,
//! `ZMQ_RECONNECT_IVL_MAX`).

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// The waiting times of one endpoint.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    max: Duration,
    current: Duration,
}

impl Backoff {
    /// `max` zero or below `first` means that the waiting time does not grow.
    pub(super) fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, current: first }
    }

    /// The next waiting time. With a growing one it doubles at each attempt up to the maximum.
    /// A random part of the first is added, so that clients that lost the same server do not
    /// come back all at once.
    pub(super) fn next(&mut self) -> Duration {
        let wait = self.current;
        if self.max > self.first {
            self.current = self.current.saturating_mul(2).min(self.max);
        }
        let range = u64::try_from(self.first.as_millis()).unwrap_or(u64::MAX).max(1);
        wait.saturating_add(Duration::from_millis(random() % range))
    }

    /// The connection was made: start over next time.
    pub(super) fn reset(&mut self) {
        self.current = self.first;
    }
}

/// A number that differs from process to process and from call to call. Not a secret.
fn random() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u64(super::next_id());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_maximum_makes_the_wait_double_up_to_it() {
        let mut backoff = Backoff::new(MS * 100, MS * 500);
        for expected in [100, 200, 400, 500, 500] {
            let wait = backoff.next();
            assert!(wait >= MS * expected && wait < MS * (expected + 100), "{wait:?}");
        }
        backoff.reset();
        assert!(backoff.next() < MS * 200);
    }

    #[test]
    fn without_a_maximum_the_wait_is_jittered_up_to_twice_the_first() {
        let mut backoff = Backoff::new(MS * 100, Duration::ZERO);
        for _ in 0..100 {
            let wait = backoff.next();
            assert!(wait >= MS * 100 && wait < MS * 200, "{wait:?}");
        }
    }
}
