//! Binding, connecting and undoing both. Binding is done by the calling thread, so that its
//! errors are the call's; everything after that is the engine's.

use std::io::Write;

use rustix::io::Errno;

use super::core::{SocketCore, State};
use super::mailbox::Attachment;
use super::monitor::{self, Happening};
use crate::endpoint::{Endpoint, IpcAddress};
use crate::engine::{
    Command, Done, IoHandle, Listener, Session, SessionSetup, next_id, pipe_options,
};
use crate::error::Error;
use crate::message::Part;
use crate::options::{Asks, Options, Security, Unauthenticated};
use crate::pipe::{Marks, PipeEnd, PipeId, PipeOptions, pipe};
use crate::sync::{Arc, lock};
use crate::sys::socket::{self, Reach};
use crate::transport::inproc::Waiting;
use crate::transport::ipc::{self, LocalTarget};
use crate::transport::resolve;
use crate::transport::socks::SocksTarget;
use crate::transport::tcp::{self, TcpTarget};
use crate::transport::{Cleanup, Failed, Target};
use crate::zap::Exchange;

/// One thing that a socket is bound or connected to.
enum Entry {
    Listener { id: u64, handle: Arc<IoHandle> },
    Session { id: u64, handle: Arc<IoHandle>, pipe: Option<PipeId> },
    InprocBound,
    InprocConnected { pipe: PipeId },
}

struct Known {
    /// As the application wrote it to connect, or as binding turned out: wildcards, interfaces
    /// and short forms have become addresses.
    name: String,
    entry: Entry,
}

impl Known {
    fn inproc_target(&self) -> Option<String> {
        match Endpoint::parse_connect(&self.name) {
            Ok(Endpoint::Inproc(name)) => Some(name),
            _ => None,
        }
    }
}

/// What a socket is bound and connected to.
#[derive(Default)]
pub(crate) struct Endpoints {
    known: Vec<Known>,
    last: String,
}

impl Endpoints {
    /// `ZMQ_LAST_ENDPOINT`.
    pub(crate) fn last(&self) -> &str {
        &self.last
    }

    /// Forgets an in-process connection whose pipe is gone.
    pub(crate) fn forget_pipe(&mut self, id: PipeId) {
        self.known
            .retain(|known| !matches!(known.entry, Entry::InprocConnected { pipe } if pipe == id));
    }

    /// Forgets connections whose sessions have given up.
    fn forget_sessions(&mut self, gone: &[u64]) {
        if !gone.is_empty() {
            self.known.retain(
                |known| !matches!(known.entry, Entry::Session { id, .. } if gone.contains(&id)),
            );
        }
    }

    /// Closes all listening descriptors, and returns when that is done.
    pub(crate) fn stop_listening(self) {
        for known in self.known {
            if let Entry::Listener { id, handle } = known.entry {
                unlisten(id, &handle);
            }
        }
    }

    /// The in-process names that the socket is connected to.
    pub(crate) fn inproc_targets(&self) -> Vec<String> {
        self.known
            .iter()
            .filter(|known| matches!(known.entry, Entry::InprocConnected { .. }))
            .filter_map(Known::inproc_target)
            .collect()
    }

    fn add(&mut self, name: String, entry: Entry) {
        self.last.clone_from(&name);
        self.known.push(Known { name, entry });
    }

    /// What `endpoint` may be another spelling of: an address with the port of one that is known.
    fn spelt_otherwise(&self, endpoint: &str) -> Option<TcpTarget> {
        let Ok(Endpoint::Tcp { source: None, host, port }) = Endpoint::parse_connect(endpoint)
        else {
            return None;
        };
        let end = format!(":{port}");
        let known = self.known.iter().any(|known| known.name.ends_with(&end));
        known.then_some(TcpTarget { host, port, source: None })
    }
}

fn unlisten(id: u64, handle: &IoHandle) {
    let done = Arc::new(Done::default());
    handle.send(Command::Unlisten(id, Arc::clone(&done)));
    done.wait();
}

/// What was bound, before a listener is made of it.
struct Bound {
    fd: std::os::fd::OwnedFd,
    actual: String,
    cleanup: Option<Cleanup>,
}

impl SocketCore {
    /// Accepts connections at `endpoint` from now on: zmq_bind(3).
    pub(crate) fn bind(&self, endpoint: &str) -> Result<(), Error> {
        let mut state = self.enter()?;
        self.look_if_pending(&mut state);
        let result = self.bind_entered(endpoint, &mut state);
        self.leave(state);
        result
    }

    fn bind_entered(&self, endpoint: &str, state: &mut State) -> Result<(), Error> {
        match Endpoint::parse_bind(endpoint)? {
            Endpoint::Inproc(name) => self.bind_inproc(endpoint, &name, state),
            Endpoint::Tcp { host, port, .. } => {
                let address = tcp::local_address(&host, port, state.options.ipv6)
                    .inspect_err(|error| self.bind_failed(endpoint, error.errno()))?;
                self.check_policy(endpoint, Reach::Ip(address), &state.options)?;
                let bound = tcp::bind(address, &state.options).map(|(fd, address)| Bound {
                    fd,
                    actual: format!("tcp://{address}"),
                    cleanup: None,
                });
                // As with the reference, there is no endpoint yet that could have closed.
                let bound = self.bound(endpoint, "", bound)?;
                self.listen(bound, state)
            }
            Endpoint::Ipc(address) => {
                self.check_policy(endpoint, Reach::Machine, &state.options)?;
                let bound = self.bound(endpoint, endpoint, bind_local(&address, &state.options))?;
                self.listen(bound, state)
            }
        }
    }

    /// What the context wants to become of a listening socket that more than this machine can reach, where
    /// whoever comes is let in (`AUGHT_UNAUTHENTICATED`).
    fn check_policy(&self, endpoint: &str, reach: Reach, options: &Options) -> Result<(), Error> {
        // What listens already has an address of its own, whatever the endpoint says.
        let reach = socket::reach_of_given(options.use_fd).unwrap_or(reach);
        if reach.is_local() || self.is_authenticated(&options.security) {
            return Ok(());
        }
        match self.context.options().unauthenticated {
            Unauthenticated::Refuse => {
                self.note_unauthenticated(libc::EACCES, endpoint);
                self.bind_failed(endpoint, libc::EACCES);
                return Err(Error::Unauthenticated);
            }
            Unauthenticated::Warn => {
                let kind = self.kind().name();
                // Nobody may be there to read it.
                let _ = writeln!(
                    std::io::stderr(),
                    "aught: warning: a {kind} socket is bound to {endpoint} without authentication"
                );
            }
            Unauthenticated::Allow => {}
        }
        self.note_unauthenticated(0, endpoint);
        Ok(())
    }

    /// Whether a peer has to show anything, or somebody is asked, before it is let in.
    fn is_authenticated(&self, security: &Security) -> bool {
        if self.is_raw() || security.lacks_key() {
            return false;
        }
        if security.needs_keys() || self.authenticator().is_some() && security.decides() {
            return true;
        }
        match security.asks() {
            Asks::Always => security.decides(),
            Asks::IfThere => Exchange::has_handler(&self.context),
            Asks::Nobody => false,
        }
    }

    fn bound(
        &self,
        endpoint: &str,
        closed: &str,
        bound: Result<Bound, Failed>,
    ) -> Result<Bound, Error> {
        bound.map_err(|Failed { errno, descriptor }| {
            if let Some(value) = descriptor {
                self.emit(&Happening { event: monitor::CLOSED, value, endpoint: closed });
            }
            self.bind_failed(endpoint, errno.raw_os_error());
            match errno {
                Errno::ADDRINUSE => Error::AddressInUse,
                other => other.into(),
            }
        })
    }

    /// Tells monitors, which know the endpoint of this event without its transport.
    fn bind_failed(&self, endpoint: &str, value: i32) {
        let endpoint = endpoint.split_once("://").map_or(endpoint, |(_, address)| address);
        self.emit(&Happening { event: monitor::BIND_FAILED, value, endpoint });
    }

    fn listen(&self, bound: Bound, state: &mut State) -> Result<(), Error> {
        let handle = self.context.thread(state.options.affinity)?;
        let threads = self.context.threads(state.options.affinity)?;
        let core = self.arc().ok_or(Error::Closed)?;
        let id = next_id();
        let value = std::os::fd::AsRawFd::as_raw_fd(&bound.fd);
        let listener = Listener::new(
            id,
            bound.fd,
            core,
            Arc::new(state.options.clone()),
            Arc::from(bound.actual.as_str()),
            threads,
            bound.cleanup,
            self.context.live(),
        );
        self.emit(&Happening { event: monitor::LISTENING, value, endpoint: &bound.actual });
        handle.send(Command::Listen(Box::new(listener)));
        state.endpoints.add(bound.actual, Entry::Listener { id, handle });
        Ok(())
    }

    fn bind_inproc(&self, given: &str, name: &str, state: &mut State) -> Result<(), Error> {
        let me = self.arc().ok_or(Error::Closed)?;
        let waiting = lock(&self.context.names).bind(name, &me).ok_or(Error::AddressInUse)?;
        state.endpoints.add(given.to_owned(), Entry::InprocBound);
        let peer = self.public().peer;
        for Waiting { mut end, peer: theirs } in waiting {
            end.join_marks(state.options.sndhwm, state.options.rcvhwm);
            end.set_peer(Some(theirs));
            end.write(Part::peer_change(Arc::clone(&peer)));
            end.flush();
            self.attach(attachment(end, false, None), state);
        }
        self.reap(state);
        Ok(())
    }

    /// Connects to `endpoint`, now or as soon as somebody is there: zmq_connect(3).
    pub(crate) fn connect(&self, endpoint: &str) -> Result<(), Error> {
        let mut state = self.enter()?;
        self.look_if_pending(&mut state);
        state.endpoints.forget_sessions(&self.take_given_up());
        let result = self.connect_entered(endpoint, &mut state);
        self.leave(state);
        result
    }

    fn connect_entered(&self, endpoint: &str, state: &mut State) -> Result<(), Error> {
        match Endpoint::parse_connect(endpoint)? {
            Endpoint::Inproc(name) => self.connect_inproc(endpoint, &name, state),
            Endpoint::Tcp { source, host, port } => {
                let source = match source {
                    Some((host, port)) => {
                        Some(tcp::local_address(&host, port, state.options.ipv6)?)
                    }
                    None => None,
                };
                let target = TcpTarget { host, port, source };
                let target = match state.options.socks_proxy.as_slice() {
                    [] => Target::Tcp(target),
                    _ => Target::Socks(Box::new(SocksTarget::new(&target, &state.options)?)),
                };
                self.connect_through_engine(endpoint, target, state)
            }
            Endpoint::Ipc(address) => {
                let target = Target::Local(local_target(&address)?);
                self.connect_through_engine(endpoint, target, state)
            }
        }
    }

    fn connect_through_engine(
        &self,
        endpoint: &str,
        target: Target,
        state: &mut State,
    ) -> Result<(), Error> {
        if crate::pattern::connects_once(self.kind())
            && state
                .endpoints
                .known
                .iter()
                .any(|known| known.name == endpoint && matches!(known.entry, Entry::Session { .. }))
        {
            // A second connection would bring everything twice.
            return Ok(());
        }
        let handle = self.context.thread(state.options.affinity)?;
        let core = self.arc().ok_or(Error::Closed)?;
        let routing_id = state.options.connect_routing_id.take();
        let id = next_id();
        let options = Arc::new(state.options.clone());
        let mut ours = None;
        let mut pipe_id = None;
        if !options.immediate {
            let (theirs, session_end) = pipe(pipe_options(&options, self));
            session_end.set_owner(Arc::clone(&handle) as _, id);
            ours = Some(session_end);
            pipe_id = self.attach(attachment(theirs, true, routing_id.clone()), state);
        }
        // Monitors are told where connections are made to: that is the proxy.
        let proxied = matches!(target, Target::Socks(_));
        let connected = match proxied {
            true => Arc::from(format!("tcp://{}", String::from_utf8_lossy(&options.socks_proxy))),
            false => Arc::from(endpoint),
        };
        let setup = SessionSetup {
            core,
            options,
            endpoint: connected,
            handle: Arc::clone(&handle),
            _live: self.context.live(),
        };
        self.remember_session(id, &handle, None);
        let session = Session::connecting(id, setup, target, ours, routing_id);
        handle.send(Command::Open(Box::new(session)));
        let entry = Entry::Session { id, handle, pipe: pipe_id };
        state.endpoints.add(endpoint.to_owned(), entry);
        self.reap(state);
        Ok(())
    }

    fn connect_inproc(&self, given: &str, name: &str, state: &mut State) -> Result<(), Error> {
        let routing_id = state.options.connect_routing_id.take();
        let mine = Marks { writer: Some(state.options.sndhwm), reader: None };
        let theirs = Marks { writer: None, reader: Some(state.options.rcvhwm) };
        let conflate = state.options.conflate && self.can_conflate();
        let (mut near, mut far) =
            pipe(PipeOptions { forth: mine, back: theirs, conflate: (conflate, conflate) });
        let peer = self.public().peer;
        let mut names = lock(&self.context.names);
        match names.find(name) {
            Some(binder) => {
                drop(names);
                let other = binder.public();
                near.set_peer(Some(other.peer));
                far.set_peer(Some(peer));
                far.join_marks(other.sndhwm, other.rcvhwm);
                let pipe = self.attach(attachment(near, true, routing_id), state);
                if let Some(pipe) = pipe {
                    let entry = Entry::InprocConnected { pipe };
                    state.endpoints.add(given.to_owned(), entry);
                }
                if binder.id == self.id {
                    self.attach(attachment(far, false, None), state);
                } else {
                    binder.attach_from_outside(attachment(far, false, None));
                }
            }
            None => {
                names.wait(name, Waiting { end: far, peer });
                drop(names);
                if let Some(pipe) = self.attach(attachment(near, true, routing_id), state) {
                    let entry = Entry::InprocConnected { pipe };
                    state.endpoints.add(given.to_owned(), entry);
                }
            }
        }
        self.reap(state);
        Ok(())
    }

    /// Undoes `bind` or `connect`: zmq_unbind(3), zmq_disconnect(3). A listening port is free
    /// when this returns. As with the reference, an address may be spelt in any way, or be the
    /// first that a name has: what is not known as it is written is looked up.
    pub(crate) fn let_go(&self, endpoint: &str) -> Result<(), Error> {
        let Some((target, ipv6)) = self.let_go_if_known(endpoint)? else { return Ok(()) };
        // Whoever looks up a name waits, and does not hold the lock meanwhile.
        let address = resolve::first(&target, ipv6).ok_or(Error::NoSuchEndpoint)?;
        match self.let_go_if_known(&format!("tcp://{address}"))? {
            None => Ok(()),
            Some(_) => Err(Error::NoSuchEndpoint),
        }
    }

    /// Lets go of an endpoint that is known by this name, or says what it may be otherwise, and
    /// whether IPv6 is on.
    fn let_go_if_known(&self, endpoint: &str) -> Result<Option<(TcpTarget, bool)>, Error> {
        let mut state = self.enter()?;
        self.look_if_pending(&mut state);
        state.endpoints.forget_sessions(&self.take_given_up());
        if let Err(error) = Endpoint::parse_any(endpoint) {
            self.leave(state);
            return Err(error);
        }
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut state.endpoints.known)
            .into_iter()
            .partition(|known| known.name == endpoint);
        state.endpoints.known = kept;
        let other = state.endpoints.spelt_otherwise(endpoint).filter(|_| gone.is_empty());
        let result = match other {
            None if gone.is_empty() => Err(Error::NoSuchEndpoint),
            other => Ok(other.map(|target| (target, state.options.ipv6))),
        };
        for known in gone {
            self.let_go_of(known, &mut state);
        }
        self.reap(&mut state);
        self.leave(state);
        result
    }

    fn let_go_of(&self, known: Known, state: &mut State) {
        let target = known.inproc_target();
        match known.entry {
            Entry::Listener { id, handle } => {
                unlisten(id, &handle);
                self.close_sessions_of(id);
            }
            Entry::Session { id, handle, pipe } => {
                if let Some(pipe) = pipe {
                    self.forget_pipe(pipe, state);
                }
                handle.send(Command::Close(id));
            }
            Entry::InprocBound => {
                if let Ok(Endpoint::Inproc(name)) = Endpoint::parse_bind(&known.name) {
                    lock(&self.context.names).unbind(&name, self.id);
                }
            }
            Entry::InprocConnected { pipe } => {
                self.forget_pipe(pipe, state);
                lock(&self.context.names).tidy(target.as_slice());
            }
        }
    }
}

fn attachment(end: PipeEnd, locally_initiated: bool, routing_id: Option<Vec<u8>>) -> Attachment {
    Attachment { end, locally_initiated, routing_id }
}

fn bind_local(address: &IpcAddress, options: &Options) -> Result<Bound, Failed> {
    match address {
        IpcAddress::Wildcard => {
            let (path, directory) = ipc::wildcard()?;
            let actual = format!("ipc://{}", path.display());
            let bound = ipc::bind(&LocalTarget::Path(path), options);
            let (fd, cleanup) = bound.inspect_err(|_| ipc::abandon(&directory))?;
            let cleanup = cleanup.map(|cleanup| cleanup.with_directory(directory));
            Ok(Bound { fd, actual, cleanup })
        }
        IpcAddress::Path(path) => {
            let actual = format!("ipc://{}", path.display());
            let (fd, cleanup) = ipc::bind(&LocalTarget::Path(path.clone()), options)?;
            Ok(Bound { fd, actual, cleanup })
        }
        IpcAddress::Abstract(name) => {
            let actual = format!("ipc://@{name}");
            let (fd, cleanup) =
                ipc::bind(&LocalTarget::Abstract(name.as_bytes().to_vec()), options)?;
            Ok(Bound { fd, actual, cleanup })
        }
    }
}

fn local_target(address: &IpcAddress) -> Result<LocalTarget, Error> {
    match address {
        IpcAddress::Wildcard => Err(Error::Invalid("a wildcard names nothing to connect to")),
        IpcAddress::Path(path) => Ok(LocalTarget::Path(path.clone())),
        IpcAddress::Abstract(name) => Ok(LocalTarget::Abstract(name.as_bytes().to_vec())),
    }
}
