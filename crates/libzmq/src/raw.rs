//! Memory of the C program, `errno`, and calls back into C: where this library has to trust
//! what it is told.
//!
//! The types here are what entry points take as arguments. Their fields are private and nothing
//! in Rust makes them out of thin air, so that a value comes from a C caller, and with it the
//! promise of the function's manual page: a string ends in a zero byte, a buffer has the length
//! that is passed with it, an out parameter can be written. That promise is the safety argument
//! of every block in this file. Null pointers are always checked.

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::ptr::NonNull;

use crate::errno::Errno;

/// The calling thread's `errno`.
pub(crate) fn errno() -> c_int {
    // SAFETY: the location is the calling thread's own and always valid.
    unsafe { *libc::__errno_location() }
}

/// Sets the calling thread's `errno`.
pub(crate) fn set_errno(number: c_int) {
    // SAFETY: the location is the calling thread's own and always valid.
    unsafe { *libc::__errno_location() = number };
}

/// The platform's text for an error number. It lives as long as the process, or as long as the
/// thread does not ask for another number without a text.
pub(crate) fn platform_text(number: c_int) -> *const c_char {
    // SAFETY: strerror takes any number.
    unsafe { libc::strerror(number) }
}

/// A string argument.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Text(*const c_char);

impl Text {
    /// The string, or `None` for a null pointer.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        // SAFETY: not null; the caller promises that a zero byte ends it.
        (!self.0.is_null()).then(|| unsafe { CStr::from_ptr(self.0) }.to_bytes())
    }

    /// The string, which has to be there and be UTF-8.
    pub(crate) fn get(&self) -> Result<&str, Errno> {
        let bytes = self.bytes().ok_or(Errno::INVALID)?;
        std::str::from_utf8(bytes).map_err(|_| Errno::INVALID)
    }

    /// The string, or `None` for a null pointer.
    pub(crate) fn optional(&self) -> Result<Option<&str>, Errno> {
        if self.0.is_null() { Ok(None) } else { self.get().map(Some) }
    }
}

/// Bytes at an address. Nothing at nowhere is fine; something at nowhere is not.
///
/// # Safety
/// If the address is not null, `len` bytes can be read there for the lifetime `'a`.
#[inline]
unsafe fn bytes_at<'a>(address: *const c_void, len: usize) -> Result<&'a [u8], Errno> {
    if len == 0 {
        return Ok(&[]);
    }
    if address.is_null() || len > isize::MAX.unsigned_abs() {
        return Err(Errno::FAULT);
    }
    // SAFETY: not null; as promised by the caller.
    Ok(unsafe { std::slice::from_raw_parts(address.cast(), len) })
}

/// A buffer argument to read from; its length comes as another argument.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Buffer(*const c_void);

impl Buffer {
    /// The buffer's bytes.
    #[inline]
    pub(crate) fn bytes(&self, len: usize) -> Result<&[u8], Errno> {
        // SAFETY: the C program promises `len` readable bytes during the call.
        unsafe { bytes_at(self.0, len) }
    }

    pub(crate) const fn address(self) -> *const c_void {
        self.0
    }

    pub(crate) const fn is_null(self) -> bool {
        self.0.is_null()
    }
}

/// A buffer argument to write to; its length comes as another argument.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct BufferMut(*mut c_void);

impl BufferMut {
    /// Writes bytes to the buffer's beginning. The caller has made sure that they fit into the
    /// length that came with the buffer.
    #[inline]
    pub(crate) fn write(self, bytes: &[u8]) -> Result<(), Errno> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.0.is_null() {
            return Err(Errno::FAULT);
        }
        // SAFETY: not null; the caller promises that so many bytes can be written, and it is
        // nothing of ours that they could overlap with.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.0.cast(), bytes.len()) };
        Ok(())
    }

    pub(crate) const fn address(self) -> *mut c_void {
        self.0
    }

    pub(crate) const fn is_null(self) -> bool {
        self.0.is_null()
    }
}

impl From<BufferMut> for Buffer {
    fn from(buffer: BufferMut) -> Self {
        Self(buffer.0)
    }
}

/// A pointer argument to one value that is read or written.
#[repr(transparent)]
pub(crate) struct Out<T>(*mut T);

impl<T: Copy> Out<T> {
    pub(crate) fn get(&self) -> Result<T, Errno> {
        if self.0.is_null() {
            return Err(Errno::FAULT);
        }
        // SAFETY: not null; the caller promises that it can be read.
        Ok(unsafe { self.0.read_unaligned() })
    }

    pub(crate) fn set(&self, value: T) -> Result<(), Errno> {
        if self.0.is_null() {
            return Err(Errno::FAULT);
        }
        // SAFETY: not null; the caller promises that it can be written.
        unsafe { self.0.write_unaligned(value) };
        Ok(())
    }

    /// Writes the value if there is a place for it.
    pub(crate) fn offer(&self, value: T) {
        let _ = self.set(value); // a null pointer says that nobody wants it
    }
}

/// A pointer argument to several values; their number comes as another argument.
#[repr(transparent)]
pub(crate) struct Array<T>(*mut T);

impl<T> Array<T> {
    pub(crate) const fn is_null(&self) -> bool {
        self.0.is_null()
    }

    pub(crate) fn items(&mut self, count: usize) -> Result<&mut [T], Errno> {
        if count == 0 {
            return Ok(&mut []);
        }
        if self.0.is_null() || !self.0.is_aligned() {
            return Err(Errno::FAULT);
        }
        // SAFETY: not null and aligned; the caller promises `count` values that nobody else
        // uses during the call.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.0, count) })
    }
}

/// One piece of scattered memory.
pub(crate) struct Piece(libc::iovec);

const _: () = assert!(size_of::<Piece>() == size_of::<libc::iovec>());

impl Piece {
    /// The piece's bytes.
    pub(crate) fn bytes(&self) -> Result<&[u8], Errno> {
        // SAFETY: the C program promises readable bytes during the call.
        unsafe { bytes_at(self.0.iov_base, self.0.iov_len) }
    }

    /// Replaces the piece by a copy of `bytes` that the C program gives to `free`.
    pub(crate) fn set_copy(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        // SAFETY: malloc takes any size; one byte more, so that it is never null for nothing.
        let base = unsafe { libc::malloc(bytes.len().max(1)) };
        if base.is_null() {
            return Err(Errno::NO_MEMORY);
        }
        BufferMut(base).write(bytes)?;
        self.0.iov_base = base;
        self.0.iov_len = bytes.len();
        Ok(())
    }
}

/// A value of ours that lives with the C program as an opaque pointer of no kind that is
/// checked: for the simple tools of `zmq_utils.h`, whose pages forbid to use one after its end.
#[repr(transparent)]
pub(crate) struct Owned<T>(*mut T);

impl<T> Owned<T> {
    pub(crate) const NULL: Self = Self(std::ptr::null_mut());

    pub(crate) fn new(value: T) -> Self {
        Self(Box::into_raw(Box::new(value)))
    }

    /// What a C program would pass, for tests.
    #[cfg(test)]
    pub(crate) fn borrowed(value: &T) -> Self {
        Self(std::ptr::from_ref(value).cast_mut())
    }

    pub(crate) fn get(&self) -> Result<&T, Errno> {
        // SAFETY: not null, so it came from `new` and was not taken yet, as the caller promises.
        NonNull::new(self.0).map(|value| unsafe { value.as_ref() }).ok_or(Errno::FAULT)
    }

    /// Takes the value back, at its end.
    pub(crate) fn take(self) -> Option<T> {
        // SAFETY: see `get`; the caller promises not to use it again.
        (!self.0.is_null()).then(|| *unsafe { Box::from_raw(self.0) })
    }
}

/// A pointer argument to a pointer that is set to null at the end of what it points to.
#[repr(transparent)]
pub(crate) struct Slot<T>(*mut T);

impl<T> Slot<T> {
    pub(crate) fn get(&self) -> Result<T, Errno>
    where
        T: Copy,
    {
        Out(self.0).get()
    }

    pub(crate) fn replace(&self, value: T) -> Option<T> {
        // SAFETY: not null; the caller promises that it can be read and written.
        (!self.0.is_null()).then(|| unsafe { self.0.replace(value) })
    }
}

/// A pointer that a C program wants back in a call, about which nothing else is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Opaque(pub(crate) *mut c_void);

// SAFETY: the library never follows it; handing it to another thread is what the C program asks
// for by passing it.
unsafe impl Send for Opaque {}
// SAFETY: see above.
unsafe impl Sync for Opaque {}

/// `zmq_timer_fn`.
pub(crate) type TimerFn = unsafe extern "C" fn(timer_id: c_int, arg: Opaque);

/// Calls a timer's handler.
pub(crate) fn call_timer(handler: TimerFn, id: c_int, arg: Opaque) {
    // SAFETY: the C program passed the function to be called just like this.
    unsafe { handler(id, arg) };
}

/// `zmq_thread_fn`.
pub(crate) type ThreadFn = unsafe extern "C" fn(arg: Opaque);

/// Calls a thread's function.
pub(crate) fn call_thread(function: ThreadFn, arg: Opaque) {
    // SAFETY: the C program passed the function to be called just like this.
    unsafe { function(arg) };
}

/// A time in milliseconds as C passes it: negative means for ever.
pub(crate) fn timeout(millis: c_long) -> Option<std::time::Duration> {
    u64::try_from(millis).ok().map(std::time::Duration::from_millis)
}
