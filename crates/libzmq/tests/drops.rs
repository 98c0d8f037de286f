//! Reading the counts of dropped messages through C: the options `AUGHT_DROPS_` of `zmq.h`. What
//! is counted is tested in the `aught` crate.

#![expect(clippy::undocumented_unsafe_blocks, reason = "every call passes valid memory or none")]

use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};

// Links the library that defines the functions below.
use zmq as _;

unsafe extern "C" {
    fn zmq_errno() -> c_int;
    fn zmq_ctx_new() -> *mut c_void;
    fn zmq_ctx_term(context: *mut c_void) -> c_int;
    fn zmq_ctx_get(context: *mut c_void, option: c_int) -> c_int;
    fn zmq_ctx_set(context: *mut c_void, option: c_int, value: c_int) -> c_int;
    fn zmq_ctx_get_ext(c: *mut c_void, option: c_int, value: *mut c_void, len: *mut usize)
    -> c_int;
    fn zmq_socket(context: *mut c_void, kind: c_int) -> *mut c_void;
    fn zmq_close(socket: *mut c_void) -> c_int;
    fn zmq_setsockopt(s: *mut c_void, option: c_int, value: *const c_void, len: usize) -> c_int;
    fn zmq_getsockopt(s: *mut c_void, option: c_int, value: *mut c_void, len: *mut usize) -> c_int;
    fn zmq_send(socket: *mut c_void, data: *const c_void, len: usize, flags: c_int) -> c_int;
}

const ROUTER: c_int = 6;
const SNDMORE: c_int = 2;

/// The family's numbers by name, as the header has them.
fn numbers() -> BTreeMap<String, c_int> {
    let header = concat!(env!("CARGO_MANIFEST_DIR"), "/include/zmq.h");
    let header = std::fs::read_to_string(header).expect("the header");
    header
        .lines()
        .filter_map(|line| line.strip_prefix("#define AUGHT_DROPS_"))
        .map(|rest| {
            let mut words = rest.split_whitespace();
            let name = words.next().expect("a name").to_owned();
            let number = words.next().and_then(|word| word.strip_prefix("0x")).expect("a number");
            (name, c_int::from_str_radix(number, 16).expect("hexadecimal"))
        })
        .collect()
}

type Read = unsafe extern "C" fn(*mut c_void, c_int, *mut c_void, *mut usize) -> c_int;

/// Reads a count of a socket or of a context.
fn count(read: Read, of: *mut c_void, option: c_int) -> Result<u64, c_int> {
    let (mut value, mut len) = (u64::MAX, 8);
    let place = (&raw mut value).cast();
    let result = unsafe { read(of, option, place, &raw mut len) };
    if result == 0 && len == 8 { Ok(value) } else { Err(unsafe { zmq_errno() }) }
}

#[test]
fn drops_are_read_by_their_numbers() {
    let numbers = numbers();
    assert_eq!(numbers.len(), 14, "{numbers:?}");
    let context = unsafe { zmq_ctx_new() };
    let socket = unsafe { zmq_socket(context, ROUTER) };
    for option in numbers.values() {
        assert_eq!(count(zmq_getsockopt, socket, *option), Ok(0), "{option:#x}");
        assert_eq!(count(zmq_ctx_get_ext, context, *option), Ok(0), "{option:#x}");
        // They can only be read.
        let value = 0_u64;
        let set = unsafe { zmq_setsockopt(socket, *option, (&raw const value).cast(), 8) };
        assert_eq!((set, unsafe { zmq_errno() }), (-1, libc::EINVAL));
        assert_eq!(unsafe { zmq_ctx_set(context, *option, 0) }, -1);
        // Into room for 64 bits, and not less.
        let mut short = 7;
        let read = unsafe { zmq_getsockopt(socket, *option, (&raw mut short).cast(), &mut short) };
        assert_eq!((read, unsafe { zmq_errno() }), (-1, libc::EINVAL));
    }
    let [all, unroutable] = ["ALL", "ROUTER_UNROUTABLE"].map(|name| numbers[name]);
    assert_eq!(count(zmq_getsockopt, socket, all - 1), Err(libc::EINVAL));
    assert_eq!(count(zmq_getsockopt, socket, all + 14), Err(libc::EINVAL));

    for _ in 0..3 {
        let text = c"nobody".as_ptr().cast();
        assert_eq!(unsafe { zmq_send(socket, text, 6, SNDMORE) }, 6);
        assert_eq!(unsafe { zmq_send(socket, text, 6, 0) }, 6);
    }
    for option in [all, unroutable] {
        assert_eq!(count(zmq_getsockopt, socket, option), Ok(3));
        assert_eq!(count(zmq_ctx_get_ext, context, option), Ok(3));
        assert_eq!(unsafe { zmq_ctx_get(context, option) }, 3);
    }
    let other = unsafe { zmq_socket(context, ROUTER) };
    assert_eq!(count(zmq_getsockopt, other, all), Ok(0));
    assert_eq!(unsafe { zmq_close(socket) }, 0);
    // The context remembers.
    assert_eq!(count(zmq_ctx_get_ext, context, unroutable), Ok(3));
    assert_eq!(unsafe { zmq_close(other) }, 0);
    assert_eq!(unsafe { zmq_ctx_term(context) }, 0);
}
