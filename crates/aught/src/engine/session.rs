//! One connection that a socket accepted, or one endpoint that it connects to, over as many
//! connections as that takes. A session joins a pipe with a wire; while it has none it waits,
//! looks up names and connects. Bytes are `wire`'s, messages are the pattern's.
//!
//! ```text
//!  accepted:                                  Up ──lost──▶ end
//!  connecting:  Down ──▶ Resolving ──▶ Connecting ──▶ Up ──lost──▶ Down (after a while)
//!  by a proxy:      the same, with Asking before Up
//!  closing:     the same, until the pipe is empty or the linger time is over
//! ```

mod admission;
mod proxied;

use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::backoff::Backoff;
use super::door::Seat;
use super::thread::{Io, IoHandle, Next};
use super::wire::{Broken, Progress, Protocol, Reading, Wire};
use crate::context::Live;
use crate::message::{Kind, Part, Peer};
use crate::options::{Options, reconnect_stop};
use crate::pipe::{Marks, PipeEnd, PipeOptions, Signal, pipe};
use crate::socket::core::SocketCore;
use crate::socket::mailbox::Attachment;
use crate::socket::monitor::{self, Happening};
use crate::sync::Arc;
use crate::sys::poll::{Interest, Ready};
use crate::sys::socket;
use crate::transport::socks::Negotiation;
use crate::transport::{self, Resolved, Target};
use crate::zap::USER_ID;
use admission::Admission;

/// How long a connection goes unwatched when the kernel has no memory to watch it.
const UNWATCHED: Duration = Duration::from_millis(20);

/// How long a socket whose sends wait for peers does not hear that one has hung up.
const MOMENT: Duration = Duration::from_millis(2);

/// What every session is made from.
pub(crate) struct SessionSetup {
    pub(crate) core: Arc<SocketCore>,
    pub(crate) options: Arc<Options>,
    /// The endpoint as monitors name it.
    pub(crate) endpoint: Arc<str>,
    pub(crate) handle: Arc<IoHandle>,
    /// The context does not end while the session lives.
    pub(crate) _live: Live,
}

enum Role {
    Accepted,
    Connects { target: Target, backoff: Option<Backoff>, routing_id: Option<Vec<u8>> },
}

enum Link {
    Down,
    Resolving,
    Connecting {
        fd: OwnedFd,
        others: Vec<SocketAddr>,
    },
    /// The proxy is there, the peer behind it is not.
    Asking {
        fd: OwnedFd,
        negotiation: Box<Negotiation>,
        others: Vec<SocketAddr>,
    },
    Up(Box<Wire>),
}

/// See the module's documentation.
pub(crate) struct Session {
    id: u64,
    setup: SessionSetup,
    role: Role,
    /// Before the admission, whose seat is given back behind the descriptor.
    link: Link,
    pipe: Option<PipeEnd>,
    /// When the link's waiting is over: to try again, or to give up connecting.
    link_deadline: Option<Instant>,
    linger_deadline: Option<Instant>,
    /// The peer hung up, and the socket is told then.
    hung_up: Option<Instant>,
    /// The deadline that the thread knows of.
    armed: Option<Instant>,
    /// The socket has let go: end when everything is sent.
    closing: bool,
    /// Where the peer is with being let in.
    admission: Admission,
    /// Subscriptions in the pipe are from before the connection was lost; they all follow again
    /// behind a note.
    skip_until_restart: bool,
}

impl Session {
    /// A session for a connection that was accepted.
    pub(super) fn accepted(id: u64, setup: SessionSetup, fd: OwnedFd, seat: Seat) -> Self {
        let protocol = protocol(&setup, Instant::now());
        let wire = Wire::new(fd, protocol, reading(&setup.options));
        let mut session = Self::new(id, setup, Role::Accepted, Link::Up(Box::new(wire)), None);
        session.admission.sit(seat);
        session
    }

    /// A session that connects to `target`, with its end of the pipe unless the pipe is to be
    /// made only once the peer is there.
    pub(crate) fn connecting(
        id: u64,
        setup: SessionSetup,
        target: Target,
        pipe: Option<PipeEnd>,
        routing_id: Option<Vec<u8>>,
    ) -> Self {
        let options = &setup.options;
        // As with the reference, 0 means no reconnecting, like -1: never a busy loop.
        let backoff = options
            .reconnect_ivl
            .filter(|first| !first.is_zero())
            .map(|first| Backoff::new(first, options.reconnect_ivl_max));
        let role = Role::Connects { target, backoff, routing_id };
        Self::new(id, setup, role, Link::Down, pipe)
    }

    fn new(id: u64, setup: SessionSetup, role: Role, link: Link, pipe: Option<PipeEnd>) -> Self {
        setup.handle.add_load();
        Self {
            id,
            setup,
            role,
            link,
            pipe,
            link_deadline: None,
            linger_deadline: None,
            hung_up: None,
            armed: None,
            closing: false,
            admission: Admission::default(),
            skip_until_restart: false,
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn start(&mut self, io: &mut Io) -> Next {
        if self.setup.core.is_closed() {
            self.closing = true;
        }
        match &self.link {
            Link::Up(_) => {
                let next = self.link_is_up(io);
                self.after(next, io)
            }
            _ => {
                let next = self.attempt(io);
                if self.closing { self.close(io) } else { self.after(next, io) }
            }
        }
    }

    pub(super) fn ready(&mut self, event: Ready, io: &mut Io) -> Next {
        let next = match &mut self.link {
            Link::Connecting { .. } => self.connected(io),
            Link::Asking { .. } => self.asked(io),
            Link::Up(wire) => {
                if event.write || event.broken {
                    wire.unblock();
                }
                if event.broken && wire.paused {
                    // There may be bytes left to read, when the pipe has room again.
                    wire.unwatch(&io.poll);
                    Next::Stay
                } else {
                    self.progress(event.read || event.broken, io)
                }
            }
            Link::Down | Link::Resolving => Next::Stay,
        };
        self.after(next, io)
    }

    pub(super) fn resume(&mut self, io: &mut Io) -> Next {
        let next =
            if matches!(self.link, Link::Up(_)) { self.progress(true, io) } else { Next::Stay };
        self.after(next, io)
    }

    pub(super) fn signal(&mut self, signal: Signal, io: &mut Io) -> Next {
        match signal {
            // A pipe that went with its connection may still be heard of.
            Signal::Closed if self.pipe.as_ref().is_some_and(PipeEnd::is_closed) => self.close(io),
            Signal::Closed => Next::Stay,
            Signal::Writable => {
                if let Some(pipe) = &mut self.pipe {
                    pipe.refresh_room();
                }
                if let Link::Up(wire) = &mut self.link
                    && wire.paused
                {
                    wire.paused = false;
                    let next = self.progress(true, io);
                    return self.after(next, io);
                }
                Next::Stay
            }
            Signal::Readable | Signal::Hiccup => {
                let next =
                    if matches!(self.link, Link::Up(_)) { self.pump(io) } else { Next::Stay };
                self.after(next, io)
            }
        }
    }

    /// The socket lets go: send what is left within the linger time, then end.
    pub(super) fn close(&mut self, io: &mut Io) -> Next {
        if !self.closing || self.linger_deadline.is_none() {
            self.closing = true;
            match self.setup.core.linger() {
                Some(time) if time.is_zero() => return Next::End,
                Some(time) => self.linger_deadline = Some(io.now + time),
                None => {}
            }
        }
        if self.pipe.is_none() {
            return Next::End;
        }
        let is_up = matches!(self.link, Link::Up(_));
        if !is_up && self.is_disconnected() && self.stops_when(reconnect_stop::AFTER_DISCONNECT) {
            return Next::End;
        }
        if let Link::Up(wire) = &mut self.link {
            wire.discard = true;
            wire.paused = false;
        }
        let next = match &self.link {
            Link::Up(_) => self.progress(true, io),
            _ => Next::Stay,
        };
        self.after(next, io)
    }

    pub(super) fn deadline(&mut self, io: &mut Io) -> Next {
        self.armed = None;
        if self.hung_up.is_some_and(|at| at <= io.now) {
            let next = self.lost(&Broken::End, io);
            return self.after(next, io);
        }
        if self.linger_deadline.is_some_and(|at| at <= io.now) {
            return Next::End;
        }
        let due = self.link_deadline.is_some_and(|at| at <= io.now);
        let next = match &mut self.link {
            Link::Down if due => self.attempt(io),
            Link::Connecting { .. } | Link::Asking { .. } if due => {
                self.failed(libc::ETIMEDOUT, io)
            }
            Link::Up(wire) => match wire.handle_timeout(io.now) {
                Ok(()) => self.pump(io),
                Err(broken) => self.lost(&broken, io),
            },
            _ => Next::Stay,
        };
        self.after(next, io)
    }

    /// The name of the endpoint's host was looked up.
    pub(super) fn resolved(&mut self, found: &Resolved, io: &mut Io) -> Next {
        if !matches!(self.link, Link::Resolving) {
            return Next::Stay;
        }
        let port = match &self.role {
            Role::Connects { target, .. } => target.dialled().map_or(0, |tcp| tcp.port),
            Role::Accepted => 0,
        };
        let next = match found {
            Ok(addresses) => {
                let mut addresses = addresses.clone();
                addresses.iter_mut().for_each(|address| address.set_port(port));
                self.try_addresses(addresses, libc::EHOSTUNREACH, io)
            }
            Err(errno) => self.failed(*errno, io),
        };
        self.after(next, io)
    }

    /// Says goodbye: nothing is served after this.
    pub(super) fn finish(mut self: Box<Self>, io: &mut Io) {
        io.set_deadline(self.id, &mut self.armed, None);
        if let Link::Up(wire) = &self.link {
            self.setup.core.count_lingered(wire.outbox.messages());
        }
        self.drop_link(io);
        if let Some(mut pipe) = self.pipe.take() {
            pipe.rollback();
            self.setup.core.count_lingered(pipe.discard_unread());
            self.setup.core.count_unread(pipe.take_stranded());
        }
        self.setup.core.forget_session(self.id);
    }

    /// Every turn ends here: deadlines and interests follow what the turn changed.
    fn after(&mut self, next: Next, io: &mut Io) -> Next {
        if next == Next::End || self.is_done() {
            return Next::End;
        }
        if let Err(errno) = self.watch(io)
            && self.lost(&errno.into(), io) == Next::End
        {
            return Next::End;
        }
        let deadline = match &self.link {
            Link::Up(wire) => [wire.poll_timeout(), self.link_deadline].into_iter().flatten().min(),
            _ => self.link_deadline,
        };
        let deadline = [deadline, self.linger_deadline, self.hung_up].into_iter().flatten().min();
        // A deadline that moved away is found out when the old one comes.
        if self.armed.is_none() || deadline < self.armed {
            io.set_deadline(self.id, &mut self.armed, deadline);
        }
        Next::Stay
    }

    /// Lets the thread wait for what the link waits for. While the kernel has no memory for
    /// that, the connection stays, and its next deadline tries again.
    fn watch(&mut self, io: &mut Io) -> Result<(), Errno> {
        let Link::Up(wire) = &mut self.link else {
            return Ok(());
        };
        self.link_deadline = None;
        match wire.watch(&io.poll, self.id) {
            Err(Errno::NOMEM | Errno::NOSPC) => {
                wire.unwatch(&io.poll);
                self.link_deadline = Some(io.now + UNWATCHED);
                Ok(())
            }
            other => other,
        }
    }

    /// Whether the socket has let go of this endpoint, and lives on.
    fn is_disconnected(&self) -> bool {
        self.closing && !self.setup.core.is_closed()
    }

    /// Whether a session whose socket has let go has sent everything.
    fn is_done(&mut self) -> bool {
        if !self.closing {
            return false;
        }
        let Some(pipe) = &mut self.pipe else {
            return true;
        };
        // Only messages are worth waiting for: subscriptions mean nothing without their socket.
        while let Some(kind) = pipe.next_kind() {
            if kind == Kind::Data {
                return false;
            }
            drop(pipe.read_bare());
        }
        match &self.link {
            Link::Up(wire) => wire.outbox.is_empty(),
            _ => true,
        }
    }

    // ---- connecting ----

    fn attempt(&mut self, io: &mut Io) -> Next {
        self.link_deadline = None;
        let ipv6 = self.setup.options.ipv6;
        let Role::Connects { target, .. } = &self.role else {
            return Next::End;
        };
        match target {
            Target::Tcp(_) | Target::Socks(_) => match target.dialled() {
                Some(tcp) => match tcp.numeric() {
                    // As a name that has addresses of this kind only.
                    Some(address) if address.is_ipv6() && !ipv6 => {
                        self.failed(libc::EHOSTUNREACH, io)
                    }
                    Some(address) => self.try_addresses(vec![address], libc::EINVAL, io),
                    None => {
                        self.link = Link::Resolving;
                        io.lookups.ask(tcp, ipv6, &self.setup.handle, self.id);
                        Next::Stay
                    }
                },
                None => self.failed(libc::EINVAL, io),
            },
            Target::Local(name) => match transport::ipc::connect(name) {
                Ok(fd) => self.open(fd, io),
                Err(failed) => {
                    self.emit_closed(&failed);
                    self.failed(failed.errno.raw_os_error(), io)
                }
            },
        }
    }

    fn try_addresses(&mut self, mut left: Vec<SocketAddr>, mut errno: i32, io: &mut Io) -> Next {
        while !left.is_empty() {
            let address = left.remove(0);
            let Role::Connects { target, .. } = &self.role else {
                return Next::End;
            };
            let Some(tcp) = target.dialled() else {
                return Next::End;
            };
            match transport::tcp::connect(&address, tcp, &self.setup.options) {
                Ok((fd, true)) => return self.connection_is_there(fd, left, io),
                Ok((fd, false)) => {
                    if io.poll.add(&fd, self.id, Interest::WRITE).is_err() {
                        return self.failed(libc::ENOMEM, io);
                    }
                    self.emit(monitor::CONNECT_DELAYED, libc::EINPROGRESS);
                    self.link_deadline = self.setup.options.connect_timeout.map(|t| io.now + t);
                    self.link = Link::Connecting { fd, others: left };
                    return Next::Stay;
                }
                Err(failed) => {
                    self.emit_closed(&failed);
                    errno = failed.errno.raw_os_error();
                }
            }
        }
        self.failed(errno, io)
    }

    fn connected(&mut self, io: &mut Io) -> Next {
        let Link::Connecting { fd, others } = std::mem::replace(&mut self.link, Link::Down) else {
            return Next::Stay;
        };
        self.link_deadline = None;
        let _ = io.poll.remove(&fd); // it is added again for reading, or closed
        match socket::take_error(&fd) {
            Ok(()) => self.connection_is_there(fd, others, io),
            Err(error) => {
                let raw = fd.as_raw_fd();
                drop(fd);
                self.emit(monitor::CLOSED, raw);
                self.try_addresses(others, error.raw_os_error(), io)
            }
        }
    }

    fn open(&mut self, fd: OwnedFd, io: &mut Io) -> Next {
        self.emit(monitor::CONNECTED, fd.as_raw_fd());
        let protocol = protocol(&self.setup, io.now);
        let mut wire = Wire::new(fd, protocol, reading(&self.setup.options));
        wire.discard = self.closing;
        self.link = Link::Up(Box::new(wire));
        self.link_is_up(io)
    }

    /// The connection could not be made.
    fn failed(&mut self, errno: i32, io: &mut Io) -> Next {
        if let Link::Connecting { fd, .. } | Link::Asking { fd, .. } =
            std::mem::replace(&mut self.link, Link::Down)
        {
            self.emit(monitor::CLOSED, fd.as_raw_fd());
        }
        if errno == libc::ECONNREFUSED && self.stops_when(reconnect_stop::REFUSED) {
            return self.give_up();
        }
        self.retry_later(io)
    }

    /// Whether the application wants no more attempts in this case (`ZMQ_RECONNECT_STOP`).
    fn stops_when(&self, case: i32) -> bool {
        self.setup.options.reconnect_stop & case != 0
    }

    /// There will be no more attempts: the socket forgets the endpoint.
    fn give_up(&mut self) -> Next {
        self.setup.core.session_gives_up(self.id);
        self.lose_pipe();
        Next::End
    }

    fn retry_later(&mut self, io: &mut Io) -> Next {
        self.link = Link::Down;
        self.link_deadline = None;
        if self.is_disconnected() && self.stops_when(reconnect_stop::AFTER_DISCONNECT) {
            return Next::End;
        }
        let Role::Connects { backoff, .. } = &mut self.role else {
            return Next::End;
        };
        if let Some(backoff) = backoff {
            let wait = backoff.next();
            self.link_deadline = Some(io.now + wait);
            let millis = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
            self.emit(monitor::CONNECT_RETRIED, millis);
        }
        Next::Stay
    }

    // ---- connected ----

    /// The connection is there: greet, or go on at once when there is no protocol.
    fn link_is_up(&mut self, io: &mut Io) -> Next {
        let Link::Up(wire) = &self.link else {
            return Next::Stay;
        };
        if wire.is_ready() && !self.established(io) {
            return self.lost(&admission::MADE_ROOM, io);
        }
        self.progress(false, io)
    }

    /// Reads if there may be something, then writes what there is.
    fn progress(&mut self, readable: bool, io: &mut Io) -> Next {
        let mut more = readable;
        while more {
            let Link::Up(wire) = &mut self.link else {
                return Next::Stay;
            };
            let told = wire.read(&mut self.pipe, &mut io.scratch, io.now);
            self.note_memory();
            match told {
                Ok(Progress::Ready) => {
                    if !self.established(io) {
                        return self.lost(&admission::MADE_ROOM, io);
                    }
                }
                Ok(Progress::Idle) => more = false,
                Ok(Progress::Authenticate) => match self.authenticate() {
                    Some(decision) => {
                        if let Some(next) = self.decide(decision, io) {
                            return next;
                        }
                    }
                    None => {
                        self.note_memory();
                        more = false;
                    }
                },
                Ok(Progress::More) => {
                    io.run_again(self.id);
                    more = false;
                }
                Err(Broken::End) if self.tells_later(io) => return Next::Stay,
                Err(broken) => {
                    // The end of what the peer says need not be the end of what it hears, but
                    // ZMTP has no half-closed connections.
                    return self.lost(&broken, io);
                }
            }
        }
        self.pump(io)
    }

    /// Whether the socket is not to hear yet that the peer has hung up. Where a send waits without
    /// a peer, programs for the reference rely on its taking a while to notice: they send once
    /// more right after their only peer has closed its socket (pyzmq's example "woodhouse" does),
    /// and would wait for ever.
    fn tells_later(&mut self, io: &mut Io) -> bool {
        if !self.setup.core.waits_for_peers()
            || self.closing
            || !matches!(self.role, Role::Accepted)
        {
            return false;
        }
        let Link::Up(wire) = &mut self.link else { return false };
        if !wire.is_ready() {
            return false;
        }
        wire.paused = true;
        wire.unwatch(&io.poll);
        *self.hung_up.get_or_insert(io.now + MOMENT) > io.now
    }

    /// The handshake is done: the peer is a peer from here on. False if its connection had to
    /// make room for others in the meantime.
    fn established(&mut self, io: &mut Io) -> bool {
        let Link::Up(wire) = &self.link else { return true };
        if !self.admission.finish() {
            return false;
        }
        let peer = Arc::new(describe(wire, self.admission.granted()));
        let raw = matches!(wire.protocol, Protocol::Raw);
        let fd = wire.fd.as_raw_fd();
        if let Role::Connects { backoff: Some(backoff), .. } = &mut self.role {
            backoff.reset();
        }
        match &mut self.pipe {
            Some(pipe) => {
                pipe.write(Part::peer_change(peer));
                pipe.flush();
            }
            None => self.make_pipe(peer),
        }
        if !raw {
            self.emit(monitor::HANDSHAKE_SUCCEEDED, 0);
        }
        let _ = (fd, io);
        true
    }

    fn make_pipe(&mut self, peer: Arc<Peer>) {
        let (mut theirs, ours) = pipe(pipe_options(&self.setup.options, &self.setup.core));
        ours.set_owner(Arc::clone(&self.setup.handle) as _, self.id);
        theirs.set_peer(Some(peer));
        self.pipe = Some(ours);
        let (locally_initiated, routing_id) = match &mut self.role {
            Role::Accepted => (false, None),
            Role::Connects { routing_id, .. } => (true, routing_id.clone()),
        };
        self.setup.core.attach_from_outside(Attachment {
            end: theirs,
            locally_initiated,
            routing_id,
        });
    }

    /// Moves messages from the pipe to the wire until one has no more or the other is full.
    fn pump(&mut self, io: &mut Io) -> Next {
        let Link::Up(wire) = &mut self.link else {
            return Next::Stay;
        };
        for _ in 0..16 {
            wire.enqueue_control();
            if wire.is_ready()
                && !wire.is_blocked()
                && let Some(pipe) = &mut self.pipe
            {
                fill(wire, pipe, &mut self.skip_until_restart);
            }
            if wire.outbox.is_empty() || wire.is_blocked() {
                wire.outbox.shrink();
                return Next::Stay;
            }
            if wire.write().is_err() {
                return self.write_failed(io);
            }
        }
        io.run_again(self.id);
        Next::Stay
    }

    /// The peer is gone for what we write; what it wrote before may still be there to read, and
    /// reading tells when that is over.
    fn write_failed(&mut self, io: &mut Io) -> Next {
        let Link::Up(wire) = &mut self.link else {
            return Next::Stay;
        };
        self.setup.core.count_lost(wire.outbox.messages());
        wire.stop_writing();
        // If only we cannot write, the peer does not know that this is the end.
        if let Err(errno) = socket::abandon(&wire.fd) {
            return self.lost(&errno.into(), io);
        }
        if wire.paused {
            wire.unwatch(&io.poll);
        } else {
            io.run_again(self.id);
        }
        Next::Stay
    }

    /// The connection is gone. Accepted ones end, others are made again.
    fn lost(&mut self, broken: &Broken, io: &mut Io) -> Next {
        let was_ready = matches!(&self.link, Link::Up(wire) if wire.is_ready());
        if let Link::Up(wire) = &mut self.link {
            wire.say_why();
        }
        self.report(broken, was_ready);
        if let Link::Up(wire) = &self.link {
            self.setup.core.count_lost(wire.outbox.messages());
        }
        self.drop_link(io);
        if let Some(pipe) = &mut self.pipe {
            pipe.rollback();
        }
        if matches!(self.role, Role::Accepted) {
            self.lose_pipe();
            return Next::End;
        }
        if was_ready {
            self.pipe_outlives_link();
        } else if self.stops_when(reconnect_stop::HANDSHAKE_FAILED) {
            return self.give_up();
        }
        self.retry_later(io)
    }

    /// Decides what becomes of the pipe of a connection that was lost.
    fn pipe_outlives_link(&mut self) {
        let options = &self.setup.options;
        let kind = self.setup.core.kind();
        if options.immediate || self.setup.core.is_raw() {
            // A peer that is not there is no peer: the pipe goes, and a new one comes.
            self.lose_pipe();
        } else if let Some(pipe) = &mut self.pipe {
            self.skip_until_restart =
                matches!(kind, zmtp::SocketType::Sub | zmtp::SocketType::Xsub);
            pipe.hiccup();
        }
    }

    /// The pipe goes with its connection, and with what was to be sent over that.
    fn lose_pipe(&mut self) {
        if let Some(mut pipe) = self.pipe.take() {
            self.setup.core.count_lost(pipe.discard_unread());
            self.setup.core.count_unread(pipe.take_stranded());
        }
    }

    fn drop_link(&mut self, io: &mut Io) {
        self.close_link(io);
        // Behind the descriptor: whoever takes the place may need that, too.
        self.forget_admission();
    }

    fn close_link(&mut self, io: &mut Io) {
        let fd = match std::mem::replace(&mut self.link, Link::Down) {
            Link::Up(wire) => {
                self.setup.core.count_unread(wire.unwanted);
                wire.fd
            }
            Link::Connecting { fd, .. } | Link::Asking { fd, .. } => fd,
            Link::Down | Link::Resolving => return,
        };
        let _ = io.poll.remove(&fd); // closing does the same
        if self.closing {
            socket::finish(fd.as_fd());
        }
    }

    fn report(&self, broken: &Broken, was_ready: bool) {
        let Link::Up(wire) = &self.link else { return };
        let fd = wire.fd.as_raw_fd();
        if was_ready {
            if let Broken::Protocol(error) = broken
                && let Some(code) = error.sealed_traffic_failure()
            {
                self.emit(monitor::HANDSHAKE_FAILED_PROTOCOL, code.cast_signed());
            }
            self.emit(monitor::DISCONNECTED, fd);
            return;
        }
        match broken {
            Broken::Protocol(error) => match error.handshake_failure() {
                zmtp::HandshakeFailure::NoDetail => {
                    self.emit(monitor::HANDSHAKE_FAILED_NO_DETAIL, libc::EAGAIN);
                }
                zmtp::HandshakeFailure::Protocol(code) => {
                    self.emit(monitor::HANDSHAKE_FAILED_PROTOCOL, code.cast_signed());
                }
                zmtp::HandshakeFailure::Auth(code) => {
                    self.emit(monitor::HANDSHAKE_FAILED_AUTH, code.cast_signed());
                }
                _ => {} // the connection just ends
            },
            Broken::End => self.emit(monitor::HANDSHAKE_FAILED_NO_DETAIL, libc::EPIPE),
            Broken::Os(errno) => self.emit(monitor::HANDSHAKE_FAILED_NO_DETAIL, *errno),
        }
        self.emit(monitor::DISCONNECTED, fd);
    }

    fn emit_closed(&self, failed: &transport::Failed) {
        if let Some(descriptor) = failed.descriptor {
            self.emit(monitor::CLOSED, descriptor);
        }
    }

    fn emit(&self, event: u16, value: i32) {
        self.setup.core.emit(&Happening { event, value, endpoint: &self.setup.endpoint });
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.setup.handle.remove_load();
    }
}

/// Takes messages out of the pipe until the outbox is full.
fn fill(wire: &mut Wire, pipe: &mut PipeEnd, skip_until_restart: &mut bool) {
    let mut unfinished = false;
    while unfinished || !wire.outbox.is_full() {
        let Some(part) = pipe.read_bare() else { return };
        unfinished = part.more();
        match part.kind() {
            Kind::Restart => *skip_until_restart = false,
            Kind::Subscribe | Kind::Cancel if *skip_until_restart => {}
            _ => wire.enqueue(part),
        }
    }
}

/// How a pipe between a socket and a session is made, seen from the socket.
pub(crate) fn pipe_options(options: &Options, core: &SocketCore) -> PipeOptions {
    let conflate = options.conflate && core.can_conflate();
    PipeOptions {
        forth: Marks { writer: Some(options.sndhwm), reader: None },
        back: Marks { writer: None, reader: Some(options.rcvhwm) },
        conflate: (conflate, conflate),
    }
}

/// How a socket with these options reads.
fn reading(options: &Options) -> Reading {
    Reading { little: (1..=100).contains(&options.rcvhwm), shares: options.zero_copy }
}

fn protocol(setup: &SessionSetup, now: Instant) -> Protocol {
    if setup.core.is_raw() {
        return Protocol::Raw;
    }
    let options = &setup.options;
    let config = zmtp::Config {
        socket_type: setup.core.kind(),
        routing_id: options.routing_id.clone(),
        mechanism: options.security.mechanism(),
        authenticate: Session::is_guarded(setup),
        metadata: options.metadata.clone(),
        max_message_size: options.max_frame_size(),
        handshake_timeout: options.handshake_ivl,
        heartbeat_interval: options.heartbeat_ivl,
        heartbeat_ttl: options.heartbeat_ttl,
        heartbeat_timeout: options.heartbeat_timeout,
        ..zmtp::Config::new(setup.core.kind())
    };
    Protocol::Zmtp(Box::new(zmtp::Connection::new(config, now)))
}

/// What is known of the peer, for whoever receives its messages. What we see ourselves comes
/// first, then what whoever let it in has `granted`, then what it says itself: of two properties
/// of one name, the first one counts. Who it is to the application is not the peer's to say.
fn describe(wire: &Wire, granted: &[(String, Vec<u8>)]) -> Peer {
    let known = match &wire.protocol {
        Protocol::Raw => None,
        Protocol::Zmtp(connection) => connection.peer(),
    };
    let mut peer = match known {
        Some(known) => Peer::new(known.routing_id.clone(), known.socket_type),
        None => Peer::default(),
    };
    if let Some((_, address)) = admission::address(wire) {
        peer = peer.with_property("Peer-Address", address.as_bytes());
    }
    for (name, value) in granted {
        peer = peer.with_property(name, value);
    }
    for (name, value) in known.iter().flat_map(|known| &known.properties) {
        if !name.eq_ignore_ascii_case(USER_ID.as_bytes()) {
            peer = peer.with_property(name, value);
        }
    }
    peer.with_descriptor(wire.fd.as_raw_fd())
}
