//! ROUTER and DEALER (RFC 28, zmq_socket(3)): routing ids, what cannot be routed, the options.

use aught_behaviour::consts::*;
use aught_behaviour::*;

fn named(ctx: &Ctx, kind: i32, id: &str) -> Sock {
    let socket = ctx.socket(kind);
    socket.set_bytes(ROUTING_ID, id.as_bytes()).expect("ROUTING_ID");
    socket
}

/// A bound ROUTER that reports what it cannot route, and its endpoint.
fn mandatory(ctx: &Ctx, transport: Transport) -> (Sock, String) {
    let router = ctx.socket(ROUTER);
    router.set(ROUTER_MANDATORY, 1).expect("ROUTER_MANDATORY");
    let endpoint = router.bind_to(transport);
    (router, endpoint)
}

on_transports! {
    /// RFC 28: a ROUTER puts the peer's id first, and sends to the peer that the first frame names.
    fn a_router_addresses_its_peers(transport) {
        let ctx = Ctx::new();
        let router = ctx.socket(ROUTER);
        let endpoint = router.bind_to(transport);
        let dealers = ["alice", "bob"].map(|id| named(&ctx, DEALER, id));
        for (dealer, id) in dealers.iter().zip(["alice", "bob"]) {
            dealer.connect(&endpoint).expect("connect");
            dealer.send_all(&["hello", "from", id]).expect("send");
            router.expect_all(&[id, "hello", "from", id]);
        }
        router.send_all(&["bob", "for", "bob"]).expect("send");
        router.send_all(&["alice", "for alice"]).expect("send");
        dealers[0].expect("for alice");
        dealers[1].expect_all(&["for", "bob"]);
    }
}

on_transports! {
    /// RFC 28: an id that the router makes up has five bytes, the first of them zero.
    fn an_automatic_id_is_five_bytes_from_zero(transport) {
        let ctx = Ctx::new();
        let router = ctx.socket(ROUTER);
        let endpoint = router.bind_to(transport);
        let mut ids = Vec::new();
        let dealers = [(); 3].map(|()| ctx.socket(DEALER));
        for dealer in &dealers {
            dealer.connect(&endpoint).expect("connect");
            dealer.send("hello").expect("send");
            let id = router.recv_all().expect("a message").remove(0);
            assert_eq!(id.len(), 5);
            assert_eq!(id[0], 0);
            router.send_all(&[&id[..], b"back"]).expect("send");
            dealer.expect("back");
            assert!(!ids.contains(&id), "ids are unique");
            ids.push(id);
        }
    }
}

/// zmq_socket(3): a message for an unknown peer is dropped.
#[test]
fn a_router_drops_what_it_cannot_route() {
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    let endpoint = router.bind_to(Transport::Inproc);
    router.send_all(&["nobody", "hears", "this"]).expect("send");
    let dealer = named(&ctx, DEALER, "somebody");
    dealer.connect(&endpoint).expect("connect");
    dealer.send("hello").expect("send");
    router.expect_all(&["somebody", "hello"]);
    router.send_all(&["nobody", "hears this"]).expect("send");
    router.send_all(&["somebody", "hears this"]).expect("send");
    dealer.expect("hears this");
}

/// ZMQ_ROUTER_MANDATORY: EHOSTUNREACH for an unknown peer.
#[test]
fn a_mandatory_router_reports_an_unknown_peer() {
    let ctx = Ctx::new();
    let (router, endpoint) = mandatory(&ctx, Transport::Inproc);
    assert_eq!(router.send_more("nobody"), Err(EHOSTUNREACH));
    assert_eq!(router.send_more(b"\0abcd"), Err(EHOSTUNREACH));
    // The failed frame is not half of a message: the next send starts a new one.
    let dealer = named(&ctx, DEALER, "somebody");
    dealer.connect(&endpoint).expect("connect");
    dealer.send("hello").expect("send");
    router.expect_all(&["somebody", "hello"]);
    router.send_all(&["somebody", "answer"]).expect("send");
    dealer.expect("answer");
}

/// ZMQ_ROUTER_MANDATORY: EAGAIN for a peer that is full.
#[test]
fn a_mandatory_router_would_block_on_a_full_peer() {
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    router.set(ROUTER_MANDATORY, 1).expect("ROUTER_MANDATORY");
    router.set(SNDHWM, 2).expect("SNDHWM");
    let endpoint = router.bind_to(Transport::Inproc);
    let dealer = named(&ctx, DEALER, "d");
    dealer.set(RCVHWM, 3).expect("RCVHWM");
    dealer.connect(&endpoint).expect("connect");
    dealer.send("hello").expect("send");
    router.expect_all(&["d", "hello"]);
    for number in 0..5 {
        router.send_flags("d", SNDMORE | DONTWAIT).expect("send");
        router.try_send(format!("{number}")).expect("send");
    }
    assert_eq!(router.send_flags("d", SNDMORE | DONTWAIT), Err(EAGAIN));
    for number in 0..5 {
        dealer.expect(format!("{number}"));
    }
    router.send_all(&["d", "again"]).expect("send");
    dealer.expect("again");
}

/// zmq_socket(3): without the option, what a full peer cannot take is dropped.
#[test]
fn a_router_drops_what_a_full_peer_cannot_take() {
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    router.set(SNDHWM, 2).expect("SNDHWM");
    let endpoint = router.bind_to(Transport::Inproc);
    let dealer = named(&ctx, DEALER, "d");
    dealer.set(RCVHWM, 3).expect("RCVHWM");
    dealer.connect(&endpoint).expect("connect");
    dealer.send("hello").expect("send");
    router.expect_all(&["d", "hello"]);
    for number in 0..20 {
        router.send_all(&["d".to_owned(), format!("{number}")]).expect("send");
    }
    for number in 0..5 {
        dealer.expect(format!("{number}"));
    }
    dealer.expect_nothing();
}

/// A message of an id alone goes nowhere: there is nothing to send.
#[test]
fn an_id_without_a_body_sends_nothing() {
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    let dealer = named(&ctx, DEALER, "d");
    dealer.connect(&router.bind_to(Transport::Inproc)).expect("connect");
    dealer.send("hello").expect("send");
    router.expect_all(&["d", "hello"]);
    router.send("d").expect("send");
    router.send_all(&["d", "body"]).expect("send");
    dealer.expect("body");
}

/// An empty body is a message.
#[test]
fn an_empty_body_arrives() {
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    let dealer = named(&ctx, DEALER, "d");
    dealer.connect(&router.bind_to(Transport::Tcp)).expect("connect");
    dealer.send("").expect("send");
    router.expect_all(&["d", ""]);
    router.send_all(&["d", ""]).expect("send");
    dealer.expect("");
}

on_transports! {
    /// ZMQ_ROUTER_HANDOVER, off: a second peer with an id in use is refused.
    fn a_router_refuses_an_id_in_use(transport) {
        let ctx = Ctx::new();
        let router = ctx.socket(ROUTER);
        let endpoint = router.bind_to(transport);
        let first = named(&ctx, DEALER, "same");
        first.connect(&endpoint).expect("connect");
        first.send("first").expect("send");
        router.expect_all(&["same", "first"]);
        let second = named(&ctx, DEALER, "same");
        second.connect(&endpoint).expect("connect");
        // A library may leave the refused peer without a connection to send to.
        let _ = second.try_send("second");
        router.expect_nothing();
        router.send_all(&["same", "answer"]).expect("send");
        first.expect("answer");
        second.expect_nothing();
    }
}

on_transports! {
    /// ZMQ_ROUTER_HANDOVER: the newcomer takes the id over.
    fn a_handover_gives_the_id_to_the_newcomer(transport) {
        let ctx = Ctx::new();
        let router = ctx.socket(ROUTER);
        router.set(ROUTER_HANDOVER, 1).expect("ROUTER_HANDOVER");
        let endpoint = router.bind_to(transport);
        let first = named(&ctx, DEALER, "same");
        first.connect(&endpoint).expect("connect");
        first.send("first").expect("send");
        router.expect_all(&["same", "first"]);
        let second = named(&ctx, DEALER, "same");
        second.connect(&endpoint).expect("connect");
        second.send("second").expect("send");
        router.expect_all(&["same", "second"]);
        router.send_all(&["same", "answer"]).expect("send");
        second.expect("answer");
    }
}

/// The id of a peer that left is free again, and unknown meanwhile.
#[test]
fn the_id_of_a_peer_that_left_is_free() {
    let ctx = Ctx::new();
    let (router, endpoint) = mandatory(&ctx, Transport::Tcp);
    for _ in 0..3 {
        // The id may be unreachable a little before it is free: then the newcomer is refused.
        let dealer = Sock::until(|| {
            let dealer = named(&ctx, DEALER, "d");
            dealer.connect(&endpoint).expect("connect");
            dealer.send("hello").expect("send");
            (router.poll(POLLIN, 500) != 0).then_some(dealer)
        });
        router.expect_all(&["d", "hello"]);
        drop(dealer);
        Sock::until(|| match router.send_more("d") {
            Err(EHOSTUNREACH) => Some(()),
            Ok(()) => {
                // Still known: finish the message that was begun.
                let _ = router.send("");
                None
            }
            Err(error) => panic!("send: {error:?}"),
        });
    }
}

on_transports! {
    /// ZMQ_PROBE_ROUTER: a connection sends an empty message, so that the ROUTER knows its peer.
    fn a_probe_introduces_the_peer(transport) {
        let ctx = Ctx::new();
        let (router, endpoint) = mandatory(&ctx, transport);
        let dealer = named(&ctx, DEALER, "d");
        dealer.set(PROBE_ROUTER, 1).expect("PROBE_ROUTER");
        dealer.connect(&endpoint).expect("connect");
        router.expect_all(&["d", ""]);
        router.send_all(&["d", "welcome"]).expect("send");
        dealer.expect("welcome");
    }
}

/// Two ROUTERs probe each other and talk.
#[test]
fn routers_that_probe_can_talk() {
    let ctx = Ctx::new();
    let server = named(&ctx, ROUTER, "server");
    let endpoint = server.bind_to(Transport::Tcp);
    let client = named(&ctx, ROUTER, "client");
    client.set(PROBE_ROUTER, 1).expect("PROBE_ROUTER");
    client.connect(&endpoint).expect("connect");
    server.expect_all(&["client", ""]);
    server.send_all(&["client", "hello"]).expect("send");
    client.expect_all(&["server", "hello"]);
    client.send_all(&["server", "hello yourself"]).expect("send");
    server.expect_all(&["client", "hello yourself"]);
}

/// ZMQ_CONNECT_ROUTING_ID: the peer of the next connection gets this id, at once.
#[test]
fn a_connection_can_be_named_in_advance() {
    let ctx = Ctx::new();
    let dealer = ctx.socket(DEALER);
    let endpoint = dealer.bind_to(Transport::Tcp);
    let router = ctx.socket(ROUTER);
    router.set(ROUTER_MANDATORY, 1).expect("ROUTER_MANDATORY");
    router.set_bytes(CONNECT_ROUTING_ID, b"peer").expect("CONNECT_ROUTING_ID");
    router.connect(&endpoint).expect("connect");
    router.send_all(&["peer", "hello"]).expect("send");
    dealer.expect("hello");
    dealer.send("back").expect("send");
    router.expect_all(&["peer", "back"]);
}

/// ZMQ_CONNECT_ROUTING_ID names one connection only.
#[test]
fn the_name_in_advance_is_for_one_connection() {
    let ctx = Ctx::new();
    let dealers = [ctx.socket(DEALER), ctx.socket(DEALER)];
    let endpoints = [dealers[0].bind_to(Transport::Tcp), dealers[1].bind_to(Transport::Tcp)];
    let router = ctx.socket(ROUTER);
    router.set_bytes(CONNECT_ROUTING_ID, b"first").expect("CONNECT_ROUTING_ID");
    router.connect(&endpoints[0]).expect("connect");
    router.connect(&endpoints[1]).expect("connect");
    dealers[1].send("hello").expect("send");
    let parts = router.recv_all().expect("a message");
    assert_eq!((parts[0].len(), parts[0][0]), (5, 0));
    dealers[0].send("hello").expect("send");
    router.expect_all(&["first", "hello"]);
}

/// The name in advance wins over the peer's own id: it is the one that the application knows.
#[test]
fn the_name_in_advance_wins_over_the_peers_own() {
    let ctx = Ctx::new();
    let dealer = named(&ctx, DEALER, "own");
    let endpoint = dealer.bind_to(Transport::Tcp);
    let router = ctx.socket(ROUTER);
    router.set_bytes(CONNECT_ROUTING_ID, b"given").expect("CONNECT_ROUTING_ID");
    router.connect(&endpoint).expect("connect");
    dealer.send("hello").expect("send");
    router.expect_all(&["given", "hello"]);
}

/// RFC 28: a DEALER sends to its peers in turn.
#[test]
fn a_dealer_goes_round_its_peers() {
    let ctx = Ctx::new();
    let dealer = ctx.socket(DEALER);
    let peers = [(); 3].map(|()| ctx.socket(DEALER));
    for peer in &peers {
        dealer.connect(&peer.bind_to(Transport::Inproc)).expect("connect");
    }
    for round in 0..3 {
        for _ in &peers {
            dealer.send_all(&[format!("{round}"), "tail".to_owned()]).expect("send");
        }
    }
    for peer in &peers {
        for round in 0..3 {
            peer.expect_all(&[format!("{round}"), "tail".to_owned()]);
        }
    }
}

/// RFC 28: a DEALER and a ROUTER receive from their peers in turn.
#[test]
fn dealers_and_routers_are_fair_to_their_peers() {
    let ctx = Ctx::new();
    for kind in [DEALER, ROUTER] {
        let receiver = ctx.socket(kind);
        let endpoint = receiver.bind_to(Transport::Inproc);
        let peers = [(); 3].map(|()| ctx.socket(DEALER));
        for (index, peer) in peers.iter().enumerate() {
            peer.connect(&endpoint).expect("connect");
            for _ in 0..4 {
                peer.send_all(&["x".to_owned(), format!("{index}")]).expect("send");
            }
        }
        for _ in 0..4 {
            let mut turn = [(); 3].map(|()| receiver.recv_text().pop());
            turn.sort();
            assert_eq!(turn, ["0", "1", "2"].map(|text| Some(text.to_owned())), "type {kind}");
        }
    }
}

#[test]
fn a_dealer_without_a_peer_would_block() {
    let ctx = Ctx::new();
    let dealer = ctx.socket(DEALER);
    assert_eq!(dealer.try_send("x"), Err(EAGAIN));
    assert_eq!(dealer.try_recv(), Err(EAGAIN));
    assert_eq!(dealer.poll(POLLIN | POLLOUT, 0), 0);
}

/// A ROUTER can always be sent to: it drops.
#[test]
fn a_router_without_a_peer_is_writable() {
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    assert_eq!(router.poll(POLLIN | POLLOUT, 0), POLLOUT);
    router.send_all(&["nobody", "x"]).expect("send");
}

on_transports! {
    /// DEALER to REP and REQ to ROUTER are compatible (RFC 28), with the empty frame by hand.
    fn a_dealer_can_ask_a_rep(transport) {
        let ctx = Ctx::new();
        let server = ctx.socket(REP);
        let endpoint = server.bind_to(transport);
        let dealer = ctx.socket(DEALER);
        dealer.connect(&endpoint).expect("connect");
        // Without waiting for replies.
        for number in 0..3 {
            dealer.send_all(&[String::new(), format!("{number}")]).expect("send");
        }
        for number in 0..3 {
            server.expect(format!("{number}"));
            server.send(format!("answer {number}")).expect("send");
        }
        for number in 0..3 {
            dealer.expect_all(&[String::new(), format!("answer {number}")]);
        }
    }
}

/// Programs choose random ids, of which some begin with zero: they are let in all the same.
#[test]
fn an_id_may_begin_with_zero() {
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    let endpoint = router.bind_to(Transport::Tcp);
    let id = *b"\0a random id";
    let req = ctx.socket(REQ);
    req.set_bytes(ROUTING_ID, &id).expect("ROUTING_ID");
    req.connect(&endpoint).expect("connect");
    req.send("hello").expect("send");
    router.expect_all(&[&id[..], b"", b"hello"]);
    router.send_all(&[&id[..], b"", b"back"]).expect("send");
    req.expect("back");
}

/// An id may be any bytes, up to 255 of them.
#[test]
fn an_id_may_be_binary_and_255_bytes_long() {
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    let endpoint = router.bind_to(Transport::Tcp);
    let mut id = vec![0xff; 255];
    id[1] = 0;
    let dealer = ctx.socket(DEALER);
    dealer.set_bytes(ROUTING_ID, &id).expect("ROUTING_ID");
    dealer.connect(&endpoint).expect("connect");
    dealer.send("hello").expect("send");
    router.expect_all(&[&id[..], b"hello"]);
    router.send_all(&[&id[..], b"back"]).expect("send");
    dealer.expect("back");
}

/// What a peer sent before it left can still be received from a ROUTER.
#[test]
fn a_router_delivers_what_came_before_the_peer_left() {
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    let dealer = named(&ctx, DEALER, "d");
    dealer.connect(&router.bind_to(Transport::Inproc)).expect("connect");
    dealer.send_all(&["last", "words"]).expect("send");
    dealer.close().expect("close");
    router.expect_all(&["d", "last", "words"]);
}
