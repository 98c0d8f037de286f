//! The Rust interface against those whom nobody knows: what becomes of sockets that are bound
//! without authentication, how many connections and unfinished handshakes an endpoint takes, and
//! how often any of that mattered. Who is let in is in `security`.

use super::api::{Context, Socket};
use super::incidents::IncidentCounts;
use crate::error::Error;
use crate::options::{Unauthenticated, extensions};

impl Context {
    /// What becomes of sockets of this context that are bound to more than this machine (`tcp://*`,
    /// `tcp://0.0.0.0`, an address that is not loopback) although nobody would have to show
    /// anything to be let in. Concerns binds from now on. The default is what the environment
    /// variable `AUGHT_UNAUTHENTICATED` (`allow`, `warn` or `refuse`) says when the context is
    /// made, or else [`Unauthenticated::Allow`].
    ///
    /// CURVE sockets have authentication, and PLAIN servers, and NULL sockets for which an
    /// [`Authenticator`](crate::Authenticator) or a handler decides when they are bound. A CURVE
    /// server about whose clients nobody decides counts as authenticated: they have to know its
    /// key.
    ///
    /// # Errors
    /// [`Error::Forked`].
    pub fn set_unauthenticated(&self, policy: Unauthenticated) -> Result<(), Error> {
        self.inner().change_options(|options| {
            options.unauthenticated = policy;
            Ok(())
        })
    }

    /// How often the policy and the limits of all sockets mattered, those that are closed by now
    /// included.
    #[must_use]
    pub fn incident_counts(&self) -> IncidentCounts {
        self.inner().incidents.counts()
    }
}

impl Socket {
    fn set_count(&self, option: i32, count: Option<u32>) -> Result<(), Error> {
        let count = i32::try_from(count.unwrap_or(0))
            .map_err(|_| Error::Invalid("a limit is at most 2147483647"))?;
        self.core.set_option(option, &count.to_ne_bytes())
    }

    /// How many connections each endpoint takes that is bound from now on; `None`, the default, is
    /// no limit, as is 0. One more takes the place of the oldest whose handshake is not finished,
    /// and is closed at once if there is none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more than 2147483647.
    pub fn set_max_connections(&self, count: Option<u32>) -> Result<(), Error> {
        self.set_count(extensions::MAX_CONNECTIONS, count)
    }

    /// How many connections with unfinished handshakes each endpoint keeps that is bound from now
    /// on; `None`, the default, is no limit, as is 0. One more takes the place of the oldest, so
    /// that those who stand around keep nobody out.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more than 2147483647.
    pub fn set_max_handshakes(&self, count: Option<u32>) -> Result<(), Error> {
        self.set_count(extensions::MAX_HANDSHAKES, count)
    }

    /// How much memory, in bytes, connections with unfinished handshakes may hold together at each
    /// endpoint that is bound from now on: 262144 to 2147483647, default 67108864. A connection
    /// counts as 4096 bytes, what its peer has sent, and what a handler is asked about it. Beyond
    /// that, the oldest have to go, or before them the largest that hold more than 32 KiB.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another number.
    pub fn set_max_handshake_memory(&self, bytes: u32) -> Result<(), Error> {
        self.set_count(extensions::MAX_HANDSHAKE_MEMORY, Some(bytes))
    }

    /// How often the context's policy about authentication and this socket's limits mattered.
    #[must_use]
    pub fn incident_counts(&self) -> IncidentCounts {
        self.core.incidents.counts()
    }
}
