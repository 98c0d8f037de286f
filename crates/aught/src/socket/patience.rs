//! How long a call that has to wait stays awake before it sleeps: not at all where that has not
//! paid, longer where it has. Sleeping and being woken costs several microseconds, which is most
//! of a round trip.

use std::time::{Duration, Instant};

use crate::sync::{AtomicU32, OnceLock, Ordering};
use crate::sys::thread::give_way;

/// The longest time to stay awake, in nanoseconds.
const MOST: u32 = 40_000;

/// The shortest time that is worth it, in nanoseconds; less is none.
const LEAST: u32 = 2_000;

/// After so many waits without staying awake, it is tried again.
const RETRY: u32 = 64;

/// What one socket has learned.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// The time to stay awake, in nanoseconds.
    time: AtomicU32,
    /// Waits since staying awake was given up.
    passed: AtomicU32,
}

impl Patience {
    /// Whether to stay awake this time.
    pub(super) fn worth_trying(&self) -> bool {
        if !several_processors() {
            return false;
        }
        if self.time.load(Ordering::Relaxed) > 0 {
            return true;
        }
        if self.passed.fetch_add(1, Ordering::Relaxed).is_multiple_of(RETRY) {
            self.time.store(LEAST * 2, Ordering::Relaxed);
            return true;
        }
        false
    }

    /// Stays awake until `happened` says so or the time is over; learns from how it went.
    pub(super) fn watch(&self, deadline: Option<Instant>, happened: impl Fn() -> bool) -> bool {
        let time = self.time.load(Ordering::Relaxed);
        let start = Instant::now();
        let budget = Duration::from_nanos(u64::from(time));
        let end = deadline.map_or(start + budget, |deadline| deadline.min(start + budget));
        loop {
            for _ in 0..16 {
                if happened() {
                    self.time.store((time * 2).min(MOST), Ordering::Relaxed);
                    return true;
                }
                std::hint::spin_loop();
            }
            if Instant::now() >= end {
                let less = if time / 2 < LEAST { 0 } else { time / 2 };
                self.time.store(less, Ordering::Relaxed);
                return false;
            }
            // What we wait for may need this processor.
            give_way();
        }
    }
}

/// On a single processor nothing happens while we watch.
fn several_processors() -> bool {
    static SEVERAL: OnceLock<bool> = OnceLock::new();
    *SEVERAL.get_or_init(|| std::thread::available_parallelism().is_ok_and(|count| count.get() > 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staying_awake_grows_where_it_pays_and_ends_where_it_does_not() {
        let patience = Patience::default();
        patience.time.store(LEAST, Ordering::Relaxed);
        for _ in 0..10 {
            assert!(patience.watch(None, || true));
        }
        assert_eq!(patience.time.load(Ordering::Relaxed), MOST);
        for _ in 0..10 {
            assert!(!patience.watch(None, || false));
        }
        assert_eq!(patience.time.load(Ordering::Relaxed), 0);
    }
}
