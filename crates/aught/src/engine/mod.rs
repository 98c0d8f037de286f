//! The engine: I/O threads and what they serve. `thread` is the loop, `session` one connection
//! or one endpoint that a socket connects to, `wire` its bytes, `outbox` what waits to be
//! written, `listener` one bound endpoint, `door` how many it lets in, `timers` their deadlines. What the bytes mean is in
//! the `zmtp` crate, what messages do in `pattern`.

mod backoff;
mod door;
mod listener;
mod outbox;
mod session;
#[cfg(test)]
mod tests;
mod thread;
mod timers;
mod wire;

pub(crate) use listener::Listener;
pub(crate) use session::{Session, SessionSetup, pipe_options};
pub(crate) use thread::{Command, Done, IoHandle, IoThread};

use crate::sync::{AtomicU64, Ordering};

/// A new name for a session or a listener; no two in a process have the same.
pub(crate) fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
