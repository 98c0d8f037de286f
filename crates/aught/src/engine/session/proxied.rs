//! The stretch of a session between the connection to a SOCKS proxy and that to the peer behind
//! it. What is said there is in `transport::socks`.

use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::io::Errno;

use super::{Link, Next, Role, Session};
use crate::engine::thread::Io;
use crate::socket::monitor;
use crate::sys::poll::Interest;
use crate::sys::socket::{self, Moved};
use crate::transport::Target;
use crate::transport::socks::Negotiation;

/// Longer than any answer of a proxy.
const ANSWER: usize = 512;

impl Session {
    /// A descriptor is connected: the peer is there, or the proxy is to be asked for it.
    pub(super) fn connection_is_there(
        &mut self,
        fd: OwnedFd,
        others: Vec<std::net::SocketAddr>,
        io: &mut Io,
    ) -> Next {
        let Role::Connects { target: Target::Socks(target), .. } = &self.role else {
            return self.open(fd, io);
        };
        let negotiation = Box::new(Negotiation::new(target));
        if io.poll.add(&fd, self.id, Interest { read: true, write: true }).is_err() {
            self.emit(monitor::CLOSED, fd.as_raw_fd());
            return self.failed(libc::ENOMEM, io);
        }
        // A proxy that says nothing must not be waited for longer than a peer that does not.
        let options = &self.setup.options;
        let limit = [options.connect_timeout, options.handshake_ivl].into_iter().flatten().min();
        self.link_deadline = limit.map(|time| io.now + time);
        self.link = Link::Asking { fd, negotiation, others };
        Next::Stay
    }

    /// The proxy can be read or written.
    pub(super) fn asked(&mut self, io: &mut Io) -> Next {
        let Link::Asking { fd, negotiation, .. } = &mut self.link else {
            return Next::Stay;
        };
        let outcome = exchange(fd, negotiation);
        if let Ok(false) = outcome {
            let interest = Interest { read: true, write: !negotiation.outgoing().is_empty() };
            if io.poll.modify(&*fd, self.id, interest).is_ok() {
                return Next::Stay;
            }
        }
        let Link::Asking { fd, others, .. } = std::mem::replace(&mut self.link, Link::Down) else {
            return Next::Stay;
        };
        self.link_deadline = None;
        let _ = io.poll.remove(&fd); // it is added again, or closed
        let errno = match outcome {
            Ok(true) => return self.open(fd, io),
            Ok(false) => Errno::NOMEM,
            Err(errno) => errno,
        };
        let raw = fd.as_raw_fd();
        drop(fd);
        self.emit(monitor::CLOSED, raw);
        self.try_addresses(others, errno.raw_os_error(), io)
    }
}

/// Moves what there is to move. True if the peer is there.
fn exchange(fd: &OwnedFd, negotiation: &mut Negotiation) -> Result<bool, Errno> {
    loop {
        while !negotiation.outgoing().is_empty() {
            match socket::transmit(fd.as_fd(), &[IoSlice::new(negotiation.outgoing())])? {
                Moved::Bytes(count) => negotiation.sent(count),
                Moved::Blocked => return Ok(false),
                Moved::End => return Err(Errno::CONNRESET),
            }
        }
        let mut answer = [0; ANSWER];
        let missing = negotiation.missing().min(ANSWER);
        if missing == 0 {
            return Ok(true);
        }
        let room = answer.get_mut(..missing).unwrap_or_default();
        match socket::receive_into(fd, room)? {
            Moved::Bytes(count) => negotiation.receive(room.get(..count).unwrap_or_default())?,
            Moved::Blocked => return Ok(false),
            Moved::End => return Err(Errno::CONNRESET),
        }
    }
}
