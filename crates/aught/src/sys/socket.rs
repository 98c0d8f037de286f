//! Stream sockets of the operating system, TCP and local: making, accepting, moving bytes.
//! Which options a ZeroMQ socket wants on them is decided in `transport`.

use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketAddrAny, SocketFlags};

use super::fault::{self, Call};

/// What an attempt to move bytes came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// So many bytes were moved.
    Bytes(usize),
    /// Nothing can be moved now.
    Blocked,
    /// The peer has sent all that it will send.
    End,
}

/// Where a local socket lives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LocalName<'a> {
    /// A path in the file system.
    Path(&'a Path),
    /// A name in Linux's abstract namespace, without its leading zero byte.
    Abstract(&'a [u8]),
}

impl LocalName<'_> {
    pub(crate) fn address(self) -> Result<net::SocketAddrUnix, Errno> {
        match self {
            Self::Path(path) => net::SocketAddrUnix::new(path),
            Self::Abstract(name) => net::SocketAddrUnix::new_abstract_name(name),
        }
    }
}

const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

/// A new TCP socket for the family of `address`.
pub(crate) fn tcp(address: &SocketAddr) -> Result<OwnedFd, Errno> {
    fault::check(Call::Socket)?;
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    net::socket_with(family, net::SocketType::STREAM, FLAGS, None)
}

/// A new local stream socket.
pub(crate) fn local() -> Result<OwnedFd, Errno> {
    fault::check(Call::Socket)?;
    net::socket_with(AddressFamily::UNIX, net::SocketType::STREAM, FLAGS, None)
}

pub(crate) fn bind_ip(fd: impl AsFd, address: &SocketAddr) -> Result<(), Errno> {
    fault::check(Call::Bind)?;
    net::bind(fd, address)
}

pub(crate) fn bind_local(fd: impl AsFd, name: LocalName<'_>) -> Result<(), Errno> {
    fault::check(Call::Bind)?;
    net::bind(fd, &name.address()?)
}

pub(crate) fn listen(fd: impl AsFd, backlog: i32) -> Result<(), Errno> {
    fault::check(Call::Listen)?;
    net::listen(fd, backlog)
}

/// Starts to connect. True if that is done already, false if it goes on in the background.
pub(crate) fn connect_ip(fd: impl AsFd, address: &SocketAddr) -> Result<bool, Errno> {
    started(fault::check(Call::Connect).and_then(|()| net::connect(fd, address)))
}

/// Connects to a local socket, which is done at once or not at all.
pub(crate) fn connect_local(fd: impl AsFd, name: LocalName<'_>) -> Result<bool, Errno> {
    let address = name.address()?;
    started(fault::check(Call::Connect).and_then(|()| net::connect(fd, &address)))
}

fn started(result: Result<(), Errno>) -> Result<bool, Errno> {
    match result {
        Ok(()) => Ok(true),
        Err(Errno::INPROGRESS | Errno::INTR) => Ok(false),
        Err(error) => Err(error),
    }
}

/// How a connection that was started has ended: take it when the socket becomes writable.
pub(crate) fn take_error(fd: impl AsFd) -> Result<(), Errno> {
    fault::check(Call::ConnectResult)?;
    net::sockopt::socket_error(fd)?
}

/// The next connection of a listening socket, if there is one.
pub(crate) fn accept(fd: impl AsFd) -> Result<OwnedFd, Errno> {
    fault::check(Call::Accept)?;
    net::accept_with(fd, FLAGS)
}

/// Whether a connection waits at a listening socket, as far as the system tells.
pub(crate) fn is_called(fd: impl AsFd) -> bool {
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    super::poll::poll_fds(&mut fds, Some(Duration::ZERO)).map_or(true, |ready| ready > 0)
}

/// What came of setting an option.
pub(crate) fn option_set(result: std::io::Result<()>) -> Result<(), Errno> {
    fault::check(Call::SetOption)?;
    result.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// `SO_PRIORITY`: how what is sent is queued (socket(7)).
pub(crate) fn set_priority(fd: impl AsFd, priority: i32) -> std::io::Result<()> {
    set_number(fd.as_fd(), libc::SO_PRIORITY, priority)
}

/// `SO_BUSY_POLL`: for how many microseconds to poll the device for what is to be received.
pub(crate) fn set_busy_poll(fd: impl AsFd, micros: i32) -> std::io::Result<()> {
    set_number(fd.as_fd(), libc::SO_BUSY_POLL, micros)
}

fn set_number(fd: BorrowedFd<'_>, option: i32, value: i32) -> std::io::Result<()> {
    let size = size_of_val(&value) as libc::socklen_t;
    let place = (&raw const value).cast();
    // SAFETY: reads as many bytes from the stack as the size says.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, option, place, size) };
    if result < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

/// Reads into the free room of `buffer`, behind what it holds.
pub(crate) fn receive(fd: impl AsFd, buffer: &mut Vec<u8>) -> Result<Moved, Errno> {
    received(fault::check(Call::Receive).and_then(|()| {
        net::recv(fd, spare_capacity(buffer), RecvFlags::DONTWAIT).map(|(_, count)| count)
    }))
}

/// Reads into `buffer`, from its beginning.
pub(crate) fn receive_into(fd: impl AsFd, buffer: &mut [u8]) -> Result<Moved, Errno> {
    received(
        fault::check(Call::Receive)
            .and_then(|()| net::recv(fd, buffer, RecvFlags::DONTWAIT).map(|(count, _)| count)),
    )
}

fn received(result: Result<usize, Errno>) -> Result<Moved, Errno> {
    match result {
        Ok(0) => Ok(Moved::End),
        Ok(count) => Ok(Moved::Bytes(count)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(Moved::Blocked),
        Err(error) => Err(error),
    }
}

/// Writes as much as the kernel takes.
pub(crate) fn transmit(fd: impl AsFd, slices: &[IoSlice<'_>]) -> Result<Moved, Errno> {
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    let sent = fault::check(Call::Transmit).and_then(|()| match slices {
        [one] => net::send(fd, one, flags),
        many => net::sendmsg(fd, many, &mut net::SendAncillaryBuffer::default(), flags),
    });
    match sent {
        Ok(count) => Ok(Moved::Bytes(count)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(Moved::Blocked),
        Err(error) => Err(error),
    }
}

/// A descriptor that the application made and gives away (`ZMQ_USE_FD`); negative: none. It
/// fails with what is not open or cannot be used without waiting, and then takes nothing over.
pub(crate) fn given(fd: i32) -> Result<Option<OwnedFd>, Errno> {
    if fd < 0 {
        return Ok(None);
    }
    fault::check(Call::Adopt)?;
    // Waiting in accept would stop everything else.
    rustix::io::ioctl_fionbio(super::poll::borrow_raw(fd), true)?;
    // SAFETY: the number is not negative, which is all that the type demands for itself. The
    // descriptor is open; that it is nobody else's from now on is the application's promise
    // (zmq_setsockopt(3)).
    Ok(Some(unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(fd) }))
}

/// Who can reach a listening socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// This machine only, by other ways than IP.
    Machine,
    /// Whoever can reach this address.
    Ip(SocketAddr),
    /// Nobody knows: the socket is of another kind, or does not say.
    Unknown,
}

impl Reach {
    /// Whether it is known that nobody outside of this machine can.
    pub(crate) fn is_local(self) -> bool {
        match self {
            Self::Machine => true,
            Self::Ip(address) => address.ip().to_canonical().is_loopback(),
            Self::Unknown => false,
        }
    }
}

/// Who can reach a socket that the application made, which stays the application's; `None` if
/// there is none.
pub(crate) fn reach_of_given(fd: i32) -> Option<Reach> {
    if fd < 0 {
        return None;
    }
    let address = fault::check(Call::LocalAddress)
        .and_then(|()| net::getsockname(super::poll::borrow_raw(fd)));
    match address {
        Ok(address) if address.address_family() == AddressFamily::UNIX => Some(Reach::Machine),
        Ok(address) => Some(ip(address).map_or(Reach::Unknown, Reach::Ip)),
        // What is no socket cannot be listened on, which is said when that is tried.
        Err(Errno::BADF | Errno::NOTSOCK) => None,
        Err(_) => Some(Reach::Unknown),
    }
}

/// The address that a socket is bound to; `None` when it is no IP address.
pub(crate) fn local_address(fd: impl AsFd) -> Result<Option<SocketAddr>, Errno> {
    fault::check(Call::LocalAddress)?;
    Ok(ip(net::getsockname(fd)?))
}

/// The address that a socket is bound to, when it is an IP address and is known.
pub(crate) fn local_ip(fd: impl AsFd) -> Option<SocketAddr> {
    local_address(fd).ok()?
}

/// The address of a socket's peer, when it is an IP address and is known.
pub(crate) fn peer_ip(fd: impl AsFd) -> Option<SocketAddr> {
    peer_address(fd).ok()?
}

/// The address of a socket's peer; `None` when it is no IP address.
pub(crate) fn peer_address(fd: impl AsFd) -> Result<Option<SocketAddr>, Errno> {
    fault::check(Call::PeerAddress)?;
    Ok(net::getpeername(fd)?.and_then(ip))
}

fn ip(address: SocketAddrAny) -> Option<SocketAddr> {
    SocketAddr::try_from(address).ok()
}

/// The other process of a local connection: its process, user and group number.
pub(crate) fn peer_credentials(fd: impl AsFd) -> Result<(i32, u32, u32), Errno> {
    fault::check(Call::PeerCredentials)?;
    let credentials = net::sockopt::socket_peercred(fd)?;
    Ok((credentials.pid.as_raw_nonzero().get(), credentials.uid.as_raw(), credentials.gid.as_raw()))
}

/// Ends the sending direction, so that the peer sees the end after the last byte.
pub(crate) fn finish(fd: impl AsFd) {
    // A connection that is gone already needs no ending.
    let _ = fault::check(Call::Shutdown).and_then(|()| net::shutdown(fd, net::Shutdown::Write));
}

/// Ends both directions. What has arrived can still be read, and then comes the end.
pub(crate) fn abandon(fd: impl AsFd) -> Result<(), Errno> {
    fault::check(Call::Shutdown)?;
    match net::shutdown(fd, net::Shutdown::Both) {
        // A connection that is gone already needs no ending.
        Err(Errno::NOTCONN) => Ok(()),
        other => other,
    }
}

/// Network interfaces by name.
pub(crate) mod interface {
    use std::io;
    use std::net::IpAddr;

    use crate::sys::fault::{self, Call};

    /// The addresses of the interface called `name`.
    pub(crate) fn addresses(name: &str) -> io::Result<Vec<IpAddr>> {
        fault::check(Call::Interfaces)?;
        let mut head: *mut libc::ifaddrs = std::ptr::null_mut();
        // SAFETY: getifaddrs fills `head` with a list that freeifaddrs gives back below.
        if unsafe { libc::getifaddrs(&raw mut head) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let mut found = Vec::new();
        let mut next = head;
        while !next.is_null() {
            // SAFETY: `next` is a node of the list until freeifaddrs; names are C strings, and
            // addresses are null or sockets addresses of their family.
            unsafe {
                let node = &*next;
                let matches = std::ffi::CStr::from_ptr(node.ifa_name).to_bytes() == name.as_bytes();
                if matches && !node.ifa_addr.is_null() {
                    found.extend(address(node.ifa_addr));
                }
                next = node.ifa_next;
            }
        }
        // SAFETY: the list from getifaddrs, not used after this.
        unsafe { libc::freeifaddrs(head) };
        Ok(found)
    }

    /// The number of the interface called `name`, or a number itself.
    pub(crate) fn index(name: &str) -> Option<u32> {
        if let Ok(index) = name.parse() {
            return Some(index);
        }
        fault::check(Call::Interfaces).ok()?;
        let name = std::ffi::CString::new(name).ok()?;
        // SAFETY: a C string that lives across the call.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        (index != 0).then_some(index)
    }

    /// # Safety
    /// `raw` is a socket address of the size that its family says.
    unsafe fn address(raw: *const libc::sockaddr) -> Option<IpAddr> {
        // SAFETY: as promised by the caller.
        unsafe {
            match i32::from((*raw).sa_family) {
                libc::AF_INET => {
                    let v4 = raw.cast::<libc::sockaddr_in>().read_unaligned();
                    Some(IpAddr::from(v4.sin_addr.s_addr.to_ne_bytes()))
                }
                libc::AF_INET6 => {
                    let v6 = raw.cast::<libc::sockaddr_in6>().read_unaligned();
                    Some(IpAddr::from(v6.sin6_addr.s6_addr))
                }
                _ => None,
            }
        }
    }
}
