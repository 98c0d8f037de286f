//! The allocator of these tests: it counts what a thread allocates, and looks for a thread's secrets
//! in the memory that it gives back.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};

/// Octets of a secret.
pub(crate) const SECRET: usize = 32;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
    static SECRETS: RefCell<Secrets> = const { RefCell::new(Secrets::NONE) };
}

/// What must not be left behind, and which of it was. Nothing here is on the heap.
struct Secrets {
    known: [[u8; SECRET]; 16],
    left_behind: [bool; 16],
    count: usize,
}

impl Secrets {
    const NONE: Self = Self { known: [[0; SECRET]; 16], left_behind: [false; 16], count: 0 };
}

/// Octets that this thread has allocated so far.
pub(crate) fn allocated() -> usize {
    ALLOCATED.get()
}

/// Looks for a secret from now on.
pub(crate) fn look_for(secret: &[u8; SECRET]) {
    SECRETS.with_borrow_mut(|secrets| {
        secrets.known[secrets.count] = *secret;
        secrets.count += 1;
    });
}

/// How many secrets were looked for, and which of them were found in memory that was given back, in
/// the order in which they came. They are looked for no longer.
pub(crate) fn left_behind() -> (usize, Vec<usize>) {
    let secrets = SECRETS.replace(Secrets::NONE);
    let found = (0..secrets.count).filter(|index| secrets.left_behind[*index]);
    (secrets.count, found.collect())
}

fn count(size: usize) {
    // A thread that is being torn down counts no more.
    let _ = ALLOCATED.try_with(|total| total.set(total.get() + size));
}

fn look(memory: &[u8]) {
    let _ = SECRETS.try_with(|secrets| {
        let Ok(mut secrets) = secrets.try_borrow_mut() else {
            return;
        };
        for index in 0..secrets.count {
            let secret = secrets.known[index];
            if memory.windows(SECRET).any(|window| window == secret) {
                secrets.left_behind[index] = true;
            }
        }
    });
}

struct Watching;

// SAFETY: everything comes from the system's allocator and goes back to it with the layout that it
// was asked for with; what is done besides touches thread-locals that need no allocation.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // So that all of it may be read when it is given back.
        // SAFETY: the caller keeps the promises of `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the memory is of this size, was zeroed, and nobody else uses it any more.
        look(unsafe { std::slice::from_raw_parts(ptr, layout.size()) });
        // SAFETY: the caller keeps the promises of `dealloc`, and `ptr` came from `System`.
        unsafe { System.dealloc(ptr, layout) }
    }

    // What is moved is left behind where it was, whatever the system's allocator would do.
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the size is a valid one for this alignment.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: as in `alloc`, `dealloc`; both pieces have the octets that are copied.
        unsafe {
            let new = self.alloc(new_layout);
            if !new.is_null() {
                std::ptr::copy_nonoverlapping(ptr, new, layout.size().min(new_size));
                self.dealloc(ptr, layout);
            }
            new
        }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;
