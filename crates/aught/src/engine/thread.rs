//! The I/O thread: one loop over an epoll set, a mailbox and deadlines. It owns its sessions and
//! listeners; other threads reach them by [`Command`]s to their names.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::timers::Timers;
use super::{Listener, Session};
use crate::error::Error;
use crate::options::Scheduling;
use crate::pipe::{Owner, Signal};
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering, lock};
use crate::sys::poll::{Poll, Ready, time_left};
use crate::sys::thread::{give_way, schedule, spawn};
use crate::sys::wake::Wake;
use crate::transport::{Lookups, Name, Resolved};

/// The token of the thread's own wake-up descriptor.
const WAKE: u64 = 0;

/// How much one read takes from a connection at most, in bytes.
pub(super) const SCRATCH: usize = 256 * 1024;

/// How long to do without waiting when waiting fails.
const PAUSE: Duration = Duration::from_millis(10);

/// How many rounds without work a thread makes before it sleeps.
const LIVELY: u32 = 2;

/// What an I/O thread is told to do.
pub(crate) enum Command {
    /// Serve this session from now on.
    Open(Box<Session>),
    /// Accept connections from now on.
    Listen(Box<Listener>),
    /// Something happened to the session's pipe.
    Pipe(u64, Signal),
    /// The session's socket lets go of it: send what is left, within the linger time, and end.
    Close(u64),
    /// The session's connection has to go, for a limit, unless it is established.
    Evict(u64),
    /// Stop listening, and say so: the port is free then.
    Unlisten(u64, Arc<Done>),
    /// A connection of the listener's endpoint is closed: the system may have room for another.
    Vacated(u64),
    /// Whoever decides about the session's peer may have answered.
    Answered(u64),
    /// A name was looked up.
    Resolved(Name, Resolved),
    /// End the thread.
    Stop,
}

/// Tells a waiting thread that something was done.
#[derive(Default)]
pub(crate) struct Done {
    done: Mutex<bool>,
    changed: std::sync::Condvar,
}

impl Done {
    pub(crate) fn set(&self) {
        *lock(&self.done) = true;
        self.changed.notify_all();
    }

    pub(crate) fn wait(&self) {
        let mut done = lock(&self.done);
        while !*done {
            done = self.changed.wait(done).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
}

/// How the start of a thread went, for the one that waits for it. (A channel would do, but leaves
/// memory with the waiting thread, which is the application's.)
#[derive(Default)]
struct Begun {
    outcome: Mutex<Option<std::io::Result<()>>>,
    changed: std::sync::Condvar,
}

impl Begun {
    fn set(&self, outcome: std::io::Result<()>) {
        *lock(&self.outcome) = Some(outcome);
        self.changed.notify_all();
    }

    fn wait(&self) -> std::io::Result<()> {
        let mut outcome = lock(&self.outcome);
        loop {
            if let Some(outcome) = outcome.take() {
                return outcome;
            }
            outcome = self.changed.wait(outcome).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
}

#[derive(Default)]
struct Queue {
    commands: Vec<Command>,
    /// The thread waits for descriptors and has to be woken.
    asleep: bool,
    stopped: bool,
}

/// How other threads reach an I/O thread.
pub(crate) struct IoHandle {
    queue: Mutex<Queue>,
    wake: Wake,
    /// How many sessions the thread serves: new ones go to the least loaded thread.
    load: AtomicUsize,
}

impl IoHandle {
    /// Gives the thread something to do. False if it has ended.
    pub(crate) fn send(&self, command: Command) -> bool {
        let mut queue = lock(&self.queue);
        if queue.stopped {
            drop(queue); // a dropped session may want to send commands itself
            if let Command::Unlisten(_, done) = command {
                done.set();
            }
            return false;
        }
        queue.commands.push(command);
        if std::mem::take(&mut queue.asleep) {
            self.wake.signal();
        }
        true
    }

    /// A handle that leads nowhere.
    #[cfg(test)]
    pub(super) fn for_tests() -> Arc<Self> {
        let wake = Wake::new().expect("a descriptor");
        Arc::new(Self { queue: Mutex::default(), wake, load: AtomicUsize::new(0) })
    }

    /// The listeners that were told that there may be room.
    #[cfg(test)]
    pub(super) fn vacated(&self) -> Vec<u64> {
        let queue = lock(&self.queue);
        let told = queue.commands.iter().filter_map(|command| match command {
            Command::Vacated(listener) => Some(*listener),
            _ => None,
        });
        told.collect()
    }

    pub(crate) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    pub(super) fn add_load(&self) {
        self.load.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn remove_load(&self) {
        self.load.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Owner for IoHandle {
    fn signal(&self, token: u64, signal: Signal) {
        self.send(Command::Pipe(token, signal));
    }
}

/// A running I/O thread.
pub(crate) struct IoThread {
    pub(crate) handle: Arc<IoHandle>,
    join: Mutex<Option<JoinHandle<()>>>,
}

impl IoThread {
    /// Starts the thread. `failed` is called if its loop breaks an invariant of ours. A thread
    /// that cannot be scheduled as asked is not started at all.
    pub(crate) fn start(
        name: String,
        scheduling: Scheduling,
        failed: impl FnOnce() + Send + 'static,
    ) -> Result<Self, Error> {
        let poll = Poll::new()?;
        let wake = Wake::new()?;
        poll.add(&wake, WAKE, crate::sys::poll::Interest::READ)?;
        let handle =
            Arc::new(IoHandle { queue: Mutex::default(), wake, load: AtomicUsize::new(0) });
        let io = Io {
            handle: Arc::clone(&handle),
            poll,
            timers: Timers::default(),
            now: Instant::now(),
            lookups: Lookups::default(),
            scratch: Vec::new(),
            again: Vec::new(),
        };
        let begun = Arc::new(Begun::default());
        let report = Arc::clone(&begun);
        let join = spawn(name, move || {
            let Scheduling { policy, priority, processors } = scheduling;
            let outcome = schedule(policy, priority, processors.into_iter());
            let stays = outcome.is_ok();
            report.set(outcome);
            if !stays {
                return;
            }
            let mut reactor = Reactor { io, lively: 0, tasks: HashMap::new() };
            if catch_unwind(AssertUnwindSafe(|| reactor.run())).is_err() {
                failed();
            }
            reactor.finish();
        })?;
        begun.wait()?;
        Ok(Self { handle, join: Mutex::new(Some(join)) })
    }

    /// Ends the thread and waits for it.
    pub(crate) fn stop(&self) {
        self.handle.send(Command::Stop);
        if let Some(join) = lock(&self.join).take() {
            // A panic was dealt with on the thread itself.
            let _ = join.join();
        }
    }
}

/// What sessions and listeners need of their thread.
pub(crate) struct Io {
    pub(super) handle: Arc<IoHandle>,
    pub(super) poll: Poll,
    timers: Timers,
    /// The time at which the current round began.
    pub(super) now: Instant,
    pub(super) lookups: Lookups,
    /// Where reads go first.
    pub(super) scratch: Vec<u8>,
    /// Tasks that used up their turn and have more to do.
    again: Vec<u64>,
}

impl Io {
    /// Moves a task's deadline.
    pub(super) fn set_deadline(
        &mut self,
        id: u64,
        old: &mut Option<Instant>,
        new: Option<Instant>,
    ) {
        self.timers.set(id, old, new);
    }

    /// Gives the task another turn after the others had theirs.
    pub(super) fn run_again(&mut self, id: u64) {
        self.again.push(id);
    }
}

enum Task {
    Session(Box<Session>),
    Listener(Box<Listener>),
}

/// What becomes of a task after its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Stay,
    End,
}

struct Reactor {
    io: Io,
    /// Rounds to go before the thread sleeps.
    lively: u32,
    tasks: HashMap<u64, Task>,
}

impl Reactor {
    fn run(&mut self) {
        let mut commands = Vec::new();
        let mut ready = Vec::new();
        loop {
            self.wait(&mut commands, &mut ready);
            self.io.now = Instant::now();
            for command in commands.drain(..) {
                if matches!(command, Command::Stop) {
                    return;
                }
                self.command(command);
            }
            for event in ready.drain(..) {
                if event.token == WAKE {
                    self.io.handle.wake.consume();
                } else {
                    self.turn(event.token, |task, io| match task {
                        Task::Session(session) => session.ready(event, io),
                        Task::Listener(listener) => listener.ready(io),
                    });
                }
            }
            while let Some(id) = self.io.timers.take_expired(self.io.now) {
                self.turn(id, |task, io| match task {
                    Task::Session(session) => session.deadline(io),
                    Task::Listener(listener) => listener.deadline(io),
                });
            }
            for id in std::mem::take(&mut self.io.again) {
                self.turn(id, |task, io| match task {
                    Task::Session(session) => session.resume(io),
                    Task::Listener(listener) => listener.ready(io),
                });
            }
        }
    }

    fn wait(&mut self, commands: &mut Vec<Command>, ready: &mut Vec<Ready>) {
        let lively = self.lively > 0;
        if lively {
            // Whoever gave us work is likely to give us more: let it run, and look again before
            // it has to wake us.
            self.lively -= 1;
            give_way();
        }
        let busy = {
            let mut queue = lock(&self.io.handle.queue);
            let busy = !queue.commands.is_empty() || !self.io.again.is_empty() || lively;
            queue.asleep = !busy;
            busy
        };
        let timeout = if busy { Some(Duration::ZERO) } else { time_left(self.io.timers.next()) };
        if self.io.poll.wait(timeout, ready).is_err() {
            // The set and the buffer are ours, so the kernel has no memory: go on with what
            // needs no waiting, and try again soon instead of at once and for ever.
            std::thread::park_timeout(timeout.map_or(PAUSE, |timeout| timeout.min(PAUSE)));
        }
        let mut queue = lock(&self.io.handle.queue);
        queue.asleep = false;
        std::mem::swap(&mut queue.commands, commands);
        if !commands.is_empty() || !ready.is_empty() {
            self.lively = LIVELY;
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Open(session) => {
                let id = session.id();
                self.tasks.insert(id, Task::Session(session));
                self.session(id, Session::start);
            }
            Command::Listen(listener) => {
                let id = listener.id();
                self.tasks.insert(id, Task::Listener(listener));
                self.turn(id, |task, io| match task {
                    Task::Listener(listener) => listener.start(io),
                    Task::Session(_) => Next::Stay,
                });
            }
            Command::Pipe(id, signal) => {
                self.session(id, |session, io| session.signal(signal, io));
            }
            Command::Close(id) => self.session(id, Session::close),
            Command::Evict(id) => self.session(id, Session::evicted),
            Command::Answered(id) => self.session(id, Session::answered),
            Command::Vacated(id) => self.turn(id, |task, io| match task {
                Task::Listener(listener) => listener.vacated(io),
                Task::Session(_) => Next::Stay,
            }),
            Command::Resolved(name, resolved) => {
                for id in self.io.lookups.answered(&name) {
                    self.session(id, |session, io| session.resolved(&resolved, io));
                }
            }
            Command::Unlisten(id, done) => {
                if let Some(Task::Listener(listener)) = self.tasks.remove(&id) {
                    listener.stop(&mut self.io);
                }
                done.set();
            }
            Command::Stop => {}
        }
    }

    fn session(&mut self, id: u64, turn: impl FnOnce(&mut Session, &mut Io) -> Next) {
        self.turn(id, |task, io| match task {
            Task::Session(session) => turn(session, io),
            Task::Listener(_) => Next::Stay,
        });
    }

    fn turn(&mut self, id: u64, turn: impl FnOnce(&mut Task, &mut Io) -> Next) {
        let Some(task) = self.tasks.get_mut(&id) else {
            return;
        };
        if turn(task, &mut self.io) == Next::End {
            match self.tasks.remove(&id) {
                Some(Task::Session(session)) => session.finish(&mut self.io),
                Some(Task::Listener(listener)) => listener.stop(&mut self.io),
                None => {}
            }
        }
    }

    /// Lets go of everything when the thread ends.
    fn finish(mut self) {
        let commands = {
            let mut queue = lock(&self.io.handle.queue);
            queue.stopped = true;
            std::mem::take(&mut queue.commands)
        };
        for command in commands {
            if let Command::Unlisten(_, done) = command {
                done.set();
            }
        }
        for (_, task) in self.tasks.drain() {
            match task {
                Task::Session(session) => session.finish(&mut self.io),
                Task::Listener(listener) => listener.stop(&mut self.io),
            }
        }
    }
}
