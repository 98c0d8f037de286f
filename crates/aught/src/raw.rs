//! The interface that the C library stands on: parts instead of messages, flags and numbers
//! instead of types. Not for applications, and not covered by any promise of stability.

use std::os::fd::RawFd;
use std::time::Duration;

pub use crate::message::{ForeignFree, MAX_INLINE, Part, Peer, is_valid_raw, more_of_raw};
pub use crate::socket::poller::PollItem;
pub use crate::sys::poll::SignalMask;
pub use zmtp::z85;

/// Memory barriers of which one side pays nothing, for the C library's handles.
pub mod barrier {
    pub use crate::sys::barrier::{available, heavy, light, thread};
}

use crate::context::ContextInner;
use crate::error::Error;
use crate::socket::core::SocketCore;
use crate::socket::drops::Asked;
use crate::socket::poller::{self, Waits};
use crate::socket::proxy;
use crate::sync::Arc;

const DONT_WAIT: i32 = 1;
const SEND_MORE: i32 = 2;

/// A context: zmq_ctx_new(3).
#[derive(Clone)]
pub struct Context(Arc<ContextInner>);

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Context")
    }
}

impl Context {
    /// A context with default options.
    pub fn new() -> Result<Self, Error> {
        ContextInner::new().map(Self)
    }

    /// zmq_ctx_set(3).
    pub fn set(&self, option: i32, value: i32) -> Result<(), Error> {
        self.0.change_options(|options| Ok(options.set(option, value)?))
    }

    /// zmq_ctx_get(3).
    pub fn get(&self, option: i32) -> Result<i32, Error> {
        if let Some(asked) = Asked::of(option) {
            self.0.check_process()?;
            return Ok(i32::try_from(asked.count(&self.0.drops())).unwrap_or(i32::MAX));
        }
        if let Some(count) = self.0.incidents.count(option) {
            return Ok(i32::try_from(count).unwrap_or(i32::MAX));
        }
        self.0.change_options(|options| Ok(options.get(option)?))
    }

    /// zmq_ctx_set_ext(3).
    pub fn set_ext(&self, option: i32, value: &[u8]) -> Result<(), Error> {
        self.0.change_options(|options| Ok(options.set_ext(option, value)?))
    }

    /// zmq_ctx_get_ext(3).
    pub fn get_ext(&self, option: i32, out: &mut [u8]) -> Result<usize, Error> {
        if let Some(asked) = Asked::of(option) {
            self.0.check_process()?;
            return asked.write(&self.0.drops(), out);
        }
        if let Some(result) = self.0.incidents.read(option, out) {
            return result;
        }
        self.0.change_options(|options| Ok(options.get_ext(option, out)?))
    }

    /// zmq_socket(3).
    pub fn socket(&self, kind: i32) -> Result<Socket, Error> {
        self.0.check_process()?;
        self.0.check()?;
        let kind = zmtp::SocketType::from_code(kind)
            .ok_or(Error::Invalid("there is no such socket type"))?;
        SocketCore::new(&self.0, kind).map(Socket)
    }

    /// zmq_ctx_shutdown(3).
    pub fn shutdown(&self) -> Result<(), Error> {
        self.0.shutdown()
    }

    /// zmq_ctx_term(3). Waits; fails with [`Error::Interrupted`] and can then be called again.
    pub fn term(&self) -> Result<(), Error> {
        self.0.terminate()
    }
}

/// A socket: zmq_socket(3).
#[derive(Clone, Debug)]
pub struct Socket(Arc<SocketCore>);

impl Socket {
    /// Sends a part, which is taken out of `part` on success. Returns its size in bytes.
    #[inline]
    pub fn send(&self, part: &mut Part, flags: i32) -> Result<usize, Error> {
        let size = part.len();
        self.0.send_part(part, flags & SEND_MORE != 0, flags & DONT_WAIT != 0)?;
        Ok(size)
    }

    /// Sends a copy of some bytes as a part.
    #[inline]
    pub fn send_bytes(&self, bytes: &[u8], flags: i32) -> Result<usize, Error> {
        self.0.send_bytes(bytes, flags & SEND_MORE != 0, flags & DONT_WAIT != 0)?;
        Ok(bytes.len())
    }

    /// Receives a part in the place of another one, which is left alone on failure.
    #[inline]
    pub fn recv(&self, to: &mut Part, flags: i32) -> Result<(), Error> {
        self.0.receive_part(to, flags & DONT_WAIT != 0)
    }

    /// zmq_bind(3).
    pub fn bind(&self, endpoint: &str) -> Result<(), Error> {
        self.0.bind(endpoint)
    }

    /// zmq_connect(3).
    pub fn connect(&self, endpoint: &str) -> Result<(), Error> {
        self.0.connect(endpoint)
    }

    /// zmq_unbind(3).
    pub fn unbind(&self, endpoint: &str) -> Result<(), Error> {
        self.0.let_go(endpoint)
    }

    /// zmq_disconnect(3).
    pub fn disconnect(&self, endpoint: &str) -> Result<(), Error> {
        self.0.let_go(endpoint)
    }

    /// zmq_setsockopt(3).
    pub fn set_option(&self, option: i32, value: &[u8]) -> Result<(), Error> {
        self.0.set_option(option, value)
    }

    /// zmq_getsockopt(3). Returns how many bytes of `out` were written.
    pub fn get_option(&self, option: i32, out: &mut [u8]) -> Result<usize, Error> {
        self.0.get_option(option, out)
    }

    /// zmq_close(3).
    pub fn close(&self) -> Result<(), Error> {
        self.0.context.check_process()?;
        self.0.close()
    }

    /// What can be done without waiting: 1 to receive, 2 to send.
    pub fn events(&self) -> Result<i16, Error> {
        let (input, output) = self.0.ready_now()?;
        Ok(i16::from(input) | i16::from(output) << 1)
    }

    /// `ZMQ_FD`.
    pub fn fd(&self) -> Result<RawFd, Error> {
        self.0.descriptor()
    }

    /// zmq_socket_monitor(3) and its versioned sibling; `None` stops monitoring.
    pub fn monitor(
        &self,
        endpoint: Option<&str>,
        events: u64,
        version: i32,
        kind: i32,
    ) -> Result<(), Error> {
        self.0.context.check_process()?;
        self.0.context.check()?;
        self.0.set_monitor(endpoint, events, version, kind)
    }

    /// The socket's type as a number.
    #[must_use]
    pub fn socket_type(&self) -> i32 {
        self.0.kind().code()
    }

    /// Whether several threads may use the socket at once in the reference, too.
    #[must_use]
    pub fn is_thread_safe(&self) -> bool {
        crate::pattern::is_thread_safe(self.0.kind())
    }

    /// An item for [`poll`].
    #[must_use]
    pub fn poll_item(&self, events: i16) -> PollItem {
        PollItem::new(Waits::Socket(Arc::clone(&self.0)), events)
    }
}

/// zmq_poll(3). `None` waits for ever.
pub fn poll(items: &mut [PollItem], timeout: Option<Duration>) -> Result<usize, Error> {
    poller::poll(items, timeout)
}

/// zmq_ppoll(3): the same, with the signals of `mask` blocked while it waits, and no others.
pub fn ppoll(
    items: &mut [PollItem],
    timeout: Option<Duration>,
    mask: Option<&SignalMask>,
) -> Result<usize, Error> {
    poller::poll_masked(items, timeout, mask)
}

/// zmq_proxy(3) and zmq_proxy_steerable(3).
pub fn proxy(
    frontend: &Socket,
    backend: &Socket,
    capture: Option<&Socket>,
    control: Option<&Socket>,
) -> Result<(), Error> {
    proxy::run(
        &frontend.0,
        &backend.0,
        capture.map(|socket| &socket.0),
        control.map(|socket| &socket.0),
    )
}
