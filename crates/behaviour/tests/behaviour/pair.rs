//! PAIR (RFC 31): one peer, both ways.

use aught_behaviour::consts::*;
use aught_behaviour::*;

on_transports! {
    fn a_pair_talks_both_ways(transport) {
        let ctx = Ctx::new();
        let left = ctx.socket(PAIR);
        let endpoint = left.bind_to(transport);
        let right = ctx.socket(PAIR);
        right.connect(&endpoint).expect("connect");
        for number in 0..100 {
            right.send(format!("to the left {number}")).expect("send");
        }
        for number in 0..100 {
            left.expect(format!("to the left {number}"));
        }
        left.send_all(&["to", "", "the right"]).expect("send");
        right.expect_all(&["to", "", "the right"]);
    }
}

on_transports! {
    /// RFC 31: a second peer is refused while the first is there: nothing of it is received.
    fn a_pair_has_one_peer(transport) {
        let ctx = Ctx::new();
        let left = ctx.socket(PAIR);
        let endpoint = left.bind_to(transport);
        let first = ctx.socket(PAIR);
        first.connect(&endpoint).expect("connect");
        first.send("mine").expect("send");
        left.expect("mine");
        let second = ctx.socket(PAIR);
        second.connect(&endpoint).expect("connect");
        // What the refused peer may still send is dropped.
        let _ = second.try_send("intruder");
        first.send("still mine").expect("send");
        left.expect("still mine");
        left.expect_nothing();
        left.send("yours").expect("send");
        first.expect("yours");
        second.expect_nothing();
    }
}

/// Once its peer has gone, a PAIR takes another.
#[test]
fn a_pair_takes_another_peer_once_the_first_has_gone() {
    let ctx = Ctx::new();
    let left = ctx.socket(PAIR);
    let endpoint = left.bind_to(Transport::Inproc);
    let first = ctx.socket(PAIR);
    first.connect(&endpoint).expect("connect");
    first.send("first").expect("send");
    left.expect("first");
    drop(first);
    Sock::until(|| {
        let next = ctx.socket(PAIR);
        next.connect(&endpoint).expect("connect");
        next.try_send("next").ok()?;
        (left.poll(POLLIN, 50) != 0).then(|| left.expect("next"))
    });
}

/// zmq_socket(3): without a peer a PAIR blocks.
#[test]
fn a_pair_without_a_peer_would_block() {
    let ctx = Ctx::new();
    let pair = ctx.socket(PAIR);
    assert_eq!(pair.try_send("x"), Err(EAGAIN));
    assert_eq!(pair.try_recv(), Err(EAGAIN));
    assert_eq!(pair.poll(POLLIN | POLLOUT, 0), 0);
}

/// What a peer sent before it left is still received.
#[test]
fn what_a_peer_sent_before_it_left_arrives() {
    let ctx = Ctx::new();
    let left = ctx.socket(PAIR);
    let right = ctx.socket(PAIR);
    right.connect(&left.bind_to(Transport::Inproc)).expect("connect");
    for number in 0..5 {
        right.send(format!("{number}")).expect("send");
    }
    right.close().expect("close");
    for number in 0..5 {
        left.expect(format!("{number}"));
    }
    assert_eq!(left.try_recv(), Err(EAGAIN));
    Sock::until(|| (left.try_send("x") == Err(EAGAIN)).then_some(()));
}
