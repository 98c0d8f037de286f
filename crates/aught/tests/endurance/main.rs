//! Endurance: the same thing done thousands of times, in any order, with few descriptors. Each
//! test runs in a process of its own, so that its memory, its time and its descriptors are its
//! own. What failing system calls do is tested inside the crate, next to the engine.
//!
//! A plain `cargo test` binds and connects as often as is asked for, and runs short versions of
//! the rest: a minute and a half together. With `AUGHT_ENDURANCE=whole` in the environment all of
//! it is whole (`./test endurance`). A random test prints its seed when it fails;
//! `AUGHT_SEED=<number>` runs that one again.

mod alone;
mod churn;
mod crowd;
mod few_descriptors;
mod interleaving;

use std::time::Duration;

/// How long to wait for what has to happen. Only a failure takes that long.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often to do something: `short` in a plain run, `whole` when asked for.
fn times(short: usize, whole: usize) -> usize {
    if std::env::var_os("AUGHT_ENDURANCE").is_some() { whole } else { short }
}
