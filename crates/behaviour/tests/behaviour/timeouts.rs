//! ZMQ_SNDTIMEO, ZMQ_RCVTIMEO, ZMQ_DONTWAIT and linger: how long calls take.
//!
//! Lower bounds are exact; upper ones are generous, because the machine may be busy.

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::time::{Duration, Instant};

const GENEROUS: Duration = Duration::from_secs(10);

fn took(call: impl FnOnce()) -> Duration {
    let start = Instant::now();
    call();
    start.elapsed()
}

#[test]
fn a_receive_gives_up_after_its_timeout() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.set(RCVTIMEO, 150).expect("RCVTIMEO");
    let time = took(|| assert_eq!(pull.recv(), Err(EAGAIN)));
    assert!(time >= Duration::from_millis(149) && time < GENEROUS, "{time:?}");
}

#[test]
fn a_send_gives_up_after_its_timeout() {
    let ctx = Ctx::new();
    let push = ctx.socket(PUSH);
    push.set(SNDTIMEO, 150).expect("SNDTIMEO");
    let time = took(|| assert_eq!(push.send("x"), Err(EAGAIN)));
    assert!(time >= Duration::from_millis(149) && time < GENEROUS, "{time:?}");
}

#[test]
fn a_timeout_of_zero_does_not_wait() {
    let ctx = Ctx::new();
    let pair = ctx.socket(PAIR);
    pair.set(RCVTIMEO, 0).expect("RCVTIMEO");
    pair.set(SNDTIMEO, 0).expect("SNDTIMEO");
    assert_eq!(pair.recv(), Err(EAGAIN));
    assert_eq!(pair.send("x"), Err(EAGAIN));
}

/// ZMQ_DONTWAIT overrides the timeout.
#[test]
fn dontwait_does_not_wait_for_the_timeout() {
    let ctx = Ctx::new();
    let pair = ctx.socket(PAIR);
    let time = took(|| {
        assert_eq!(pair.try_recv(), Err(EAGAIN));
        assert_eq!(pair.try_send("x"), Err(EAGAIN));
    });
    assert!(time < GENEROUS, "{time:?}");
}

/// The timeout of receiving is not the one of sending.
#[test]
fn each_direction_has_its_own_timeout() {
    let ctx = Ctx::new();
    let pair = ctx.socket(PAIR);
    pair.set(RCVTIMEO, 0).expect("RCVTIMEO");
    pair.set(SNDTIMEO, 120).expect("SNDTIMEO");
    let time = took(|| assert_eq!(pair.send("x"), Err(EAGAIN)));
    assert!(time >= Duration::from_millis(119), "{time:?}");
    assert_eq!(pair.recv(), Err(EAGAIN));
}

/// A message that comes in time ends the wait.
#[test]
fn a_message_in_time_ends_the_wait() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.set(RCVTIMEO, 60_000).expect("RCVTIMEO");
    let endpoint = pull.bind_to(Transport::Tcp);
    let push = ctx.socket(PUSH);
    push.connect(&endpoint).expect("connect");
    push.send("x").expect("send");
    let time = took(|| assert_eq!(pull.recv().expect("recv"), b"x"));
    assert!(time < Duration::from_secs(30), "{time:?}");
}

/// zmq_ctx_term(3): linger 0 discards what was not sent, and termination does not wait.
#[test]
fn linger_zero_discards_at_once() {
    let ctx = Ctx::new();
    let push = ctx.plain_socket(PUSH);
    push.set(LINGER, 0).expect("LINGER");
    push.connect(&Transport::Ipc.endpoint()).expect("connect");
    push.send("lost").expect("send");
    push.close().expect("close");
    let time = took(|| ctx.term().expect("term"));
    assert!(time < GENEROUS, "{time:?}");
}

/// A positive linger bounds the wait of termination.
#[test]
fn a_positive_linger_is_waited_for_and_no_longer() {
    let ctx = Ctx::new();
    let push = ctx.plain_socket(PUSH);
    push.set(LINGER, 200).expect("LINGER");
    push.connect(&Transport::Ipc.endpoint()).expect("connect");
    push.send("lost").expect("send");
    push.close().expect("close");
    let time = took(|| ctx.term().expect("term"));
    assert!(time >= Duration::from_millis(190) && time < GENEROUS, "{time:?}");
}

/// zmq_close(3) itself never waits.
#[test]
fn close_does_not_wait_for_the_linger() {
    let ctx = Ctx::new();
    let push = ctx.plain_socket(PUSH);
    push.set(LINGER, 300).expect("LINGER");
    push.connect(&Transport::Ipc.endpoint()).expect("connect");
    push.send("lost").expect("send");
    let time = took(|| push.close().expect("close"));
    assert!(time < Duration::from_millis(250), "{time:?}");
}

/// The default linger is endless: termination waits until the peer has come and taken it all.
#[test]
fn an_endless_linger_waits_for_the_peer() {
    let ctx = Ctx::new();
    let endpoint = Transport::Ipc.endpoint();
    let push = ctx.plain_socket(PUSH);
    push.connect(&endpoint).expect("connect");
    for number in 0..100 {
        push.send(format!("{number}")).expect("send");
    }
    push.close().expect("close");
    let done = ctx.term_elsewhere();
    assert!(done.recv_timeout(Duration::from_millis(150)).is_err(), "did not wait");
    let other = Ctx::new();
    let pull = other.socket(PULL);
    pull.bind(&endpoint).expect("bind");
    for number in 0..100 {
        pull.expect(format!("{number}"));
    }
    done.recv_timeout(GENEROUS * 2).expect("terminate").expect("term");
}

/// What was sent to a peer that is there arrives although the socket closes at once.
#[test]
fn a_closed_socket_still_sends_what_it_took() {
    for transport in [Transport::Inproc, Transport::Ipc, Transport::Tcp] {
        let ctx = Ctx::new();
        let pull = ctx.socket(PULL);
        let endpoint = pull.bind_to(transport);
        let push = ctx.plain_socket(PUSH);
        push.connect(&endpoint).expect("connect");
        for number in 0..500 {
            push.send(format!("{number}")).expect("send");
        }
        push.close().expect("close");
        for number in 0..500 {
            pull.expect(format!("{number}"));
        }
    }
}

/// ZMQ_BLOCKY off in zmq_ctx_set(3): new sockets have a linger of zero.
#[test]
fn a_context_that_is_not_blocky_gives_sockets_no_linger() {
    let ctx = Ctx::new();
    assert_eq!(ctx.plain_socket(PUSH).get(LINGER), Ok(-1));
    ctx.set(BLOCKY, 0).expect("BLOCKY");
    assert_eq!(ctx.plain_socket(PUSH).get(LINGER), Ok(0));
    ctx.set(BLOCKY, 1).expect("BLOCKY");
    assert_eq!(ctx.plain_socket(PUSH).get(LINGER), Ok(-1));
}
