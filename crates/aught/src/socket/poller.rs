//! Waiting for any of several sockets and descriptors: zmq_poll(3).

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;

use super::core::SocketCore;
use super::transfer::deadline;
use crate::error::Error;
use crate::sync::Arc;
use crate::sys::poll::{SignalMask, borrow_raw, poll_masked as poll_fds_masked, time_left};

/// There is a message to receive, or a descriptor can be read.
pub(crate) const POLLIN: i16 = 1;
/// A message can be sent without waiting, or a descriptor can be written.
pub(crate) const POLLOUT: i16 = 2;
/// A descriptor is in error.
pub(crate) const POLLERR: i16 = 4;
/// A descriptor has urgent data.
pub(crate) const POLLPRI: i16 = 8;

/// What an item of a poll waits on.
#[derive(Clone, Debug)]
pub(crate) enum Waits {
    Socket(Arc<SocketCore>),
    /// Negative descriptors are passed over.
    Descriptor(RawFd),
}

/// One item of a poll.
#[derive(Clone, Debug)]
pub struct PollItem {
    pub(crate) on: Waits,
    pub(crate) events: i16,
    pub(crate) ready: i16,
}

impl PollItem {
    pub(crate) const fn new(on: Waits, events: i16) -> Self {
        Self { on, events, ready: 0 }
    }

    /// An item for a descriptor of the operating system.
    #[must_use]
    pub const fn descriptor(fd: RawFd, events: i16) -> Self {
        Self::new(Waits::Descriptor(fd), events)
    }

    /// What of the awaited is there.
    #[must_use]
    pub const fn ready(&self) -> i16 {
        self.ready
    }
}

/// Waits until at least one item is ready or the time is over (`None`: for ever). Returns how
/// many are ready.
pub(crate) fn poll(items: &mut [PollItem], timeout: Option<Duration>) -> Result<usize, Error> {
    poll_masked(items, timeout, None)
}

/// The same, with other signals blocked while waiting (zmq_ppoll(3)).
pub(crate) fn poll_masked(
    items: &mut [PollItem],
    timeout: Option<Duration>,
    mask: Option<&SignalMask>,
) -> Result<usize, Error> {
    let until = if timeout == Some(Duration::ZERO) { None } else { deadline(timeout) };
    let dont_wait = timeout == Some(Duration::ZERO);
    loop {
        let ready = check_sockets(items)?;
        if ready > 0 || dont_wait {
            wait(items, Some(Duration::ZERO), mask)?;
        } else if arm(items)? {
            // Other threads may have emptied a mailbox between our look and our arming.
            let waited = check_sockets(items).and_then(|ready| {
                let time = if ready > 0 { Some(Duration::ZERO) } else { time_left(until) };
                wait(items, time, mask)
            });
            disarm(items);
            waited?;
            // Sockets that were woken tell what they have in the next look.
            check_sockets(items)?;
        } else {
            continue;
        }
        let count = items.iter().filter(|item| item.ready != 0).count();
        let over = until.is_some_and(|until| until <= Instant::now());
        if count > 0 || dont_wait || over {
            return Ok(count);
        }
    }
}

/// Asks each socket what it has. Returns how many are ready.
fn check_sockets(items: &mut [PollItem]) -> Result<usize, Error> {
    let mut count = 0;
    for item in items.iter_mut() {
        if let Waits::Socket(socket) = &item.on {
            let (input, output) = socket.ready_now()?;
            let there = (if input { POLLIN } else { 0 }) | (if output { POLLOUT } else { 0 });
            item.ready = item.events & there;
            count += usize::from(item.ready != 0);
        }
    }
    Ok(count)
}

/// Tells the sockets that somebody is about to wait. False if one has something to look at.
fn arm(items: &[PollItem]) -> Result<bool, Error> {
    for (index, item) in items.iter().enumerate() {
        if let Waits::Socket(socket) = &item.on {
            let armed = socket.arm();
            if armed != Ok(true) {
                disarm(items.get(..index).unwrap_or_default());
                return armed;
            }
        }
    }
    Ok(true)
}

/// Tells the sockets that nobody waits any more.
fn disarm(items: &[PollItem]) {
    for item in items {
        if let Waits::Socket(socket) = &item.on {
            socket.mailbox.disarm();
        }
    }
}

/// Waits for the descriptors of all items, and takes in what the operating system's ones say.
fn wait(
    items: &mut [PollItem],
    timeout: Option<Duration>,
    mask: Option<&SignalMask>,
) -> Result<(), Error> {
    let blocking = timeout != Some(Duration::ZERO);
    let mut watched = Watched::default();
    let mut owners = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match &item.on {
            Waits::Socket(socket) if blocking && item.events != 0 => {
                watched.add(socket.mailbox.wake()?.as_fd(), PollFlags::IN);
            }
            Waits::Socket(_) => {}
            Waits::Descriptor(fd) => {
                if let Some(fd) = borrow(*fd) {
                    owners.push((index, watched.add(fd, flags(item.events))));
                }
            }
        }
    }
    let fds = watched.fds;
    // Signals are let in by each call, also when there is always something ready.
    if fds.is_empty() && !blocking && mask.is_none() {
        return Ok(());
    }
    let results = poll_fds_masked(&fds, timeout, mask).map_err(|error| match error {
        Errno::INTR => Error::Interrupted,
        other => other.into(),
    })?;
    drop(fds);
    for (index, place) in owners {
        if let (Some(item), Some(revents)) = (items.get_mut(index), results.get(place)) {
            item.ready = events(*revents) & (item.events | POLLERR);
        }
    }
    Ok(())
}

/// How many descriptors are looked through one by one.
const FEW: usize = 32;

/// Descriptors to wait for, each of them once: the kernel takes no more at a time than a process
/// may have, however often items repeat them.
#[derive(Default)]
struct Watched<'a> {
    fds: Vec<(BorrowedFd<'a>, PollFlags)>,
    /// Where they are in `fds`, once these are not few any more.
    places: HashMap<RawFd, usize>,
}

impl<'a> Watched<'a> {
    /// Adds a descriptor, or what it is watched for. Returns its place.
    fn add(&mut self, fd: BorrowedFd<'a>, flags: PollFlags) -> usize {
        let raw = fd.as_raw_fd();
        let known = match self.places.is_empty() {
            true => self.fds.iter().position(|(known, _)| known.as_raw_fd() == raw),
            false => self.places.get(&raw).copied(),
        };
        if let Some(place) = known
            && let Some((_, watched)) = self.fds.get_mut(place)
        {
            *watched |= flags;
            return place;
        }
        let place = self.fds.len();
        self.fds.push((fd, flags));
        if place == FEW {
            let numbers = self.fds.iter().map(|(fd, _)| fd.as_raw_fd());
            self.places = numbers.zip(0..).collect();
        } else if place > FEW {
            self.places.insert(raw, place);
        }
        place
    }
}

fn borrow<'a>(fd: RawFd) -> Option<BorrowedFd<'a>> {
    (fd >= 0).then(|| borrow_raw(fd))
}

fn flags(events: i16) -> PollFlags {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, events & POLLIN != 0);
    flags.set(PollFlags::OUT, events & POLLOUT != 0);
    flags.set(PollFlags::PRI, events & POLLPRI != 0);
    flags
}

fn events(flags: PollFlags) -> i16 {
    let mut events = 0;
    for (flag, event) in
        [(PollFlags::IN, POLLIN), (PollFlags::OUT, POLLOUT), (PollFlags::PRI, POLLPRI)]
    {
        if flags.contains(flag) {
            events |= event;
        }
    }
    if flags.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL) {
        events |= POLLERR;
    }
    events
}
