//! The authenticator of a context or a socket, which can be changed while connections come, and
//! how many peers were let in and turned away. What an authenticator is, is in `authenticator`.

use super::{Authenticator, Decision};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

/// See the module's documentation.
#[derive(Default)]
pub(crate) struct Gate {
    authenticator: Mutex<Option<Arc<dyn Authenticator>>>,
    accepted: AtomicU64,
    denied: AtomicU64,
}

impl Gate {
    /// Whoever decides from now on. Peers that are in stay in.
    pub(crate) fn set(&self, authenticator: Option<Arc<dyn Authenticator>>) {
        let before = std::mem::replace(&mut *lock(&self.authenticator), authenticator);
        drop(before); // the application's code, which is not to run under our lock
    }

    pub(crate) fn get(&self) -> Option<Arc<dyn Authenticator>> {
        lock(&self.authenticator).clone()
    }

    /// Takes note of a decision.
    pub(crate) fn count(&self, decision: &Decision) {
        let counter = match decision {
            Decision::Accept(_) => &self.accepted,
            Decision::Deny(_) | Decision::Invalid(_) | Decision::NoHandler => &self.denied,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// How many peers were let in, and how many were not.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.accepted.load(Ordering::Relaxed), self.denied.load(Ordering::Relaxed))
    }
}
