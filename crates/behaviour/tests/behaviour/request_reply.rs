//! REQ and REP (RFC 28, zmq_socket(3)): alternation, envelopes, relaxed and correlated requests.

use aught_behaviour::consts::*;
use aught_behaviour::*;

fn pair_of(ctx: &Ctx, transport: Transport) -> (Sock, Sock) {
    let server = ctx.socket(REP);
    let endpoint = server.bind_to(transport);
    let client = ctx.socket(REQ);
    client.connect(&endpoint).expect("connect");
    (server, client)
}

on_transports! {
    /// A request reaches the server and its reply the client.
    fn a_request_is_answered(transport) {
        let ctx = Ctx::new();
        let (server, client) = pair_of(&ctx, transport);
        for round in 0..5 {
            client.send(format!("question {round}")).expect("send");
            server.expect(format!("question {round}"));
            server.send(format!("answer {round}")).expect("send");
            client.expect(format!("answer {round}"));
        }
    }
}

on_transports! {
    /// All parts of a request and of a reply arrive, empty ones among them.
    fn requests_and_replies_have_many_parts(transport) {
        let ctx = Ctx::new();
        let (server, client) = pair_of(&ctx, transport);
        client.send_all(&["one", "", "three"]).expect("send");
        server.expect_all(&["one", "", "three"]);
        server.send_all(&["", "b", ""]).expect("send");
        client.expect_all(&["", "b", ""]);
    }
}

/// zmq_socket(3): a REQ may only send, then receive, in turn.
#[test]
fn req_cannot_send_twice() {
    let ctx = Ctx::new();
    let (_server, client) = pair_of(&ctx, Transport::Inproc);
    client.send("first").expect("send");
    assert_eq!(client.send("second"), Err(EFSM));
}

#[test]
fn req_cannot_receive_before_it_sends() {
    let ctx = Ctx::new();
    let (_server, client) = pair_of(&ctx, Transport::Inproc);
    assert_eq!(client.recv(), Err(EFSM));
    assert_eq!(client.try_recv(), Err(EFSM));
}

#[test]
fn req_cannot_receive_in_the_middle_of_its_request() {
    let ctx = Ctx::new();
    let (_server, client) = pair_of(&ctx, Transport::Inproc);
    client.send_more("first").expect("send");
    assert_eq!(client.try_recv(), Err(EFSM));
}

#[test]
fn req_cannot_send_in_the_middle_of_a_reply() {
    let ctx = Ctx::new();
    let (server, client) = pair_of(&ctx, Transport::Inproc);
    client.send("question").expect("send");
    server.expect("question");
    server.send_all(&["a", "b"]).expect("send");
    assert_eq!(client.recv().expect("a part"), b"a");
    assert_eq!(client.send("too early"), Err(EFSM));
    assert_eq!(client.recv().expect("a part"), b"b");
    client.send("next").expect("send");
}

/// zmq_socket(3): a REP may only receive, then send, in turn.
#[test]
fn rep_cannot_send_before_it_receives() {
    let ctx = Ctx::new();
    let (server, _client) = pair_of(&ctx, Transport::Inproc);
    assert_eq!(server.send("answer"), Err(EFSM));
}

#[test]
fn rep_cannot_receive_before_it_replies() {
    let ctx = Ctx::new();
    let (server, client) = pair_of(&ctx, Transport::Inproc);
    client.send("question").expect("send");
    server.expect("question");
    assert_eq!(server.recv(), Err(EFSM));
}

#[test]
fn rep_cannot_reply_in_the_middle_of_a_request() {
    let ctx = Ctx::new();
    let (server, client) = pair_of(&ctx, Transport::Inproc);
    client.send_all(&["a", "b"]).expect("send");
    assert_eq!(server.recv().expect("a part"), b"a");
    assert_eq!(server.send("too early"), Err(EFSM));
    assert_eq!(server.recv().expect("a part"), b"b");
    server.send("answer").expect("send");
    client.expect("answer");
}

#[test]
fn rep_cannot_receive_in_the_middle_of_its_reply() {
    let ctx = Ctx::new();
    let (server, client) = pair_of(&ctx, Transport::Inproc);
    client.send("question").expect("send");
    server.expect("question");
    server.send_more("first").expect("send");
    assert_eq!(server.try_recv(), Err(EFSM));
    server.send("last").expect("send");
    client.expect_all(&["first", "last"]);
}

/// An out-of-turn call changes nothing: the exchange goes on.
#[test]
fn a_refused_call_leaves_the_exchange_as_it_was() {
    let ctx = Ctx::new();
    let (server, client) = pair_of(&ctx, Transport::Tcp);
    assert_eq!(client.recv(), Err(EFSM));
    client.send("question").expect("send");
    assert_eq!(client.send("again"), Err(EFSM));
    server.expect("question");
    assert_eq!(server.recv(), Err(EFSM));
    server.send("answer").expect("send");
    assert_eq!(server.send("again"), Err(EFSM));
    client.expect("answer");
}

/// zmq_socket(3): with no services available a REQ blocks; without waiting, EAGAIN.
#[test]
fn req_without_a_peer_would_block() {
    let ctx = Ctx::new();
    let client = ctx.socket(REQ);
    assert_eq!(client.try_send("question"), Err(EAGAIN));
    assert_eq!(client.poll(POLLOUT, 0), 0);
}

#[test]
fn rep_without_a_request_would_block() {
    let ctx = Ctx::new();
    let (server, _client) = pair_of(&ctx, Transport::Inproc);
    assert_eq!(server.try_recv(), Err(EAGAIN));
}

/// RFC 28: a REQ sends its requests to its peers in turn.
#[test]
fn req_goes_round_its_servers() {
    let ctx = Ctx::new();
    let servers = [ctx.socket(REP), ctx.socket(REP), ctx.socket(REP)];
    let client = ctx.socket(REQ);
    for server in &servers {
        client.connect(&server.bind_to(Transport::Inproc)).expect("connect");
    }
    for round in 0..2 {
        for (index, server) in servers.iter().enumerate() {
            let text = format!("{round} {index}");
            client.send(&text).expect("send");
            server.expect(&text);
            server.send(&text).expect("send");
            client.expect(&text);
        }
    }
}

/// RFC 28: a REP takes the requests of its peers in turn, and answers each peer its own.
#[test]
fn rep_is_fair_to_its_clients() {
    let ctx = Ctx::new();
    let server = ctx.socket(REP);
    let endpoint = server.bind_to(Transport::Inproc);
    let clients = [ctx.socket(REQ), ctx.socket(REQ), ctx.socket(REQ)];
    for (index, client) in clients.iter().enumerate() {
        client.connect(&endpoint).expect("connect");
        client.send(format!("client {index}")).expect("send");
    }
    let mut seen = Vec::new();
    for _ in &clients {
        let request = server.recv_text().remove(0);
        server.send(format!("for {request}")).expect("send");
        seen.push(request);
    }
    seen.sort();
    assert_eq!(seen, ["client 0", "client 1", "client 2"]);
    for (index, client) in clients.iter().enumerate() {
        client.expect(format!("for client {index}"));
    }
}

on_transports! {
    /// RFC 28: a REQ puts one empty frame before its request and takes it off the reply.
    fn req_puts_an_empty_delimiter_first(transport) {
        let ctx = Ctx::new();
        let router = ctx.socket(ROUTER);
        let endpoint = router.bind_to(transport);
        let client = ctx.socket(REQ);
        client.connect(&endpoint).expect("connect");
        client.send_all(&["a", "b"]).expect("send");
        let request = router.recv_all().expect("a request");
        assert_eq!(request[1..], [b"".to_vec(), b"a".to_vec(), b"b".to_vec()]);
        router.send_all(&[&request[0][..], b"", b"c", b"d"]).expect("send");
        client.expect_all(&["c", "d"]);
    }
}

on_transports! {
    /// RFC 28: a REP keeps the whole stack of addresses up to the empty frame and puts it back.
    fn rep_keeps_an_envelope_of_many_hops(transport) {
        let ctx = Ctx::new();
        let server = ctx.socket(REP);
        let endpoint = server.bind_to(transport);
        let dealer = ctx.socket(DEALER);
        dealer.connect(&endpoint).expect("connect");
        dealer.send_all(&["hop 1", "hop 2", "hop 3", "", "question", "more"]).expect("send");
        server.expect_all(&["question", "more"]);
        server.send_all(&["answer", "", "end"]).expect("send");
        dealer.expect_all(&["hop 1", "hop 2", "hop 3", "", "answer", "", "end"]);
    }
}

/// A request without the empty frame is not one: it is passed over, and the next one served.
#[test]
fn rep_passes_over_a_request_without_a_delimiter() {
    let ctx = Ctx::new();
    let server = ctx.socket(REP);
    let endpoint = server.bind_to(Transport::Inproc);
    let dealer = ctx.socket(DEALER);
    dealer.connect(&endpoint).expect("connect");
    dealer.send_all(&["no", "delimiter"]).expect("send");
    dealer.send_all(&["", "question"]).expect("send");
    server.expect("question");
    server.send("answer").expect("send");
    dealer.expect_all(&["", "answer"]);
}

/// A reply that does not start with the empty frame is dropped.
#[test]
fn req_drops_a_reply_without_a_delimiter() {
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    let endpoint = router.bind_to(Transport::Inproc);
    let client = ctx.socket(REQ);
    client.connect(&endpoint).expect("connect");
    client.send("question").expect("send");
    let id = router.recv_all().expect("a request").remove(0);
    router.send_all(&[&id[..], b"malformed"]).expect("send");
    router.send_all(&[&id[..], b"malformed", b"too"]).expect("send");
    router.send_all(&[&id[..], b"", b"answer"]).expect("send");
    client.expect("answer");
}

/// RFC 28: a REQ discards what comes from a peer that it did not ask.
#[test]
fn req_takes_the_reply_of_the_peer_it_asked_only() {
    let ctx = Ctx::new();
    let asked = ctx.socket(DEALER);
    let other = ctx.socket(DEALER);
    let client = ctx.socket(REQ);
    client.connect(&asked.bind_to(Transport::Inproc)).expect("connect");
    client.connect(&other.bind_to(Transport::Inproc)).expect("connect");
    client.send("question").expect("send");
    asked.expect_all(&["", "question"]);
    other.send_all(&["", "unasked"]).expect("send");
    asked.send_all(&["", "answer"]).expect("send");
    client.expect("answer");
}

/// What comes before the request is not its reply.
#[test]
fn req_drops_what_comes_while_it_has_not_asked() {
    let ctx = Ctx::new();
    let server = ctx.socket(DEALER);
    let client = ctx.socket(REQ);
    client.connect(&server.bind_to(Transport::Inproc)).expect("connect");
    client.send("first").expect("send");
    server.expect_all(&["", "first"]);
    server.send_all(&["", "answer"]).expect("send");
    client.expect("answer");
    assert_eq!(client.poll(POLLIN, 0), 0);
}

/// A REP whose client has gone takes its reply and drops it, and is free for the next request.
#[test]
fn rep_drops_the_reply_to_a_client_that_left() {
    let ctx = Ctx::new();
    let server = ctx.socket(REP);
    let endpoint = server.bind_to(Transport::Inproc);
    let gone = ctx.socket(REQ);
    gone.connect(&endpoint).expect("connect");
    gone.send("question").expect("send");
    server.expect("question");
    drop(gone);
    server.send("answer").expect("send");
    let next = ctx.socket(REQ);
    next.connect(&endpoint).expect("connect");
    next.send("next").expect("send");
    server.expect("next");
    server.send("served").expect("send");
    next.expect("served");
}

/// ZMQ_REQ_RELAXED in zmq_setsockopt(3): a new request may replace one that was not answered.
#[test]
fn req_relaxed_sends_again_and_gets_the_new_reply() {
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    let endpoint = router.bind_to(Transport::Tcp);
    let client = ctx.socket(REQ);
    client.set(REQ_RELAXED, 1).expect("REQ_RELAXED");
    client.set(REQ_CORRELATE, 1).expect("REQ_CORRELATE");
    client.connect(&endpoint).expect("connect");
    client.send("first").expect("send");
    let first = router.recv_all().expect("a request");
    client.send("second").expect("send");
    let second = router.recv_all().expect("a request");
    assert_eq!(first.last().expect("a part"), b"first");
    assert_eq!(second.last().expect("a part"), b"second");
    let reply = |request: &[Vec<u8>], text: &str| {
        let mut parts = request.to_vec();
        *parts.last_mut().expect("a part") = text.as_bytes().to_vec();
        parts
    };
    // The reply to the request that was given up may still come: it must not be taken.
    let _ = router.send_all(&reply(&first, "late"));
    router.send_all(&reply(&second, "answer")).expect("send");
    client.expect("answer");
}

/// ZMQ_REQ_CORRELATE: a four-byte request number travels before the empty frame.
#[test]
fn req_correlate_puts_a_request_number_first() {
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    let endpoint = router.bind_to(Transport::Inproc);
    let client = ctx.socket(REQ);
    client.set(REQ_CORRELATE, 1).expect("REQ_CORRELATE");
    client.connect(&endpoint).expect("connect");
    let mut numbers = Vec::new();
    for _ in 0..2 {
        client.send("question").expect("send");
        let request = router.recv_all().expect("a request");
        assert_eq!(request.len(), 4, "id, number, delimiter, body");
        assert_eq!(request[1].len(), 4);
        assert_eq!(request[2], b"");
        numbers.push(request[1].clone());
        let reply = [&request[0][..], &request[1][..], b"", b"answer"];
        router.send_all(&reply).expect("send");
        client.expect("answer");
    }
    assert_ne!(numbers[0], numbers[1]);
}

#[test]
fn req_correlate_drops_a_reply_with_another_number() {
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    let endpoint = router.bind_to(Transport::Inproc);
    let client = ctx.socket(REQ);
    client.set(REQ_CORRELATE, 1).expect("REQ_CORRELATE");
    client.connect(&endpoint).expect("connect");
    client.send("question").expect("send");
    let request = router.recv_all().expect("a request");
    let mut wrong = request[1].clone();
    wrong[0] ^= 0xff;
    wrong[3] ^= 0xff;
    router.send_all(&[&request[0][..], &wrong[..], b"", b"wrong"]).expect("send");
    router.send_all(&[&request[0][..], &request[1][..], b"", b"right"]).expect("send");
    client.expect("right");
}

/// A REP answers correlated requests without knowing of them.
#[test]
fn req_correlate_works_with_rep() {
    let ctx = Ctx::new();
    let server = ctx.socket(REP);
    let client = ctx.socket(REQ);
    client.set(REQ_CORRELATE, 1).expect("REQ_CORRELATE");
    client.connect(&server.bind_to(Transport::Tcp)).expect("connect");
    for _ in 0..3 {
        client.send("question").expect("send");
        server.expect("question");
        server.send("answer").expect("send");
        client.expect("answer");
    }
}

/// POLLIN and POLLOUT follow the turns of the exchange.
#[test]
fn poll_follows_the_turns_of_the_exchange() {
    let ctx = Ctx::new();
    let (server, client) = pair_of(&ctx, Transport::Inproc);
    assert_eq!(client.poll(POLLIN | POLLOUT, 0), POLLOUT);
    assert_eq!(server.poll(POLLIN | POLLOUT, 0), 0);
    client.send("question").expect("send");
    assert_eq!(client.poll(POLLIN | POLLOUT, 0), 0);
    assert_eq!(server.poll(POLLIN | POLLOUT, 0), POLLIN);
    server.expect("question");
    assert_eq!(server.poll(POLLIN | POLLOUT, 0), POLLOUT);
    server.send("answer").expect("send");
    assert_eq!(client.poll(POLLIN | POLLOUT, 0), POLLIN);
    client.expect("answer");
    assert_eq!(client.poll(POLLIN | POLLOUT, 0), POLLOUT);
}
