//! `ZMQ_RECONNECT_STOP` where libzmq 4.3.4 lacks it, or does not survive it. The rest is in the
//! behaviour suite.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use aught::{Context, Error, EventKind, Monitor};

use crate::support::{SOON, recv};

const RECONNECT_STOP: i32 = 109;

/// A port of this machine that is bound, so that it is nobody else's, and does not listen.
fn deaf() -> (socket2::Socket, String) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let socket = socket.expect("a socket");
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    socket.bind(&any.into()).expect("a port");
    let address = socket.local_addr().ok().and_then(|address| address.as_socket());
    (socket, format!("tcp://{}", address.expect("an address")))
}

fn wait_for(monitor: &mut Monitor, wanted: fn(EventKind) -> bool) {
    while !wanted(monitor.next_timeout(SOON).expect("an event").kind) {}
}

/// `ZMQ_RECONNECT_STOP_AFTER_DISCONNECT`: what is left does not make it try on.
#[test]
fn a_disconnected_endpoint_is_tried_no_more_if_asked_for() {
    let context = Context::new().expect("a context");
    let (_deaf, endpoint) = deaf();
    for stop in [0, 4] {
        let push = context.push().expect("a socket").into_socket();
        push.set_reconnect_interval(Some(Duration::from_millis(2))).expect("an interval");
        push.set_option(RECONNECT_STOP, &i32::to_ne_bytes(stop)).expect("an option");
        let mut monitor = push.monitor().expect("a monitor");
        push.connect(&endpoint).expect("a connection to come");
        push.send("left").expect("room");
        wait_for(&mut monitor, |kind| matches!(kind, EventKind::ConnectRetried(_)));
        push.disconnect(&endpoint).expect("it is connected");
        if stop == 0 {
            let retried = |kind| matches!(kind, EventKind::ConnectRetried(_));
            (0..5).for_each(|_| wait_for(&mut monitor, retried));
        } else {
            // What was under way ends, and then there is silence.
            while monitor.next_timeout(Duration::from_millis(100)).is_ok() {}
        }
        push.set_linger(Some(Duration::ZERO)).expect("a linger time");
    }
}

/// The next attempt is the application's, and may succeed, also for the types for which connecting
/// twice to an endpoint is connecting once.
#[test]
fn an_endpoint_that_was_given_up_can_be_connected_to_again() {
    let context = Context::new().expect("a context");
    let (socket, endpoint) = deaf();
    let dealer = context.dealer().expect("a socket").into_socket();
    dealer.set_option(RECONNECT_STOP, &1_i32.to_ne_bytes()).expect("an option");
    let mut monitor = dealer.monitor().expect("a monitor");
    dealer.connect(&endpoint).expect("a connection to come");
    wait_for(&mut monitor, |kind| matches!(kind, EventKind::Closed(_)));
    let start = Instant::now();
    while dealer.disconnect(&endpoint) != Err(Error::NoSuchEndpoint) {
        assert!(start.elapsed() < SOON, "it is not given up");
        dealer.connect(&endpoint).expect("a connection to come");
        wait_for(&mut monitor, |kind| matches!(kind, EventKind::Closed(_)));
    }
    socket.listen(10).expect("it may listen now");
    let server = context.dealer().expect("a socket");
    // ZMQ_USE_FD
    let fd = std::os::fd::IntoRawFd::into_raw_fd(socket);
    server.as_socket().set_option(89, &fd.to_ne_bytes()).expect("an option");
    server.bind(&endpoint).expect("it listens");
    dealer.connect(&endpoint).expect("a connection to come");
    dealer.send("x").expect("room");
    assert_eq!(recv(&server), "x");
}
