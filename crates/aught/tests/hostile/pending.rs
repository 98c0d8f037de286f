//! Peers about whom a handler was asked that does not answer: what is held for them counts towards
//! the limit on memory of unfinished handshakes, so that this limit is one.

use std::time::{Duration, Instant};

use aught::{Context, Socket, SocketType};

use crate::PATIENCE;
use crate::alone::{alone, descriptors, resident, tell};
use crate::stranger::{Stranger, frame, greeting, property};

/// How many peers have shown who they are, and wait.
const CROWD: usize = 3000;
/// What they may hold together, in bytes.
const LIMIT: usize = 8 * 1024 * 1024;

/// How much more there may be for a moment, in bytes: connections that have come and have not been
/// heard, and those that have to go and are not gone yet.
const PASSING: usize = LIMIT / 2;

/// Takes in what the handler is asked, and says nothing to it. How many requests that was.
fn hear(handler: &Socket) -> usize {
    std::iter::from_fn(|| handler.try_recv().ok()).count()
}

/// `each` is about what one of them holds, in bytes, and not more than that.
fn a_crowd_that_waits_for_an_answer(credentials: &[u8], is_plain: bool, each: usize) {
    let context = Context::new().expect("a context");
    let handler = context.socket(SocketType::Router).expect("a socket");
    handler.bind("inproc://zeromq.zap.01").expect("the name");
    let server = context.socket(SocketType::Rep).expect("a socket");
    server.set_linger(Some(Duration::ZERO)).expect("an option");
    server.set_zap_domain("global").expect("an option");
    // ZMQ_BACKLOG: those who come faster than they are let in would wait for a second.
    server.set_option(19, &4096_i32.to_ne_bytes()).expect("an option");
    server.set_max_handshake_memory(LIMIT as u32).expect("an option");
    server.set_plain_server(is_plain).expect("an option");
    // ZMQ_HANDSHAKE_IVL: nobody goes for being silent.
    server.set_option(66, &0_i32.to_ne_bytes()).expect("an option");
    server.bind("tcp://127.0.0.1:*").expect("a port");
    let endpoint = server.last_endpoint().expect("an endpoint");
    let come = || {
        let mut stranger = Stranger::connect(&endpoint);
        stranger.write(credentials);
        stranger
    };
    server.descriptor().expect("a descriptor"); // not to count as a connection's
    handler.descriptor().expect("a descriptor");
    let own = descriptors();
    // Whatever is made once is made now.
    let mut crowd = Vec::with_capacity(CROWD);
    crowd.push(come());
    let mut asked = 0;
    let start = Instant::now();
    while asked == 0 {
        assert!(start.elapsed() < PATIENCE, "the handler is not asked");
        asked += hear(&handler);
    }
    let (before, mut most) = (resident(), 0);
    while crowd.len() < CROWD {
        crowd.push(come());
        asked += hear(&handler);
        if crowd.len().is_multiple_of(100) {
            most = most.max(resident());
        }
    }
    // One end of each connection is ours.
    let kept = || descriptors() - own - CROWD;
    while kept() > LIMIT / each {
        assert!(start.elapsed() < PATIENCE, "{} may wait, not {}", kept(), LIMIT / each);
        asked += hear(&handler);
    }
    most = most.max(resident());
    let kept = kept();
    let growth = most.saturating_sub(before);
    tell(&format!(
        "figures: {growth} bytes for {kept} who wait, {asked} were asked about, {:?}",
        start.elapsed()
    ));
    assert!(growth < LIMIT + PASSING, "memory grew by {growth} bytes");
    assert!(kept > LIMIT / each / 2, "only {kept} may wait");
}

#[test]
fn null_peers_that_wait_for_an_answer_are_limited_in_memory() {
    alone("pending::null_peers_that_wait_for_an_answer_are_limited_in_memory", || {
        let ready = frame(4, &[b"\x05READY", &property("Socket-Type", b"REQ")[..]].concat());
        a_crowd_that_waits_for_an_answer(&[&greeting()[..], &ready].concat(), false, 7000);
    });
}

#[test]
fn plain_peers_that_wait_for_an_answer_are_limited_in_memory() {
    alone("pending::plain_peers_that_wait_for_an_answer_are_limited_in_memory", || {
        let mut greeting = greeting();
        greeting[12..17].copy_from_slice(b"PLAIN");
        let hello = frame(4, b"\x05HELLO\x03joe\x06secret");
        a_crowd_that_waits_for_an_answer(&[&greeting[..], &hello].concat(), true, 15_000);
    });
}

#[test]
fn long_passwords_that_wait_for_an_answer_are_limited_in_memory() {
    alone("pending::long_passwords_that_wait_for_an_answer_are_limited_in_memory", || {
        let mut greeting = greeting();
        greeting[12..17].copy_from_slice(b"PLAIN");
        let long = [&[255][..], &[b'x'; 255]].concat();
        let hello = frame(4, &[b"\x05HELLO", &long[..], &long].concat());
        a_crowd_that_waits_for_an_answer(&[&greeting[..], &hello].concat(), true, 15_500);
    });
}
