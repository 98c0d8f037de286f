//! Pollers: sets of sockets and descriptors to wait for again and again: zmq_poller(3), draft.

use std::ffi::{c_int, c_long, c_short, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aught::raw::{self, Socket};

use crate::abi::{PollerEvent, export};
use crate::errno::Errno;
use crate::handle::{Handle, create, enter};
use crate::raw::{Array, Opaque, Out, Slot, timeout};

const KNOWN_EVENTS: c_short = 1 | 2 | 4 | 8;

/// What a poller waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Socket(Handle),
    Descriptor(c_int),
}

#[derive(Clone, Copy)]
struct Item {
    on: On,
    user_data: Opaque,
    events: c_short,
}

/// A set of items, in the order in which they were added.
#[derive(Default)]
pub(crate) struct Poller(Mutex<Vec<Item>>);

impl Poller {
    fn lock(&self) -> MutexGuard<'_, Vec<Item>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, on: On, user_data: Opaque, events: c_short) -> Result<(), Errno> {
        check(events)?;
        let mut items = self.lock();
        if items.iter().any(|item| item.on == on) {
            return Err(Errno::INVALID);
        }
        items.push(Item { on, user_data, events });
        Ok(())
    }

    fn modify(&self, on: On, events: c_short) -> Result<(), Errno> {
        check(events)?;
        let mut items = self.lock();
        items.iter_mut().find(|item| item.on == on).ok_or(Errno::INVALID)?.events = events;
        Ok(())
    }

    fn remove(&self, on: On) -> Result<(), Errno> {
        let mut items = self.lock();
        let at = items.iter().position(|item| item.on == on).ok_or(Errno::INVALID)?;
        items.remove(at);
        Ok(())
    }

    /// Waits, and writes what is ready to `events`. Returns how many there are.
    fn wait(&self, events: &mut [PollerEvent], millis: c_long) -> Result<usize, Errno> {
        // Not locked while waiting: another thread may change the set for the next wait.
        let items = self.lock().clone();
        if items.is_empty() && millis < 0 {
            return Err(Errno::FAULT); // there is nothing that could end the wait
        }
        let mut waits = items
            .iter()
            .map(|item| match item.on {
                On::Socket(socket) => Ok(enter::<Socket>(socket)?.poll_item(item.events)),
                On::Descriptor(fd) => Ok(raw::PollItem::descriptor(fd, item.events)),
            })
            .collect::<Result<Vec<_>, Errno>>()?;
        if raw::poll(&mut waits, timeout(millis))? == 0 {
            return Err(Errno(libc::EAGAIN));
        }
        let ready = items.iter().zip(&waits).filter(|(_, wait)| wait.ready() != 0);
        let mut count = 0;
        for ((item, wait), event) in ready.zip(events) {
            let (socket, fd) = match item.on {
                On::Socket(socket) => (socket, -1),
                On::Descriptor(fd) => (Handle::NULL, fd),
            };
            let user_data = item.user_data.0;
            *event = PollerEvent { socket, fd, user_data, events: wait.ready() };
            count += 1;
        }
        Ok(count)
    }
}

fn check(events: c_short) -> Result<(), Errno> {
    if events & !KNOWN_EVENTS == 0 { Ok(()) } else { Err(Errno::INVALID) }
}

fn socket(handle: Handle) -> Result<On, Errno> {
    enter::<Socket>(handle)?;
    Ok(On::Socket(handle))
}

fn descriptor(fd: c_int) -> Result<On, Errno> {
    if fd < 0 { Err(Errno(libc::EBADF)) } else { Ok(On::Descriptor(fd)) }
}

const NOTHING: PollerEvent =
    PollerEvent { socket: Handle::NULL, fd: -1, user_data: std::ptr::null_mut(), events: 0 };

export! {
    /// A new poller. NULL on failure.
    fn zmq_poller_new() -> Handle, else Handle::NULL; {
        create(Poller::default())
    }

    /// Ends a poller and sets the caller's pointer to NULL.
    fn zmq_poller_destroy(poller: Slot<Handle>) -> c_int, else -1; {
        enter::<Poller>(poller.get()?)?.retire();
        poller.replace(Handle::NULL);
        Ok(0)
    }

    /// How many items there are.
    fn zmq_poller_size(poller: Handle) -> c_int, else -1; {
        let count = enter::<Poller>(poller)?.lock().len();
        Ok(c_int::try_from(count).unwrap_or(c_int::MAX))
    }

    /// Adds a socket.
    fn zmq_poller_add(poller: Handle, s: Handle, user_data: Opaque, events: c_short)
        -> c_int, else -1;
    {
        enter::<Poller>(poller)?.add(socket(s)?, user_data, events)?;
        Ok(0)
    }

    /// Changes what of a socket is awaited.
    fn zmq_poller_modify(poller: Handle, s: Handle, events: c_short) -> c_int, else -1; {
        enter::<Poller>(poller)?.modify(socket(s)?, events)?;
        Ok(0)
    }

    /// Takes a socket away.
    fn zmq_poller_remove(poller: Handle, s: Handle) -> c_int, else -1; {
        enter::<Poller>(poller)?.remove(socket(s)?)?;
        Ok(0)
    }

    /// Adds a descriptor.
    fn zmq_poller_add_fd(poller: Handle, fd: c_int, user_data: Opaque, events: c_short)
        -> c_int, else -1;
    {
        enter::<Poller>(poller)?.add(descriptor(fd)?, user_data, events)?;
        Ok(0)
    }

    /// Changes what of a descriptor is awaited.
    fn zmq_poller_modify_fd(poller: Handle, fd: c_int, events: c_short) -> c_int, else -1; {
        enter::<Poller>(poller)?.modify(descriptor(fd)?, events)?;
        Ok(0)
    }

    /// Takes a descriptor away.
    fn zmq_poller_remove_fd(poller: Handle, fd: c_int) -> c_int, else -1; {
        enter::<Poller>(poller)?.remove(descriptor(fd)?)?;
        Ok(0)
    }

    /// Waits for one item to be ready (-1: for ever). `EAGAIN` when the time is over.
    fn zmq_poller_wait(poller: Handle, event: Out<PollerEvent>, millis: c_long)
        -> c_int, else -1;
    {
        let found = enter::<Poller>(poller)?;
        let mut ready = [NOTHING];
        event.get()?;
        let result = found.wait(&mut ready, millis);
        event.set(ready[0])?;
        result?;
        Ok(0)
    }

    /// Waits for items to be ready, and tells of as many as there is room for. Returns how many.
    fn zmq_poller_wait_all(
        poller: Handle,
        events: Array<PollerEvent>,
        count: c_int,
        millis: c_long,
    ) -> c_int, else -1;
    {
        let mut events = events;
        let found = enter::<Poller>(poller)?;
        let count = usize::try_from(count).map_err(|_| Errno::INVALID)?;
        if events.is_null() {
            return Err(Errno::FAULT);
        }
        let ready = found.wait(events.items(count)?, millis)?;
        Ok(c_int::try_from(ready).unwrap_or(c_int::MAX))
    }

    /// The descriptor that tells of a poller's items. Only pollers of thread-safe sockets have
    /// one, which are not built in: fails with `EINVAL`.
    fn zmq_poller_fd(poller: Handle, fd: *const c_void) -> c_int, else -1; {
        enter::<Poller>(poller)?;
        Err(if fd.is_null() { Errno::FAULT } else { Errno::INVALID })
    }
}
