//! Socket types as the wire knows them: names, numbers, and who may talk to whom. What a type does
//! with messages is no concern of the protocol.

/// A ZeroMQ socket type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SocketType {
    /// Exclusive pair.
    Pair,
    /// Publisher.
    Pub,
    /// Subscriber.
    Sub,
    /// Requester.
    Req,
    /// Replier.
    Rep,
    /// Asynchronous requester.
    Dealer,
    /// Asynchronous replier that addresses its peers.
    Router,
    /// Receiving end of a pipeline.
    Pull,
    /// Sending end of a pipeline.
    Push,
    /// Publisher that sees subscriptions.
    Xpub,
    /// Subscriber that sends subscriptions as messages.
    Xsub,
    /// Raw TCP; never announced on the wire.
    Stream,
    /// Draft: thread-safe server.
    Server,
    /// Draft: thread-safe client.
    Client,
    /// Draft: sender to groups.
    Radio,
    /// Draft: receiver of groups.
    Dish,
    /// Draft: receiving end of a thread-safe pipeline.
    Gather,
    /// Draft: sending end of a thread-safe pipeline.
    Scatter,
    /// Draft: UDP datagrams; never announced on the wire.
    Dgram,
    /// Draft: peer to peer.
    Peer,
    /// Draft: thread-safe exclusive pair.
    Channel,
}

use SocketType::{
    Channel, Client, Dealer, Dgram, Dish, Gather, Pair, Peer, Pub, Pull, Push, Radio, Rep, Req,
    Router, Scatter, Server, Stream, Sub, Xpub, Xsub,
};

/// Every type, at the index that is its number in `zmq.h`.
const BY_CODE: [SocketType; 21] = [
    Pair, Pub, Sub, Req, Rep, Dealer, Router, Pull, Push, Xpub, Xsub, Stream, Server, Client,
    Radio, Dish, Gather, Scatter, Dgram, Peer, Channel,
];

impl SocketType {
    /// The name of the type in capitals, as in the Socket-Type property.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Pair => "PAIR",
            Pub => "PUB",
            Sub => "SUB",
            Req => "REQ",
            Rep => "REP",
            Dealer => "DEALER",
            Router => "ROUTER",
            Pull => "PULL",
            Push => "PUSH",
            Xpub => "XPUB",
            Xsub => "XSUB",
            Stream => "STREAM",
            Server => "SERVER",
            Client => "CLIENT",
            Radio => "RADIO",
            Dish => "DISH",
            Gather => "GATHER",
            Scatter => "SCATTER",
            Dgram => "DGRAM",
            Peer => "PEER",
            Channel => "CHANNEL",
        }
    }

    /// The type that a Socket-Type property names. The value is case-sensitive, and the types that
    /// never speak ZMTP (STREAM, DGRAM) are not names on the wire.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        BY_CODE.into_iter().find(|kind| kind.is_on_wire() && kind.name().as_bytes() == name)
    }

    /// The number of the type in `zmq.h`.
    #[must_use]
    pub fn code(self) -> i32 {
        self as i32
    }

    /// The type of a number of `zmq.h`.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        BY_CODE.get(usize::try_from(code).ok()?).copied()
    }

    /// Whether sockets of this type may be connected to sockets of type `peer`: the table of RFC 37,
    /// "The Socket-Type Property". It is symmetric.
    #[must_use]
    pub fn is_compatible(self, peer: Self) -> bool {
        match self {
            Req => matches!(peer, Rep | Router),
            Rep => matches!(peer, Req | Dealer),
            Dealer => matches!(peer, Rep | Dealer | Router),
            Router => matches!(peer, Req | Dealer | Router),
            Pub | Xpub => matches!(peer, Sub | Xsub),
            Sub | Xsub => matches!(peer, Pub | Xpub),
            Push => peer == Pull,
            Pull => peer == Push,
            Pair => peer == Pair,
            Client => peer == Server,
            Server => peer == Client,
            Radio => peer == Dish,
            Dish => peer == Radio,
            Scatter => peer == Gather,
            Gather => peer == Scatter,
            Peer => peer == Peer,
            Channel => peer == Channel,
            Stream | Dgram => false,
        }
    }

    /// Whether sockets of this type announce a routing id, which a ROUTER addresses them by.
    /// RFC 37: "For all other socket types, the Identity property shall be ignored."
    #[must_use]
    pub fn has_routing_id(self) -> bool {
        matches!(self, Req | Dealer | Router)
    }

    /// Whether the type speaks ZMTP at all.
    #[must_use]
    pub fn is_on_wire(self) -> bool {
        !matches!(self, Stream | Dgram)
    }

    /// The octet that announces the type to a ZMTP 2.0 peer, whose numbers end at PUSH.
    pub(crate) fn legacy_code(self) -> u8 {
        // RFC 15: "XPUB and XSUB sockets are implemented at the protocol level as PUB and SUB".
        let announced = match self {
            Xpub => Pub,
            Xsub => Sub,
            other => other,
        };
        announced as u8
    }

    /// The type that a ZMTP 2.0 peer announces. libzmq also sends the numbers of XPUB and XSUB.
    pub(crate) fn from_legacy_code(code: u8) -> Option<Self> {
        Self::from_code(i32::from(code)).filter(|kind| kind.is_on_wire())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back_to_the_type() {
        for (code, kind) in (0..).zip(BY_CODE) {
            assert_eq!(kind.code(), code);
            assert_eq!(SocketType::from_code(code), Some(kind));
            let named = SocketType::from_name(kind.name().as_bytes());
            assert_eq!(named, kind.is_on_wire().then_some(kind));
        }
        for code in [-1, 21, i32::MIN, i32::MAX] {
            assert_eq!(SocketType::from_code(code), None);
        }
        for name in [&b""[..], b"dealer", b"DEALER\0", b"STREAM", b"XREQ", b"\xff"] {
            assert_eq!(SocketType::from_name(name), None);
        }
    }

    #[test]
    fn compatibility_is_symmetric() {
        for a in BY_CODE {
            for b in BY_CODE {
                assert_eq!(a.is_compatible(b), b.is_compatible(a), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn compatibility_is_the_table_of_rfc_37() {
        let pairs = BY_CODE
            .into_iter()
            .flat_map(|a| BY_CODE.into_iter().map(move |b| (a, b)))
            .filter(|(a, b)| a.code() <= b.code() && a.is_compatible(*b))
            .map(|(a, b)| format!("{}-{}", a.name(), b.name()))
            .collect::<Vec<_>>();
        let expected = "PAIR-PAIR PUB-SUB PUB-XSUB SUB-XPUB REQ-REP REQ-ROUTER REP-DEALER \
            DEALER-DEALER DEALER-ROUTER ROUTER-ROUTER PULL-PUSH XPUB-XSUB SERVER-CLIENT RADIO-DISH \
            GATHER-SCATTER PEER-PEER CHANNEL-CHANNEL";
        assert_eq!(pairs.join(" "), expected);
    }

    #[test]
    fn a_zmtp_2_peer_hears_of_pub_and_sub_only() {
        assert_eq!(Xpub.legacy_code(), 1);
        assert_eq!(Xsub.legacy_code(), 2);
        assert_eq!(Push.legacy_code(), 8);
        assert_eq!(SocketType::from_legacy_code(9), Some(Xpub));
        assert_eq!(SocketType::from_legacy_code(11), None);
        assert_eq!(SocketType::from_legacy_code(200), None);
    }
}
