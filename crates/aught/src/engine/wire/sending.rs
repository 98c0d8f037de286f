//! The outgoing half of a connection: messages and commands on their way into the outbox, and the
//! outbox on its way into the kernel.

use std::io::IoSlice;
use std::os::fd::AsFd;

use super::{Broken, Protocol, Wire};
use crate::message::{Kind, Part};
use crate::sys::socket::{self, Moved};

impl Wire {
    /// Adds a message's part to what is to be written.
    pub(in crate::engine) fn enqueue(&mut self, part: Part) {
        let mut encoder = self.outbox.encoder();
        let mut last = true;
        match &mut self.protocol {
            Protocol::Raw => {}
            Protocol::Zmtp(connection) => match part.kind() {
                Kind::Data if connection.is_sealing() => {
                    connection.seal(&part, part.more(), encoder.bytes());
                    drop(encoder);
                    if !part.more() {
                        self.outbox.end_message();
                    }
                    return;
                }
                Kind::Data => {
                    last = !part.more();
                    connection.encode_header(part.len(), part.more(), encoder.bytes());
                }
                Kind::Subscribe => {
                    connection.encode_subscription(true, &part, encoder.bytes());
                    return;
                }
                Kind::Cancel => {
                    connection.encode_subscription(false, &part, encoder.bytes());
                    return;
                }
                Kind::PeerChange | Kind::Restart | Kind::Join | Kind::Leave => return,
            },
        }
        encoder.body(part);
        drop(encoder);
        if last {
            self.outbox.end_message();
        }
    }

    /// Adds the protocol's own commands. To be called between messages.
    pub(in crate::engine) fn enqueue_control(&mut self) {
        if let Protocol::Zmtp(connection) = &mut self.protocol
            && connection.has_transmit()
        {
            connection.transmit(self.outbox.encoder().bytes());
        }
    }

    /// Says that the kernel takes bytes again.
    pub(in crate::engine) fn unblock(&mut self) {
        self.blocked = false;
    }

    pub(in crate::engine) fn is_blocked(&self) -> bool {
        self.blocked || self.deaf_peer
    }

    /// Writing failed: write no more, and read what is left.
    pub(in crate::engine) fn stop_writing(&mut self) {
        self.deaf_peer = true;
        self.blocked = false;
        self.outbox.clear();
    }

    /// Writes what is queued, as far as the kernel takes it.
    pub(in crate::engine) fn write(&mut self) -> Result<(), Broken> {
        while !self.is_blocked() && !self.outbox.is_empty() {
            let mut slices: Vec<IoSlice<'_>> = Vec::new();
            self.outbox.slices(&mut slices);
            let offered: usize = slices.iter().map(|slice| slice.len()).sum();
            match socket::transmit(self.fd.as_fd(), &slices)? {
                Moved::Bytes(count) => {
                    drop(slices);
                    self.outbox.advance(count);
                    self.blocked = count < offered;
                }
                Moved::Blocked => self.blocked = true,
                Moved::End => return Err(Broken::End),
            }
        }
        Ok(())
    }
}
