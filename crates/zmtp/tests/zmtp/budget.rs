//! Allocation budgets: what receiving may cost in memory, counted per thread so that tests may run
//! side by side.

use std::time::Instant;

use zmtp::testing::script::{command, frame, handshake};
use zmtp::{Config, Connection, Received, SocketType};

use crate::allocator;

fn allocated_by(work: impl FnOnce()) -> usize {
    let before = allocator::allocated();
    work();
    allocator::allocated() - before
}

fn ready(kind: SocketType, peer: &str) -> Connection {
    let mut connection = Connection::new(Config::new(kind), Instant::now());
    let hello = handshake(peer);
    let (_, event) = connection.receive(Instant::now(), &hello).unwrap();
    assert_eq!(event, Some(Received::Ready));
    connection.transmit(&mut Vec::new());
    connection
}

#[test]
fn receiving_allocates_nothing() {
    let now = Instant::now();
    let mut connection = ready(SocketType::Xpub, "SUB");
    let octets = [
        frame(b"small", true),
        frame(&[0; 8000], false),
        frame(&[0; 100_000], false),
        command("SUBSCRIBE", b"topic"),
        command("CANCEL", &[0; 5000]),
        command("FUTURE", b""),
        command("PONG", b""),
    ]
    .concat();
    let cost = allocated_by(|| {
        let mut rest = &octets[..];
        while !rest.is_empty() {
            let (consumed, _) = connection.receive(now, rest).unwrap();
            rest = &rest[consumed..];
        }
    });
    assert_eq!(cost, 0);
}

#[test]
fn a_claimed_length_allocates_nothing() {
    let now = Instant::now();
    for flags in [2, 3] {
        let mut connection = ready(SocketType::Dealer, "DEALER");
        let claim = [&[flags][..], &(i64::MAX as u64).to_be_bytes(), b"abc"].concat();
        let cost = allocated_by(|| {
            let (consumed, event) = connection.receive(now, &claim).unwrap();
            assert_eq!(consumed, claim.len());
            assert!(matches!(event, Some(Received::Large { head: b"abc", .. })));
        });
        assert_eq!(cost, 0);
    }
    let mut connection = ready(SocketType::Pub, "SUB");
    let claim = [&[6u8][..], &(16u64 << 20).to_be_bytes(), b"\x09SUBSCRIBE"].concat();
    let cost = allocated_by(|| {
        for cut in 0..=claim.len() {
            assert_eq!(connection.receive(now, &claim[..cut]).unwrap(), (0, None));
        }
    });
    assert_eq!(cost, 0);
}

#[test]
fn a_whole_handshake_stays_under_two_kibibytes() {
    let now = Instant::now();
    let hello = handshake("DEALER");
    let config = Config::new(SocketType::Dealer);
    let cost = allocated_by(|| {
        let mut out = Vec::with_capacity(256);
        let mut connection = Connection::new(config, now);
        connection.receive(now, &hello).unwrap();
        connection.transmit(&mut out);
    });
    assert!(cost < 2048, "{cost} octets");
    assert!(size_of::<Connection>() <= 512, "{} octets", size_of::<Connection>());
}
