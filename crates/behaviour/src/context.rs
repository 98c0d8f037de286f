//! A context that terminates when dropped, and says so when termination hangs.

use crate::watchdog::Watch;
use crate::{EINTR, Errno, Lib, Sock, lib};
use std::ffi::{c_int, c_void};
use std::sync::mpsc;
use std::time::Duration;

/// How long a context may take to terminate when its test is over.
const TERM_LIMIT: Duration = Duration::from_secs(30);

/// A ZeroMQ context. Declare it before its sockets, so that it is dropped after them.
pub struct Ctx {
    raw: *mut c_void,
    _watch: Watch,
}

// SAFETY: contexts are thread safe (zmq(7)).
unsafe impl Send for Ctx {}
// SAFETY: as above.
unsafe impl Sync for Ctx {}

impl Default for Ctx {
    fn default() -> Self {
        Self::new()
    }
}

impl Ctx {
    /// `zmq_ctx_new`.
    pub fn new() -> Self {
        Self::from_raw(lib().zmq_ctx_new())
    }

    /// Owns a context that was made by other means.
    pub fn from_raw(raw: *mut c_void) -> Self {
        assert!(!raw.is_null(), "no context");
        Self { raw, _watch: Watch::start() }
    }

    /// The pointer of the C interface.
    pub fn raw(&self) -> *mut c_void {
        self.raw
    }

    /// A socket whose sends and receives give up with `EAGAIN` after [`crate::GUARD_MS`], so
    /// that a message that never comes fails its test instead of hanging it.
    ///
    /// # Panics
    /// When the socket cannot be created.
    pub fn socket(&self, kind: c_int) -> Sock {
        let socket = self.plain_socket(kind);
        socket.guard();
        socket
    }

    /// A socket with every option at its default.
    ///
    /// # Panics
    /// When the socket cannot be created.
    pub fn plain_socket(&self, kind: c_int) -> Sock {
        self.try_socket(kind).unwrap_or_else(|error| panic!("zmq_socket({kind}): {error:?}"))
    }

    /// `zmq_socket`.
    pub fn try_socket(&self, kind: c_int) -> Result<Sock, Errno> {
        let raw = lib().zmq_socket(self.raw, kind);
        if raw.is_null() { Err(Lib::last()) } else { Ok(Sock::from_raw(raw)) }
    }

    /// `zmq_ctx_set`.
    pub fn set(&self, option: c_int, value: c_int) -> Result<(), Errno> {
        Lib::check(lib().zmq_ctx_set(self.raw, option, value)).map(drop)
    }

    /// `zmq_ctx_get`.
    pub fn get(&self, option: c_int) -> Result<i32, Errno> {
        Lib::check(lib().zmq_ctx_get(self.raw, option))
    }

    /// `zmq_ctx_shutdown`.
    pub fn shutdown(&self) -> Result<(), Errno> {
        Lib::check(lib().zmq_ctx_shutdown(self.raw)).map(drop)
    }

    /// `zmq_ctx_term`, after which the context is gone.
    pub fn term(mut self) -> Result<(), Errno> {
        let raw = std::mem::replace(&mut self.raw, std::ptr::null_mut());
        term(raw)
    }

    /// Starts `zmq_ctx_term` on another thread; the channel gets its outcome.
    pub fn term_elsewhere(mut self) -> mpsc::Receiver<Result<(), Errno>> {
        let raw = std::mem::replace(&mut self.raw, std::ptr::null_mut());
        spawn_term(raw)
    }
}

fn term(raw: *mut c_void) -> Result<(), Errno> {
    loop {
        match Lib::check(lib().zmq_ctx_term(raw)) {
            // A signal of another test's: termination can be taken up again.
            Err(EINTR) => continue,
            outcome => return outcome.map(drop),
        }
    }
}

fn spawn_term(raw: *mut c_void) -> mpsc::Receiver<Result<(), Errno>> {
    let (done, outcome) = mpsc::channel();
    let address = raw as usize;
    std::thread::spawn(move || {
        // The receiver may have given up: then nobody is left to tell.
        let _ = done.send(term(address as *mut c_void));
    });
    outcome
}

impl Drop for Ctx {
    fn drop(&mut self) {
        if self.raw.is_null() || std::thread::panicking() {
            return;
        }
        match spawn_term(self.raw).recv_timeout(TERM_LIMIT) {
            Ok(outcome) => outcome.expect("terminate"),
            Err(_) => panic!("zmq_ctx_term still blocks after {TERM_LIMIT:?}"),
        }
    }
}
