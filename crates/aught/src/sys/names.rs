//! Looking up the names of other machines. It waits for as long as the system's resolver does;
//! which thread may wait is decided in `transport::resolve`.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use super::fault::{self, Call};

/// The addresses of a name, with port 0. What the resolver says without an `errno` has none.
pub(crate) fn addresses(host: &str) -> io::Result<Vec<SocketAddr>> {
    fault::check(Call::LookUp)?;
    Ok((host, 0).to_socket_addrs()?.collect())
}
