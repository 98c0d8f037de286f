//! High-water marks (zmq_setsockopt(3), ZMQ_SNDHWM and ZMQ_RCVHWM): how many messages wait, and
//! what happens to the next one.

use aught_behaviour::consts::*;
use aught_behaviour::*;

/// Sender and receiver of some types with the given marks, connected over inproc.
fn inproc(ctx: &Ctx, sender: (i32, i32), receiver: (i32, i32), sender_binds: bool) -> (Sock, Sock) {
    let source = ctx.socket(sender.0);
    source.set(SNDHWM, sender.1).expect("SNDHWM");
    let sink = ctx.socket(receiver.0);
    sink.set(RCVHWM, receiver.1).expect("RCVHWM");
    if sender_binds {
        sink.connect(&source.bind_to(Transport::Inproc)).expect("connect");
    } else {
        source.connect(&sink.bind_to(Transport::Inproc)).expect("connect");
    }
    (source, sink)
}

/// zmq_inproc(7): the two marks of an inproc connection add up.
#[test]
fn the_marks_of_an_inproc_connection_add_up() {
    let ctx = Ctx::new();
    for binds in [true, false] {
        let (push, pull) = inproc(&ctx, (PUSH, 3), (PULL, 4), binds);
        assert_eq!(push.fill("x", 100), 7);
        assert_eq!(push.poll(POLLOUT, 0), 0);
        for _ in 0..7 {
            pull.expect("x");
        }
        assert_eq!(pull.try_recv(), Err(EAGAIN));
        // How much of the room is handed back at once is the library's affair.
        push.await_writable();
        assert!((1..=7).contains(&push.fill("x", 100)));
    }
}

/// A connection made before the bind counts the same.
#[test]
fn the_marks_add_up_when_the_bind_comes_last() {
    let ctx = Ctx::new();
    let endpoint = Transport::Inproc.endpoint();
    let push = ctx.socket(PUSH);
    push.set(SNDHWM, 3).expect("SNDHWM");
    push.connect(&endpoint).expect("connect");
    let pull = ctx.socket(PULL);
    pull.set(RCVHWM, 4).expect("RCVHWM");
    pull.bind(&endpoint).expect("bind");
    assert_eq!(push.fill("x", 100), 7);
}

/// Zero on either side of an inproc connection means no limit.
#[test]
fn zero_means_no_limit() {
    let ctx = Ctx::new();
    for (send, receive) in [(0, 1), (1, 0), (0, 0)] {
        let (push, pull) = inproc(&ctx, (PUSH, send), (PULL, receive), true);
        assert_eq!(push.fill("x", 5000), 5000, "{send} {receive}");
        for _ in 0..5000 {
            pull.expect("x");
        }
    }
}

/// The defaults are 1000 and 1000.
#[test]
fn the_default_marks_hold_two_thousand_messages() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let push = ctx.socket(PUSH);
    push.connect(&pull.bind_to(Transport::Inproc)).expect("connect");
    assert_eq!(push.fill("x", 3000), 2000);
}

/// Each connection has its own queue.
#[test]
fn the_mark_is_per_connection() {
    let ctx = Ctx::new();
    let push = ctx.socket(PUSH);
    push.set(SNDHWM, 2).expect("SNDHWM");
    let endpoint = push.bind_to(Transport::Inproc);
    let pulls = [(); 3].map(|()| ctx.socket(PULL));
    for pull in &pulls {
        pull.set(RCVHWM, 3).expect("RCVHWM");
        pull.connect(&endpoint).expect("connect");
    }
    assert_eq!(push.fill("x", 100), 15);
    for pull in &pulls {
        assert_eq!(pull.drain(), 5);
    }
}

/// The mark counts whole messages, not parts.
#[test]
fn the_mark_counts_messages_of_many_parts_once() {
    let ctx = Ctx::new();
    let (push, pull) = inproc(&ctx, (PUSH, 2), (PULL, 2), true);
    for _ in 0..4 {
        for _ in 0..9 {
            push.send_flags("part", SNDMORE | DONTWAIT).expect("send");
        }
        push.try_send("last").expect("send");
    }
    assert_eq!(push.send_flags("part", SNDMORE | DONTWAIT), Err(EAGAIN));
    assert_eq!(push.try_send("x"), Err(EAGAIN));
    for _ in 0..4 {
        assert_eq!(pull.recv_all().expect("a message").len(), 10);
    }
}

/// A message that was begun can be finished: the mark is checked at its first part.
#[test]
fn a_message_that_was_begun_can_be_finished() {
    let ctx = Ctx::new();
    let (push, pull) = inproc(&ctx, (PUSH, 1), (PULL, 1), true);
    push.try_send("one").expect("send");
    for _ in 0..50 {
        push.send_flags("part", SNDMORE | DONTWAIT).expect("send");
    }
    push.try_send("last").expect("send");
    assert_eq!(push.try_send("three"), Err(EAGAIN));
    pull.expect("one");
    assert_eq!(pull.recv_all().expect("a message").len(), 51);
}

/// A PUB drops for the subscriber that is full.
#[test]
fn pub_drops_for_a_full_subscriber() {
    let ctx = Ctx::new();
    let publisher = ctx.socket(XPUB);
    publisher.set(SNDHWM, 2).expect("SNDHWM");
    let endpoint = publisher.bind_to(Transport::Inproc);
    let subscriber = ctx.socket(SUB);
    subscriber.set(RCVHWM, 3).expect("RCVHWM");
    subscriber.subscribe("");
    subscriber.connect(&endpoint).expect("connect");
    publisher.expect("\x01");
    for number in 0..20 {
        publisher.try_send(format!("{number}")).expect("send");
    }
    for number in 0..5 {
        subscriber.expect(format!("{number}"));
    }
    assert_eq!(subscriber.try_recv(), Err(EAGAIN));
    let again = Sock::until(|| {
        publisher.send("again").expect("send");
        subscriber.try_recv().ok()
    });
    assert_eq!(again, b"again");
}

/// A full subscriber does not hold the others up.
#[test]
fn pub_serves_the_others_while_one_is_full() {
    let ctx = Ctx::new();
    let publisher = ctx.socket(XPUB);
    publisher.set(SNDHWM, 2).expect("SNDHWM");
    publisher.set(XPUB_VERBOSE, 1).expect("XPUB_VERBOSE");
    let endpoint = publisher.bind_to(Transport::Inproc);
    let subscribers = [3, 0].map(|mark| {
        let subscriber = ctx.socket(SUB);
        subscriber.set(RCVHWM, mark).expect("RCVHWM");
        subscriber.subscribe("");
        subscriber.connect(&endpoint).expect("connect");
        publisher.expect("\x01");
        subscriber
    });
    for number in 0..50 {
        publisher.try_send(format!("{number}")).expect("send");
    }
    assert_eq!(subscribers[1].drain(), 50);
    assert_eq!(subscribers[0].drain(), 5);
}

/// A message of many parts is dropped whole.
#[test]
fn pub_drops_whole_messages() {
    let ctx = Ctx::new();
    let publisher = ctx.socket(XPUB);
    publisher.set(SNDHWM, 1).expect("SNDHWM");
    let endpoint = publisher.bind_to(Transport::Inproc);
    let subscriber = ctx.socket(SUB);
    subscriber.set(RCVHWM, 1).expect("RCVHWM");
    subscriber.subscribe("");
    subscriber.connect(&endpoint).expect("connect");
    publisher.expect("\x01");
    for number in 0..6 {
        publisher.send_all(&[format!("{number}"), "a".into(), "b".into()]).expect("send");
    }
    subscriber.expect_all(&["0", "a", "b"]);
    subscriber.expect_all(&["1", "a", "b"]);
    assert_eq!(subscriber.try_recv(), Err(EAGAIN));
}

/// ZMQ_XPUB_NODROP: a publisher that must not drop reports EAGAIN.
#[test]
fn xpub_nodrop_would_block_on_a_full_subscriber() {
    let ctx = Ctx::new();
    let publisher = ctx.socket(XPUB);
    publisher.set(SNDHWM, 2).expect("SNDHWM");
    publisher.set(XPUB_NODROP, 1).expect("XPUB_NODROP");
    let endpoint = publisher.bind_to(Transport::Inproc);
    let subscriber = ctx.socket(SUB);
    subscriber.set(RCVHWM, 3).expect("RCVHWM");
    subscriber.subscribe("");
    subscriber.connect(&endpoint).expect("connect");
    publisher.expect("\x01");
    assert_eq!(publisher.fill("x", 100), 5);
    for _ in 0..5 {
        subscriber.expect("x");
    }
    publisher.send("again").expect("send");
    subscriber.expect("again");
}

/// A send that blocks at the mark goes on when the reader reads.
#[test]
fn a_blocked_send_wakes_when_the_reader_reads() {
    let ctx = Ctx::new();
    let (push, pull) = inproc(&ctx, (PUSH, 1), (PULL, 1), true);
    assert_eq!(push.fill("x", 10), 2);
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || push.send("more").map(|()| push));
        pull.expect("x");
        pull.expect("x");
        pull.expect("more");
        drop(sender.join().expect("join").expect("send"));
    });
}

/// zmq_setsockopt(3): the marks take effect on live connections, from either side.
#[test]
fn raising_a_mark_makes_room_on_a_live_connection() {
    let ctx = Ctx::new();
    let (push, _pull) = inproc(&ctx, (PUSH, 1), (PULL, 1), true);
    push.send("x").expect("send");
    push.set(SNDHWM, 5).expect("SNDHWM");
    assert_eq!(push.fill("x", 100), 5);

    let (push, pull) = inproc(&ctx, (PUSH, 1), (PULL, 1), true);
    push.send("x").expect("send");
    pull.set(RCVHWM, 5).expect("RCVHWM");
    push.events();
    assert_eq!(push.fill("x", 100), 5);
}

#[test]
fn lowering_a_mark_takes_room_away() {
    let ctx = Ctx::new();
    let (push, _pull) = inproc(&ctx, (PUSH, 3), (PULL, 3), true);
    assert_eq!(push.fill("x", 3), 3);
    push.set(SNDHWM, 1).expect("SNDHWM");
    assert_eq!(push.fill("x", 100), 1);
}

/// A socket that was mute already notices with the next message read, at the latest.
#[test]
fn raising_the_mark_unmutes_a_live_connection() {
    let ctx = Ctx::new();
    let (push, pull) = inproc(&ctx, (PUSH, 1), (PULL, 1), true);
    assert_eq!(push.fill("x", 100), 2);
    push.set(SNDHWM, 5).expect("SNDHWM");
    pull.expect("x");
    push.await_writable();
    // The one that was read may be credited later.
    assert!((4..=5).contains(&push.fill("x", 100)));
}

/// A PAIR, a DEALER and a REQ wait at their marks as a PUSH does.
#[test]
fn pair_and_dealer_block_at_the_mark() {
    let ctx = Ctx::new();
    for kind in [PAIR, DEALER] {
        let (source, sink) = inproc(&ctx, (kind, 2), (kind, 3), false);
        assert_eq!(source.fill("x", 100), 5, "type {kind}");
        assert_eq!(source.poll(POLLOUT, 0), 0);
        for _ in 0..5 {
            sink.expect("x");
        }
        source.await_writable();
    }
}

/// Reading part of the queue un-mutes the sender before the queue is empty.
#[test]
fn a_mute_sender_recovers_before_the_queue_is_empty() {
    let ctx = Ctx::new();
    let (push, pull) = inproc(&ctx, (PUSH, 50), (PULL, 50), true);
    assert_eq!(push.fill("x", 1000), 100);
    let mut read = 0;
    while push.poll(POLLOUT, 0) == 0 {
        pull.expect("x");
        read += 1;
        assert!(read < 100, "un-muted only by the last message");
    }
}

/// Over tcp the marks bound what waits: at least SNDHWM, and not without end.
#[test]
fn marks_bound_a_tcp_connection() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.set(RCVHWM, 5).expect("RCVHWM");
    pull.set(RCVBUF, 8192).expect("RCVBUF");
    let endpoint = pull.bind_to(Transport::Tcp);
    let push = ctx.socket(PUSH);
    push.set(SNDHWM, 5).expect("SNDHWM");
    push.set(SNDBUF, 8192).expect("SNDBUF");
    push.set(SNDTIMEO, 300).expect("SNDTIMEO");
    push.connect(&endpoint).expect("connect");
    let message = vec![1; 1_000_000];
    let mut sent = 0;
    while push.send(&message).is_ok() {
        sent += 1;
        assert!(sent < 60, "megabytes wait somewhere");
    }
    assert!(sent >= 5, "{sent}");
    for _ in 0..sent {
        assert_eq!(pull.recv().expect("recv").len(), message.len());
    }
}

/// A connection that has no peer yet holds SNDHWM messages.
#[test]
fn a_connection_without_a_peer_holds_the_senders_mark() {
    let ctx = Ctx::new();
    let push = ctx.socket(PUSH);
    push.set(SNDHWM, 7).expect("SNDHWM");
    push.connect(&Transport::Ipc.endpoint()).expect("connect");
    assert_eq!(push.fill("x", 100), 7);
    assert_eq!(push.poll(POLLOUT, 0), 0);
}

/// ZMQ_IMMEDIATE: a connection that is not there yet takes nothing.
#[test]
fn immediate_waits_for_the_connection() {
    let ctx = Ctx::new();
    let endpoint = Transport::Ipc.endpoint();
    let push = ctx.socket(PUSH);
    push.set(IMMEDIATE, 1).expect("IMMEDIATE");
    push.set(RECONNECT_IVL, 10).expect("RECONNECT_IVL");
    push.connect(&endpoint).expect("connect");
    assert_eq!(push.try_send("x"), Err(EAGAIN));
    assert_eq!(push.poll(POLLOUT, 0), 0);
    let pull = ctx.socket(PULL);
    pull.bind(&endpoint).expect("bind");
    push.await_writable();
    push.send("x").expect("send");
    pull.expect("x");
}

/// ZMQ_IMMEDIATE: round robin passes over the peer that is not there.
#[test]
fn immediate_sends_to_the_peers_that_are_there() {
    let ctx = Ctx::new();
    let push = ctx.socket(PUSH);
    push.set(IMMEDIATE, 1).expect("IMMEDIATE");
    push.connect(&Transport::Ipc.endpoint()).expect("connect");
    let pull = ctx.socket(PULL);
    push.connect(&pull.bind_to(Transport::Ipc)).expect("connect");
    for number in 0..10 {
        push.send(format!("{number}")).expect("send");
    }
    for number in 0..10 {
        pull.expect(format!("{number}"));
    }
}

/// ZMQ_CONFLATE: a queue of one message, the last.
#[test]
fn a_conflating_push_keeps_the_last_message() {
    let ctx = Ctx::new();
    let push = ctx.socket(PUSH);
    push.set(CONFLATE, 1).expect("CONFLATE");
    let endpoint = Transport::Ipc.endpoint();
    push.connect(&endpoint).expect("connect");
    for number in 0..100 {
        push.try_send(format!("{number}")).expect("never mute");
    }
    let pull = ctx.socket(PULL);
    pull.bind(&endpoint).expect("bind");
    pull.expect("99");
    pull.expect_nothing();
}

/// ZMQ_CONFLATE on the receiving side.
#[test]
fn a_conflating_pull_keeps_the_last_message() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.set(CONFLATE, 1).expect("CONFLATE");
    let endpoint = pull.bind_to(Transport::Inproc);
    let push = ctx.socket(PUSH);
    push.connect(&endpoint).expect("connect");
    for number in 0..500 {
        push.send(format!("{number}")).expect("send");
    }
    Sock::until(|| (pull.recv().expect("recv") == b"499").then_some(()));
    assert_eq!(pull.try_recv(), Err(EAGAIN));
}

/// ZMQ_CONFLATE on the types that it is for: only the newest message is kept, of one part.
#[test]
fn conflation_keeps_the_newest_message() {
    for (sender, receiver) in [(PUSH, PULL), (DEALER, DEALER), (PUB, SUB)] {
        for transport in [Transport::Inproc, Transport::Tcp, Transport::Ipc] {
            let ctx = Ctx::new();
            let [from, to] = [sender, receiver].map(|kind| ctx.socket(kind));
            to.set(CONFLATE, 1).expect("CONFLATE");
            assert_eq!(to.get(CONFLATE), Ok(1));
            if receiver == SUB {
                to.subscribe("");
            }
            to.connect(&from.bind_to(transport)).expect("connect");
            // Until the peers know each other, a publisher drops.
            Sock::until(|| {
                let _ = from.try_send("first"); // there may be nobody yet
                to.try_recv().ok()
            });
            for number in 0..50 {
                from.send(format!("{number}")).expect("send");
            }
            from.send("last").expect("send");
            let mut received = 0;
            while to.recv_text() != ["last"] {
                received += 1;
            }
            // Over a connection they may come one by one, as fast as they are received.
            assert!(received == 0 || transport != Transport::Inproc, "{sender}: {received}");
            to.expect_nothing();
        }
    }
}
