//! Handles: what C programs hold for contexts, sockets, pollers and timers, safe against misuse.
//!
//! A handle is the address of a slot plus, in its low bits, the slot's generation. Slots live in
//! chunks that are never given back, so that any pointer can be checked: is it an address of a
//! slot, and does the slot hold what is asked for, in this generation and this process? A handle
//! that was closed, belongs to something else, or never was one, is an error and nothing worse.
//!
//! ```text
//!             create                  retire                last user leaves
//!   free ───────────────► in use ─────────────► dying ─────────────────────► free, next
//!                          enter, leave          leave only                   generation
//! ```
//!
//! In a process that was forked off, handles of the parent fail at once with `ETERM`: nothing
//! that they lead to is touched, since locks may be held by threads that do not exist there.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use aught::raw::barrier;

use crate::errno::Errno;
use crate::poller::Poller;
use crate::timers::Timers;

/// What a C program holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Handle(*mut c_void);

// SAFETY: a handle is only a number until it is checked, and checking works on any thread.
unsafe impl Send for Handle {}
// SAFETY: see above.
unsafe impl Sync for Handle {}

impl Handle {
    pub(crate) const NULL: Self = Self(ptr::null_mut());

    pub(crate) const fn is_null(self) -> bool {
        self.0.is_null()
    }
}

/// What a slot holds.
pub(crate) enum Object {
    Context(aught::raw::Context),
    Socket(aught::raw::Socket),
    Poller(Poller),
    Timers(Timers),
}

/// A type that handles lead to.
pub(crate) trait Kind: Sized {
    /// Tells kinds apart in a slot's state. Not 0, not [`DYING`].
    const TAG: u64;
    /// How calls fail whose handle does not lead to this kind.
    const WRONG: Errno;

    fn of(object: &Object) -> Option<&Self>;
    fn into_object(self) -> Object;
}

macro_rules! kinds {
    ($($type:ty, $variant:ident, $tag:literal, $wrong:ident;)*) => {$(
        impl Kind for $type {
            const TAG: u64 = $tag;
            const WRONG: Errno = Errno::$wrong;

            fn of(object: &Object) -> Option<&Self> {
                if let Object::$variant(value) = object { Some(value) } else { None }
            }

            fn into_object(self) -> Object {
                Object::$variant(self)
            }
        }
    )*};
}

kinds! {
    aught::raw::Context, Context, 1, FAULT;
    aught::raw::Socket, Socket, 2, NOT_A_SOCKET;
    Poller, Poller, 3, FAULT;
    Timers, Timers, 4, FAULT;
}

const FREE: u64 = 0;
const DYING: u64 = 0xff;

// A slot's state is one word: who holds it, and whether it may be held.
//   0..32  threads that are in a call with the slot
//   32..40 the kind
//   40..48 the generation
//   48..64 how often the process had been forked when the slot was taken
const KIND_SHIFT: u32 = 32;
const GENERATION_SHIFT: u32 = 40;
const FORK_SHIFT: u32 = 48;
const USERS: u64 = (1 << KIND_SHIFT) - 1;
const KIND: u64 = 0xff << KIND_SHIFT;
const GENERATION: u64 = 0xff << GENERATION_SHIFT;
const FORK: u64 = 0xffff << FORK_SHIFT;

/// Slots are aligned to this; the bits below are the handle's generation. 256 bytes keep
/// neighbours off each other's cache lines, too.
const ALIGN: usize = 256;
const _: () = assert!(align_of::<Entry>() == ALIGN && size_of::<Entry>() == ALIGN);

/// A thread that counts itself in and out by plain loads and stores. Given once and for ever: a
/// thread that is about to use it could not be told. When the slot is used again, it still is for
/// the same thread, or for one that got its place.
struct Regular {
    /// See [`barrier::thread`]; 0 while there is none.
    thread: AtomicUsize,
    /// The calls it is in with the slot. Written by that thread alone.
    calls: AtomicUsize,
}

/// How many threads may be regulars of one slot: the one that made the object, and one that it
/// was handed to.
const REGULARS: usize = 2;

/// A thread becomes a regular when it came so often in a row.
const STREAK: u32 = 16;

#[repr(C, align(256))]
struct Entry {
    state: AtomicU64,
    regulars: [Regular; REGULARS],
    /// The last thread that came and was no regular, and how often in a row. Only a hint.
    last: AtomicUsize,
    streak: AtomicU32,
    index: u32,
    /// The next in the list of free slots, plus one; 0 ends it.
    next: AtomicU32,
    object: UnsafeCell<Option<Object>>,
}

// SAFETY: `object` is only written by whoever took the slot out of the list of free ones, or saw
// the last user of a dying one leave; both are one thread. It is only read by users that are
// counted in `state`. What is in it may be used by several threads.
unsafe impl Sync for Entry {}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<aught::raw::Context>();
    shared::<aught::raw::Socket>();
    shared::<Poller>();
    shared::<Timers>();
};

/// The first chunk's slots; each chunk has twice as many as the one before.
const FIRST: usize = 64;
const CHUNKS: usize = 20;

static TABLE: [AtomicPtr<Entry>; CHUNKS] = [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS];
/// How many slots were ever taken.
static TAKEN: AtomicU32 = AtomicU32::new(0);
/// The list of free slots: the first one plus one in the low half, and a count of changes in the
/// high one, so that a slot that comes back looks different.
static FREE_LIST: AtomicU64 = AtomicU64::new(0);
/// How often this process was forked off another one with handles.
static FORKS: AtomicU64 = AtomicU64::new(0);
static WATCH_FORKS: Once = Once::new();

extern "C" fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

fn forks() -> u64 {
    FORKS.load(Ordering::Relaxed) << FORK_SHIFT & FORK
}

fn chunk_len(chunk: usize) -> usize {
    FIRST << chunk
}

/// The slot at an index that was taken before.
fn entry(index: u32) -> Option<&'static Entry> {
    let position = index as usize + FIRST;
    let chunk = (position / FIRST).ilog2() as usize;
    let base = TABLE.get(chunk)?.load(Ordering::Acquire);
    // SAFETY: chunks have `chunk_len` slots, are initialised before they are in the table, and
    // are never freed.
    (!base.is_null()).then(|| unsafe { &*base.add(position - chunk_len(chunk)) })
}

/// The slot that a handle names, whatever is in it.
#[inline]
fn locate(handle: Handle) -> Option<(&'static Entry, u64)> {
    let address = handle.0.addr();
    for (chunk, base) in TABLE.iter().enumerate() {
        let base = base.load(Ordering::Acquire);
        if base.is_null() {
            return None;
        }
        let offset = address.wrapping_sub(base.addr());
        if offset < chunk_len(chunk) * ALIGN {
            // SAFETY: within a chunk; see `entry`.
            let entry = unsafe { &*base.add(offset / ALIGN) };
            return Some((entry, (offset % ALIGN) as u64));
        }
    }
    None
}

/// Makes a chunk if nobody else does.
fn ensure_chunk(chunk: usize) -> Result<(), Errno> {
    let place = TABLE.get(chunk).ok_or(Errno(libc::EMFILE))?;
    if !place.load(Ordering::Acquire).is_null() {
        return Ok(());
    }
    let first = chunk_len(chunk) - FIRST;
    let entries: Box<[Entry]> = (first..first + chunk_len(chunk))
        .map(|index| Entry {
            state: AtomicU64::new(FREE),
            regulars: [const { Regular { thread: AtomicUsize::new(0), calls: AtomicUsize::new(0) } };
                REGULARS],
            last: AtomicUsize::new(0),
            streak: AtomicU32::new(0),
            index: index as u32,
            next: AtomicU32::new(0),
            object: UnsafeCell::new(None),
        })
        .collect();
    let entries = Box::into_raw(entries);
    let new = entries.cast::<Entry>();
    if place.compare_exchange(ptr::null_mut(), new, Ordering::AcqRel, Ordering::Acquire).is_err() {
        // SAFETY: made just above, and nobody else has seen it.
        drop(unsafe { Box::from_raw(entries) });
    }
    Ok(())
}

fn pop_free() -> Option<&'static Entry> {
    let mut head = FREE_LIST.load(Ordering::Acquire);
    loop {
        let first = (head as u32).checked_sub(1)?;
        let entry = entry(first)?;
        let next = u64::from(entry.next.load(Ordering::Relaxed));
        let new = (head >> 32).wrapping_add(1) << 32 | next;
        match FREE_LIST.compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some(entry),
            Err(now) => head = now,
        }
    }
}

fn push_free(entry: &Entry) {
    let mut head = FREE_LIST.load(Ordering::Acquire);
    loop {
        entry.next.store(head as u32, Ordering::Relaxed);
        let new = (head >> 32).wrapping_add(1) << 32 | u64::from(entry.index + 1);
        match FREE_LIST.compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return,
            Err(now) => head = now,
        }
    }
}

fn take_entry() -> Result<&'static Entry, Errno> {
    if let Some(entry) = pop_free() {
        return Ok(entry);
    }
    let index = TAKEN.load(Ordering::Relaxed);
    let mut index = index;
    loop {
        let chunk = ((index as usize + FIRST) / FIRST).ilog2() as usize;
        ensure_chunk(chunk)?;
        match TAKEN.compare_exchange(index, index + 1, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return entry(index).ok_or(Errno::NO_MEMORY),
            Err(now) => index = now,
        }
    }
}

/// Makes a handle for something.
pub(crate) fn create<T: Kind>(value: T) -> Result<Handle, Errno> {
    WATCH_FORKS.call_once(|| {
        // SAFETY: the handler only changes an atomic, which is allowed in a forked process.
        unsafe { libc::pthread_atfork(None, None, Some(forked)) };
    });
    let entry = take_entry()?;
    // SAFETY: the slot was taken off the free list, so it is this thread's alone: others may
    // count themselves in for a moment, but see that it is free and leave without a look.
    unsafe { *entry.object.get() = Some(value.into_object()) };
    let mut state = entry.state.load(Ordering::Relaxed);
    loop {
        let new = state & (USERS | GENERATION) | T::TAG << KIND_SHIFT | forks();
        // Release: who sees the kind sees the object.
        match entry.state.compare_exchange_weak(state, new, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => break,
            Err(now) => state = now,
        }
    }
    let [maker, ..] = &entry.regulars;
    welcome(maker, barrier::thread());
    let generation = ((state & GENERATION) >> GENERATION_SHIFT) as usize;
    Ok(Handle(ptr::from_ref(entry).cast_mut().cast::<c_void>().map_addr(|at| at | generation)))
}

/// Makes a thread a regular if there is none yet.
fn welcome(place: &Regular, thread: usize) {
    if place.thread.load(Ordering::Relaxed) == 0 && barrier::available() {
        // Another thread may have been faster.
        let _ = place.thread.compare_exchange(0, thread, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// A handle's object, kept while it is used, on one thread.
pub(crate) struct Ref<T: Kind> {
    entry: &'static Entry,
    /// How the thread counted itself in.
    regular: Option<&'static Regular>,
    kind: PhantomData<(T, *mut ())>,
}

/// Finds what a handle leads to.
#[inline]
pub(crate) fn enter<T: Kind>(handle: Handle) -> Result<Ref<T>, Errno> {
    let (entry, generation) = locate(handle).ok_or(T::WRONG)?;
    let wanted = T::TAG << KIND_SHIFT | generation << GENERATION_SHIFT | forks();
    let me = barrier::thread();
    for regular in &entry.regulars {
        if regular.thread.load(Ordering::Relaxed) == me {
            regular.calls.store(regular.calls.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            // Either we see that the slot is dying, or whoever ends it sees our count: see `bury`.
            barrier::light();
            let found = Ref { entry, regular: Some(regular), kind: PhantomData };
            // Acquire: who sees the kind sees the object.
            let state = entry.state.load(Ordering::Acquire);
            return if state & !USERS == wanted {
                Ok(found)
            } else {
                Err(mismatch::<T>(state, wanted))
            };
        }
    }
    enter_counted(entry, wanted, me)
}

/// As [`enter`], for threads that come seldom.
#[inline(never)]
fn enter_counted<T: Kind>(entry: &'static Entry, wanted: u64, me: usize) -> Result<Ref<T>, Errno> {
    let streak = entry.streak.load(Ordering::Relaxed);
    if entry.last.load(Ordering::Relaxed) != me {
        entry.last.store(me, Ordering::Relaxed);
        entry.streak.store(0, Ordering::Relaxed);
    } else if streak < STREAK {
        entry.streak.store(streak + 1, Ordering::Relaxed);
    } else if streak == STREAK {
        entry.streak.store(streak + 1, Ordering::Relaxed);
        entry.regulars.iter().skip(1).for_each(|place| welcome(place, me));
    }
    // Acquire: who sees the kind sees the object. Counted first and checked then, so that the
    // object stays if it is there.
    let before = entry.state.fetch_add(1, Ordering::Acquire);
    let found = Ref { entry, regular: None, kind: PhantomData };
    if before & !USERS == wanted { Ok(found) } else { Err(mismatch::<T>(before, wanted)) }
}

#[cold]
fn mismatch<T: Kind>(state: u64, wanted: u64) -> Errno {
    let but_for_fork = (state ^ wanted) & !USERS & !FORK == 0;
    if but_for_fork { Errno::TERMINATED } else { T::WRONG }
}

#[inline]
fn leave(entry: &'static Entry, regular: Option<&Regular>) {
    // Release, both: what was done with the object comes before its end.
    let state = match regular {
        Some(regular) => {
            let calls = regular.calls.load(Ordering::Relaxed);
            regular.calls.store(calls.wrapping_sub(1), Ordering::Release);
            barrier::light();
            entry.state.load(Ordering::Relaxed)
        }
        None => entry.state.fetch_sub(1, Ordering::Release) - 1,
    };
    if state & (KIND | USERS) == DYING << KIND_SHIFT {
        bury(entry, state);
    }
}

/// Ends a dying slot that nobody uses, unless somebody else does it or has come again.
#[cold]
fn bury(entry: &'static Entry, state: u64) {
    if barrier::available() {
        // Whoever counted itself in by a plain store can be seen from here on, or sees that the
        // slot is dying and leaves, which leads here again.
        barrier::heavy();
    }
    // Acquire: what others did with the object comes before.
    if entry.regulars.iter().any(|regular| regular.calls.load(Ordering::Acquire) != 0) {
        return;
    }
    let generation = (state & GENERATION).wrapping_add(1 << GENERATION_SHIFT) & GENERATION;
    // Acquire: what others did with the object comes before.
    if entry
        .state
        .compare_exchange(
            state,
            FREE << KIND_SHIFT | generation,
            Ordering::Acquire,
            Ordering::Relaxed,
        )
        .is_err()
    {
        return;
    }
    // SAFETY: the slot was dying, so no new user comes in; the last one left, and only one
    // thread wins the exchange. It is not on the free list yet.
    let object = unsafe { (*entry.object.get()).take() };
    push_free(entry);
    drop(object);
}

impl<T: Kind> Ref<T> {
    /// Makes the handle invalid. The object ends when its last user leaves. False if that has
    /// been done.
    pub(crate) fn retire(&self) -> bool {
        let mut state = self.entry.state.load(Ordering::Relaxed);
        while state & KIND == T::TAG << KIND_SHIFT {
            let new = state & !KIND | DYING << KIND_SHIFT;
            match self.entry.state.compare_exchange_weak(
                state,
                new,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }
}

impl<T: Kind> Deref for Ref<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this user is counted since the slot was seen to hold a `T`, so that nobody
        // writes to it.
        let object = unsafe { &*self.entry.object.get() };
        match object.as_ref().and_then(T::of) {
            Some(value) => value,
            None => unreachable!("a slot holds what its state says"),
        }
    }
}

impl<T: Kind> Drop for Ref<T> {
    #[inline]
    fn drop(&mut self) {
        leave(self.entry, self.regular);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize};

    use super::*;

    fn timers() -> Handle {
        create(Timers::default()).expect("a handle")
    }

    #[test]
    fn handles_lead_to_what_they_were_made_for_until_they_are_retired() {
        let handle = timers();
        let found = match enter::<Timers>(handle) {
            Ok(found) => found,
            Err(error) => panic!("{error:?}"),
        };
        assert_eq!(enter::<Poller>(handle).err(), Some(Errno::FAULT));
        assert_eq!(enter::<aught::raw::Socket>(handle).err(), Some(Errno::NOT_A_SOCKET));
        assert!(found.retire());
        assert!(!found.retire());
        assert_eq!(found.timeout(), None);
        assert_eq!(enter::<Timers>(handle).err(), Some(Errno::FAULT));
        drop(found);
        assert_eq!(enter::<Timers>(handle).err(), Some(Errno::FAULT));
    }

    #[test]
    fn what_was_never_a_handle_is_an_error() {
        let handle = timers();
        let mut local = 0_u64;
        for address in [
            Handle::NULL,
            Handle(ptr::without_provenance_mut(1)),
            Handle(ptr::without_provenance_mut(usize::MAX)),
            Handle((&raw mut local).cast()),
            Handle(handle.0.map_addr(|at| at ^ 1)),
            Handle(handle.0.map_addr(|at| at ^ 0x80)),
            Handle(handle.0.map_addr(|at| at.wrapping_sub(1))),
        ] {
            assert_eq!(enter::<Timers>(address).err(), Some(Errno::FAULT));
        }
        assert!(enter::<Timers>(handle).is_ok_and(|found| found.retire()));
    }

    #[test]
    fn slots_are_used_again_and_old_handles_stay_dead() {
        let mut old = Vec::new();
        for _ in 0..20_000 {
            let handle = timers();
            assert!(enter::<Timers>(handle).is_ok_and(|found| found.retire()));
            old.push(handle);
            if old.len() == 100 {
                assert!(old.iter().all(|old| enter::<Timers>(*old).is_err()));
                old.clear();
            }
        }
        // Other tests of this process have some, too.
        assert!(TAKEN.load(Ordering::Relaxed) < 10_000);
    }

    #[test]
    fn many_handles_at_once_span_chunks() {
        let handles: Vec<_> = (0..5_000).map(|_| timers()).collect();
        let mut distinct = handles.clone();
        distinct.sort_by_key(|handle| handle.0.addr());
        distinct.dedup();
        assert_eq!(distinct.len(), handles.len());
        for handle in handles {
            assert!(enter::<Timers>(handle).is_ok_and(|found| found.retire()));
        }
    }

    #[test]
    fn an_object_outlives_its_handle_while_it_is_used() {
        const ROUNDS: usize = 100;
        static ENDED: AtomicUsize = AtomicUsize::new(0);
        for _ in 0..ROUNDS {
            let handle = timers();
            let go = AtomicBool::new(false);
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        while !go.load(Ordering::Acquire) {
                            std::thread::yield_now();
                        }
                        while let Ok(found) = enter::<Timers>(handle) {
                            assert_eq!(found.timeout(), None);
                        }
                    });
                }
                scope.spawn(|| {
                    go.store(true, Ordering::Release);
                    if enter::<Timers>(handle).is_ok_and(|found| found.retire()) {
                        ENDED.fetch_add(1, Ordering::Relaxed);
                    }
                });
            });
        }
        assert_eq!(ENDED.load(Ordering::Relaxed), ROUNDS);
    }
}
