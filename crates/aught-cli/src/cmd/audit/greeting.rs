//! What a peer says before anybody is asked who they are: the greeting of RFC 37, and those of the
//! older versions.

use std::time::{Duration, Instant};

use super::reach::{Heard, Stream};
use crate::cmd::Failure;

/// Octets of a greeting of ZMTP 3.
const WHOLE: usize = 64;
/// Octets up to and with the major version.
const MAJOR: usize = 11;

/// What a greeting tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    pub(super) major: u8,
    pub(super) minor: u8,
    /// Empty for versions without mechanisms.
    pub(super) mechanism: String,
    pub(super) as_server: bool,
}

impl Greeting {
    /// The versions before ZMTP 3.0, in which everybody is let in.
    fn old(major: u8) -> Self {
        Self { major, minor: 0, mechanism: String::new(), as_server: false }
    }

    /// Whether there are mechanisms, and thereby socket types that can be seen.
    pub(super) fn has_mechanism(&self) -> bool {
        self.major >= 3
    }
}

/// What the octets so far are, if that can be told already.
fn read(octets: &[u8]) -> Option<Greeting> {
    match octets.first()? {
        0xff => {}
        _ => return Some(Greeting::old(1)),
    }
    if octets.get(9)? & 1 == 0 {
        return Some(Greeting::old(1));
    }
    match octets.get(MAJOR - 1)? {
        0 => return Some(Greeting::old(1)),
        1 | 2 => return Some(Greeting::old(2)),
        _ => {}
    }
    let whole = octets.get(..WHOLE)?;
    let name = whole.get(12..32)?.split(|octet| *octet == 0).next()?;
    Some(Greeting {
        major: whole[10],
        minor: whole[11],
        mechanism: name.escape_ascii().to_string(),
        as_server: whole[32] & 1 == 1,
    })
}

/// Greets and listens. What does not answer like ZMTP is an error.
pub(super) fn ask(endpoint: &str, timeout: Duration) -> Result<Greeting, Failure> {
    let deadline = Instant::now() + timeout;
    let mut stream = Stream::open(endpoint, timeout)?;
    // The signature and the major version: what follows depends on the peer's.
    let hello = [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3];
    stream.say(&hello, deadline);
    let mut octets = Vec::new();
    loop {
        let mut buffer = [0; 256];
        match stream.hear(&mut buffer, deadline) {
            Heard::Bytes(count) => octets.extend_from_slice(&buffer[..count]),
            Heard::End if octets.is_empty() => {
                return Err("the peer closed the connection without a word".into());
            }
            Heard::End => return Err(format!("this is not ZMTP: {}", beginning(&octets)).into()),
            Heard::Nothing if octets.is_empty() => {
                return Err("the peer says nothing: not ZMTP, or a STREAM socket".into());
            }
            Heard::Nothing => return Err("the peer does not finish its greeting".into()),
        }
        // ZMTP 1.0 begins with a frame: a length that includes flags, and flags of 0.
        let first = octets.first().copied().unwrap_or_default();
        if first != 0xff && (first == 0 || octets.get(1).is_some_and(|flags| *flags > 1)) {
            return Err(format!("this is not ZMTP: {}", beginning(&octets)).into());
        }
        if first != 0xff && octets.len() < 2 {
            continue;
        }
        if let Some(greeting) = read(&octets) {
            return Ok(greeting);
        }
    }
}

fn beginning(octets: &[u8]) -> String {
    octets.get(..octets.len().min(40)).unwrap_or_default().escape_ascii().to_string()
}

/// Greets as ZMTP 2.0 does and waits for the peer to hang up. `None` if it neither does nor goes
/// on with the handshake in that time.
pub(super) fn lets_old_peers_in(
    endpoint: &str,
    time: Duration,
    timeout: Duration,
) -> Result<Option<bool>, Failure> {
    /// The number of DEALER in ZMTP 2.0.
    const DEALER: u8 = 5;
    let mut stream = Stream::open(endpoint, timeout)?;
    let deadline = Instant::now() + time;
    let hello = [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1, DEALER, 0, 0];
    let mut seen = 0;
    if !stream.say(&hello, deadline) {
        return Ok(Some(false));
    }
    loop {
        let mut buffer = [0; 256];
        match stream.hear(&mut buffer, deadline) {
            Heard::End => return Ok(Some(false)),
            Heard::Bytes(count) => seen += count,
            // A signature, a version, a socket type, and the head of a routing id.
            Heard::Nothing => return Ok((seen >= MAJOR + 3).then_some(true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_are_told_apart() {
        let mut octets = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1];
        octets.extend_from_slice(b"CURVE");
        octets.resize(64, 0);
        octets[32] = 1;
        let curve = Greeting { major: 3, minor: 1, mechanism: "CURVE".to_owned(), as_server: true };
        assert_eq!(read(&octets), Some(curve));
        assert_eq!(read(&octets[..63]), None);
        octets[10] = 1;
        assert_eq!(read(&octets[..11]), Some(Greeting::old(2)));
        octets[9] = 0x7e;
        assert_eq!(read(&octets[..10]), Some(Greeting::old(1)));
        assert_eq!(read(b"\x01\x00"), Some(Greeting::old(1)));
        assert_eq!(read(b""), None);
    }
}
