//! A socket that closes itself with a linger of zero, and poll.

use crate::consts::*;
use crate::{EAGAIN, Errno, Lib, PollItem, Transport, lib};
use std::ffi::{CStr, CString, c_int, c_long, c_short, c_void};
use std::time::Duration;

/// How long a guarded socket waits, in milliseconds: far above what any case needs.
pub const GUARD_MS: i32 = 20_000;
/// What buffers hold before the library writes to them.
pub const UNTOUCHED: u8 = 0xaa;
/// How long "nothing comes" is waited for, in milliseconds.
const QUIET_MS: c_long = 120;

impl Lib {
    /// The error of the call before.
    pub fn last() -> Errno {
        Errno(lib().zmq_errno())
    }

    /// A result as C returns it: -1 for an error.
    pub fn check(rc: c_int) -> Result<c_int, Errno> {
        if rc == -1 { Err(Self::last()) } else { Ok(rc) }
    }
}

/// A socket of the C interface.
pub struct Sock {
    raw: *mut c_void,
}

// SAFETY: a socket may migrate between threads with a full fence (zmq_socket(3)); moving a Rust
// value to a thread is one.
unsafe impl Send for Sock {}

fn c_string(text: &str) -> CString {
    CString::new(text).expect("no zero byte")
}

/// The text of some bytes, for messages that are text.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Sock {
    pub(crate) fn from_raw(raw: *mut c_void) -> Self {
        Self { raw }
    }

    /// The pointer of the C interface.
    pub fn raw(&self) -> *mut c_void {
        self.raw
    }

    /// Gives up on sends and receives after [`GUARD_MS`].
    ///
    /// # Panics
    /// When the options cannot be set.
    pub fn guard(&self) {
        self.set(RCVTIMEO, GUARD_MS).expect("RCVTIMEO");
        self.set(SNDTIMEO, GUARD_MS).expect("SNDTIMEO");
    }

    /// `zmq_close`, at the socket's own linger.
    pub fn close(mut self) -> Result<(), Errno> {
        let raw = std::mem::replace(&mut self.raw, std::ptr::null_mut());
        Lib::check(lib().zmq_close(raw)).map(drop)
    }

    /// `zmq_bind`.
    pub fn bind(&self, endpoint: &str) -> Result<(), Errno> {
        Lib::check(lib().zmq_bind(self.raw, c_string(endpoint).as_ptr())).map(drop)
    }

    /// `zmq_connect`.
    pub fn connect(&self, endpoint: &str) -> Result<(), Errno> {
        Lib::check(lib().zmq_connect(self.raw, c_string(endpoint).as_ptr())).map(drop)
    }

    /// `zmq_unbind`.
    pub fn unbind(&self, endpoint: &str) -> Result<(), Errno> {
        Lib::check(lib().zmq_unbind(self.raw, c_string(endpoint).as_ptr())).map(drop)
    }

    /// `zmq_disconnect`.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), Errno> {
        Lib::check(lib().zmq_disconnect(self.raw, c_string(endpoint).as_ptr())).map(drop)
    }

    /// `zmq_socket_monitor`.
    pub fn monitor(&self, endpoint: &str, events: c_int) -> Result<(), Errno> {
        Lib::check(lib().zmq_socket_monitor(self.raw, c_string(endpoint).as_ptr(), events))
            .map(drop)
    }

    /// Binds to a fresh endpoint of a transport and returns the one to connect to.
    ///
    /// # Panics
    /// When the bind fails.
    pub fn bind_to(&self, transport: Transport) -> String {
        let endpoint = transport.endpoint();
        self.bind(&endpoint).unwrap_or_else(|error| panic!("bind {endpoint}: {error:?}"));
        self.last_endpoint()
    }

    /// `ZMQ_LAST_ENDPOINT`.
    ///
    /// # Panics
    /// When the option cannot be read.
    pub fn last_endpoint(&self) -> String {
        let bytes = self.get_bytes(LAST_ENDPOINT).expect("LAST_ENDPOINT");
        let end = CStr::from_bytes_with_nul(&bytes).expect("one zero byte, at the end");
        text(end.to_bytes())
    }

    /// `zmq_setsockopt` of an `int`.
    pub fn set(&self, option: c_int, value: c_int) -> Result<(), Errno> {
        self.set_bytes(option, &value.to_ne_bytes())
    }

    /// `zmq_setsockopt` of bytes.
    pub fn set_bytes(&self, option: c_int, value: &[u8]) -> Result<(), Errno> {
        let rc = lib().zmq_setsockopt(self.raw, option, value.as_ptr().cast(), value.len());
        Lib::check(rc).map(drop)
    }

    /// `zmq_getsockopt` of an `int`.
    ///
    /// # Panics
    /// When the library writes another size than an `int`'s.
    pub fn get(&self, option: c_int) -> Result<i32, Errno> {
        let bytes = self.get_sized(option, 4)?;
        Ok(i32::from_ne_bytes(bytes.try_into().expect("four bytes")))
    }

    /// `zmq_getsockopt` into a large buffer: what the library wrote.
    pub fn get_bytes(&self, option: c_int) -> Result<Vec<u8>, Errno> {
        self.get_sized(option, 1024)
    }

    /// `zmq_getsockopt` into a buffer of a size: what the library wrote.
    pub fn get_sized(&self, option: c_int, size: usize) -> Result<Vec<u8>, Errno> {
        let mut buffer = vec![UNTOUCHED; size];
        let len = self.get_into(option, &mut buffer, size)?;
        buffer.truncate(len);
        Ok(buffer)
    }

    /// `zmq_getsockopt` into a buffer that is said to have some room: the length that the library
    /// set, which has to be the room when it fails.
    ///
    /// # Panics
    /// When the call fails and changes the length.
    pub fn get_into(&self, option: c_int, buffer: &mut [u8], room: usize) -> Result<usize, Errno> {
        let mut len = room;
        let value = buffer.as_mut_ptr().cast();
        let result = Lib::check(lib().zmq_getsockopt(self.raw, option, value, &mut len));
        if result.is_err() {
            assert_eq!(len, room, "option {option} failed and set a length");
        }
        result.map(|_| len)
    }

    /// Subscribes to a prefix.
    ///
    /// # Panics
    /// When the call fails.
    pub fn subscribe(&self, prefix: impl AsRef<[u8]>) {
        self.set_bytes(SUBSCRIBE, prefix.as_ref()).expect("SUBSCRIBE");
    }

    /// Takes a subscription back.
    ///
    /// # Panics
    /// When the call fails.
    pub fn unsubscribe(&self, prefix: impl AsRef<[u8]>) {
        self.set_bytes(UNSUBSCRIBE, prefix.as_ref()).expect("UNSUBSCRIBE");
    }

    /// `zmq_send` with flags: the number of bytes.
    pub fn send_flags(&self, bytes: impl AsRef<[u8]>, flags: c_int) -> Result<i32, Errno> {
        let bytes = bytes.as_ref();
        Lib::check(lib().zmq_send(self.raw, bytes.as_ptr().cast(), bytes.len(), flags))
    }

    /// `zmq_send` of a last part.
    pub fn send(&self, bytes: impl AsRef<[u8]>) -> Result<(), Errno> {
        self.send_flags(bytes, 0).map(drop)
    }

    /// `zmq_send` of a part that others follow.
    pub fn send_more(&self, bytes: impl AsRef<[u8]>) -> Result<(), Errno> {
        self.send_flags(bytes, SNDMORE).map(drop)
    }

    /// `zmq_send` of a last part, without waiting.
    pub fn try_send(&self, bytes: impl AsRef<[u8]>) -> Result<(), Errno> {
        self.send_flags(bytes, DONTWAIT).map(drop)
    }

    /// One message of several parts.
    pub fn send_all<B: AsRef<[u8]>>(&self, parts: &[B]) -> Result<(), Errno> {
        for (index, part) in parts.iter().enumerate() {
            let more = if index + 1 < parts.len() { SNDMORE } else { 0 };
            self.send_flags(part, more)?;
        }
        Ok(())
    }

    /// One part, with flags.
    pub fn recv_flags(&self, flags: c_int) -> Result<Vec<u8>, Errno> {
        let mut msg = crate::Msg::new();
        msg.recv(self, flags)?;
        Ok(msg.bytes())
    }

    /// One part.
    pub fn recv(&self) -> Result<Vec<u8>, Errno> {
        self.recv_flags(0)
    }

    /// One part, without waiting.
    pub fn try_recv(&self) -> Result<Vec<u8>, Errno> {
        self.recv_flags(DONTWAIT)
    }

    /// All parts of a message.
    pub fn recv_all(&self) -> Result<Vec<Vec<u8>>, Errno> {
        let mut parts = vec![self.recv()?];
        while self.more() {
            parts.push(self.recv()?);
        }
        Ok(parts)
    }

    /// All parts of a message, as text.
    ///
    /// # Panics
    /// When no message comes.
    pub fn recv_text(&self) -> Vec<String> {
        self.recv_all().expect("a message").iter().map(|part| text(part)).collect()
    }

    /// Receives a message of one part and compares it.
    ///
    /// # Panics
    /// When another message comes, or none.
    #[track_caller]
    pub fn expect(&self, expected: impl AsRef<[u8]>) {
        self.expect_all(&[expected]);
    }

    /// Receives a message and compares its parts.
    ///
    /// # Panics
    /// When another message comes, or none.
    #[track_caller]
    pub fn expect_all<B: AsRef<[u8]>>(&self, expected: &[B]) {
        let shown = |parts: Vec<&[u8]>| -> Vec<String> {
            parts.iter().map(|part| part.escape_ascii().to_string()).collect()
        };
        let got = match self.recv_all() {
            Ok(got) => got,
            Err(error) => panic!("no message: {error:?}"),
        };
        assert_eq!(
            shown(got.iter().map(Vec::as_slice).collect()),
            shown(expected.iter().map(AsRef::as_ref).collect())
        );
    }

    /// Checks that no message is there, nor comes in a short while.
    ///
    /// # Panics
    /// When one does.
    #[track_caller]
    pub fn expect_nothing(&self) {
        assert_eq!(self.poll(POLLIN, QUIET_MS), 0, "a message came");
        assert_eq!(self.try_recv(), Err(EAGAIN));
    }

    /// Waits until a message can be received.
    ///
    /// # Panics
    /// When none comes.
    #[track_caller]
    pub fn await_readable(&self) {
        assert_eq!(self.poll(POLLIN, c_long::from(GUARD_MS)), POLLIN, "no message");
    }

    /// Waits until a message can be sent.
    ///
    /// # Panics
    /// When the socket stays mute.
    #[track_caller]
    pub fn await_writable(&self) {
        assert_eq!(self.poll(POLLOUT, c_long::from(GUARD_MS)), POLLOUT, "mute");
    }

    /// `ZMQ_RCVMORE`.
    ///
    /// # Panics
    /// When the option cannot be read.
    pub fn more(&self) -> bool {
        self.get(RCVMORE).expect("RCVMORE") != 0
    }

    /// `ZMQ_EVENTS`.
    ///
    /// # Panics
    /// When the option cannot be read.
    pub fn events(&self) -> i32 {
        self.get(EVENTS).expect("EVENTS")
    }

    /// `zmq_poll` of this socket alone: what it returned, 0 after the timeout in milliseconds.
    ///
    /// # Panics
    /// When the call fails.
    pub fn poll(&self, events: c_int, timeout: c_long) -> i32 {
        let mut items = [self.item(events)];
        poll(&mut items, timeout).expect("zmq_poll");
        i32::from(items[0].revents)
    }

    /// An item for `zmq_poll`.
    pub fn item(&self, events: c_int) -> PollItem {
        PollItem { socket: self.raw, fd: -1, events: events as c_short, revents: 0 }
    }

    /// Sends until the socket would block, and returns how many messages it took.
    ///
    /// The bound ends a socket that never blocks.
    ///
    /// # Panics
    /// On any other error.
    pub fn fill(&self, bytes: impl AsRef<[u8]>, bound: usize) -> usize {
        for sent in 0..bound {
            match self.try_send(bytes.as_ref()) {
                Ok(()) => {}
                Err(EAGAIN) => return sent,
                Err(error) => panic!("send: {error:?}"),
            }
        }
        bound
    }

    /// Receives messages until none comes for a short while, and returns how many came.
    ///
    /// # Panics
    /// On any error but `EAGAIN`.
    pub fn drain(&self) -> usize {
        let mut count = 0;
        while self.poll(POLLIN, QUIET_MS) != 0 {
            self.recv_all().expect("a message");
            count += 1;
        }
        count
    }

    /// Repeats a call with short pauses until it returns a value: for what the library does on
    /// its own threads and no call waits for.
    ///
    /// # Panics
    /// After [`GUARD_MS`].
    pub fn until<T>(mut call: impl FnMut() -> Option<T>) -> T {
        let start = std::time::Instant::now();
        loop {
            if let Some(value) = call() {
                return value;
            }
            assert!(start.elapsed().as_millis() < GUARD_MS as u128, "it did not come to pass");
            elapse(Duration::from_millis(2));
        }
    }
}

impl Drop for Sock {
    fn drop(&mut self) {
        if self.raw.is_null() {
            return;
        }
        // Neither can fail on a live socket, and a dead one has nothing left to say.
        let _ = self.set(LINGER, 0);
        let _ = lib().zmq_close(self.raw);
    }
}

/// Lets time pass: between two looks at what nothing announces, and where time is the subject.
#[expect(clippy::disallowed_methods, reason = "no event exists to wait on, or time is the event")]
pub fn elapse(time: Duration) {
    std::thread::sleep(time);
}

/// `zmq_poll`: how many items have events.
pub fn poll(items: &mut [PollItem], timeout: c_long) -> Result<i32, Errno> {
    Lib::check(lib().zmq_poll(items.as_mut_ptr(), items.len() as c_int, timeout))
}
