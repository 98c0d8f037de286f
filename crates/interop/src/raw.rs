//! A peer made of bytes: connects, says what it likes and leaves when it likes. Nothing here
//! knows which library listens.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// How long a hostile peer lets itself be held up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a greeting.
pub(crate) const GREETING: usize = 64;

trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// A connection of a hostile peer. Dropping it closes the connection; when bytes of the other
/// side have arrived and were not read, that resets it.
pub(crate) struct Raw(Box<dyn Wire>);

impl Raw {
    /// Connects to a tcp or ipc endpoint.
    ///
    /// # Errors
    /// When nobody listens (any more).
    pub(crate) fn connect(endpoint: &str) -> Result<Self, String> {
        let open = || -> std::io::Result<Box<dyn Wire>> {
            if let Some(path) = endpoint.strip_prefix("ipc://") {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(Box::new(stream));
            }
            let stream = TcpStream::connect(endpoint.trim_start_matches("tcp://"))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream))
        };
        open().map(Self).map_err(|error| format!("cannot connect to {endpoint}: {error}"))
    }

    /// Says bytes; whether the other side still took them.
    ///
    /// # Errors
    /// When the other side takes nothing for ten seconds.
    pub(crate) fn say(&mut self, bytes: &[u8]) -> Result<bool, String> {
        match self.0.write_all(bytes) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(format!("the server takes no bytes for {PATIENCE:?}"))
            }
            Err(_) => Ok(false),
        }
    }

    /// Waits for `count` bytes; whether they came.
    pub(crate) fn hear(&mut self, count: usize) -> bool {
        self.0.read_exact(&mut vec![0; count]).is_ok()
    }

    /// Waits for the other side's greeting and the start of its READY, of which the rest stays
    /// unread.
    pub(crate) fn hear_ready(&mut self) -> bool {
        self.hear(GREETING + 1)
    }
}

/// A greeting of ZMTP 3.`minor` with the NULL mechanism (RFC 37), then READY as `kind`.
pub(crate) fn handshake(minor: u8, kind: &str) -> Vec<u8> {
    let mut bytes = vec![0; GREETING];
    for (at, value) in [(0, 0xff), (9, 0x7f), (10, 3), (11, minor)] {
        bytes[at] = value;
    }
    bytes[12..16].copy_from_slice(b"NULL");
    bytes.extend(command(b"READY", &property(b"Socket-Type", kind.as_bytes())));
    bytes
}

fn property(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![name.len() as u8];
    bytes.extend(name);
    bytes.extend((value.len() as u32).to_be_bytes());
    bytes.extend(value);
    bytes
}

/// A command frame.
pub(crate) fn command(name: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x04, (1 + name.len() + data.len()) as u8, name.len() as u8];
    bytes.extend(name);
    bytes.extend(data);
    bytes
}

/// A message frame of at most 255 bytes.
pub(crate) fn frame(more: bool, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![u8::from(more), body.len() as u8];
    bytes.extend(body);
    bytes
}

/// The header of a frame of any length: `flags` is without the bit for a long frame.
pub(crate) fn long_header(flags: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![flags | 0x02];
    bytes.extend(length.to_be_bytes());
    bytes
}

/// Bytes without a pattern, the same in every run (xorshift).
pub(crate) fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handshake_is_that_of_rfc_37() {
        let bytes = handshake(1, "PUSH");
        assert_eq!(bytes[..12], [0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1]);
        assert_eq!(&bytes[64..], b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PUSH");
    }
}
