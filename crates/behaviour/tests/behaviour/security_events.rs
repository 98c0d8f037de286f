//! Handshakes of PLAIN and CURVE that succeed or fail without anybody being asked: wrong keys,
//! missing keys, mechanisms that differ. What a handler does to them is in `security_zap`.

use crate::warden::{
    Both, LET_IN, Mechanism, Scene, first_outcome, identify, keys, on_mechanisms, reply_with,
    serve, set,
};
use aught_behaviour::consts::*;
use aught_behaviour::*;

const CRYPTOGRAPHIC: (i32, i32) =
    (EVENT_HANDSHAKE_FAILED_PROTOCOL, PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC);
const MISMATCH: (i32, i32) =
    (EVENT_HANDSHAKE_FAILED_PROTOCOL, PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH);

/// The server cannot open what the client sends; the client sees its connection end.
#[track_caller]
fn cannot_be_opened(scene: &Scene) {
    scene.start();
    scene.expect_refused(CRYPTOGRAPHIC.0, CRYPTOGRAPHIC.1);
    scene.server_told.wait(EVENT_DISCONNECTED);
    assert_eq!(first_outcome(&scene.client_told).0, EVENT_HANDSHAKE_FAILED_NO_DETAIL);
    scene.client_told.wait(EVENT_CONNECT_RETRIED);
}

/// "Stonehouse": everything is encrypted, and anybody who knows the server's key can come.
#[test]
fn curve_without_a_handler_encrypts_only() {
    for kinds in [(PUSH, PULL), (DEALER, ROUTER), (PUB, SUB), (XPUB, XSUB), (PAIR, PAIR)] {
        let ctx = Ctx::new();
        let keys = Both::new();
        let (server, client) = (ctx.socket(kinds.0), ctx.socket(kinds.1));
        serve(&server, Mechanism::Curve, &keys);
        identify(&client, Mechanism::Curve, &keys);
        let told = (Monitor::new(&ctx, &server), Monitor::new(&ctx, &client));
        client.connect(&server.bind_to(Transport::Tcp)).expect("connect");
        assert_eq!(first_outcome(&told.0), (EVENT_HANDSHAKE_SUCCEEDED, 0), "{kinds:?}");
        assert_eq!(first_outcome(&told.1), (EVENT_HANDSHAKE_SUCCEEDED, 0), "{kinds:?}");
    }
}

on_mechanisms! {
    fn messages_of_every_size_come_whole(mechanism) {
        for transport in [Transport::Tcp, Transport::Ipc] {
            let scene = Scene::new(mechanism).domain().handler(REP);
            scene.start_over(transport);
            scene.answer(&LET_IN);
            scene.expect_in();
            for size in [0, 1, 15, 16, 17, 200, 255, 256, 8191, 8192, 8193, 70_000, 1 << 20] {
                let body: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
                scene.client.send_all(&[&b"head"[..], &body, b""]).expect("send");
                scene.server.expect_all(&[&b"head"[..], &body, b""]);
                scene.server.send(&body).expect("send");
                scene.client.expect(&body);
            }
        }
    }
}

/// zmq_plain(7): the handler decides about names and passwords.
#[test]
fn a_wrong_password_is_told_on_both_sides() {
    let scene = Scene::new(Mechanism::Plain).handler(REP);
    set(&scene.client, PLAIN_PASSWORD, "wrong");
    scene.start();
    let request = scene.request();
    assert_eq!(request[5..], [&b"PLAIN"[..], b"admin", b"wrong"]);
    scene.the_handler().send_all(&reply_with(2, b"400")).expect("a reply");
    scene.expect_refused(EVENT_HANDSHAKE_FAILED_AUTH, 400);
    scene.expect_client_told(EVENT_HANDSHAKE_FAILED_AUTH, 400);
}

#[test]
fn an_empty_password_is_shown_as_it_is() {
    let scene = Scene::bare(Mechanism::Plain, Both::new()).handler(REP);
    serve(&scene.server, Mechanism::Plain, &scene.keys);
    set(&scene.client, PLAIN_USERNAME, "admin");
    scene.start();
    assert_eq!(scene.request()[5..], [&b"PLAIN"[..], b"admin", b""]);
    scene.the_handler().send_all(&LET_IN).expect("a reply");
    scene.expect_in();
}

#[test]
fn names_and_passwords_may_have_255_bytes_of_anything() {
    let scene = Scene::bare(Mechanism::Plain, Both::new()).handler(REP);
    serve(&scene.server, Mechanism::Plain, &scene.keys);
    let (name, password): (Vec<u8>, Vec<u8>) = ((1..=255).collect(), (0..255).collect());
    set(&scene.client, PLAIN_USERNAME, &name);
    set(&scene.client, PLAIN_PASSWORD, &password);
    scene.start();
    assert_eq!(scene.request()[6..], [name, password]);
}

#[test]
fn a_wrong_server_key_fails() {
    let scene = Scene::new(Mechanism::Curve).handler(REP);
    set(&scene.client, CURVE_SERVERKEY, keys().public);
    cannot_be_opened(&scene);
    scene.the_handler().expect_nothing();
}

#[test]
fn a_public_key_that_is_not_of_the_secret_one_fails() {
    let scene = Scene::new(Mechanism::Curve).handler(REP);
    set(&scene.client, CURVE_PUBLICKEY, keys().public);
    cannot_be_opened(&scene);
    scene.the_handler().expect_nothing();
}

#[test]
fn a_client_without_a_secret_key_fails() {
    let scene = Scene::bare(Mechanism::Curve, Both::new()).handler(REP);
    serve(&scene.server, Mechanism::Curve, &scene.keys);
    set(&scene.client, CURVE_SERVERKEY, &scene.keys.server.public);
    set(&scene.client, CURVE_PUBLICKEY, &scene.keys.client.public);
    cannot_be_opened(&scene);
    scene.the_handler().expect_nothing();
}

#[test]
fn a_client_without_keys_of_its_own_fails() {
    let scene = Scene::bare(Mechanism::Curve, Both::new()).handler(REP);
    serve(&scene.server, Mechanism::Curve, &scene.keys);
    set(&scene.client, CURVE_SERVERKEY, &scene.keys.server.public);
    cannot_be_opened(&scene);
    scene.the_handler().expect_nothing();
}

#[test]
fn a_server_without_a_secret_key_fails() {
    let scene = Scene::bare(Mechanism::Curve, Both::new());
    scene.server.set(CURVE_SERVER, 1).expect("CURVE_SERVER");
    identify(&scene.client, Mechanism::Curve, &scene.keys);
    cannot_be_opened(&scene);
}

/// The client finds out by itself.
#[test]
fn a_client_without_the_servers_key_fails() {
    let scene = Scene::bare(Mechanism::Curve, Both::new());
    serve(&scene.server, Mechanism::Curve, &scene.keys);
    set(&scene.client, CURVE_PUBLICKEY, &scene.keys.client.public);
    set(&scene.client, CURVE_SECRETKEY, &scene.keys.client.secret);
    scene.start();
    scene.expect_client_told(CRYPTOGRAPHIC.0, CRYPTOGRAPHIC.1);
    scene.server.expect_nothing();
}

/// A server needs its secret key only.
#[test]
fn a_server_needs_no_public_key() {
    let scene = Scene::new(Mechanism::Curve);
    set(&scene.server, CURVE_PUBLICKEY, keys().public);
    scene.start();
    scene.expect_in();
}

/// One side or the other says that the mechanisms differ, whichever is first to look, and the
/// other sees the connection end.
#[test]
fn different_mechanisms_do_not_meet() {
    let all = [Mechanism::Null, Mechanism::Plain, Mechanism::Curve];
    for (ours, theirs) in all.iter().flat_map(|ours| all.map(|theirs| (*ours, theirs))) {
        if ours == theirs {
            continue;
        }
        let scene = Scene::bare(ours, Both::new()).handler(REP);
        serve(&scene.server, ours, &scene.keys);
        identify(&scene.client, theirs, &scene.keys);
        scene.start();
        let outcomes = [first_outcome(&scene.server_told), first_outcome(&scene.client_told)];
        assert!(outcomes.contains(&MISMATCH), "{ours:?} and {theirs:?}: {outcomes:?}");
        for outcome in outcomes {
            let ended = outcome.0 == EVENT_HANDSHAKE_FAILED_NO_DETAIL;
            assert!(ended || outcome == MISMATCH, "{ours:?} and {theirs:?}: {outcomes:?}");
        }
        scene.server.expect_nothing();
        scene.the_handler().expect_nothing();
    }
}

/// Each side waits for the other to speak first, or hears what only a server should hear.
#[test]
fn two_of_the_same_side_do_not_meet() {
    for mechanism in [Mechanism::Plain, Mechanism::Curve] {
        let scene = Scene::bare(mechanism, Both::new()).handler(REP);
        identify(&scene.server, mechanism, &scene.keys);
        identify(&scene.client, mechanism, &scene.keys);
        scene.start();
        assert_eq!(first_outcome(&scene.server_told).0, EVENT_HANDSHAKE_FAILED_PROTOCOL);
        scene.server.expect_nothing();
        let scene = Scene::bare(mechanism, Both::new()).handler(REP);
        serve(&scene.server, mechanism, &scene.keys);
        serve(&scene.client, mechanism, &scene.keys);
        scene.start();
        scene.server.expect_nothing();
        scene.client.expect_nothing();
        scene.the_handler().expect_nothing();
    }
}

/// What was sent before the connection is secured waits for it, and is not lost.
#[test]
fn messages_wait_for_the_handshake() {
    for mechanism in [Mechanism::Plain, Mechanism::Curve] {
        let scene = Scene::new(mechanism).handler(REP);
        scene.start();
        for index in 0..50 {
            scene.client.send(index.to_string()).expect("send");
        }
        scene.server.expect_nothing();
        scene.answer(&LET_IN);
        scene.server.expect("knock");
        for index in 0..50 {
            scene.server.expect(index.to_string());
        }
    }
}

/// With ZMQ_IMMEDIATE, a peer that is not let in is no peer.
#[test]
fn a_peer_that_is_not_let_in_is_no_peer() {
    for mechanism in [Mechanism::Plain, Mechanism::Curve] {
        let scene = Scene::new(mechanism).handler(REP);
        scene.client.set(IMMEDIATE, 1).expect("IMMEDIATE");
        scene.client.connect(&scene.server.bind_to(Transport::Tcp)).expect("connect");
        scene.request();
        assert_eq!(scene.client.try_send("x"), Err(EAGAIN));
        assert_eq!(scene.server.try_send("x"), Err(EAGAIN));
        scene.the_handler().send_all(&LET_IN).expect("a reply");
        scene.client.await_writable();
        scene.server.await_writable();
    }
}

/// Heartbeats go on behind a mechanism.
#[test]
fn heartbeats_go_with_every_mechanism() {
    for mechanism in [Mechanism::Null, Mechanism::Plain, Mechanism::Curve] {
        let scene = Scene::new(mechanism).domain().handler(REP);
        for socket in [&scene.server, &scene.client] {
            socket.set(HEARTBEAT_IVL, 20).expect("HEARTBEAT_IVL");
            socket.set(HEARTBEAT_TIMEOUT, 10_000).expect("HEARTBEAT_TIMEOUT");
        }
        scene.start();
        scene.answer(&LET_IN);
        scene.expect_in();
        elapse(std::time::Duration::from_millis(200));
        scene.client.send("still here").expect("send");
        scene.server.expect("still here");
        assert_eq!(scene.server_told.socket().poll(POLLIN, 0), 0, "nothing was lost");
    }
}
