//! The Rust interface: contexts and sockets that carry whole messages. Socket types with only
//! the operations that they have are in `typed`.

use std::fmt;
use std::os::fd::RawFd;
use std::time::Duration;

pub use zmtp::SocketType;

use super::core::SocketCore;
use super::monitor::{EVERYTHING, EventKind, MonitorEvent};
use super::poller::{self, POLLIN, POLLOUT, PollItem, Waits};
use super::proxy;
use crate::context::ContextInner;
use crate::error::{Error, SendError};
use crate::message::Message;
use crate::options::numbers;
use crate::pattern::Drop as DropCause;
use crate::sync::Arc;

/// Ends a context when the last of its handles and sockets goes.
struct ContextGuard(Arc<ContextInner>);

impl Drop for ContextGuard {
    fn drop(&mut self) {
        // A signal ends the wait early; it goes on, since messages would be lost otherwise.
        let mut ended = Err(Error::Interrupted);
        while ended == Err(Error::Interrupted) {
            ended = self.0.terminate();
        }
        leave_to_parent(&self.0, &ended);
    }
}

/// Where sockets come from: I/O threads and in-process names that belong together.
///
/// Cloning gives another handle to the same context. When the last handle and the last socket
/// are dropped, the context ends; that waits until what was sent is on its way, for as long as
/// the sockets' linger times allow (see [`Socket::set_linger`]).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = aught::Context::new()?;
/// let server = context.rep()?;
/// server.bind("inproc://doc-context")?;
/// let client = context.req()?;
/// client.connect("inproc://doc-context")?;
/// client.send("hello")?;
/// assert_eq!(server.recv()?, "hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Context(Arc<ContextGuard>);

impl Context {
    /// A context with one I/O thread, which starts with the first socket.
    ///
    /// # Errors
    /// [`Error::Os`] if the process has no descriptor left.
    pub fn new() -> Result<Self, Error> {
        Ok(Self(Arc::new(ContextGuard(ContextInner::new()?))))
    }

    /// A context with the given number of I/O threads. One is enough for about a gigabyte a
    /// second; zero is enough for in-process endpoints.
    ///
    /// # Errors
    /// As for [`Context::new`].
    pub fn with_io_threads(threads: u16) -> Result<Self, Error> {
        let context = Self::new()?;
        context
            .inner()
            .change_options(|options| Ok(options.set(numbers::IO_THREADS, i32::from(threads))?))?;
        Ok(context)
    }

    pub(crate) fn inner(&self) -> &Arc<ContextInner> {
        &self.0.0
    }

    /// A socket of any type.
    ///
    /// # Errors
    /// [`Error::TooManySockets`], [`Error::Terminated`] after [`Context::shutdown`], and
    /// [`Error::Invalid`] for a type that is not built in.
    pub fn socket(&self, kind: SocketType) -> Result<Socket, Error> {
        let core = SocketCore::new(self.inner(), kind)?;
        Ok(Socket { core, _context: Arc::clone(&self.0) })
    }

    /// How many messages the context's sockets have dropped, by cause, those that are closed by
    /// now included. What a closed socket could not send in its linger time is only told here.
    #[must_use]
    pub fn drops(&self) -> Vec<(DropCause, u64)> {
        self.inner().drops()
    }

    /// Makes every call on the context's sockets fail with [`Error::Terminated`] from now on,
    /// calls that wait included. Dropping the sockets then ends the context.
    pub fn shutdown(&self) {
        // In a forked child there is nothing to shut down.
        let _ = self.inner().shutdown();
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context")
    }
}

/// A socket of any type. The types in this crate's root, such as [`Req`](crate::Req) and
/// [`Pub`](crate::Pub), have just the operations of their pattern.
///
/// A socket can be used by several threads at once: each message is sent or received whole by
/// one call.
/// Dropping the socket closes it.
pub struct Socket {
    pub(super) core: Arc<SocketCore>,
    _context: Arc<ContextGuard>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        let closed = self.core.close(); // at worst it is closed already
        leave_to_parent(&self.core, &closed);
    }
}

/// In a forked child, what is dropped stays as it is: its locks may be held by threads that do
/// not exist there.
fn leave_to_parent<T>(shared: &Arc<T>, ended: &Result<(), Error>) {
    if *ended == Err(Error::Forked) {
        let _ = std::mem::ManuallyDrop::new(Arc::clone(shared));
    }
}

impl AsRef<Self> for Socket {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(f)
    }
}

impl Socket {
    /// The socket's type.
    #[must_use]
    pub fn socket_type(&self) -> SocketType {
        self.core.kind()
    }

    /// Accepts peers at an endpoint: `tcp://127.0.0.1:5555`, `tcp://*:*` (all interfaces, any
    /// free port), `ipc:///tmp/feed`, `ipc://@name`, `inproc://name` (zmq_bind(3)).
    ///
    /// # Errors
    /// [`Error::AddressInUse`], [`Error::NoSuchDevice`], [`Error::Invalid`] for an endpoint that
    /// is not one, [`Error::UnknownTransport`], or what the operating system says.
    pub fn bind(&self, endpoint: &str) -> Result<(), Error> {
        self.core.bind(endpoint)
    }

    /// Connects to an endpoint. Returns at once: the peer may come later, go and come back. Most
    /// socket types queue messages for it from now on (zmq_connect(3)).
    ///
    /// # Errors
    /// [`Error::Invalid`] for an endpoint that is not one, [`Error::UnknownTransport`].
    pub fn connect(&self, endpoint: &str) -> Result<(), Error> {
        self.core.connect(endpoint)
    }

    /// Stops accepting at an endpoint. Its port is free when this returns.
    ///
    /// # Errors
    /// [`Error::NoSuchEndpoint`].
    pub fn unbind(&self, endpoint: &str) -> Result<(), Error> {
        self.core.let_go(endpoint)
    }

    /// Disconnects from an endpoint. What was sent to it goes on being sent for the linger time.
    ///
    /// # Errors
    /// [`Error::NoSuchEndpoint`].
    pub fn disconnect(&self, endpoint: &str) -> Result<(), Error> {
        self.core.let_go(endpoint)
    }

    /// The endpoint that was last bound or connected, with wildcards resolved.
    ///
    /// # Errors
    /// [`Error::Terminated`].
    pub fn last_endpoint(&self) -> Result<String, Error> {
        let mut text = vec![0; 4096];
        let length = self.core.get_option(numbers::LAST_ENDPOINT, &mut text)?;
        text.truncate(length.saturating_sub(1));
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Sends a message, waiting while its pattern says so, for at most the send timeout.
    ///
    /// # Errors
    /// The message comes back with the error: [`Error::WouldBlock`] when the time ran out,
    /// [`Error::WrongState`], [`Error::Unroutable`], [`Error::Unsupported`],
    /// [`Error::Terminated`].
    pub fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.core
            .send_message(message.into(), false)
            .map_err(|(error, message)| SendError::new(error, message))
    }

    /// Sends a message if that needs no waiting.
    ///
    /// # Errors
    /// As for [`Socket::send`]; [`Error::WouldBlock`] when it would have to wait.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.core
            .send_message(message.into(), true)
            .map_err(|(error, message)| SendError::new(error, message))
    }

    /// Receives a message, waiting for at most the receive timeout.
    ///
    /// # Errors
    /// [`Error::WouldBlock`] when the time ran out, [`Error::WrongState`],
    /// [`Error::Unsupported`], [`Error::Interrupted`], [`Error::Terminated`].
    pub fn recv(&self) -> Result<Message, Error> {
        self.core.receive_message(false)
    }

    /// Receives a message if there is one.
    ///
    /// # Errors
    /// As for [`Socket::recv`]; [`Error::WouldBlock`] when there is none.
    pub fn try_recv(&self) -> Result<Message, Error> {
        self.core.receive_message(true)
    }

    /// Receives a message, waiting for at most `timeout`.
    ///
    /// # Errors
    /// As for [`Socket::recv`].
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Message, Error> {
        self.core.receive_message_within(timeout)
    }

    /// Whether a message can be received now.
    ///
    /// # Errors
    /// [`Error::Terminated`].
    pub fn can_recv(&self) -> Result<bool, Error> {
        Ok(self.core.ready_now()?.0)
    }

    /// Whether a message can be sent now without waiting.
    ///
    /// # Errors
    /// [`Error::Terminated`].
    pub fn can_send(&self) -> Result<bool, Error> {
        Ok(self.core.ready_now()?.1)
    }

    fn poll_item(&self, events: i16) -> PollItem {
        PollItem::new(Waits::Socket(Arc::clone(&self.core)), events)
    }

    /// The descriptor that becomes readable when something about the socket may have changed
    /// (`ZMQ_FD`): edge-triggered, to be followed by [`Socket::can_recv`] and
    /// [`Socket::can_send`]. Never read or close it.
    ///
    /// # Errors
    /// [`Error::Os`] if the process has no descriptor left.
    pub fn descriptor(&self) -> Result<RawFd, Error> {
        self.core.descriptor()
    }

    /// Sets an option by its number in `zmq.h`, for what has no method here.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn set_option(&self, option: i32, value: &[u8]) -> Result<(), Error> {
        self.core.set_option(option, value)
    }

    fn set_int(&self, option: i32, value: i32) -> Result<(), Error> {
        self.core.set_option(option, &value.to_ne_bytes())
    }

    fn set_time(&self, option: i32, time: Option<Duration>) -> Result<(), Error> {
        let millis = time.map_or(Ok(-1), |time| {
            i32::try_from(time.as_millis())
                .map_err(|_| Error::Invalid("a time is at most about 24 days"))
        })?;
        self.set_int(option, millis)
    }

    /// How long to go on sending after the socket is closed; `None`: for ever, the default.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a time over 24 days.
    pub fn set_linger(&self, time: Option<Duration>) -> Result<(), Error> {
        self.set_time(numbers::LINGER, time)
    }

    /// How long [`Socket::send`] waits; `None`: for ever, the default.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a time over 24 days.
    pub fn set_send_timeout(&self, time: Option<Duration>) -> Result<(), Error> {
        self.set_time(numbers::SNDTIMEO, time)
    }

    /// How long [`Socket::recv`] waits; `None`: for ever, the default.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a time over 24 days.
    pub fn set_recv_timeout(&self, time: Option<Duration>) -> Result<(), Error> {
        self.set_time(numbers::RCVTIMEO, time)
    }

    /// The high-water mark for sending, in messages per peer; 0: none. Default 1000. Changes
    /// count at once.
    ///
    /// # Errors
    /// [`Error::Invalid`] above 2^31-1.
    pub fn set_send_hwm(&self, messages: u32) -> Result<(), Error> {
        let messages = i32::try_from(messages).map_err(|_| Error::Invalid("too many messages"))?;
        self.set_int(numbers::SNDHWM, messages)
    }

    /// The high-water mark for receiving, in messages per peer; 0: none. Default 1000. Changes
    /// count at once.
    ///
    /// # Errors
    /// [`Error::Invalid`] above 2^31-1.
    pub fn set_recv_hwm(&self, messages: u32) -> Result<(), Error> {
        let messages = i32::try_from(messages).map_err(|_| Error::Invalid("too many messages"))?;
        self.set_int(numbers::RCVHWM, messages)
    }

    /// The name by which ROUTER peers know this socket, 1 to 255 bytes that do not begin with
    /// zero. Counts from the next bind or connect on.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn set_routing_id(&self, id: &[u8]) -> Result<(), Error> {
        self.core.set_option(numbers::ROUTING_ID, id)
    }

    /// Sends only to peers that are there: what has no peer waits. Default off.
    ///
    /// # Errors
    /// [`Error::Terminated`].
    pub fn set_immediate(&self, on: bool) -> Result<(), Error> {
        self.set_int(numbers::IMMEDIATE, i32::from(on))
    }

    /// Accepts and makes connections over IPv6, too. Default off.
    ///
    /// # Errors
    /// [`Error::Terminated`].
    pub fn set_ipv6(&self, on: bool) -> Result<(), Error> {
        self.set_int(numbers::IPV6, i32::from(on))
    }

    /// How long to wait before a lost connection is made again; `None`: never. Default 100 ms.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a time over 24 days.
    pub fn set_reconnect_interval(&self, time: Option<Duration>) -> Result<(), Error> {
        self.set_time(numbers::RECONNECT_IVL, time)
    }

    /// The largest message part that peers may send, in bytes; `None`: no limit, the default.
    ///
    /// # Errors
    /// [`Error::Invalid`] above 2^63-1.
    pub fn set_max_message_size(&self, bytes: Option<u64>) -> Result<(), Error> {
        let bytes = bytes.map_or(Ok(-1), i64::try_from);
        let bytes = bytes.map_err(|_| Error::Invalid("at most 2^63-1 bytes"))?;
        self.core.set_option(numbers::MAXMSGSIZE, &bytes.to_ne_bytes())
    }

    /// How often to ask a silent peer whether it is there; `None`: not, the default.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a time over 24 days.
    pub fn set_heartbeat_interval(&self, time: Option<Duration>) -> Result<(), Error> {
        self.set_int(
            numbers::HEARTBEAT_IVL,
            i32::try_from(time.unwrap_or_default().as_millis())
                .map_err(|_| Error::Invalid("a time is at most about 24 days"))?,
        )
    }

    /// Lets in messages that begin with `prefix` (SUB; XSUB sends a message instead).
    ///
    /// # Errors
    /// [`Error::Invalid`] for other socket types.
    pub fn subscribe(&self, prefix: &[u8]) -> Result<(), Error> {
        self.core.set_option(numbers::SUBSCRIBE, prefix)
    }

    /// Undoes one [`Socket::subscribe`].
    ///
    /// # Errors
    /// [`Error::Invalid`] for other socket types.
    pub fn unsubscribe(&self, prefix: &[u8]) -> Result<(), Error> {
        self.core.set_option(numbers::UNSUBSCRIBE, prefix)
    }

    /// Fails sends to unknown or full peers instead of dropping the message (ROUTER).
    ///
    /// # Errors
    /// [`Error::Invalid`] for other socket types.
    pub fn set_router_mandatory(&self, on: bool) -> Result<(), Error> {
        self.set_int(numbers::ROUTER_MANDATORY, i32::from(on))
    }

    /// How many messages the socket has dropped, by cause: at high-water marks, for peers that
    /// are not there, with connections that were lost and so on. What bytes the system had
    /// accepted, and a peer did not get, nobody can count.
    ///
    /// # Errors
    /// [`Error::Terminated`].
    pub fn drops(&self) -> Result<Vec<(DropCause, u64)>, Error> {
        self.core.drops()
    }

    /// What happens to the socket's connections from now on, as an iterator that ends when the
    /// socket is closed. A monitor that is not read loses events, never the socket messages.
    ///
    /// # Errors
    /// [`Error::Terminated`], [`Error::TooManySockets`].
    pub fn monitor(&self) -> Result<Monitor, Error> {
        let endpoint = format!("inproc://aught-monitor-{}", crate::engine::next_id());
        self.core.set_monitor(
            Some(&endpoint),
            u64::from(EVERYTHING),
            1,
            SocketType::Pair.code(),
        )?;
        let pair = SocketCore::new(&self.core.context, SocketType::Pair)?;
        let socket = Self { core: pair, _context: Arc::clone(&self._context) };
        socket.connect(&endpoint)?;
        Ok(Monitor { socket, done: false })
    }
}

/// The events of one socket, from [`Socket::monitor`]. Waits for the next event.
#[derive(Debug)]
pub struct Monitor {
    socket: Socket,
    done: bool,
}

impl Monitor {
    /// The next event, if it comes within `timeout`.
    ///
    /// # Errors
    /// [`Error::WouldBlock`] when the time ran out, [`Error::Terminated`].
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<MonitorEvent, Error> {
        let message = self.socket.recv_timeout(timeout)?;
        MonitorEvent::from_message(&message).ok_or(Error::WouldBlock)
    }
}

impl Iterator for Monitor {
    type Item = MonitorEvent;

    fn next(&mut self) -> Option<MonitorEvent> {
        if self.done {
            return None;
        }
        let message = loop {
            match self.socket.recv() {
                Ok(message) => break message,
                Err(Error::Interrupted) => {}
                Err(_) => return None,
            }
        };
        let event = MonitorEvent::from_message(&message)?;
        self.done = event.kind == EventKind::Stopped;
        Some(event)
    }
}

/// Waits for several sockets at once.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use aught::{Context, Poller};
///
/// let context = Context::new()?;
/// let pull = context.pull()?;
/// pull.bind("inproc://doc-poller")?;
/// let push = context.push()?;
/// push.connect("inproc://doc-poller")?;
/// push.send("work")?;
///
/// let mut poller = Poller::new();
/// let index = poller.add(&pull, Poller::IN);
/// poller.wait(None)?;
/// assert!(poller.is_readable(index));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Poller {
    items: Vec<PollItem>,
}

impl Poller {
    /// Wait for messages to receive.
    pub const IN: i16 = POLLIN;
    /// Wait for room to send.
    pub const OUT: i16 = POLLOUT;

    /// A poller that waits for nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a socket, with [`Poller::IN`], [`Poller::OUT`] or both. Returns its index.
    pub fn add(&mut self, socket: &impl AsRef<Socket>, events: i16) -> usize {
        self.items.push(socket.as_ref().poll_item(events));
        self.items.len() - 1
    }

    /// Adds a descriptor of the operating system, which has to stay open as long as the poller
    /// waits. Returns its index.
    pub fn add_descriptor(&mut self, fd: RawFd, events: i16) -> usize {
        self.items.push(PollItem::descriptor(fd, events));
        self.items.len() - 1
    }

    /// Waits until something is ready or `timeout` has passed (`None`: for ever). Returns how
    /// many items are ready.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when a signal arrives, [`Error::Terminated`].
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<usize, Error> {
        poller::poll(&mut self.items, timeout)
    }

    /// Whether the item can be read, as of the last wait.
    #[must_use]
    pub fn is_readable(&self, index: usize) -> bool {
        self.items.get(index).is_some_and(|item| item.ready() & POLLIN != 0)
    }

    /// Whether the item can be written, as of the last wait.
    #[must_use]
    pub fn is_writable(&self, index: usize) -> bool {
        self.items.get(index).is_some_and(|item| item.ready() & POLLOUT != 0)
    }
}

/// Passes messages between two sockets until the context ends, with a copy of each to `capture`
/// (zmq_proxy(3)).
///
/// # Errors
/// Always ends with one: [`Error::Terminated`] in the normal case.
pub fn proxy(
    frontend: &impl AsRef<Socket>,
    backend: &impl AsRef<Socket>,
    capture: Option<&Socket>,
) -> Result<(), Error> {
    let (frontend, backend) = (frontend.as_ref(), backend.as_ref());
    proxy::run(&frontend.core, &backend.core, capture.map(|socket| &socket.core), None)
}

/// The same, obeying `PAUSE`, `RESUME`, `TERMINATE` and `STATISTICS` from `control`
/// (zmq_proxy_steerable(3)).
///
/// # Errors
/// [`Error::Terminated`] when the context ends first.
pub fn proxy_steerable(
    frontend: &impl AsRef<Socket>,
    backend: &impl AsRef<Socket>,
    capture: Option<&Socket>,
    control: &impl AsRef<Socket>,
) -> Result<(), Error> {
    proxy::run(
        &frontend.as_ref().core,
        &backend.as_ref().core,
        capture.map(|socket| &socket.core),
        Some(&control.as_ref().core),
    )
}
