//! `tcp://`: binding, connecting, and what a ZeroMQ socket's options mean to TCP (zmq_tcp(7)).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use socket2::SockRef;

use super::Failed;
use crate::error::Error;
use crate::options::{Options, short_ipv4};
use crate::sys::socket::{self, option_set};

/// Where to connect to.
#[derive(Clone, Debug)]
pub(crate) struct TcpTarget {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The local address to connect from.
    pub(crate) source: Option<SocketAddr>,
}

impl TcpTarget {
    /// The address, if it needs no looking up.
    pub(crate) fn numeric(&self) -> Option<SocketAddr> {
        numeric_host(&self.host).map(|address| match address {
            NumericHost::Plain(ip) => SocketAddr::new(ip, self.port),
            NumericHost::Scoped(ip, scope) => SocketAddrV6::new(ip, self.port, 0, scope).into(),
        })
    }
}

enum NumericHost {
    Plain(IpAddr),
    Scoped(Ipv6Addr, u32),
}

/// Reads `127.0.0.1` and its short forms, `::1`, `[::1]` and `fe80::1%eth0`.
fn numeric_host(host: &str) -> Option<NumericHost> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Some((ip, scope)) = host.split_once('%') {
        let index = socket::interface::index(scope)?;
        return Some(NumericHost::Scoped(ip.parse().ok()?, index));
    }
    let ip = short_ipv4(host).map(IpAddr::V4).or_else(|| host.parse().ok());
    ip.map(NumericHost::Plain)
}

/// The local address that a host part of `bind` or a source address names: a wildcard, a number
/// or an interface.
pub(crate) fn local_address(host: &str, port: u16, ipv6: bool) -> Result<SocketAddr, Error> {
    if host == "*" {
        let any: IpAddr =
            if ipv6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        return Ok(SocketAddr::new(any, port));
    }
    match numeric_host(host) {
        Some(NumericHost::Plain(ip)) if ip.is_ipv6() && !ipv6 => Err(Error::NoSuchDevice),
        Some(NumericHost::Plain(ip)) => Ok(SocketAddr::new(ip, port)),
        Some(NumericHost::Scoped(ip, scope)) if ipv6 => {
            Ok(SocketAddrV6::new(ip, port, 0, scope).into())
        }
        Some(NumericHost::Scoped(..)) => Err(Error::NoSuchDevice),
        None => interface_address(host, port, ipv6),
    }
}

fn interface_address(name: &str, port: u16, ipv6: bool) -> Result<SocketAddr, Error> {
    let addresses = socket::interface::addresses(name).unwrap_or_default();
    let chosen = addresses
        .iter()
        .find(|address| address.is_ipv4())
        .or_else(|| addresses.iter().find(|_| ipv6))
        .ok_or(Error::NoSuchDevice)?;
    Ok(SocketAddr::new(*chosen, port))
}

/// Listens at `address`. Returns the descriptor and the address that it got.
pub(crate) fn bind(
    address: SocketAddr,
    options: &Options,
) -> Result<(OwnedFd, SocketAddr), Failed> {
    if let Some(fd) = socket::given(options.use_fd)? {
        let bound = socket::local_address(&fd)?.unwrap_or(address);
        return Ok((fd, bound));
    }
    let fd = socket::tcp(&address)?;
    listen(&fd, &address, options).map_err(Failed::on(&fd))?;
    let bound = socket::local_address(&fd)?.unwrap_or(address);
    Ok((fd, bound))
}

fn listen(fd: &OwnedFd, address: &SocketAddr, options: &Options) -> Result<(), Errno> {
    let tuned = SockRef::from(fd);
    if address.is_ipv6() {
        option_set(tuned.set_only_v6(false))?;
    }
    // A server that is started again finds its port free, though old connections linger.
    option_set(tuned.set_reuse_address(true))?;
    prepare(fd, options)?;
    socket::bind_ip(fd, address)?;
    socket::listen(fd, options.backlog)
}

/// Starts to connect. True if that is done already.
pub(crate) fn connect(
    address: &SocketAddr,
    target: &TcpTarget,
    options: &Options,
) -> Result<(OwnedFd, bool), Failed> {
    let fd = socket::tcp(address)?;
    let done = start(&fd, address, target, options).map_err(Failed::on(&fd))?;
    Ok((fd, done))
}

fn start(
    fd: &OwnedFd,
    address: &SocketAddr,
    target: &TcpTarget,
    options: &Options,
) -> Result<bool, Errno> {
    tune(fd, options)?;
    prepare(fd, options)?;
    if let Some(source) = &target.source {
        option_set(SockRef::from(fd).set_reuse_address(true))?;
        socket::bind_ip(fd, source)?;
    }
    socket::connect_ip(fd, address)
}

/// What has to be set before a socket is bound or connected.
fn prepare(fd: &OwnedFd, options: &Options) -> Result<(), Errno> {
    let tuned = SockRef::from(fd);
    if let Ok(size @ 0..) = usize::try_from(options.sndbuf) {
        option_set(tuned.set_send_buffer_size(size))?;
    }
    if let Ok(size @ 0..) = usize::try_from(options.rcvbuf) {
        option_set(tuned.set_recv_buffer_size(size))?;
    }
    if !options.bindtodevice.is_empty() {
        option_set(tuned.bind_device(Some(&options.bindtodevice)))?;
    }
    if options.busy_poll != 0 {
        option_set(socket::set_busy_poll(fd, options.busy_poll))?;
    }
    Ok(())
}

/// Prepares a connection that was accepted, or turns it away (`ZMQ_TCP_ACCEPT_FILTER`).
pub(crate) fn admit(fd: &OwnedFd, peer: IpAddr, options: &Options) -> Result<(), Errno> {
    if !options.admits_address(peer) {
        return Err(Errno::ACCESS);
    }
    tune(fd, options)
}

/// What is set on every connection.
pub(crate) fn tune(fd: &OwnedFd, options: &Options) -> Result<(), Errno> {
    let tuned = SockRef::from(fd);
    // Messages are small and already batched: waiting for more only delays them.
    option_set(tuned.set_tcp_nodelay(true))?;
    if options.tcp_keepalive >= 0 {
        option_set(tuned.set_keepalive(options.tcp_keepalive > 0))?;
        if options.tcp_keepalive > 0 {
            option_set(tuned.set_tcp_keepalive(&keepalive(options)))?;
        }
    }
    if options.tcp_maxrt > 0 {
        let time = Duration::from_millis(u64::from(options.tcp_maxrt.unsigned_abs()));
        option_set(tuned.set_tcp_user_timeout(Some(time)))?;
    }
    if options.tos != 0 {
        let tos = options.tos.unsigned_abs();
        // Not every socket family has it: then there is nothing to mark.
        let _ = option_set(tuned.set_tos_v4(tos));
    }
    if options.priority != 0 {
        option_set(socket::set_priority(fd, options.priority))?;
    }
    Ok(())
}

fn keepalive(options: &Options) -> socket2::TcpKeepalive {
    let mut keepalive = socket2::TcpKeepalive::new();
    if let Ok(seconds @ 1..) = u64::try_from(options.tcp_keepalive_idle) {
        keepalive = keepalive.with_time(Duration::from_secs(seconds));
    }
    if let Ok(seconds @ 1..) = u64::try_from(options.tcp_keepalive_intvl) {
        keepalive = keepalive.with_interval(Duration::from_secs(seconds));
    }
    if let Ok(count @ 1..) = u32::try_from(options.tcp_keepalive_cnt) {
        keepalive = keepalive.with_retries(count);
    }
    keepalive
}
