//! A descriptor that one thread makes readable to wake another: an eventfd.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{Errno, read, retry_on_intr, write};

use super::fault::{self, Call};

/// How often a call is made before it is given up.
const ATTEMPTS: usize = 1000;

/// A wake-up call. It stays readable from [`Wake::signal`] until [`Wake::consume`].
#[derive(Debug)]
pub(crate) struct Wake(OwnedFd);

impl Wake {
    pub(crate) fn new() -> Result<Self, Errno> {
        fault::check(Call::NewWake)?;
        eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map(Self)
    }

    /// Makes the descriptor readable.
    ///
    /// Of what eventfd(2) and write(2) list, a signal is all that can happen to a descriptor and
    /// a value like these; when the counter is full, the descriptor is readable already. But
    /// nobody calls twice, so a call that is lost would not be made up for: whatever the kernel
    /// says, it is asked again before this is given up.
    pub(crate) fn signal(&self) {
        let rung = || {
            fault::check(Call::Ring)?;
            write(&self.0, &1_u64.to_ne_bytes())
        };
        let _ = (0..ATTEMPTS).any(|_| rung().is_ok());
    }

    /// Makes the descriptor unreadable, whether or not it was readable. Should that fail, whoever
    /// waits for it wakes once more than he needs to, and tries again.
    pub(crate) fn consume(&self) {
        let mut counter = [0; 8];
        let _ = retry_on_intr(|| {
            fault::check(Call::Hear)?;
            read(&self.0, &mut counter)
        });
    }

    pub(crate) fn raw(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
