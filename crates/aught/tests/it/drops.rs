//! That no message is dropped without being counted, by cause.

use std::io::Read;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use aught::{Context, DropCause, Pull, Push, Socket};

use crate::support::{EVERYWHERE, SOON, bind, recv};

/// How often a cause occurred.
fn count(drops: &[(DropCause, u64)], cause: DropCause) -> u64 {
    drops.iter().find(|(known, _)| *known == cause).map_or(0, |(_, count)| *count)
}

fn of_socket(socket: impl AsRef<Socket>, cause: DropCause) -> u64 {
    count(&socket.as_ref().drops().expect("the socket is open"), cause)
}

/// Waits until a context has counted so many messages, and looks that there are no more.
#[track_caller]
fn await_count(context: &Context, cause: DropCause, expected: u64) {
    let start = Instant::now();
    while count(&context.drops(), cause) < expected {
        assert!(start.elapsed() < SOON, "{cause:?}: {:?}", context.drops());
        std::thread::yield_now();
    }
    assert_eq!(count(&context.drops(), cause), expected, "{cause:?}");
}

fn push(context: &Context, endpoint: &str) -> Push {
    let push = context.push().expect("a socket");
    push.connect(endpoint).expect("a connection to come");
    push
}

/// An endpoint where nobody listens, and what keeps it that way.
fn nobody() -> (String, TcpListener) {
    // A port of a listener that is full is as good as none: bound, and never accepting.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    (format!("tcp://{}", listener.local_addr().expect("an address")), listener)
}

#[test]
fn what_lingers_too_long_is_counted() {
    let context = Context::new().expect("a context");
    let (endpoint, _listener) = nobody();
    for linger in [0, 20] {
        let before = count(&context.drops(), DropCause::Linger);
        let push = push(&context, &endpoint);
        push.set_linger(Some(Duration::from_millis(linger))).expect("a linger time");
        (0..7).for_each(|_| push.send("never taken").expect("room"));
        assert_eq!(of_socket(&push, DropCause::Linger), 0);
        drop(push);
        await_count(&context, DropCause::Linger, before + 7);
    }
}

#[test]
fn what_a_disconnected_endpoint_did_not_get_is_counted() {
    let context = Context::new().expect("a context");
    let (endpoint, _listener) = nobody();
    let push = push(&context, &endpoint);
    push.set_linger(Some(Duration::ZERO)).expect("a linger time");
    (0..5).for_each(|_| push.send("never taken").expect("room"));
    push.as_socket().disconnect(&endpoint).expect("it is connected");
    let start = Instant::now();
    while of_socket(&push, DropCause::Linger) < 5 {
        assert!(start.elapsed() < SOON, "{:?}", push.as_socket().drops());
    }
    assert_eq!(of_socket(&push, DropCause::Linger), 5);
}

#[test]
fn what_arrived_and_was_not_received_is_counted() {
    for place in EVERYWHERE {
        let context = Context::new().expect("a context");
        let pull = context.pull().expect("a socket");
        let push = push(&context, &bind(&pull, place));
        for number in 0..10 {
            push.send(number.to_string()).expect("room");
        }
        assert_eq!(recv(&pull), "0");
        // The last one has arrived when a second peer's message has, but for inproc; so wait for
        // all of them to be counted somewhere.
        drop(push);
        let start = Instant::now();
        while !pull.as_socket().can_recv().expect("it is open") {
            assert!(start.elapsed() < SOON, "{place}");
        }
        drop(pull);
        let start = Instant::now();
        let total = || {
            let drops = context.drops();
            count(&drops, DropCause::Unread) + count(&drops, DropCause::ConnectionLost)
        };
        while total() < 9 {
            assert!(start.elapsed() < SOON, "{place}: {:?}", context.drops());
        }
        assert_eq!(total(), 9, "{place}");
    }
}

/// The messages that a connection has taken, and not handed to the system, go with it.
#[test]
fn what_goes_with_a_connection_is_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let context = Context::new().expect("a context");
    // Without a protocol the peer need not be ours.
    let stream = context.stream().expect("a socket");
    stream.as_socket().set_send_timeout(Some(Duration::ZERO)).expect("a timeout");
    let endpoint = format!("tcp://{}", listener.local_addr().expect("an address"));
    stream.connect(&endpoint).expect("a connection to come");
    let (mut peer, _) = listener.accept().expect("a connection");
    let id = recv(&stream).into_parts().next().expect("a part");
    let body = vec![7; 100_000];
    let mut sent = 0_u64;
    let full = |sent: u64| {
        let drops = stream.as_socket().drops().expect("it is open");
        sent > 500 || count(&drops, DropCause::RouterHwm) > 0
    };
    while !full(sent) {
        let message = aught::Message::from_parts([id.clone(), body.as_slice().into()]);
        if stream.try_send(message).is_err() {
            break;
        }
        sent += 1;
    }
    // It takes a little, and resets the connection.
    peer.read_exact(&mut [0; 1000]).expect("bytes");
    socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).expect("an option");
    drop(peer);
    let start = Instant::now();
    // Some were taken by the system, which nobody can count: less than half of them.
    let lost = || of_socket(&stream, DropCause::ConnectionLost);
    while lost() <= sent / 2 {
        assert!(start.elapsed() < SOON, "{:?}", stream.as_socket().drops());
    }
    assert!(lost() <= sent, "{} of {sent}", lost());
}

#[test]
fn what_waited_for_a_name_that_was_never_bound_is_counted() {
    let context = Context::new().expect("a context");
    let push = push(&context, "inproc://never");
    (0..3).for_each(|_| push.send("never taken").expect("room"));
    drop(push);
    context.shutdown();
    await_count(&context, DropCause::NoPeer, 3);
}

#[test]
fn what_conflation_replaced_is_counted_at_both_ends() {
    for place in EVERYWHERE {
        let context = Context::new().expect("a context");
        let pull = context.pull().expect("a socket");
        // ZMQ_CONFLATE
        pull.as_socket().set_option(54, &1_i32.to_ne_bytes()).expect("an option");
        let push = push(&context, &bind(&pull, place));
        for number in 0..50 {
            push.send(number.to_string()).expect("room");
        }
        push.send("last").expect("room");
        let mut received = 0;
        loop {
            received += 1;
            if recv(&pull) == "last" {
                break;
            }
        }
        await_count(&context, DropCause::Conflated, 51 - received);
    }
}

/// Sends, and lets sockets go at any time: each message was received or is counted. Nobody's
/// system takes part over inproc, so that the sum is exact.
#[test]
fn every_message_is_received_or_counted() {
    for (round, linger) in [None, Some(Duration::ZERO)].into_iter().cycle().take(20).enumerate() {
        let context = Context::new().expect("a context");
        let pull: Pull = context.pull().expect("a socket");
        pull.bind("inproc://sum").expect("a free name");
        let endpoint = "inproc://sum";
        let mut sent = 0;
        for sender in 0..5 {
            let push = push(&context, endpoint);
            push.set_linger(linger).expect("a linger time");
            for _ in 0..sender * round {
                push.send("x").expect("room");
                sent += 1;
            }
        }
        let mut received = 0;
        while received < sent / 2 {
            recv(&pull);
            received += 1;
        }
        drop(pull);
        let drops = context.drops();
        let dropped: u64 = drops.iter().map(|(_, count)| count).sum();
        assert_eq!(received + dropped, sent, "round {round}: {drops:?}");
    }
}
