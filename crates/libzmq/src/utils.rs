//! Everything of `zmq.h` that is about neither messages nor sockets: errors, version,
//! capabilities, Z85, and the small tools for time, threads and counters.

use std::ffi::{c_char, c_int, c_ulong};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use aught::raw::z85;

use crate::abi::export;
use crate::errno::{Errno, describe};
use crate::raw::{self, Buffer, BufferMut, Opaque, Out, Owned, Slot, Text, ThreadFn, call_thread};

/// The version of the interface: that of the reference whose pages it follows.
const VERSION: (c_int, c_int, c_int) = (4, 3, 6);

/// What zmq_has(3) knows of and this build has: not `pgm`, `tipc`, `norm`, `gssapi`.
const CAPABILITIES: &[&[u8]] = &[b"ipc", b"curve"];

export! {
    /// The calling thread's error number.
    fn zmq_errno() -> c_int, else 0; {
        Ok(raw::errno())
    }

    /// What an error number means. The text is not to be changed or freed.
    fn zmq_strerror(number: c_int) -> *const c_char, else ptr::null(); {
        Ok(describe(number).map_or_else(|| raw::platform_text(number), |text| text.as_ptr()))
    }

    /// The version of the interface.
    fn zmq_version(major: Out<c_int>, minor: Out<c_int>, patch: Out<c_int>) -> (), else (); {
        major.offer(VERSION.0);
        minor.offer(VERSION.1);
        patch.offer(VERSION.2);
        Ok(())
    }

    /// Whether this build has a capability.
    fn zmq_has(capability: Text) -> c_int, else 0; {
        Ok(c_int::from(capability.bytes().is_some_and(|name| CAPABILITIES.contains(&name))))
    }

    /// Encodes `size` bytes, a multiple of four, into a quarter more characters and a zero byte.
    fn zmq_z85_encode(dest: BufferMut, data: Buffer, size: usize)
        -> *mut c_char, else ptr::null_mut();
    {
        let mut text = z85::encode(data.bytes(size)?).ok_or(Errno::INVALID)?;
        text.push('\0');
        dest.write(text.as_bytes())?;
        Ok(dest.address().cast())
    }

    /// Decodes a string of a multiple of five characters into a fifth fewer bytes.
    fn zmq_z85_decode(dest: BufferMut, text: Text) -> *mut u8, else ptr::null_mut(); {
        let data = text.bytes().and_then(z85::decode).ok_or(Errno::INVALID)?;
        dest.write(&data)?;
        Ok(dest.address().cast())
    }

    /// A counter that is zero and that several threads may use.
    fn zmq_atomic_counter_new() -> Owned<AtomicI32>, else Owned::NULL; {
        Ok(Owned::new(AtomicI32::new(0)))
    }

    /// Sets a counter.
    fn zmq_atomic_counter_set(counter: Owned<AtomicI32>, value: c_int) -> (), else (); {
        counter.get()?.store(value, Ordering::SeqCst);
        Ok(())
    }

    /// Adds one to a counter and returns what it was.
    fn zmq_atomic_counter_inc(counter: Owned<AtomicI32>) -> c_int, else 0; {
        Ok(counter.get()?.fetch_add(1, Ordering::SeqCst))
    }

    /// Takes one off a counter. Returns 1 if something is left, 0 if not.
    fn zmq_atomic_counter_dec(counter: Owned<AtomicI32>) -> c_int, else 0; {
        Ok(c_int::from(counter.get()?.fetch_sub(1, Ordering::SeqCst) != 1))
    }

    /// What a counter is.
    fn zmq_atomic_counter_value(counter: Owned<AtomicI32>) -> c_int, else 0; {
        Ok(counter.get()?.load(Ordering::SeqCst))
    }

    /// Ends a counter and sets the caller's pointer to NULL.
    fn zmq_atomic_counter_destroy(counter: Slot<Owned<AtomicI32>>) -> (), else (); {
        counter.replace(Owned::NULL).and_then(Owned::take);
        Ok(())
    }

    /// Starts measuring time.
    fn zmq_stopwatch_start() -> Owned<Instant>, else Owned::NULL; {
        Ok(Owned::new(Instant::now()))
    }

    /// Microseconds since the start.
    fn zmq_stopwatch_intermediate(watch: Owned<Instant>) -> c_ulong, else 0; {
        Ok(micros(*watch.get()?))
    }

    /// Microseconds since the start; ends the stopwatch.
    fn zmq_stopwatch_stop(watch: Owned<Instant>) -> c_ulong, else 0; {
        Ok(micros(watch.take().ok_or(Errno::FAULT)?))
    }

    /// Waits so many seconds.
    #[expect(clippy::disallowed_methods, reason = "it is what the function is for")]
    fn zmq_sleep(seconds: c_int) -> (), else (); {
        std::thread::sleep(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
        Ok(())
    }

    /// Runs a function on a new thread. NULL on failure.
    fn zmq_threadstart(function: Option<ThreadFn>, arg: Opaque)
        -> Owned<JoinHandle<()>>, else Owned::NULL;
    {
        let function = function.ok_or(Errno::FAULT)?;
        let thread = std::thread::Builder::new()
            .spawn(move || {
                let arg = arg; // the whole of it, which may change threads
                call_thread(function, arg);
            })
            .map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EAGAIN)))?;
        Ok(Owned::new(thread))
    }

    /// Waits until a thread of `zmq_threadstart` has ended.
    fn zmq_threadclose(thread: Owned<JoinHandle<()>>) -> (), else (); {
        let thread = thread.take().ok_or(Errno::FAULT)?;
        thread.join().map_err(|_| Errno(libc::ENOTRECOVERABLE))
    }
}

fn micros(start: Instant) -> c_ulong {
    c_ulong::try_from(start.elapsed().as_micros()).unwrap_or(c_ulong::MAX)
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    fn text(number: c_int) -> String {
        // SAFETY: texts of errors end in a zero byte.
        unsafe { CStr::from_ptr(zmq_strerror(number)) }.to_string_lossy().into_owned()
    }

    #[test]
    fn errors_have_the_texts_of_the_reference() {
        const BASE: c_int = 156_384_712;
        assert_eq!(text(0), "Success");
        assert_eq!(text(libc::EAGAIN), "Resource temporarily unavailable");
        assert_eq!(text(libc::EHOSTUNREACH), "Host unreachable");
        assert_eq!(text(BASE + 51), "Operation cannot be accomplished in current state");
        assert_eq!(text(BASE + 52), "The protocol is not compatible with the socket type");
        assert_eq!(text(BASE + 53), "Context was terminated");
        assert_eq!(text(BASE + 54), "No thread available");
        assert_eq!(text(99_999), "Unknown error 99999");
    }

    #[test]
    fn counters_count() {
        let counter = AtomicI32::new(0);
        let counter = || Owned::<AtomicI32>::borrowed(&counter);
        assert_eq!(zmq_atomic_counter_inc(counter()), 0);
        assert_eq!(zmq_atomic_counter_inc(counter()), 1);
        assert_eq!(zmq_atomic_counter_value(counter()), 2);
        assert_eq!(zmq_atomic_counter_dec(counter()), 1);
        assert_eq!(zmq_atomic_counter_dec(counter()), 0);
        zmq_atomic_counter_set(counter(), 7);
        assert_eq!(zmq_atomic_counter_value(counter()), 7);
        zmq_atomic_counter_set(Owned::NULL, 7);
    }

    #[test]
    fn stopwatches_run_and_threads_end() {
        let watch = zmq_stopwatch_start();
        assert!(zmq_stopwatch_stop(watch) < 60_000_000);
        extern "C" fn count(arg: Opaque) {
            // SAFETY: the test passes a counter that outlives the thread.
            let counter = unsafe { &*arg.0.cast::<AtomicI32>() };
            counter.fetch_add(1, Ordering::SeqCst);
        }
        let counter = AtomicI32::new(0);
        let thread =
            zmq_threadstart(Some(count), Opaque(ptr::from_ref(&counter).cast_mut().cast()));
        zmq_threadclose(thread);
        assert_eq!(counter.load(Ordering::SeqCst), 1);
    }
}
