//! The options, counters and events about sockets that anybody can reach, as C programs see them:
//! the `AUGHT_` names of `zmq.h` that are no drops. That they do what they say is tested in the
//! Rust interface.

#![expect(clippy::undocumented_unsafe_blocks, reason = "every call passes valid memory or none")]

use std::ffi::{CStr, c_char, c_int, c_void};

// Links the library that defines the functions below.
use zmq as _;

unsafe extern "C" {
    fn zmq_errno() -> c_int;
    fn zmq_ctx_new() -> *mut c_void;
    fn zmq_ctx_set(context: *mut c_void, option: c_int, value: c_int) -> c_int;
    fn zmq_ctx_get(context: *mut c_void, option: c_int) -> c_int;
    fn zmq_ctx_term(context: *mut c_void) -> c_int;
    fn zmq_socket(context: *mut c_void, kind: c_int) -> *mut c_void;
    fn zmq_close(socket: *mut c_void) -> c_int;
    fn zmq_bind(socket: *mut c_void, endpoint: *const c_char) -> c_int;
    fn zmq_connect(socket: *mut c_void, endpoint: *const c_char) -> c_int;
    fn zmq_recv(socket: *mut c_void, data: *mut c_void, len: usize, flags: c_int) -> c_int;
    fn zmq_socket_monitor(socket: *mut c_void, endpoint: *const c_char, events: c_int) -> c_int;
    fn zmq_setsockopt(
        socket: *mut c_void,
        option: c_int,
        value: *const c_void,
        len: usize,
    ) -> c_int;
    fn zmq_getsockopt(
        socket: *mut c_void,
        option: c_int,
        value: *mut c_void,
        len: *mut usize,
    ) -> c_int;
}

const PAIR: c_int = 0;
const REP: c_int = 4;
const EVENT_LISTENING: u16 = 8;
const EVENT_ALL: c_int = 0xffff;
const ANYWHERE: &CStr = c"tcp://*:*";

/// The value of a constant in `zmq.h`.
fn constant(name: &str) -> c_int {
    let header = concat!(env!("CARGO_MANIFEST_DIR"), "/include/zmq.h");
    let header = std::fs::read_to_string(header).expect("the header");
    let value = header.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let defined = words.next() == Some("#define") && words.next() == Some(name);
        words.next().filter(|_| defined)
    });
    let value = value.unwrap_or_else(|| panic!("{name} is not defined"));
    match value.strip_prefix("0x") {
        Some(digits) => c_int::from_str_radix(digits, 16).expect("a number"),
        None => value.parse().expect("a number"),
    }
}

struct Context(*mut c_void);

impl Context {
    fn new() -> Self {
        Self(unsafe { zmq_ctx_new() })
    }

    fn socket(&self, kind: c_int) -> Socket {
        let socket = unsafe { zmq_socket(self.0, kind) };
        assert!(!socket.is_null());
        Socket(socket)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        assert_eq!(unsafe { zmq_ctx_term(self.0) }, 0);
    }
}

struct Socket(*mut c_void);

impl Socket {
    fn bind(&self, endpoint: &CStr) -> Result<(), c_int> {
        match unsafe { zmq_bind(self.0, endpoint.as_ptr()) } {
            0 => Ok(()),
            _ => Err(unsafe { zmq_errno() }),
        }
    }

    fn set(&self, option: c_int, value: c_int) -> Result<(), c_int> {
        let len = size_of::<c_int>();
        match unsafe { zmq_setsockopt(self.0, option, (&raw const value).cast(), len) } {
            0 => Ok(()),
            _ => Err(unsafe { zmq_errno() }),
        }
    }

    fn get<T: Default>(&self, option: c_int) -> T {
        let (mut value, mut len) = (T::default(), size_of::<T>());
        let status =
            unsafe { zmq_getsockopt(self.0, option, (&raw mut value).cast(), &raw mut len) };
        assert_eq!((status, len), (0, size_of::<T>()), "option {option:#x}");
        value
    }

    /// The next event of a monitor: its number and its value.
    fn event(&self) -> (u16, i32) {
        let mut head = [0_u8; 6];
        let len = unsafe { zmq_recv(self.0, head.as_mut_ptr().cast(), head.len(), 0) };
        assert_eq!(len, 6);
        let mut endpoint = [0_u8; 256];
        assert!(unsafe { zmq_recv(self.0, endpoint.as_mut_ptr().cast(), endpoint.len(), 0) } >= 0);
        let [a, b, rest @ ..] = head;
        (u16::from_ne_bytes([a, b]), i32::from_ne_bytes(rest))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        assert_eq!(unsafe { zmq_close(self.0) }, 0);
    }
}

#[test]
fn the_policy_is_a_context_option() {
    let option = constant("AUGHT_UNAUTHENTICATED");
    let context = Context::new();
    let refuse = constant("AUGHT_UNAUTHENTICATED_REFUSE");
    for wrong in [-1, 3] {
        assert_eq!(unsafe { zmq_ctx_set(context.0, option, wrong) }, -1);
        assert_eq!(unsafe { zmq_errno() }, libc::EINVAL);
    }
    assert_eq!(unsafe { zmq_ctx_set(context.0, option, refuse) }, 0);
    assert_eq!(unsafe { zmq_ctx_get(context.0, option) }, refuse);
    let socket = context.socket(REP);
    assert_eq!(socket.bind(ANYWHERE), Err(libc::EACCES));
    assert_eq!(socket.bind(c"tcp://127.0.0.1:*"), Ok(()));
    let count = constant("AUGHT_UNAUTHENTICATED_BINDS");
    assert_eq!(socket.get::<u64>(count), 1);
    assert_eq!(unsafe { zmq_ctx_get(context.0, count) }, 1);
    let allow = constant("AUGHT_UNAUTHENTICATED_ALLOW");
    assert_eq!(unsafe { zmq_ctx_set(context.0, option, allow) }, 0);
    assert_eq!(socket.bind(ANYWHERE), Ok(()));
}

#[test]
fn limits_are_socket_options() {
    let context = Context::new();
    let socket = context.socket(REP);
    for (name, default) in [
        ("AUGHT_MAX_CONNECTIONS", 0),
        ("AUGHT_MAX_HANDSHAKES", 0),
        ("AUGHT_MAX_HANDSHAKE_MEMORY", 64 << 20),
    ] {
        let option = constant(name);
        assert_eq!(socket.get::<c_int>(option), default, "{name}");
        assert_eq!(socket.set(option, 1 << 20), Ok(()));
        assert_eq!(socket.get::<c_int>(option), 1 << 20);
        assert_eq!(socket.set(option, -1), Err(libc::EINVAL));
    }
    for name in ["CONNECTIONS", "HANDSHAKES", "MEMORY", "SYSTEM"] {
        assert_eq!(socket.get::<u64>(constant(&format!("AUGHT_LIMITED_{name}"))), 0);
        assert_eq!(socket.set(constant(&format!("AUGHT_LIMITED_{name}")), 1), Err(libc::EINVAL));
    }
}

/// The first event that binding without authentication brings, for a mask.
fn first_event(context: &Context, name: &CStr, mask: c_int) -> (u16, i32) {
    let socket = context.socket(REP);
    let status = unsafe { zmq_socket_monitor(socket.0, name.as_ptr(), mask) };
    assert_eq!(status, 0);
    let monitor = context.socket(PAIR);
    assert_eq!(unsafe { zmq_connect(monitor.0, name.as_ptr()) }, 0);
    assert_eq!(socket.bind(ANYWHERE), Ok(()));
    monitor.event()
}

#[test]
fn events_of_our_own_come_only_when_asked_for() {
    let context = Context::new();
    let option = constant("AUGHT_UNAUTHENTICATED");
    assert_eq!(unsafe { zmq_ctx_set(context.0, option, 0) }, 0);
    for mask in [EVENT_ALL, -1, c_int::MAX, 0x1_ffff] {
        assert_eq!(first_event(&context, c"inproc://all", mask).0, EVENT_LISTENING, "{mask:#x}");
    }
    let ours = constant("AUGHT_EVENT_UNAUTHENTICATED") | constant("AUGHT_EVENT_LIMIT");
    let number = constant("AUGHT_EVENT_UNAUTHENTICATED_NUMBER");
    for mask in [EVENT_ALL | ours, ours] {
        let event = first_event(&context, c"inproc://ours", mask);
        assert_eq!((c_int::from(event.0), event.1), (number, 0));
    }
    let limit = constant("AUGHT_EVENT_LIMIT_NUMBER");
    assert!(limit.count_ones() > 1 && number.count_ones() > 1, "no event that has a bit");
}
