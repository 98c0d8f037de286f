//! Contexts: the I/O threads, the sockets and the in-process names that belong together, and
//! how all of that ends.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;

use crate::engine::{IoHandle, IoThread};
use crate::error::Error;
use crate::options::ContextOptions;
use crate::pattern::Drop as Cause;
use crate::socket::core::SocketCore;
use crate::socket::drops::Tally;
use crate::socket::incidents::Incidents;
use crate::sync::{Arc, AtomicU32, AtomicUsize, Mutex, Ordering, Weak, lock};
use crate::sys::poll::wait_readable;
use crate::sys::thread::forks;
use crate::sys::wake::Wake;
use crate::transport::inproc::Names;
use crate::zap::Gate;

/// Keeps a context from ending while a socket, a session or a listener of it lives.
pub(crate) struct Live(Arc<Alive>);

/// How many things of a context live.
struct Alive {
    count: AtomicUsize,
    /// Readable when the count has come to zero.
    none: Wake,
}

impl Live {
    fn new(alive: &Arc<Alive>) -> Self {
        alive.count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(alive))
    }
}

impl Clone for Live {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.none.signal();
        }
    }
}

/// The shared part of a context.
pub(crate) struct ContextInner {
    options: Mutex<ContextOptions>,
    threads: Mutex<Option<Vec<IoThread>>>,
    sockets: Mutex<HashMap<u64, Weak<SocketCore>>>,
    open_sockets: AtomicUsize,
    alive: Arc<Alive>,
    /// Every call on a socket fails but closing it.
    terminating: AtomicBool,
    /// The I/O threads are gone.
    ended: AtomicBool,
    /// An I/O thread broke an invariant of ours.
    poisoned: Arc<AtomicBool>,
    pub(crate) names: Mutex<Names>,
    /// Who decides about peers of sockets that have nobody of their own.
    pub(crate) gate: Gate,
    /// What all sockets have dropped.
    pub(crate) tally: Tally,
    /// What the policy and the limits of all sockets have done.
    pub(crate) incidents: Incidents,
    process: u32,
    /// How often this process had been forked off another one.
    forks: u64,
    next_thread_name: AtomicU32,
}

impl ContextInner {
    pub(crate) fn new() -> Result<Arc<Self>, Error> {
        Ok(Arc::new(Self {
            options: Mutex::new(ContextOptions::from_environment()),
            threads: Mutex::new(None),
            sockets: Mutex::default(),
            open_sockets: AtomicUsize::new(0),
            alive: Arc::new(Alive { count: AtomicUsize::new(0), none: Wake::new()? }),
            terminating: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            poisoned: Arc::new(AtomicBool::new(false)),
            names: Mutex::default(),
            gate: Gate::default(),
            tally: Tally::default(),
            incidents: Incidents::default(),
            process: std::process::id(),
            forks: forks(),
            next_thread_name: AtomicU32::new(0),
        }))
    }

    /// Fails in a process that was forked off the one that made the context.
    pub(crate) fn check_process(&self) -> Result<(), Error> {
        if std::process::id() == self.process { Ok(()) } else { Err(Error::Forked) }
    }

    /// Fails once the context is being terminated.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.terminating.load(Ordering::Relaxed) {
            return Err(Error::Terminated);
        }
        // In a forked child, locks may be held by threads that do not exist there.
        if forks() != self.forks {
            return Err(Error::Forked);
        }
        Ok(())
    }

    pub(crate) fn options(&self) -> ContextOptions {
        lock(&self.options).clone()
    }

    pub(crate) fn change_options<T>(
        &self,
        change: impl FnOnce(&mut ContextOptions) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.check_process()?;
        change(&mut lock(&self.options))
    }

    pub(crate) fn live(&self) -> Live {
        Live::new(&self.alive)
    }

    /// Makes room for a socket, and starts the I/O threads with the first one.
    pub(crate) fn admit_socket(&self) -> Result<(), Error> {
        self.check_process()?;
        self.check()?;
        let options = self.options();
        {
            let mut threads = lock(&self.threads);
            // The context may have begun to end, and then nobody would end the threads.
            self.check()?;
            if threads.is_none() {
                *threads = Some(self.start_threads(&options)?);
            }
        }
        let limit = usize::try_from(options.max_sockets).unwrap_or(0);
        if self.open_sockets.fetch_add(1, Ordering::SeqCst) >= limit {
            self.open_sockets.fetch_sub(1, Ordering::SeqCst);
            return Err(Error::TooManySockets);
        }
        Ok(())
    }

    fn start_threads(&self, options: &ContextOptions) -> Result<Vec<IoThread>, Error> {
        let mut threads = Vec::new();
        for index in 0..options.io_threads {
            let number = self.next_thread_name.fetch_add(1, Ordering::Relaxed);
            let name = options.thread_name(number.max(index.cast_unsigned()));
            let poisoned = Arc::clone(&self.poisoned);
            let alive = Arc::clone(&self.alive);
            let started = IoThread::start(name, options.scheduling.clone(), move || {
                poisoned.store(true, Ordering::SeqCst);
                alive.none.signal();
            });
            match started {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    threads.iter().for_each(IoThread::stop);
                    return Err(error);
                }
            }
        }
        Ok(threads)
    }

    pub(crate) fn register(&self, id: u64, socket: &Arc<SocketCore>) {
        lock(&self.sockets).insert(id, Arc::downgrade(socket));
        // The context may have begun to end in the meantime.
        if self.check().is_err() {
            socket.interrupt();
        }
    }

    pub(crate) fn unregister(&self, id: u64) {
        if lock(&self.sockets).remove(&id).is_some() {
            self.open_sockets.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// The I/O threads that `affinity` allows: bit 0 is the first, no bit means all.
    pub(crate) fn threads(&self, affinity: u64) -> Result<Vec<Arc<IoHandle>>, Error> {
        let threads = lock(&self.threads);
        let chosen: Vec<_> = threads
            .iter()
            .flatten()
            .enumerate()
            .filter(|(index, _)| affinity == 0 || (*index < 64 && affinity >> index & 1 == 1))
            .map(|(_, thread)| Arc::clone(&thread.handle))
            .collect();
        if chosen.is_empty() { Err(Error::NoIoThread) } else { Ok(chosen) }
    }

    /// The least loaded I/O thread that `affinity` allows.
    pub(crate) fn thread(&self, affinity: u64) -> Result<Arc<IoHandle>, Error> {
        let threads = self.threads(affinity)?;
        threads.into_iter().min_by_key(|handle| handle.load()).ok_or(Error::NoIoThread)
    }

    /// The messages that the context's sockets have dropped, by cause.
    pub(crate) fn drops(&self) -> Vec<(Cause, u64)> {
        if self.check_process().is_ok() {
            let sockets: Vec<_> = lock(&self.sockets).values().filter_map(Weak::upgrade).collect();
            sockets.iter().for_each(|socket| socket.report_drops());
        }
        self.tally.counts()
    }

    /// Makes every call on the context's sockets fail from now on, blocked ones too.
    pub(crate) fn shutdown(&self) -> Result<(), Error> {
        self.check_process()?;
        if self.terminating.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let sockets: Vec<_> = lock(&self.sockets).values().cloned().collect();
        for socket in sockets.iter().filter_map(Weak::upgrade) {
            socket.interrupt();
        }
        let waiting = lock(&self.names).take_waiting();
        for mut waiting in waiting {
            self.tally.add(Cause::NoPeer, waiting.end.discard_unread());
        }
        Ok(())
    }

    /// Shuts down, waits until all sockets are closed and have sent what their linger time lets
    /// them send, and ends the I/O threads.
    pub(crate) fn terminate(&self) -> Result<(), Error> {
        self.shutdown()?;
        while self.alive.count.load(Ordering::SeqCst) > 0 && !self.poisoned.load(Ordering::SeqCst) {
            wait_readable(std::os::fd::AsFd::as_fd(&self.alive.none), None).map_err(|error| {
                match error {
                    rustix::io::Errno::INTR => Error::Interrupted,
                    other => other.into(),
                }
            })?;
            self.alive.none.consume();
        }
        // Another thread that waits in here has to see it, too.
        self.alive.none.signal();
        self.end_threads();
        Ok(())
    }

    fn end_threads(&self) {
        if !self.ended.swap(true, Ordering::SeqCst) {
            let threads = lock(&self.threads).take();
            for thread in threads.iter().flatten() {
                thread.stop();
            }
            crate::message::pool::trim();
        }
    }
}
