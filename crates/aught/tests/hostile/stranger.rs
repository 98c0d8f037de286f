//! A connection without a ZeroMQ implementation behind it, and the bytes to send over it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use aught::SocketType;

use crate::PATIENCE;

/// How long a write may find no room before the stranger gives up.
const STALL: Duration = Duration::from_millis(200);

/// Numbers that look random and are the same every time.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn bytes(&mut self, most: usize) -> Vec<u8> {
        let len = self.next() as usize % most;
        (0..len).map(|_| (self.next() >> 24) as u8).collect()
    }
}

/// One connection.
pub(crate) enum Stranger {
    Tcp(TcpStream),
    Ipc(UnixStream),
}

impl Stranger {
    pub(crate) fn connect(endpoint: &str) -> Self {
        if let Some(address) = endpoint.strip_prefix("tcp://") {
            Self::over(TcpStream::connect(address).expect("a connection"))
        } else {
            let path = endpoint.strip_prefix("ipc://").expect("tcp or ipc");
            let stream = UnixStream::connect(path).expect("a connection");
            stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
            stream.set_write_timeout(Some(STALL)).expect("a limit");
            Self::Ipc(stream)
        }
    }

    /// Whoever connects next, seen from the server that is the stranger.
    pub(crate) fn accept(listener: &TcpListener) -> Self {
        Self::over(listener.accept().expect("a connection").0)
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("an option");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        stream.set_write_timeout(Some(STALL)).expect("a limit");
        Self::Tcp(stream)
    }

    pub(crate) fn shaken(endpoint: &str, kind: SocketType) -> Self {
        let mut stranger = Self::connect(endpoint);
        stranger.write(&handshake(kind));
        stranger.read_handshake();
        stranger
    }

    /// Writes until all is written, the socket hangs up, or it takes no more. Returns how much
    /// was taken.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> usize {
        let mut written = 0;
        while written < bytes.len() {
            let result = match self {
                Self::Tcp(stream) => stream.write(&bytes[written..]),
                Self::Ipc(stream) => stream.write(&bytes[written..]),
            };
            match result {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Hung up or held back: both are fair answers to a stranger.
                Err(_) => break,
            }
        }
        written
    }

    /// Shakes hands as `config` says, but for the end of the last command: READY, or INITIATE where
    /// the mechanism has one.
    pub(crate) fn half_shaken(endpoint: &str, config: zmtp::Config) -> Self {
        let mut stranger = Self::connect(endpoint);
        let mut connection = zmtp::Connection::new(config, Instant::now());
        let (mut heard, mut out) = (Vec::new(), Vec::new());
        loop {
            out.clear();
            connection.transmit(&mut out);
            let is_last = [&b"\x05READY"[..], b"\x08INITIATE"]
                .iter()
                .any(|name| out.windows(name.len()).any(|bytes| bytes == *name));
            if is_last {
                out.truncate(out.len() - 4);
            }
            stranger.write(&out);
            if is_last {
                return stranger;
            }
            heard.extend(stranger.read_some());
            let mut used = 0;
            while used < heard.len() {
                match connection.receive(Instant::now(), &heard[used..]).expect("a handshake").0 {
                    0 => break,
                    count => used += count,
                }
            }
            heard.drain(..used);
        }
    }

    fn read_exact(&mut self, bytes: &mut [u8]) {
        match self {
            Self::Tcp(stream) => stream.read_exact(bytes),
            Self::Ipc(stream) => stream.read_exact(bytes),
        }
        .expect("the socket speaks");
    }

    /// Reads what there is, once there is something.
    pub(crate) fn read_some(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        let count = match self {
            Self::Tcp(stream) => stream.read(&mut bytes),
            Self::Ipc(stream) => stream.read(&mut bytes),
        };
        bytes.truncate(count.expect("the socket speaks"));
        assert!(!bytes.is_empty(), "the socket does not hang up");
        bytes
    }

    /// Reads the other side's greeting and READY.
    pub(crate) fn read_handshake(&mut self) {
        self.read_exact(&mut [0; 64]);
        let mut head = [0; 2];
        self.read_exact(&mut head);
        assert_eq!(head[0], 4, "a short command");
        let mut body = vec![0; usize::from(head[1])];
        self.read_exact(&mut body);
        assert!(body.starts_with(b"\x05READY"), "{body:?}");
    }

    /// Sends no more, and waits until the socket hangs up, too.
    pub(crate) fn leave(mut self) {
        let done = match &self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Ipc(stream) => stream.shutdown(Shutdown::Write),
        };
        if done.is_err() {
            return; // the socket was first
        }
        let start = Instant::now();
        let mut bytes = [0; 4096];
        loop {
            let result = match &mut self {
                Self::Tcp(stream) => stream.read(&mut bytes),
                Self::Ipc(stream) => stream.read(&mut bytes),
            };
            match result {
                Ok(0) => return,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    panic!("the socket does not hang up")
                }
                Err(error) if error.kind() != ErrorKind::Interrupted => return,
                _ => assert!(start.elapsed() < PATIENCE, "the socket speaks for ever"),
            }
        }
    }

    /// Ends the connection by a reset, where the transport has one.
    pub(crate) fn reset(self) {
        if let Self::Tcp(stream) = &self {
            let linger = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
            linger.expect("a linger time");
        }
    }
}

/// The greeting of RFC 37 for the NULL mechanism.
pub(crate) fn greeting() -> [u8; 64] {
    let mut greeting = [0; 64];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[11] = 1;
    greeting[12..16].copy_from_slice(b"NULL");
    greeting
}

/// A property of RFC 37.
pub(crate) fn property(name: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![name.len() as u8];
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(&(value.len() as u32).to_be_bytes());
    bytes.extend_from_slice(value);
    bytes
}

/// A frame of RFC 37.
pub(crate) fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = match u8::try_from(body.len()) {
        Ok(len) => vec![flags, len],
        Err(_) => announce(flags, body.len() as u64),
    };
    frame.extend_from_slice(body);
    frame
}

/// The head of a long frame.
pub(crate) fn announce(flags: u8, len: u64) -> Vec<u8> {
    let mut head = vec![flags | 2];
    head.extend_from_slice(&len.to_be_bytes());
    head
}

/// The READY command of RFC 37, with more properties.
pub(crate) fn ready(kind: &str, more: &[u8]) -> Vec<u8> {
    let mut body = b"\x05READY".to_vec();
    body.extend_from_slice(&property("Socket-Type", kind.as_bytes()));
    body.extend_from_slice(more);
    frame(4, &body)
}

/// What a peer that fits a socket of this type calls itself.
fn counterpart(kind: SocketType) -> &'static str {
    match kind {
        SocketType::Pair => "PAIR",
        SocketType::Pub | SocketType::Xpub => "SUB",
        SocketType::Sub | SocketType::Xsub => "PUB",
        SocketType::Req => "REP",
        SocketType::Rep => "REQ",
        SocketType::Dealer => "ROUTER",
        SocketType::Router => "DEALER",
        SocketType::Pull => "PUSH",
        _ => "PULL",
    }
}

/// The whole handshake of a peer that fits a socket of this type.
pub(crate) fn handshake(kind: SocketType) -> Vec<u8> {
    [&greeting()[..], &ready(counterpart(kind), b"")].concat()
}
