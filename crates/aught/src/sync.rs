//! The one place that names atomics, locks and `Arc`, so that a model checker can stand in for
//! them. No logic lives here.

pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence, fence,
};
pub(crate) use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// Locks a mutex whose holder may have panicked: the state behind our locks is only ever changed
/// by code that either finishes or leaves it valid, so a poisoned lock is still usable.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Orders the release of a lock before a following load, so that of two threads, one that fails
/// to lock after it said something and one that looks for it after unlocking, one notices.
/// Releasing a lock is a read-modify-write, which on x86-64 is such a fence by itself.
#[inline]
pub(crate) fn after_unlock() {
    if cfg!(target_arch = "x86_64") {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}
