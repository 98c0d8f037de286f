//! What the policy about authentication and the limits of listeners have done: counted for the
//! socket and its context, and told to monitors that ask for it. What they do is decided in
//! `endpoints` and in the engine's `door`.

use super::core::SocketCore;
use super::monitor::{self, Happening};
use crate::error::Error;
use crate::options::write_bytes;
use crate::sync::{AtomicU64, Ordering};

/// A limit of a bound endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// On connections: [`Socket::set_max_connections`](crate::Socket::set_max_connections).
    Connections,
    /// On unfinished handshakes: [`Socket::set_max_handshakes`](crate::Socket::set_max_handshakes).
    Handshakes,
    /// On what unfinished handshakes hold:
    /// [`Socket::set_max_handshake_memory`](crate::Socket::set_max_handshake_memory).
    Memory,
    /// Of the system: no descriptor or no memory was left for another connection (`EMFILE`,
    /// `ENFILE`, `ENOBUFS`, `ENOMEM`).
    System,
}

impl Limit {
    /// The value of the event.
    pub(crate) const fn number(self) -> i32 {
        match self {
            Self::Connections => 1,
            Self::Handshakes => 2,
            Self::Memory => 3,
            Self::System => 4,
        }
    }

    pub(crate) fn from_number(number: i32) -> Option<Self> {
        let all = [Self::Connections, Self::Handshakes, Self::Memory, Self::System];
        all.into_iter().find(|limit| limit.number() == number)
    }
}

/// How often something of this file happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncidentCounts {
    /// Endpoints outside of this machine that were bound without authentication, or would have
    /// been if that were not refused.
    pub unauthenticated_binds: u64,
    /// Connections that were turned away, or made room for others, since there were as many as
    /// there may be.
    pub limited_connections: u64,
    /// Connections that were given up since too many handshakes were unfinished.
    pub limited_handshakes: u64,
    /// Connections that were given up since unfinished handshakes held too much memory.
    pub limited_memory: u64,
    /// Connections that were given up with their handshakes unfinished since the system had
    /// nothing left for another one.
    pub limited_system: u64,
}

/// The counters behind [`IncidentCounts`].
#[derive(Debug, Default)]
pub(crate) struct Incidents {
    unauthenticated: AtomicU64,
    connections: AtomicU64,
    handshakes: AtomicU64,
    memory: AtomicU64,
    system: AtomicU64,
}

impl Incidents {
    fn limit(&self, limit: Limit) -> &AtomicU64 {
        match limit {
            Limit::Connections => &self.connections,
            Limit::Handshakes => &self.handshakes,
            Limit::Memory => &self.memory,
            Limit::System => &self.system,
        }
    }

    pub(crate) fn counts(&self) -> IncidentCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        IncidentCounts {
            unauthenticated_binds: read(&self.unauthenticated),
            limited_connections: read(&self.connections),
            limited_handshakes: read(&self.handshakes),
            limited_memory: read(&self.memory),
            limited_system: read(&self.system),
        }
    }

    /// The counter that C programs read under this number: `AUGHT_UNAUTHENTICATED_BINDS` and those
    /// that follow it in `zmq.h`.
    pub(crate) fn count(&self, option: i32) -> Option<u64> {
        let counts = self.counts();
        match option {
            0x4155_0111 => Some(counts.unauthenticated_binds),
            0x4155_0112 => Some(counts.limited_connections),
            0x4155_0113 => Some(counts.limited_handshakes),
            0x4155_0114 => Some(counts.limited_memory),
            0x4155_0115 => Some(counts.limited_system),
            _ => None,
        }
    }

    /// The same, as zmq_getsockopt(3) gives 64 bits.
    pub(crate) fn read(&self, option: i32, out: &mut [u8]) -> Option<Result<usize, Error>> {
        let count = self.count(option)?;
        Some(write_bytes(&count.to_ne_bytes(), out).map_err(Error::from))
    }
}

impl SocketCore {
    /// A limit has acted on so many connections at an endpoint.
    pub(crate) fn note_limit(&self, limit: Limit, times: usize, endpoint: &str) {
        let times = u64::try_from(times).unwrap_or(u64::MAX);
        self.incidents.limit(limit).fetch_add(times, Ordering::Relaxed);
        self.context.incidents.limit(limit).fetch_add(times, Ordering::Relaxed);
        for _ in 0..times {
            self.emit(&Happening { event: monitor::LIMIT, value: limit.number(), endpoint });
        }
    }

    /// An endpoint outside of this machine is bound without authentication; `value` is the error
    /// if that is refused, or 0.
    pub(crate) fn note_unauthenticated(&self, value: i32, endpoint: &str) {
        self.incidents.unauthenticated.fetch_add(1, Ordering::Relaxed);
        self.context.incidents.unauthenticated.fetch_add(1, Ordering::Relaxed);
        self.emit(&Happening { event: monitor::UNAUTHENTICATED, value, endpoint });
    }
}
