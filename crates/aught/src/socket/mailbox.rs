//! What other threads tell a socket, and how they wake whoever waits on it. Pipes' signals and
//! new pipes are queued here; `core` takes them in. One descriptor per socket, made when it is
//! first needed, wakes blocked calls, pollers and the users of `ZMQ_FD`.

use crate::error::Error;
use crate::pipe::{PipeEnd, PipeId, Signal};
use crate::sync::{AtomicBool, Mutex, OnceLock, Ordering, lock};
use crate::sys::wake::Wake;

/// A pipe that is to join the socket.
pub(crate) struct Attachment {
    pub(crate) end: PipeEnd,
    pub(crate) locally_initiated: bool,
    pub(crate) routing_id: Option<Vec<u8>>,
}

/// What another thread has to tell.
pub(crate) enum Event {
    Attach(Box<Attachment>),
    Pipe(PipeId, Signal),
}

impl Event {
    /// Whether the event changes who the socket's peers are. Such events are taken in by
    /// whoever brings them when the socket is idle: an application that does not call keeps
    /// no dead peers.
    fn is_urgent(&self) -> bool {
        matches!(self, Self::Attach(_) | Self::Pipe(_, Signal::Closed | Signal::Hiccup))
    }
}

struct Queue {
    events: Vec<Event>,
    /// How many calls sleep, or are about to: while there are any, each event makes the
    /// descriptor readable.
    waiting: usize,
    /// The descriptor is readable.
    signalled: bool,
    /// The application has the descriptor, and counts as waiting for ever.
    exported: bool,
    /// Something was told since a call of the application took events in.
    is_news: bool,
    /// No call of the application has taken events in yet.
    is_fresh: bool,
    /// The socket or its context ends: the descriptor stays readable.
    ended: bool,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            waiting: 0,
            signalled: false,
            exported: false,
            is_news: false,
            is_fresh: true,
            ended: false,
        }
    }
}

impl Queue {
    fn has_listeners(&self) -> bool {
        self.waiting > 0 || self.exported
    }
}

/// The events that wait for a socket.
#[derive(Default)]
pub(crate) struct Mailbox {
    queue: Mutex<Queue>,
    /// There are events. Only a hint, for a look without the lock.
    pending: AtomicBool,
    urgent: AtomicBool,
    /// The descriptor is readable. Only a hint, as well.
    lit: AtomicBool,
    wake: OnceLock<Wake>,
}

impl Mailbox {
    /// Queues an event. True if the socket should be served by the caller if nobody else does.
    pub(crate) fn post(&self, event: Event) -> bool {
        let urgent = event.is_urgent();
        let mut queue = lock(&self.queue);
        queue.events.push(event);
        queue.is_news = true;
        self.pending.store(true, Ordering::Release);
        if urgent {
            self.urgent.store(true, Ordering::SeqCst);
        }
        self.ring(&mut queue);
        urgent
    }

    /// Wakes whoever waits now or later: the socket or its context ends.
    pub(crate) fn interrupt(&self) {
        let mut queue = lock(&self.queue);
        queue.ended = true;
        self.signal(&mut queue);
    }

    fn ring(&self, queue: &mut Queue) {
        if queue.has_listeners() {
            self.signal(queue);
        }
    }

    fn signal(&self, queue: &mut Queue) {
        if !queue.signalled
            && let Some(wake) = self.wake.get()
        {
            queue.signalled = true;
            self.lit.store(true, Ordering::Release);
            wake.signal();
        }
    }

    /// Whether there are events.
    #[inline]
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Acquire)
    }

    /// Whether there are events that anybody may take in.
    #[inline]
    pub(crate) fn is_urgent(&self) -> bool {
        self.urgent.load(Ordering::SeqCst)
    }

    /// Takes the events. `by_owner` says that a call of the application does it, which also
    /// consumes the edge of the descriptor.
    pub(crate) fn take(&self, into: &mut Vec<Event>, by_owner: bool) {
        let mut queue = lock(&self.queue);
        std::mem::swap(&mut queue.events, into);
        self.pending.store(false, Ordering::Release);
        self.urgent.store(false, Ordering::SeqCst);
        if by_owner {
            queue.is_news = false;
            queue.is_fresh = false;
            self.consume(&mut queue);
        }
    }

    /// Makes the descriptor unreadable, unless somebody sleeps: everybody who sleeps has to
    /// wake up and look for himself, and the last one to do so puts out the light.
    fn consume(&self, queue: &mut Queue) {
        if queue.signalled && queue.waiting == 0 && !queue.ended {
            queue.signalled = false;
            self.lit.store(false, Ordering::Release);
            if let Some(wake) = self.wake.get() {
                wake.consume();
            }
        }
    }

    /// Says that a call of the application has found nothing to do, all events being taken in. They
    /// may have been taken in by others, who leave the descriptor readable: who watches it, and
    /// asks by trying, has had the answer.
    #[inline]
    pub(crate) fn settle(&self) {
        if self.lit.load(Ordering::Acquire) {
            let mut queue = lock(&self.queue);
            if queue.events.is_empty() {
                self.consume(&mut queue);
            }
        }
    }

    /// Says that a call which had said so with [`Mailbox::arm`] does not wait any more.
    pub(crate) fn disarm(&self) {
        let mut queue = lock(&self.queue);
        queue.waiting = queue.waiting.saturating_sub(1);
        if queue.events.is_empty() {
            self.consume(&mut queue);
        }
    }

    /// Says that a call is about to wait for the descriptor; [`Mailbox::disarm`] has to follow.
    /// False if there are events, so that there is nothing to wait for and nothing to undo.
    pub(crate) fn arm(&self) -> bool {
        let mut queue = lock(&self.queue);
        if !queue.events.is_empty() {
            return false;
        }
        queue.waiting += 1;
        true
    }

    /// The descriptor, made at the first call.
    pub(crate) fn wake(&self) -> Result<&Wake, Error> {
        if let Some(wake) = self.wake.get() {
            return Ok(wake);
        }
        let _ = self.wake.set(Wake::new()?); // another thread may have been faster
        self.wake.get().ok_or(Error::Closed)
    }

    /// The descriptor for the application to watch (`ZMQ_FD`). `has_peers` is the
    /// socket's word: what the application has not heard of yet is told from the start.
    pub(crate) fn export(&self, has_peers: bool) -> Result<&Wake, Error> {
        let wake = self.wake()?;
        let mut queue = lock(&self.queue);
        if !queue.exported {
            queue.exported = true;
            if queue.is_news || queue.is_fresh && has_peers {
                self.ring(&mut queue);
            }
        }
        Ok(wake)
    }
}
