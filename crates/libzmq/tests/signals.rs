//! zmq_ppoll(3) with a set of signals: what is blocked outside the call is let in by it, and only
//! by it. A draft, which the reference of the distributions does not export.

#![expect(clippy::undocumented_unsafe_blocks, reason = "every call passes valid memory or none")]

use std::ffi::{c_int, c_long, c_short, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

// Links the library that defines the functions below.
use zmq as _;

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
    fn zmq_socket(context: *mut c_void, kind: c_int) -> *mut c_void;
    fn zmq_close(socket: *mut c_void) -> c_int;
    fn zmq_bind(socket: *mut c_void, endpoint: *const i8) -> c_int;
    fn zmq_connect(socket: *mut c_void, endpoint: *const i8) -> c_int;
    fn zmq_send(socket: *mut c_void, data: *const c_void, len: usize, flags: c_int) -> c_int;
    fn zmq_ppoll(
        items: *mut PollItem,
        count: c_int,
        timeout: c_long,
        mask: *const libc::sigset_t,
    ) -> c_int;
}

const PULL: c_int = 7;
const PUSH: c_int = 8;

static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn handle(_: c_int) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

fn handled() -> usize {
    HANDLED.load(Ordering::SeqCst)
}

/// Installs the handler and blocks the signal on this thread. Returns the mask from before.
fn block() -> libc::sigset_t {
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handle as *const () as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()), 0);
        let mut set = std::mem::zeroed();
        let mut before = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGUSR1);
        assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, &set, &mut before), 0);
        before
    }
}

/// A signal to this thread alone, which waits for the mask to let it in.
fn raise() {
    unsafe { assert_eq!(libc::pthread_kill(libc::pthread_self(), libc::SIGUSR1), 0) };
}

fn ppoll(socket: *mut c_void, timeout: c_long, mask: *const libc::sigset_t) -> Result<c_int, i32> {
    let mut item = PollItem { socket, fd: -1, events: 1, revents: 0 };
    let count = unsafe { zmq_ppoll(&mut item, 1, timeout, mask) };
    if count < 0 { Err(unsafe { zmq_errno() }) } else { Ok(count) }
}

#[test]
fn a_mask_lets_signals_in_while_waiting() {
    let open = block();
    let (context, pull, push) = unsafe {
        let context = zmq_ctx_new();
        (context, zmq_socket(context, PULL), zmq_socket(context, PUSH))
    };
    let endpoint = c"inproc://signals".as_ptr().cast();
    assert_eq!(unsafe { zmq_bind(pull, endpoint) }, 0);
    assert_eq!(unsafe { zmq_connect(push, endpoint) }, 0);

    // Blocked outside: nothing comes in, with or without time to wait.
    raise();
    assert_eq!(ppoll(pull, 20, std::ptr::null()), Ok(0));
    let mut closed = unsafe { std::mem::zeroed() };
    unsafe { libc::sigfillset(&mut closed) };
    assert_eq!(ppoll(pull, 20, &closed), Ok(0));
    assert_eq!(handled(), 0);

    // Let in at once, for one call: the next signal waits for the next one.
    assert_eq!(ppoll(pull, -1, &open), Err(libc::EINTR));
    assert_eq!(handled(), 1);
    raise();
    assert_eq!(handled(), 1, "the mask is the one from before again");
    assert_eq!(ppoll(pull, 0, &open), Err(libc::EINTR));
    assert_eq!(handled(), 2);

    // A signal that comes from elsewhere in the middle of the wait.
    let thread = unsafe { libc::pthread_self() };
    let id = unsafe { libc::gettid() };
    let killer = std::thread::spawn(move || {
        let start = Instant::now();
        let path = format!("/proc/self/task/{id}/stat");
        while !std::fs::read_to_string(&path).is_ok_and(|stat| stat.contains(") S ")) {
            assert!(start.elapsed() < Duration::from_secs(20), "the thread does not wait");
            std::thread::yield_now();
        }
        unsafe { assert_eq!(libc::pthread_kill(thread, libc::SIGUSR1), 0) };
    });
    assert_eq!(ppoll(pull, 60_000, &open), Err(libc::EINTR));
    assert_eq!(handled(), 3);
    killer.join().expect("it sent its signal");

    // Messages are told of; a signal is let in although there is always one.
    assert_eq!(unsafe { zmq_send(push, c"x".as_ptr().cast(), 1, 0) }, 1);
    assert_eq!(ppoll(pull, -1, &open), Ok(1));
    raise();
    assert_eq!(ppoll(pull, -1, &open), Err(libc::EINTR));
    assert_eq!(handled(), 4);
    assert_eq!(ppoll(pull, -1, &open), Ok(1));

    unsafe {
        assert_eq!(zmq_close(push), 0);
        assert_eq!(zmq_close(pull), 0);
        assert_eq!(zmq_ctx_term(context), 0);
    }
}
