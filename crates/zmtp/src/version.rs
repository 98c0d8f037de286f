//! ZMTP versions and what they decide: the framing and the form of subscriptions. Detecting a
//! peer's version is the business of `connection::handshake`.

use crate::frame::Framing;

/// The version a connection speaks, as (major, minor).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 1, 2 or 3; higher when the peer announces a version of the future.
    pub major: u8,
    /// The minor number; 0 for peers too old to send one.
    pub minor: u8,
}

impl Version {
    /// RFC 13, the unversioned protocol of ZeroMQ 2.x.
    pub const V1_0: Self = Self { major: 1, minor: 0 };
    /// RFC 15.
    pub const V2_0: Self = Self { major: 2, minor: 0 };
    /// RFC 23.
    pub const V3_0: Self = Self { major: 3, minor: 0 };
    /// RFC 37, what this crate announces.
    pub const V3_1: Self = Self { major: 3, minor: 1 };

    /// How frames are laid out when talking to a peer of this version.
    #[must_use]
    pub fn framing(self) -> Framing {
        if self.major < 2 { Framing::V1 } else { Framing::V2 }
    }

    /// Whether commands exist in this version: heartbeats need them.
    #[must_use]
    pub fn has_commands(self) -> bool {
        self.major >= 3
    }

    /// Whether subscriptions travel as SUBSCRIBE and CANCEL commands. Older peers get messages that
    /// start with an octet 1 or 0 (RFC 23, "The Publish-Subscribe Pattern").
    #[must_use]
    pub fn has_subscribe_command(self) -> bool {
        self >= Self::V3_1
    }
}
