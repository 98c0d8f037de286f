//! Where the bytes of a part live: inline, in one reference-counted block, or in memory that
//! somebody else owns and gets back through a callback. Unsafe is fenced into this file; what a
//! part means is in `part`. Many small bodies in one block are `arena`'s.
//!
//! A [`Part`] is also the C interface's `zmq_msg_t`: 64 bytes, movable with `memcpy`.

mod arena;

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ffi::c_void;
use std::ptr::NonNull;

pub(crate) use self::arena::Arena;
use super::Peer;
use super::part::Kind;
use super::pool::{self, Piece};
use crate::sync::{Arc, AtomicUsize, Ordering, fence};

/// The longest body that is kept inside the part itself, in bytes.
pub const MAX_INLINE: usize = 48;

/// Gives foreign memory back: called exactly once with the data pointer and the hint.
pub type ForeignFree = unsafe extern "C" fn(data: *mut c_void, hint: *mut c_void);

const TAG_INLINE: u8 = 0xa1;
const TAG_HEAP: u8 = 0xa2;

/// In place of the inline length: the bytes are one of many pieces of a block.
const IN_ARENA: u8 = 0xff;

/// In place of the inline length: the bytes came from the allocator, for this part alone.
const OF_ITS_OWN: u8 = 0xfe;

/// What every heap block starts with.
#[repr(C)]
struct Header {
    refs: AtomicUsize,
    free: unsafe fn(NonNull<Header>),
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Heap {
    data: *mut u8,
    len: usize,
    /// `None` for constant memory that outlives everything.
    block: Option<NonNull<Header>>,
}

#[repr(C)]
union Data {
    /// As many bytes as `inline_len` says; what follows them was never written.
    inline: [std::mem::MaybeUninit<u8>; MAX_INLINE],
    heap: Heap,
}

/// One frame of a message: bytes, whether more frames follow, and who sent it.
#[repr(C)]
pub struct Part {
    data: Data,
    pub(super) peer: Option<Arc<Peer>>,
    pub(super) routing_id: u32,
    tag: u8,
    inline_len: u8,
    more: Plain<bool>,
    kind: Plain<Kind>,
}

/// A small value without bit patterns to spare. With some to spare, the compiler would keep the
/// tag of an `Option<Part>` in them, and move such a part in odd pieces: what was written piece by
/// piece is read by the processor at a fraction of the speed.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Plain<T: Copy>(std::mem::MaybeUninit<T>);

impl<T: Copy> Plain<T> {
    const fn new(value: T) -> Self {
        Self(std::mem::MaybeUninit::new(value))
    }

    const fn get(self) -> T {
        // SAFETY: it is only made of a value.
        unsafe { self.0.assume_init() }
    }
}

const _: () = assert!(size_of::<Part>() == 64 && align_of::<Part>() == 8);

// SAFETY: a part owns its block through an atomic reference count, blocks are immutable while
// shared, and whoever hands in foreign memory promises that it may be freed on any thread.
unsafe impl Send for Part {}
// SAFETY: `&Part` only reads the bytes; see above.
unsafe impl Sync for Part {}

/// Whether 64 bytes at `raw` hold a live part, as opposed to one that was closed or never made.
///
/// # Safety
/// `raw` points to 64 readable bytes, aligned to 8.
#[must_use]
pub unsafe fn is_valid_raw(raw: *const Part) -> bool {
    // SAFETY: the caller promises readable memory; a byte has no invalid value.
    let tag = unsafe { (&raw const (*raw).tag).read() };
    tag == TAG_INLINE || tag == TAG_HEAP
}

/// Whether more parts follow the part at `raw`, which may have been closed: programs ask after
/// closing, since the reference still knows.
///
/// # Safety
/// `raw` points to 64 readable bytes, aligned to 8, that hold or held a part.
#[must_use]
pub unsafe fn more_of_raw(raw: *const Part) -> bool {
    // SAFETY: the caller promises readable memory; read as a number, any byte is valid.
    unsafe { (&raw const (*raw).more).cast::<u8>().read() == 1 }
}

impl Part {
    #[inline(always)]
    const fn with_data(data: Data, tag: u8, inline_len: u8) -> Self {
        Self {
            data,
            peer: None,
            routing_id: 0,
            tag,
            inline_len,
            more: Plain::new(false),
            kind: Plain::new(Kind::Data),
        }
    }

    #[inline(always)]
    const fn heap(data: *mut u8, len: usize, block: Option<NonNull<Header>>) -> Self {
        Self::with_data(Data { heap: Heap { data, len, block } }, TAG_HEAP, 0)
    }

    /// An empty part.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_data(
            Data { inline: [const { std::mem::MaybeUninit::uninit() }; MAX_INLINE] },
            TAG_INLINE,
            0,
        )
    }

    /// A part of `len` bytes whose contents are not set yet: they read as unspecified bytes.
    /// `None` when there is no memory for it.
    ///
    /// # Safety
    /// The caller writes all bytes through [`Part::as_mut_ptr`] before anything reads them.
    #[must_use]
    #[inline(always)]
    pub unsafe fn uninit(len: usize) -> Option<Self> {
        if len <= MAX_INLINE {
            return Some(Self::with_data(
                Data { inline: [const { std::mem::MaybeUninit::uninit() }; MAX_INLINE] },
                TAG_INLINE,
                len as u8,
            ));
        }
        if len >= pool::SHORTEST {
            return Self::pooled(len);
        }
        let block = owned(len)?;
        // SAFETY: the bytes follow the head of the block.
        let data = unsafe { block.as_ptr().add(1).cast::<u8>() };
        let mut part = Self::heap(data, len, Some(block.cast()));
        part.inline_len = OF_ITS_OWN;
        Some(part)
    }

    #[inline(never)]
    fn pooled(len: usize) -> Option<Self> {
        let mut piece = Piece::with_room(len)?;
        Some(Self::boxed(piece.as_mut_ptr(), len, piece))
    }

    /// A part with a copy of `bytes`.
    #[must_use]
    #[inline]
    pub fn copy_from(bytes: &[u8]) -> Self {
        // SAFETY: all bytes are written right below.
        let Some(mut part) = (unsafe { Self::uninit(bytes.len()) }) else {
            handle_alloc_error(Layout::for_value(bytes));
        };
        // SAFETY: the part is new, unshared, and has room for exactly these bytes.
        unsafe { part.as_mut_ptr().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        part
    }

    /// A part that takes over `bytes` without copying them, unless they are few.
    #[must_use]
    pub fn from_vec(mut bytes: Vec<u8>) -> Self {
        if bytes.len() <= MAX_INLINE {
            return Self::copy_from(&bytes);
        }
        let (data, len) = (bytes.as_mut_ptr(), bytes.len());
        Self::boxed(data, len, bytes)
    }

    /// A part that takes over a piece of memory without copying it, unless it holds little, and
    /// shows what is behind the first `start` bytes.
    #[must_use]
    pub(crate) fn from_piece(mut piece: Piece, start: usize) -> Self {
        let body = piece.get_mut(start..).unwrap_or_default();
        if body.len() <= MAX_INLINE {
            return Self::copy_from(body);
        }
        let (data, len) = (body.as_mut_ptr(), body.len());
        Self::boxed(data, len, piece)
    }

    /// A part on constant memory, which is never copied or freed.
    #[must_use]
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        Self::heap(bytes.as_ptr().cast_mut(), bytes.len(), None)
    }

    /// A part on the memory of any owner, which is dropped with the last copy of the part.
    #[must_use]
    pub fn from_owner<T: AsRef<[u8]> + Send + Sync + 'static>(owner: T) -> Self {
        let owner = Box::new(owner);
        let bytes: &[u8] = (*owner).as_ref();
        let (data, len) = (bytes.as_ptr().cast_mut(), bytes.len());
        Self::boxed(data, len, owner)
    }

    fn boxed<T: Send + 'static>(data: *mut u8, len: usize, owner: T) -> Self {
        let block = Box::new(Boxed {
            header: Header { refs: AtomicUsize::new(1), free: free_boxed::<T> },
            _owner: owner,
        });
        Self::heap(data, len, Some(NonNull::from(Box::leak(block)).cast()))
    }

    /// A part on foreign memory that `free` gets back, exactly once, on any thread.
    ///
    /// # Safety
    /// `data` is valid for reads and writes of `len` bytes until `free(data, hint)` is called,
    /// and calling it on any thread is sound.
    #[must_use]
    pub unsafe fn from_foreign(
        data: *mut c_void,
        len: usize,
        free: ForeignFree,
        hint: *mut c_void,
    ) -> Self {
        let block = Box::new(Foreign {
            header: Header { refs: AtomicUsize::new(1), free: free_foreign },
            data,
            hint,
            free,
        });
        Self::heap(data.cast(), len, Some(NonNull::from(Box::leak(block)).cast()))
    }

    /// A part on memory that outlives every use and is not freed.
    ///
    /// # Safety
    /// `data` is valid for reads of `len` bytes for the rest of the process.
    #[must_use]
    pub const unsafe fn from_constant(data: *const c_void, len: usize) -> Self {
        Self::heap(data.cast_mut().cast(), len, None)
    }

    /// Whether more parts of the same message follow.
    #[must_use]
    #[inline]
    pub const fn more(&self) -> bool {
        self.more.get()
    }

    /// Says whether more parts of the same message follow.
    #[inline]
    pub const fn set_more(&mut self, more: bool) {
        self.more = Plain::new(more);
    }

    /// What the part is to the engine.
    #[must_use]
    #[inline]
    pub const fn kind(&self) -> Kind {
        self.kind.get()
    }

    /// The same part as another kind.
    #[must_use]
    pub const fn with_kind(mut self, kind: Kind) -> Self {
        self.kind = Plain::new(kind);
        self
    }

    /// The body's length in bytes.
    #[must_use]
    #[inline]
    pub const fn len(&self) -> usize {
        if self.tag == TAG_INLINE {
            self.inline_len as usize
        } else {
            // SAFETY: the tag says that the heap variant is live.
            unsafe { self.data.heap.len }
        }
    }

    /// The body's first byte. Inline bodies move with the part.
    #[must_use]
    #[inline]
    pub const fn as_ptr(&self) -> *const u8 {
        if self.tag == TAG_INLINE {
            (&raw const self.data).cast()
        } else {
            // SAFETY: the tag says that the heap variant is live.
            unsafe { self.data.heap.data }
        }
    }

    /// The body's first byte, for the C interface, which lets a caller write into a message
    /// (also into one that shares its bytes with copies: that is the caller's affair).
    #[inline]
    pub const fn as_mut_ptr(&mut self) -> *mut u8 {
        if self.tag == TAG_INLINE {
            (&raw mut self.data).cast()
        } else {
            // SAFETY: the tag says that the heap variant is live.
            unsafe { self.data.heap.data }
        }
    }

    /// The body.
    #[must_use]
    #[inline]
    pub const fn as_slice(&self) -> &[u8] {
        if self.is_empty() {
            return &[]; // foreign memory of no bytes may have no address
        }
        // SAFETY: pointer and length describe live, initialised memory owned by this part.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.len()) }
    }

    /// Whether other parts share these bytes, or they are constant.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        // Parts of one arena share a block, but no bytes, unless they are copies.
        if self.tag == TAG_INLINE || self.inline_len == IN_ARENA {
            return false;
        }
        // SAFETY: the tag says that the heap variant is live; its block outlives this part.
        match unsafe { self.data.heap.block } {
            // SAFETY: see above.
            Some(block) => unsafe { block.as_ref() }.refs.load(Ordering::Relaxed) > 1,
            None => true,
        }
    }
}

impl Part {
    /// Whether the body is few bytes in memory of their own that nobody shares: a copy of it in an
    /// [`Arena`] costs less than giving its memory back on another thread than the one that took
    /// it, where the allocator has to find out whose it is and cannot use it again.
    #[inline]
    pub(crate) fn is_cheaper_copied(&self) -> bool {
        self.tag == TAG_HEAP && self.inline_len == OF_ITS_OWN && !self.is_shared()
    }
}

impl Clone for Part {
    /// Another part with the same bytes: inline bodies are copied, others shared.
    fn clone(&self) -> Self {
        let data = if self.tag == TAG_INLINE {
            // SAFETY: the tag says that the inline variant is live.
            Data { inline: unsafe { self.data.inline } }
        } else {
            // SAFETY: the tag says that the heap variant is live.
            let heap = unsafe { self.data.heap };
            if let Some(block) = heap.block {
                // SAFETY: this part holds a reference, so the block is alive. Relaxed is enough:
                // a new reference is made from one that exists.
                unsafe { block.as_ref() }.refs.fetch_add(1, Ordering::Relaxed);
            }
            Data { heap }
        };
        Self {
            data,
            peer: self.peer.clone(),
            routing_id: self.routing_id,
            tag: self.tag,
            inline_len: if self.tag == TAG_INLINE { self.inline_len } else { 0 },
            more: self.more,
            kind: self.kind,
        }
    }
}

impl Drop for Part {
    #[inline]
    fn drop(&mut self) {
        if self.tag == TAG_HEAP {
            // SAFETY: the tag says that the heap variant is live.
            if let Some(block) = unsafe { self.data.heap.block } {
                release(block);
            }
        }
        // The C interface may look at the 64 bytes of a closed message again.
        // SAFETY: `tag` is a plain byte of a value that is being dropped. Volatile, so that the
        // store to a dying value is kept.
        unsafe { (&raw mut self.tag).write_volatile(0) };
    }
}

fn release(block: NonNull<Header>) {
    // SAFETY: the caller holds a reference, so the header is alive.
    let header = unsafe { block.as_ref() };
    // A block that nobody shares needs no read-modify-write.
    if header.refs.load(Ordering::Acquire) != 1 && header.refs.fetch_sub(1, Ordering::Release) != 1
    {
        return;
    }
    // Uses of the bytes on other threads happen before the memory is given back.
    fence(Ordering::Acquire);
    // SAFETY: this was the last reference; `free` is the block's own.
    unsafe { (header.free)(block) };
}

#[repr(C)]
struct Owned {
    header: Header,
    len: usize,
}

/// A new block with room for `len` bytes.
#[inline]
fn owned(len: usize) -> Option<NonNull<Owned>> {
    let layout = owned_layout(len)?;
    // SAFETY: the layout has a non-zero size, as it holds at least the header.
    let block = NonNull::new(unsafe { alloc(layout) }.cast::<Owned>())?;
    let header = Header { refs: AtomicUsize::new(1), free: free_owned };
    // SAFETY: freshly allocated for an `Owned` followed by `len` bytes.
    unsafe { block.as_ptr().write(Owned { header, len }) };
    Some(block)
}

fn owned_layout(len: usize) -> Option<Layout> {
    let size = size_of::<Owned>().checked_add(len)?;
    Layout::from_size_align(size, align_of::<Owned>()).ok()
}

/// # Safety
/// `block` is the header of an [`Owned`] that nobody refers to any more.
unsafe fn free_owned(block: NonNull<Header>) {
    let block = block.cast::<Owned>();
    // SAFETY: the block is alive and was allocated with the layout of its length.
    unsafe {
        let len = block.as_ref().len;
        if let Some(layout) = owned_layout(len) {
            dealloc(block.as_ptr().cast(), layout);
        }
    }
}

#[repr(C)]
struct Boxed<T> {
    header: Header,
    _owner: T,
}

/// # Safety
/// `block` is the header of a leaked `Box<Boxed<T>>` that nobody refers to any more.
unsafe fn free_boxed<T>(block: NonNull<Header>) {
    // SAFETY: as promised by the caller.
    drop(unsafe { Box::from_raw(block.cast::<Boxed<T>>().as_ptr()) });
}

#[repr(C)]
struct Foreign {
    header: Header,
    data: *mut c_void,
    hint: *mut c_void,
    free: ForeignFree,
}

/// # Safety
/// `block` is the header of a leaked `Box<Foreign>` that nobody refers to any more.
unsafe fn free_foreign(block: NonNull<Header>) {
    // SAFETY: as promised by the caller; whoever made the part promised that `free` may be
    // called on any thread.
    unsafe {
        let foreign = Box::from_raw(block.cast::<Foreign>().as_ptr());
        (foreign.free)(foreign.data, foreign.hint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize as Counter;

    #[test]
    fn inline_and_heap_bodies_round_trip() {
        for len in [0, 1, MAX_INLINE, MAX_INLINE + 1, 100_000] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let part = Part::copy_from(&bytes);
            assert_eq!(part.as_slice(), bytes);
            let copy = part.clone();
            assert_eq!(part.is_shared(), len > MAX_INLINE);
            drop(part);
            assert_eq!(copy.as_slice(), bytes);
            assert!(!copy.is_shared());
            assert_eq!(Part::from_vec(bytes.clone()).as_slice(), bytes);
            assert_eq!(Part::from_owner(bytes.clone()).as_slice(), bytes);
        }
    }

    #[test]
    fn foreign_memory_is_freed_once_with_its_last_copy() {
        static FREED: Counter = Counter::new(0);
        unsafe extern "C" fn free(data: *mut c_void, hint: *mut c_void) {
            assert_eq!(hint as usize, 7);
            assert!(!data.is_null());
            FREED.fetch_add(1, Ordering::SeqCst);
        }
        let mut bytes = [1_u8, 2, 3];
        // SAFETY: the array outlives both parts.
        let part =
            unsafe { Part::from_foreign(bytes.as_mut_ptr().cast(), 3, free, 7 as *mut c_void) };
        let copy = part.clone();
        drop(part);
        assert_eq!(FREED.load(Ordering::SeqCst), 0);
        assert_eq!(copy.as_slice(), [1, 2, 3]);
        drop(copy);
        assert_eq!(FREED.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_closed_part_is_told_from_a_live_one() {
        let mut raw = std::mem::MaybeUninit::<Part>::zeroed();
        // SAFETY: 64 zeroed bytes, then a live part, then a dropped one: all readable.
        unsafe {
            assert!(!is_valid_raw(raw.as_ptr()));
            raw.write(Part::copy_from(&[0; 100]));
            assert!(is_valid_raw(raw.as_ptr()));
            raw.as_mut_ptr().drop_in_place();
            assert!(!is_valid_raw(raw.as_ptr()));
        }
    }
}
