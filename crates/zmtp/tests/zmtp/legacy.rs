//! Peers of ZMTP 2.0 (RFC 15) and 1.0 (RFC 13), scripted.

use zmtp::testing::Event;
use zmtp::testing::script::{Move, expect, frame, frame_v1, play, send};
use zmtp::{Config, Error, Incompatible, Misbehaved, SocketType};

const PIECES: [usize; 4] = [1, 2, 5, usize::MAX];

fn named(kind: SocketType) -> Config {
    let mut config = Config::new(kind);
    config.routing_id = b"me".to_vec();
    config
}

#[test]
fn a_zmtp_2_peer() {
    for revision in [1, 2] {
        for piece in PIECES {
            let mut side = play(
                named(SocketType::Dealer),
                piece,
                &[
                    expect(b"\xff\0\0\0\0\0\0\0\x03\x7f"),
                    Move::Quiet,
                    send(b"\xff\0\0\0\0\0\0\0\x04\x7f"),
                    expect(b"\x03"),
                    send([revision]),
                    expect(b"\x05\0\x02me"),
                    Move::Quiet,
                    send(b"\x06\0\x03xyz"),
                    send(frame(b"hello", true)),
                    send(frame(&[b'a'; 300], false)),
                    Move::Quiet,
                ],
            );
            let peer = side.connection.peer().unwrap();
            assert_eq!(peer.version, (2, 0));
            assert_eq!(peer.socket_type, Some(SocketType::Router));
            assert_eq!(peer.routing_id, b"xyz");
            assert!(peer.properties.is_empty());
            let expected = [
                Event::Ready,
                Event::Frame(b"hello".to_vec(), true),
                Event::Frame(vec![b'a'; 300], false),
            ];
            assert_eq!(side.events, expected);
            assert_eq!(side.frame(b"yo", false), b"\0\x02yo");
        }
    }
}

#[test]
fn a_zmtp_2_peer_that_says_everything_at_once() {
    // RFC 15: "greeting = signature revision socket-type identity".
    let mut side = play(
        Config::new(SocketType::Sub),
        usize::MAX,
        &[
            send(b"\xff\0\0\0\0\0\0\0\0\x7f\x01\x01\0\0\0\x05tohel"),
            expect(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x02\0\0"),
            Move::Quiet,
        ],
    );
    assert_eq!(side.events, [Event::Ready, Event::Frame(b"tohel".to_vec(), false)]);
    let mut out = Vec::new();
    side.connection.encode_subscription(true, b"to", &mut out);
    side.connection.encode_subscription(false, b"", &mut out);
    assert_eq!(out, b"\0\x03\x01to\0\x01\0");
}

#[test]
fn a_zmtp_2_peer_hears_of_pub_where_there_is_xpub() {
    let hello = b"\xff\0\0\0\0\0\0\0\0\x7f\x01\x02\0\0";
    for (ours, code) in [(SocketType::Pub, 1), (SocketType::Xpub, 1)] {
        let side = play(
            Config::new(ours),
            1,
            &[send(hello), expect(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03"), expect([code, 0, 0])],
        );
        assert_eq!(side.events, [Event::Ready]);
    }
    // libzmq announces the numbers of XPUB and XSUB, which RFC 15 does not have.
    let side =
        play(Config::new(SocketType::Sub), 1, &[send(b"\xff\0\0\0\0\0\0\0\0\x7f\x01\x09\0\0")]);
    assert_eq!(side.connection.peer().unwrap().socket_type, Some(SocketType::Xpub));
}

#[test]
fn a_zmtp_2_peer_of_the_wrong_type_is_silently_dropped() {
    let hear = |code: u8| {
        play(
            Config::new(SocketType::Dealer),
            1,
            &[
                send(b"\xff\0\0\0\0\0\0\0\0\x7f\x01"),
                send([code, 0, 0]),
                expect(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x05\0\0"),
                Move::Quiet,
            ],
        )
    };
    let expected = Incompatible::SocketType { ours: SocketType::Dealer, theirs: SocketType::Push };
    assert_eq!(hear(8).error, Some(expected.into()));
    let expected = Incompatible::UnknownSocketType { theirs: "200".into() };
    assert_eq!(hear(200).error, Some(expected.into()));
}

#[test]
fn zmtp_2_routing_id_frames_are_checked() {
    let hear = |octets: &[u8]| {
        let hello = b"\xff\0\0\0\0\0\0\0\0\x7f\x01\x06";
        play(Config::new(SocketType::Dealer), 1, &[send(hello), send(octets)])
    };
    assert_eq!(hear(&frame(&[1; 255], false)).events, [Event::Ready]);
    let long_form = [&b"\x02\0\0\0\0\0\0\0\x02"[..], b"ab"].concat();
    assert_eq!(hear(&long_form).connection.peer().unwrap().routing_id, b"ab");
    let refused = Some(Error::from(Misbehaved::RoutingIdFrame));
    for bad in [
        frame(b"more", true),
        frame(&[1; 256], false),
        frame(b"\0zero", false),
        b"\x04\0".to_vec(),
        b"\x02\x7f\xff\xff\xff\xff\xff\xff\xff".to_vec(),
    ] {
        assert_eq!(hear(&bad).error, refused, "{bad:?}");
    }
    assert!(hear(b"\x08\0").error.is_some());
}

#[test]
fn a_zmtp_2_peer_has_no_commands_and_no_heartbeats() {
    let mut config = Config::new(SocketType::Dealer);
    config.heartbeat_interval = Some(std::time::Duration::from_secs(1));
    let hello = b"\xff\0\0\0\0\0\0\0\0\x7f\x01\x06\0\0";
    let side = play(config, 1, &[send(hello)]);
    assert!(side.connection.is_ready());
    assert_eq!(side.connection.poll_timeout(), None);
    let side =
        play(Config::new(SocketType::Dealer), 1, &[send(hello), send(b"\x04\x06\x04PING\0\0")]);
    assert!(matches!(side.error, Some(Error::Misbehaved(Misbehaved::Frame(_)))));
}

#[test]
fn a_zmtp_1_peer() {
    for piece in PIECES {
        let mut side = play(
            named(SocketType::Router),
            piece,
            &[
                expect(b"\xff\0\0\0\0\0\0\0\x03\x7f"),
                Move::Quiet,
                send(b"\x04"),
                expect(b"me"),
                Move::Quiet,
                send(b"\0abc"),
                send(frame_v1(b"hello", true)),
                send(frame_v1(&[b'x'; 254], false)),
                Move::Quiet,
            ],
        );
        let peer = side.connection.peer().unwrap();
        assert_eq!(peer.version, (1, 0));
        assert_eq!(peer.socket_type, None);
        assert_eq!(peer.routing_id, b"abc");
        let expected = [
            Event::Ready,
            Event::Frame(b"hello".to_vec(), true),
            Event::Frame(vec![b'x'; 254], false),
        ];
        assert_eq!(side.events, expected);
        assert_eq!(side.frame(b"yo", true), b"\x03\x01yo");
        let mut out = Vec::new();
        side.connection.encode_subscription(true, b"top", &mut out);
        assert_eq!(out, b"\x05\0\x01top");
    }
}

#[test]
fn an_anonymous_zmtp_1_peer_hears_nothing_behind_our_signature_if_we_are_anonymous_too() {
    let side = play(
        Config::new(SocketType::Dealer),
        1,
        &[expect(b"\xff\0\0\0\0\0\0\0\x01\x7f"), send(b"\x01\0"), Move::Quiet],
    );
    assert_eq!(side.events, [Event::Ready]);
    assert_eq!(side.connection.peer().unwrap().routing_id, b"");
}

#[test]
fn a_zmtp_1_peer_may_use_the_long_form() {
    // RFC 37: "If the least significant bit is 0, then the other peer is using ZMTP 1.0 and has
    // sent us a long length for its identity."
    for piece in PIECES {
        let side = play(
            named(SocketType::Router),
            piece,
            &[
                expect(b"\xff\0\0\0\0\0\0\0\x03\x7f"),
                send(b"\xff\0\0\0\0\0\0\0\x04"),
                Move::Quiet,
                send(b"\0"),
                expect(b"me"),
                send(b"abc\xff\0\0\0\0\0\0\0\x03\x01hi\x01\0"),
            ],
        );
        let expected =
            [Event::Ready, Event::Frame(b"hi".to_vec(), true), Event::Frame(vec![], false)];
        assert_eq!(side.events, expected);
    }
}

#[test]
fn any_even_tenth_octet_makes_a_long_length_and_any_odd_one_a_signature() {
    for flags in 0..=255u8 {
        let hello = [&b"\xff\0\0\0\0\0\0\0\x04"[..], &[flags], b"\x03\x01z"].concat();
        let side = play(Config::new(SocketType::Router), 1, &[send(hello)]);
        let version = side.connection.peer().map(|peer| peer.version);
        assert_eq!(version, (flags % 2 == 0).then_some((1, 0)), "{flags:#x}");
    }
}

#[test]
fn zmtp_1_frames_of_no_length_are_discarded() {
    // RFC 13: "a length of 0 is invalid and such frames SHOULD be discarded silently."
    for piece in PIECES {
        let octets = [&b"\x01\0\0\0\0"[..], &frame_v1(b"a", false), b"\0", &frame_v1(b"b", false)];
        let side = play(Config::new(SocketType::Pull), piece, &[send(octets.concat())]);
        let expected =
            [Event::Ready, Event::Frame(b"a".to_vec(), false), Event::Frame(b"b".to_vec(), false)];
        assert_eq!(side.events, expected);
        assert_eq!(side.kept(), 0);
    }
    let side = play(Config::new(SocketType::Pull), 1, &[send(b"\0")]);
    assert!(side.error.is_some(), "a greeting is not a frame to discard");
}

#[test]
fn zmtp_1_routing_ids_are_checked() {
    let hear = |octets: &[u8]| play(Config::new(SocketType::Router), 1, &[send(octets)]);
    // RFC 13: "The flags octet (idflags) of an identity frame SHALL not be validated".
    assert_eq!(hear(b"\x03\xffab").events, [Event::Ready]);
    let longest = [&b"\xff\0\0\0\0\0\0\x01\0\0"[..], &[7; 255]].concat();
    assert_eq!(hear(&longest).connection.peer().unwrap().routing_id, [7; 255]);
    let refused = Some(Error::from(Misbehaved::RoutingIdFrame));
    assert_eq!(hear(b"\xff\0\0\0\0\0\0\x01\x01\0").error, refused);
    assert_eq!(hear(b"\x06\0\0abcd").error, refused);
    assert!(hear(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\0").error.is_some());
}

#[test]
fn revision_zero_is_answered_like_zmtp_1() {
    let side = play(
        named(SocketType::Dealer),
        1,
        &[
            send(b"\xff\0\0\0\0\0\0\0\x01\x7f\0"),
            expect(b"\xff\0\0\0\0\0\0\0\x03\x7f\x03\x03\0me"),
            send(b"\x01\0\x03\0hi"),
        ],
    );
    assert_eq!(side.connection.peer().unwrap().version, (1, 0));
    assert_eq!(side.events, [Event::Ready, Event::Frame(b"hi".to_vec(), false)]);
}
