//! Every mechanism between two connections of ours: handshakes, verdicts, traffic.

use std::time::Duration;

use zmtp::SocketType::{self, Dealer, Dish, Radio, Router, Sub, Xpub};
use zmtp::testing::secure::{self, CLIENT};
use zmtp::testing::{Delivery, Event, Pair};
use zmtp::{Config, Credentials, Error, HandshakeFailure, Verdict};

type Mechanism = (&'static str, fn(SocketType, SocketType) -> (Config, Config));

/// A pair of configurations of each mechanism; the left one is the client.
pub(crate) const MECHANISMS: [Mechanism; 3] =
    [("NULL", secure::null), ("PLAIN", secure::plain), ("CURVE", secure::curve)];

/// Octets of a message, which differ from place to place.
pub(crate) fn body(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + len) as u8).collect()
}

const SIZES: [usize; 14] = [0, 1, 31, 32, 33, 64, 159, 160, 161, 255, 256, 8192, 8200, 100_000];

fn exchange(pair: &mut Pair) {
    let mut expected = vec![Event::Ready];
    for (turn, len) in SIZES.into_iter().enumerate() {
        let more = turn % 3 == 1;
        let octets = pair.left.frame(&body(len), more);
        pair.send_left(&octets);
        let octets = pair.right.frame(&body(len), more);
        pair.send_right(&octets);
        expected.push(Event::Frame(body(len), more));
    }
    pair.settle();
    assert_eq!((&pair.left.error, &pair.right.error), (&None, &None));
    assert_eq!(pair.left.events, expected);
    pair.right.events.retain(|event| *event != Event::Authenticate);
    assert_eq!(pair.right.events, expected);
}

#[test]
fn every_mechanism_carries_messages_both_ways() {
    for (name, configs) in MECHANISMS {
        for pieces in [vec![], vec![1], vec![5, 1, 300]] {
            let delivery = Delivery { pieces, ..Delivery::default() };
            let (left, right) = configs(Dealer, Router);
            let mut pair = Pair::with_delivery(left, right, delivery.clone(), delivery);
            pair.settle();
            exchange(&mut pair);
            for side in [&pair.left, &pair.right] {
                let peer = side.connection.peer().unwrap();
                assert_eq!(peer.mechanism, name);
                assert_eq!(side.connection.is_sealing(), name == "CURVE");
            }
        }
    }
}

#[test]
fn a_handshake_may_be_split_anywhere() {
    for (name, configs) in MECHANISMS {
        for cut in 1..400 {
            let delivery = Delivery { pieces: vec![cut, usize::MAX], ..Delivery::default() };
            let (left, mut right) = configs(Dealer, Router);
            right.authenticate = true;
            let mut pair = Pair::with_delivery(left, right, delivery.clone(), delivery);
            pair.settle();
            assert!(pair.left.connection.is_ready(), "{name} at {cut}");
            assert_eq!(pair.right.events, [Event::Authenticate, Event::Ready], "{name} at {cut}");
        }
    }
}

#[test]
fn metadata_arrives_under_every_mechanism() {
    for (name, configs) in MECHANISMS {
        let (mut left, mut right) = configs(Dealer, Router);
        left.routing_id = b"left".to_vec();
        left.metadata.push(("X-colour".into(), b"blue".to_vec()));
        right.metadata.push(("X-size".into(), vec![9; 1000]));
        let mut pair = Pair::new(left, right);
        pair.settle();
        let peer = pair.right.connection.peer().unwrap();
        assert_eq!(peer.socket_type, Some(Dealer), "{name}");
        assert_eq!(peer.routing_id, b"left", "{name}");
        assert_eq!(peer.property("x-COLOUR"), Some(&b"blue"[..]), "{name}");
        let peer = pair.left.connection.peer().unwrap();
        assert_eq!(peer.property("X-size"), Some(&[9; 1000][..]), "{name}");
    }
}

#[test]
fn the_owner_sees_credentials_and_nothing_goes_on_before_it_decides() {
    for (name, configs) in MECHANISMS {
        let (left, mut right) = configs(Dealer, Router);
        right.authenticate = true;
        let mut pair = Pair::new(left, right);
        pair.right.verdict = None;
        pair.settle();
        assert_eq!(pair.right.events, [Event::Authenticate], "{name}");
        assert!(!pair.left.connection.is_ready(), "{name}");
        let keys = secure::keys(CLIENT);
        let expected = match name {
            "NULL" => Credentials::Null,
            "PLAIN" => Credentials::Plain { username: b"admin", password: b"secret" },
            _ => Credentials::Curve { public_key: keys.public().as_bytes() },
        };
        assert_eq!(pair.right.connection.credentials(), Some(expected), "{name}");
        assert_eq!(pair.left.connection.credentials(), None);
        assert_eq!(pair.left.connection.authorize(Verdict::Accept), Err(Error::Over));
        // Time passes while somebody thinks.
        pair.advance(Duration::from_secs(5));
        assert_eq!(pair.right.events, [Event::Authenticate], "{name}");
        pair.right.authorize(pair.now, Verdict::Accept);
        pair.settle();
        assert!(pair.left.connection.is_ready() && pair.right.connection.is_ready(), "{name}");
        exchange(&mut pair);
    }
}

#[test]
fn whoever_is_denied_hears_the_status_and_nothing_else() {
    for (name, configs) in MECHANISMS {
        for status in [300, 400, 500] {
            let (left, mut right) = configs(Dealer, Router);
            right.authenticate = true;
            let mut pair = Pair::new(left, right);
            pair.right.verdict = Some(Verdict::Deny { status });
            pair.settle();
            let error = pair.right.error.clone().unwrap();
            assert_eq!(error, Error::Denied { status }, "{name}");
            assert_eq!(error.handshake_failure(), HandshakeFailure::Auth(status.into()));
            assert_eq!(pair.right.events, [Event::Authenticate], "{name}");
            assert_eq!(pair.left.events, [], "{name}");
            let told = pair.left.error.as_ref().map(Error::handshake_failure);
            // RFC 27: 300 is temporary, and libzmq keeps it to itself.
            let expected = (status != 300).then_some(HandshakeFailure::Auth(status.into()));
            assert_eq!(told, expected, "{name} {status}");
        }
    }
}

#[test]
fn whoever_is_dropped_hears_nothing() {
    for (name, configs) in MECHANISMS {
        let (left, mut right) = configs(Dealer, Router);
        right.authenticate = true;
        let mut pair = Pair::new(left, right);
        pair.right.verdict = Some(Verdict::Drop);
        pair.settle();
        assert_eq!(pair.right.error, Some(Error::Rejected), "{name}");
        assert_eq!((&pair.left.error, pair.left.events.len()), (&None, 0), "{name}");
    }
}

#[test]
fn a_silent_owner_is_bounded_by_the_handshake_timeout() {
    for (name, configs) in MECHANISMS {
        let (left, mut right) = configs(Dealer, Router);
        right.authenticate = true;
        let mut pair = Pair::new(left, right);
        pair.right.verdict = None;
        pair.advance(Duration::from_secs(31));
        assert_eq!(pair.right.error, Some(Error::HandshakeTimeout), "{name}");
        assert_eq!(pair.right.connection.credentials(), None);
    }
}

#[test]
fn clients_of_plain_and_curve_ask_nobody() {
    for (name, configs) in MECHANISMS {
        let (mut left, right) = configs(Dealer, Router);
        left.authenticate = true;
        let mut pair = Pair::new(left, right);
        pair.settle();
        let asked = pair.left.events.contains(&Event::Authenticate);
        assert_eq!(asked, name == "NULL", "{name}");
        assert!(pair.left.connection.is_ready() && pair.right.connection.is_ready(), "{name}");
    }
}

#[test]
fn subscriptions_and_groups_pass_under_every_mechanism() {
    for (name, configs) in MECHANISMS {
        let (sub, xpub) = configs(Sub, Xpub);
        let mut pair = Pair::new(sub, xpub);
        pair.settle();
        let mut out = Vec::new();
        let long = vec![b't'; 20_000];
        pair.left.connection.encode_subscription(true, b"", &mut out);
        pair.left.connection.encode_subscription(true, &long, &mut out);
        pair.left.connection.encode_subscription(false, b"\0\xff", &mut out);
        pair.send_left(&out);
        pair.settle();
        let expected = [
            Event::Ready,
            Event::Subscribe(vec![]),
            Event::Subscribe(long),
            Event::Cancel(b"\0\xff".to_vec()),
        ];
        assert_eq!(pair.right.events, expected, "{name}");
        assert_eq!(pair.right.error, None, "{name}");

        let (dish, radio) = configs(Dish, Radio);
        let mut pair = Pair::new(dish, radio);
        pair.settle();
        let mut out = Vec::new();
        pair.left.connection.encode_membership(true, b"tv", &mut out);
        pair.left.connection.encode_membership(false, b"tv", &mut out);
        pair.send_left(&out);
        pair.settle();
        let tv = b"tv".to_vec();
        assert_eq!(pair.right.events[1..], [Event::Join(tv.clone()), Event::Leave(tv)], "{name}");
    }
}

#[test]
fn heartbeats_keep_every_mechanism_alive_and_notice_silence() {
    for (name, configs) in MECHANISMS {
        let (mut left, mut right) = configs(Dealer, Router);
        for config in [&mut left, &mut right] {
            config.heartbeat_interval = Some(Duration::from_secs(1));
            config.heartbeat_ttl = Duration::from_secs(3);
        }
        let mut pair = Pair::new(left, right);
        pair.advance(Duration::from_secs(40));
        assert_eq!((&pair.left.error, &pair.right.error), (&None, &None), "{name}");
        exchange(&mut pair);
        // From here on nothing arrives at the right side.
        let now = pair.now + Duration::from_secs(5);
        pair.right.handle_timeout(now);
        pair.right.transmit();
        pair.right.handle_timeout(now + Duration::from_secs(5));
        assert_eq!(pair.right.error, Some(Error::HeartbeatTimeout), "{name}");
    }
}

#[test]
fn what_is_sealed_leaves_in_order_whoever_wrote_it() {
    let (mut left, right) = secure::curve(Dealer, Router);
    left.heartbeat_interval = Some(Duration::from_millis(10));
    let mut pair = Pair::new(left, right);
    pair.settle();
    // A PING is due before each message and leaves first, or the nonces would be out of order.
    for turn in 0..100_u8 {
        pair.now += Duration::from_millis(10);
        let now = pair.now;
        pair.left.handle_timeout(now);
        let octets = pair.left.frame(&[turn], false);
        pair.send_left(&octets);
        pair.settle();
    }
    assert_eq!((&pair.left.error, &pair.right.error), (&None, &None));
    assert_eq!(pair.right.events.len(), 101);
}

#[test]
fn the_size_limit_counts_the_body_and_not_the_box() {
    for (name, configs) in MECHANISMS {
        for (limit, len, fits) in
            [(100, 100, true), (100, 101, false), (70_000, 70_000, true), (70_000, 70_001, false)]
        {
            let (left, mut right) = configs(Dealer, Router);
            right.max_message_size = Some(limit);
            let mut pair = Pair::new(left, right);
            pair.settle();
            let octets = pair.left.frame(&body(len), false);
            pair.send_left(&octets);
            pair.settle();
            let expected = (!fits).then_some(Error::MessageTooLarge { len: len as u64, limit });
            assert_eq!(pair.right.error, expected, "{name} {limit} {len}");
            assert_eq!(pair.right.events.len(), 1 + usize::from(fits), "{name} {limit} {len}");
        }
    }
}

#[test]
fn a_small_size_limit_does_not_break_handshakes_or_subscriptions() {
    // libzmq#4436
    for (name, configs) in MECHANISMS {
        let (sub, mut xpub) = configs(Sub, Xpub);
        xpub.max_message_size = Some(1);
        let mut pair = Pair::new(sub, xpub);
        pair.settle();
        let mut out = Vec::new();
        pair.left.connection.encode_subscription(true, &[b't'; 5000], &mut out);
        pair.send_left(&out);
        pair.settle();
        assert_eq!(pair.right.events[1..], [Event::Subscribe(vec![b't'; 5000])], "{name}");
    }
}
