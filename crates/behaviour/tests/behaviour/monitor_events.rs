//! Every event of zmq_socket_monitor(3) with its number, its endpoint and its place in the order:
//! binding, connecting, refusals, failed handshakes, disconnects, closing, stopping.
//!
//! How monitors are made and stopped is in `monitoring`.

use crate::peer::{self, command, greeting, ready};
use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::io::Write;
use std::net::{TcpListener, TcpStream};

const EINPROGRESS: u32 = libc::EINPROGRESS as u32;
const BOTH: [Transport; 2] = [Transport::Tcp, Transport::Ipc];

/// The next event, which must be of a kind and at an endpoint; its number.
#[track_caller]
fn expect(monitor: &Monitor, kind: i32, endpoint: &str) -> u32 {
    let event = monitor.next().expect("an event");
    assert_eq!((event.kind, event.endpoint.as_str()), (kind, endpoint), "{event:?}");
    event.value
}

/// The next events must be those of a connection that is made: the descriptor.
#[track_caller]
fn expect_connecting(monitor: &Monitor, transport: Transport, endpoint: &str) -> u32 {
    if transport == Transport::Tcp {
        assert_eq!(expect(monitor, EVENT_CONNECT_DELAYED, endpoint), EINPROGRESS);
    }
    let descriptor = expect(monitor, EVENT_CONNECTED, endpoint);
    assert!(descriptor > 2, "a descriptor");
    assert_eq!(expect(monitor, EVENT_HANDSHAKE_SUCCEEDED, endpoint), 0);
    descriptor
}

/// The next events must be those of an attempt that fails, and is to be repeated after a time.
#[track_caller]
fn expect_refusal(monitor: &Monitor, transport: Transport, endpoint: &str) -> u32 {
    if transport == Transport::Tcp {
        assert_eq!(expect(monitor, EVENT_CONNECT_DELAYED, endpoint), EINPROGRESS);
    }
    assert!(expect(monitor, EVENT_CLOSED, endpoint) > 2, "a descriptor");
    expect(monitor, EVENT_CONNECT_RETRIED, endpoint)
}

/// Where nobody listens. The listener keeps the port from others while it does not listen.
fn dead(transport: Transport) -> (String, Option<std::os::fd::OwnedFd>) {
    match transport {
        Transport::Tcp => {
            let (port, holder) = bound_port();
            (format!("tcp://127.0.0.1:{port}"), Some(holder))
        }
        _ => (transport.endpoint(), None),
    }
}

/// Both sides of a connection that a client makes and gives up.
#[test]
fn a_connection_is_told_of_on_both_sides() {
    for transport in BOTH {
        let ctx = Ctx::new();
        let server = ctx.socket(PULL);
        let told = Monitor::new(&ctx, &server);
        let endpoint = server.bind_to(transport);
        let listener = expect(&told, EVENT_LISTENING, &endpoint);
        assert!(listener > 2, "a descriptor");
        let client = ctx.socket(PUSH);
        let client_told = Monitor::new(&ctx, &client);
        client.connect(&endpoint).expect("connect");
        expect_connecting(&client_told, transport, &endpoint);
        let accepted = expect(&told, EVENT_ACCEPTED, &endpoint);
        assert_eq!(expect(&told, EVENT_HANDSHAKE_SUCCEEDED, &endpoint), 0);
        drop(client);
        assert_eq!(expect(&client_told, EVENT_MONITOR_STOPPED, ""), 0);
        assert_eq!(expect(&told, EVENT_DISCONNECTED, &endpoint), accepted);
        server.close().expect("close");
        assert_eq!(expect(&told, EVENT_CLOSED, &endpoint), listener);
        assert_eq!(expect(&told, EVENT_MONITOR_STOPPED, ""), 0);
    }
}

/// A server that goes: the client tells of the loss, then of each attempt.
#[test]
fn a_lost_server_is_looked_for_again() {
    for transport in BOTH {
        let ctx = Ctx::new();
        let server = ctx.socket(PULL);
        let endpoint = server.bind_to(transport);
        let client = ctx.socket(PUSH);
        client.set(RECONNECT_IVL, 20).expect("RECONNECT_IVL");
        let told = Monitor::new(&ctx, &client);
        client.connect(&endpoint).expect("connect");
        let descriptor = expect_connecting(&told, transport, &endpoint);
        drop(server);
        assert_eq!(expect(&told, EVENT_DISCONNECTED, &endpoint), descriptor);
        let wait = expect(&told, EVENT_CONNECT_RETRIED, &endpoint);
        assert!((20..40).contains(&wait), "{wait} ms");
        for _ in 0..2 {
            // A port that was just closed may reset the connection instead.
            let wait = expect_refusal(&told, transport, &endpoint);
            assert!((20..40).contains(&wait), "{wait} ms");
        }
    }
}

/// zmq_unbind(3): the listener closes; zmq_disconnect(3): the peer goes without an event of ours.
#[test]
fn unbind_and_disconnect_are_told_of() {
    for transport in BOTH {
        let ctx = Ctx::new();
        let server = ctx.socket(PULL);
        let told = Monitor::new(&ctx, &server);
        let endpoint = server.bind_to(transport);
        let listener = expect(&told, EVENT_LISTENING, &endpoint);
        let client = ctx.socket(PUSH);
        let client_told = Monitor::new(&ctx, &client);
        client.connect(&endpoint).expect("connect");
        expect_connecting(&client_told, transport, &endpoint);
        let accepted = expect(&told, EVENT_ACCEPTED, &endpoint);
        expect(&told, EVENT_HANDSHAKE_SUCCEEDED, &endpoint);
        client.disconnect(&endpoint).expect("disconnect");
        // On the reference, the socket's own thread has its part in ending the connection.
        Sock::until(|| {
            client.events();
            (told.socket().poll(POLLIN, 0) != 0).then_some(())
        });
        assert_eq!(expect(&told, EVENT_DISCONNECTED, &endpoint), accepted);
        server.unbind(&endpoint).expect("unbind");
        assert_eq!(expect(&told, EVENT_CLOSED, &endpoint), listener);
        client_told.socket().expect_nothing();
    }
}

#[test]
fn an_endpoint_where_nobody_listens_is_tried_again() {
    for transport in BOTH {
        let ctx = Ctx::new();
        let (endpoint, _holder) = dead(transport);
        let client = ctx.socket(PUSH);
        client.set(RECONNECT_IVL, 15).expect("RECONNECT_IVL");
        let told = Monitor::new(&ctx, &client);
        client.connect(&endpoint).expect("connect");
        for _ in 0..3 {
            let wait = expect_refusal(&told, transport, &endpoint);
            assert!((15..30).contains(&wait), "{wait} ms");
        }
    }
}

/// ZMQ_RECONNECT_IVL -1, and 0 as well: one attempt.
#[test]
fn without_an_interval_there_is_one_attempt() {
    for (transport, interval) in BOTH.into_iter().flat_map(|t| [(t, -1), (t, 0)]) {
        let ctx = Ctx::new();
        let (endpoint, _holder) = dead(transport);
        let client = ctx.socket(PUSH);
        client.set(RECONNECT_IVL, interval).expect("RECONNECT_IVL");
        assert_eq!(client.get(RECONNECT_IVL), Ok(interval));
        let told = Monitor::new(&ctx, &client);
        client.connect(&endpoint).expect("connect");
        if transport == Transport::Tcp {
            expect(&told, EVENT_CONNECT_DELAYED, &endpoint);
        }
        expect(&told, EVENT_CLOSED, &endpoint);
        told.socket().expect_nothing();
    }
}

/// ZMQ_RECONNECT_IVL_MAX: the interval doubles up to it; a random part of the first is added.
#[test]
fn the_interval_grows_up_to_its_maximum() {
    let ctx = Ctx::new();
    let (endpoint, _holder) = dead(Transport::Tcp);
    let client = ctx.socket(PUSH);
    client.set(RECONNECT_IVL, 10).expect("RECONNECT_IVL");
    client.set(RECONNECT_IVL_MAX, 60).expect("RECONNECT_IVL_MAX");
    let told = Monitor::with(&ctx, &client, EVENT_CONNECT_RETRIED);
    client.connect(&endpoint).expect("connect");
    for base in [10, 20, 40, 60, 60, 60] {
        let wait = expect(&told, EVENT_CONNECT_RETRIED, &endpoint);
        assert!((base..base + 10).contains(&wait), "{wait} ms after {base}");
    }
}

/// zmq_setsockopt(3): a maximum below the interval is ignored.
#[test]
fn a_maximum_below_the_interval_is_ignored() {
    let ctx = Ctx::new();
    let (endpoint, _holder) = dead(Transport::Tcp);
    let client = ctx.socket(PUSH);
    client.set(RECONNECT_IVL, 20).expect("RECONNECT_IVL");
    client.set(RECONNECT_IVL_MAX, 10).expect("RECONNECT_IVL_MAX");
    let told = Monitor::with(&ctx, &client, EVENT_CONNECT_RETRIED);
    client.connect(&endpoint).expect("connect");
    for _ in 0..4 {
        let wait = expect(&told, EVENT_CONNECT_RETRIED, &endpoint);
        assert!((20..40).contains(&wait), "{wait} ms");
    }
}

/// A name that cannot be looked up: nothing was opened that could close.
#[test]
fn a_name_that_is_unknown_is_tried_again() {
    let ctx = Ctx::new();
    let client = ctx.socket(PUSH);
    client.set(RECONNECT_IVL, 10).expect("RECONNECT_IVL");
    let told = Monitor::new(&ctx, &client);
    let endpoint = "tcp://no-such-host.invalid:5555";
    client.connect(endpoint).expect("connect");
    for _ in 0..2 {
        expect(&told, EVENT_CONNECT_RETRIED, endpoint);
    }
}

/// The event of a bind that fails names the address without its transport; before it comes the
/// end of the descriptor, for tcp without an endpoint.
#[test]
fn a_failed_bind_is_told_of() {
    let ctx = Ctx::new();
    let taken = ctx.socket(PULL).bind_to(Transport::Tcp);
    let holder = ctx.socket(PULL);
    let taken = match holder.bind(&taken) {
        Ok(()) => taken,
        Err(_) => holder.bind_to(Transport::Tcp),
    };
    let missing = scratch().join(unique()).join("socket");
    let missing = format!("ipc://{}", missing.display());
    let abstract_name = format!("ipc://@{}", unique());
    holder.bind(&abstract_name).expect("an abstract name");
    let elsewhere = "tcp://192.0.2.1:5555".to_owned(); // RFC 5737: nobody's
    let server = ctx.socket(PULL);
    let told = Monitor::new(&ctx, &server);
    for (endpoint, errno) in [
        (taken, EADDRINUSE),
        (elsewhere, EADDRNOTAVAIL),
        (missing, ENOENT),
        (abstract_name, EADDRINUSE),
    ] {
        assert_eq!(server.bind(&endpoint), Err(errno), "{endpoint}");
        let (transport, address) = endpoint.split_once("://").expect("a transport");
        let closed = if transport == "tcp" { "" } else { &endpoint };
        assert!(expect(&told, EVENT_CLOSED, closed) > 2, "a descriptor");
        assert_eq!(expect(&told, EVENT_BIND_FAILED, address), errno.0 as u32);
    }
}

/// Behind a wildcard, a connection's endpoint is the address that its peer has used.
#[test]
fn a_connection_to_a_wildcard_is_named_by_its_address() {
    let ctx = Ctx::new();
    let server = ctx.socket(PULL);
    let told = Monitor::new(&ctx, &server);
    server.bind("tcp://*:*").expect("bind");
    let bound = server.last_endpoint();
    let port = port_of(&bound);
    assert_eq!(bound, format!("tcp://0.0.0.0:{port}"));
    expect(&told, EVENT_LISTENING, &bound);
    let used = format!("tcp://127.0.0.1:{port}");
    let client = ctx.socket(PUSH);
    let client_told = Monitor::new(&ctx, &client);
    let named = format!("tcp://localhost:{port}");
    client.connect(&named).expect("connect");
    expect_connecting(&client_told, Transport::Tcp, &named);
    let accepted = expect(&told, EVENT_ACCEPTED, &used);
    expect(&told, EVENT_HANDSHAKE_SUCCEEDED, &used);
    drop(client);
    assert_eq!(expect(&told, EVENT_DISCONNECTED, &used), accepted);
    server.unbind(&bound).expect("unbind");
    expect(&told, EVENT_CLOSED, &bound);
}

/// An endpoint with a source address is told of as it was given.
#[test]
fn a_source_address_is_part_of_the_endpoint() {
    let ctx = Ctx::new();
    let server = ctx.socket(PULL);
    let port = port_of(&server.bind_to(Transport::Tcp));
    let client = ctx.socket(PUSH);
    let told = Monitor::new(&ctx, &client);
    let endpoint = format!("tcp://127.0.0.2:0;127.0.0.1:{port}");
    client.connect(&endpoint).expect("connect");
    expect_connecting(&told, Transport::Tcp, &endpoint);
}

/// A server that a peer says these bytes to, and what its monitor tells after ACCEPTED. The peer
/// stays until then.
struct Handshake {
    endpoint: String,
    accepted: u32,
    peer: RawStream,
    told: Monitor,
    _server: Sock,
    // Last, so that it ends after its sockets.
    _ctx: Ctx,
}

impl Handshake {
    fn new(transport: Transport, bytes: &[u8], prepare: impl Fn(&Sock)) -> Self {
        let ctx = Ctx::new();
        let server = ctx.socket(PULL);
        prepare(&server);
        let told = Monitor::new(&ctx, &server);
        let endpoint = server.bind_to(transport);
        expect(&told, EVENT_LISTENING, &endpoint);
        let mut peer = raw_connect(&endpoint);
        peer.write_all(bytes).expect("write");
        let accepted = expect(&told, EVENT_ACCEPTED, &endpoint);
        Self { _ctx: ctx, _server: server, told, endpoint, accepted, peer }
    }

    /// The end of what the peer says. (Closing could be a reset, with bytes that it never read.)
    fn hang_up(&self) {
        self.peer.finish();
    }

    #[track_caller]
    fn fails(&self, kind: i32) -> u32 {
        let value = expect(&self.told, kind, &self.endpoint);
        self.ends();
        value
    }

    /// The end after a refusal. The reference waits for the peer's end, and now and then calls
    /// that a failed handshake once more.
    #[track_caller]
    fn ends_after_refusal(&self) {
        let mut event = self.told.next().expect("an event");
        if event.kind == EVENT_HANDSHAKE_FAILED_NO_DETAIL {
            event = self.told.next().expect("an event");
        }
        assert_eq!((event.kind, event.value), (EVENT_DISCONNECTED, self.accepted));
    }

    #[track_caller]
    fn ends(&self) {
        assert_eq!(expect(&self.told, EVENT_DISCONNECTED, &self.endpoint), self.accepted);
    }
}

/// A peer that leaves in the middle: the number is the error of the operating system.
#[test]
fn a_peer_that_leaves_fails_its_handshake_without_detail() {
    let whole = greeting("NULL");
    for transport in BOTH {
        for bytes in [&[][..], &whole[..20], &whole[..]] {
            let handshake = Handshake::new(transport, bytes, |_| ());
            handshake.hang_up();
            let value = handshake.fails(EVENT_HANDSHAKE_FAILED_NO_DETAIL);
            assert_eq!(value, libc::EPIPE as u32);
        }
    }
}

/// ZMQ_HANDSHAKE_IVL: the number is EAGAIN.
#[test]
fn a_handshake_that_takes_too_long_fails_without_detail() {
    for bytes in [Vec::new(), greeting("NULL")] {
        let quick = |server: &Sock| server.set(HANDSHAKE_IVL, 100).expect("HANDSHAKE_IVL");
        let start = std::time::Instant::now();
        let handshake = Handshake::new(Transport::Tcp, &bytes, quick);
        let value = handshake.fails(EVENT_HANDSHAKE_FAILED_NO_DETAIL);
        assert!(start.elapsed().as_millis() >= 95, "too early");
        assert_eq!(value, EAGAIN.0 as u32);
    }
}

#[test]
fn a_broken_handshake_is_told_with_its_protocol_error() {
    let null = greeting("NULL");
    let after = |bytes: &[u8]| [null.as_slice(), bytes].concat();
    for (bytes, error) in [
        (greeting("PLAIN"), PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH),
        (greeting("NONSENSE"), PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH),
        (after(&command("HELLO", b"\0\0")), PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND),
        (after(b"\0\x05hello"), PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND),
        (after(&command("ERROR", b"\x0aabc")), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_ERROR),
        (after(&command("ERROR", b"")), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_ERROR),
    ] {
        let handshake = Handshake::new(Transport::Tcp, &bytes, |_| ());
        let value = handshake.fails(EVENT_HANDSHAKE_FAILED_PROTOCOL);
        assert_eq!(value, error as u32, "{}", bytes.escape_ascii());
    }
}

/// Peers of a type that does not fit: the connection ends, and no event says why.
#[test]
fn incompatible_socket_types_just_end() {
    for socket_type in ["PUB", "NONSENSE"] {
        let bytes = [greeting("NULL"), ready(socket_type)].concat();
        Handshake::new(Transport::Tcp, &bytes, |_| ()).ends();
    }
}

/// RFC 37: an ERROR command; RFC 27: its reason may be a status code.
#[test]
fn a_refusal_is_told_with_its_status_code() {
    for (reason, code) in [("\x03300", 300), ("\x03400", 400), ("\x03500", 500)] {
        let bytes = [greeting("NULL"), command("ERROR", reason.as_bytes())].concat();
        let handshake = Handshake::new(Transport::Tcp, &bytes, |_| ());
        let told = expect(&handshake.told, EVENT_HANDSHAKE_FAILED_AUTH, &handshake.endpoint);
        assert_eq!(told, code);
        handshake.hang_up();
        handshake.ends_after_refusal();
    }
}

/// Any other reason is no failure of authentication, and no breach of the protocol.
#[test]
fn a_refusal_without_a_status_code_just_ends() {
    let bytes = [greeting("NULL"), command("ERROR", b"\x03abc")].concat();
    let handshake = Handshake::new(Transport::Tcp, &bytes, |_| ());
    handshake.hang_up();
    handshake.ends_after_refusal();
}

/// A client whose handshake fails, for a reason that may pass.
#[test]
fn a_client_tries_again_after_a_handshake_without_end() {
    let ctx = Ctx::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let endpoint = format!("tcp://{}", listener.local_addr().expect("an address"));
    let client = ctx.socket(PUSH);
    client.set(HANDSHAKE_IVL, 50).expect("HANDSHAKE_IVL");
    client.set(RECONNECT_IVL, 10).expect("RECONNECT_IVL");
    let told = Monitor::new(&ctx, &client);
    client.connect(&endpoint).expect("connect");
    for _ in 0..2 {
        let (_silent, _) = listener.accept().expect("accept");
        expect(&told, EVENT_CONNECT_DELAYED, &endpoint);
        let descriptor = expect(&told, EVENT_CONNECTED, &endpoint);
        let value = expect(&told, EVENT_HANDSHAKE_FAILED_NO_DETAIL, &endpoint);
        assert_eq!(value, EAGAIN.0 as u32);
        assert_eq!(expect(&told, EVENT_DISCONNECTED, &endpoint), descriptor);
        let wait = expect(&told, EVENT_CONNECT_RETRIED, &endpoint);
        assert!((10..20).contains(&wait), "{wait} ms");
    }
}

/// ZMQ_CONNECT_TIMEOUT: an attempt that nobody answers ends, and is made again.
#[test]
fn an_attempt_that_nobody_answers_times_out() {
    let ctx = Ctx::new();
    let (full, _queue) = full_listener();
    let endpoint = format!("tcp://{full}");
    let client = ctx.socket(PUSH);
    client.set(CONNECT_TIMEOUT, 100).expect("CONNECT_TIMEOUT");
    client.set(RECONNECT_IVL, 10).expect("RECONNECT_IVL");
    let told = Monitor::new(&ctx, &client);
    let start = std::time::Instant::now();
    client.connect(&endpoint).expect("connect");
    expect_refusal(&told, Transport::Tcp, &endpoint);
    assert!(start.elapsed().as_millis() >= 95, "too early");
    assert!(start.elapsed().as_millis() < 20_000, "not the system's own time");
}

/// A listener whose queue is full, so that further connections are not answered.
fn full_listener() -> (std::net::SocketAddr, (TcpListener, Vec<TcpStream>)) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let address = listener.local_addr().expect("an address");
    let fd = std::os::fd::AsRawFd::as_raw_fd(&listener);
    // SAFETY: listen on a descriptor that lives across the call; the queue becomes short.
    assert_eq!(unsafe { libc::listen(fd, 0) }, 0);
    let mut queue = Vec::new();
    let brief = std::time::Duration::from_millis(200);
    while let Ok(stream) = TcpStream::connect_timeout(&address, brief) {
        queue.push(stream);
        assert!(queue.len() < 100, "the queue has no end");
    }
    (address, (listener, queue))
}

/// ZMQ_MAXMSGSIZE: who sends more is disconnected. (On the reference, the limit is also one for
/// the commands of the handshake.)
#[test]
fn who_sends_too_much_is_disconnected() {
    let ctx = Ctx::new();
    let server = ctx.socket(PULL);
    server.set_bytes(MAXMSGSIZE, &60_i64.to_ne_bytes()).expect("MAXMSGSIZE");
    let told = Monitor::new(&ctx, &server);
    let endpoint = server.bind_to(Transport::Tcp);
    let mut peer = peer::shaken(&endpoint, "PUSH");
    told.wait(EVENT_HANDSHAKE_SUCCEEDED);
    peer.write_all(&[&[0, 60][..], &[7; 60]].concat()).expect("write");
    server.expect([7; 60]);
    peer.write_all(&[&[0, 61][..], &[7; 61]].concat()).expect("write");
    expect(&told, EVENT_DISCONNECTED, &endpoint);
    peer::closed(peer);
}

/// A monitor that is replaced stops, and so does one whose socket is closed, unless the event is
/// not among those asked for.
#[test]
fn a_monitor_stops_with_an_event_if_it_was_asked_for() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PULL);
    let first = Monitor::new(&ctx, &socket);
    let second = Monitor::new(&ctx, &socket);
    assert_eq!(expect(&first, EVENT_MONITOR_STOPPED, ""), 0);
    drop(socket);
    assert_eq!(expect(&second, EVENT_MONITOR_STOPPED, ""), 0);
    let socket = ctx.socket(PULL);
    let silent = Monitor::with(&ctx, &socket, EVENT_LISTENING);
    let endpoint = socket.bind_to(Transport::Tcp);
    expect(&silent, EVENT_LISTENING, &endpoint);
    drop(socket);
    silent.socket().expect_nothing();
}

/// Whoever a filter turns away was not accepted. (The reference tells of a number that says
/// nothing.)
#[test]
fn a_peer_that_a_filter_turns_away_is_told_of() {
    for transport in [Transport::Tcp, Transport::Ipc] {
        let ctx = Ctx::new();
        let server = ctx.socket(PULL);
        match transport {
            Transport::Tcp => server.set_bytes(TCP_ACCEPT_FILTER, b"10.0.0.0/8").expect("filter"),
            _ => server.set(IPC_FILTER_UID, 65_533).expect("filter"),
        }
        let monitor = Monitor::new(&ctx, &server);
        let endpoint = server.bind_to(transport);
        let peer = raw_connect(&endpoint);
        assert_eq!(monitor.next().expect("an event").kind, EVENT_LISTENING);
        let event = monitor.next().expect("an event");
        assert_eq!((event.kind, event.endpoint), (EVENT_ACCEPT_FAILED, endpoint));
        peer::closed(peer);
    }
}
