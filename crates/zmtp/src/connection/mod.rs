//! The connection as its owner sees it: octets and time in, events and octets out. Each step of the
//! protocol is in a module of its own; `state` has the picture.

mod config;
mod event;
mod handshake;
mod heartbeat;
pub(crate) mod judge;
mod legacy;
mod sealed;
mod state;
mod traffic;

use std::time::Instant;

pub use self::config::{Config, MechanismConfig};
pub use self::event::{Credentials, Peer, Received, Verdict};

use crate::command;
use crate::error::Error;
use crate::frame::{self, Framing};
use crate::limits::COOKIE_LIFETIME;
use crate::mechanism::Outcome;
use crate::version::Version;

use self::handshake::Signature;
use self::heartbeat::Heartbeat;
use self::sealed::Sealed;
use self::state::{Context, State, Step};
use self::traffic::{Parsed, Traffic};

/// One end of a ZMTP connection over some stream of octets.
///
/// The owner moves the octets and tells the time:
///
/// * what the transport gives goes to [`receive`](Self::receive),
/// * what [`transmit`](Self::transmit) gives goes to the transport,
/// * at the instant that [`poll_timeout`](Self::poll_timeout) names, or later, the owner calls
///   [`handle_timeout`](Self::handle_timeout).
///
/// Messages do not pass through: once the handshake is over their frames are written behind a
/// header from [`encode_header`](Self::encode_header) and come back as [`Received`]. The first error
/// ends the connection; what is pending then may still be sent before the transport is closed.
#[derive(Debug)]
pub struct Connection {
    /// Largest short data frame that the fast path of `receive` may hand over; -1 for none.
    short_limit: i16,
    /// Octets of the last input that were left with the caller: any more than these are new.
    seen: usize,
    heartbeat: Heartbeat,
    state: State,
    wanted: usize,
    out: Vec<u8>,
    handshake_ends: Option<Instant>,
    peer: Option<Peer>,
    sealed: Option<Box<Sealed>>,
    config: Config,
}

impl Connection {
    /// Starts a connection at instant `now`; its first octets are there to
    /// [`transmit`](Self::transmit).
    #[must_use]
    pub fn new(config: Config, now: Instant) -> Self {
        let mut out = Vec::new();
        let state = Signature::start(&mut Context { config: &config, out: &mut out });
        Self {
            short_limit: -1,
            seen: 0,
            heartbeat: Heartbeat::silent(),
            state,
            wanted: 1,
            out,
            handshake_ends: config.handshake_timeout.and_then(|after| now.checked_add(after)),
            peer: None,
            sealed: None,
            config,
        }
    }

    /// Consumes a prefix of `input` and says how many octets it was and what they meant, if that is
    /// something.
    ///
    /// `(n, None)` asks for more: the caller keeps `input[n..]` and calls again with new octets
    /// behind them. `(n, Some(event))` may leave further events in `input[n..]`, so the caller calls
    /// again at once. Octets that are presented again cost no time in proportion to their number.
    ///
    /// # Errors
    ///
    /// Whatever ends the connection; [`Error::Over`] ever after.
    #[inline]
    pub fn receive<'a>(
        &'a mut self,
        now: Instant,
        input: &'a [u8],
    ) -> Result<(usize, Option<Received<'a>>), Error> {
        if let [flags @ (0 | frame::MORE), len, rest @ ..] = input
            && i16::from(*len) <= self.short_limit
            && let Some(body) = rest.get(..usize::from(*len))
        {
            self.heartbeat.heard();
            self.seen = 0;
            let more = *flags == frame::MORE;
            return Ok((2 + body.len(), Some(Received::Frame { body, more })));
        }
        self.receive_any(now, input)
    }

    #[inline(never)]
    fn receive_any<'a>(
        &'a mut self,
        now: Instant,
        input: &'a [u8],
    ) -> Result<(usize, Option<Received<'a>>), Error> {
        if input.len() > self.seen {
            self.heartbeat.heard();
        }
        let result = match self.state {
            State::Over => Err(Error::Over),
            State::Traffic(_) if self.sealed.is_some() => return self.receive_sealed(now, input),
            State::Traffic(traffic) => self.receive_traffic(traffic, now, input),
            _ => self.receive_handshake(now, input),
        };
        match &result {
            Ok((consumed, _)) => self.seen = input.len().saturating_sub(*consumed),
            Err(_) => self.end(),
        }
        result
    }

    fn receive_handshake<'a>(
        &mut self,
        now: Instant,
        input: &'a [u8],
    ) -> Result<(usize, Option<Received<'a>>), Error> {
        let mut consumed = 0;
        loop {
            let rest = input.get(consumed..).unwrap_or_default();
            let state = std::mem::replace(&mut self.state, State::Over);
            let mut cx = Context { config: &self.config, out: &mut self.out };
            match state.step(&mut cx, rest)? {
                Step::Wait(state, wanted) => {
                    self.state = state;
                    self.wanted = wanted;
                    return Ok((consumed, None));
                }
                Step::Next(more, state) => {
                    consumed += more;
                    self.watch_cookie(now, &state);
                    self.state = state;
                }
                Step::Ask(more, state) => {
                    self.state = state;
                    self.wanted = usize::MAX;
                    return Ok((consumed + more, Some(Received::Authenticate)));
                }
                Step::Ready(more, outcome) => {
                    self.become_ready(now, *outcome);
                    return Ok((consumed + more, Some(Received::Ready)));
                }
            }
        }
    }

    /// What the peer has shown of itself, between [`Received::Authenticate`] and
    /// [`authorize`](Self::authorize).
    #[must_use]
    pub fn credentials(&self) -> Option<Credentials<'_>> {
        match &self.state {
            State::Asking(asking) => Some(asking.credentials()),
            _ => None,
        }
    }

    /// Answers [`Received::Authenticate`]. If the peer is accepted there may be octets to
    /// [`transmit`](Self::transmit), and [`receive`](Self::receive) wants to be called with what the
    /// caller has kept, also if that is nothing: [`Received::Ready`] may be due.
    ///
    /// # Errors
    ///
    /// Whatever ends the connection: [`Error::Denied`] and [`Error::Rejected`] as the verdict has
    /// it; [`Error::Over`] if nothing was asked, which ends nothing.
    pub fn authorize(&mut self, verdict: Verdict) -> Result<(), Error> {
        let state = match std::mem::replace(&mut self.state, State::Over) {
            State::Asking(asking) => {
                let mut cx = Context { config: &self.config, out: &mut self.out };
                asking.decide(verdict, &mut cx)
            }
            other => {
                self.state = other;
                return Err(Error::Over);
            }
        };
        match state {
            Ok(state) => {
                self.state = state;
                self.wanted = 1;
                Ok(())
            }
            Err(error) => {
                self.end();
                Err(error)
            }
        }
    }

    /// Ends the handshake when the cookie that the peer has is good no more.
    fn watch_cookie(&mut self, now: Instant, state: &State) {
        if matches!(state, State::Security(security) if security.has_cookie_out()) {
            let until = now.checked_add(COOKIE_LIFETIME);
            self.handshake_ends = match (self.handshake_ends, until) {
                (Some(ends), Some(until)) => Some(ends.min(until)),
                (ends, until) => ends.or(until),
            };
        }
    }

    fn become_ready(&mut self, now: Instant, outcome: Outcome) {
        let Outcome { peer, sealing } = outcome;
        let version = peer.version();
        let traffic = Traffic::new(&self.config, version);
        if let Some(sealing) = sealing {
            self.sealed = Some(Box::new(Sealed::new(sealing, &self.config)));
        } else {
            self.short_limit = traffic.short_limit();
        }
        self.state = State::Traffic(traffic);
        self.wanted = 1;
        self.handshake_ends = None;
        if version.has_commands() {
            self.heartbeat = Heartbeat::start(&self.config, now);
        }
        self.peer = Some(peer);
    }

    fn receive_traffic<'a>(
        &mut self,
        traffic: Traffic,
        now: Instant,
        input: &'a [u8],
    ) -> Result<(usize, Option<Received<'a>>), Error> {
        let mut consumed = 0;
        self.wanted = 1;
        while let Some(rest) = input.get(consumed..).filter(|rest| !rest.is_empty()) {
            match traffic.parse(now, rest, &mut self.heartbeat, &mut self.out)? {
                Parsed::Wait(wanted) => {
                    self.wanted = wanted;
                    break;
                }
                Parsed::Skip(more) => {
                    consumed += more;
                    // What follows a PING is the "further traffic" that its TTL asks for.
                    if consumed < input.len() {
                        self.heartbeat.heard();
                    }
                }
                Parsed::Event(more, event) => return Ok((consumed + more, Some(event))),
            }
        }
        Ok((consumed, None))
    }

    /// Octets that the unconsumed input must have before [`receive`](Self::receive) can do more than
    /// it did when it last returned `(_, None)`: a hint for the size of the caller's buffer, always
    /// more than what it kept. It comes from the peer; memory should grow with what arrives, not
    /// with this.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// Tells that octets of a [`Received::Large`] body arrived, which `receive` does not see.
    #[inline]
    pub fn heard(&mut self, _now: Instant) {
        self.heartbeat.heard();
    }

    /// Moves the octets of the protocol that are to be sent (greeting, handshake, PING, PONG, ERROR)
    /// to the end of `out`; says whether there were any. They go before the first message, and once
    /// the connection is ready only between two messages.
    pub fn transmit(&mut self, out: &mut Vec<u8>) -> bool {
        let some = !self.out.is_empty();
        if out.is_empty() {
            // Gives the memory away as well: an idle connection keeps none.
            std::mem::swap(out, &mut self.out);
            self.out = Vec::new();
        } else {
            out.append(&mut self.out);
        }
        match &mut self.sealed {
            Some(sealed) if sealed.has_commands() => {
                sealed.flush_commands(out);
                true
            }
            _ => some,
        }
    }

    /// Whether [`transmit`](Self::transmit) has anything to give.
    #[inline]
    #[must_use]
    pub fn has_transmit(&self) -> bool {
        !self.out.is_empty() || self.sealed.as_ref().is_some_and(|sealed| sealed.has_commands())
    }

    /// Whether the handshake is over and the connection is not.
    #[inline]
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Traffic(_))
    }

    /// Who the peer is, once the handshake is over.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref()
    }

    /// The settings that the connection was made with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How frames to this peer are laid out; that of ZMTP 2.0 and later before the peer is known.
    #[inline]
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.version().framing()
    }

    fn version(&self) -> Version {
        self.peer.as_ref().map_or(Version::V3_1, Peer::version)
    }

    /// Appends the header of a data frame of `len` octets, in the framing of the peer's version.
    #[inline]
    pub fn encode_header(&self, len: usize, more: bool, out: &mut Vec<u8>) {
        frame::encode_header(self.framing(), more, len, out);
    }

    /// Appends a subscription, or its end: a command to peers of ZMTP 3.1 and later, a message to
    /// older ones; sealed if the mechanism seals.
    pub fn encode_subscription(&mut self, subscribe: bool, topic: &[u8], out: &mut Vec<u8>) {
        if self.version().has_subscribe_command() {
            let name = if subscribe { command::SUBSCRIBE } else { command::CANCEL };
            return self.encode_command(name, topic, out);
        }
        // RFC 23: "subscribe = %x00 short-size %d1 subscription".
        if let Some(sealed) = &mut self.sealed {
            let body = [&[u8::from(subscribe)], topic].concat();
            return sealed.seal(&body, false, out);
        }
        self.encode_header(topic.len() + 1, false, out);
        out.push(u8::from(subscribe));
        out.extend_from_slice(topic);
    }

    /// Appends the command that joins or leaves a group (DISH sockets); sealed if the mechanism
    /// seals. Groups have at most 255 octets, none of them zero.
    pub fn encode_membership(&mut self, join: bool, group: &[u8], out: &mut Vec<u8>) {
        let name = if join { command::JOIN } else { command::LEAVE };
        self.encode_command(name, group, out);
    }

    fn encode_command(&mut self, name: &[u8], data: &[u8], out: &mut Vec<u8>) {
        match &mut self.sealed {
            Some(sealed) => sealed.seal_command(name, data, out),
            None => command::encode(name, &[data], out),
        }
    }

    /// The instant at which [`handle_timeout`](Self::handle_timeout) has something to do, if
    /// nothing is received before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.handshake_ends.or_else(|| self.heartbeat.poll_timeout())
    }

    /// Does what is due at instant `now`, which may be nothing; a PING may be there to transmit
    /// afterwards.
    ///
    /// # Errors
    ///
    /// [`Error::HandshakeTimeout`] or [`Error::HeartbeatTimeout`], which end the connection;
    /// [`Error::Over`] if it had ended before.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        let result = match self.state {
            State::Over => Err(Error::Over),
            _ if self.handshake_ends.is_some_and(|at| at <= now) => Err(Error::HandshakeTimeout),
            _ => {
                let out = match &mut self.sealed {
                    Some(sealed) => sealed.commands(),
                    None => &mut self.out,
                };
                self.heartbeat.handle_timeout(now, out)
            }
        };
        if result.is_err() {
            self.end();
        }
        result
    }

    /// Ends the connection from our side. During the handshake with a ZMTP 3.x peer, an ERROR
    /// command with the reason is there to transmit afterwards; it may have 255 printable
    /// characters, others are escaped and the excess is cut.
    ///
    /// Returns what ended the connection: [`Error::Rejected`].
    pub fn reject(&mut self, reason: &str) -> Error {
        let in_handshake = matches!(self.state, State::Security(_) | State::Asking(_));
        if in_handshake && !self.config.mechanism.is_client() {
            handshake::refuse(reason, &mut self.out);
        }
        self.end();
        Error::Rejected
    }

    fn end(&mut self) {
        self.state = State::Over;
        self.sealed = None; // the keys go at once
        self.short_limit = -1;
        self.handshake_ends = None;
        self.heartbeat = Heartbeat::silent();
    }
}
