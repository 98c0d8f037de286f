//! System calls that fail on purpose, so that tests can see what the engine makes of it. A plan
//! belongs to the thread that makes it and to those that this thread starts; other builds than
//! tests have no plans, and nothing is left of the checks.
//!
//! Some calls are not here, since nothing is made of what they say: close(2), after which the
//! descriptor is gone on Linux whatever it returns, and pthread_sigmask(3), which fails only when
//! asked for something that does not exist.

/// A kind of system call that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Socket,
    Bind,
    Listen,
    Connect,
    /// Asking how a connection attempt ended (`SO_ERROR`).
    ConnectResult,
    Accept,
    Receive,
    Transmit,
    SetOption,
    /// Ending a connection's directions.
    Shutdown,
    /// Asking who is at the other end of a local connection.
    PeerCredentials,
    /// Taking a descriptor over that the application made.
    Adopt,
    LocalAddress,
    PeerAddress,
    NewPoll,
    Watch,
    Rewatch,
    Unwatch,
    Wait,
    /// Waiting for descriptors on a thread of the application.
    PollDescriptors,
    NewWake,
    /// Waking another thread.
    Ring,
    /// Taking note of having been woken.
    Hear,
    /// Listing the network's interfaces, or asking for the number of one.
    Interfaces,
    /// Asking the resolver for a name's addresses.
    LookUp,
    Spawn,
    /// Giving a thread a policy and a priority.
    Schedule,
    /// Giving a thread a nice value.
    Nice,
    /// Giving a thread its processors.
    Affinity,
    /// Asking for barriers of which one side pays nothing (membarrier(2)).
    RegisterBarrier,
    /// Making all threads of the process pass a barrier.
    Barrier,
    /// Asking what stands at a path.
    LookAtFile,
    RemoveFile,
    MakeDirectory,
    RemoveDirectory,
    /// Reading what `/proc` says of another process.
    ReadProcess,
}

#[cfg(not(test))]
#[inline(always)]
pub(crate) fn check(_: Call) -> Result<(), rustix::io::Errno> {
    Ok(())
}

#[cfg(test)]
pub(crate) use plan::{Plan, check, inherited};

#[cfg(test)]
mod plan {
    use std::cell::RefCell;
    use std::collections::{HashMap, HashSet};
    use std::sync::{Arc, Condvar, Mutex};
    use std::time::Duration;

    use rustix::io::Errno;

    use super::Call;

    /// What is to fail, how often, and how often it has.
    #[derive(Debug)]
    struct Fault {
        errno: Errno,
        left: usize,
        hits: usize,
    }

    /// The faults of one test.
    #[derive(Debug, Default)]
    pub(crate) struct Plan {
        faults: Mutex<HashMap<Call, Fault>>,
        hit: Condvar,
        /// What has failed, and how.
        injected: Mutex<HashSet<(Call, Errno)>>,
    }

    thread_local! {
        static CURRENT: RefCell<Option<Arc<Plan>>> = const { RefCell::new(None) };
    }

    impl Plan {
        /// A plan for this thread and those that it starts from now on.
        pub(crate) fn install() -> Arc<Self> {
            let plan = Arc::new(Self::default());
            CURRENT.set(Some(Arc::clone(&plan)));
            plan
        }

        /// Lets the next `times` calls fail.
        pub(crate) fn fail(&self, call: Call, errno: Errno, times: usize) {
            let fault = Fault { errno, left: times, hits: 0 };
            self.faults.lock().expect("a plan").insert(call, fault);
        }

        /// Lets calls do again what they should.
        pub(crate) fn heal(&self) {
            self.faults.lock().expect("a plan").clear();
        }

        /// Waits until a call has failed so often.
        pub(crate) fn wait_hits(&self, call: Call, hits: usize) {
            let faults = self.faults.lock().expect("a plan");
            let (faults, waited) = self
                .hit
                .wait_timeout_while(faults, Duration::from_secs(30), |faults| {
                    faults.get(&call).is_none_or(|fault| fault.hits < hits)
                })
                .expect("a plan");
            assert!(!waited.timed_out(), "{call:?} was not called {hits} times: {faults:?}");
        }

        /// Whether a call has failed in this way, at any time.
        pub(crate) fn injected(&self, call: Call, errno: Errno) -> bool {
            self.injected.lock().expect("a plan").contains(&(call, errno))
        }

        /// How often a call has failed since [`Plan::fail`].
        pub(crate) fn hits(&self, call: Call) -> usize {
            self.faults.lock().expect("a plan").get(&call).map_or(0, |fault| fault.hits)
        }
    }

    /// Fails if the thread's plan says so.
    pub(crate) fn check(call: Call) -> Result<(), Errno> {
        CURRENT.with_borrow(|plan| {
            let Some(plan) = plan else { return Ok(()) };
            let mut faults = plan.faults.lock().expect("a plan");
            match faults.get_mut(&call) {
                Some(fault) if fault.left > 0 => {
                    fault.left -= 1;
                    fault.hits += 1;
                    plan.injected.lock().expect("a plan").insert((call, fault.errno));
                    plan.hit.notify_all();
                    Err(fault.errno)
                }
                _ => Ok(()),
            }
        })
    }

    /// What a new thread runs, with this thread's plan.
    pub(crate) fn inherited(
        body: impl FnOnce() + Send + 'static,
    ) -> impl FnOnce() + Send + 'static {
        let plan = CURRENT.with_borrow(Clone::clone);
        move || {
            CURRENT.set(plan);
            body();
        }
    }
}
