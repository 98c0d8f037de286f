//! What is known of the peer that sent a part: its properties from the handshake and its
//! address. One value is shared by all parts of one connection.

use std::ffi::{CStr, CString};

/// The peer behind a connection, as its handshake described it.
#[derive(Debug, Default)]
pub struct Peer {
    routing_id: Vec<u8>,
    socket_type: Option<zmtp::SocketType>,
    properties: Vec<(String, CString)>,
    fd: Option<i32>,
}

impl Peer {
    /// A peer with the given routing id (empty: none) and socket type.
    #[must_use]
    pub fn new(routing_id: Vec<u8>, socket_type: Option<zmtp::SocketType>) -> Self {
        Self { routing_id, socket_type, properties: Vec::new(), fd: None }
    }

    /// Adds a property. A value is cut at its first zero byte: properties are strings at the
    /// interfaces that hand them out.
    #[must_use]
    pub fn with_property(mut self, name: &str, value: &[u8]) -> Self {
        let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
        if let Ok(value) = CString::new(&value[..end]) {
            self.properties.push((name.to_owned(), value));
        }
        self
    }

    /// Records the descriptor that the peer's bytes arrive on.
    #[must_use]
    pub fn with_descriptor(mut self, fd: i32) -> Self {
        self.fd = Some(fd);
        self
    }

    /// Whether there is anything to say about the peer to whoever asks a message for it.
    #[must_use]
    pub(crate) fn is_described(&self) -> bool {
        self.fd.is_some() || !self.properties.is_empty()
    }

    /// The routing id that the peer announced; empty when it announced none.
    #[must_use]
    pub fn routing_id(&self) -> &[u8] {
        &self.routing_id
    }

    /// The peer's socket type, unknown for ZMTP 1.0 and raw peers.
    #[must_use]
    pub fn socket_type(&self) -> Option<zmtp::SocketType> {
        self.socket_type
    }

    /// A property by its name, which is compared without regard to case (RFC 37).
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&CStr> {
        self.properties
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_c_str())
    }

    /// The descriptor that the peer's bytes arrived on, if there is one.
    #[must_use]
    pub fn descriptor(&self) -> Option<i32> {
        self.fd
    }
}
