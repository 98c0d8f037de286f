//! The handshakes with peers that have no security mechanisms: ZMTP 2.0 (RFC 15) and ZMTP 1.0
//! (RFC 13). Both end with one frame, the peer's routing id.

use crate::error::{Error, Incompatible, Misbehaved};
use crate::frame;
use crate::limits::MAX_ROUTING_ID;
use crate::mechanism::Outcome;
use crate::socket_type::SocketType;
use crate::version::Version;

use super::event::Peer;
use super::judge::{check_routing_id, check_type};
use super::state::{Context, State, Step};

/// Our part of the ZMTP 2.0 greeting is sent, the peer's socket type is awaited.
#[derive(Debug)]
pub(crate) struct LegacyType;

/// The peer's routing id frame is awaited, the last thing before the traffic.
#[derive(Debug)]
pub(crate) struct LegacyRoutingId {
    version: Version,
    socket_type: Option<SocketType>,
}

impl LegacyType {
    /// Sends what is left of the greeting. RFC 15: "greeting = signature revision socket-type
    /// identity", of which the revision has just been sent.
    pub(crate) fn start(cx: &mut Context<'_>) -> State {
        let routing_id = &cx.config.routing_id;
        cx.out.push(cx.config.socket_type.legacy_code());
        frame::encode_header(Version::V2_0.framing(), false, routing_id.len(), cx.out);
        cx.out.extend_from_slice(routing_id);
        State::LegacyType(Self)
    }

    pub(crate) fn handle(self, cx: &mut Context<'_>, input: &[u8]) -> Result<Step, Error> {
        let Some(&code) = input.first() else {
            return Ok(Step::Wait(State::LegacyType(self), 1));
        };
        let Some(theirs) = SocketType::from_legacy_code(code) else {
            return Err(Incompatible::UnknownSocketType { theirs: code.to_string() }.into());
        };
        // RFC 15: "Any other socket combinations SHOULD be handled by silently disconnecting the
        // other peer".
        let socket_type = Some(check_type(cx.config.socket_type, theirs)?);
        let next = LegacyRoutingId { version: Version::V2_0, socket_type };
        Ok(Step::Next(1, State::LegacyRoutingId(next)))
    }
}

impl LegacyRoutingId {
    /// The greeting of a ZMTP 1.0 peer is its routing id frame alone.
    pub(crate) fn unversioned() -> State {
        State::LegacyRoutingId(Self { version: Version::V1_0, socket_type: None })
    }

    pub(crate) fn handle(self, cx: &mut Context<'_>, input: &[u8]) -> Result<Step, Error> {
        let header = match frame::decode_header(self.version.framing(), input) {
            None => {
                let wanted = input.len() + 1;
                return Ok(Step::Wait(State::LegacyRoutingId(self), wanted));
            }
            Some(header) => header.map_err(Misbehaved::from)?,
        };
        // RFC 13: "The flags octet (idflags) of an identity frame SHALL not be validated". RFC 15
        // has no such leniency: "identity = final-short body".
        let lenient = self.version == Version::V1_0;
        if (!lenient && (header.more || header.command)) || header.body > MAX_ROUTING_ID as u64 {
            return Err(Misbehaved::RoutingIdFrame.into());
        }
        let end = header.header + header.body as usize;
        let Some(body) = input.get(header.header..end) else {
            return Ok(Step::Wait(State::LegacyRoutingId(self), end));
        };
        let routing_id = check_routing_id(body).ok_or(Misbehaved::RoutingIdFrame)?.to_vec();
        let peer = Peer {
            version: (self.version.major, self.version.minor),
            socket_type: self.socket_type,
            routing_id,
            mechanism: cx.config.mechanism.name(),
            properties: Vec::new(),
        };
        Ok(Step::Ready(end, Box::new(Outcome { peer, sealing: None })))
    }
}
