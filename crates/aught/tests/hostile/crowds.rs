//! Crowds that do not finish their handshake, at bound sockets of every type that has one: they
//! are no peers. Nothing is sent to them, no turn is theirs, and they do not make a socket
//! writable.

use std::time::Duration;

use aught::{Message, Poller, Socket, SocketType};

use crate::EXCHANGE;
use crate::alone::alone;
use crate::handshakes::{Mechanism, Server};
use crate::stranger::Stranger;

/// How many stand around for each way to begin.
const EACH: usize = 3;
/// How many messages honest peers exchange: more than there are strangers, so that turns come
/// round.
const MESSAGES: usize = 40;

/// Whom a socket of this type exchanges messages with. What subscribes is served by an XPUB, which
/// knows when the subscription is there.
fn counterpart(kind: SocketType) -> SocketType {
    match kind {
        SocketType::Pub | SocketType::Xpub => SocketType::Sub,
        SocketType::Sub | SocketType::Xsub => SocketType::Xpub,
        SocketType::Req => SocketType::Rep,
        SocketType::Rep => SocketType::Req,
        SocketType::Router => SocketType::Dealer,
        SocketType::Push => SocketType::Pull,
        SocketType::Pull => SocketType::Push,
        same => same, // PAIR, DEALER
    }
}

/// A socket with a crowd at its door, all of which has been let in.
fn besieged(mechanism: Mechanism, kind: SocketType) -> (Server, Vec<Stranger>) {
    let server = Server::new(mechanism, kind, None);
    match kind {
        SocketType::Sub => server.socket.subscribe(b"").expect("an option"),
        SocketType::Xsub => server.socket.send(b"\x01".as_slice()).expect("a subscription"),
        // ZMQ_ROUTER_MANDATORY: what can be sent to nobody is said.
        SocketType::Router => {
            server.socket.set_option(33, &1_i32.to_ne_bytes()).expect("an option");
        }
        _ => {}
    }
    let mut crowd = Vec::new();
    for _ in 0..EACH {
        for beginning in server.beginnings() {
            let mut stranger = Stranger::connect(&server.endpoint);
            stranger.write(&beginning);
            stranger.read_some(); // it is let in
            crowd.push(stranger);
        }
        let config = server.config(counterpart(kind));
        crowd.push(Stranger::half_shaken(&server.endpoint, config));
    }
    (server, crowd)
}

fn is_writable(socket: &Socket) -> bool {
    let mut poller = Poller::new();
    let index = poller.add(socket, Poller::OUT);
    poller.wait(Some(Duration::ZERO)).expect("a look");
    poller.is_writable(index)
}

/// With nobody but the crowd, the socket does as when it is alone.
fn is_alone(kind: SocketType, socket: &Socket) {
    match kind {
        SocketType::Pair | SocketType::Req | SocketType::Dealer | SocketType::Push => {
            assert!(!is_writable(socket), "{kind:?}: there is nobody to write to");
            assert!(socket.try_send("nobody").is_err(), "{kind:?}: nobody of them is a peer");
        }
        SocketType::Rep => assert!(!is_writable(socket), "nobody has asked"),
        SocketType::Router => {
            let message = Message::from_parts(["".as_bytes(), b"nobody"]);
            assert!(socket.try_send(message).is_err(), "nobody of them has a name");
        }
        // These drop what nobody wants.
        SocketType::Pub | SocketType::Xpub => socket.try_send("nobody").expect("no wait"),
        _ => {}
    }
    if !matches!(kind, SocketType::Pub | SocketType::Push) {
        assert!(socket.try_recv().is_err(), "{kind:?}: nobody of them says anything");
    }
}

/// What one sends, the other receives, and nothing else.
fn moves(from: &Socket, to: &Socket, text: &str) {
    from.send(text).expect("the other is there");
    let message = to.recv_timeout(EXCHANGE).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(message, text);
}

/// All messages go to the one honest peer, and all that come are its.
fn serves(kind: SocketType, server: &Server) {
    let (owner, peer) = (&server.socket, server.client(counterpart(kind)));
    match kind {
        SocketType::Pub | SocketType::Xpub => peer.subscribe(b"").expect("an option"),
        SocketType::Sub | SocketType::Xsub => {
            assert_eq!(peer.recv_timeout(EXCHANGE).expect("a subscription"), *b"\x01");
        }
        _ => {}
    }
    match kind {
        SocketType::Xpub => {
            assert_eq!(owner.recv_timeout(EXCHANGE).expect("a subscription"), *b"\x01");
        }
        // What comes first shows that the subscription is there.
        SocketType::Pub => {
            while peer.recv_timeout(Duration::from_millis(5)).is_err() {
                owner.send("first").expect("no wait");
            }
            owner.send("second").expect("no wait");
            while peer.recv_timeout(EXCHANGE).expect("it is subscribed") != "second" {}
        }
        _ => {}
    }
    for number in 0..MESSAGES {
        let text = format!("{kind:?} {number}");
        match kind {
            SocketType::Pub | SocketType::Xpub | SocketType::Push => moves(owner, &peer, &text),
            SocketType::Sub | SocketType::Xsub | SocketType::Pull => moves(&peer, owner, &text),
            SocketType::Rep => {
                moves(&peer, owner, &text);
                moves(owner, &peer, &text);
            }
            SocketType::Router => {
                peer.send(text.as_str()).expect("the router is there");
                let request = owner.recv_timeout(EXCHANGE).expect("a request");
                owner.send(request).expect("the peer is there");
                assert_eq!(peer.recv_timeout(EXCHANGE).expect("a reply"), text.as_str());
            }
            _ => {
                moves(owner, &peer, &text);
                moves(&peer, owner, &text);
            }
        }
    }
    if !matches!(kind, SocketType::Pub | SocketType::Push) {
        assert!(owner.try_recv().is_err(), "{kind:?}: nobody else says anything");
    }
}

fn are_no_peers(name: &str, mechanism: Mechanism) {
    alone(name, || {
        for kind in [
            SocketType::Pair,
            SocketType::Pub,
            SocketType::Sub,
            SocketType::Req,
            SocketType::Rep,
            SocketType::Dealer,
            SocketType::Router,
            SocketType::Pull,
            SocketType::Push,
            SocketType::Xpub,
            SocketType::Xsub,
        ] {
            let (server, crowd) = besieged(mechanism, kind);
            is_alone(kind, &server.socket);
            serves(kind, &server);
            drop(crowd);
        }
    });
}

#[test]
fn a_crowd_without_a_mechanism_is_no_peer_of_any_socket() {
    let name = "crowds::a_crowd_without_a_mechanism_is_no_peer_of_any_socket";
    are_no_peers(name, Mechanism::Null);
}

#[test]
fn a_crowd_with_passwords_is_no_peer_of_any_socket() {
    let name = "crowds::a_crowd_with_passwords_is_no_peer_of_any_socket";
    are_no_peers(name, Mechanism::Plain);
}

#[test]
fn a_crowd_with_keys_is_no_peer_of_any_socket() {
    are_no_peers("crowds::a_crowd_with_keys_is_no_peer_of_any_socket", Mechanism::Curve);
}
