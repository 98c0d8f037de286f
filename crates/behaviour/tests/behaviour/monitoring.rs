//! zmq_socket_monitor(3): which events come, and how they look.

use aught_behaviour::consts::*;
use aught_behaviour::*;

/// The next event that is not a connect being delayed or retried.
fn next(monitor: &Monitor) -> Event {
    loop {
        let event = monitor.next().expect("an event");
        if event.kind != EVENT_CONNECT_DELAYED && event.kind != EVENT_CONNECT_RETRIED {
            return event;
        }
    }
}

/// The life of a connection, seen from the side that binds.
#[test]
fn a_server_reports_the_life_of_a_connection() {
    for transport in [Transport::Tcp, Transport::Ipc] {
        let ctx = Ctx::new();
        let server = ctx.socket(PULL);
        let monitor = Monitor::new(&ctx, &server);
        let endpoint = server.bind_to(transport);
        let event = next(&monitor);
        assert_eq!(event.kind, EVENT_LISTENING);
        assert_eq!(event.endpoint, endpoint);
        assert!(event.value > 2, "a descriptor");
        let client = ctx.socket(PUSH);
        client.connect(&endpoint).expect("connect");
        assert_eq!(next(&monitor).kind, EVENT_ACCEPTED);
        assert_eq!(next(&monitor).kind, EVENT_HANDSHAKE_SUCCEEDED);
        drop(client);
        assert_eq!(next(&monitor).kind, EVENT_DISCONNECTED);
        drop(server);
        monitor.wait(EVENT_MONITOR_STOPPED);
    }
}

/// The same from the side that connects.
#[test]
fn a_client_reports_the_life_of_a_connection() {
    let ctx = Ctx::new();
    let server = ctx.socket(PULL);
    let endpoint = server.bind_to(Transport::Tcp);
    let client = ctx.socket(PUSH);
    let monitor = Monitor::new(&ctx, &client);
    client.connect(&endpoint).expect("connect");
    let event = next(&monitor);
    assert_eq!(event.kind, EVENT_CONNECTED);
    assert!(event.value > 2, "a descriptor");
    assert_eq!(next(&monitor).kind, EVENT_HANDSHAKE_SUCCEEDED);
    drop(server);
    assert_eq!(next(&monitor).kind, EVENT_DISCONNECTED);
    drop(client);
    monitor.wait(EVENT_MONITOR_STOPPED);
}

/// A connection that is tried again and again says so, with the interval.
#[test]
fn a_connection_that_fails_is_retried() {
    let ctx = Ctx::new();
    let client = ctx.socket(PUSH);
    client.set(RECONNECT_IVL, 10).expect("RECONNECT_IVL");
    let monitor = Monitor::new(&ctx, &client);
    let endpoint = Transport::Ipc.endpoint();
    client.connect(&endpoint).expect("connect");
    let event = monitor.wait(EVENT_CONNECT_RETRIED);
    assert!((10..=20).contains(&event.value), "{event:?}");
    assert_eq!(event.endpoint, endpoint);
}

#[test]
fn unbinding_reports_that_the_listener_closed() {
    let ctx = Ctx::new();
    let server = ctx.socket(PULL);
    let monitor = Monitor::new(&ctx, &server);
    let endpoint = server.bind_to(Transport::Tcp);
    monitor.wait(EVENT_LISTENING);
    server.unbind(&endpoint).expect("unbind");
    let event = monitor.wait(EVENT_CLOSED);
    assert_eq!(event.endpoint, endpoint);
}

#[test]
fn a_bind_that_fails_is_reported() {
    let ctx = Ctx::new();
    let first = ctx.socket(PULL);
    let endpoint = first.bind_to(Transport::Tcp);
    let second = ctx.socket(PULL);
    let monitor = Monitor::new(&ctx, &second);
    assert_eq!(second.bind(&endpoint), Err(EADDRINUSE));
    let event = monitor.wait(EVENT_BIND_FAILED);
    assert_eq!(event.value, EADDRINUSE.0 as u32);
}

/// The mask chooses the events.
#[test]
fn only_the_events_asked_for_come() {
    let ctx = Ctx::new();
    let server = ctx.socket(PULL);
    let monitor = Monitor::with(&ctx, &server, EVENT_ACCEPTED | EVENT_DISCONNECTED);
    let endpoint = server.bind_to(Transport::Tcp);
    let client = ctx.socket(PUSH);
    client.connect(&endpoint).expect("connect");
    client.send("x").expect("send");
    server.expect("x");
    drop(client);
    assert_eq!(monitor.next().expect("an event").kind, EVENT_ACCEPTED);
    assert_eq!(monitor.next().expect("an event").kind, EVENT_DISCONNECTED);
}

/// zmq_socket_monitor(3): a monitor is an inproc endpoint.
#[test]
fn a_monitor_must_be_inproc() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PULL);
    assert_eq!(socket.monitor("tcp://127.0.0.1:*", EVENT_ALL), Err(EPROTONOSUPPORT));
    assert_eq!(socket.monitor("ipc://x", EVENT_ALL), Err(EPROTONOSUPPORT));
    assert_eq!(socket.monitor("nonsense", EVENT_ALL), Err(EINVAL));
}

/// A null endpoint ends the monitoring.
#[test]
fn monitoring_can_be_stopped() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PULL);
    let monitor = Monitor::new(&ctx, &socket);
    assert_eq!(lib().zmq_socket_monitor(socket.raw(), std::ptr::null(), EVENT_ALL), 0);
    assert_eq!(monitor.next().expect("an event").kind, EVENT_MONITOR_STOPPED);
    socket.bind_to(Transport::Tcp);
    monitor.socket().expect_nothing();
}

/// A monitored socket can be closed while nobody reads the events. (Somebody must have connected
/// to the monitor: on the reference a call that has an event to tell waits for that.)
#[test]
fn a_monitor_that_nobody_reads_does_not_hold_the_socket() {
    let ctx = Ctx::new();
    let server = ctx.socket(PULL);
    let _monitor = Monitor::new(&ctx, &server);
    let client = ctx.socket(PUSH);
    client.connect(&server.bind_to(Transport::Tcp)).expect("connect");
    client.send("x").expect("send");
    server.expect("x");
    drop((server, client));
}

/// A peer that does not speak the protocol fails its handshake.
#[test]
fn a_failed_handshake_is_reported() {
    let ctx = Ctx::new();
    let server = ctx.socket(PULL);
    let failed = EVENT_HANDSHAKE_FAILED_NO_DETAIL | EVENT_HANDSHAKE_FAILED_PROTOCOL;
    let monitor = Monitor::with(&ctx, &server, failed | EVENT_DISCONNECTED);
    let endpoint = server.bind_to(Transport::Tcp);
    let peer = raw_connect(&endpoint);
    drop(peer);
    let event = monitor.next().expect("an event");
    assert_ne!(event.kind & (failed | EVENT_DISCONNECTED), 0, "{event:?}");
}
