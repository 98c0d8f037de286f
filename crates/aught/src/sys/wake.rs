//! A descriptor that one thread makes readable to wake another: an eventfd.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{Errno, read, retry_on_intr, write};

use super::fault::{self, Call};

/// A wake-up call. It stays readable from [`Wake::signal`] until [`Wake::consume`].
#[derive(Debug)]
pub(crate) struct Wake(OwnedFd);

impl Wake {
    pub(crate) fn new() -> Result<Self, Errno> {
        fault::check(Call::NewWake)?;
        eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map(Self)
    }

    /// Makes the descriptor readable. It can only fail when the counter is full, and then the
    /// descriptor is readable already.
    pub(crate) fn signal(&self) {
        let _ = retry_on_intr(|| {
            fault::check(Call::Ring)?;
            write(&self.0, &1_u64.to_ne_bytes())
        });
    }

    /// Makes the descriptor unreadable, whether or not it was readable.
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
