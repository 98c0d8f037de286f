//! What happens to a socket's connections, told to whoever monitors it: zmq_socket_monitor(3).
//! Events travel as messages of two frames over an inproc PAIR; the Rust interface reads them
//! back as [`MonitorEvent`]s.

use std::time::Duration;

use crate::context::ContextInner;
use crate::error::Error;
use crate::message::{Message, Part};
use crate::socket::core::SocketCore;
use crate::socket::incidents::Limit;
use crate::sync::{Arc, AtomicU32, Mutex, Ordering, lock};

pub(crate) const CONNECTED: u16 = 0x0001;
pub(crate) const CONNECT_DELAYED: u16 = 0x0002;
pub(crate) const CONNECT_RETRIED: u16 = 0x0004;
pub(crate) const LISTENING: u16 = 0x0008;
pub(crate) const BIND_FAILED: u16 = 0x0010;
pub(crate) const ACCEPTED: u16 = 0x0020;
pub(crate) const ACCEPT_FAILED: u16 = 0x0040;
pub(crate) const CLOSED: u16 = 0x0080;
pub(crate) const DISCONNECTED: u16 = 0x0200;
pub(crate) const STOPPED: u16 = 0x0400;
pub(crate) const HANDSHAKE_FAILED_NO_DETAIL: u16 = 0x0800;
pub(crate) const HANDSHAKE_SUCCEEDED: u16 = 0x1000;
pub(crate) const HANDSHAKE_FAILED_PROTOCOL: u16 = 0x2000;
pub(crate) const HANDSHAKE_FAILED_AUTH: u16 = 0x4000;

// Events of this library's own. Each is two bits, as none of the others is, and none of them is
// asked for by a bit that another library has a meaning for.
pub(crate) const LIMIT: u16 = 0x8001;
pub(crate) const UNAUTHENTICATED: u16 = 0x8002;

/// What `events` asks for of the events above.
const WANTS_LIMIT: u32 = 0x0100_0000;
const WANTS_UNAUTHENTICATED: u32 = 0x0200_0000;
/// The events of zmq_socket_monitor(3), and no more.
const KNOWN: u32 = 0xffff;

/// The events that a mask asks for. Programs may ask for all that there is by setting all bits:
/// events that they cannot know are not among that.
pub(crate) fn wanted(events: u64) -> u32 {
    let ours = WANTS_LIMIT | WANTS_UNAUTHENTICATED;
    let known = u32::try_from(events & u64::from(KNOWN)).unwrap_or(0);
    match u32::try_from(events) {
        Ok(events) if events & !(KNOWN | ours) == 0 => events,
        _ => known,
    }
}

/// Everything that there is, for those who know it.
pub(crate) const EVERYTHING: u32 = KNOWN | WANTS_LIMIT | WANTS_UNAUTHENTICATED;

/// The bit that asks for an event.
fn bit(event: u16) -> u32 {
    match event {
        LIMIT => WANTS_LIMIT,
        UNAUTHENTICATED => WANTS_UNAUTHENTICATED,
        known => u32::from(known),
    }
}

/// One thing that happened.
pub(crate) struct Happening<'a> {
    pub(crate) event: u16,
    pub(crate) value: i32,
    pub(crate) endpoint: &'a str,
}

/// A socket's monitor, if it has one.
#[derive(Default)]
pub(crate) struct Monitor {
    /// The events that are wanted; a look without the lock.
    wanted: AtomicU32,
    sink: Mutex<Option<Arc<SocketCore>>>,
}

impl Monitor {
    /// Starts to tell of the events in `wanted` at `endpoint`, an inproc name. Replaces an
    /// earlier monitor.
    pub(crate) fn start(
        &self,
        context: &Arc<ContextInner>,
        endpoint: &str,
        wanted: u32,
    ) -> Result<(), Error> {
        self.stop();
        let pair = SocketCore::internal(context, zmtp::SocketType::Pair)?;
        pair.set_linger(Some(Duration::ZERO));
        if let Err(error) = pair.bind(endpoint) {
            let _ = pair.close(); // it was never used
            return Err(error);
        }
        *lock(&self.sink) = Some(pair);
        self.wanted.store(wanted, Ordering::Release);
        Ok(())
    }

    /// Stops telling, with a last event that says so.
    pub(crate) fn stop(&self) {
        let mut sink = lock(&self.sink);
        if sink.is_some() {
            self.tell(&sink, &Happening { event: STOPPED, value: 0, endpoint: "" });
        }
        self.wanted.store(0, Ordering::Release);
        if let Some(pair) = sink.take() {
            let _ = pair.close(); // nobody else closes it
        }
    }

    /// Tells of what happened. Never waits: a monitor that is not read loses events.
    pub(crate) fn emit(&self, happening: &Happening<'_>) {
        if self.wanted.load(Ordering::Acquire) & bit(happening.event) != 0 {
            self.tell(&lock(&self.sink), happening);
        }
    }

    fn tell(&self, sink: &Option<Arc<SocketCore>>, happening: &Happening<'_>) {
        let wanted = self.wanted.load(Ordering::Acquire);
        let Some(pair) = sink else { return };
        if wanted & bit(happening.event) == 0 {
            return;
        }
        let mut head = Vec::with_capacity(6);
        head.extend_from_slice(&happening.event.to_ne_bytes());
        head.extend_from_slice(&happening.value.to_ne_bytes());
        let message = Message::from_parts([Part::from_vec(head), happening.endpoint.into()]);
        // Nobody reads, or the context is ending: either way there is nobody to tell.
        let _ = pair.send_message(message, true);
    }
}

/// Something that happened to a socket's connections.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MonitorEvent {
    /// What happened.
    pub kind: EventKind,
    /// The endpoint that it happened to, as given to `bind` or `connect`.
    pub endpoint: String,
}

/// What happened, with its value. Descriptors are only good as names: the library closes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A connection was made, on this descriptor; its handshake begins.
    Connected(i32),
    /// A connection is being made in the background.
    ConnectDelayed,
    /// A connection will be tried again after this time.
    ConnectRetried(Duration),
    /// The socket listens, on this descriptor.
    Listening(i32),
    /// Binding failed with this `errno`.
    BindFailed(i32),
    /// A connection was accepted, on this descriptor; its handshake begins.
    Accepted(i32),
    /// Accepting a connection failed with this `errno`.
    AcceptFailed(i32),
    /// The descriptor was closed.
    Closed(i32),
    /// The connection on this descriptor was lost.
    Disconnected(i32),
    /// The monitor ends.
    Stopped,
    /// A handshake failed with this `errno`.
    HandshakeFailed(i32),
    /// A handshake is done: the peer takes messages from here on.
    HandshakeSucceeded,
    /// A handshake failed since the peer broke the protocol, or the handler that was to decide
    /// about it did; `ZMQ_PROTOCOL_ERROR_*` says how.
    HandshakeFailedProtocol(i32),
    /// The peer was not let in, or did not let us in; the number is the status code (RFC 27): 300,
    /// 400 or 500.
    HandshakeFailedAuth(i32),
    /// A limit of a bound endpoint has acted.
    LimitReached(Limit),
    /// An endpoint outside of this machine was bound without authentication; or was not, with
    /// this `errno`: see [`Context::set_unauthenticated`](crate::Context::set_unauthenticated).
    Unauthenticated(Option<i32>),
    /// An event that this version has no name for.
    Other(u16, i32),
}

impl MonitorEvent {
    /// Reads an event from the message that carries it.
    #[must_use]
    pub fn from_message(message: &Message) -> Option<Self> {
        let head = message.first();
        let event = u16::from_ne_bytes(head.get(..2)?.try_into().ok()?);
        let value = i32::from_ne_bytes(head.get(2..6)?.try_into().ok()?);
        let kind = match event {
            CONNECTED => EventKind::Connected(value),
            CONNECT_DELAYED => EventKind::ConnectDelayed,
            CONNECT_RETRIED => {
                EventKind::ConnectRetried(Duration::from_millis(u64::try_from(value).unwrap_or(0)))
            }
            LISTENING => EventKind::Listening(value),
            BIND_FAILED => EventKind::BindFailed(value),
            ACCEPTED => EventKind::Accepted(value),
            ACCEPT_FAILED => EventKind::AcceptFailed(value),
            CLOSED => EventKind::Closed(value),
            DISCONNECTED => EventKind::Disconnected(value),
            STOPPED => EventKind::Stopped,
            HANDSHAKE_FAILED_NO_DETAIL => EventKind::HandshakeFailed(value),
            HANDSHAKE_SUCCEEDED => EventKind::HandshakeSucceeded,
            HANDSHAKE_FAILED_PROTOCOL => EventKind::HandshakeFailedProtocol(value),
            HANDSHAKE_FAILED_AUTH => EventKind::HandshakeFailedAuth(value),
            LIMIT if let Some(limit) = Limit::from_number(value) => EventKind::LimitReached(limit),
            UNAUTHENTICATED => EventKind::Unauthenticated(Some(value).filter(|errno| *errno != 0)),
            other => EventKind::Other(other, value),
        };
        let endpoint = String::from_utf8_lossy(message.last()).into_owned();
        Some(Self { kind, endpoint })
    }
}
