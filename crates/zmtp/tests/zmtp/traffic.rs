//! Frames and commands after the handshake, with peers of ZMTP 3.x.

use std::time::Instant;

use zmtp::limits::MAX_COMMAND;
use zmtp::testing::script::{Move, command, expect, frame, greeting, handshake, play, ready, send};
use zmtp::testing::{Delivery, Event, Pair, Side};
use zmtp::{Config, Connection, Error, LARGE_FRAME, Misbehaved, Received, SocketType};

use crate::mechanisms::MECHANISMS;

fn dealer() -> Config {
    Config::new(SocketType::Dealer)
}

fn hears(config: Config, peer: &str, octets: &[u8]) -> Side {
    let whole = play(config.clone(), usize::MAX, &[send(handshake(peer)), send(octets)]);
    let piecemeal = play(config, 1, &[send(handshake(peer)), send(octets)]);
    assert_eq!(whole.events, piecemeal.events);
    assert_eq!(whole.error, piecemeal.error);
    assert_eq!(whole.events.first(), Some(&Event::Ready));
    whole
}

fn ready_dealer() -> Connection {
    let mut connection = Connection::new(dealer(), Instant::now());
    let hello = handshake("DEALER");
    let (consumed, event) = connection.receive(Instant::now(), &hello).unwrap();
    assert_eq!((consumed, event), (hello.len(), Some(Received::Ready)));
    connection
}

#[test]
fn messages_of_every_length_at_the_edges_arrive() {
    for delivery in
        [Delivery::default(), Delivery { pieces: vec![1, 9, 255], ..Delivery::default() }]
    {
        let mut pair = Pair::with_delivery(dealer(), dealer(), delivery.clone(), delivery);
        pair.settle();
        let mut expected = vec![Event::Ready];
        for len in [0, 1, 253, 254, 255, 256, 257, 8191, 8192, 8193, 65535, 65536, 200_000] {
            for more in [true, false] {
                let body = vec![len as u8; len];
                let octets = pair.left.frame(&body, more);
                pair.send_left(&octets);
                expected.push(Event::Frame(body, more));
            }
        }
        pair.settle();
        assert_eq!(pair.right.error, None);
        assert_eq!(pair.right.events.len(), expected.len());
        assert!(pair.right.events == expected);
    }
}

#[test]
fn a_small_frame_waits_until_it_is_whole() {
    let now = Instant::now();
    let mut connection = ready_dealer();
    let whole = frame(b"hello", true);
    for cut in 0..whole.len() {
        assert_eq!(connection.receive(now, &whole[..cut]), Ok((0, None)));
        assert!(connection.wanted() > cut);
    }
    assert_eq!(connection.wanted(), whole.len());
    let event = Received::Frame { body: b"hello", more: true };
    assert_eq!(connection.receive(now, &whole), Ok((whole.len(), Some(event))));
}

#[test]
fn a_large_frame_is_handed_over_as_soon_as_its_header_is_known() {
    let now = Instant::now();
    let mut connection = ready_dealer();
    let small = frame(&[1; LARGE_FRAME], false);
    assert_eq!(connection.receive(now, &small[..20]), Ok((0, None)));
    assert_eq!(connection.wanted(), small.len());

    let large = frame(&[1; LARGE_FRAME + 1], true);
    assert_eq!(connection.receive(now, &large[..8]), Ok((0, None)));
    let len = LARGE_FRAME as u64 + 1;
    let event = Received::Large { head: &[1; 11], len, more: true };
    assert_eq!(connection.receive(now, &large[..20]), Ok((20, Some(event))));
    // The caller took the rest by itself; what follows is a header again.
    let event = Received::Frame { body: b"x", more: false };
    assert_eq!(connection.receive(now, &frame(b"x", false)), Ok((3, Some(event))));

    let event = Received::Large { head: &[], len, more: true };
    assert_eq!(connection.receive(now, &large[..9]), Ok((9, Some(event))));
    let event = Received::Frame { body: &[1; LARGE_FRAME + 1], more: true };
    assert_eq!(connection.receive(now, &large), Ok((large.len(), Some(event))));
}

#[test]
fn the_maximum_message_size_counts_one_frame_and_no_command() {
    let mut config = dealer();
    config.max_message_size = Some(3);
    let fits = [
        frame(b"abc", true),
        frame(b"", true),
        frame(b"def", false),
        command("PING", b"\0\0context"),
        command("FUTURE", &[0; 1000]),
    ];
    let side = hears(config.clone(), "DEALER", &fits.concat());
    assert_eq!((side.error, side.events.len()), (None, 4));
    for (len, bad) in [
        (4, frame(b"abcd", false)),
        (255, b"\0\xff".to_vec()),
        (1 << 62, b"\x02\x40\0\0\0\0\0\0\0".to_vec()),
    ] {
        let side = hears(config.clone(), "DEALER", &bad);
        assert_eq!(side.error, Some(Error::MessageTooLarge { len, limit: 3 }));
    }
    config.max_message_size = Some(0);
    assert_eq!(hears(config.clone(), "DEALER", &frame(b"", false)).error, None);
    let side = hears(config, "DEALER", &frame(b"a", false));
    assert_eq!(side.error, Some(Error::MessageTooLarge { len: 1, limit: 0 }));
}

#[test]
fn malformed_headers_end_the_connection_after_what_came_before() {
    for bad in [
        &b"\x08\x01a"[..],
        b"\x80\x01a",
        b"\x05\x05\x04PING",
        b"\x07",
        b"\x02\x80\0\0\0\0\0\0\0",
        b"\x06\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let side = hears(dealer(), "DEALER", &[&frame(b"good", false), bad].concat());
        assert_eq!(side.events, [Event::Ready, Event::Frame(b"good".to_vec(), false)]);
        assert!(matches!(side.error, Some(Error::Misbehaved(Misbehaved::Frame(_)))), "{bad:?}");
        assert!(!side.connection.is_ready());
    }
}

#[test]
fn commands_that_mean_nothing_now_are_ignored() {
    let noise = [
        command("FUTURE", b"anything"),
        ready(&[("Socket-Type", b"PUB")]),
        command("ERROR", b"\x03400"),
        command("PONG", b"unasked"),
        frame(b"a", false),
    ];
    let side = hears(dealer(), "DEALER", &noise.concat());
    assert_eq!(side.events, [Event::Ready, Event::Frame(b"a".to_vec(), false)]);
    assert_eq!(side.error, None);
}

#[test]
fn commands_without_a_proper_name_end_the_connection() {
    for bad in [&b"\x04\0"[..], b"\x04\x01\0", b"\x04\x02\x09a", b"\x04\x03\x02a\0"] {
        let side = hears(dealer(), "DEALER", bad);
        assert_eq!(side.error, Some(Misbehaved::NamelessCommand.into()));
    }
}

#[test]
fn commands_may_come_between_the_frames_of_a_message() {
    let octets = [frame(b"a", true), command("PING", b"\0\0ctx"), frame(b"b", false)].concat();
    for piece in [1, 4, usize::MAX] {
        let side = play(
            dealer(),
            piece,
            &[
                send(handshake("DEALER")),
                expect(b"\xff\0\0\0\0\0\0\0\x01\x7f"),
                expect(&greeting(3, 1, "NULL")[10..]),
                expect(ready(&[("Socket-Type", b"DEALER"), ("Identity", b"")])),
                send(&octets),
                expect(command("PONG", b"ctx")),
                Move::Quiet,
            ],
        );
        let expected =
            [Event::Ready, Event::Frame(b"a".to_vec(), true), Event::Frame(b"b".to_vec(), false)];
        assert_eq!(side.events, expected);
    }
}

#[test]
fn subscriptions_to_a_zmtp_3_1_peer_are_commands() {
    let mut pair = Pair::new(Config::new(SocketType::Sub), Config::new(SocketType::Xpub));
    pair.settle();
    let mut out = Vec::new();
    pair.left.connection.encode_subscription(true, b"", &mut out);
    pair.left.connection.encode_subscription(false, b"\0\xff", &mut out);
    assert_eq!(out, b"\x04\x0a\x09SUBSCRIBE\x04\x09\x06CANCEL\0\xff");
    pair.send_left(&out);
    pair.settle();
    let expected = [Event::Ready, Event::Subscribe(vec![]), Event::Cancel(b"\0\xff".to_vec())];
    assert_eq!(pair.right.events, expected);
}

#[test]
fn subscriptions_to_a_zmtp_3_0_peer_are_messages_and_theirs_may_be_either() {
    let hello = [greeting(3, 0, "NULL"), ready(&[("Socket-Type", b"XSUB")])].concat();
    let mut side = play(
        Config::new(SocketType::Xpub),
        1,
        &[send(hello), send(frame(b"\x01A", false)), send(command("SUBSCRIBE", b"B"))],
    );
    let expected =
        [Event::Ready, Event::Frame(b"\x01A".to_vec(), false), Event::Subscribe(b"B".to_vec())];
    assert_eq!(side.events, expected);
    let mut out = Vec::new();
    side.connection.encode_subscription(true, b"top", &mut out);
    side.connection.encode_subscription(false, &[b't'; 300], &mut out);
    assert_eq!(&out[..15], b"\0\x04\x01top\x02\0\0\0\0\0\0\x01\x2d");
}

#[test]
fn a_topic_may_be_as_large_as_a_message() {
    for (name, configs) in MECHANISMS {
        let (sub, xpub) = configs(SocketType::Sub, SocketType::Xpub);
        let delivery = Delivery { pieces: vec![65536], ..Delivery::default() };
        let mut pair = Pair::with_delivery(sub, xpub, Delivery::default(), delivery);
        pair.settle();
        let topic = vec![b't'; 17 << 20];
        for on in [true, false] {
            let mut out = Vec::new();
            pair.left.connection.encode_subscription(on, &topic, &mut out);
            pair.send_left(&out);
            pair.settle();
        }
        assert_eq!(pair.right.error, None, "{name}");
        let expected = [Event::Ready, Event::Subscribe(topic.clone()), Event::Cancel(topic)];
        assert!(pair.right.events == expected, "{name}");
    }
}

/// With a limit on messages there is one on topics, which leaves room for what is sensible.
#[test]
fn topics_are_limited_where_messages_are() {
    const LEN: u64 = 1 + 9 + (17 << 20);
    for (name, configs) in MECHANISMS {
        for (limit, fits) in [(1, false), (LEN - 1, false), (LEN, true)] {
            let (sub, mut xpub) = configs(SocketType::Sub, SocketType::Xpub);
            xpub.max_message_size = Some(limit);
            let mut pair = Pair::new(sub, xpub);
            pair.settle();
            let mut out = Vec::new();
            pair.left.connection.encode_subscription(true, &[b't'; 17 << 20], &mut out);
            pair.send_left(&out);
            pair.settle();
            assert_eq!(pair.right.error.is_none(), fits, "{name} {limit}: {:?}", pair.right.error);
        }
    }
}

/// Nothing but a topic needs so much.
#[test]
fn other_commands_are_limited_under_every_mechanism() {
    for (name, configs) in MECHANISMS {
        for limit in [None, Some(1 << 30)] {
            let (dish, mut radio) = configs(SocketType::Dish, SocketType::Radio);
            radio.max_message_size = limit;
            let mut pair = Pair::new(dish, radio);
            pair.settle();
            let mut out = Vec::new();
            pair.left.connection.encode_membership(true, &[b'g'; 17 << 20], &mut out);
            pair.send_left(&out);
            pair.settle();
            let refused =
                Misbehaved::CommandTooLarge { len: 1 + 4 + (17 << 20), limit: MAX_COMMAND };
            assert_eq!(pair.right.error, Some(refused.into()), "{name}");
            assert_eq!(pair.right.events, [Event::Ready], "{name}");
        }
    }
    // In clear text they are refused once enough is there to tell that they are about no topic.
    for (named, refused) in [(&b""[..], false), (b"\x04PING", false), (b"\x04PING\0\0\0\0\0", true)]
    {
        let words = [&b"\x06\0\0\0\0\x02\0\0\0"[..], named].concat();
        let side = hears(Config::new(SocketType::Pub), "SUB", &words);
        let too_large = Misbehaved::CommandTooLarge { len: 0x0200_0000, limit: MAX_COMMAND };
        assert_eq!(side.error, refused.then_some(too_large.into()), "{named:?}");
    }
}

#[test]
fn groups_are_joined_and_left() {
    let mut pair = Pair::new(Config::new(SocketType::Dish), Config::new(SocketType::Radio));
    pair.settle();
    let mut out = Vec::new();
    pair.left.connection.encode_membership(true, b"tv", &mut out);
    pair.left.connection.encode_membership(false, &[1; 255], &mut out);
    pair.send_left(&out);
    pair.settle();
    let expected = [Event::Ready, Event::Join(b"tv".to_vec()), Event::Leave(vec![1; 255])];
    assert_eq!(pair.right.events, expected);
    for bad in [command("JOIN", &[1; 256]), command("LEAVE", b"a\0b")] {
        let side = hears(Config::new(SocketType::Radio), "DISH", &bad);
        assert!(matches!(side.error, Some(Error::Misbehaved(Misbehaved::Command(_)))));
    }
}

#[test]
fn what_is_to_be_sent_goes_behind_what_is_there() {
    let mut connection = Connection::new(dealer(), Instant::now());
    assert!(connection.has_transmit());
    let mut out = b"before".to_vec();
    assert!(connection.transmit(&mut out));
    assert_eq!(out, b"before\xff\0\0\0\0\0\0\0\x01\x7f");
    assert!(!connection.has_transmit());
    assert!(!connection.transmit(&mut out));
}
