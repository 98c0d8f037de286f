//! Waiting for several sockets and descriptors at once: zmq_poll(3), zmq_ppoll(3).

use std::ffi::{c_int, c_long};

use aught::raw::{self, SignalMask, Socket};

use crate::abi::{PollItem, export};
use crate::errno::Errno;
use crate::handle::enter;
use crate::raw::{Array, Out, timeout};

fn poll(
    mut items: Array<PollItem>,
    count: c_int,
    millis: c_long,
    mask: Option<&SignalMask>,
) -> Result<c_int, Errno> {
    let count = usize::try_from(count).map_err(|_| Errno::INVALID)?;
    let items = items.items(count)?;
    let mut waits = Vec::with_capacity(count);
    for item in items.iter_mut() {
        item.revents = 0;
        waits.push(if item.socket.is_null() {
            raw::PollItem::descriptor(item.fd, item.events)
        } else {
            enter::<Socket>(item.socket)?.poll_item(item.events)
        });
    }
    if count == 0 && millis == 0 && mask.is_none() {
        return Ok(0);
    }
    let ready = raw::ppoll(&mut waits, timeout(millis), mask)?;
    for (item, wait) in items.iter_mut().zip(&waits) {
        item.revents = wait.ready();
    }
    Ok(c_int::try_from(ready).unwrap_or(c_int::MAX))
}

export! {
    /// Waits until an item is ready or `millis` milliseconds are over (-1: for ever). Returns
    /// how many are ready.
    fn zmq_poll(items: Array<PollItem>, count: c_int, millis: c_long) -> c_int, else -1; {
        poll(items, count, millis, None)
    }

    /// The same with other signals blocked meanwhile, those of a `sigset_t` (draft). Without one
    /// it is `zmq_poll`.
    fn zmq_ppoll(items: Array<PollItem>, count: c_int, millis: c_long, signals: Out<SignalMask>)
        -> c_int, else -1;
    {
        let mask = signals.get().ok(); // a null pointer is no mask
        poll(items, count, millis, mask.as_ref())
    }
}
