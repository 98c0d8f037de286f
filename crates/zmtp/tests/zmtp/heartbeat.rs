//! Heartbeats between two connections under a clock that the tests move.

use std::time::Duration;

use zmtp::testing::script::{Move, command, expect, greeting, play, ready, send};
use zmtp::testing::{Delivery, Event, Pair};
use zmtp::{Config, Error, Misbehaved, SocketType};

const MS: Duration = Duration::from_millis(1);

fn beating(interval: Duration, timeout: Option<Duration>, ttl: Duration) -> Config {
    let mut config = Config::new(SocketType::Dealer);
    config.heartbeat_interval = Some(interval);
    config.heartbeat_timeout = timeout;
    config.heartbeat_ttl = ttl;
    config
}

fn quiet() -> Config {
    Config::new(SocketType::Dealer)
}

#[test]
fn heartbeats_keep_an_idle_connection_alive_for_a_day() {
    let config = beating(1_000 * MS, None, 1_000 * MS);
    let slow = || Delivery { latency: 400 * MS, ..Delivery::one_by_one() };
    let mut pair = Pair::with_delivery(config.clone(), config, slow(), slow());
    pair.advance(24 * 3_600 * 1_000 * MS);
    assert_eq!(pair.left.error, None);
    assert_eq!(pair.right.error, None);
    assert_eq!(pair.left.events, [Event::Ready]);
}

#[test]
fn a_peer_whose_answers_are_lost_is_given_up() {
    let lost = Delivery { cut_after: Some(64 + 43), ..Delivery::default() };
    let config = beating(1_000 * MS, Some(300 * MS), Duration::ZERO);
    let mut pair = Pair::with_delivery(config, quiet(), lost, Delivery::default());
    pair.advance(1_299 * MS);
    assert_eq!(pair.left.events, [Event::Ready]);
    assert_eq!(pair.left.error, None);
    pair.advance(MS);
    assert_eq!(pair.left.error, Some(Error::HeartbeatTimeout));
    assert_eq!(pair.right.error, None, "the other side asked for nothing");
}

#[test]
fn the_ttl_of_a_ping_makes_the_other_side_give_up() {
    let lost = Delivery { cut_after: Some(64 + 43 + 9), ..Delivery::default() };
    let config = beating(1_000 * MS, Some(10_000 * MS), 1_500 * MS);
    let mut pair = Pair::with_delivery(config, quiet(), Delivery::default(), lost);
    pair.advance(2_499 * MS);
    assert_eq!(pair.right.error, None);
    pair.advance(MS);
    assert_eq!(pair.right.error, Some(Error::HeartbeatTimeout));
}

#[test]
fn traffic_of_any_kind_is_life() {
    // PINGs go out at 1 s, 2 s, ...; nothing answers. Half a header at 5.5 s lifts the deadline that
    // the first PING set, and the PING at 6 s sets the next.
    let mut pair = Pair::new(beating(1_000 * MS, Some(10_000 * MS), Duration::ZERO), quiet());
    pair.settle();
    let (t0, left) = (pair.now, &mut pair.left.connection);
    for second in 1..=5 {
        left.handle_timeout(t0 + second * 1_000 * MS).unwrap();
    }
    assert_eq!(left.receive(t0 + 5_500 * MS, b"\0"), Ok((0, None)));
    for second in 6..=15 {
        left.handle_timeout(t0 + second * 1_000 * MS).unwrap();
    }
    left.handle_timeout(t0 + 15_999 * MS).unwrap();
    assert_eq!(left.handle_timeout(t0 + 16_000 * MS), Err(Error::HeartbeatTimeout));
}

#[test]
fn whole_frames_are_life_and_so_is_a_part_behind_them() {
    let mut pair = Pair::new(beating(1_000 * MS, None, Duration::ZERO), quiet());
    pair.settle();
    let (t0, left) = (pair.now, &mut pair.left.connection);
    left.handle_timeout(t0 + 1_000 * MS).unwrap();
    assert_eq!(left.receive(t0 + 1_400 * MS, b"\0\x05abcd"), Ok((0, None)));
    left.handle_timeout(t0 + 2_000 * MS).unwrap();
    // The frame becomes whole, and later one octet of the next arrives: fewer octets than were kept
    // before, and new all the same.
    let (consumed, event) = left.receive(t0 + 2_400 * MS, b"\0\x05abcde").unwrap();
    assert!(consumed == 7 && event.is_some());
    left.handle_timeout(t0 + 3_000 * MS).unwrap();
    assert_eq!(left.receive(t0 + 3_400 * MS, b"\0"), Ok((0, None)));
    left.handle_timeout(t0 + 4_000 * MS).unwrap();
    assert_eq!(left.handle_timeout(t0 + 5_000 * MS), Err(Error::HeartbeatTimeout));
}

#[test]
fn what_follows_a_ping_answers_its_ttl() {
    let mut pair = Pair::new(quiet(), quiet());
    pair.settle();
    let (t0, left) = (pair.now, &mut pair.left.connection);
    let ping = command("PING", b"\0\x0a");
    assert_eq!(left.receive(t0, &ping), Ok((ping.len(), None)));
    assert_eq!(left.poll_timeout(), Some(t0 + 1_000 * MS));
    let more = [&ping[..], b"\0"].concat();
    assert_eq!(left.receive(t0, &more), Ok((ping.len(), None)));
    assert_eq!(left.poll_timeout(), None);
}

#[test]
fn a_connection_that_timed_out_receives_nothing_more() {
    let mut pair = Pair::new(beating(1_000 * MS, None, Duration::ZERO), quiet());
    pair.settle();
    let (t0, left) = (pair.now, &mut pair.left.connection);
    left.handle_timeout(t0 + 1_000 * MS).unwrap();
    left.handle_timeout(t0 + 2_000 * MS).unwrap_err();
    assert_eq!(left.receive(t0 + 2_000 * MS, b"\0\x01a"), Err(Error::Over));
    assert!(!left.is_ready());
}

#[test]
fn presenting_the_same_octets_again_is_not_life() {
    let mut pair = Pair::new(beating(1_000 * MS, None, Duration::ZERO), quiet());
    pair.settle();
    let left = &mut pair.left.connection;
    let t0 = pair.now;
    assert_eq!(left.receive(t0, b"\0\x05ab"), Ok((0, None)));
    left.handle_timeout(t0 + 1_000 * MS).unwrap();
    assert_eq!(left.receive(t0 + 1_500 * MS, b"\0\x05ab"), Ok((0, None)));
    assert_eq!(left.handle_timeout(t0 + 2_000 * MS), Err(Error::HeartbeatTimeout));
}

#[test]
fn octets_of_a_large_frame_are_life_when_the_owner_says_so() {
    let mut pair = Pair::new(beating(1_000 * MS, None, Duration::ZERO), quiet());
    pair.settle();
    let left = &mut pair.left.connection;
    let t0 = pair.now;
    left.receive(t0, b"\x02\0\0\0\0\x01\0\0\0").unwrap();
    for second in 1..60 {
        left.handle_timeout(t0 + second * 1_000 * MS).unwrap();
        left.transmit(&mut Vec::new());
        left.heard(t0 + (second * 1_000 + 500) * MS);
    }
}

#[test]
fn pings_of_every_3_x_peer_are_answered() {
    for minor in [0, 1, 2] {
        let hello = [greeting(3, minor, "NULL"), ready(&[("Socket-Type", b"DEALER")])].concat();
        let side = play(
            quiet(),
            1,
            &[
                send(hello),
                expect(b"\xff\0\0\0\0\0\0\0\x01\x7f"),
                expect(&greeting(3, 1, "NULL")[10..]),
                expect(ready(&[("Socket-Type", b"DEALER"), ("Identity", b"")])),
                send(command("PING", b"\0\0")),
                expect(b"\x04\x05\x04PONG"),
                send(command("PING", &[0; 18])),
                expect(command("PONG", &[0; 16])),
                Move::Quiet,
            ],
        );
        assert_eq!(side.error, None);
    }
}

#[test]
fn malformed_pings_end_the_connection() {
    let hello = [greeting(3, 1, "NULL"), ready(&[])].concat();
    for bad in [&b""[..], b"\0", &[0; 19]] {
        let side = play(quiet(), 1, &[send(&hello), send(command("PING", bad))]);
        assert_eq!(side.error, Some(Misbehaved::Command("PING").into()));
    }
}

#[test]
fn no_heartbeat_starts_before_the_handshake_is_over() {
    let mut config = beating(MS, None, Duration::ZERO);
    config.handshake_timeout = None;
    let lost = Delivery { cut_after: Some(30), ..Delivery::default() };
    let mut pair = Pair::with_delivery(config, quiet(), lost, Delivery::default());
    pair.advance(1_000_000 * MS);
    assert_eq!(pair.left.error, None);
    assert_eq!(pair.left.connection.poll_timeout(), None);
}
