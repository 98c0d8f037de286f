//! What a part means: data, or one of the few notes that travel in order with the data. Where
//! its bytes live is in `storage`.

use std::fmt;

use super::Peer;
pub use super::storage::{MAX_INLINE, Part};
use crate::sync::Arc;

/// What a part is to the engine. Only [`Kind::Data`] reaches an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A frame of an application's message.
    Data = 0,
    /// A subscription travelling upstream; the body is the topic.
    Subscribe = 1,
    /// The end of a subscription; the body is the topic.
    Cancel = 2,
    /// The parts that follow come from the peer that this part carries (see [`Part::peer`]).
    PeerChange = 3,
    /// The subscriptions that follow are all there are: earlier ones no longer count.
    Restart = 6,
    /// A DISH joins the group in the body.
    Join = 4,
    /// A DISH leaves the group in the body.
    Leave = 5,
}

impl Part {
    /// Whether the body has no bytes.
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same part with its `more` flag set as given.
    #[must_use]
    pub const fn with_more(mut self, more: bool) -> Self {
        self.set_more(more);
        self
    }

    /// A note that the parts that follow come from `peer`.
    #[must_use]
    pub fn peer_change(peer: Arc<Peer>) -> Self {
        let mut part = Self::new().with_kind(Kind::PeerChange);
        part.peer = Some(peer);
        part
    }

    /// The peer that sent this part, if it was received.
    #[must_use]
    pub fn peer(&self) -> Option<&Arc<Peer>> {
        self.peer.as_ref()
    }

    /// Says who sent this part.
    #[inline]
    pub fn set_peer(&mut self, peer: Option<Arc<Peer>>) {
        self.peer = peer;
    }

    /// Takes the peer out of the part.
    pub fn take_peer(&mut self) -> Option<Arc<Peer>> {
        self.peer.take()
    }

    /// The routing id of the thread-safe socket types; 0 means none.
    #[must_use]
    pub const fn routing_id(&self) -> u32 {
        self.routing_id
    }

    /// Sets the routing id of the thread-safe socket types.
    pub const fn set_routing_id(&mut self, routing_id: u32) {
        self.routing_id = routing_id;
    }
}

impl Default for Part {
    fn default() -> Self {
        Self::new()
    }
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl std::ops::Deref for Part {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self[..self.len().min(32)];
        write!(f, "Part({} B \"{}\"", self.len(), shown.escape_ascii())?;
        if self.more() {
            f.write_str(", more")?;
        }
        if self.kind() != Kind::Data {
            write!(f, ", {:?}", self.kind())?;
        }
        f.write_str(")")
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Part {
    fn eq(&self, other: &T) -> bool {
        self.as_slice() == other.as_ref()
    }
}

impl From<&[u8]> for Part {
    fn from(bytes: &[u8]) -> Self {
        Self::copy_from(bytes)
    }
}

impl<const N: usize> From<&[u8; N]> for Part {
    fn from(bytes: &[u8; N]) -> Self {
        Self::copy_from(bytes)
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::copy_from(text.as_bytes())
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::from_vec(text.into_bytes())
    }
}

impl From<Vec<u8>> for Part {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from_vec(bytes)
    }
}
