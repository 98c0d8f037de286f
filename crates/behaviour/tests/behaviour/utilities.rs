//! The functions beside the sockets: versions and errors, timers, stopwatch, threads, counters,
//! Z85 (RFC 32).

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr::null_mut;
use std::sync::Mutex;
use std::time::{Duration, Instant};

#[test]
fn the_version_is_4_3() {
    let (mut major, mut minor, mut patch) = (0, 0, -1);
    lib().zmq_version(&mut major, &mut minor, &mut patch);
    assert_eq!((major, minor), (4, 3));
    assert!(patch >= 4);
}

fn message_of(error: Errno) -> String {
    // SAFETY: zmq_strerror(3) returns a string that lives long enough.
    unsafe { CStr::from_ptr(lib().zmq_strerror(error.0)) }.to_string_lossy().into_owned()
}

/// zmq_strerror(3).
#[test]
fn the_errors_of_zeromq_have_texts() {
    let table = [
        (EFSM, "Operation cannot be accomplished in current state"),
        (ENOCOMPATPROTO, "The protocol is not compatible with the socket type"),
        (ETERM, "Context was terminated"),
        (EMTHREAD, "No thread available"),
    ];
    for (error, text) in table {
        assert_eq!(message_of(error), text);
    }
}

#[test]
fn the_errors_of_the_platform_have_its_texts() {
    assert_eq!(message_of(EAGAIN), "Resource temporarily unavailable");
    assert_eq!(message_of(EINVAL), "Invalid argument");
    assert_eq!(message_of(EHOSTUNREACH), "Host unreachable");
    assert_eq!(message_of(ENOENT), "No such file or directory");
}

/// zmq_errno(3): the thread's own errno.
#[test]
fn errno_is_the_threads_own() {
    assert!(lib().zmq_socket(null_mut(), PAIR).is_null());
    assert_eq!(Lib::last(), EFAULT);
    std::thread::spawn(|| {
        assert!(lib().zmq_init(-1).is_null());
        assert_eq!(Lib::last(), EINVAL);
    })
    .join()
    .expect("join");
    assert_eq!(Lib::last(), EFAULT);
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(EFAULT.0));
}

/// zmq_has(3).
#[test]
fn capabilities_can_be_asked_for() {
    for (name, expected) in [("ipc", 1), ("nothing", 0), ("", 0), ("tcp", 0)] {
        let text = CString::new(name).expect("text");
        assert_eq!(lib().zmq_has(text.as_ptr()), expected, "{name}");
    }
}

fn encode(data: &[u8]) -> Option<String> {
    let mut text = vec![1; data.len() * 5 / 4 + 2];
    let end = lib().zmq_z85_encode(text.as_mut_ptr(), data.as_ptr(), data.len());
    if end.is_null() {
        return None;
    }
    assert_eq!(end, text.as_mut_ptr());
    // SAFETY: the call succeeded, so that a terminated string is there.
    Some(unsafe { CStr::from_ptr(end) }.to_string_lossy().into_owned())
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut data = vec![0; text.len()];
    let text = CString::new(text).expect("text");
    let end = lib().zmq_z85_decode(data.as_mut_ptr(), text.as_ptr());
    if end.is_null() {
        return None;
    }
    data.truncate(text.as_bytes().len() / 5 * 4);
    Some(data)
}

/// RFC 32: the test case of the specification.
#[test]
fn z85_follows_the_specification() {
    let data = [0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b];
    assert_eq!(encode(&data).as_deref(), Some("HelloWorld"));
    assert_eq!(decode("HelloWorld").as_deref(), Some(&data[..]));
}

#[test]
fn z85_takes_all_bytes_there_and_back() {
    let data: Vec<u8> = (0..=255).collect();
    let text = encode(&data).expect("a multiple of four");
    assert_eq!(text.len(), 320);
    assert_eq!(decode(&text), Some(data));
    assert_eq!(encode(&[]).as_deref(), Some(""));
    assert_eq!(encode(&[0; 4]).as_deref(), Some("00000"));
    assert_eq!(encode(&[0xff; 4]).as_deref(), Some("%nSc0"));
}

/// zmq_z85_encode(3): EINVAL unless the size divides by four.
#[test]
fn z85_encodes_multiples_of_four() {
    for size in [1, 2, 3, 5] {
        assert_eq!(encode(&vec![0; size]), None);
        assert_eq!(Lib::last(), EINVAL);
    }
}

/// zmq_z85_decode(3): EINVAL unless the length divides by five and the characters are valid.
#[test]
fn z85_refuses_malformed_text() {
    for text in ["0", "0000", "000000", "00 00", "0000~", "0000\"", "0000\u{7f}", "%nSc1", "#####"]
    {
        assert_eq!(decode(text), None, "{text:?}");
        assert_eq!(Lib::last(), EINVAL);
    }
}

#[test]
fn a_counter_counts() {
    let lib = lib();
    let mut counter = lib.zmq_atomic_counter_new();
    assert!(!counter.is_null());
    assert_eq!(lib.zmq_atomic_counter_value(counter), 0);
    assert_eq!(lib.zmq_atomic_counter_inc(counter), 0, "the value before");
    assert_eq!(lib.zmq_atomic_counter_inc(counter), 1);
    assert_eq!(lib.zmq_atomic_counter_value(counter), 2);
    assert_eq!(lib.zmq_atomic_counter_dec(counter), 1, "not yet zero");
    assert_eq!(lib.zmq_atomic_counter_dec(counter), 0, "zero");
    assert_eq!(lib.zmq_atomic_counter_value(counter), 0);
    lib.zmq_atomic_counter_set(counter, 42);
    assert_eq!(lib.zmq_atomic_counter_value(counter), 42);
    lib.zmq_atomic_counter_destroy(&mut counter);
    assert!(counter.is_null());
}

#[test]
fn a_counter_is_atomic() {
    let lib = lib();
    let mut counter = lib.zmq_atomic_counter_new();
    let address = counter as usize;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                for _ in 0..10_000 {
                    lib.zmq_atomic_counter_inc(address as *mut c_void);
                }
            });
        }
    });
    assert_eq!(lib.zmq_atomic_counter_value(counter), 40_000);
    lib.zmq_atomic_counter_destroy(&mut counter);
}

/// The microseconds between two readings.
#[test]
fn a_stopwatch_measures() {
    let lib = lib();
    let watch = lib.zmq_stopwatch_start();
    let start = Instant::now();
    elapse(Duration::from_millis(20));
    let first = lib.zmq_stopwatch_intermediate(watch);
    elapse(Duration::from_millis(5));
    let second = lib.zmq_stopwatch_stop(watch);
    assert!(first >= 19_000, "{first}");
    assert!(second >= first + 4_000, "{second}");
    assert!(u128::from(second) <= start.elapsed().as_micros() + 5_000);
}

/// A thread runs its function, and closing it waits for the end.
#[test]
fn a_thread_is_started_and_joined() {
    extern "C" fn entry(arg: *mut c_void) {
        elapse(Duration::from_millis(20));
        // SAFETY: the argument is the mutex below, which outlives the thread.
        *unsafe { &*arg.cast::<Mutex<bool>>() }.lock().expect("lock") = true;
    }
    let done = Mutex::new(false);
    let thread = lib().zmq_threadstart(entry, (&raw const done).cast_mut().cast());
    assert!(!thread.is_null());
    lib().zmq_threadclose(thread);
    assert!(*done.lock().expect("lock"));
}

/// zmq_timers(3) owned by a test.
struct Timers {
    raw: *mut c_void,
    fired: Box<Mutex<Vec<c_int>>>,
}

extern "C" fn fire(timer: c_int, arg: *mut c_void) {
    // SAFETY: the argument is the list of Timers, which outlives its timers.
    unsafe { &*arg.cast::<Mutex<Vec<c_int>>>() }.lock().expect("lock").push(timer);
}

impl Timers {
    fn new() -> Self {
        let raw = lib().zmq_timers_new();
        assert!(!raw.is_null());
        Self { raw, fired: Box::default() }
    }

    fn add(&self, interval: usize) -> c_int {
        let list: *const Mutex<Vec<c_int>> = &*self.fired;
        Lib::check(lib().zmq_timers_add(self.raw, interval, Some(fire), list.cast_mut().cast()))
            .expect("zmq_timers_add")
    }

    fn timeout(&self) -> i64 {
        lib().zmq_timers_timeout(self.raw)
    }

    /// Sleeps as long as the timers say, and executes them.
    fn step(&self) -> Vec<c_int> {
        let timeout = u64::try_from(self.timeout()).expect("a timer is set");
        elapse(Duration::from_millis(timeout));
        assert_eq!(lib().zmq_timers_execute(self.raw), 0);
        std::mem::take(&mut self.fired.lock().expect("lock"))
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        assert_eq!(lib().zmq_timers_destroy(&mut self.raw), 0);
        assert!(self.raw.is_null());
    }
}

#[test]
fn timers_without_a_timer_have_no_timeout() {
    let timers = Timers::new();
    assert_eq!(timers.timeout(), -1);
    assert_eq!(lib().zmq_timers_execute(timers.raw), 0);
}

#[test]
fn a_timer_fires_again_and_again() {
    let timers = Timers::new();
    let timer = timers.add(15);
    let timeout = timers.timeout();
    assert!((0..=15).contains(&timeout), "{timeout}");
    for _ in 0..3 {
        let start = Instant::now();
        let mut fired = Vec::new();
        while fired.is_empty() {
            fired = timers.step();
        }
        assert_eq!(fired, [timer]);
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_timer_does_not_fire_early() {
    let timers = Timers::new();
    timers.add(10_000);
    assert_eq!(lib().zmq_timers_execute(timers.raw), 0);
    assert!(timers.fired.lock().expect("lock").is_empty());
    assert!(timers.timeout() > 5_000);
}

#[test]
fn timers_fire_in_the_order_of_their_times() {
    let timers = Timers::new();
    let slow = timers.add(60);
    let quick = timers.add(20);
    assert_ne!(slow, quick);
    let mut order = Vec::new();
    while !order.contains(&slow) {
        order.extend(timers.step());
    }
    assert_eq!(order[0], quick);
}

#[test]
fn a_cancelled_timer_does_not_fire() {
    let timers = Timers::new();
    let cancelled = timers.add(1);
    let other = timers.add(20);
    assert_eq!(lib().zmq_timers_cancel(timers.raw, cancelled), 0);
    let mut fired = Vec::new();
    while fired.is_empty() {
        fired = timers.step();
    }
    assert_eq!(fired, [other]);
    assert_eq!(Lib::check(lib().zmq_timers_cancel(timers.raw, cancelled)), Err(EINVAL));
}

#[test]
fn the_interval_of_a_timer_can_be_changed() {
    let timers = Timers::new();
    let timer = timers.add(100_000);
    assert_eq!(lib().zmq_timers_set_interval(timers.raw, timer, 10), 0);
    assert!(timers.timeout() <= 10);
    assert_eq!(lib().zmq_timers_set_interval(timers.raw, timer, 50_000), 0);
    assert!(timers.timeout() > 10_000);
}

#[test]
fn a_timer_can_be_reset() {
    let timers = Timers::new();
    let timer = timers.add(300);
    elapse(Duration::from_millis(60));
    assert!(timers.timeout() <= 241);
    assert_eq!(lib().zmq_timers_reset(timers.raw, timer), 0);
    assert!(timers.timeout() > 241);
}

#[test]
fn unknown_timers_are_refused() {
    let timers = Timers::new();
    let timer = timers.add(10_000) + 1;
    assert_eq!(Lib::check(lib().zmq_timers_cancel(timers.raw, timer)), Err(EINVAL));
    assert_eq!(Lib::check(lib().zmq_timers_reset(timers.raw, timer)), Err(EINVAL));
    assert_eq!(Lib::check(lib().zmq_timers_set_interval(timers.raw, timer, 5)), Err(EINVAL));
}

#[test]
fn what_are_no_timers_is_refused() {
    let lib = lib();
    let mut none = null_mut();
    assert_eq!(Lib::check(lib.zmq_timers_destroy(&mut none)), Err(EFAULT));
    assert_eq!(Lib::check(lib.zmq_timers_add(none, 1, Some(fire), none)), Err(EFAULT));
    assert_eq!(Lib::check(lib.zmq_timers_cancel(none, 1)), Err(EFAULT));
    assert_eq!(Lib::check(lib.zmq_timers_reset(none, 1)), Err(EFAULT));
    assert_eq!(Lib::check(lib.zmq_timers_set_interval(none, 1, 1)), Err(EFAULT));
    assert_eq!(Lib::check(lib.zmq_timers_execute(none)), Err(EFAULT));
    assert_eq!(lib.zmq_timers_timeout(none), -1);
    assert_eq!(Lib::last(), EFAULT);
}

#[test]
fn a_timer_needs_a_handler() {
    let timers = Timers::new();
    let rc = lib().zmq_timers_add(timers.raw, 1, None, null_mut());
    assert_eq!(Lib::check(rc), Err(EFAULT));
}

/// zmq_sleep: whole seconds.
#[test]
fn a_sleep_takes_its_seconds() {
    let start = Instant::now();
    lib().zmq_sleep(0);
    lib().zmq_sleep(1);
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
}
