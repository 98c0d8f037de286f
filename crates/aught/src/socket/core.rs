//! The heart of a socket: its pattern and pipes behind one lock, the mailbox that other threads
//! use, and how calls wait. Sending and receiving are in `transfer`, endpoints in `endpoints`,
//! options in `options`.

use std::os::fd::{AsFd, RawFd};
use std::time::{Duration, Instant};

use super::biased::{Biased, Held};
use super::drops::Tally;
use super::incidents::Incidents;
use super::mailbox::{Attachment, Event, Mailbox};
use super::monitor::{Happening, Monitor};
use super::patience::Patience;
use crate::context::{ContextInner, Live};
use crate::engine::{Command, IoHandle};
use crate::error::Error;
use crate::message::{Arena, Peer};
use crate::options::Options;
use crate::pattern::{Attach, Pattern, new_pattern};
use crate::pipe::{Owner, PipeEnd, PipeId, Pipes, Signal};
use crate::sync::{Arc, AtomicBool, AtomicU64, Mutex, Ordering, Weak, after_unlock, fence, lock};
use crate::sys::poll::{time_left, wait_readable};
use crate::sys::thread::gather;
use crate::zap::{Authenticator, Decision, Gate};

/// How often a stream of sends looks at the mailbox. A sender that never waits sees returned
/// room only this often, as with the reference: programs that send until `EAGAIN` count on it.
const SEND_LOOK: Duration = Duration::from_millis(1);

/// After so many sends a sender looks at the clock: asking it costs as much as half a send.
const SENDS_PER_CLOCK: u32 = 16;

/// Whoever has waited so often in a row without sending takes from a stream.
const EAGER: u32 = 8;

/// A function that gives memory back may be called in the middle of a call.
const IN_CALL: Error = Error::Invalid("this thread is in the middle of a call on this socket");

/// What the lock of a socket protects.
pub(crate) struct State {
    pub(crate) pattern: Box<dyn Pattern>,
    pub(crate) pipes: Pipes,
    pub(crate) options: Options,
    pub(crate) endpoints: super::endpoints::Endpoints,
    /// The last part that was received has more behind it.
    pub(crate) more_in: bool,
    /// The last part that was sent has more behind it.
    pub(crate) more_out: bool,
    last_look: Option<Instant>,
    /// Sends until the next look at the clock.
    clock_in: u32,
    /// How often the mailbox was emptied into the pattern, by whichever thread.
    rounds: u64,
    /// Where the bodies of small messages are put that are sent from a buffer.
    pub(crate) arena: Arena,
    /// Kept for its memory.
    events: Vec<Event>,
    /// How often in a row a call had to wait and was served while it stayed awake, with nothing
    /// sent in between.
    quick_waits: u32,
}

/// A socket, as the engine and the interfaces see it.
pub(crate) struct SocketCore {
    pub(crate) id: u64,
    pub(crate) context: Arc<ContextInner>,
    kind: zmtp::SocketType,
    me: Weak<Self>,
    pub(crate) mailbox: Mailbox,
    state: Biased<State>,
    patience: Patience,
    closed: AtomicBool,
    raw: AtomicBool,
    /// The linger time in milliseconds; `u64::MAX` means for ever.
    linger: AtomicU64,
    /// Sessions, so that those without a pipe hear of the end, too. `None` after the end.
    sessions: Mutex<Option<Vec<KnownSession>>>,
    /// Sessions that ended though nobody has let go of them.
    given_up: Mutex<Vec<u64>>,
    /// What sockets that connect over inproc have to know, without this socket's lock.
    public: Mutex<Public>,
    pub(crate) monitor: Monitor,
    pub(crate) gate: Gate,
    /// What was dropped since the socket was made.
    pub(crate) tally: Tally,
    /// What the policy and the limits have done.
    pub(crate) incidents: Incidents,
    internal: bool,
    live: Mutex<Option<Live>>,
}

/// A session of this socket.
struct KnownSession {
    id: u64,
    handle: Arc<IoHandle>,
    /// The listener that accepted it.
    listener: Option<u64>,
}

/// See [`SocketCore::public`].
#[derive(Clone)]
pub(crate) struct Public {
    pub(crate) peer: Arc<Peer>,
    pub(crate) sndhwm: u32,
    pub(crate) rcvhwm: u32,
}

impl Public {
    fn of(kind: zmtp::SocketType, options: &Options) -> Self {
        Self {
            peer: Arc::new(Peer::new(options.routing_id.clone(), Some(kind))),
            sndhwm: options.sndhwm,
            rcvhwm: options.rcvhwm,
        }
    }
}

/// A socket's lock, held.
pub(crate) type Guard<'a> = Held<'a, State>;

impl SocketCore {
    pub(crate) fn new(
        context: &Arc<ContextInner>,
        kind: zmtp::SocketType,
    ) -> Result<Arc<Self>, Error> {
        let Some(pattern) = new_pattern(kind) else {
            return Err(Error::Invalid("this socket type is not built in"));
        };
        context.admit_socket()?;
        let socket = Self::build(context, kind, pattern, false);
        context.register(socket.id, &socket);
        Ok(socket)
    }

    /// A socket for the library's own use, which does not count as one of the application's.
    pub(crate) fn internal(
        context: &Arc<ContextInner>,
        kind: zmtp::SocketType,
    ) -> Result<Arc<Self>, Error> {
        let Some(pattern) = new_pattern(kind) else {
            return Err(Error::Invalid("this socket type is not built in"));
        };
        Ok(Self::build(context, kind, pattern, true))
    }

    fn build(
        context: &Arc<ContextInner>,
        kind: zmtp::SocketType,
        pattern: Box<dyn Pattern>,
        internal: bool,
    ) -> Arc<Self> {
        let mut options = Options::new(kind);
        context.options().apply_to(&mut options);
        Arc::new_cyclic(|me| Self {
            id: crate::engine::next_id(),
            context: Arc::clone(context),
            kind,
            me: Weak::clone(me),
            mailbox: Mailbox::default(),
            linger: AtomicU64::new(linger_millis(options.linger)),
            public: Mutex::new(Public::of(kind, &options)),
            state: Biased::new(State {
                pattern,
                pipes: Pipes::default(),
                options,
                endpoints: super::endpoints::Endpoints::default(),
                more_in: false,
                more_out: false,
                last_look: None,
                clock_in: 0,
                rounds: 0,
                arena: Arena::default(),
                events: Vec::new(),
                quick_waits: 0,
            }),
            patience: Patience::default(),
            closed: AtomicBool::new(false),
            raw: AtomicBool::new(kind == zmtp::SocketType::Stream),
            sessions: Mutex::new(Some(Vec::new())),
            given_up: Mutex::default(),
            monitor: Monitor::default(),
            gate: Gate::default(),
            tally: Tally::default(),
            incidents: Incidents::default(),
            internal,
            live: Mutex::new(Some(context.live())),
        })
    }

    pub(crate) fn kind(&self) -> zmtp::SocketType {
        self.kind
    }

    /// Whether the socket is the library's own, such as the sending end of a monitor.
    pub(crate) fn is_internal(&self) -> bool {
        self.internal
    }

    /// Whether the socket speaks without the protocol (STREAM, ROUTER_RAW).
    pub(crate) fn is_raw(&self) -> bool {
        self.raw.load(Ordering::Relaxed)
    }

    pub(crate) fn set_raw(&self, raw: bool) {
        self.raw.store(raw, Ordering::Relaxed);
    }

    /// Whether `ZMQ_CONFLATE` means something to this type (zmq_setsockopt(3)).
    pub(crate) fn can_conflate(&self) -> bool {
        crate::pattern::can_conflate(self.kind)
    }

    /// Whether sends wait while there is no peer, and go to peers in turn.
    pub(crate) fn waits_for_peers(&self) -> bool {
        crate::pattern::waits_for_peers(self.kind)
    }

    /// Whether the socket can be the handler that RFC 27 speaks of.
    pub(crate) fn takes_requests(&self) -> bool {
        crate::pattern::takes_requests(self.kind) && !self.is_closed()
    }

    /// Who decides within the process about the peers of this socket, if somebody does.
    pub(crate) fn authenticator(&self) -> Option<Arc<dyn Authenticator>> {
        self.gate.get().or_else(|| self.context.gate.get())
    }

    /// Takes note of what was decided about a peer.
    pub(crate) fn count_decision(&self, decision: &Decision) {
        self.gate.count(decision);
        self.context.gate.count(decision);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// How long to go on sending after the end; `None` means for ever.
    pub(crate) fn linger(&self) -> Option<Duration> {
        match self.linger.load(Ordering::Relaxed) {
            u64::MAX => None,
            millis => Some(Duration::from_millis(millis)),
        }
    }

    pub(crate) fn set_linger(&self, linger: Option<Duration>) {
        self.linger.store(linger_millis(linger), Ordering::Relaxed);
    }

    /// What sockets that connect over inproc have to know of this one.
    pub(crate) fn public(&self) -> Public {
        lock(&self.public).clone()
    }

    /// Takes note that options changed which others see.
    pub(crate) fn publish(&self, options: &Options) {
        *lock(&self.public) = Public::of(self.kind, options);
    }

    pub(crate) fn arc(&self) -> Option<Arc<Self>> {
        self.me.upgrade()
    }

    // ---- calls ----

    /// Begins a call: takes the lock if the socket can still be used.
    #[inline]
    pub(crate) fn enter(&self) -> Result<Guard<'_>, Error> {
        self.context.check()?;
        let state = self.state.lock().ok_or(IN_CALL)?;
        if self.is_closed() {
            return Err(Error::Closed);
        }
        Ok(state)
    }

    /// Ends a call: gives the lock back, and serves what others could not while it was held.
    #[inline]
    pub(crate) fn leave(&self, mut state: Guard<'_>) {
        if state.pipes.has_drained() {
            self.reap(&mut state);
        }
        drop(state);
        after_unlock();
        if self.mailbox.is_urgent() {
            self.serve();
        }
    }

    /// Takes in what is in the mailbox.
    pub(crate) fn look(&self, state: &mut State) {
        let mut events = std::mem::take(&mut state.events);
        self.mailbox.take(&mut events, true);
        self.handle(&mut events, state);
        state.events = events;
    }

    /// Takes in what is in the mailbox, if there is anything.
    #[inline]
    pub(crate) fn look_if_pending(&self, state: &mut State) {
        if self.mailbox.is_pending() {
            self.look(state);
        }
    }

    /// Takes in what is in the mailbox, if there is anything and the last look is a while ago.
    #[inline]
    pub(crate) fn look_now_and_then(&self, state: &mut State) {
        if self.mailbox.is_pending() {
            if state.clock_in > 0 {
                state.clock_in -= 1;
            } else {
                self.look_if_due(state);
            }
        }
    }

    /// Something is sent: whoever waits afterwards waits for an answer.
    #[inline]
    pub(crate) fn speaks(state: &mut State) {
        state.quick_waits = 0;
    }

    /// Takes in what is in the mailbox if the last look is a while ago. Says whether it did.
    #[inline(never)]
    pub(crate) fn look_if_due(&self, state: &mut State) -> bool {
        state.clock_in = SENDS_PER_CLOCK;
        let now = Instant::now();
        let due = state.last_look.is_none_or(|last| now - last >= SEND_LOOK);
        if due {
            state.last_look = Some(now);
            self.look(state);
        }
        due
    }

    /// Waits until something happens to the socket, with the lock given back meanwhile.
    pub(crate) fn wait<'a>(
        &'a self,
        state: Guard<'a>,
        deadline: Option<Instant>,
    ) -> Result<Guard<'a>, Error> {
        let wake = self.mailbox.wake()?;
        let state = match self.patience.worth_trying() {
            true => match self.wait_awake(state, deadline)? {
                (state, true) => return Ok(state),
                (state, false) => state,
            },
            false => state,
        };
        if !self.mailbox.arm() {
            let mut state = state;
            self.look(&mut state);
            return Ok(state);
        }
        self.leave(state);
        let woken = self.check_open().map(|()| wait_readable(wake.as_fd(), time_left(deadline)));
        self.mailbox.disarm();
        let woken = woken?;
        let mut state = self.enter()?;
        self.look_if_pending(&mut state);
        let error = match woken {
            Ok(true) => return Ok(state),
            Ok(false) if deadline.is_none_or(|deadline| deadline > Instant::now()) => {
                return Ok(state);
            }
            Ok(false) => Error::WouldBlock,
            Err(rustix::io::Errno::INTR) => Error::Interrupted,
            Err(other) => other.into(),
        };
        self.leave(state);
        Err(error)
    }

    /// Whether calls may still wait. To be asked after arming: whoever ends the socket later
    /// than that wakes those who wait.
    fn check_open(&self) -> Result<(), Error> {
        self.context.check()?;
        if self.is_closed() { Err(Error::Closed) } else { Ok(()) }
    }

    /// Prepares to wait for the socket's descriptor; [`Mailbox::disarm`] has to follow. False
    /// if there is something to look at instead.
    pub(crate) fn arm(&self) -> Result<bool, Error> {
        self.mailbox.wake()?;
        if !self.mailbox.arm() {
            return Ok(false);
        }
        self.check_open().inspect_err(|_| self.mailbox.disarm())?;
        Ok(true)
    }

    /// Waits a moment without sleeping, which costs less than to be woken if something happens
    /// soon. Says whether something did.
    fn wait_awake<'a>(
        &'a self,
        mut state: Guard<'a>,
        deadline: Option<Instant>,
    ) -> Result<(Guard<'a>, bool), Error> {
        let rounds = state.rounds;
        state.quick_waits = state.quick_waits.saturating_add(1);
        let gathers = state.quick_waits > EAGER;
        self.leave(state);
        let came = self.patience.watch(deadline, || {
            self.mailbox.is_pending() || self.context.check().is_err() || self.is_closed()
        });
        if came && gathers {
            gather();
        }
        state = self.enter()?;
        if !came {
            state.quick_waits = 0;
        }
        if came {
            self.look(&mut state);
        }
        // Others may have emptied the mailbox behind our back.
        let came = came || state.rounds != rounds;
        Ok((state, came))
    }

    /// Wakes whoever waits, since the socket or its context ends.
    pub(crate) fn interrupt(&self) {
        self.mailbox.interrupt();
    }

    // ---- events ----

    /// Serves the mailbox on behalf of an application that is not in a call.
    pub(crate) fn serve(&self) {
        while self.mailbox.is_urgent() {
            let Some(mut state) = self.state.try_lock() else {
                return;
            };
            let mut events = std::mem::take(&mut state.events);
            self.mailbox.take(&mut events, false);
            self.handle(&mut events, &mut state);
            state.events = events;
            self.reap(&mut state);
            drop(state);
            // Pairs with the fence in `leave`: whoever failed to lock has said so before.
            fence(Ordering::SeqCst);
        }
    }

    fn post(&self, event: Event) {
        if self.mailbox.post(event) {
            fence(Ordering::SeqCst);
            self.serve();
        }
    }

    /// Gives the socket a pipe, from any thread.
    pub(crate) fn attach_from_outside(&self, attachment: Attachment) {
        self.post(Event::Attach(Box::new(attachment)));
    }

    fn handle(&self, events: &mut Vec<Event>, state: &mut State) {
        state.rounds += 1;
        for event in events.drain(..) {
            match event {
                Event::Attach(attachment) => {
                    self.attach(*attachment, state);
                }
                Event::Pipe(id, signal) => self.pipe_signal(id, signal, state),
            }
        }
        self.reap(state);
    }

    /// Takes a pipe in.
    pub(crate) fn attach(&self, attachment: Attachment, state: &mut State) -> Option<PipeId> {
        if self.is_closed() {
            return None;
        }
        let Attachment { mut end, locally_initiated, routing_id } = attachment;
        // The marks may have been changed since the pipe was made.
        end.set_marks(state.options.sndhwm, state.options.rcvhwm);
        let id = state.pipes.insert(end);
        let me = self.arc()?;
        if let Some(end) = state.pipes.get(id) {
            end.set_owner(me, id.token());
        }
        let how = Attach { locally_initiated, routing_id: routing_id.as_deref() };
        state.pattern.attach(id, how, &mut state.pipes);
        if state.pipes.get(id).is_some_and(PipeEnd::is_closed) {
            self.pipe_signal(id, Signal::Closed, state);
        }
        Some(id)
    }

    fn pipe_signal(&self, id: PipeId, signal: Signal, state: &mut State) {
        let State { pattern, pipes, .. } = state;
        let Some(end) = pipes.get_mut(id) else { return };
        match signal {
            Signal::Readable => pattern.readable(id, pipes),
            Signal::Writable => {
                end.refresh_room();
                pattern.writable(id, pipes);
            }
            Signal::Hiccup => {
                end.can_read(); // takes in notes about peers, so that they do not pile up
                pattern.hiccup(id, pipes);
            }
            Signal::Closed => {
                let wanted = pattern.closing(id, pipes);
                if !wanted || !pipes.can_read(id) {
                    self.forget_pipe(id, state);
                }
            }
        }
    }

    pub(crate) fn forget_pipe(&self, id: PipeId, state: &mut State) {
        state.pattern.detach(id, &mut state.pipes);
        state.endpoints.forget_pipe(id);
        if let Some(end) = state.pipes.remove(id) {
            self.drop_pipe(end);
        }
    }

    /// Forgets pipes that have nothing more to give, and those that the pattern turned away.
    pub(crate) fn reap(&self, state: &mut State) {
        for id in state.pipes.take_drained() {
            self.forget_pipe(id, state);
        }
        for id in state.pattern.take_rejected() {
            self.forget_pipe(id, state);
        }
    }

    // ---- sessions ----

    /// Notes a session, so that it hears of the socket's end. False after the end.
    pub(crate) fn remember_session(
        &self,
        id: u64,
        handle: &Arc<IoHandle>,
        listener: Option<u64>,
    ) -> bool {
        match &mut *lock(&self.sessions) {
            Some(sessions) => {
                sessions.push(KnownSession { id, handle: Arc::clone(handle), listener });
                true
            }
            None => false,
        }
    }

    pub(crate) fn forget_session(&self, id: u64) {
        if let Some(sessions) = &mut *lock(&self.sessions)
            && let Some(at) = sessions.iter().position(|known| known.id == id)
        {
            sessions.swap_remove(at);
        }
    }

    /// Takes note that a session tries no more: its endpoint is none of the socket's any more.
    pub(crate) fn session_gives_up(&self, id: u64) {
        lock(&self.given_up).push(id);
    }

    /// Takes the sessions that have given up.
    pub(crate) fn take_given_up(&self) -> Vec<u64> {
        std::mem::take(&mut *lock(&self.given_up))
    }

    /// Ends what a listener has accepted.
    pub(crate) fn close_sessions_of(&self, listener: u64) {
        for known in lock(&self.sessions).iter().flatten() {
            if known.listener == Some(listener) {
                known.handle.send(Command::Close(known.id));
            }
        }
    }

    pub(crate) fn emit(&self, happening: &Happening<'_>) {
        self.monitor.emit(happening);
    }

    /// The descriptor for `ZMQ_FD`.
    pub(crate) fn descriptor(&self) -> Result<RawFd, Error> {
        let state = self.enter()?;
        let descriptor = self.descriptor_within(&state);
        self.leave(state);
        descriptor
    }

    pub(crate) fn descriptor_within(&self, state: &State) -> Result<RawFd, Error> {
        let has_peers = state.pipes.ids().next().is_some();
        Ok(self.mailbox.export(has_peers)?.raw())
    }

    // ---- the end ----

    /// Closes the socket. What was sent goes on being sent for the linger time.
    pub(crate) fn close(&self) -> Result<(), Error> {
        self.context.check_process()?;
        if self.closed.swap(true, Ordering::SeqCst) {
            return Err(Error::Closed);
        }
        self.interrupt(); // calls of other threads end now
        let Some(mut state) = self.state.lock() else {
            self.closed.store(false, Ordering::SeqCst);
            return Err(IN_CALL);
        };
        let endpoints = std::mem::take(&mut state.endpoints);
        self.collect_drops(&mut state);
        let ids: Vec<_> = state.pipes.ids().collect();
        let ends: Vec<_> = ids.into_iter().filter_map(|id| state.pipes.remove(id)).collect();
        drop(state);
        lock(&self.context.names).forget_socket(self.id);
        let targets = endpoints.inproc_targets();
        ends.into_iter().for_each(|end| self.drop_pipe(end));
        // Before the listeners, which take a while: what becomes of the connections from here on
        // is no news to a monitor.
        let sessions = lock(&self.sessions).take();
        for known in sessions.iter().flatten() {
            known.handle.send(Command::Close(known.id));
        }
        endpoints.stop_listening();
        lock(&self.context.names).tidy(&targets);
        // Pipes that were on their way in are turned away.
        // The wake-up stays: other threads that wait on the socket have to see the end, too.
        let mut late = Vec::new();
        self.mailbox.take(&mut late, false);
        drop(late);
        self.monitor.stop();
        self.context.unregister(self.id);
        drop(lock(&self.live).take());
        Ok(())
    }
}

impl Owner for SocketCore {
    fn signal(&self, token: u64, signal: Signal) {
        self.post(Event::Pipe(PipeId::from_token(token), signal));
    }
}

impl std::fmt::Debug for SocketCore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").field("type", &self.kind.name()).field("id", &self.id).finish()
    }
}

fn linger_millis(linger: Option<Duration>) -> u64 {
    linger.map_or(u64::MAX, |time| {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX - 1).min(u64::MAX - 1)
    })
}
