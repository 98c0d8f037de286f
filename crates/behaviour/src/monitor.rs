//! Reading the events of zmq_socket_monitor(3): how a test waits for a connection.

use crate::consts::{EVENT_ALL, EVENT_HANDSHAKE_SUCCEEDED, PAIR};
use crate::{Ctx, Errno, Sock, unique};
use std::ffi::c_int;

/// One event of a monitored socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which of `ZMQ_EVENT_*`.
    pub kind: c_int,
    /// The number that goes with it.
    pub value: u32,
    /// The endpoint concerned.
    pub endpoint: String,
}

/// The receiving end of a socket's monitor.
pub struct Monitor {
    pair: Sock,
}

impl Monitor {
    /// Monitors every event of a socket.
    ///
    /// # Panics
    /// When a call fails.
    pub fn new(ctx: &Ctx, socket: &Sock) -> Self {
        Self::with(ctx, socket, EVENT_ALL)
    }

    /// Monitors the events of a mask.
    ///
    /// # Panics
    /// When a call fails.
    pub fn with(ctx: &Ctx, socket: &Sock, events: c_int) -> Self {
        let endpoint = format!("inproc://monitor-{}", unique());
        socket.monitor(&endpoint, events).expect("zmq_socket_monitor");
        let pair = ctx.socket(PAIR);
        pair.connect(&endpoint).expect("connect to the monitor");
        Self { pair }
    }

    /// The socket that the events arrive on.
    pub fn socket(&self) -> &Sock {
        &self.pair
    }

    /// The next event.
    ///
    /// # Panics
    /// When the event is not two frames of the documented layout.
    pub fn next(&self) -> Result<Event, Errno> {
        let parts = self.pair.recv_all()?;
        let [head, endpoint] = parts.as_slice() else { panic!("{} frames", parts.len()) };
        let head: [u8; 6] = head.as_slice().try_into().expect("six bytes");
        Ok(Event {
            kind: c_int::from(u16::from_ne_bytes([head[0], head[1]])),
            value: u32::from_ne_bytes([head[2], head[3], head[4], head[5]]),
            endpoint: String::from_utf8_lossy(endpoint).into_owned(),
        })
    }

    /// Waits for an event of this kind, passing over all others.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait(&self, kind: c_int) -> Event {
        loop {
            match self.next() {
                Ok(event) if event.kind == kind => return event,
                Ok(_) => {}
                Err(error) => panic!("no event {kind}: {error:?}"),
            }
        }
    }

    /// Waits until this many connections have passed their handshake.
    ///
    /// # Panics
    /// When they do not.
    pub fn wait_peers(&self, count: usize) {
        for _ in 0..count {
            self.wait(EVENT_HANDSHAKE_SUCCEEDED);
        }
    }
}
