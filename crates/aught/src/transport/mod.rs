//! Transports: how endpoints become descriptors, a file each. What flows through them is the
//! engine's; the system calls are in `sys`.

pub(crate) mod inproc;
pub(crate) mod ipc;
pub(crate) mod resolve;
pub(crate) mod socks;
pub(crate) mod tcp;

pub(crate) use ipc::Cleanup;
pub(crate) use resolve::{Lookups, Name, Resolved};

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::io::Errno;

use crate::options::Options;

/// Where a session connects to.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Tcp(tcp::TcpTarget),
    Socks(Box<socks::SocksTarget>),
    Local(ipc::LocalTarget),
}

impl Target {
    /// What the descriptor is to be connected to over TCP, if anything.
    pub(crate) fn dialled(&self) -> Option<&tcp::TcpTarget> {
        match self {
            Self::Tcp(target) => Some(target),
            Self::Socks(target) => target.proxy.as_ref(),
            Self::Local(_) => None,
        }
    }
}

/// Why a descriptor could not be bound or connected.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) errno: Errno,
    /// What the descriptor was, if there was one: it is closed, and monitors are told.
    pub(crate) descriptor: Option<RawFd>,
}

impl Failed {
    /// What went wrong with `fd`.
    fn on(fd: &OwnedFd) -> impl FnOnce(Errno) -> Self {
        let descriptor = Some(fd.as_raw_fd());
        move |errno| Self { errno, descriptor }
    }
}

impl From<Errno> for Failed {
    fn from(errno: Errno) -> Self {
        Self { errno, descriptor: None }
    }
}

/// Prepares a connection that was accepted, or turns it away.
pub(crate) fn admit(fd: &OwnedFd, options: &Options) -> Result<(), Errno> {
    // Who cannot be named cannot be let in either: a filter may be meant for it.
    match crate::sys::socket::peer_address(fd)? {
        Some(peer) => tcp::admit(fd, peer.ip(), options),
        None => ipc::admit(fd, options),
    }
}
