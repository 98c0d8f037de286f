//! ZMQ_RECONNECT_STOP (zmq_setsockopt(3)): when a socket stops trying to connect. The option is a
//! draft, and in the reference all the same.
//!
//! Connecting again to what was given up is not here: the reference may never terminate then.

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::net::TcpListener;

/// A PUSH with the option that tries again soon, and its monitor.
fn push(ctx: &Ctx, stop: i32) -> (Sock, Monitor) {
    let push = ctx.socket(PUSH);
    push.set(RECONNECT_STOP, stop).expect("RECONNECT_STOP");
    push.set(RECONNECT_IVL, 10).expect("RECONNECT_IVL");
    let monitor = Monitor::new(ctx, &push);
    (push, monitor)
}

#[test]
fn reconnect_stop_is_bits() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(PUSH);
    assert_eq!(socket.get(RECONNECT_STOP), Ok(0));
    for bits in [1, 2, 3, 0] {
        socket.set(RECONNECT_STOP, bits).expect("RECONNECT_STOP");
        assert_eq!(socket.get(RECONNECT_STOP), Ok(bits));
    }
    assert_eq!(socket.set_bytes(RECONNECT_STOP, &[1]), Err(EINVAL));
}

/// There is one attempt; then the endpoint is none of the socket's any more, with what was queued.
#[test]
fn a_refused_connection_is_not_tried_again() {
    let ctx = Ctx::new();
    let (port, _kept) = bound_port();
    let endpoint = format!("tcp://127.0.0.1:{port}");
    let (push, monitor) = push(&ctx, RECONNECT_STOP_CONN_REFUSED);
    push.connect(&endpoint).expect("connect");
    assert_eq!(monitor.next().expect("an event").kind, EVENT_CONNECT_DELAYED);
    assert_eq!(monitor.next().expect("an event").kind, EVENT_CLOSED);
    monitor.socket().expect_nothing();
    Sock::until(|| (push.try_send("nobody") == Err(EAGAIN)).then_some(()));
    assert_eq!(push.disconnect(&endpoint), Err(ENOENT));
}

/// The option is about refusals: other endpoints go on.
#[test]
fn other_connections_go_on() {
    let ctx = Ctx::new();
    let (port, _kept) = bound_port();
    let pull = ctx.socket(PULL);
    let (push, monitor) = push(&ctx, RECONNECT_STOP_CONN_REFUSED);
    push.connect(&pull.bind_to(Transport::Tcp)).expect("connect");
    monitor.wait(EVENT_HANDSHAKE_SUCCEEDED);
    push.connect(&format!("tcp://127.0.0.1:{port}")).expect("connect");
    monitor.wait(EVENT_CLOSED);
    for _ in 0..10 {
        push.send("x").expect("send");
    }
    // What went to the endpoint that was given up, before it was, is lost.
    pull.expect("x");
}

/// Listens, and hangs up on whoever comes with words that are not ZMTP.
fn rude() -> (String, std::sync::mpsc::Receiver<()>) {
    use std::io::Write;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("tcp://{}", listener.local_addr().expect("an address"));
    let (tell, came) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // They may be gone, and the test may be over.
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            if tell.send(()).is_err() {
                return;
            }
        }
    });
    (endpoint, came)
}

#[test]
fn a_peer_that_does_not_shake_hands_is_not_tried_again() {
    let ctx = Ctx::new();
    let (endpoint, came) = rude();
    let (push, monitor) = push(&ctx, RECONNECT_STOP_HANDSHAKE_FAILED);
    push.connect(&endpoint).expect("connect");
    monitor.wait(EVENT_DISCONNECTED);
    monitor.socket().expect_nothing();
    assert_eq!(came.try_iter().count(), 1);
    Sock::until(|| (push.try_send("nobody") == Err(EAGAIN)).then_some(()));
}

/// Each bit is about its own case.
#[test]
fn the_cases_are_apart() {
    let ctx = Ctx::new();
    let (port, _kept) = bound_port();
    let (push_to_nobody, monitor) = push(&ctx, RECONNECT_STOP_HANDSHAKE_FAILED);
    push_to_nobody.connect(&format!("tcp://127.0.0.1:{port}")).expect("connect");
    (0..3).for_each(|_| drop(monitor.wait(EVENT_CONNECT_RETRIED)));
    let (endpoint, _came) = rude();
    let (push_to_rude, monitor) = push(&ctx, RECONNECT_STOP_CONN_REFUSED);
    push_to_rude.connect(&endpoint).expect("connect");
    (0..3).for_each(|_| drop(monitor.wait(EVENT_CONNECT_RETRIED)));
}

/// A connection that was lost behind its handshake is looked for again.
#[test]
fn a_lost_connection_is_made_again() {
    let ctx = Ctx::new();
    let (push, monitor) = push(&ctx, RECONNECT_STOP_HANDSHAKE_FAILED);
    let pull = ctx.socket(PULL);
    let endpoint = pull.bind_to(Transport::Tcp);
    push.connect(&endpoint).expect("connect");
    monitor.wait(EVENT_HANDSHAKE_SUCCEEDED);
    drop(pull);
    monitor.wait(EVENT_CONNECT_RETRIED);
    let pull = ctx.socket(PULL);
    Sock::until(|| pull.bind(&endpoint).ok());
    monitor.wait(EVENT_HANDSHAKE_SUCCEEDED);
    push.send("x").expect("send");
    pull.expect("x");
}
