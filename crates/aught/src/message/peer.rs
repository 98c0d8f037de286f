//! What is known of the peer that sent a part: its properties from the handshake and its
//! address. One value is shared by all parts of one connection.

use std::ffi::CStr;

/// The peer behind a connection, as its handshake described it.
#[derive(Debug, Default)]
pub struct Peer {
    routing_id: Vec<u8>,
    socket_type: Option<zmtp::SocketType>,
    /// Name and value in turns, each with a zero byte behind it: what peers say about themselves
    /// takes no more memory than it took on the wire.
    properties: Vec<u8>,
    fd: Option<i32>,
}

impl Peer {
    /// A peer with the given routing id (empty: none) and socket type.
    #[must_use]
    pub fn new(routing_id: Vec<u8>, socket_type: Option<zmtp::SocketType>) -> Self {
        Self { routing_id, socket_type, properties: Vec::new(), fd: None }
    }

    /// Adds a property. A value is cut at its first zero byte: properties are strings at the
    /// interfaces that hand them out. One with a zero byte in its name nobody could ask for.
    #[must_use]
    pub fn with_property(mut self, name: impl AsRef<[u8]>, value: &[u8]) -> Self {
        let name = name.as_ref();
        if !name.contains(&0) {
            let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
            self.properties.extend([name, b"\0", value, b"\0"].concat());
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

    /// A property by its name, the first of those that have it. As with the reference, and unlike
    /// RFC 37, names that differ in case are different.
    #[must_use]
    pub fn property(&self, name: impl AsRef<[u8]>) -> Option<&CStr> {
        let bytes = self.properties.split_inclusive(|byte| *byte == 0);
        let mut texts = bytes.map(CStr::from_bytes_with_nul);
        while let (Some(Ok(known)), Some(Ok(value))) = (texts.next(), texts.next()) {
            if known.to_bytes() == name.as_ref() {
                return Some(value);
            }
        }
        None
    }

    /// The descriptor that the peer's bytes arrived on, if there is one.
    #[must_use]
    pub fn descriptor(&self) -> Option<i32> {
        self.fd
    }
}
