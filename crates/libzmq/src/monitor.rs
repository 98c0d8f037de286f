//! Telling what happens to a socket's connections: zmq_socket_monitor(3).

use std::ffi::c_int;

use aught::raw::Socket;

use crate::abi::{ZMQ_PAIR, export};
use crate::errno::Errno;
use crate::handle::{Handle, enter};
use crate::raw::Text;

export! {
    /// Sends events to an inproc endpoint as messages of version 1; without one, stops.
    fn zmq_socket_monitor(socket: Handle, endpoint: Text, events: c_int) -> c_int, else -1; {
        let found = enter::<Socket>(socket)?;
        // A mask is bits: all of them is -1.
        let events = u64::from(events.cast_unsigned());
        found.monitor(endpoint.optional()?, events, 1, ZMQ_PAIR)?;
        Ok(0)
    }

    /// The same with a choice of version and of the socket that sends (draft).
    fn zmq_socket_monitor_versioned(
        socket: Handle,
        endpoint: Text,
        events: u64,
        version: c_int,
        kind: c_int,
    ) -> c_int, else -1;
    {
        enter::<Socket>(socket)?.monitor(endpoint.optional()?, events, version, kind)?;
        Ok(0)
    }

    /// Events on how full pipes are (draft): not built in, fails with `ENOTSUP`.
    fn zmq_socket_monitor_pipes_stats(socket: Handle) -> c_int, else -1; {
        enter::<Socket>(socket)?;
        Err(Errno::UNSUPPORTED)
    }
}
