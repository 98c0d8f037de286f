//! Every option of sockets and contexts, of every length, in memory that ends where the caller
//! says that it does: behind it is a page that nobody may touch, and whoever does ends this
//! process. Likewise the functions that take strings and keys. What the values mean is tested
//! elsewhere.

#![expect(clippy::undocumented_unsafe_blocks, reason = "memory that may not be used is the point")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{null_mut, slice_from_raw_parts};

// Links the library that defines the functions below.
use zmq as _;

/// `zmq_msg_t`.
#[repr(C, align(8))]
struct Msg([u8; 64]);

unsafe extern "C" {
    fn zmq_ctx_new() -> *mut c_void;
    fn zmq_ctx_term(context: *mut c_void) -> c_int;
    fn zmq_ctx_set_ext(
        context: *mut c_void,
        option: c_int,
        value: *const c_void,
        len: usize,
    ) -> c_int;
    fn zmq_ctx_get_ext(
        context: *mut c_void,
        option: c_int,
        value: *mut c_void,
        len: *mut usize,
    ) -> c_int;
    fn zmq_socket(context: *mut c_void, kind: c_int) -> *mut c_void;
    fn zmq_close(socket: *mut c_void) -> c_int;
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
    fn zmq_bind(socket: *mut c_void, endpoint: *const c_char) -> c_int;
    fn zmq_connect(socket: *mut c_void, endpoint: *const c_char) -> c_int;
    fn zmq_send(socket: *mut c_void, data: *const c_void, len: usize, flags: c_int) -> c_int;
    fn zmq_msg_init(message: *mut Msg) -> c_int;
    fn zmq_msg_recv(message: *mut Msg, socket: *mut c_void, flags: c_int) -> c_int;
    fn zmq_msg_close(message: *mut Msg) -> c_int;
    fn zmq_msg_gets(message: *const Msg, property: *const c_char) -> *const c_char;
    fn zmq_z85_encode(out: *mut c_char, data: *const u8, len: usize) -> *mut c_char;
    fn zmq_z85_decode(out: *mut u8, text: *const c_char) -> *mut u8;
    fn zmq_curve_keypair(public: *mut c_char, secret: *mut c_char) -> c_int;
    fn zmq_curve_public(public: *mut c_char, secret: *const c_char) -> c_int;
}

/// The twelve stable types, PAIR to STREAM.
const KINDS: std::ops::RangeInclusive<c_int> = 0..=11;
const PULL: c_int = 7;
const PUSH: c_int = 8;
const LAST_ENDPOINT: c_int = 32;
/// Lengths of values, in bytes.
const MOST: usize = 300;
/// A byte that is in front of every value, and stays there.
const CANARY: u8 = 0xa5;
/// How many of them.
const MARGIN: usize = 64;

/// Numbers that options may have: those of libzmq, released or not, and our own.
fn options() -> impl Iterator<Item = c_int> {
    (-1..=120).chain(0x4155_0000..=0x4155_0010).chain(0x4155_0100..=0x4155_0118)
}

/// A page to write to in front of one that nobody may touch.
struct Pages {
    start: *mut u8,
    size: usize,
}

impl Pages {
    fn new() -> Self {
        unsafe {
            let size = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).expect("a size");
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let start = libc::mmap(null_mut(), 2 * size, access, flags, -1, 0);
            assert!(start != libc::MAP_FAILED);
            let start = start.cast::<u8>();
            assert_eq!(libc::mprotect(start.add(size).cast(), size, libc::PROT_NONE), 0);
            Self { start, size }
        }
    }

    /// These bytes, at the end of the page.
    fn hold(&self, bytes: &[u8]) -> *mut u8 {
        unsafe {
            let place = self.room(bytes.len());
            place.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            place
        }
    }

    /// Room for `len` bytes at the end of the page.
    fn room(&self, len: usize) -> *mut u8 {
        assert!(len + MARGIN <= self.size);
        unsafe {
            let place = self.start.add(self.size - len);
            place.sub(MARGIN).write_bytes(CANARY, MARGIN + len);
            place
        }
    }

    /// The last `len` bytes of the page. What is in front of them is as it was.
    fn read(&self, len: usize, what: &str) -> &[u8] {
        unsafe {
            let place = self.start.add(self.size - len);
            let before = &*slice_from_raw_parts(place.sub(MARGIN), MARGIN);
            assert!(before.iter().all(|byte| *byte == CANARY), "{what} wrote in front");
            &*slice_from_raw_parts(place, len)
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        assert_eq!(unsafe { libc::munmap(self.start.cast(), 2 * self.size) }, 0);
    }
}

/// What values consist of: numbers that are nothing, small, or negative; text; keys of CURVE.
const PATTERNS: [&[u8]; 4] =
    [&[0], &[0xff], &[1, 0, 0, 0, 0, 0, 0, 0], b"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"];

/// Writes and reads an option with every length and pattern. Returns how often that succeeded.
fn walk(
    pages: &Pages,
    what: &str,
    set: impl Fn(*const c_void, usize) -> c_int,
    get: impl Fn(*mut c_void, *mut usize) -> c_int,
) -> usize {
    let mut done = 0;
    for pattern in PATTERNS {
        let value = pattern.repeat(MOST / pattern.len() + 1);
        for len in 0..=MOST {
            let status = set(pages.hold(&value[..len]).cast(), len);
            assert!(status == 0 || status == -1, "{what}, {len} bytes: {status}");
            done += usize::from(status == 0);
            assert!(*pages.read(len, what) == value[..len], "{what} changed what it was given");
        }
        for len in 0..=MOST {
            let mut said = len;
            let status = get(pages.room(len).cast(), &raw mut said);
            assert!(status == 0 || status == -1, "{what}, room for {len}: {status}");
            done += usize::from(status == 0);
            assert!(status == -1 || said <= len, "{what}: {said} bytes in room for {len}");
            pages.read(len, what);
        }
    }
    done
}

/// Nothing is bound or connected: `ZMQ_USE_FD` takes no descriptor.
#[test]
fn osv_2020_1655_options_of_sockets_keep_to_their_length() {
    let context = unsafe { zmq_ctx_new() };
    let pages = Pages::new();
    let mut done = 0;
    for kind in KINDS {
        for option in options() {
            let socket = unsafe { zmq_socket(context, kind) };
            assert!(!socket.is_null());
            done += walk(
                &pages,
                &format!("option {option} of type {kind}"),
                |value, len| unsafe { zmq_setsockopt(socket, option, value, len) },
                |value, len| unsafe { zmq_getsockopt(socket, option, value, len) },
            );
            assert_eq!(unsafe { zmq_close(socket) }, 0);
        }
    }
    assert_eq!(unsafe { zmq_ctx_term(context) }, 0);
    assert!(done > 100_000, "only {done} calls succeed: this tries nothing");
}

#[test]
fn osv_2020_1655_options_of_contexts_keep_to_their_length() {
    let pages = Pages::new();
    let mut done = 0;
    for option in options() {
        let context = unsafe { zmq_ctx_new() };
        done += walk(
            &pages,
            &format!("option {option} of contexts"),
            |value, len| unsafe { zmq_ctx_set_ext(context, option, value, len) },
            |value, len| unsafe { zmq_ctx_get_ext(context, option, value, len) },
        );
        assert_eq!(unsafe { zmq_ctx_term(context) }, 0);
    }
    assert!(done > 20, "only {done} calls succeed: this tries nothing");
}

#[test]
fn z85_keeps_to_its_length() {
    let (data, text) = (Pages::new(), Pages::new());
    for len in 0..=MOST {
        let room = len / 4 * 5 + 1;
        let (from, to) = (data.hold(&[0xfe; MOST][..len]), text.room(room));
        let encoded = unsafe { zmq_z85_encode(to.cast(), from, len) };
        assert_eq!(encoded.is_null(), len % 4 != 0, "{len}");
        let written = text.read(room, "zmq_z85_encode");
        assert!(encoded.is_null() || written.ends_with(&[0]), "{len}");
    }
    // Also with what is no Z85, and with blocks beyond 32 bits, at the end and before it.
    for (pattern, last) in [("rq:rM", "rM"), ("rq:rM", "\x7f"), ("rq:rM", "\u{e9}"), ("#", "#")] {
        for len in 0..=MOST {
            let mut from: Vec<u8> = pattern.bytes().cycle().take(len).collect();
            let end = len.saturating_sub(last.len());
            from.splice(end.., last.bytes().take(len - end));
            from.push(0);
            let (from, to) = (text.hold(&from), data.room(len / 5 * 4));
            let decoded = unsafe { zmq_z85_decode(to, from.cast()) };
            let valid = len % 5 == 0 && (pattern, last) == ("rq:rM", "rM");
            assert!(!valid || len == 0 || !decoded.is_null(), "{pattern} {last} {len}");
            assert!(len % 5 == 0 || decoded.is_null(), "{pattern} {last} {len}");
            data.read(len / 5 * 4, "zmq_z85_decode");
        }
    }
}

#[test]
fn keys_are_made_within_41_bytes() {
    let (public, secret, derived) = (Pages::new(), Pages::new(), Pages::new());
    let (first, second) = (public.room(41), secret.room(41));
    assert_eq!(unsafe { zmq_curve_keypair(first.cast(), second.cast()) }, 0);
    let third = derived.room(41);
    assert_eq!(unsafe { zmq_curve_public(third.cast(), second.cast()) }, 0);
    let read = |pages: &Pages| pages.read(41, "a key").to_vec();
    assert_eq!(read(&public), read(&derived));
    // Of every other length, it is no key.
    for len in (0..=MOST).filter(|len| *len != 40) {
        let mut text = vec![b'r'; len];
        text.push(0);
        let (from, to) = (secret.hold(&text), derived.room(41));
        assert_eq!(unsafe { zmq_curve_public(to.cast(), from.cast()) }, -1, "{len}");
        derived.read(41, "zmq_curve_public");
    }
}

#[test]
fn names_of_properties_are_read_to_their_end() {
    let pages = Pages::new();
    let mut message = Msg([0; 64]);
    unsafe {
        let context = zmq_ctx_new();
        let (pull, push) = (zmq_socket(context, PULL), zmq_socket(context, PUSH));
        assert_eq!(zmq_bind(pull, c"tcp://127.0.0.1:*".as_ptr()), 0);
        let (mut endpoint, mut len) = ([0_u8; 64], 64);
        let place = endpoint.as_mut_ptr().cast();
        assert_eq!(zmq_getsockopt(pull, LAST_ENDPOINT, place, &raw mut len), 0);
        assert_eq!(zmq_connect(push, endpoint.as_ptr().cast()), 0);
        assert_eq!(zmq_send(push, c"hello".as_ptr().cast(), 5, 0), 5);
        assert_eq!(zmq_msg_init(&raw mut message), 0);
        assert_eq!(zmq_msg_recv(&raw mut message, pull, 0), 5);
        for socket in [push, pull] {
            assert_eq!(zmq_close(socket), 0);
        }
        let gets = |name: &[u8]| {
            let name = CString::new(name).expect("no zero in it");
            let name = pages.hold(name.as_bytes_with_nul());
            let value = zmq_msg_gets(&raw const message, name.cast());
            (!value.is_null()).then(|| CStr::from_ptr(value).to_owned())
        };
        let known = b"Socket-Type";
        assert_eq!(gets(known).as_deref(), Some(c"PUSH"));
        for end in 0..known.len() {
            assert_eq!(gets(&known[..end]), None, "{end}");
        }
        for len in 0..=MOST {
            for byte in [b'S', b'_', 0xff] {
                assert_eq!(gets(&vec![byte; len]), None, "{len}");
            }
        }
        assert_eq!(zmq_msg_close(&raw mut message), 0);
        assert_eq!(zmq_ctx_term(context), 0);
    }
}
