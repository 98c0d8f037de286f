//! Threads of our own: named, and with every signal blocked, so that a handler of the
//! application never runs on them (zmq_poll(3) and others rely on it); scheduled as asked. And what becomes of them
//! in a forked process, which has none of them.

use std::io;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::fault::{self, Call};
use crate::sync::{AtomicU64, OnceLock, Ordering};

/// Starts a thread on which no signal is ever delivered.
pub(crate) fn spawn(
    name: String,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    fault::check(Call::Spawn)?;
    #[cfg(test)]
    let body = fault::inherited(body);
    let previous = set_mask(None);
    let started = Builder::new().name(name).spawn(body);
    if let Some(previous) = previous {
        set_mask(Some(&previous));
    }
    started
}

/// A turn of another thread that takes longer than this, in nanoseconds, is not one of ours.
const LONG_TURN: u64 = 200_000;

/// After a long turn no other thread is given one for so many times as long.
const KEEP_AWAY: u64 = 64;

/// Lets another thread run that we are likely to wait for, on this processor. Where other programs
/// want the processor, too, they would take it for milliseconds: once that has happened, this does
/// nothing for a while but pass a moment.
pub(crate) fn give_way() {
    static START: OnceLock<Instant> = OnceLock::new();
    static NOT_BEFORE: AtomicU64 = AtomicU64::new(0);
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let start = *START.get_or_init(Instant::now);
    let before = nanos(start.elapsed());
    if before < NOT_BEFORE.load(Ordering::Relaxed) {
        (0..32).for_each(|_| std::hint::spin_loop());
        return;
    }
    std::thread::yield_now();
    let after = nanos(start.elapsed());
    let turn = after - before;
    if turn > LONG_TURN {
        NOT_BEFORE.store(after.saturating_add(turn.saturating_mul(KEEP_AWAY)), Ordering::Relaxed);
    }
}

/// How long to let messages of a stream gather.
const GATHERING: Duration = Duration::from_micros(2);

/// Lets more of a stream come before it is looked at. Whoever is faster than who writes it would be
/// woken for each message, and both would wait for each other's memory all the time.
pub(crate) fn gather() {
    let start = Instant::now();
    while start.elapsed() < GATHERING {
        (0..8).for_each(|_| std::hint::spin_loop());
    }
}

/// The nice value of the highest priority.
const NICEST: i32 = -20;

/// Schedules the calling thread: by a policy of sched_setscheduler(2), a priority in it, and on
/// some processors only. What is not given stays as it is. Under the policies that have no
/// priorities, a positive one means the highest nice value (zmq_ctx_set(3)).
pub(crate) fn schedule(
    policy: Option<i32>,
    priority: Option<i32>,
    processors: impl Iterator<Item = u32>,
) -> io::Result<()> {
    if policy.is_some() || priority.is_some() {
        fault::check(Call::Schedule)?;
        // SAFETY: asks for the policy of the calling thread.
        let policy = policy.unwrap_or_else(|| unsafe { libc::sched_getscheduler(0) });
        let has_priorities = matches!(policy, libc::SCHED_FIFO | libc::SCHED_RR);
        let wanted = libc::sched_param {
            sched_priority: if has_priorities { priority.unwrap_or(0) } else { 0 },
        };
        // SAFETY: concerns the calling thread only, and reads a value on the stack.
        check(unsafe { libc::sched_setscheduler(0, policy, &raw const wanted) })?;
        if !has_priorities && priority.is_some_and(|priority| priority > 0) {
            fault::check(Call::Nice)?;
            // SAFETY: on Linux this is the calling thread alone.
            check(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICEST) })?;
        }
    }
    run_on(processors)
}

/// Keeps the calling thread on these processors; none means that it stays free.
fn run_on(processors: impl Iterator<Item = u32>) -> io::Result<()> {
    // SAFETY: a set of bits, which is empty as zeros.
    let mut set = unsafe { std::mem::zeroed::<libc::cpu_set_t>() };
    let mut any = false;
    for processor in processors {
        if processor >= libc::CPU_SETSIZE.unsigned_abs() {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        // SAFETY: sets one bit that the set has.
        unsafe { libc::CPU_SET(processor as usize, &mut set) };
        any = true;
    }
    if !any {
        return Ok(());
    }
    fault::check(Call::Affinity)?;
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: concerns the calling thread only, and reads a value on the stack.
    check(unsafe { libc::sched_setaffinity(0, size, &raw const set) })
}

fn check(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

static FORKS: AtomicU64 = AtomicU64::new(0);

extern "C" fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// How often this process was forked off another one that had asked. A look that costs nothing,
/// unlike asking the kernel for the number of the process.
#[inline]
pub(crate) fn forks() -> u64 {
    static WATCHED: OnceLock<()> = OnceLock::new();
    WATCHED.get_or_init(|| {
        // SAFETY: the handler only changes an atomic, which is allowed in a forked process.
        unsafe { libc::pthread_atfork(None, None, Some(forked)) };
    });
    FORKS.load(Ordering::Relaxed)
}

/// Blocks all signals (`None`) or sets the given mask, and returns the one before. A new thread
/// starts with its maker's mask, so there is no moment without it.
fn set_mask(mask: Option<&libc::sigset_t>) -> Option<libc::sigset_t> {
    // SAFETY: the sets live on the stack and are initialised by sigfillset or sigemptyset before
    // they are read; pthread_sigmask only changes the calling thread.
    unsafe {
        let mut wanted = std::mem::zeroed::<libc::sigset_t>();
        let mut previous = std::mem::zeroed::<libc::sigset_t>();
        match mask {
            Some(mask) => wanted = *mask,
            None => {
                libc::sigfillset(&raw mut wanted);
            }
        }
        let failed = libc::pthread_sigmask(libc::SIG_SETMASK, &raw const wanted, &raw mut previous);
        (failed == 0).then_some(previous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `schedule` says on a thread of its own.
    fn outcome(policy: Option<i32>, priority: Option<i32>, processors: &'static [u32]) -> i32 {
        let body = move || schedule(policy, priority, processors.iter().copied());
        let outcome = std::thread::spawn(body).join().expect("no panic");
        outcome.map_or_else(|error| error.raw_os_error().unwrap_or(-1), |()| 0)
    }

    #[test]
    fn a_thread_that_asks_for_nothing_is_left_alone() {
        assert_eq!(outcome(None, None, &[]), 0);
        assert_eq!(outcome(Some(libc::SCHED_BATCH), None, &[]), 0);
    }

    #[test]
    fn what_the_system_does_not_have_is_refused() {
        assert_eq!(outcome(Some(99), None, &[]), libc::EINVAL);
        assert_eq!(outcome(Some(libc::SCHED_FIFO), Some(1000), &[]), libc::EINVAL);
        assert_eq!(outcome(None, None, &[u32::MAX]), libc::EINVAL);
    }

    /// The context stays usable: what it is told later may do.
    #[test]
    fn a_context_whose_threads_cannot_be_scheduled_makes_no_sockets() {
        let context = crate::raw::Context::new().expect("a context");
        context.set(crate::options::numbers::THREAD_SCHED_POLICY, 99).expect("set");
        let refused = context.socket(7).map(drop).map_err(|error| error.errno());
        assert_eq!(refused, Err(libc::EINVAL));
        context.set(crate::options::numbers::THREAD_SCHED_POLICY, 0).expect("set");
        let socket = context.socket(7).expect("a socket");
        socket.close().expect("close");
        context.term().expect("term");
    }
}
