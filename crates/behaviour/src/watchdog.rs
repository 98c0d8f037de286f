//! Turns a hang into a failure that names the test: a blocked C call cannot be interrupted.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

/// How long one context may live. Far above any case: it only has to end a hang.
const LIMIT: Duration = Duration::from_secs(90);

static ALIVE: Mutex<Option<HashMap<u64, (String, Instant)>>> = Mutex::new(None);
static NEXT: AtomicU64 = AtomicU64::new(0);

/// While it lives, the process ends with a message once the limit has passed.
pub(crate) struct Watch(u64);

impl Watch {
    pub(crate) fn start() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            std::thread::spawn(watch);
        });
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = std::thread::current().name().unwrap_or("a helper thread").to_owned();
        let mut alive = ALIVE.lock().unwrap_or_else(|poison| poison.into_inner());
        alive.get_or_insert_default().insert(id, (name, Instant::now()));
        Self(id)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut alive = ALIVE.lock().unwrap_or_else(|poison| poison.into_inner());
        alive.get_or_insert_default().remove(&self.0);
    }
}

#[expect(clippy::print_stderr, reason = "the last words of a process that hangs")]
#[expect(clippy::disallowed_methods, reason = "a thread that hangs in C cannot be unwound")]
fn watch() {
    loop {
        crate::elapse(Duration::from_secs(1));
        let mut alive = ALIVE.lock().unwrap_or_else(|poison| poison.into_inner());
        let late: Vec<_> = alive
            .get_or_insert_default()
            .values()
            .filter(|(_, since)| since.elapsed() > LIMIT)
            .map(|(name, _)| name.clone())
            .collect();
        if !late.is_empty() {
            eprintln!("hung for more than {LIMIT:?}: {late:?}");
            std::process::exit(101);
        }
    }
}
