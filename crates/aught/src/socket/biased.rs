//! A lock for what nearly always one thread uses: that thread takes it and gives it back by plain
//! loads and stores. Others wait until it is outside, and keep it out with a flag. What is locked
//! is none of its business. Unsafe is fenced into this file.
//!
//! ```text
//!  the thread with the bias                 any other thread
//!  inside = true                            takes its turn (a mutex)
//!  light barrier                            wanted = true
//!  wanted? then out again, and in turn      heavy barrier
//!  ...                                      inside? then it waits, or gives up
//!  inside = false                           ...
//!  light barrier                            wanted = false, gives the turn back
//!  wanted? then wakes who waits
//! ```
//!
//! Of the two, at least one sees the other's flag, as the barriers pair up (`sys/barrier`). The
//! bias is given once, to a thread that took the lock several times in a row, and never changes
//! hands: a thread that was about to use it could not be told. A lock that others take often loses
//! it for good, and is a plain mutex from then on, as it is where there are no such barriers.

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Condvar;

use crate::sync::{AtomicBool, AtomicUsize, Mutex, MutexGuard, Ordering, PoisonError, lock};
use crate::sys::barrier;

/// A thread gets the bias when it took the lock so often in a row.
const STREAK: u32 = 16;

/// The bias ends when other threads had to wait for it so often.
const INTRUSIONS: u32 = 64;

/// No thread has the bias yet.
const NOBODY: usize = 0;

/// No thread will have the bias again.
const NEVER: usize = usize::MAX;

/// Who took the lock in turn.
#[derive(Debug, Default)]
struct Turn {
    last: usize,
    streak: u32,
    intrusions: u32,
}

/// See the module's documentation.
pub(super) struct Biased<T> {
    /// The thread with the bias, `NOBODY` or `NEVER`.
    owner: AtomicUsize,
    /// The owner holds the lock, in turn or not. Written by the owner alone.
    inside: AtomicBool,
    /// Another thread has the turn, and the owner is to stay out. For good when the bias ended.
    wanted: AtomicBool,
    /// The thread that holds the lock in turn; 0 if none does.
    holder: AtomicUsize,
    turn: Mutex<Turn>,
    /// The turn of the holder. A guard that carried it would be four words, moved at every call.
    kept: UnsafeCell<Option<MutexGuard<'static, Turn>>>,
    /// For those who wait for the owner to leave.
    gate: Mutex<()>,
    left: Condvar,
    value: UnsafeCell<T>,
}

// SAFETY: the lock gives the value to one thread at a time, as the module's documentation shows.
unsafe impl<T: Send> Send for Biased<T> {}
// SAFETY: see above.
unsafe impl<T: Send> Sync for Biased<T> {}

/// The lock, held.
pub(crate) struct Held<'a, T> {
    lock: &'a Biased<T>,
    /// What a guard gives out is not sent to other threads, and the guard neither.
    stays: PhantomData<*mut T>,
}

impl<T> Biased<T> {
    pub(super) fn new(value: T) -> Self {
        Self {
            owner: AtomicUsize::new(NOBODY),
            inside: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            holder: AtomicUsize::new(0),
            turn: Mutex::default(),
            kept: UnsafeCell::new(None),
            gate: Mutex::default(),
            left: Condvar::new(),
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock. `None` if this thread holds it already.
    #[inline]
    pub(super) fn lock(&self) -> Option<Held<'_, T>> {
        let me = barrier::thread();
        if self.owner.load(Ordering::Relaxed) == me {
            if self.inside.load(Ordering::Relaxed) {
                return None;
            }
            if self.step_in() {
                return Some(Held { lock: self, stays: PhantomData });
            }
        }
        self.lock_in_turn(me)
    }

    /// The owner's short way. False if it has to queue.
    #[inline]
    fn step_in(&self) -> bool {
        self.inside.store(true, Ordering::Relaxed);
        barrier::light();
        // Acquire: what others did with the value comes before.
        if !self.wanted.load(Ordering::Acquire) {
            return true;
        }
        self.step_out();
        false
    }

    #[inline]
    fn step_out(&self) {
        // Release: what was done with the value comes before.
        self.inside.store(false, Ordering::Release);
        barrier::light();
        if self.wanted.load(Ordering::Relaxed) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        drop(lock(&self.gate));
        self.left.notify_all();
    }

    #[inline(never)]
    fn lock_in_turn(&self, me: usize) -> Option<Held<'_, T>> {
        if self.holder.load(Ordering::Relaxed) == me {
            return None;
        }
        let mut turn = lock(&self.turn);
        match self.owner.load(Ordering::Relaxed) {
            NOBODY => self.consider(me, &mut turn),
            NEVER => {}
            owner if owner == me => self.inside.store(true, Ordering::Relaxed),
            _ => {
                self.keep_out();
                let mut gate = lock(&self.gate);
                while self.inside.load(Ordering::Acquire) {
                    gate = self.left.wait(gate).unwrap_or_else(PoisonError::into_inner);
                }
                turn.intrusions += 1;
                if turn.intrusions > INTRUSIONS {
                    self.owner.store(NEVER, Ordering::Relaxed);
                }
            }
        }
        Some(self.hold(me, turn))
    }

    /// The lock is held in turn.
    fn hold<'a>(&'a self, me: usize, turn: MutexGuard<'a, Turn>) -> Held<'a, T> {
        // SAFETY: the guard is taken out again before this lock goes, since `Held` borrows it.
        let turn =
            unsafe { std::mem::transmute::<MutexGuard<'a, Turn>, MutexGuard<'static, Turn>>(turn) };
        // SAFETY: only who has the turn touches this.
        unsafe { *self.kept.get() = Some(turn) };
        self.holder.store(me, Ordering::Relaxed);
        Held { lock: self, stays: PhantomData }
    }

    #[cold]
    fn release(&self, me: usize) {
        // SAFETY: only who has the turn touches this.
        let turn = unsafe { (*self.kept.get()).take() };
        self.holder.store(0, Ordering::Relaxed);
        match self.owner.load(Ordering::Relaxed) {
            NEVER => {}
            owner if owner == me => self.inside.store(false, Ordering::Release),
            // Release: what was done with the value comes before.
            _ => self.wanted.store(false, Ordering::Release),
        }
        drop(turn);
    }

    /// Gives the bias to a thread that is always the one.
    fn consider(&self, me: usize, turn: &mut Turn) {
        if turn.last != me {
            *turn = Turn { last: me, ..Turn::default() };
        }
        turn.streak += 1;
        if turn.streak == STREAK && barrier::available() {
            self.owner.store(me, Ordering::Relaxed);
            self.inside.store(true, Ordering::Relaxed);
        }
    }

    fn keep_out(&self) {
        self.wanted.store(true, Ordering::SeqCst);
        barrier::heavy();
    }

    /// Takes the lock if nobody holds it. If it fails, whoever holds the lock gives it back after
    /// this thread's earlier writes can be seen, and passes [`after_unlock`] then.
    ///
    /// [`after_unlock`]: crate::sync::after_unlock
    pub(super) fn try_lock(&self) -> Option<Held<'_, T>> {
        let me = barrier::thread();
        loop {
            let turn = match self.turn.try_lock() {
                Ok(turn) => turn,
                Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(std::sync::TryLockError::WouldBlock) => return None,
            };
            let owner = self.owner.load(Ordering::Relaxed);
            if owner == me {
                if self.inside.load(Ordering::Relaxed) {
                    return None;
                }
                self.inside.store(true, Ordering::Relaxed);
            } else if owner != NOBODY && owner != NEVER {
                self.keep_out();
                if self.inside.load(Ordering::Acquire) {
                    self.wanted.store(false, Ordering::Release);
                    drop(turn);
                    // Others may have failed to get the turn because we had it: what they wrote
                    // before is to be seen by the owner, too.
                    barrier::heavy();
                    if self.inside.load(Ordering::Relaxed) {
                        return None;
                    }
                    continue;
                }
            }
            return Some(self.hold(me, turn));
        }
    }
}

impl<T> Drop for Held<'_, T> {
    #[inline]
    fn drop(&mut self) {
        match self.lock.holder.load(Ordering::Relaxed) {
            // Nobody has the turn and the lock, so it is the owner on its short way.
            0 => self.lock.step_out(),
            me => self.lock.release(me),
        }
    }
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the lock is held.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Held<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held, by this guard alone.
        unsafe { &mut *self.lock.value.get() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    const ROUNDS: u64 = if cfg!(miri) { 200 } else { 50_000 };

    fn count(lock: &Biased<u64>, rounds: u64) {
        for _ in 0..rounds {
            let mut held = lock.lock().expect("not held");
            let seen = *held;
            *held = std::hint::black_box(seen + 1);
        }
    }

    #[test]
    fn the_lock_is_not_taken_twice_by_one_thread() {
        let lock = Biased::new(0);
        for _ in 0..3 * STREAK {
            let held = lock.lock().expect("free");
            assert!(lock.lock().is_none());
            assert!(lock.try_lock().is_none());
            drop(held);
            let held = lock.try_lock().expect("free");
            assert!(lock.lock().is_none());
            assert!(lock.try_lock().is_none());
            drop(held);
        }
    }

    #[test]
    fn nothing_is_lost_between_the_owner_and_rare_others() {
        for others in 0..3_u64 {
            let lock = Biased::new(0);
            count(&lock, u64::from(STREAK));
            std::thread::scope(|scope| {
                for _ in 0..others {
                    scope.spawn(|| {
                        for _ in 0..INTRUSIONS / 4 {
                            count(&lock, 1);
                            std::thread::yield_now();
                        }
                    });
                }
                count(&lock, ROUNDS);
            });
            let all = u64::from(STREAK) + ROUNDS + others * u64::from(INTRUSIONS / 4);
            assert_eq!(*lock.lock().expect("free"), all);
        }
    }

    #[test]
    fn a_lock_that_many_take_ends_its_bias() {
        let lock = Biased::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| count(&lock, ROUNDS));
            }
        });
        assert_eq!(*lock.lock().expect("free"), 4 * ROUNDS);
    }

    /// The promise that sockets stand on: of one who says something and fails to lock, and one who
    /// looks after unlocking, one notices.
    #[test]
    fn whoever_fails_to_lock_is_noticed_by_the_holder() {
        let lock = Biased::new(());
        let said = AtomicU64::new(0);
        let served = AtomicU64::new(0);
        let serve = || {
            while served.load(Ordering::SeqCst) < said.load(Ordering::SeqCst) {
                let Some(held) = lock.try_lock() else { return };
                served.store(said.load(Ordering::SeqCst), Ordering::SeqCst);
                drop(held);
                crate::sync::fence(Ordering::SeqCst);
            }
        };
        let call = || {
            drop(lock.lock());
            crate::sync::after_unlock();
            if served.load(Ordering::SeqCst) < said.load(Ordering::SeqCst) {
                serve();
            }
        };
        (0..STREAK).for_each(|_| call());
        for _ in 0..ROUNDS / 100 {
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        said.fetch_add(1, Ordering::SeqCst);
                        crate::sync::fence(Ordering::SeqCst);
                        serve();
                    });
                }
                (0..100).for_each(|_| call());
            });
            assert_eq!(served.load(Ordering::SeqCst), said.load(Ordering::SeqCst));
        }
    }
}
