//! One bound endpoint: accepts connections and opens a session for each. Binding itself is done
//! by the thread that asked for it, in `transport`.

use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::door::Door;
use super::next_id;
use super::session::{Session, SessionSetup};
use super::thread::{Command, Io, IoHandle, Next};
use crate::context::Live;
use crate::options::Options;
use crate::socket::core::SocketCore;
use crate::socket::incidents::Limit;
use crate::socket::monitor::{self, Happening};
use crate::sync::Arc;
use crate::sys::poll::Interest;
use crate::sys::socket;
use crate::transport::{self, Cleanup};

/// How long to leave waiting connections alone when the system cannot give us any.
const PAUSE: Duration = Duration::from_millis(100);

/// How many connections one turn accepts.
const TURN: usize = 64;

/// See the module's documentation.
pub(crate) struct Listener {
    id: u64,
    fd: OwnedFd,
    pub(crate) core: Arc<SocketCore>,
    pub(crate) options: Arc<Options>,
    pub(crate) endpoint: Arc<str>,
    /// The threads that serve what is accepted.
    pub(crate) threads: Vec<Arc<IoHandle>>,
    /// Removes the file of a local socket when the listener ends.
    pub(crate) cleanup: Option<Cleanup>,
    live: Live,
    door: Arc<Door>,
    /// The descriptor is in the thread's set.
    watched: bool,
    armed: Option<Instant>,
    /// An unfinished connection was sent away, and no call has succeeded since.
    made_room: bool,
}

impl Listener {
    #[expect(clippy::too_many_arguments, reason = "each is a thing of its own, given once")]
    pub(crate) fn new(
        id: u64,
        fd: OwnedFd,
        core: Arc<SocketCore>,
        options: Arc<Options>,
        endpoint: Arc<str>,
        threads: Vec<Arc<IoHandle>>,
        cleanup: Option<Cleanup>,
        live: Live,
    ) -> Self {
        let door = Door::new(options.limits);
        Self {
            id,
            fd,
            core,
            options,
            endpoint,
            threads,
            cleanup,
            live,
            door,
            watched: false,
            armed: None,
            made_room: false,
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn start(&mut self, io: &mut Io) -> Next {
        self.watch(io);
        Next::Stay
    }

    pub(super) fn ready(&mut self, io: &mut Io) -> Next {
        let mut failed = None;
        for _ in 0..TURN {
            match socket::accept(&self.fd) {
                Ok(fd) => {
                    failed = None;
                    self.made_room = false;
                    self.accepted(fd);
                }
                Err(Errno::AGAIN) => {
                    self.made_room = false;
                    return Next::Stay;
                }
                Err(error) => {
                    failed = Some(error);
                    if !concerns_one_connection(error) {
                        break;
                    }
                }
            }
        }
        match failed {
            // The kernel takes a descriptor before it looks whether somebody is there for it.
            Some(error) if is_shortage(error) && !socket::is_called(&self.fd) => {}
            Some(error) if is_shortage(error) && self.make_room(io) => self.pause(io),
            // No descriptor or no memory is left, or every connection fails: what waits stays
            // waiting, and we look again later instead of at once and for ever.
            Some(error) => {
                self.made_room = false;
                self.emit(monitor::ACCEPT_FAILED, error.raw_os_error());
                self.pause(io);
            }
            None => io.run_again(self.id),
        }
        Next::Stay
    }

    /// Sends an unfinished connection away, so that the system has what the next one takes. One is
    /// enough; where it was not, somebody else has taken it or the system lacks more than that, and
    /// to send them all away would help nobody.
    fn make_room(&mut self, io: &Io) -> bool {
        self.made_room = !self.made_room && self.door.give_way(self.id, &io.handle);
        if self.made_room {
            self.core.note_limit(Limit::System, 1, &self.endpoint);
        }
        self.made_room
    }

    /// What a connection had is given back, which is what we waited for.
    pub(super) fn vacated(&mut self, io: &mut Io) -> Next {
        io.set_deadline(self.id, &mut self.armed, None);
        self.deadline(io)
    }

    /// Waits for connections. Where the system does not let us, we look now and then: an
    /// endpoint that is bound is never given up.
    fn watch(&mut self, io: &mut Io) {
        if self.watched {
            return;
        }
        match io.poll.add(&self.fd, self.id, Interest::READ) {
            Ok(()) => self.watched = true,
            Err(error) => {
                self.emit(monitor::ACCEPT_FAILED, error.raw_os_error());
                self.pause(io);
            }
        }
    }

    fn pause(&mut self, io: &mut Io) {
        if std::mem::take(&mut self.watched) {
            let _ = io.poll.remove(&self.fd); // it was added, so it is there
        }
        io.set_deadline(self.id, &mut self.armed, Some(io.now + PAUSE));
    }

    pub(super) fn deadline(&mut self, io: &mut Io) -> Next {
        self.armed = None;
        self.watch(io);
        self.ready(io)
    }

    fn accepted(&self, fd: OwnedFd) {
        if let Err(error) = transport::admit(&fd, &self.options) {
            self.emit(monitor::ACCEPT_FAILED, error.raw_os_error());
            return;
        }
        let Some(handle) = self.threads.iter().min_by_key(|handle| handle.load()) else {
            return;
        };
        let id = next_id();
        let (seat, limit) = self.door.enter(id, handle, !self.core.is_raw());
        if let Some(limit) = limit {
            self.core.note_limit(limit, 1, &self.endpoint);
        }
        let Some(seat) = seat else {
            // As when the process has no descriptor left.
            self.emit(monitor::ACCEPT_FAILED, libc::EMFILE);
            return;
        };
        let endpoint = self.accepted_at(&fd);
        let value = fd.as_raw_fd();
        self.core.emit(&Happening { event: monitor::ACCEPTED, value, endpoint: &endpoint });
        let setup = SessionSetup {
            core: Arc::clone(&self.core),
            options: Arc::clone(&self.options),
            endpoint,
            handle: Arc::clone(handle),
            _live: self.live.clone(),
        };
        let session = Session::accepted(id, setup, fd, seat);
        if self.core.remember_session(session.id(), handle, Some(self.id)) {
            handle.send(Command::Open(Box::new(session)));
        }
    }

    /// The endpoint of a connection: behind a wildcard, the address that the peer has used.
    fn accepted_at(&self, fd: &OwnedFd) -> Arc<str> {
        match socket::local_ip(fd) {
            Some(address) => Arc::from(format!("tcp://{address}")),
            None => Arc::clone(&self.endpoint),
        }
    }

    /// Closes the descriptor, so that the endpoint is free.
    #[expect(clippy::boxed_local, reason = "it lives in a box, which goes with it")]
    pub(super) fn stop(mut self: Box<Self>, io: &mut Io) {
        io.set_deadline(self.id, &mut self.armed, None);
        let _ = io.poll.remove(&self.fd); // closing does the same
        let raw = self.fd.as_raw_fd();
        let Self { fd, core, endpoint, cleanup, .. } = *self;
        drop(cleanup);
        drop(fd);
        core.emit(&Happening { event: monitor::CLOSED, value: raw, endpoint: &endpoint });
    }

    fn emit(&self, event: u16, value: i32) {
        self.core.emit(&Happening { event, value, endpoint: &self.endpoint });
    }
}

/// Whether accepting failed since the process or the system has nothing left for a connection
/// (accept(2)).
fn is_shortage(error: Errno) -> bool {
    matches!(error, Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)
}

/// Whether accepting failed for one connection only, so that the next one may do: it was given
/// up before we took it, or its network reports an error (accept(2)).
fn concerns_one_connection(error: Errno) -> bool {
    matches!(
        error,
        Errno::INTR
            | Errno::CONNABORTED
            | Errno::PROTO
            | Errno::NOPROTOOPT
            | Errno::NETDOWN
            | Errno::NETUNREACH
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::NONET
            | Errno::OPNOTSUPP
            | Errno::PERM
    )
}
