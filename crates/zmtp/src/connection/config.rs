//! What the owner of a connection decides before it starts.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::curve::{KeyPair, PublicKey};
use crate::random::Random;
use crate::socket_type::SocketType;

/// The security mechanism of a connection and its secrets.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MechanismConfig {
    /// No authentication and no confidentiality.
    Null,
    /// The side of PLAIN that shows a name and a password, in clear text, to whoever asks.
    PlainClient {
        /// 0 to 255 octets; what is longer is cut.
        username: Vec<u8>,
        /// 0 to 255 octets; what is longer is cut. Its memory is overwritten when it is dropped;
        /// what was sent of it is not.
        password: Zeroizing<Vec<u8>>,
    },
    /// The side of PLAIN that is shown a name and a password.
    PlainServer,
    /// The side of CURVE that knows the other's public key beforehand.
    CurveClient {
        /// Our own long-term keys.
        keys: KeyPair,
        /// The long-term public key of the server that we want to talk to, and no other.
        server: PublicKey,
    },
    /// The side of CURVE whose public key is known.
    CurveServer {
        /// Our own long-term keys.
        keys: KeyPair,
    },
}

impl fmt::Debug for MechanismConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::PlainClient { username, .. } => {
                write!(f, "PlainClient {{ username: \"{}\", .. }}", username.escape_ascii())
            }
            Self::PlainServer => f.write_str("PlainServer"),
            Self::CurveClient { keys, server } => {
                f.debug_struct("CurveClient").field("keys", keys).field("server", server).finish()
            }
            Self::CurveServer { keys } => {
                f.debug_struct("CurveServer").field("keys", keys).finish()
            }
        }
    }
}

impl MechanismConfig {
    /// The mechanism's name in the greeting.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::PlainClient { .. } | Self::PlainServer => "PLAIN",
            Self::CurveClient { .. } | Self::CurveServer { .. } => "CURVE",
        }
    }

    /// Whether this is NULL, the only mechanism that peers older than ZMTP 3.0 can talk.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether our side is the server of the mechanism. NULL has none: RFC 37, "the as-server field
    /// MUST be zero."
    #[must_use]
    pub fn as_server(&self) -> bool {
        matches!(self, Self::PlainServer | Self::CurveServer { .. })
    }

    /// Whether our side is the client of the mechanism.
    pub(crate) fn is_client(&self) -> bool {
        matches!(self, Self::PlainClient { .. } | Self::CurveClient { .. })
    }
}

/// The settings of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Our socket type.
    pub socket_type: SocketType,
    /// Our routing id, 0 to 255 octets. Peers of ZMTP 3 hear of it only from REQ, DEALER and ROUTER
    /// sockets, older ones always.
    pub routing_id: Vec<u8>,
    /// The security mechanism.
    pub mechanism: MechanismConfig,
    /// Whether the owner is asked, by [`Received::Authenticate`](crate::Received::Authenticate),
    /// before a peer is let in. Clients of PLAIN and CURVE never ask: the other side is the one that
    /// decides.
    pub authenticate: bool,
    /// Where keys and nonces come from.
    pub random: Random,
    /// Properties of our own for the peer; their names start with "X-". A property with a name of
    /// more than 255 octets is not sent. Peers read no more of them than
    /// [`MAX_METADATA`](crate::limits::MAX_METADATA) octets.
    pub metadata: Vec<(Vec<u8>, Vec<u8>)>,
    /// Largest body of one data frame in octets; commands are not counted. `None` is no limit.
    pub max_message_size: Option<u64>,
    /// How long the handshake may take. `None` is no limit.
    pub handshake_timeout: Option<Duration>,
    /// How often a PING is sent once the handshake is over. `None` is never. Peers older than
    /// ZMTP 3.0 get none.
    pub heartbeat_interval: Option<Duration>,
    /// After how much silence the peer shall give us up, as our PINGs tell it. The wire carries
    /// tenths of seconds, rounded down, 6553.5 s at most. Zero asks for nothing.
    pub heartbeat_ttl: Duration,
    /// How long after a PING something must be heard. `None` is the interval.
    pub heartbeat_timeout: Option<Duration>,
}

impl Config {
    /// Settings for a socket type with libzmq's defaults: no routing id, NULL, no limits, a
    /// handshake timeout of 30 s, no heartbeats.
    #[must_use]
    pub fn new(socket_type: SocketType) -> Self {
        Self {
            socket_type,
            routing_id: Vec::new(),
            mechanism: MechanismConfig::Null,
            authenticate: false,
            random: Random::system(),
            metadata: Vec::new(),
            max_message_size: None,
            handshake_timeout: Some(Duration::from_secs(30)),
            heartbeat_interval: None,
            heartbeat_ttl: Duration::ZERO,
            heartbeat_timeout: None,
        }
    }
}
