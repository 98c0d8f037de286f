//! Getting to an endpoint without a ZeroMQ socket: a descriptor, and bytes with a deadline.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::{Duration, Instant};

use crate::cmd::Failure;

/// A connection.
pub(super) enum Stream {
    Tcp(TcpStream),
    Local(UnixStream),
}

/// What became of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Bytes(usize),
    /// The peer has closed the connection.
    End,
    /// The time is over.
    Nothing,
}

impl Stream {
    /// Connects to a `tcp://` or `ipc://` endpoint.
    pub(super) fn open(endpoint: &str, timeout: Duration) -> Result<Self, Failure> {
        if let Some(address) = endpoint.strip_prefix("tcp://") {
            return open_tcp(address, timeout);
        }
        let Some(path) = endpoint.strip_prefix("ipc://") else {
            return Err(format!("{endpoint}: tcp:// and ipc:// endpoints can be audited").into());
        };
        let stream = match path.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name)
                .and_then(|address| UnixStream::connect_addr(&address)),
            None => UnixStream::connect(path),
        };
        Ok(Self::Local(stream.map_err(|error| format!("{endpoint}: {error}"))?))
    }

    /// Writes all of it. False if the peer takes no more.
    pub(super) fn say(&mut self, bytes: &[u8], deadline: Instant) -> bool {
        // Whatever is said during an audit fits into the kernel's buffers.
        let time = Some(left(deadline));
        match self {
            Self::Tcp(stream) => {
                stream.set_write_timeout(time).is_ok() && stream.write_all(bytes).is_ok()
            }
            Self::Local(stream) => {
                stream.set_write_timeout(time).is_ok() && stream.write_all(bytes).is_ok()
            }
        }
    }

    /// Waits for bytes.
    pub(super) fn hear(&mut self, buffer: &mut [u8], deadline: Instant) -> Heard {
        loop {
            if deadline <= Instant::now() {
                return Heard::Nothing;
            }
            let time = Some(left(deadline));
            let read = match self {
                Self::Tcp(stream) => {
                    stream.set_read_timeout(time).and_then(|()| stream.read(buffer))
                }
                Self::Local(stream) => {
                    stream.set_read_timeout(time).and_then(|()| stream.read(buffer))
                }
            };
            match read {
                Ok(0) => return Heard::End,
                Ok(count) => return Heard::Bytes(count),
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut => {}
                    _ => return Heard::End,
                },
            }
        }
    }
}

/// The time until then; no time at all would mean for ever.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

fn open_tcp(address: &str, timeout: Duration) -> Result<Stream, Failure> {
    let addresses = address.to_socket_addrs().map_err(|error| format!("{address}: {error}"))?;
    let mut failure = format!("{address}: there is no such host");
    for one in addresses {
        match TcpStream::connect_timeout(&one, timeout.max(Duration::from_millis(1))) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(Stream::Tcp(stream));
            }
            Err(error) => failure = format!("{one}: {error}"),
        }
    }
    Err(failure.into())
}
