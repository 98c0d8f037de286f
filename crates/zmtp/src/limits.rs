//! The numbers that bound what a peer can make us hold. What each bound protects is said here once;
//! the checks live where the bytes are read.

use std::time::Duration;

/// Data frames with a larger body than this (in octets) are handed over as
/// [`Received::Large`](crate::Received::Large) as soon as their header is known, instead of waiting
/// for the whole body to be in the caller's buffer.
pub const LARGE_FRAME: usize = 8192;

/// Largest body, in octets, of a command accepted before the handshake is over. A peer that has
/// proved nothing yet can make the caller buffer no more than this; before the first command of PLAIN
/// and CURVE, no more than that command.
pub const MAX_HANDSHAKE_COMMAND: u64 = 64 * 1024;

/// Largest body, in octets, of a command accepted once the handshake is over. Topics travel in
/// commands as well: those commands may be as large as
/// [`Config::max_message_size`](crate::Config::max_message_size) says, if that is more, or of any
/// size if it says nothing.
pub const MAX_COMMAND: u64 = 16 * 1024 * 1024 + 1024;

/// How long the cookie of a CURVE server is good for, if the handshake may take longer. RFC 26: "The
/// server MUST discard from its memory the cookie key after a short interval, for example 60
/// seconds".
pub const COOKIE_LIFETIME: Duration = Duration::from_secs(60);

/// Most metadata properties accepted in one READY command: as many as there is room for when they
/// have 16 octets each. Each costs memory of its own as long as its connection lives.
pub const MAX_PROPERTIES: usize = 4096;

/// Octets of properties that an application may add, names, values and their lengths: with what
/// the protocol says itself, no command of any mechanism is longer than [`MAX_HANDSHAKE_COMMAND`].
pub const MAX_METADATA: usize = 63 * 1024;

/// Largest routing id in octets. RFC 37: "identity = 0*255OCTET".
pub const MAX_ROUTING_ID: usize = 255;

/// Largest context of a PING in octets. RFC 37: "ping-context = 0*16OCTET".
pub const MAX_PING_CONTEXT: usize = 16;

/// Largest group name in octets. RFC 37: "group = 0*255group-char".
pub const MAX_GROUP: usize = 255;

/// Longest reason, in octets, that fits an ERROR command.
pub const MAX_REASON: usize = 255;

/// Control octets that may wait to be sent before a peer that keeps asking for more (PINGs whose
/// answers it never reads) is dropped.
pub const MAX_PENDING_CONTROL: usize = 64 * 1024;

/// Octets in front of the body in a sealed data frame that
/// [`Connection::open`](crate::Connection::open) has opened: a name, a nonce, a tag, and flags.
pub const SEALED_OVERHEAD: usize = 8 + 8 + 16 + 1;
