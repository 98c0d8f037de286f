//! What a connection tells its owner.

use std::fmt;

use crate::curve::PublicKey;
use crate::metadata;
use crate::socket_type::SocketType;
use crate::version::Version;

/// One thing that received octets meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received<'a> {
    /// The peer has shown who it is, as far as the mechanism has it do so, and waits. The owner
    /// looks at [`Connection::credentials`](crate::Connection::credentials) and answers, now or
    /// later, with [`Connection::authorize`](crate::Connection::authorize); until then `receive`
    /// consumes nothing. Only with [`Config::authenticate`](crate::Config::authenticate).
    Authenticate,
    /// The handshake is over: [`Connection::peer`](crate::Connection::peer) is there, and messages
    /// may be sent, behind what [`Connection::transmit`](crate::Connection::transmit) has to give:
    /// our own READY is often still among it.
    Ready,
    /// A data frame that was in the input whole.
    Frame {
        /// The body.
        body: &'a [u8],
        /// More frames of the same message follow.
        more: bool,
    },
    /// A data frame that is larger than [`LARGE_FRAME`](crate::LARGE_FRAME) and not whole in the
    /// input, all of which is consumed. The caller collects the remaining `len - head.len()` octets
    /// from its transport by itself (telling [`Connection::heard`](crate::Connection::heard)) and
    /// then goes on with what follows them. Nothing has been allocated for the frame.
    Large {
        /// The part of the body that was in the input.
        head: &'a [u8],
        /// Octets of the whole body, head included: what the peer claims, up to 2^63-1 unless
        /// limited by [`Config::max_message_size`](crate::Config::max_message_size).
        len: u64,
        /// More frames of the same message follow.
        more: bool,
    },
    /// A sealed frame that is larger than [`LARGE_FRAME`](crate::LARGE_FRAME) and not whole in the
    /// input, all of which is consumed. The caller collects the remaining `len - head.len()` octets
    /// behind the head, as for [`Received::Large`], and hands all of them to
    /// [`Connection::open`](crate::Connection::open): nothing is known of what is in it before.
    Sealed {
        /// The part of the sealed frame that was in the input.
        head: &'a [u8],
        /// Octets of the whole sealed frame, head included.
        len: u64,
    },
    /// The peer subscribes to messages that start with this prefix. Peers older than ZMTP 3.1 say
    /// so in a [`Received::Frame`] that starts with an octet 1.
    Subscribe(&'a [u8]),
    /// The peer takes one subscription back. Peers older than ZMTP 3.1 say so in a
    /// [`Received::Frame`] that starts with an octet 0.
    Cancel(&'a [u8]),
    /// The peer joins a group.
    Join(&'a [u8]),
    /// The peer leaves a group.
    Leave(&'a [u8]),
}

/// What a peer shows of itself before it is let in.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials<'a> {
    /// Nothing but its address.
    Null,
    /// A name and a password, each 0 to 255 octets.
    Plain {
        /// The name.
        username: &'a [u8],
        /// The password.
        password: &'a [u8],
    },
    /// A long-term public key, whose secret key the peer has proved to hold.
    Curve {
        /// The key.
        public_key: &'a [u8; 32],
    },
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Plain { username, .. } => {
                write!(f, "Plain {{ username: \"{}\", .. }}", username.escape_ascii())
            }
            Self::Curve { public_key } => {
                write!(f, "Curve {{ {:?} }}", PublicKey::new(**public_key))
            }
        }
    }
}

/// What the owner makes of a peer's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The handshake goes on.
    Accept,
    /// The connection ends. Unless the status is 300 ("temporary error" in RFC 27), an ERROR command
    /// tells the peer the status.
    Deny {
        /// 300, 400 or 500.
        status: u16,
    },
    /// The connection ends without a word: whoever was to decide could not.
    Drop,
}

/// Who is at the other end of a connection whose handshake is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The version that the peer speaks, as (major, minor).
    pub version: (u8, u8),
    /// The peer's socket type; `None` if it did not say, as ZMTP 1.0 peers cannot.
    pub socket_type: Option<SocketType>,
    /// The routing id that the peer asks to be addressed by; empty if it does not, or if its socket
    /// type has none.
    pub routing_id: Vec<u8>,
    /// The name of the mechanism in use.
    pub mechanism: &'static str,
    /// All properties of the peer in the order sent, Socket-Type and Identity among them. Empty for
    /// peers older than ZMTP 3.0.
    pub properties: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Peer {
    /// The first value of a property; names ignore case, unless one is spelt exactly like this.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&[u8]> {
        metadata::find(&self.properties, name)
    }

    pub(crate) fn version(&self) -> Version {
        Version { major: self.version.0, minor: self.version.1 }
    }
}
