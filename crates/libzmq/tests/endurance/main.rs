//! What C programs do that the manual forbids, again and again: sockets shared by threads,
//! sockets closed under a call that waits, contexts that end under everything, processes that
//! fork with all of it open. Each has to end with an error number, in time.
//!
//! A plain `cargo test` runs short versions; `AUGHT_ENDURANCE=whole` in the environment runs the
//! long ones (`./test endurance`). The entry points are called as a C program calls them.

mod c;
mod fork;
mod threads;

/// How often to do something: `short` in a plain run, `whole` when asked for.
fn times(short: usize, whole: usize) -> usize {
    if std::env::var_os("AUGHT_ENDURANCE").is_some() { whole } else { short }
}
