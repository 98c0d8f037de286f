//! Timers that an application runs from its own loop: zmq_timers(3). They need no engine.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{c_int, c_long};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::abi::export;
use crate::errno::Errno;
use crate::handle::{Handle, create, enter};
use crate::raw::{Opaque, Slot, TimerFn, call_timer};

/// When a timer is due; the number tells those of one moment apart and keeps their order.
type Due = (Instant, u64);

struct Timer {
    due: Due,
    interval: Duration,
    handler: TimerFn,
    arg: Opaque,
}

#[derive(Default)]
struct State {
    by_id: HashMap<c_int, Timer>,
    by_due: BTreeMap<Due, c_int>,
    last_id: c_int,
    last_number: u64,
}

/// A set of timers. Handlers may change it while it is being executed.
#[derive(Default)]
pub(crate) struct Timers(Mutex<State>);

/// Stands in for points in time that are too far away to be named.
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

impl State {
    fn due(&mut self, now: Instant, interval: Duration) -> Due {
        self.last_number += 1;
        (now.checked_add(interval.min(FAR)).unwrap_or(now), self.last_number)
    }

    fn add(&mut self, interval: Duration, handler: TimerFn, arg: Opaque) -> c_int {
        let due = self.due(Instant::now(), interval);
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if !self.by_id.contains_key(&self.last_id) {
                break;
            }
        }
        self.by_id.insert(self.last_id, Timer { due, interval, handler, arg });
        self.by_due.insert(due, self.last_id);
        self.last_id
    }

    fn remove(&mut self, id: c_int) -> Result<(), Errno> {
        let timer = self.by_id.remove(&id).ok_or(Errno::INVALID)?;
        self.by_due.remove(&timer.due);
        Ok(())
    }

    /// Starts a timer anew, with another interval if one is given.
    fn restart(
        &mut self,
        id: c_int,
        now: Instant,
        interval: Option<Duration>,
    ) -> Result<(), Errno> {
        let (old, interval) = match self.by_id.get(&id) {
            Some(timer) => (timer.due, interval.unwrap_or(timer.interval)),
            None => return Err(Errno::INVALID),
        };
        let due = self.due(now, interval);
        self.by_due.remove(&old);
        self.by_due.insert(due, id);
        if let Some(timer) = self.by_id.get_mut(&id) {
            timer.due = due;
            timer.interval = interval;
        }
        Ok(())
    }
}

impl Timers {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long until the next timer is due; `None` without timers.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        let state = self.lock();
        let ((due, _), _) = state.by_due.first_key_value()?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    /// Calls the handlers of all timers that are due, once each, and starts these anew.
    fn execute(&self) {
        let now = Instant::now();
        let due: Vec<_> = {
            let state = self.lock();
            state.by_due.range(..=(now, u64::MAX)).map(|(_, id)| *id).collect()
        };
        for id in due {
            let mut state = self.lock();
            // An earlier handler may have cancelled or reset it.
            let Some(timer) = state.by_id.get(&id).filter(|timer| timer.due.0 <= now) else {
                continue;
            };
            let (handler, arg) = (timer.handler, timer.arg);
            let _ = state.restart(id, now, None); // it is there
            drop(state);
            call_timer(handler, id, arg);
        }
    }
}

/// Whole milliseconds, rounded up, so that the timer is due when they are over.
fn millis(time: Duration) -> c_long {
    let millis = time.as_nanos().div_ceil(1_000_000);
    c_long::try_from(millis).unwrap_or(c_long::MAX)
}

fn interval(millis: usize) -> Duration {
    Duration::from_millis(millis as u64)
}

export! {
    /// A new set of timers. NULL on failure.
    fn zmq_timers_new() -> Handle, else Handle::NULL; {
        create(Timers::default())
    }

    /// Ends a set of timers and sets the caller's pointer to NULL.
    fn zmq_timers_destroy(timers: Slot<Handle>) -> c_int, else -1; {
        let found = enter::<Timers>(timers.get()?)?;
        found.retire();
        // A handler may be the caller: nothing else is to fire.
        *found.lock() = State::default();
        timers.replace(Handle::NULL);
        Ok(0)
    }

    /// Adds a timer that fires every `millis` milliseconds. Returns its id.
    fn zmq_timers_add(timers: Handle, millis: usize, handler: Option<TimerFn>, arg: Opaque)
        -> c_int, else -1;
    {
        let found = enter::<Timers>(timers)?;
        let handler = handler.ok_or(Errno::FAULT)?;
        let id = found.lock().add(interval(millis), handler, arg);
        Ok(id)
    }

    /// Takes a timer away.
    fn zmq_timers_cancel(timers: Handle, id: c_int) -> c_int, else -1; {
        enter::<Timers>(timers)?.lock().remove(id)?;
        Ok(0)
    }

    /// Gives a timer another interval in milliseconds, beginning now.
    fn zmq_timers_set_interval(timers: Handle, id: c_int, millis: usize) -> c_int, else -1; {
        let found = enter::<Timers>(timers)?;
        found.lock().restart(id, Instant::now(), Some(interval(millis)))?;
        Ok(0)
    }

    /// Starts a timer's interval anew.
    fn zmq_timers_reset(timers: Handle, id: c_int) -> c_int, else -1; {
        enter::<Timers>(timers)?.lock().restart(id, Instant::now(), None)?;
        Ok(0)
    }

    /// Milliseconds until the next timer is due; -1 without timers, or with `EFAULT`.
    fn zmq_timers_timeout(timers: Handle) -> c_long, else -1; {
        Ok(enter::<Timers>(timers)?.timeout().map_or(-1, millis))
    }

    /// Calls the handlers of timers that are due.
    fn zmq_timers_execute(timers: Handle) -> c_int, else -1; {
        enter::<Timers>(timers)?.execute();
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static FIRED: Cell<u32> = const { Cell::new(0) };
        static SELF: Cell<Handle> = const { Cell::new(Handle::NULL) };
    }

    extern "C" fn count(_: c_int, _: Opaque) {
        FIRED.set(FIRED.get() + 1);
    }

    extern "C" fn cancel_next(id: c_int, _: Opaque) {
        FIRED.set(FIRED.get() + 1);
        assert_eq!(zmq_timers_cancel(SELF.get(), id + 1), 0);
    }

    const NOTHING: Opaque = Opaque(std::ptr::null_mut());

    fn pass(time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            std::thread::yield_now();
        }
    }

    #[test]
    fn due_timers_fire_once_and_start_anew() {
        let timers = Timers::default();
        assert_eq!(timers.timeout(), None);
        timers.lock().add(Duration::ZERO, count, NOTHING);
        timers.lock().add(Duration::from_secs(1000), count, NOTHING);
        assert_eq!(timers.timeout(), Some(Duration::ZERO));
        timers.execute();
        assert_eq!(FIRED.get(), 1);
        timers.execute();
        assert_eq!(FIRED.get(), 2);
    }

    #[test]
    fn a_handler_may_cancel_a_timer_that_is_due() {
        let handle = zmq_timers_new();
        SELF.set(handle);
        let first = zmq_timers_add(handle, 1, Some(cancel_next), NOTHING);
        assert_eq!(zmq_timers_add(handle, 1, Some(count), NOTHING), first + 1);
        pass(Duration::from_millis(2));
        assert_eq!(zmq_timers_timeout(handle), 0);
        assert_eq!(zmq_timers_execute(handle), 0);
        assert_eq!(FIRED.get(), 1);
        assert_eq!(zmq_timers_cancel(handle, first + 1), -1);
        assert_eq!(zmq_timers_set_interval(handle, first, 100_000), 0);
        assert!(zmq_timers_timeout(handle) > 90_000);
        assert_eq!(zmq_timers_reset(handle, 77), -1);
        assert_eq!(zmq_timers_add(handle, 1, None, NOTHING), -1);
        assert!(zmq_timers_add(handle, usize::MAX, Some(count), NOTHING) > 0);
    }
}
