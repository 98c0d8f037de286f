//! Memory for large bodies, used again instead of given back: the allocator returns such pieces to
//! the operating system, and every page that comes back from there is a fault. What is in the
//! pieces is not known here.

use std::cell::RefCell;
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

/// How much unused memory the process keeps at most for all threads, in bytes.
const MOST: usize = 16 * 1024 * 1024;

/// How many bytes of a class a thread moves at once between what it has at hand and what all have.
/// At hand it has twice as much of a class at most, and nothing of longer pieces.
const AT_ONCE: usize = 32 * 1024;

thread_local! {
    /// What this thread has at hand: with a stream between two threads, each piece would otherwise
    /// be two visits to a lock that the other one has.
    static AT_HAND: RefCell<[Vec<Vec<u8>>; CLASSES]> =
        const { RefCell::new([const { Vec::new() }; CLASSES]) };
}

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

/// How many pieces of a size are moved at once; none of those that are not kept at hand.
fn at_once(size: usize) -> usize {
    AT_ONCE / size
}

/// Takes a piece of a class that nobody uses, if there is one.
fn take(index: usize, size: usize) -> Option<Vec<u8>> {
    let at_hand = AT_HAND.try_with(|at_hand| at_hand.borrow_mut().get_mut(index)?.pop());
    if let Ok(Some(piece)) = at_hand {
        return Some(piece);
    }
    let mut unused = lock(UNUSED.get(index)?);
    let piece = unused.pop()?;
    let rest = unused.len().saturating_sub(at_once(size).saturating_sub(1));
    let more = unused.split_off(rest);
    UNUSED_BYTES.fetch_sub(size * (1 + more.len()), Ordering::Relaxed);
    drop(unused);
    keep_at_hand(index, more);
    Some(piece)
}

/// Lets this thread have pieces; they are given back where it cannot have any more, for it ends.
fn keep_at_hand(index: usize, pieces: Vec<Vec<u8>>) {
    let _ = AT_HAND.try_with(|at_hand| {
        if let Some(class) = at_hand.borrow_mut().get_mut(index) {
            class.extend(pieces);
        }
    });
}

/// Keeps a piece for whoever wants one next, unless enough are kept.
fn give(index: usize, size: usize, piece: Vec<u8>) {
    let many = at_once(size);
    if many == 0 {
        return store(index, size, vec![piece]);
    }
    let too_many = AT_HAND.try_with(|at_hand| {
        let mut at_hand = at_hand.borrow_mut();
        let class = at_hand.get_mut(index)?;
        class.push(piece);
        (class.len() > 2 * many).then(|| class.split_off(class.len() - many))
    });
    if let Ok(Some(pieces)) = too_many {
        store(index, size, pieces);
    }
}

/// Puts pieces to what all threads have, as far as that is kept.
fn store(index: usize, size: usize, mut pieces: Vec<Vec<u8>>) {
    let bytes = size * pieces.len();
    let before = UNUSED_BYTES.fetch_add(bytes, Ordering::Relaxed);
    let room = MOST.saturating_sub(before) / size;
    if room < pieces.len() {
        UNUSED_BYTES.fetch_sub(size * (pieces.len() - room), Ordering::Relaxed);
        pieces.truncate(room);
    }
    if let Some(unused) = UNUSED.get(index) {
        lock(unused).append(&mut pieces);
    }
}

/// A piece of memory that may be used again when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Piece(Vec<u8>);

impl Piece {
    /// An empty piece with room for `len` bytes; `None` if there is no memory.
    pub(crate) fn with_room(len: usize) -> Option<Self> {
        let mut room = len;
        if let Some((index, size)) = class(len) {
            if let Some(piece) = take(index, size) {
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
        piece.clear();
        give(index, size, piece);
    }
}

/// Gives all unused memory back, but for what other threads have at hand.
pub(crate) fn trim() {
    // A thread that ends gives its own back anyway.
    let _ = AT_HAND.try_with(|at_hand| at_hand.borrow_mut().each_mut().map(std::mem::take));
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
