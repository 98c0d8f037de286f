//! One handshake with the peer, and a look at what it lets us do afterwards.

use std::time::{Duration, Instant};

use zmtp::{Config, Connection, Error, HandshakeFailure, Incompatible, MechanismConfig, Received};
use zmtp::{Peer, SocketType};

use super::reach::{Heard, Stream};
use crate::cmd::Failure;

/// What became of a handshake.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The peer lets us in: who it is, and what we could do then.
    In(Box<Peer>, Deed),
    /// It has told who it is, and we have not answered.
    Shown(Box<Peer>),
    /// Its socket type does not go with ours.
    Misfit(SocketType),
    /// It said no, with a status code of RFC 27.
    Denied(u32),
    /// It said no, in other words.
    Refused(String),
    /// It broke the protocol or closed the connection.
    Ended,
    /// It did not finish in time.
    Silent,
}

/// What we did as a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Deed {
    /// We asked for all messages.
    pub(super) subscribed: bool,
    /// We sent an empty message.
    pub(super) sent: bool,
    /// Messages that came.
    pub(super) received: u64,
    /// The peer closed the connection after that.
    pub(super) ended: bool,
}

/// How to try.
#[derive(Clone, Debug)]
pub(super) struct Attempt<'a> {
    pub(super) endpoint: &'a str,
    pub(super) kind: SocketType,
    pub(super) mechanism: MechanismConfig,
    pub(super) timeout: Duration,
    /// How long to look at what the peer does once we are in.
    pub(super) look: Duration,
    /// Greet, and say nothing after that.
    pub(super) passive: bool,
    pub(super) send: bool,
}

/// Octets of a greeting.
const GREETING: usize = 64;
/// The empty frames that a message to this type of peer begins with.
const DELIMITER: &[u8] = &[1, 0];
const EMPTY: &[u8] = &[0, 0];

impl Attempt<'_> {
    /// Tries.
    pub(super) fn make(&self) -> Result<Outcome, Failure> {
        let mut stream = Stream::open(self.endpoint, self.timeout)?;
        let deadline = Instant::now() + self.timeout;
        let mechanism = self.mechanism.clone();
        let config = Config { mechanism, ..Config::new(self.kind) };
        let mut connection = Connection::new(config, Instant::now());
        let (mut held, mut said) = (Vec::new(), 0);
        loop {
            let found = take(&mut connection, &mut held);
            self.flush(&mut connection, &mut stream, &mut said, deadline);
            match found {
                Ok(Some(Found::Ready)) => {
                    let Some(peer) = connection.peer().cloned().map(Box::new) else {
                        return Ok(Outcome::Ended);
                    };
                    if self.passive {
                        return Ok(Outcome::Shown(peer));
                    }
                    let deed = self.act(&mut connection, &mut stream, &mut held, said);
                    return Ok(Outcome::In(peer, deed));
                }
                Ok(Some(_)) => continue,
                Ok(None) => {}
                Err(error) => return Ok(judge(&error)),
            }
            let mut buffer = [0; 4096];
            match stream.hear(&mut buffer, deadline) {
                Heard::Bytes(count) => held.extend_from_slice(&buffer[..count]),
                Heard::End => return Ok(Outcome::Ended),
                Heard::Nothing => return Ok(Outcome::Silent),
            }
        }
    }

    /// Sends what the protocol has to say. A peer that does not hear us shows that when we listen.
    fn flush(
        &self,
        connection: &mut Connection,
        stream: &mut Stream,
        said: &mut usize,
        deadline: Instant,
    ) {
        let mut out = Vec::new();
        if connection.transmit(&mut out) {
            if self.passive {
                out.truncate(GREETING.saturating_sub(*said));
            }
            *said += out.len();
            let _ = stream.say(&out, deadline);
        }
    }

    /// Does what a peer of this type may do, and watches what comes of it.
    fn act(
        &self,
        connection: &mut Connection,
        stream: &mut Stream,
        held: &mut Vec<u8>,
        mut said: usize,
    ) -> Deed {
        let deadline = Instant::now() + self.look;
        let mut deed = Deed::default();
        self.flush(connection, stream, &mut said, deadline);
        let mut out = Vec::new();
        match self.kind {
            SocketType::Sub | SocketType::Xsub => {
                connection.encode_subscription(true, b"", &mut out);
                deed.subscribed = true;
            }
            kind if self.send && sends(kind) => {
                let delimited = matches!(kind, SocketType::Req | SocketType::Dealer);
                if connection.is_sealing() {
                    if delimited {
                        connection.seal(b"", true, &mut out);
                    }
                    connection.seal(b"", false, &mut out);
                } else {
                    out.extend_from_slice(if delimited { DELIMITER } else { b"" });
                    out.extend_from_slice(EMPTY);
                }
                deed.sent = true;
            }
            _ => {}
        }
        deed.ended = !out.is_empty() && !stream.say(&out, deadline);
        while !deed.ended {
            match take(connection, held) {
                Ok(Some(Found::Message)) => deed.received += 1,
                Ok(Some(_)) => {}
                Err(_) => deed.ended = true,
                Ok(None) => {
                    self.flush(connection, stream, &mut said, deadline);
                    let mut buffer = [0; 64 * 1024];
                    match stream.hear(&mut buffer, deadline) {
                        Heard::Bytes(count) => held.extend_from_slice(&buffer[..count]),
                        Heard::End => deed.ended = true,
                        Heard::Nothing => return deed,
                    }
                }
            }
        }
        deed
    }
}

/// Whether sockets of a type may send to whoever they are connected to.
pub(super) fn sends(kind: SocketType) -> bool {
    !matches!(kind, SocketType::Pull | SocketType::Sub | SocketType::Xsub | SocketType::Rep)
}

/// What the octets so far meant.
enum Found {
    Ready,
    /// The last part of a message.
    Message,
    Other,
}

/// Gives octets to the protocol until they mean something.
fn take(connection: &mut Connection, held: &mut Vec<u8>) -> Result<Option<Found>, Error> {
    let now = Instant::now();
    let (used, found) = match connection.receive(now, held)? {
        (used, None) => (used, None),
        (used, Some(Received::Ready)) => (used, Some(Found::Ready)),
        (used, Some(Received::Frame { more: false, .. })) => (used, Some(Found::Message)),
        // A large message has been seen well enough by its head, and its rest is not for us.
        (_, Some(Received::Large { .. } | Received::Sealed { .. })) => {
            held.clear();
            connection.reject("enough");
            return Ok(Some(Found::Message));
        }
        (used, Some(_)) => (used, Some(Found::Other)),
    };
    held.drain(..used);
    Ok(found)
}

/// What our own side makes of how a handshake ended.
fn judge(error: &Error) -> Outcome {
    match (error, error.handshake_failure()) {
        (Error::Incompatible(Incompatible::SocketType { theirs, .. }), _) => {
            Outcome::Misfit(*theirs)
        }
        (_, HandshakeFailure::Auth(status)) => Outcome::Denied(status),
        (Error::Refused { reason }, _) => Outcome::Refused(reason.clone()),
        _ => Outcome::Ended,
    }
}
