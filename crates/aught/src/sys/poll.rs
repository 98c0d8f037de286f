//! Waiting: an epoll set for I/O threads, and `poll` for threads of the application.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, epoll};
use rustix::io::Errno;

use super::fault::{self, Call};

/// How many descriptors one wait reports at most.
const EVENTS: i32 = 256;

/// What a descriptor in an epoll set is watched for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interest {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl Interest {
    pub(crate) const READ: Self = Self { read: true, write: false };
    pub(crate) const WRITE: Self = Self { read: false, write: true };

    fn flags(self) -> epoll::EventFlags {
        let mut flags = epoll::EventFlags::empty();
        if self.read {
            flags |= epoll::EventFlags::IN;
        }
        if self.write {
            flags |= epoll::EventFlags::OUT;
        }
        flags
    }
}

/// What happened to a watched descriptor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) token: u64,
    pub(crate) read: bool,
    pub(crate) write: bool,
    /// The descriptor failed or its peer hung up: reading or writing tells how.
    pub(crate) broken: bool,
}

/// A set of watched descriptors.
#[derive(Debug)]
pub(crate) struct Poll {
    fd: OwnedFd,
}

impl Poll {
    pub(crate) fn new() -> Result<Self, Errno> {
        fault::check(Call::NewPoll)?;
        epoll::create(epoll::CreateFlags::CLOEXEC).map(|fd| Self { fd })
    }

    pub(crate) fn add(&self, fd: impl AsFd, token: u64, interest: Interest) -> Result<(), Errno> {
        fault::check(Call::Watch)?;
        let data = epoll::EventData::new_u64(token);
        match epoll::add(&self.fd, &fd, data, interest.flags()) {
            // Removing it has failed before.
            Err(Errno::EXIST) => epoll::modify(&self.fd, &fd, data, interest.flags()),
            other => other,
        }
    }

    pub(crate) fn modify(
        &self,
        fd: impl AsFd,
        token: u64,
        interest: Interest,
    ) -> Result<(), Errno> {
        fault::check(Call::Rewatch)?;
        epoll::modify(&self.fd, fd, epoll::EventData::new_u64(token), interest.flags())
    }

    pub(crate) fn remove(&self, fd: impl AsFd) -> Result<(), Errno> {
        fault::check(Call::Unwatch)?;
        epoll::delete(&self.fd, fd)
    }

    /// Waits until something happens or `timeout` has passed, and puts what happened in `ready`.
    pub(crate) fn wait(
        &self,
        timeout: Option<Duration>,
        ready: &mut Vec<Ready>,
    ) -> Result<(), Errno> {
        match fault::check(Call::Wait) {
            Err(Errno::INTR) => return Ok(()),
            other => other?,
        }
        // Not rustix's own call, which leaves an argument unwritten that the kernel ignores and
        // valgrind does not, in every program that uses the library.
        let mut buffer = [const { MaybeUninit::<libc::epoll_event>::uninit() }; EVENTS as usize];
        let timeout = timeout.map_or(-1, millis);
        let events = buffer.as_mut_ptr().cast();
        // SAFETY: the kernel writes at most as many events as there is room for.
        let count = unsafe { libc::epoll_wait(self.fd.as_raw_fd(), events, EVENTS, timeout) };
        let Ok(count) = usize::try_from(count) else {
            let error = std::io::Error::last_os_error();
            return match Errno::from_io_error(&error) {
                Some(Errno::INTR) => Ok(()),
                other => Err(other.unwrap_or(Errno::IO)),
            };
        };
        ready.extend(buffer.iter().take(count).map(|event| {
            // SAFETY: the kernel has written so many events.
            let event = unsafe { event.assume_init() };
            let flags = epoll::EventFlags::from_bits_retain(event.events);
            Ready {
                token: event.u64,
                read: flags.contains(epoll::EventFlags::IN),
                write: flags.contains(epoll::EventFlags::OUT),
                broken: flags.intersects(epoll::EventFlags::ERR | epoll::EventFlags::HUP),
            }
        }));
        Ok(())
    }
}

/// Milliseconds, never fewer than asked for.
fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

/// What is left until `deadline`; `None` means for ever.
pub(crate) fn time_left(deadline: Option<Instant>) -> Option<Duration> {
    deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
}

/// Waits for descriptors. Unlike the epoll set, this reports a signal that arrived.
pub(crate) fn poll_fds(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<usize, Errno> {
    fault::check(Call::PollDescriptors)?;
    let timeout = timeout.map(timespec);
    rustix::event::poll(fds, timeout.as_ref())
}

/// The signals that are blocked while a thread waits (ppoll(2)).
pub type SignalMask = libc::sigset_t;

/// Waits for descriptors, with another set of signals blocked meanwhile if there is one. Returns
/// what happened to each.
pub(crate) fn poll_masked(
    fds: &[(BorrowedFd<'_>, PollFlags)],
    timeout: Option<Duration>,
    mask: Option<&SignalMask>,
) -> Result<Vec<PollFlags>, Errno> {
    let Some(mask) = mask else {
        let fd = |(fd, flags): &(_, _)| PollFd::from_borrowed_fd(*fd, *flags);
        let mut fds: Vec<_> = fds.iter().map(fd).collect();
        poll_fds(&mut fds, timeout)?;
        return Ok(fds.iter().map(PollFd::revents).collect());
    };
    fault::check(Call::PollDescriptors)?;
    let mut raw: Vec<_> = fds
        .iter()
        .map(|(fd, flags)| libc::pollfd {
            fd: fd.as_raw_fd(),
            events: flags.bits().cast_signed(),
            revents: 0,
        })
        .collect();
    let timeout = timeout.map(|timeout| libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let limit = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let count = raw.len() as libc::nfds_t;
    // SAFETY: reads the limit and the mask, and reads and writes as many items as there are.
    let result = unsafe { libc::ppoll(raw.as_mut_ptr(), count, limit, mask) };
    if result < 0 {
        let error = std::io::Error::last_os_error();
        return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO));
    }
    Ok(raw.iter().map(|fd| PollFlags::from_bits_retain(fd.revents.cast_unsigned())).collect())
}

/// Waits until `fd` is readable; false when the time ran out first.
pub(crate) fn wait_readable(fd: BorrowedFd<'_>, timeout: Option<Duration>) -> Result<bool, Errno> {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    poll_fds(&mut fds, timeout).map(|count| count > 0)
}

/// A descriptor that an application named by its number.
pub(crate) fn borrow_raw<'a>(fd: std::os::fd::RawFd) -> BorrowedFd<'a> {
    // SAFETY: the number is not negative, which is all that the type demands for itself. That
    // the descriptor stays open while it is waited for is the application's promise
    // (zmq_poll(3)); if it breaks it, the kernel reports POLLNVAL, and no memory is at stake.
    unsafe { BorrowedFd::borrow_raw(fd) }
}
