//! Memory for large bodies, used again instead of given back: the allocator returns such pieces to
//! the operating system, and every page that comes back from there is a fault. What is in the
//! pieces is not known here.

use std::ops::{Deref, DerefMut};

use crate::sync::{AtomicUsize, Mutex, Ordering, lock};

/// Shorter pieces are left to the allocator, which keeps them at hand.
pub(super) const SHORTEST: usize = (1 << FIRST_BITS) + 1;
const FIRST_BITS: u32 = 9;

/// Longer pieces are left to the allocator, which asks the operating system for each.
const LONGEST: usize = 1 << 21;

/// Four sizes for each power of two, so that at most a fifth of a piece is more than was wanted.
const STEPS: usize = 4;
const CLASSES: usize = (LONGEST.ilog2() - FIRST_BITS) as usize * STEPS;

/// How much unused memory the process keeps at most, in bytes.
const MOST: usize = 16 * 1024 * 1024;

static UNUSED: [Mutex<Vec<Vec<u8>>>; CLASSES] = [const { Mutex::new(Vec::new()) }; CLASSES];
static UNUSED_BYTES: AtomicUsize = AtomicUsize::new(0);

/// The class of pieces for so many bytes, and how long those are.
fn class(len: usize) -> Option<(usize, usize)> {
    if !(SHORTEST..=LONGEST).contains(&len) {
        return None;
    }
    let bits = (len - 1).ilog2();
    let step = bits - STEPS.ilog2();
    let size = len.next_multiple_of(1 << step);
    let index = (bits - FIRST_BITS) as usize * STEPS + ((size - 1) >> step) - STEPS;
    Some((index, size))
}

/// A piece of memory that may be used again when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Piece(Vec<u8>);

impl Piece {
    /// An empty piece with room for `len` bytes; `None` if there is no memory.
    pub(crate) fn with_room(len: usize) -> Option<Self> {
        let mut room = len;
        if let Some((index, size)) = class(len) {
            let unused = UNUSED.get(index).and_then(|unused| lock(unused).pop());
            if let Some(piece) = unused {
                UNUSED_BYTES.fetch_sub(size, Ordering::Relaxed);
                return Some(Self(piece));
            }
            room = size;
        }
        let mut piece = Vec::new();
        piece.try_reserve_exact(room).ok()?;
        Some(Self(piece))
    }
}

impl Deref for Piece {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Piece {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut piece = std::mem::take(&mut self.0);
        let Some((index, size)) = class(piece.capacity()) else {
            return;
        };
        if size != piece.capacity() {
            return; // grown by others, or made by the allocator to its own taste
        }
        if UNUSED_BYTES.fetch_add(size, Ordering::Relaxed) + size > MOST {
            UNUSED_BYTES.fetch_sub(size, Ordering::Relaxed);
            return;
        }
        piece.clear();
        if let Some(unused) = UNUSED.get(index) {
            lock(unused).push(piece);
        }
    }
}

/// Gives all unused memory back.
pub(crate) fn trim() {
    for unused in &UNUSED {
        let pieces = std::mem::take(&mut *lock(unused));
        let bytes = pieces.iter().map(Vec::capacity).sum();
        UNUSED_BYTES.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_cover_their_range_without_waste() {
        assert_eq!(class(SHORTEST - 1), None);
        assert_eq!(class(LONGEST + 1), None);
        let mut last = 0;
        for len in (SHORTEST..=LONGEST).step_by(97).chain([LONGEST]) {
            let (index, size) = class(len).expect("a class");
            assert!(index < CLASSES && index >= last && size >= len, "{len}");
            assert!(size - len <= size / 5 + 1, "{len}: {size}");
            assert_eq!(class(size), Some((index, size)));
            last = index;
        }
        assert_eq!(last, CLASSES - 1);
    }

    #[test]
    fn pieces_come_back_with_room_and_empty() {
        for len in [0, 1, SHORTEST, 70_000, LONGEST, LONGEST + 1] {
            for _ in 0..3 {
                let mut piece = Piece::with_room(len).expect("memory");
                assert!(piece.is_empty() && piece.capacity() >= len);
                piece.resize(len, 7);
            }
        }
        assert!(Piece::with_room(usize::MAX).is_none());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let pieces: Vec<_> = (0..40).map(|_| Piece::with_room(1 << 20)).collect();
        drop(pieces);
        assert!(UNUSED_BYTES.load(Ordering::Relaxed) <= MOST);
        trim();
    }
}
