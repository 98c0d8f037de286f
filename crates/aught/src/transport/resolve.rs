//! Looking up names, never on an I/O thread: a name server that does not answer must not stop
//! other connections. A thread of the application may wait for itself. Each attempt to connect looks up anew, unless the name is being looked up.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::tcp::TcpTarget;
use crate::engine::{Command, IoHandle};
use crate::sync::Arc;
use crate::sys::names;
use crate::sys::thread::spawn;

/// The addresses of a name, or the `errno` to report.
pub(crate) type Resolved = Result<Vec<SocketAddr>, i32>;

/// What is looked up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    host: String,
    ipv6: bool,
}

/// The lookups of one I/O thread that have no answer yet, and the sessions that wait for each.
///
/// Whoever asks for a name while it is being looked up gets the same answer, and answers go out
/// in the order of the questions. So of two sockets that connect to one host, the first still
/// sets out first: programs subscribe with one, tell the publisher with the other that they are
/// there, and count on it.
#[derive(Default)]
pub(crate) struct Lookups {
    waiting: HashMap<Name, Vec<u64>>,
}

impl Lookups {
    /// Looks up a target's name in the background for the session `id`. The thread of `handle`,
    /// which is the one that owns this, is told.
    pub(crate) fn ask(&mut self, target: &TcpTarget, ipv6: bool, handle: &Arc<IoHandle>, id: u64) {
        let name = Name { host: target.host.clone(), ipv6 };
        if let Some(waiting) = self.waiting.get_mut(&name) {
            waiting.push(id);
            return;
        }
        self.waiting.insert(name.clone(), vec![id]);
        let (asked, reply) = (name.clone(), Arc::clone(handle));
        let started = spawn("aught/resolve".to_owned(), move || {
            let found = lookup(&asked);
            reply.send(Command::Resolved(asked, found));
        });
        if started.is_err() {
            handle.send(Command::Resolved(name, Err(libc::EAGAIN)));
        }
    }

    /// Who waited for a name, the first to ask first.
    pub(crate) fn answered(&mut self, name: &Name) -> Vec<u64> {
        self.waiting.remove(name).unwrap_or_default()
    }
}

/// The first address of a target, an IPv4 address as such whatever IPv6 calls it. The calling
/// thread waits for the answer.
pub(crate) fn first(target: &TcpTarget, ipv6: bool) -> Option<SocketAddr> {
    let ip = match target.numeric() {
        Some(address) => address.ip(),
        None => lookup(&Name { host: target.host.clone(), ipv6 }).ok()?.first()?.ip(),
    };
    Some(SocketAddr::new(ip.to_canonical(), target.port))
}

/// The addresses of a name, with port 0.
fn lookup(name: &Name) -> Resolved {
    let mut addresses = names::addresses(&name.host)
        .map_err(|error| error.raw_os_error().unwrap_or(libc::EHOSTUNREACH))?;
    addresses.retain(|address| name.ipv6 || address.is_ipv4());
    // Both families are tried; the one that fails at once costs nothing.
    addresses.sort_by_key(SocketAddr::is_ipv6);
    if addresses.is_empty() { Err(libc::EHOSTUNREACH) } else { Ok(addresses) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::IoThread;
    use crate::options::Scheduling;

    #[test]
    fn who_asks_for_the_same_name_waits_in_line() {
        let thread = IoThread::start("lookups".to_owned(), Scheduling::default(), || {})
            .expect("start a thread");
        let target = TcpTarget { host: "localhost".to_owned(), port: 1, source: None };
        let mut lookups = Lookups::default();
        for (ipv6, id) in [(false, 1), (true, 2), (false, 3)] {
            lookups.ask(&target, ipv6, &thread.handle, id);
        }
        let name = |ipv6| Name { host: target.host.clone(), ipv6 };
        assert_eq!(lookups.answered(&name(false)), [1, 3]);
        assert!(lookups.answered(&name(false)).is_empty());
        assert_eq!(lookups.answered(&name(true)), [2]);
        thread.stop();
    }
}
