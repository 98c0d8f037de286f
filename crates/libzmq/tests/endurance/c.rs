//! The C interface as these tests use it: its declarations, and handles that are mere numbers,
//! as they are to a C program.

#![expect(clippy::undocumented_unsafe_blocks, reason = "every call passes valid memory or none")]

use std::ffi::{CString, c_int, c_long, c_short, c_void};
use std::sync::mpsc;
use std::time::Duration;

// Links the library that defines the functions below.
use zmq as _;

pub(crate) const PAIR: c_int = 0;
pub(crate) const REQ: c_int = 3;
pub(crate) const REP: c_int = 4;
pub(crate) const PULL: c_int = 7;
pub(crate) const PUSH: c_int = 8;
pub(crate) const DONTWAIT: c_int = 1;
pub(crate) const POLLIN: c_short = 1;
pub(crate) const RCVTIMEO: c_int = 27;
pub(crate) const SNDTIMEO: c_int = 28;
pub(crate) const SNDHWM: c_int = 23;
pub(crate) const LINGER: c_int = 17;
pub(crate) const FD: c_int = 14;
pub(crate) const EVENTS: c_int = 15;
pub(crate) const LAST_ENDPOINT: c_int = 32;
pub(crate) const IO_THREADS: c_int = 1;
pub(crate) const ETERM: c_int = 156_384_765;

#[repr(C)]
struct PollItem {
    socket: *mut c_void,
    fd: c_int,
    events: c_short,
    revents: c_short,
}

unsafe extern "C" {
    fn zmq_errno() -> c_int;
    fn zmq_ctx_new() -> *mut c_void;
    fn zmq_ctx_term(context: *mut c_void) -> c_int;
    fn zmq_ctx_shutdown(context: *mut c_void) -> c_int;
    fn zmq_ctx_get(context: *mut c_void, option: c_int) -> c_int;
    fn zmq_ctx_set(context: *mut c_void, option: c_int, value: c_int) -> c_int;
    fn zmq_socket(context: *mut c_void, kind: c_int) -> *mut c_void;
    fn zmq_close(socket: *mut c_void) -> c_int;
    fn zmq_bind(socket: *mut c_void, endpoint: *const i8) -> c_int;
    fn zmq_connect(socket: *mut c_void, endpoint: *const i8) -> c_int;
    fn zmq_unbind(socket: *mut c_void, endpoint: *const i8) -> c_int;
    fn zmq_send(socket: *mut c_void, data: *const c_void, len: usize, flags: c_int) -> c_int;
    fn zmq_recv(socket: *mut c_void, data: *mut c_void, len: usize, flags: c_int) -> c_int;
    fn zmq_setsockopt(s: *mut c_void, option: c_int, value: *const c_void, len: usize) -> c_int;
    fn zmq_getsockopt(s: *mut c_void, option: c_int, value: *mut c_void, len: *mut usize) -> c_int;
    fn zmq_socket_monitor(socket: *mut c_void, endpoint: *const i8, events: c_int) -> c_int;
    fn zmq_poll(items: *mut PollItem, count: c_int, timeout: c_long) -> c_int;
    fn zmq_proxy(front: *mut c_void, back: *mut c_void, capture: *mut c_void) -> c_int;
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) c_int);

type Result<T> = std::result::Result<T, Errno>;

fn checked(result: c_int) -> Result<c_int> {
    if result < 0 { Err(Errno(unsafe { zmq_errno() })) } else { Ok(result) }
}

fn handle(pointer: *mut c_void) -> Result<usize> {
    if pointer.is_null() {
        Err(Errno(unsafe { zmq_errno() }))
    } else {
        Ok(pointer.expose_provenance())
    }
}

fn pointer(handle: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(handle)
}

fn text(endpoint: &str) -> CString {
    CString::new(endpoint).expect("no zero byte")
}

/// A context, or what a C program takes for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ctx(pub(crate) usize);

impl Ctx {
    pub(crate) fn new() -> Self {
        Self(handle(unsafe { zmq_ctx_new() }).expect("a context"))
    }

    pub(crate) fn socket(self, kind: c_int) -> Result<Sock> {
        handle(unsafe { zmq_socket(pointer(self.0), kind) }).map(Sock)
    }

    pub(crate) fn term(self) -> Result<c_int> {
        checked(unsafe { zmq_ctx_term(pointer(self.0)) })
    }

    pub(crate) fn shutdown(self) -> Result<c_int> {
        checked(unsafe { zmq_ctx_shutdown(pointer(self.0)) })
    }

    pub(crate) fn get(self, option: c_int) -> Result<c_int> {
        checked(unsafe { zmq_ctx_get(pointer(self.0), option) })
    }

    pub(crate) fn set(self, option: c_int, value: c_int) -> Result<c_int> {
        checked(unsafe { zmq_ctx_set(pointer(self.0), option, value) })
    }
}

/// A socket, or what a C program takes for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sock(pub(crate) usize);

impl Sock {
    pub(crate) fn close(self) -> Result<c_int> {
        checked(unsafe { zmq_close(pointer(self.0)) })
    }

    pub(crate) fn bind(self, endpoint: &str) -> Result<c_int> {
        checked(unsafe { zmq_bind(pointer(self.0), text(endpoint).as_ptr().cast()) })
    }

    pub(crate) fn connect(self, endpoint: &str) -> Result<c_int> {
        checked(unsafe { zmq_connect(pointer(self.0), text(endpoint).as_ptr().cast()) })
    }

    pub(crate) fn unbind(self, endpoint: &str) -> Result<c_int> {
        checked(unsafe { zmq_unbind(pointer(self.0), text(endpoint).as_ptr().cast()) })
    }

    pub(crate) fn monitor(self, endpoint: &str) -> Result<c_int> {
        checked(unsafe {
            zmq_socket_monitor(pointer(self.0), text(endpoint).as_ptr().cast(), 0xffff)
        })
    }

    pub(crate) fn send(self, data: &[u8], flags: c_int) -> Result<c_int> {
        checked(unsafe { zmq_send(pointer(self.0), data.as_ptr().cast(), data.len(), flags) })
    }

    pub(crate) fn recv(self, flags: c_int) -> Result<Vec<u8>> {
        let mut data = vec![0_u8; 256];
        let len = checked(unsafe {
            zmq_recv(pointer(self.0), data.as_mut_ptr().cast(), data.len(), flags)
        })?;
        data.truncate(usize::try_from(len).expect("a length"));
        Ok(data)
    }

    pub(crate) fn set(self, option: c_int, value: c_int) -> Result<c_int> {
        let value = value.to_ne_bytes();
        checked(unsafe {
            zmq_setsockopt(pointer(self.0), option, value.as_ptr().cast(), value.len())
        })
    }

    pub(crate) fn get(self, option: c_int) -> Result<c_int> {
        let mut value = [0; 4];
        let mut len = value.len();
        checked(unsafe {
            zmq_getsockopt(pointer(self.0), option, value.as_mut_ptr().cast(), &raw mut len)
        })?;
        Ok(c_int::from_ne_bytes(value))
    }

    pub(crate) fn last_endpoint(self) -> Result<String> {
        let mut value = [0_u8; 256];
        let mut len = value.len();
        checked(unsafe {
            zmq_getsockopt(pointer(self.0), LAST_ENDPOINT, value.as_mut_ptr().cast(), &raw mut len)
        })?;
        Ok(String::from_utf8_lossy(&value[..len - 1]).into_owned())
    }
}

/// Polls sockets for input. Returns how many have some.
pub(crate) fn poll(sockets: &[Sock], timeout: c_long) -> Result<c_int> {
    let mut items: Vec<_> = sockets
        .iter()
        .map(|socket| PollItem { socket: pointer(socket.0), fd: 0, events: POLLIN, revents: 0 })
        .collect();
    let count = c_int::try_from(items.len()).expect("few");
    checked(unsafe { zmq_poll(items.as_mut_ptr(), count, timeout) })
}

pub(crate) fn proxy(front: Sock, back: Sock) -> Result<c_int> {
    checked(unsafe { zmq_proxy(pointer(front.0), pointer(back.0), std::ptr::null_mut()) })
}

/// Ends the process if a test hangs, for as long as it lives: a call that waits in C cannot be
/// interrupted.
pub(crate) fn watchdog(name: &'static str) -> mpsc::Sender<()> {
    let (guard, dropped) = mpsc::channel();
    std::thread::spawn(move || {
        let limit = Duration::from_secs(if crate::times(0, 1) == 0 { 120 } else { 3600 });
        if dropped.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
            give_up(name);
        }
    });
    guard
}

#[expect(clippy::print_stderr, reason = "the last words of a process that hangs")]
#[expect(clippy::disallowed_methods, reason = "a thread that hangs in C cannot be unwound")]
fn give_up(name: &str) {
    eprintln!("{name} hangs");
    std::process::exit(101);
}
