//! Why a connection ended, and whose fault it was. Every error ends the connection that returned
//! it; what the engine does about it (close, back off, report) is decided there.

use thiserror::Error;

use crate::frame::Malformed;
use crate::metadata::InvalidMetadata;
use crate::random::NoRandomness;
use crate::socket_type::SocketType;
use crate::version::Version;

// The ZMQ_PROTOCOL_ERROR_ZMTP_* numbers of zmq_socket_monitor(3) that this crate can raise.
const ZMTP_UNSPECIFIED: u32 = 0x1000_0000;
const ZMTP_UNEXPECTED_COMMAND: u32 = 0x1000_0001;
const ZMTP_INVALID_SEQUENCE: u32 = 0x1000_0002;
const ZMTP_KEY_EXCHANGE: u32 = 0x1000_0003;
const ZMTP_MALFORMED_COMMAND_UNSPECIFIED: u32 = 0x1000_0011;
const ZMTP_MALFORMED_COMMAND_MESSAGE: u32 = 0x1000_0012;
const ZMTP_MALFORMED_COMMAND_HELLO: u32 = 0x1000_0013;
const ZMTP_MALFORMED_COMMAND_INITIATE: u32 = 0x1000_0014;
const ZMTP_MALFORMED_COMMAND_ERROR: u32 = 0x1000_0015;
const ZMTP_MALFORMED_COMMAND_READY: u32 = 0x1000_0016;
const ZMTP_MALFORMED_COMMAND_WELCOME: u32 = 0x1000_0017;
const ZMTP_INVALID_METADATA: u32 = 0x1000_0018;
const ZMTP_CRYPTOGRAPHIC: u32 = 0x1100_0001;
const ZMTP_MECHANISM_MISMATCH: u32 = 0x1100_0002;

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The peer broke the rules of the protocol.
    #[error("the peer broke the protocol: {0}")]
    Misbehaved(#[from] Misbehaved),
    /// Both sides kept the rules, and cannot talk to each other.
    #[error("the peer is incompatible: {0}")]
    Incompatible(#[from] Incompatible),
    /// The peer ended the handshake with an ERROR command.
    #[error("the peer refused the connection: {reason:?}")]
    Refused {
        /// What the peer said, unprintable octets escaped. It may be empty.
        reason: String,
    },
    /// A data frame is larger than the configured maximum, which is our own choice.
    #[error("a frame of {len} octets exceeds the maximum of {limit}")]
    MessageTooLarge {
        /// Octets that the frame's header announces.
        len: u64,
        /// The configured maximum.
        limit: u64,
    },
    /// We refused the peer: [`Connection::reject`](crate::Connection::reject) was called.
    #[error("the peer was rejected")]
    Rejected,
    /// The owner denied the peer: [`Verdict::Deny`](crate::Verdict::Deny).
    #[error("the peer was denied with status {status}")]
    Denied {
        /// The status code of RFC 27.
        status: u16,
    },
    /// There is nothing to make keys of.
    #[error("{0}")]
    NoRandomness(#[from] NoRandomness),
    /// The handshake was not finished in time.
    #[error("the handshake timed out")]
    HandshakeTimeout,
    /// Nothing was heard from the peer in the time that heartbeats allow.
    #[error("the peer fell silent")]
    HeartbeatTimeout,
    /// The connection had already ended with another error.
    #[error("the connection is over")]
    Over,
}

/// How a peer broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Misbehaved {
    /// Octets that are not a frame header.
    #[error("{0}")]
    Frame(#[from] Malformed),
    /// A message before the handshake was over.
    #[error("a message came before the handshake was over")]
    EarlyMessage,
    /// A message where the first command of a PLAIN or CURVE client should be. libzmq looks for a
    /// command in it and finds a malformed one.
    #[error("a message came in place of a HELLO command")]
    MessageForHello,
    /// A command before the handshake was over that is not part of it.
    #[error("a command came that is not part of the handshake")]
    UnexpectedCommand,
    /// A command frame without a proper name, before the handshake was over.
    #[error("a handshake command has no proper name")]
    NamelessHandshakeCommand,
    /// A command frame without a proper name once the handshake is over, or without room for one
    /// where HELLO is awaited.
    #[error("a command has no proper name")]
    NamelessCommand,
    /// A command whose data does not follow its grammar.
    #[error("a {0} command is malformed")]
    Command(&'static str),
    /// An ERROR command that does not follow its grammar.
    #[error("an ERROR command is malformed")]
    ErrorCommand,
    /// Metadata that does not follow its grammar, or holds invalid values.
    #[error("invalid metadata: {0}")]
    Metadata(#[from] InvalidMetadata),
    /// Metadata of a client, in its INITIATE command, that is not right.
    #[error("invalid metadata in INITIATE: {0}")]
    Initiate(InvalidMetadata),
    /// A short nonce that is not greater than all before it.
    #[error("a nonce is not greater than those before it")]
    Nonce,
    /// A vouch, in an INITIATE command, for other keys than those in use.
    #[error("a client vouches for other keys")]
    Vouch,
    /// A box that does not open: forged, damaged, or made with another key.
    #[error("a box does not open")]
    Box,
    /// A command larger than any that is acceptable at this point.
    #[error("a command of {len} octets exceeds the maximum of {limit}")]
    CommandTooLarge {
        /// Octets that the frame's header announces.
        len: u64,
        /// The maximum at this point of the connection.
        limit: u64,
    },
    /// A HELLO command larger than any that is one.
    #[error("a HELLO command of {len} octets exceeds the maximum of {limit}")]
    HelloTooLarge {
        /// Octets that the frame's header announces.
        len: u64,
        /// The most that such a command can have.
        limit: u64,
    },
    /// A ZMTP 1.0 or 2.0 peer's routing id frame is not one.
    #[error("the routing id frame is invalid")]
    RoutingIdFrame,
    /// The peer asks for answers (PONG) and does not read them.
    #[error("the peer does not read the answers that it asks for")]
    Flood,
}

/// Why two well-behaved peers cannot talk.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Incompatible {
    /// The peer uses another security mechanism.
    #[error("the mechanism is {theirs:?}, not {ours:?}")]
    Mechanism {
        /// Our mechanism.
        ours: &'static str,
        /// The peer's mechanism, unprintable octets escaped.
        theirs: String,
    },
    /// The peer's version has no security mechanisms, and ours is not NULL.
    #[error("ZMTP {}.{} has no security mechanisms", .0.major, .0.minor)]
    Insecure(Version),
    /// Both sides are the server of the mechanism.
    #[error("both sides are the server of the mechanism")]
    TwoServers,
    /// The two socket types do not go together.
    #[error("{} sockets do not talk to {} sockets", .ours.name(), .theirs.name())]
    SocketType {
        /// Our socket type.
        ours: SocketType,
        /// The peer's socket type.
        theirs: SocketType,
    },
    /// The peer announces a socket type that we have never heard of.
    #[error("the peer's socket type is unknown: {theirs:?}")]
    UnknownSocketType {
        /// Its name, unprintable octets escaped; from a ZMTP 2.0 peer its number.
        theirs: String,
    },
}

/// What a monitor of the socket is told when an error ends a handshake; see
/// zmq_socket_monitor(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeFailure {
    /// No event of its own: the connection just ends. libzmq is silent about incompatible socket
    /// types and about refusals without a status code, too.
    Silent,
    /// `ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL`.
    NoDetail,
    /// `ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL` with a `ZMQ_PROTOCOL_ERROR_*` number.
    Protocol(u32),
    /// `ZMQ_EVENT_HANDSHAKE_FAILED_AUTH` with the status code 300, 400 or 500.
    Auth(u32),
}

impl Error {
    /// The `ZMQ_PROTOCOL_ERROR_ZMTP_*` number of the error, if it has one.
    #[must_use]
    pub fn protocol_error_code(&self) -> Option<u32> {
        match self {
            Self::Misbehaved(how) => Some(how.protocol_error_code()),
            // Of two servers libzmq says nothing: it does not look.
            Self::Incompatible(Incompatible::Mechanism { .. } | Incompatible::TwoServers) => {
                Some(ZMTP_MECHANISM_MISMATCH)
            }
            Self::Incompatible(
                Incompatible::Insecure(_)
                | Incompatible::SocketType { .. }
                | Incompatible::UnknownSocketType { .. },
            )
            | Self::Refused { .. }
            | Self::Denied { .. }
            | Self::NoRandomness(_)
            | Self::MessageTooLarge { .. }
            | Self::Rejected
            | Self::HandshakeTimeout
            | Self::HeartbeatTimeout
            | Self::Over => None,
        }
    }

    /// The `ZMQ_PROTOCOL_ERROR_*` number of an error in sealed traffic. Although the handshake is
    /// over by then, libzmq tells its monitor as if it had failed.
    #[must_use]
    pub fn sealed_traffic_failure(&self) -> Option<u32> {
        match self {
            Self::Misbehaved(
                Misbehaved::Nonce
                | Misbehaved::Box
                | Misbehaved::UnexpectedCommand
                | Misbehaved::Command("MESSAGE"),
            ) => self.protocol_error_code(),
            _ => None,
        }
    }

    /// What a monitor is told if this error came before the connection was ready.
    #[must_use]
    pub fn handshake_failure(&self) -> HandshakeFailure {
        match self {
            Self::HandshakeTimeout => HandshakeFailure::NoDetail,
            Self::Denied { status } => HandshakeFailure::Auth((*status).into()),
            // RFC 27 names the status codes; libzmq reads a reason of three digits as one.
            Self::Refused { reason } => match reason.as_str() {
                "300" => HandshakeFailure::Auth(300),
                "400" => HandshakeFailure::Auth(400),
                "500" => HandshakeFailure::Auth(500),
                _ => HandshakeFailure::Silent,
            },
            // Of INITIATE that it refuses itself libzmq tells its monitor nothing. What it would
            // let pass must not fail without a word.
            Self::Misbehaved(Misbehaved::Initiate(
                InvalidMetadata::Truncated | InvalidMetadata::Value,
            )) => HandshakeFailure::Silent,
            other => other
                .protocol_error_code()
                .map_or(HandshakeFailure::Silent, HandshakeFailure::Protocol),
        }
    }
}

impl Misbehaved {
    fn protocol_error_code(self) -> u32 {
        match self {
            // libzmq's NULL mechanism calls everything that is not READY or ERROR unexpected,
            // messages and nameless commands included.
            // It ignores the flags of frames that no version defines.
            Self::EarlyMessage
            | Self::UnexpectedCommand
            | Self::NamelessHandshakeCommand
            | Self::Frame(Malformed::ReservedFlags(_) | Malformed::CommandWithMore) => {
                ZMTP_UNEXPECTED_COMMAND
            }
            Self::Command("MESSAGE") => ZMTP_MALFORMED_COMMAND_MESSAGE,
            Self::Command("HELLO") | Self::HelloTooLarge { .. } => ZMTP_MALFORMED_COMMAND_HELLO,
            Self::Command("INITIATE") => ZMTP_MALFORMED_COMMAND_INITIATE,
            Self::Command("READY") => ZMTP_MALFORMED_COMMAND_READY,
            Self::Command("WELCOME") => ZMTP_MALFORMED_COMMAND_WELCOME,
            Self::MessageForHello
            | Self::NamelessCommand
            | Self::Command(_)
            | Self::CommandTooLarge { .. } => ZMTP_MALFORMED_COMMAND_UNSPECIFIED,
            Self::Nonce => ZMTP_INVALID_SEQUENCE,
            Self::Vouch => ZMTP_KEY_EXCHANGE,
            Self::Box => ZMTP_CRYPTOGRAPHIC,
            Self::ErrorCommand => ZMTP_MALFORMED_COMMAND_ERROR,
            Self::Metadata(_) | Self::Initiate(_) => ZMTP_INVALID_METADATA,
            Self::Frame(_) | Self::RoutingIdFrame | Self::Flood => ZMTP_UNSPECIFIED,
        }
    }
}

/// Makes octets of a peer fit to print.
pub(crate) fn printable(octets: &[u8]) -> String {
    octets.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_with_a_status_code_are_authentication_failures() {
        let refused = |reason: &str| Error::Refused { reason: reason.into() }.handshake_failure();
        assert_eq!(refused("400"), HandshakeFailure::Auth(400));
        assert_eq!(refused("404"), HandshakeFailure::Silent);
        assert_eq!(refused(""), HandshakeFailure::Silent);
    }

    #[test]
    fn failures_are_told_as_libzmq_tells_them() {
        let theirs = String::from("PLAIN");
        let mismatch = Error::from(Incompatible::Mechanism { ours: "NULL", theirs });
        assert_eq!(mismatch.handshake_failure(), HandshakeFailure::Protocol(0x1100_0002));
        let early = Error::from(Misbehaved::EarlyMessage);
        assert_eq!(early.handshake_failure(), HandshakeFailure::Protocol(0x1000_0001));
        let types = Incompatible::SocketType { ours: SocketType::Dealer, theirs: SocketType::Pub };
        assert_eq!(Error::from(types).handshake_failure(), HandshakeFailure::Silent);
        assert_eq!(Error::HandshakeTimeout.handshake_failure(), HandshakeFailure::NoDetail);
    }

    #[test]
    fn failures_of_sealed_traffic_are_told_and_others_are_not() {
        let told = |how: Misbehaved| Error::from(how).sealed_traffic_failure();
        assert_eq!(told(Misbehaved::Nonce), Some(0x1000_0002));
        assert_eq!(told(Misbehaved::Box), Some(0x1100_0001));
        assert_eq!(told(Misbehaved::Command("MESSAGE")), Some(0x1000_0012));
        assert_eq!(told(Misbehaved::Command("PING")), None);
        assert_eq!(Error::HeartbeatTimeout.sealed_traffic_failure(), None);
    }

    #[test]
    fn what_a_peer_said_is_printed_escaped() {
        assert_eq!(printable(b"no\x1b[2J\xff"), "no\\x1b[2J\\xff");
        let refused = Error::Refused { reason: printable(b"a\nb") };
        assert!(!refused.to_string().contains('\n'));
    }
}
