//! Wires that split, lose and corrupt: whatever arrives, a connection ends or goes on as it should.

use std::time::Duration;

use proptest::prelude::*;
use zmtp::testing::script::{frame, frame_v1, handshake, play, send};
use zmtp::testing::{Delivery, Event, Pair};
use zmtp::{Config, Error, SocketType};

fn config() -> Config {
    let mut config = Config::new(SocketType::Dealer);
    config.routing_id = b"me".to_vec();
    config
}

#[test]
fn every_split_of_a_conversation_means_the_same() {
    for left in 1..=70 {
        let delivery = |piece| Delivery { pieces: vec![piece], ..Delivery::default() };
        let mut pair = Pair::with_delivery(config(), config(), delivery(left), delivery(71 - left));
        pair.settle();
        let octets = [pair.left.frame(b"hello", true), pair.left.frame(&[0; 300], false)].concat();
        pair.send_left(&octets);
        pair.settle();
        let expected = [
            Event::Ready,
            Event::Frame(b"hello".to_vec(), true),
            Event::Frame(vec![0; 300], false),
        ];
        assert_eq!(pair.right.events, expected);
        assert_eq!(pair.left.events, [Event::Ready]);
    }
}

/// The first words of peers of all versions, each up to the end of its handshake.
fn first_words() -> Vec<Vec<u8>> {
    vec![
        handshake("DEALER"),
        b"\xff\0\0\0\0\0\0\0\x04\x7f\x01\x05\0\x03xyz".to_vec(),
        frame_v1(b"xyz", false),
        b"\xff\0\0\0\0\0\0\0\x04\0xyz".to_vec(),
    ]
}

#[test]
fn every_truncation_of_a_handshake_waits_and_then_times_out() {
    for words in first_words() {
        for cut in 0..words.len() {
            for piece in [1, usize::MAX] {
                let mut side = play(config(), piece, &[send(&words[..cut])]);
                assert_eq!((&side.error, &side.events), (&None, &vec![]), "{words:?} at {cut}");
                let due = side.connection.poll_timeout().expect("a handshake has a deadline");
                side.handle_timeout(due);
                assert_eq!(side.error, Some(Error::HandshakeTimeout));
            }
        }
        assert_eq!(play(config(), 1, &[send(&words)]).events, [Event::Ready]);
    }
}

#[test]
fn every_corrupt_octet_of_a_handshake_is_survived() {
    let whole = handshake("DEALER").len();
    for at in 0..whole {
        for mask in [0x01, 0x80, 0xff] {
            let broken = Delivery { corrupt: Some((at, mask)), ..Delivery::default() };
            let mut pair = Pair::with_delivery(config(), config(), broken, Delivery::default());
            pair.settle();
            pair.advance(Duration::from_secs(31));
            let over = pair.left.error.is_some();
            assert_ne!(over, pair.left.connection.is_ready(), "at {at} with {mask:#x}");
        }
    }
}

#[test]
fn a_wire_that_breaks_anywhere_leaves_only_whole_frames() {
    let octets = [frame(b"one", false), frame(b"two", false), frame(&[3; 300], false)].concat();
    let start = handshake("DEALER").len();
    for cut in 0..octets.len() {
        let side = play(config(), 7, &[send(handshake("DEALER")), send(&octets[..cut])]);
        let whole = [0, 5, 10].iter().filter(|&&end| end > 0 && cut >= end).count();
        assert_eq!(side.events.len(), 1 + whole, "{start} + {cut}");
        assert_eq!(side.error, None);
    }
}

#[test]
fn strangers_are_survived() {
    let strangers: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8.0\r\nAccept: */*\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        &[0; 64],
        &[0xff; 64],
        &[0x7f; 1000],
    ];
    for words in strangers {
        for piece in [1, 10, usize::MAX] {
            let side = play(config(), piece, &[send(words)]);
            assert!(!side.events.contains(&Event::Subscribe(vec![])));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn messages_survive_any_split(
        bodies in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..600), any::<bool>()), 0..12),
        large in 0usize..30_000,
        pieces in proptest::collection::vec(1usize..2000, 1..8),
    ) {
        let delivery = Delivery { pieces, ..Delivery::default() };
        let mut pair = Pair::with_delivery(config(), config(), delivery.clone(), delivery);
        pair.settle();
        let mut bodies = bodies;
        bodies.push((vec![0xa5; large], false));
        for (body, more) in &bodies {
            let octets = pair.left.frame(body, *more);
            pair.send_left(&octets);
        }
        pair.settle();
        let mut expected = vec![Event::Ready];
        expected.extend(bodies.into_iter().map(|(body, more)| Event::Frame(body, more)));
        prop_assert!(pair.right.events == expected);
    }

    #[test]
    fn any_octets_from_any_peer_are_survived(
        data in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        zmtp::testing::fuzz::greeting(&data);
        zmtp::testing::fuzz::frames(&data);
        zmtp::testing::fuzz::commands(&data);
        zmtp::testing::fuzz::metadata(&data);
        zmtp::testing::fuzz::connection(&data);
    }
}
