//! An unbounded queue from one writer to one reader, in linked chunks. Bounds, messages and
//! wake-ups are in the parent module. Unsafe is fenced into this file.
//!
//! The writer appends items and commits them in groups (whole messages); the reader sees only
//! what is committed. Each side keeps its own position; `committed` is the one shared number.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ptr;

use crate::sync::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// Items in the first chunk, so that an idle pipe is small, and in the ones that follow.
const FIRST_CHUNK: usize = 8;
const CHUNK: usize = 128;

struct Chunk<T> {
    next: UnsafeCell<*mut Chunk<T>>,
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
}

impl<T> Chunk<T> {
    fn boxed(len: usize) -> *mut Self {
        let slots = (0..len).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect();
        Box::into_raw(Box::new(Self { next: UnsafeCell::new(ptr::null_mut()), slots }))
    }
}

struct Position<T> {
    chunk: *mut Chunk<T>,
    index: usize,
}

impl<T> Clone for Position<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Position<T> {}

struct WriterSide<T> {
    tail: Position<T>,
    written: usize,
    /// Up to here whole groups were written: what a commit shows and a rollback leaves.
    sealed: Position<T>,
    sealed_count: usize,
}

struct ReaderSide<T> {
    head: Position<T>,
    read: usize,
    /// The last value of `committed` that was seen.
    visible: usize,
}

/// Keeps the two sides off each other's cache lines.
#[repr(align(128))]
struct Padded<T>(T);

/// The queue. Its methods are split by side: see the safety contract of each.
pub(super) struct Queue<T> {
    writer: Padded<UnsafeCell<WriterSide<T>>>,
    reader: Padded<UnsafeCell<ReaderSide<T>>>,
    committed: Padded<AtomicUsize>,
    /// The reader found nothing and wants to be told about the next commit.
    reader_asleep: AtomicBool,
    /// A chunk that the reader is done with, for the writer to use again.
    spare: AtomicPtr<Chunk<T>>,
}

// SAFETY: items move from one thread to another, and each side's state is touched by one thread
// at a time as the methods' contracts demand.
unsafe impl<T: Send> Send for Queue<T> {}
// SAFETY: see above.
unsafe impl<T: Send> Sync for Queue<T> {}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        let start = Position { chunk: Chunk::boxed(FIRST_CHUNK), index: 0 };
        Self {
            writer: Padded(UnsafeCell::new(WriterSide {
                tail: start,
                written: 0,
                sealed: start,
                sealed_count: 0,
            })),
            reader: Padded(UnsafeCell::new(ReaderSide { head: start, read: 0, visible: 0 })),
            committed: Padded(AtomicUsize::new(0)),
            reader_asleep: AtomicBool::new(false),
            spare: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// What a queue takes besides itself once so many items were written to it, none of which was
    /// read, in bytes.
    pub(super) fn footprint(items: usize) -> usize {
        // A chunk that is full has a successor already.
        let more = if items < FIRST_CHUNK { 0 } else { 1 + (items - FIRST_CHUNK) / CHUNK };
        let slots = FIRST_CHUNK + more * CHUNK;
        slots * size_of::<T>() + (1 + more) * size_of::<Chunk<T>>()
    }

    /// Appends an item that the reader does not see yet.
    ///
    /// # Safety
    /// Only the one writer calls this, from one thread at a time.
    #[cfg(test)]
    pub(super) unsafe fn push(&self, item: T) {
        let item = std::mem::ManuallyDrop::new(item);
        // SAFETY: as promised by the caller; the item is not used any more.
        unsafe { self.push_from(&raw const *item) };
    }

    /// Appends an item that the reader does not see yet, from where it is.
    ///
    /// # Safety
    /// Only the one writer calls this, from one thread at a time. The item moves: what `item`
    /// points to is not used any more, not even dropped.
    #[inline]
    pub(super) unsafe fn push_from(&self, item: *const T) {
        // SAFETY: the writer's side is ours by contract; the slot at `tail` is vacant, since the
        // reader never passes `committed`, which is at or before `tail`.
        unsafe {
            let side = &mut *self.writer.0.get();
            let chunk = &*side.tail.chunk;
            (*chunk.slots[side.tail.index].get()).as_mut_ptr().copy_from_nonoverlapping(item, 1);
            side.tail.index += 1;
            side.written = side.written.wrapping_add(1);
            if side.tail.index == chunk.slots.len() {
                let next = self.fresh_chunk();
                *chunk.next.get() = next;
                side.tail = Position { chunk: next, index: 0 };
            }
        }
    }

    fn fresh_chunk(&self) -> *mut Chunk<T> {
        let spare = self.spare.swap(ptr::null_mut(), Ordering::Acquire);
        if spare.is_null() { Chunk::boxed(CHUNK) } else { spare }
    }

    /// Ends a group: everything appended so far is shown by the next commit.
    ///
    /// # Safety
    /// Only the one writer calls this, from one thread at a time.
    pub(super) unsafe fn seal(&self) {
        // SAFETY: the writer's side is ours by contract.
        let side = unsafe { &mut *self.writer.0.get() };
        side.sealed = side.tail;
        side.sealed_count = side.written;
    }

    /// Shows all sealed items to the reader. True if the reader slept and has to be woken.
    ///
    /// # Safety
    /// Only the one writer calls this, from one thread at a time.
    pub(super) unsafe fn commit(&self) -> bool {
        // SAFETY: the writer's side is ours by contract.
        let sealed = unsafe { (*self.writer.0.get()).sealed_count };
        // All four accesses of this pair and the one in `peek` are sequentially consistent: either
        // the reader sees this commit after it said that it sleeps, or we see that it sleeps. A
        // swap is the cheapest such store.
        self.committed.0.swap(sealed, Ordering::SeqCst);
        self.reader_asleep.load(Ordering::SeqCst)
            && self.reader_asleep.swap(false, Ordering::SeqCst)
    }

    /// Takes back and drops what was appended and not sealed; how many items that were.
    ///
    /// # Safety
    /// Only the one writer calls this, from one thread at a time.
    pub(super) unsafe fn rollback(&self) -> usize {
        // SAFETY: the writer's side is ours by contract; items from `sealed` to `tail` are
        // initialised and invisible to the reader, so they and their chunks are ours.
        unsafe {
            let side = &mut *self.writer.0.get();
            let mut count = 0;
            let mut at = side.sealed;
            let first = at.chunk;
            while at.chunk != side.tail.chunk || at.index != side.tail.index {
                let chunk = &*at.chunk;
                (*chunk.slots[at.index].get()).assume_init_drop();
                count += 1;
                at.index += 1;
                if at.index == chunk.slots.len() {
                    let next = *chunk.next.get();
                    if at.chunk != first {
                        drop(Box::from_raw(at.chunk));
                    }
                    at = Position { chunk: next, index: 0 };
                }
            }
            if at.chunk != first {
                drop(Box::from_raw(at.chunk));
                *(*first).next.get() = ptr::null_mut();
            }
            side.tail = side.sealed;
            side.written = side.written.wrapping_sub(count);
            count
        }
    }

    /// The next item in place. If there is none, the reader counts as asleep: the next commit
    /// tells its writer to wake it.
    ///
    /// # Safety
    /// Only the one reader calls this, from one thread at a time; the reference is dropped
    /// before the next call of a reader's method.
    #[expect(clippy::mut_from_ref, reason = "the reader's side has one owner by contract")]
    #[inline]
    pub(super) unsafe fn peek(&self) -> Option<&mut T> {
        // SAFETY: the reader's side is ours by contract; an item before `visible` is initialised
        // and was published by the writer's release store.
        unsafe {
            let side = &mut *self.reader.0.get();
            if side.read == side.visible {
                side.visible = self.committed.0.load(Ordering::Acquire);
                if side.read == side.visible {
                    self.reader_asleep.store(true, Ordering::SeqCst); // see `commit`
                    side.visible = self.committed.0.load(Ordering::SeqCst);
                    if side.read == side.visible {
                        return None;
                    }
                    // The writer may have taken the flag already: then one wake too many comes.
                    self.reader_asleep.store(false, Ordering::Relaxed);
                }
            }
            let chunk = &*side.head.chunk;
            Some((*chunk.slots[side.head.index].get()).assume_init_mut())
        }
    }

    /// Takes the next item.
    ///
    /// # Safety
    /// Only the one reader calls this, from one thread at a time.
    pub(super) unsafe fn pop(&self) -> Option<T> {
        let mut item = MaybeUninit::uninit();
        // SAFETY: as promised by the caller; written if it says so.
        unsafe { if self.pop_to(item.as_mut_ptr()) { Some(item.assume_init()) } else { None } }
    }

    /// Moves the next item to where it is wanted. False if there is none.
    ///
    /// # Safety
    /// As with [`Queue::pop`]; `to` can be written to, and what was there needs no drop.
    #[inline]
    pub(super) unsafe fn pop_to(&self, to: *mut T) -> bool {
        // SAFETY: the reader's side is ours by contract; `peek` proved that the item is there,
        // and moving past it makes sure that it is read once.
        unsafe {
            let Some(item) = self.peek() else { return false };
            to.copy_from_nonoverlapping(item, 1);
            let side = &mut *self.reader.0.get();
            side.read = side.read.wrapping_add(1);
            side.head.index += 1;
            let chunk = &*side.head.chunk;
            if side.head.index == chunk.slots.len() {
                // The writer linked the next chunk before it committed this item or the reader
                // could not have got here: the link is made in the `push` that filled the chunk.
                let next = *chunk.next.get();
                let done = std::mem::replace(&mut side.head, Position { chunk: next, index: 0 });
                self.recycle(done.chunk);
            }
            true
        }
    }

    /// # Safety
    /// `chunk` came from [`Chunk::boxed`], and neither side refers to it any more.
    unsafe fn recycle(&self, chunk: *mut Chunk<T>) {
        // SAFETY: ours alone, as promised; a stale link must not outlive the first use.
        let reusable = unsafe {
            let chunk = &*chunk;
            *chunk.next.get() = ptr::null_mut();
            chunk.slots.len() == CHUNK
        };
        let old = if reusable { self.spare.swap(chunk, Ordering::AcqRel) } else { chunk };
        if !old.is_null() {
            // SAFETY: nobody else can reach it: it was unlinked, or just taken out of `spare`.
            drop(unsafe { Box::from_raw(old) });
        }
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        let tail = self.writer.0.get_mut().tail;
        let mut at = self.reader.0.get_mut().head;
        // SAFETY: both sides are gone; everything from head to tail is initialised.
        unsafe {
            loop {
                let done = at.chunk == tail.chunk && at.index == tail.index;
                let chunk = &*at.chunk;
                if !done && at.index < chunk.slots.len() {
                    (*chunk.slots[at.index].get()).assume_init_drop();
                    at.index += 1;
                }
                if done {
                    drop(Box::from_raw(at.chunk));
                    break;
                }
                if at.index == chunk.slots.len() {
                    let next = *chunk.next.get();
                    drop(Box::from_raw(at.chunk));
                    at = Position { chunk: next, index: 0 };
                }
            }
            let spare = *self.spare.get_mut();
            if !spare.is_null() {
                drop(Box::from_raw(spare));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    // SAFETY of all calls below: each test's threads keep to one side.

    #[test]
    fn only_committed_items_are_seen_in_order() {
        let queue = Queue::new();
        // SAFETY: see above.
        unsafe {
            assert!(queue.pop().is_none());
            for i in 0..1000 {
                queue.push(Box::new(i));
            }
            queue.commit();
            assert!(queue.pop().is_none(), "nothing is sealed");
            queue.seal();
            assert!(queue.commit(), "the reader slept");
            for i in 0..1000 {
                assert_eq!(*queue.pop().unwrap(), i);
            }
            assert!(queue.pop().is_none());
        }
    }

    #[test]
    fn rollback_takes_back_across_chunks() {
        let queue = Queue::new();
        // SAFETY: see above.
        unsafe {
            for count in [0, 3, 5, 8, 9, 500] {
                queue.push(Box::new(1));
                queue.seal();
                queue.commit();
                for i in 0..count {
                    queue.push(Box::new(i));
                }
                assert_eq!(queue.rollback(), count);
                queue.push(Box::new(2));
                queue.seal();
                queue.commit();
                assert_eq!(*queue.pop().unwrap(), 1);
                assert_eq!(*queue.pop().unwrap(), 2);
                assert!(queue.pop().is_none());
            }
            for i in 0..300 {
                queue.push(Box::new(i)); // dropped with the queue, committed or not
                if i == 200 {
                    queue.seal();
                    queue.commit();
                }
            }
        }
    }

    #[test]
    fn every_item_crosses_threads_and_no_wake_is_lost() {
        const COUNT: usize = if cfg!(miri) { 300 } else { 200_000 };
        let queue = Arc::new(Queue::new());
        let reader = {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || {
                let mut next = 0;
                while next < COUNT {
                    // SAFETY: the only reader.
                    match unsafe { queue.pop() } {
                        Some(item) => {
                            assert_eq!(item, next);
                            next += 1;
                        }
                        None => std::thread::park(),
                    }
                }
            })
        };
        for i in 0..COUNT {
            // SAFETY: the only writer.
            unsafe {
                queue.push(i);
                queue.seal();
                if (i % 3 == 0 || i == COUNT - 1) && queue.commit() {
                    reader.thread().unpark();
                }
            }
        }
        reader.join().unwrap();
    }
}
