//! A `zmq_msg_t` that closes itself.

use crate::{Errno, FreeFn, Lib, RawMsg, Sock, lib};
use std::ffi::{CStr, CString, c_int, c_void};

/// A message of the C interface. Boxed: a `zmq_msg_t` must not move between calls.
pub struct Msg {
    raw: Box<RawMsg>,
}

impl Msg {
    fn blank() -> Self {
        Self { raw: Box::new(RawMsg([0; 64])) }
    }

    /// `zmq_msg_init`.
    ///
    /// # Panics
    /// When the call fails.
    #[expect(clippy::new_without_default, reason = "a C constructor, not a default")]
    pub fn new() -> Self {
        let mut msg = Self::blank();
        Lib::check(lib().zmq_msg_init(msg.ptr())).expect("zmq_msg_init");
        msg
    }

    /// `zmq_msg_init_size`, then the bytes copied in.
    ///
    /// # Panics
    /// When the call fails.
    pub fn with(bytes: &[u8]) -> Self {
        let mut msg = Self::blank();
        Lib::check(lib().zmq_msg_init_size(msg.ptr(), bytes.len())).expect("zmq_msg_init_size");
        msg.bytes_mut().copy_from_slice(bytes);
        msg
    }

    /// `zmq_msg_init_data`.
    ///
    /// # Panics
    /// When the call fails.
    pub fn from_data(
        data: *mut c_void,
        size: usize,
        free: Option<FreeFn>,
        hint: *mut c_void,
    ) -> Self {
        let mut msg = Self::blank();
        Lib::check(lib().zmq_msg_init_data(msg.ptr(), data, size, free, hint))
            .expect("zmq_msg_init_data");
        msg
    }

    /// The pointer of the C interface.
    pub fn ptr(&mut self) -> *mut RawMsg {
        &mut *self.raw
    }

    /// `zmq_msg_size`.
    pub fn size(&self) -> usize {
        lib().zmq_msg_size(&*self.raw)
    }

    /// `zmq_msg_data`.
    pub fn data(&mut self) -> *mut u8 {
        lib().zmq_msg_data(self.ptr()).cast()
    }

    /// The content, to write.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let (data, size) = (self.data(), self.size());
        if size == 0 {
            return &mut [];
        }
        // SAFETY: zmq_msg_data(3) points at zmq_msg_size(3) bytes until the message changes.
        unsafe { std::slice::from_raw_parts_mut(data, size) }
    }

    /// A copy of the content.
    pub fn bytes(&mut self) -> Vec<u8> {
        self.bytes_mut().to_vec()
    }

    /// `zmq_msg_more`.
    pub fn more(&self) -> bool {
        lib().zmq_msg_more(&*self.raw) != 0
    }

    /// `zmq_msg_get`.
    pub fn get(&self, property: c_int) -> Result<i32, Errno> {
        Lib::check(lib().zmq_msg_get(&*self.raw, property))
    }

    /// `zmq_msg_gets`.
    ///
    /// # Panics
    /// When the name holds a zero byte.
    pub fn gets(&self, property: &str) -> Result<String, Errno> {
        let name = CString::new(property).expect("a name without zero bytes");
        let text = lib().zmq_msg_gets(&*self.raw, name.as_ptr());
        if text.is_null() {
            return Err(Lib::last());
        }
        // SAFETY: a string that lives as long as the message (zmq_msg_gets(3)).
        Ok(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
    }

    /// `zmq_msg_send`: the number of bytes.
    pub fn send(&mut self, socket: &Sock, flags: c_int) -> Result<i32, Errno> {
        Lib::check(lib().zmq_msg_send(self.ptr(), socket.raw(), flags))
    }

    /// `zmq_msg_recv`: the number of bytes.
    pub fn recv(&mut self, socket: &Sock, flags: c_int) -> Result<i32, Errno> {
        Lib::check(lib().zmq_msg_recv(self.ptr(), socket.raw(), flags))
    }

    /// `zmq_msg_copy` from `source` into this message.
    pub fn copy_from(&mut self, source: &mut Self) -> Result<(), Errno> {
        Lib::check(lib().zmq_msg_copy(self.ptr(), source.ptr())).map(drop)
    }

    /// `zmq_msg_move` from `source` into this message.
    pub fn move_from(&mut self, source: &mut Self) -> Result<(), Errno> {
        Lib::check(lib().zmq_msg_move(self.ptr(), source.ptr())).map(drop)
    }

    /// `zmq_msg_close`, without giving the structure up: a second close must be harmless.
    pub fn close(&mut self) -> Result<(), Errno> {
        Lib::check(lib().zmq_msg_close(self.ptr())).map(drop)
    }
}

impl Drop for Msg {
    fn drop(&mut self) {
        // A message that was closed before reports EFAULT, which is no news here.
        let _ = lib().zmq_msg_close(&mut *self.raw);
    }
}
