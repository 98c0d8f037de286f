//! Whether a peer that has shown its metadata is one that we can talk to, and who it is.

use crate::error::{Error, Incompatible, Misbehaved, printable};
use crate::limits::MAX_ROUTING_ID;
use crate::metadata::{self, InvalidMetadata, Properties};
use crate::socket_type::SocketType;
use crate::version::Version;

use super::config::Config;
use super::event::Peer;

/// Decides whether we can talk to a peer with these properties, and who it is.
pub(crate) fn peer(
    config: &Config,
    version: Version,
    properties: Properties,
) -> Result<Peer, Error> {
    // RFC 37: "The sender SHOULD specify the Socket-Type": one that does not is taken as it is.
    // Of several, as with libzmq, all have to fit.
    let mut socket_type = None;
    for name in metadata::values(&properties, metadata::SOCKET_TYPE) {
        let Some(theirs) = SocketType::from_name(name) else {
            return Err(Incompatible::UnknownSocketType { theirs: printable(name) }.into());
        };
        socket_type = Some(check_type(config.socket_type, theirs)?);
    }
    // RFC 37: "For all other socket types, the Identity property shall be ignored."
    let identity = metadata::values(&properties, metadata::IDENTITY)
        .last()
        .filter(|_| socket_type.is_none_or(SocketType::has_routing_id))
        .unwrap_or_default();
    let routing_id = check_routing_id(identity)
        .ok_or(Misbehaved::Metadata(InvalidMetadata::RoutingId))?
        .to_vec();
    Ok(Peer {
        version: (version.major, version.minor),
        socket_type,
        routing_id,
        mechanism: config.mechanism.name(),
        properties,
    })
}

/// RFC 37: "The peer SHOULD enforce that the other peer is using a valid socket type."
pub(super) fn check_type(ours: SocketType, theirs: SocketType) -> Result<SocketType, Error> {
    if ours.is_compatible(theirs) {
        Ok(theirs)
    } else {
        Err(Incompatible::SocketType { ours, theirs }.into())
    }
}

/// RFC 37: "The first octet of the Identity SHALL NOT be zero": a ROUTER makes up routing ids of its
/// own that start so, and a peer must not be able to claim one of them. Those have five octets.
/// Others that start so are let in, as with libzmq: programs that choose random ids hit one in 256.
pub(super) fn check_routing_id(id: &[u8]) -> Option<&[u8]> {
    let claims_anothers = matches!(id, [0, _, _, _, _]);
    (id.len() <= MAX_ROUTING_ID && !claims_anothers).then_some(id)
}
