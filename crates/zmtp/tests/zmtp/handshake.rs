//! Greetings and READY with ZMTP 3.x peers, to the octet (RFCs 23 and 37).

use std::time::{Duration, Instant};

use zmtp::testing::script::{Move, command, expect, frame, greeting, play, ready, send};
use zmtp::testing::{Delivery, Event, Pair};
use zmtp::{
    Config, Connection, Error, HandshakeFailure, Incompatible, InvalidMetadata, Misbehaved,
    SocketType,
};

const REST_3_1: &[u8] = b"\x01NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn dealer() -> Config {
    Config::new(SocketType::Dealer)
}

/// The error that a DEALER's handshake ends with when it hears this after a proper greeting.
fn dealer_hears(octets: &[u8]) -> Error {
    let side = play(dealer(), 1, &[send(greeting(3, 1, "NULL")), send(octets)]);
    let whole = play(dealer(), usize::MAX, &[send(greeting(3, 1, "NULL")), send(octets)]);
    assert_eq!(side.error, whole.error);
    assert!(side.events.is_empty());
    assert!(!side.connection.is_ready());
    side.error.expect("the handshake ends")
}

#[test]
fn the_worked_example_of_rfc_37() {
    // A ROUTER's READY "contains only the Socket-Type property" there; ours says like libzmq's that
    // its routing id is empty.
    for piece in [1, 2, 7, usize::MAX] {
        let side = play(
            dealer(),
            piece,
            &[
                expect(b"\xff\0\0\0\0\0\0\0\x01\x7f"),
                Move::Quiet,
                send(b"\xff\0\0\0\0\0\0\0\0\x7f"),
                expect(b"\x03"),
                Move::Quiet,
                send(b"\x03"),
                expect(REST_3_1),
                Move::Quiet,
                send(REST_3_1),
                expect(b"\x04\x29\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0"),
                Move::Quiet,
                send(b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06ROUTER"),
                Move::Quiet,
            ],
        );
        assert_eq!(side.events, [Event::Ready]);
        assert!(side.connection.is_ready());
        let peer = side.connection.peer().unwrap();
        assert_eq!(peer.version, (3, 1));
        assert_eq!(peer.socket_type, Some(SocketType::Router));
        assert_eq!(peer.mechanism, "NULL");
        assert_eq!(peer.routing_id, b"");
        assert_eq!(peer.property("SOCKET-type"), Some(&b"ROUTER"[..]));
        assert_eq!(peer.properties.len(), 1);
    }
}

#[test]
fn a_peer_that_sends_its_whole_greeting_at_once_gets_ours_in_order() {
    let first = [greeting(3, 0, "NULL"), ready(&[("Socket-Type", b"REP")])].concat();
    let side = play(
        Config::new(SocketType::Req),
        usize::MAX,
        &[
            send(first),
            expect(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03"),
            expect(REST_3_1),
            expect(b"\x04\x26\x05READY\x0bSocket-Type\0\0\0\x03REQ\x08Identity\0\0\0\0"),
            Move::Quiet,
        ],
    );
    assert_eq!(side.connection.peer().unwrap().version, (3, 0));
}

#[test]
fn padding_as_server_and_filler_have_no_significance() {
    let mut hello = greeting(3, 1, "NULL");
    hello[1..9].copy_from_slice(&[0xaa; 8]);
    hello[32] = 7;
    hello[33..].fill(0xee);
    let side = play(dealer(), 1, &[send(hello), send(ready(&[("Socket-Type", b"DEALER")]))]);
    assert_eq!(side.events, [Event::Ready]);
}

#[test]
fn higher_versions_are_accepted_with_our_own_protocol() {
    // RFC 37: "A peer MUST accept higher protocol versions as valid."
    for (major, minor) in [(3, 2), (3, 255), (4, 0), (127, 9), (255, 255)] {
        let mut side = play(
            dealer(),
            3,
            &[send(greeting(major, minor, "NULL")), send(ready(&[("Socket-Type", b"REP")]))],
        );
        assert_eq!(side.events, [Event::Ready]);
        assert_eq!(side.connection.peer().unwrap().version, (major, minor));
        let mut out = Vec::new();
        side.connection.encode_subscription(true, b"t", &mut out);
        assert_eq!(out, b"\x04\x0b\x09SUBSCRIBEt");
    }
}

#[test]
fn only_some_types_announce_a_routing_id() {
    for code in 0..21 {
        let kind = SocketType::from_code(code).unwrap();
        let mut config = Config::new(kind);
        config.routing_id = b"me".to_vec();
        let mut side = play(config, 64, &[send(greeting(3, 1, "NULL"))]);
        assert_eq!(side.transmit(), b"");
        let mut sent = Vec::new();
        let mut connection = Connection::new(side.connection.config().clone(), Instant::now());
        connection.receive(Instant::now(), &greeting(3, 1, "NULL")).unwrap();
        connection.transmit(&mut sent);
        assert_eq!(&sent[..10], b"\xff\0\0\0\0\0\0\0\x03\x7f", "as ZMTP 1.0 peers need it");
        let announced = sent.ends_with(b"\x08Identity\0\0\0\x02me");
        let expected = matches!(kind, SocketType::Req | SocketType::Dealer | SocketType::Router);
        assert_eq!(announced, expected, "{kind:?}");
    }
}

#[test]
fn properties_of_the_application_travel_both_ways() {
    let mut left = dealer();
    left.metadata = vec![("X-hello".into(), b"world\0".to_vec()), (vec![b'n'; 256], vec![])];
    left.routing_id = b"left".to_vec();
    let mut pair = Pair::new(left, Config::new(SocketType::Router));
    pair.settle();
    let peer = pair.right.connection.peer().unwrap();
    assert_eq!(peer.property("x-HELLO"), Some(&b"world\0"[..]));
    assert_eq!(peer.routing_id, b"left");
    assert_eq!(peer.properties.len(), 3, "what cannot be said is left out: {peer:?}");
}

#[test]
fn every_pair_of_types_ends_as_the_table_says() {
    for a in 0..21 {
        for b in 0..21 {
            let (a, b) = (SocketType::from_code(a).unwrap(), SocketType::from_code(b).unwrap());
            if !a.is_on_wire() || !b.is_on_wire() {
                continue;
            }
            let mut pair = Pair::new(Config::new(a), Config::new(b));
            pair.settle();
            for (side, ours, theirs) in [(&pair.left, a, b), (&pair.right, b, a)] {
                if a.is_compatible(b) {
                    assert_eq!(side.events, [Event::Ready]);
                } else {
                    let expected = Incompatible::SocketType { ours, theirs };
                    assert_eq!(side.error, Some(expected.into()));
                }
            }
        }
    }
}

#[test]
fn an_incompatible_peer_is_told_so() {
    // RFC 37: "it SHOULD handle errors by returning an ERROR command".
    let mut side =
        play(dealer(), 1, &[send(greeting(3, 1, "NULL")), send(ready(&[("Socket-Type", b"PUB")]))]);
    assert_eq!(side.transmit(), b"", "all of it was taken by the script");
    let mut connection = Connection::new(dealer(), Instant::now());
    let hello = [greeting(3, 1, "NULL"), ready(&[("Socket-Type", b"PUB")])].concat();
    let error = connection.receive(Instant::now(), &hello).unwrap_err();
    assert_eq!(error.handshake_failure(), HandshakeFailure::Silent);
    let mut sent = Vec::new();
    assert!(connection.transmit(&mut sent));
    assert!(sent.ends_with(&command("ERROR", b"\x18incompatible-socket-type")));
    assert_eq!(connection.receive(Instant::now(), b"x"), Err(Error::Over));
    assert_eq!(connection.handle_timeout(Instant::now()), Err(Error::Over));
    assert_eq!(connection.poll_timeout(), None);
}

#[test]
fn a_peer_may_leave_its_type_out_but_not_invent_one() {
    let side = play(dealer(), 1, &[send(greeting(3, 1, "NULL")), send(ready(&[]))]);
    assert_eq!(side.connection.peer().unwrap().socket_type, None);
    let error = dealer_hears(&ready(&[("Socket-Type", b"FOO\n")]));
    let theirs = String::from("FOO\\n");
    assert_eq!(error, Incompatible::UnknownSocketType { theirs }.into());
}

#[test]
fn mechanisms_must_match_exactly() {
    for name in ["PLAIN", "CURVE", "", "null", "NULLX", "ABCDEFGHIJKLMNOPQRST"] {
        let side = play(dealer(), 1, &[send(greeting(3, 1, name))]);
        let error = side.error.unwrap();
        let expected = Incompatible::Mechanism { ours: "NULL", theirs: name.to_owned() };
        assert_eq!(error, expected.into());
        assert_eq!(error.protocol_error_code(), Some(0x1100_0002));
    }
    let mut padded = greeting(3, 1, "NULL");
    padded[17] = b'x';
    assert!(play(dealer(), 1, &[send(padded)]).error.is_some(), "the padding is part of it");
}

#[test]
fn a_full_greeting_is_sent_even_when_the_mechanism_does_not_match() {
    // RFC 37: "A peer that reads a full greeting, including mechanism, MUST also send a full
    // greeting including mechanism."
    let moves = [
        send(greeting(3, 1, "CURVE")),
        expect(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03"),
        expect(REST_3_1),
        Move::Quiet,
    ];
    assert!(play(dealer(), usize::MAX, &moves).error.is_some());
}

#[test]
fn routing_ids_of_peers_are_checked_and_ignored_where_they_mean_nothing() {
    let router = || Config::new(SocketType::Router);
    let hear = |config: Config, kind: &[u8], id: &[u8]| {
        let ready = ready(&[("Socket-Type", kind), ("Identity", id)]);
        play(config, 1, &[send(greeting(3, 1, "NULL")), send(ready)])
    };
    let longest = hear(router(), b"DEALER", &[7; 255]);
    assert_eq!(longest.connection.peer().unwrap().routing_id, [7; 255]);
    let invalid = Error::from(Misbehaved::Metadata(InvalidMetadata::RoutingId));
    assert_eq!(hear(router(), b"DEALER", &[7; 256]).error, Some(invalid.clone()));
    let random = hear(router(), b"REQ", b"\x00123456789");
    assert_eq!(random.connection.peer().unwrap().routing_id, b"\x00123456789");
    // RFC 37: "The first octet of the Identity SHALL NOT be zero": these a ROUTER makes up itself.
    assert_eq!(hear(router(), b"REQ", b"\0abcd").error, Some(invalid));
    let ignored = hear(Config::new(SocketType::Sub), b"PUB", b"\0abcd");
    let peer = ignored.connection.peer().unwrap();
    assert_eq!(peer.routing_id, b"");
    assert_eq!(peer.property("Identity"), Some(&b"\0abcd"[..]));
}

#[test]
fn what_is_not_part_of_the_handshake_ends_it() {
    for early in [&b"\0\x01a"[..], b"\x01", b"\x02\0\0\0\0\0\0\0\0"] {
        let early = dealer_hears(&[early, b"\0"].concat());
        assert_eq!(early, Misbehaved::EarlyMessage.into());
        assert_eq!(early.protocol_error_code(), Some(0x1000_0001));
    }
    for name in ["FOO", "HELLO", "PING", "SUBSCRIBE", "ready"] {
        assert_eq!(dealer_hears(&command(name, b"")), Misbehaved::UnexpectedCommand.into());
    }
    for body in [&b"\x04\0"[..], b"\x04\x01\0", b"\x04\x02\x09a"] {
        let error = dealer_hears(body);
        assert_eq!(error, Misbehaved::NamelessHandshakeCommand.into());
        assert_eq!(error.protocol_error_code(), Some(0x1000_0001));
    }
}

#[test]
fn malformed_metadata_ends_the_handshake() {
    let bad = |data: &[u8]| dealer_hears(&command("READY", data));
    for (data, why) in [
        (&b"\x01a\0\0\0\x05xx"[..], InvalidMetadata::Truncated),
        (b"\x05a", InvalidMetadata::Truncated),
        (b"\x01a\xff\xff\xff\xff", InvalidMetadata::Value),
    ] {
        let error = bad(data);
        assert_eq!(error, Misbehaved::Metadata(why).into());
        assert_eq!(error.protocol_error_code(), Some(0x1000_0018));
    }
}

#[test]
fn a_refusal_carries_its_reason() {
    let refused =
        |reason: &[u8]| dealer_hears(&command("ERROR", &[&[reason.len() as u8], reason].concat()));
    let refused_400 = refused(b"400");
    assert_eq!(refused_400, Error::Refused { reason: "400".into() });
    assert_eq!(refused_400.handshake_failure(), HandshakeFailure::Auth(400));
    let escaped = refused(b"no\x1b[0m");
    assert_eq!(escaped, Error::Refused { reason: "no\\x1b[0m".into() });
    assert_eq!(escaped.handshake_failure(), HandshakeFailure::Silent);
    let malformed = dealer_hears(&command("ERROR", b"\x09abc"));
    assert_eq!(malformed.protocol_error_code(), Some(0x1000_0015));
}

#[test]
fn a_handshake_command_may_have_64_kib_and_no_more() {
    let value = vec![b'v'; 65_536 - 6 - 1 - 3 - 4];
    let largest = ready(&[("X-v", &value)]);
    let side = play(dealer(), 1000, &[send(greeting(3, 1, "NULL")), send(&largest)]);
    assert_eq!(side.events, [Event::Ready]);
    for over in [b"\x06\0\0\0\0\0\x01\0\x01", b"\x06\x7f\xff\xff\xff\xff\xff\xff\xff"] {
        let error = dealer_hears(over);
        assert!(
            matches!(error, Error::Misbehaved(Misbehaved::CommandTooLarge { .. })),
            "{error:?}"
        );
    }
}

#[test]
fn the_maximum_message_size_does_not_touch_the_handshake() {
    let mut config = dealer();
    config.max_message_size = Some(3);
    let mut pair = Pair::new(config, dealer());
    pair.settle();
    assert_eq!(pair.left.events, [Event::Ready]);
}

#[test]
fn rejecting_tells_a_peer_that_can_hear_it() {
    let mut connection = Connection::new(dealer(), Instant::now());
    let mut sent = Vec::new();
    connection.receive(Instant::now(), &greeting(3, 1, "NULL")).unwrap();
    assert_eq!(connection.reject("400"), Error::Rejected);
    connection.transmit(&mut sent);
    assert!(sent.ends_with(&command("ERROR", b"\x03400")));
    assert_eq!(connection.receive(Instant::now(), b""), Err(Error::Over));

    let mut early = Connection::new(dealer(), Instant::now());
    early.reject("no\nway \u{e9}");
    sent.clear();
    early.transmit(&mut sent);
    assert_eq!(sent.len(), 10, "a peer of unknown version has no commands");

    let mut wordy = Connection::new(dealer(), Instant::now());
    wordy.receive(Instant::now(), &greeting(3, 1, "NULL")).unwrap();
    wordy.reject(&"a b\n".repeat(1000));
    sent.clear();
    wordy.transmit(&mut sent);
    let text = &sent[sent.len() - 255..];
    assert!(text.iter().all(u8::is_ascii_graphic), "RFC 37: error-reason is VCHAR");
    assert!(sent.ends_with(&command("ERROR", &[b"\xff", text].concat())));
}

#[test]
fn a_handshake_that_takes_too_long_ends() {
    let mut config = dealer();
    config.handshake_timeout = Some(Duration::from_secs(3));
    let start = Instant::now();
    let mut connection = Connection::new(config.clone(), start);
    let due = start + Duration::from_secs(3);
    assert_eq!(connection.poll_timeout(), Some(due));
    connection.receive(start + Duration::from_secs(2), b"\xff").unwrap();
    assert_eq!(connection.poll_timeout(), Some(due), "octets do not prolong it");
    connection.handle_timeout(due - Duration::from_millis(1)).unwrap();
    let error = connection.handle_timeout(due).unwrap_err();
    assert_eq!(error, Error::HandshakeTimeout);
    assert_eq!(error.handshake_failure(), HandshakeFailure::NoDetail);
    assert_eq!(connection.poll_timeout(), None);

    let mut pair = Pair::new(config, dealer());
    pair.advance(Duration::from_secs(60));
    assert_eq!(pair.left.error, None, "a finished handshake has no deadline");
}

#[test]
fn a_handshake_over_a_slow_wire_ends_in_time() {
    let slow = || Delivery { latency: Duration::from_millis(700), ..Delivery::one_by_one() };
    let mut config = dealer();
    config.handshake_timeout = Some(Duration::from_secs(3));
    let mut pair = Pair::with_delivery(config.clone(), config, slow(), slow());
    pair.advance(Duration::from_millis(2_799));
    assert!(pair.left.events.is_empty());
    // Signature, major version, rest with READY: at 700 ms a way, the last arrives at 2 800 ms.
    pair.advance(Duration::from_millis(1));
    assert_eq!(pair.left.events, [Event::Ready]);
    assert_eq!(pair.right.events, [Event::Ready]);
}

#[test]
fn frames_behind_the_handshake_in_the_same_octets_are_events_of_their_own() {
    let all = [
        greeting(3, 1, "NULL"),
        ready(&[("Socket-Type", b"DEALER")]),
        frame(b"one", true),
        frame(b"", false),
    ]
    .concat();
    for piece in [1, 5, usize::MAX] {
        let side = play(dealer(), piece, &[send(&all)]);
        let expected =
            [Event::Ready, Event::Frame(b"one".to_vec(), true), Event::Frame(vec![], false)];
        assert_eq!(side.events, expected);
    }
}
