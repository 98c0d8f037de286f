//! Memory barriers of which one side pays nothing and the other a system call, and a name for the
//! calling thread that costs nothing to ask for. What they are good for is up to others.
//!
//! Two threads that each write a word and then read the other's need a barrier between the two,
//! or both may miss what the other wrote. When one of them does so for every message and the other
//! now and then, [`heavy`] makes every running thread of the process pass a barrier
//! (membarrier(2)), and [`light`] has nothing to do but keep the compiler from reordering.

use std::time::Duration;

use super::fault::{self, Call};
use crate::sync::{OnceLock, Ordering, compiler_fence};

const REGISTER_PRIVATE_EXPEDITED: i32 = 1 << 4;
const PRIVATE_EXPEDITED: i32 = 1 << 3;

fn membarrier(command: i32) -> bool {
    // SAFETY: the call takes numbers only.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// Whether [`heavy`] does what it says: not on kernels before Linux 4.14, and not where a sandbox
/// forbids the system call.
pub fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    // In front of what is remembered, which is the whole process's and not one test's.
    fault::check(Call::RegisterBarrier).is_ok()
        && *AVAILABLE.get_or_init(|| {
            cfg!(any(target_arch = "x86_64", target_arch = "aarch64"))
                && membarrier(REGISTER_PRIVATE_EXPEDITED)
                && membarrier(PRIVATE_EXPEDITED)
        })
}

/// The side that pays nothing. Only to be relied on where [`available`] says so.
#[inline]
pub fn light() {
    compiler_fence(Ordering::SeqCst);
}

/// The side that pays: every thread of the process has passed a barrier when this returns.
#[cold]
pub fn heavy() {
    if fault::check(Call::Barrier).is_err() || !membarrier(PRIVATE_EXPEDITED) {
        // It cannot fail once it was registered. Should it, no store waits this long.
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// A number that no other living thread has; never 0. A thread may get that of one that ended.
#[inline]
#[must_use]
pub fn thread() -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        let this: usize;
        // SAFETY: the ABI keeps the thread's own address at the start of its control block.
        unsafe {
            std::arch::asm!("mov {}, fs:0", out(reg) this, options(nostack, readonly, preserves_flags));
        }
        this
    }
    #[cfg(target_arch = "aarch64")]
    {
        let this: usize;
        // SAFETY: reads the register that the ABI gives to the thread's control block.
        unsafe {
            std::arch::asm!("mrs {}, tpidr_el0", out(reg) this, options(nostack, nomem, preserves_flags));
        }
        this
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        std::thread_local!(static HERE: u8 = const { 0 });
        HERE.with(|here| std::ptr::from_ref(here).addr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_have_numbers_of_their_own() {
        let here = thread();
        assert!(here != 0 && here == thread());
        let there = std::thread::spawn(thread).join().expect("a number");
        assert_ne!(here, there);
    }
}
