//! ZMTP, the wire protocol of ZeroMQ, as a value: octets and time in, events and octets out.
//!
//! There is no I/O here, no clock and no thread. [`Connection`] is one end of a connection: it
//! greets, recognises the peer's version (3.1, 3.0, 2.0 or 1.0; RFCs 37, 23, 15 and 13), shakes
//! hands, and then tells data frames from commands and keeps the heartbeats. [`frame`] holds the
//! pure functions under it, for those who write frames on their own.
//!
//! What messages mean to a socket type, and how octets travel, is not decided here.
//!
//! # Whose fault
//!
//! [`Error`] says who is to blame: a peer that misbehaves, one that is merely incompatible, or
//! nobody. Octets of a peer can end the connection and can do nothing else: nothing panics, and no
//! length that a peer claims is ever allocated.

#![forbid(unsafe_code)]

mod command;
mod connection;
pub mod curve;
mod error;
pub mod frame;
mod greeting;
pub mod limits;
mod mechanism;
mod metadata;
mod random;
mod socket_type;
pub mod testing;
mod version;
pub mod z85;
pub mod zap;

pub use connection::{Config, Connection, Credentials, MechanismConfig, Peer, Received, Verdict};
pub use error::{Error, HandshakeFailure, Incompatible, Misbehaved};
pub use limits::{LARGE_FRAME, SEALED_OVERHEAD};
pub use metadata::InvalidMetadata;
pub use random::{NoRandomness, Random};
pub use socket_type::SocketType;
pub use version::Version;

/// Whether `name` can name a property: 1 to 255 letters, digits, "-", "_", "." or "+" (RFC 37).
#[must_use]
pub fn is_property_name(name: &str) -> bool {
    metadata::is_name(name.as_bytes())
}
