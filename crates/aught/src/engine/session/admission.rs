//! The step of a handshake at which somebody decides whether a peer is let in: who is asked, and
//! what each answer does to the connection. It is the same for all mechanisms and for whoever
//! decides.

use std::net::IpAddr;

use zmtp::zap::Request;

use super::{Link, Session};
use crate::engine::door::Seat;
use crate::engine::thread::{Command, Io, IoHandle, Next};
use crate::engine::wire::{Broken, Protocol, Wire};
use crate::pipe::{Owner, Signal};
use crate::socket::incidents::Limit;
use crate::socket::monitor;
use crate::sync::Arc;
use crate::sys::socket;
use crate::zap::authenticator::{self, AuthRequest, Credentials};
use crate::zap::{Decision, Exchange, Properties};

/// Where a session is with letting its peer in.
#[derive(Debug, Default)]
pub(super) struct Admission {
    /// The handler was asked and has not answered.
    exchange: Option<Exchange>,
    /// What was said of the peer that was let in.
    granted: Properties,
    /// The place of an accepted connection among those of its endpoint.
    seat: Option<Seat>,
    /// What the seat was last told that the connection holds, in bytes.
    held: usize,
}

/// Why a connection ends that had to make room for others.
pub(super) const MADE_ROOM: Broken = Broken::Os(libc::ECONNABORTED);

impl Admission {
    /// Takes the place that the door has given.
    pub(super) fn sit(&mut self, seat: Seat) {
        self.seat = Some(seat);
    }

    /// The handshake is finished. False if the connection had to make room for others before.
    pub(super) fn finish(&mut self) -> bool {
        self.seat.as_mut().is_none_or(Seat::finish)
    }

    /// What was asked and granted is over; the connection is not.
    fn settle(&mut self) {
        self.exchange = None;
        self.granted = Properties::default();
    }

    /// What whoever decided has said of the peer.
    pub(super) fn granted(&self) -> &[(String, Vec<u8>)] {
        &self.granted
    }
}

/// Hears of the handler's reply and tells the session.
struct Ear(Arc<IoHandle>);

impl Owner for Ear {
    fn signal(&self, token: u64, signal: Signal) {
        // A handler that goes without an answer is as one that stays silent: the handshake's
        // timer decides.
        if signal == Signal::Readable {
            self.0.send(Command::Answered(token));
        }
    }
}

/// The peer's address, as handlers are told it and messages carry it. Over `ipc` it is, as with
/// the reference, the user, group and process on the other side.
pub(super) fn address(wire: &Wire) -> Option<(Option<IpAddr>, String)> {
    if let Some(address) = socket::peer_ip(&wire.fd) {
        return Some((Some(address.ip()), address.ip().to_string()));
    }
    let (process, user, group) = socket::peer_credentials(&wire.fd).ok()?;
    Some((None, format!("localhost:{user}:{group}:{process}")))
}

impl Session {
    /// Whether somebody is to be asked about the peers of connections made now.
    pub(super) fn is_guarded(setup: &super::SessionSetup) -> bool {
        let security = &setup.options.security;
        security.decides()
            && (security.asks() != crate::options::Asks::Nobody
                || setup.core.authenticator().is_some())
    }

    /// The peer has shown its credentials: finds out whether it is let in. `None` while whoever
    /// was asked has not answered.
    pub(super) fn authenticate(&mut self) -> Option<Decision> {
        let Link::Up(wire) = &self.link else { return None };
        let Protocol::Zmtp(connection) = &wire.protocol else { return None };
        let credentials = connection.credentials()?;
        let security = &self.setup.options.security;
        let core = &self.setup.core;
        let (ip, address) = address(wire).unwrap_or_default();
        if let Some(authenticator) = core.authenticator() {
            let credentials = shown(credentials)?;
            let request = AuthRequest { credentials, address: ip, domain: security.domain() };
            return Some(authenticator::ask(&*authenticator, &request, core.kind()));
        }
        let asks = security.asks();
        if asks == crate::options::Asks::Nobody {
            return Some(Decision::without_handler(asks));
        }
        let request = Request {
            domain: security.domain(),
            address: &address,
            routing_id: &self.setup.options.routing_id,
            credentials,
        };
        let ear = Arc::new(Ear(Arc::clone(&self.setup.handle)));
        match Exchange::start(&core.context, &request, ear, self.id) {
            Some(mut exchange) => {
                let reply = exchange.poll();
                self.admission.exchange = reply.is_none().then_some(exchange);
                reply.map(|reply| Decision::of(reply, core.kind()))
            }
            None => Some(Decision::without_handler(asks)),
        }
    }

    /// The handler may have answered.
    pub(in crate::engine) fn answered(&mut self, io: &mut Io) -> Next {
        let Some(reply) = self.admission.exchange.as_mut().and_then(Exchange::poll) else {
            return Next::Stay;
        };
        let decision = Decision::of(reply, self.setup.core.kind());
        let next = match self.decide(decision, io) {
            Some(next) => next,
            None => self.progress(true, io),
        };
        self.after(next, io)
    }

    /// Does as was decided. `None` if the handshake goes on.
    pub(super) fn decide(&mut self, decision: Decision, io: &mut Io) -> Option<Next> {
        self.admission.settle();
        let Link::Up(wire) = &mut self.link else { return Some(Next::Stay) };
        self.setup.core.count_decision(&decision);
        let verdict = match &decision {
            Decision::Accept(_) => zmtp::Verdict::Accept,
            Decision::Deny(status) => zmtp::Verdict::Deny { status: status.code() },
            Decision::Invalid(_) | Decision::NoHandler => zmtp::Verdict::Drop,
        };
        let outcome = wire.authorize(verdict);
        match decision {
            Decision::Accept(properties) => self.admission.granted = properties,
            Decision::Deny(_) => {}
            Decision::Invalid(invalid) => {
                let code = invalid.protocol_error_code().cast_signed();
                self.emit(monitor::HANDSHAKE_FAILED_PROTOCOL, code);
            }
            Decision::NoHandler => {
                self.emit(monitor::HANDSHAKE_FAILED_NO_DETAIL, libc::EFAULT);
            }
        }
        match outcome {
            Ok(()) => None,
            Err(broken) => Some(self.lost(&broken, io)),
        }
    }

    /// Takes note of what an unfinished handshake holds in memory: what was said, and what is
    /// asked about it.
    pub(super) fn note_memory(&mut self) {
        let Link::Up(wire) = &self.link else { return };
        let Admission { seat: Some(seat), held, exchange, .. } = &mut self.admission else {
            return;
        };
        let now = wire.held().saturating_add(exchange.as_ref().map_or(0, Exchange::held));
        if wire.is_ready() || now == *held {
            return;
        }
        *held = now;
        let gone = seat.hold(*held);
        if gone > 0 {
            self.setup.core.note_limit(Limit::Memory, gone, &self.setup.endpoint);
        }
    }

    /// The connection has to make room for others. If it is finished by now, its place was taken
    /// off the list in time, and this is not about it.
    pub(in crate::engine) fn evicted(&mut self, io: &mut Io) -> Next {
        let unfinished = matches!(&self.link, Link::Up(wire) if !wire.is_ready());
        if !unfinished {
            return Next::Stay;
        }
        let next = self.lost(&MADE_ROOM, io);
        self.after(next, io)
    }

    /// Forgets what a connection that is gone had asked and was granted.
    pub(super) fn forget_admission(&mut self) {
        self.admission = Admission::default();
    }
}

/// The credentials as an authenticator of the application sees them. What it could not be shown
/// it cannot let in.
fn shown(credentials: zmtp::Credentials<'_>) -> Option<Credentials<'_>> {
    Some(match credentials {
        zmtp::Credentials::Null => Credentials::Null,
        zmtp::Credentials::Plain { username, password } => {
            Credentials::Plain { username, password }
        }
        zmtp::Credentials::Curve { public_key } => {
            Credentials::Curve { public_key: zmtp::curve::PublicKey::new(*public_key) }
        }
        _ => return None,
    })
}
