//! Asking a handler about peers (RFC 27): when it is asked and what, who may be the handler, what
//! happens without one, and what messages say of a peer that was let in.
//!
//! What each reply does is in `security_zap_replies`.

use crate::peer;
use crate::warden::{
    DOMAIN, HANDLER, LET_IN, Mechanism, PASSWORD, Scene, USER, first_outcome, identify,
    on_mechanisms, property, reply_with, serve, set,
};
use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::io::Write;

const NO_HANDLER: (i32, i32) = (EVENT_HANDSHAKE_FAILED_NO_DETAIL, libc::EFAULT);
/// Milliseconds that a handshake may take where that is what ends it.
const SHORT: i32 = 200;

fn own(frames: &[&[u8]]) -> Vec<Vec<u8>> {
    frames.iter().map(|frame| frame.to_vec()).collect()
}

fn decode(text: &[u8]) -> Vec<u8> {
    let text = std::ffi::CString::new(text).expect("text");
    let mut data = [0; 32];
    assert!(!lib().zmq_z85_decode(data.as_mut_ptr(), text.as_ptr()).is_null(), "Z85");
    data.to_vec()
}

/// What a handler is asked, from the version on.
fn expected(scene: &Scene, domain: &str, address: &str, routing_id: &str) -> Vec<Vec<u8>> {
    let head = [b"1.0", &b"1"[..], domain.as_bytes(), address.as_bytes(), routing_id.as_bytes()];
    let mut frames = own(&head);
    match scene.mechanism {
        Mechanism::Null => frames.push(b"NULL".to_vec()),
        Mechanism::Plain => frames.extend(own(&[b"PLAIN", USER.as_bytes(), PASSWORD.as_bytes()])),
        Mechanism::Curve => {
            frames.push(b"CURVE".to_vec());
            frames.push(decode(&scene.keys.client.public));
        }
    }
    frames
}

on_mechanisms! {
    /// A REP receives the request from the version on, and its reply lets the client in.
    fn a_rep_is_asked(mechanism) {
        let scene = Scene::new(mechanism).domain().handler(REP);
        scene.start();
        assert_eq!(scene.request(), expected(&scene, DOMAIN, "127.0.0.1", ""));
        scene.server.expect_nothing();
        scene.the_handler().send_all(&LET_IN).expect("a reply");
        scene.expect_in();
    }
}

on_mechanisms! {
    /// A ROUTER receives the routing id of whoever asks and a delimiter before it.
    fn a_router_is_asked(mechanism) {
        let scene = Scene::new(mechanism).domain().handler(ROUTER);
        scene.start();
        let request = scene.request();
        let (envelope, body) = request.split_at(2);
        assert_eq!((envelope[0].len(), envelope[0][0], envelope[1].len()), (5, 0, 0));
        assert_eq!(body, expected(&scene, DOMAIN, "127.0.0.1", ""));
        let mut reply = envelope.to_vec();
        reply.extend(own(&LET_IN));
        scene.the_handler().send_all(&reply).expect("a reply");
        scene.expect_in();
    }
}

on_mechanisms! {
    /// The routing id in the request is that of the socket that asks.
    fn the_request_carries_the_servers_routing_id(mechanism) {
        let scene = Scene::new(mechanism).domain().handler(REP);
        set(&scene.server, ROUTING_ID, "server");
        set(&scene.client, ROUTING_ID, "client");
        scene.start();
        assert_eq!(scene.request(), expected(&scene, DOMAIN, "127.0.0.1", "server"));
        scene.the_handler().send_all(&LET_IN).expect("a reply");
        scene.expect_in();
    }
}

on_mechanisms! {
    fn a_peer_over_ipc_is_named_by_its_process(mechanism) {
        let scene = Scene::new(mechanism).domain().handler(REP);
        scene.start_over(Transport::Ipc);
        let request = scene.request();
        // SAFETY: plain questions to the system.
        let (user, group) = unsafe { (libc::getuid(), libc::getgid()) };
        let address = format!("localhost:{user}:{group}:{}", std::process::id());
        assert_eq!(request, expected(&scene, DOMAIN, &address, ""));
        scene.the_handler().send_all(&LET_IN).expect("a reply");
        let mut message = Msg::new();
        message.recv(&scene.server, 0).expect("a message");
        assert_eq!(message.gets("Peer-Address").as_deref(), Ok(&*address));
    }
}

on_mechanisms! {
    fn a_peer_over_ipv6_has_an_ipv6_address(mechanism) {
        if !can_ipv6() {
            return;
        }
        let scene = Scene::new(mechanism).domain().handler(REP);
        for socket in [&scene.server, &scene.client] {
            socket.set(IPV6, 1).expect("IPV6");
        }
        scene.server.bind("tcp://[::1]:*").expect("bind");
        scene.client.connect(&scene.server.last_endpoint()).expect("connect");
        scene.client.send("knock").expect("send");
        assert_eq!(scene.request(), expected(&scene, DOMAIN, "::1", ""));
    }
}

/// Servers of PLAIN and CURVE ask also without a domain, which is empty then.
#[test]
fn servers_ask_without_a_domain_too() {
    for mechanism in [Mechanism::Plain, Mechanism::Curve] {
        let scene = Scene::new(mechanism).handler(REP);
        scene.start();
        assert_eq!(scene.request(), expected(&scene, "", "127.0.0.1", ""));
        scene.the_handler().send_all(&LET_IN).expect("a reply");
        scene.expect_in();
    }
}

/// Without a domain, NULL asks nobody.
#[test]
fn null_without_a_domain_asks_nobody() {
    for enforce in [0, 1] {
        let scene = Scene::new(Mechanism::Null).handler(REP);
        scene.server.set(ZAP_ENFORCE_DOMAIN, enforce).expect("ZAP_ENFORCE_DOMAIN");
        scene.start();
        scene.expect_in();
        scene.the_handler().expect_nothing();
    }
}

/// A CURVE server that enforces its domain and has none asks nobody.
#[test]
fn curve_that_enforces_no_domain_asks_nobody() {
    let scene = Scene::new(Mechanism::Curve).handler(REP);
    scene.server.set(ZAP_ENFORCE_DOMAIN, 1).expect("ZAP_ENFORCE_DOMAIN");
    scene.start();
    scene.expect_in();
    scene.the_handler().expect_nothing();
}

/// Without a handler: who is let in all the same, and who is not. (A PLAIN server that enforces
/// its domain and has none ends the process on the reference.)
#[test]
fn without_a_handler_null_and_curve_are_open_unless_the_domain_is_enforced() {
    for (mechanism, domain, enforce, open) in [
        (Mechanism::Null, false, 0, true),
        (Mechanism::Null, false, 1, true),
        (Mechanism::Null, true, 0, true),
        (Mechanism::Null, true, 1, false),
        (Mechanism::Plain, false, 0, false),
        (Mechanism::Plain, true, 0, false),
        (Mechanism::Plain, true, 1, false),
        (Mechanism::Curve, false, 0, true),
        (Mechanism::Curve, false, 1, true),
        (Mechanism::Curve, true, 0, true),
        (Mechanism::Curve, true, 1, false),
    ] {
        let scene = Scene::new(mechanism);
        let scene = if domain { scene.domain() } else { scene };
        scene.server.set(ZAP_ENFORCE_DOMAIN, enforce).expect("ZAP_ENFORCE_DOMAIN");
        scene.server.set(HANDSHAKE_IVL, if open { 30_000 } else { SHORT }).expect("HANDSHAKE_IVL");
        scene.start();
        if open {
            scene.expect_in();
        } else {
            scene.expect_refused(NO_HANDLER.0, NO_HANDLER.1);
            scene.server_told.wait(EVENT_DISCONNECTED);
            // The client sees no more than the end.
            let (kind, _) = first_outcome(&scene.client_told);
            assert_eq!(kind, EVENT_HANDSHAKE_FAILED_NO_DETAIL);
            scene.client_told.wait(EVENT_CONNECT_RETRIED);
        }
    }
}

on_mechanisms! {
    /// A handler that comes late decides about the attempts that are made then.
    fn a_late_handler_is_asked_at_the_next_attempt(mechanism) {
        let mut scene = Scene::new(mechanism).domain();
        scene.server.set(ZAP_ENFORCE_DOMAIN, 1).expect("ZAP_ENFORCE_DOMAIN");
        scene.server.set(HANDSHAKE_IVL, SHORT).expect("HANDSHAKE_IVL");
        scene.start();
        assert_eq!(first_outcome(&scene.server_told), NO_HANDLER);
        scene.bind_handler(REP);
        scene.answer(&LET_IN);
        scene.server.expect("knock");
    }
}

on_mechanisms! {
    /// Who was let in without a handler stays in when one comes.
    fn whoever_is_in_stays_in(mechanism) {
        let mut scene = Scene::new(mechanism).domain();
        if mechanism == Mechanism::Plain {
            return; // nobody is in
        }
        scene.start();
        scene.expect_in();
        scene.bind_handler(REP);
        scene.client.send("again").expect("send");
        scene.server.expect("again");
        scene.the_handler().expect_nothing();
    }
}

on_mechanisms! {
    /// While the handler says nothing, nothing happens, until the handshake's time is over.
    fn a_silent_handler_leaves_it_to_the_handshake_timer(mechanism) {
        let scene = Scene::new(mechanism).domain().handler(REP);
        scene.server.set(HANDSHAKE_IVL, SHORT).expect("HANDSHAKE_IVL");
        scene.start();
        scene.request();
        scene.expect_refused(EVENT_HANDSHAKE_FAILED_NO_DETAIL, libc::EAGAIN);
        scene.server_told.wait(EVENT_DISCONNECTED);
        let (kind, _) = first_outcome(&scene.client_told);
        assert_eq!(kind, EVENT_HANDSHAKE_FAILED_NO_DETAIL);
        scene.client_told.wait(EVENT_CONNECT_RETRIED);
    }
}

on_mechanisms! {
    /// So it is with one that goes away without a word.
    fn a_handler_that_goes_is_a_silent_one(mechanism) {
        let mut scene = Scene::new(mechanism).domain().handler(REP);
        scene.server.set(HANDSHAKE_IVL, SHORT).expect("HANDSHAKE_IVL");
        scene.start();
        scene.request();
        scene.handler = None;
        assert_eq!(
            first_outcome(&scene.server_told),
            (EVENT_HANDSHAKE_FAILED_NO_DETAIL, libc::EAGAIN)
        );
    }
}

on_mechanisms! {
    /// An answer that comes after the time is up lets nobody in.
    fn an_answer_after_the_time_is_up_counts_for_nothing(mechanism) {
        let scene = Scene::new(mechanism).domain().handler(ROUTER);
        scene.server.set(HANDSHAKE_IVL, SHORT).expect("HANDSHAKE_IVL");
        scene.client.set(RECONNECT_IVL, -1).expect("RECONNECT_IVL");
        scene.start();
        let request = scene.request();
        scene.server_told.wait(EVENT_DISCONNECTED);
        let mut reply = request[..2].to_vec();
        reply.extend(own(&LET_IN));
        scene.the_handler().send_all(&reply).expect("a reply");
        scene.server.expect_nothing();
    }
}

/// There is one handler in a context.
#[test]
fn there_is_one_handler() {
    let ctx = Ctx::new();
    let first = ctx.socket(REP);
    first.bind(HANDLER).expect("bind");
    assert_eq!(ctx.socket(ROUTER).bind(HANDLER), Err(EADDRINUSE));
    drop(first);
    Sock::until(|| ctx.socket(ROUTER).bind(HANDLER).ok());
}

/// A handler of another context is not asked.
#[test]
fn a_handler_belongs_to_its_context() {
    let elsewhere = Ctx::new();
    let handler = elsewhere.socket(REP);
    handler.bind(HANDLER).expect("bind");
    let scene = Scene::new(Mechanism::Plain).domain();
    scene.start();
    scene.expect_refused(NO_HANDLER.0, NO_HANDLER.1);
    handler.expect_nothing();
}

/// A ROUTER may answer several at once, in any order.
#[test]
fn several_peers_are_asked_about_at_once() {
    let ctx = Ctx::new();
    let handler = ctx.socket(ROUTER);
    handler.bind(HANDLER).expect("bind");
    let server = ctx.socket(PULL);
    server.set(PLAIN_SERVER, 1).expect("PLAIN_SERVER");
    let endpoint = server.bind_to(Transport::Tcp);
    let clients: Vec<_> = (0..6)
        .map(|index| {
            let client = ctx.socket(PUSH);
            set(&client, PLAIN_USERNAME, format!("user{index}"));
            client.connect(&endpoint).expect("connect");
            client.send(format!("user{index}")).expect("send");
            client
        })
        .collect();
    let requests: Vec<_> = clients.iter().map(|_| handler.recv_all().expect("a request")).collect();
    for request in requests.iter().rev() {
        let user = &request[8];
        let status: &[u8] = if user.ends_with(b"3") { b"400" } else { b"200" };
        let mut reply = request[..2].to_vec();
        reply.extend(own(&[b"1.0", &request[3], status, b"", user, b""]));
        handler.send_all(&reply).expect("a reply");
    }
    let mut seen = Vec::new();
    for _ in 1..clients.len() {
        let mut message = Msg::new();
        message.recv(&server, 0).expect("a message");
        let text = String::from_utf8(message.bytes()).expect("text");
        assert_eq!(message.gets("User-Id"), Ok(text.clone()));
        seen.push(text);
    }
    seen.sort_unstable();
    assert_eq!(seen, ["user0", "user1", "user2", "user4", "user5"]);
    server.expect_nothing();
}

on_mechanisms! {
    /// The user id and the handler's metadata are properties of the peer's messages.
    fn messages_say_what_the_handler_said(mechanism) {
        let scene = Scene::new(mechanism).domain().handler(REP);
        scene.start();
        let metadata = [property("X-Role", "admin"), property("Hello", "World")].concat();
        scene.answer(&reply_with(5, &metadata));
        let mut message = Msg::new();
        message.recv(&scene.server, 0).expect("a message");
        for (name, value) in [
            ("User-Id", "joe"),
            ("X-Role", "admin"),
            ("Hello", "World"),
            ("Socket-Type", "DEALER"),
            ("Peer-Address", "127.0.0.1"),
        ] {
            assert_eq!(message.gets(name).as_deref(), Ok(value), "{name}");
        }
        assert_eq!(message.gets("X-Nothing"), Err(EINVAL));
    }
}

on_mechanisms! {
    /// What the handler says is not what the reply says twice, nor what we see ourselves.
    fn metadata_does_not_change_who_the_user_is(mechanism) {
        let scene = Scene::new(mechanism).domain().handler(REP);
        set(&scene.client, ROUTING_ID, "client");
        scene.start();
        let metadata = [
            property("User-Id", "evil"),
            property("Peer-Address", "6.6.6.6"),
            property("Identity", "other"),
            property("Socket-Type", "DEALER"),
        ];
        scene.answer(&reply_with(5, &metadata.concat()));
        let mut message = Msg::new();
        message.recv(&scene.server, 0).expect("a message");
        assert_eq!(message.gets("User-Id").as_deref(), Ok("joe"));
        assert_eq!(message.gets("Peer-Address").as_deref(), Ok("127.0.0.1"));
        assert_eq!(message.gets("Identity").as_deref(), Ok("other"));
    }
}

on_mechanisms! {
    fn users_may_have_any_name(mechanism) {
        for (user, expected) in [(&b""[..], ""), (b"a\0b", "a"), (&[b'u'; 300], &*"u".repeat(300))] {
            let scene = Scene::new(mechanism).domain().handler(REP);
            scene.start();
            scene.answer(&reply_with(4, user));
            let mut message = Msg::new();
            message.recv(&scene.server, 0).expect("a message");
            assert_eq!(message.gets("User-Id").as_deref(), Ok(expected));
        }
    }
}

/// The messages that the client receives say nothing of it.
#[test]
fn the_client_is_told_nothing_of_its_user_id() {
    for mechanism in [Mechanism::Null, Mechanism::Plain, Mechanism::Curve] {
        let scene = Scene::new(mechanism).domain().handler(REP);
        scene.start();
        scene.answer(&LET_IN);
        scene.expect_in();
        scene.server.send("welcome").expect("send");
        let mut message = Msg::new();
        message.recv(&scene.client, 0).expect("a message");
        assert_eq!(message.gets("User-Id"), Err(EINVAL));
    }
}

/// inproc has no handshake, and nobody is asked.
#[test]
fn inproc_asks_nobody() {
    for mechanism in [Mechanism::Null, Mechanism::Plain, Mechanism::Curve] {
        let scene = Scene::new(mechanism).domain().handler(REP);
        scene.start_over(Transport::Inproc);
        let mut message = Msg::new();
        message.recv(&scene.server, 0).expect("a message");
        assert_eq!(message.gets("User-Id"), Err(EINVAL));
        scene.the_handler().expect_nothing();
    }
}

/// The side that decides may be the one that connects.
#[test]
fn a_server_may_connect() {
    for mechanism in [Mechanism::Plain, Mechanism::Curve] {
        let scene = Scene::new(mechanism).domain().handler(REP);
        scene.server.connect(&scene.client.bind_to(Transport::Tcp)).expect("connect");
        scene.answer(&LET_IN);
        scene.client.send("knock").expect("send");
        scene.expect_in();
    }
}

/// With NULL, each side with a domain decides about the other.
#[test]
fn both_sides_of_null_may_ask() {
    let scene = Scene::new(Mechanism::Null).domain().handler(REP);
    set(&scene.client, ZAP_DOMAIN, "client");
    scene.start();
    let mut domains: Vec<_> = (0..2)
        .map(|_| {
            let request = scene.request();
            scene.the_handler().send_all(&LET_IN).expect("a reply");
            String::from_utf8(request[2].clone()).expect("text")
        })
        .collect();
    domains.sort_unstable();
    assert_eq!(domains, ["client", DOMAIN]);
    scene.expect_in();
}

/// Each new connection is asked about anew.
#[test]
fn every_connection_is_asked_about() {
    for mechanism in [Mechanism::Null, Mechanism::Plain, Mechanism::Curve] {
        let scene = Scene::new(mechanism).domain().handler(REP);
        scene.start();
        scene.answer(&LET_IN);
        scene.expect_in();
        let second = scene.ctx.socket(DEALER);
        identify(&second, mechanism, &scene.keys);
        second.connect(&scene.server.last_endpoint()).expect("connect");
        second.send("second").expect("send");
        scene.answer(&reply_with(2, b"400"));
        assert_eq!(first_outcome(&scene.server_told), (EVENT_HANDSHAKE_FAILED_AUTH, 400));
        drop(second);
        let third = scene.ctx.socket(DEALER);
        identify(&third, mechanism, &scene.keys);
        third.connect(&scene.server.last_endpoint()).expect("connect");
        third.send("third").expect("send");
        // The second one may have tried again before it went.
        while scene.server.poll(POLLIN, 0) == 0 {
            scene.answer(&LET_IN);
            scene.server.poll(POLLIN, 300);
        }
        scene.server.expect("third");
    }
}

/// Peers that are too old to be asked about are turned away where somebody is to be asked
/// (RFC 37: "If the implementation's security mechanism is anything other than NULL").
#[test]
fn old_peers_are_not_let_in_where_somebody_is_to_be_asked() {
    let v2 = b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x05\0\0\0\x05knock";
    let v1 = b"\x01\0\x06\0knock";
    for mechanism in [Mechanism::Null, Mechanism::Plain, Mechanism::Curve] {
        for octets in [&v2[..], &v1[..]] {
            let scene = Scene::new(mechanism).domain().handler(REP);
            let endpoint = scene.server.bind_to(Transport::Tcp);
            let mut stream = raw_connect(&endpoint);
            stream.write_all(octets).expect("write");
            peer::closed(stream);
            scene.server_told.wait(EVENT_DISCONNECTED);
            scene.server.expect_nothing();
            scene.the_handler().expect_nothing();
        }
    }
}

/// A handler does not slow down those that need none.
#[test]
fn others_go_on_while_a_handler_is_silent() {
    let scene = Scene::new(Mechanism::Plain).domain().handler(REP);
    scene.start();
    scene.request();
    let (push, pull) = (scene.ctx.socket(PUSH), scene.ctx.socket(PULL));
    push.connect(&pull.bind_to(Transport::Tcp)).expect("connect");
    for _ in 0..100 {
        push.send("x").expect("send");
        pull.expect("x");
    }
    scene.the_handler().send_all(&LET_IN).expect("a reply");
    scene.expect_in();
}

/// Sockets close and contexts end while the handler has not answered.
#[test]
fn an_open_question_holds_nobody() {
    for mechanism in [Mechanism::Null, Mechanism::Plain, Mechanism::Curve] {
        let scene = Scene::new(mechanism).domain().handler(REP);
        scene.start();
        scene.request();
        drop(scene);
        let mut scene = Scene::new(mechanism).domain().handler(REP);
        scene.start();
        scene.request();
        scene.handler = None;
    }
}

/// A server that is set up twice asks with what it was bound with.
#[test]
fn the_domain_counts_from_the_next_endpoint_on() {
    let scene = Scene::new(Mechanism::Plain).handler(REP);
    serve(&scene.server, Mechanism::Plain, &scene.keys);
    set(&scene.server, ZAP_DOMAIN, "first");
    scene.start();
    set(&scene.server, ZAP_DOMAIN, "second");
    assert_eq!(scene.request()[2], b"first");
}
