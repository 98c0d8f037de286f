//! How a REP tells its peers apart: routing ids, and the options of ROUTER that it takes.
//! Requests and replies themselves are in `request_reply`.

use aught_behaviour::consts::*;
use aught_behaviour::*;

/// A peer whose envelope is written by hand, connected to a REP.
fn client(ctx: &Ctx, id: &str, endpoint: &str) -> Sock {
    let client = ctx.socket(DEALER);
    client.set_bytes(ROUTING_ID, id.as_bytes()).expect("ROUTING_ID");
    client.connect(endpoint).expect("connect");
    client
}

/// A request and its reply.
fn serve(server: &Sock, client: &Sock, body: &str) {
    client.send_all(&["", body]).expect("send");
    server.expect(body);
    server.send(format!("re: {body}")).expect("send");
    client.expect_all(&[String::new(), format!("re: {body}")]);
}

on_transports! {
    /// A second peer with a routing id in use is not heard.
    fn a_rep_serves_the_first_of_a_name(transport) {
        let ctx = Ctx::new();
        let server = ctx.socket(REP);
        let endpoint = server.bind_to(transport);
        let first = client(&ctx, "same", &endpoint);
        serve(&server, &first, "one");
        let second = client(&ctx, "same", &endpoint);
        second.send_all(&["", "never"]).expect("send");
        let other = client(&ctx, "other", &endpoint);
        serve(&server, &other, "two");
        serve(&server, &first, "three");
        server.expect_nothing();
    }
}

on_transports! {
    /// ZMQ_ROUTER_HANDOVER: the newcomer takes the id over, and the old peer is not heard.
    fn a_rep_may_hand_a_name_over(transport) {
        let ctx = Ctx::new();
        let server = ctx.socket(REP);
        server.set(ROUTER_HANDOVER, 1).expect("ROUTER_HANDOVER");
        let endpoint = server.bind_to(transport);
        let first = client(&ctx, "same", &endpoint);
        serve(&server, &first, "one");
        let second = client(&ctx, "same", &endpoint);
        serve(&server, &second, "two");
        // The old connection may have been ended meanwhile, and its pipe with it.
        let _ = first.try_send("");
        serve(&server, &second, "three");
        server.expect_nothing();
    }
}

/// A reply goes to whoever asked, and to nobody else who has its name now.
#[test]
fn a_reply_is_not_handed_over() {
    let ctx = Ctx::new();
    let server = ctx.socket(REP);
    server.set(ROUTER_HANDOVER, 1).expect("ROUTER_HANDOVER");
    let endpoint = server.bind_to(Transport::Inproc);
    let first = client(&ctx, "same", &endpoint);
    first.send_all(&["", "question"]).expect("send");
    server.expect("question");
    let second = client(&ctx, "same", &endpoint);
    second.send_all(&["", "another"]).expect("send");
    assert_eq!(server.events(), POLLOUT, "the newcomer has come");
    server.send("answer").expect("send");
    server.expect("another");
    server.send("another answer").expect("send");
    second.expect_all(&["", "another answer"]);
}

on_transports! {
    /// ZMQ_PROBE_ROUTER: a REP sends an empty message to whoever comes.
    fn a_rep_may_probe_its_peers(transport) {
        let ctx = Ctx::new();
        let server = ctx.socket(REP);
        server.set(PROBE_ROUTER, 1).expect("PROBE_ROUTER");
        let endpoint = server.bind_to(transport);
        let first = client(&ctx, "c", &endpoint);
        first.send_all(&["", "question"]).expect("send");
        server.expect("question");
        first.expect("");
        server.send("answer").expect("send");
        first.expect_all(&["", "answer"]);
    }
}

/// ZMQ_CONNECT_ROUTING_ID: the name is taken, so that a peer who announces it is not heard.
#[test]
fn a_rep_may_name_a_connection() {
    let ctx = Ctx::new();
    let peers = [ctx.socket(DEALER), ctx.socket(DEALER)];
    peers[1].set_bytes(ROUTING_ID, b"given").expect("ROUTING_ID");
    let server = ctx.socket(REP);
    server.set_bytes(CONNECT_ROUTING_ID, b"given").expect("CONNECT_ROUTING_ID");
    server.connect(&peers[0].bind_to(Transport::Tcp)).expect("connect");
    serve(&server, &peers[0], "one");
    server.connect(&peers[1].bind_to(Transport::Tcp)).expect("connect");
    peers[1].send_all(&["", "never"]).expect("send");
    server.expect_nothing();
    serve(&server, &peers[0], "two");
}

/// ZMQ_ROUTER_MANDATORY: a reply to a peer that is gone is dropped all the same.
#[test]
fn a_mandatory_rep_drops_replies_to_those_who_left() {
    let ctx = Ctx::new();
    let server = ctx.socket(REP);
    server.set(ROUTER_MANDATORY, 1).expect("ROUTER_MANDATORY");
    let endpoint = server.bind_to(Transport::Tcp);
    let first = client(&ctx, "c", &endpoint);
    first.send_all(&["", "question"]).expect("send");
    server.expect("question");
    drop(first);
    server.send("answer").expect("send");
    let second = client(&ctx, "d", &endpoint);
    serve(&server, &second, "again");
}

/// The ends of ZMQ_CONNECT_ROUTING_ID.
#[test]
fn the_name_of_a_connection_is_not_empty() {
    let ctx = Ctx::new();
    for kind in [REP, ROUTER, STREAM] {
        let socket = ctx.socket(kind);
        assert_eq!(socket.set_bytes(CONNECT_ROUTING_ID, b""), Err(EINVAL), "type {kind}");
        for id in [&b"\0abc"[..], b"a", &[b'x'; 300]] {
            assert_eq!(socket.set_bytes(CONNECT_ROUTING_ID, id), Ok(()), "type {kind}");
        }
    }
    for kind in [PAIR, PUB, SUB, REQ, DEALER, PULL, PUSH, XPUB, XSUB] {
        let socket = ctx.socket(kind);
        assert_eq!(socket.set_bytes(CONNECT_ROUTING_ID, b"a"), Err(EINVAL), "type {kind}");
    }
}
