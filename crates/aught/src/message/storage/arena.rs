//! Small bodies in few blocks: an [`Arena`] makes parts that share one. Blocks and their reference
//! counts are the parent module's. Unsafe is fenced into this file.

use std::alloc::{Layout, handle_alloc_error};
use std::ptr::NonNull;

use super::{Header, IN_ARENA, MAX_INLINE, Owned, Part};
use crate::sync::{Ordering, fence};

/// Room for many small bodies in few allocations. Parts made here keep their whole block alive,
/// so blocks are small: a part that is kept for long keeps at most [`Arena::BLOCK`] bytes.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    block: Option<NonNull<Header>>,
    /// The free room of the block.
    next: usize,
    end: usize,
    /// How many parts of the block were made.
    given: usize,
}

// SAFETY: an arena owns its block; parts only share the reference count, which is atomic.
unsafe impl Send for Arena {}

impl Arena {
    /// The size of a block in bytes.
    const BLOCK: usize = 8 * 1024;
    /// The longest body that is put into a block: longer ones get their own.
    const MAX: usize = 1024;
    /// The references that a block starts with, so that making a part costs no atomic operation.
    const CREDIT: usize = 1 << 30;

    /// A part with a copy of `bytes`.
    #[inline]
    pub(crate) fn copy(&mut self, bytes: &[u8]) -> Part {
        if bytes.len() <= MAX_INLINE || bytes.len() > Self::MAX {
            return Part::copy_from(bytes);
        }
        if self.end - self.next < bytes.len() {
            self.renew();
        }
        let data = std::ptr::with_exposed_provenance_mut::<u8>(self.next);
        // SAFETY: `next` to `end` is free room of our block, and `renew` made enough of it.
        unsafe { data.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        self.given += 1;
        self.next = (self.next + bytes.len()).next_multiple_of(8).min(self.end);
        let mut part = Part::heap(data, bytes.len(), self.block);
        part.inline_len = IN_ARENA;
        part
    }

    /// Gives the block up and starts a new one.
    fn renew(&mut self) {
        self.retire();
        let size = Self::BLOCK - size_of::<Owned>();
        // SAFETY: the room is handed out piece by piece, each written before it is read.
        let Some(part) = (unsafe { Part::uninit(size) }) else {
            handle_alloc_error(Layout::new::<[u8; Self::BLOCK]>());
        };
        let part = std::mem::ManuallyDrop::new(part);
        // SAFETY: a part of this size is on the heap, and has a block.
        let heap = unsafe { part.data.heap };
        if let Some(block) = heap.block {
            // SAFETY: the block is new and ours alone.
            unsafe { block.as_ref() }.refs.store(Self::CREDIT, Ordering::Relaxed);
        }
        self.block = heap.block;
        self.next = heap.data.expose_provenance();
        self.end = self.next + size;
    }

    fn retire(&mut self) {
        if let Some(block) = self.block.take() {
            let unused = Self::CREDIT - self.given;
            // SAFETY: the references that were not given out are ours.
            let before = unsafe { block.as_ref() }.refs.fetch_sub(unused, Ordering::Release);
            if before == unused {
                fence(Ordering::Acquire);
                // SAFETY: the last references went; `free` is the block's own.
                unsafe { (block.as_ref().free)(block) };
            }
        }
        self.given = 0;
        self.next = 0;
        self.end = 0;
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.retire();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arena_parts_live_as_long_as_they_are_kept() {
        let mut arena = Arena::default();
        let mut kept = Vec::new();
        for i in 0..5000_usize {
            let bytes = vec![i as u8; 40 + i % 1100];
            let part = arena.copy(&bytes);
            assert!(!part.is_shared());
            if i % 7 == 0 {
                kept.push((part.clone(), bytes));
                assert!(
                    kept.last()
                        .is_none_or(|(copy, _)| copy.len() <= MAX_INLINE || copy.is_shared())
                );
            }
        }
        drop(arena);
        for (part, bytes) in kept {
            assert_eq!(part.as_slice(), bytes);
        }
    }
}
