//! Endpoints (zmq_bind(3), zmq_connect(3), zmq_unbind(3), zmq_disconnect(3), zmq_tcp(7),
//! zmq_ipc(7), zmq_inproc(7)): forms, wildcards, errors, order of bind and connect, reconnection.

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;
use std::time::Duration;

use crate::peer;

/// A message from one to the other.
fn passes(from: &Sock, to: &Sock) {
    from.send("through").expect("send");
    to.expect("through");
}

#[test]
fn bind_refuses_malformed_endpoints() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PULL);
    for endpoint in ["", "tcp", "tcp:", "tcp:/", "tcp://", "://x", "tcp:127.0.0.1:1"] {
        assert_eq!(socket.bind(endpoint), Err(EINVAL), "{endpoint:?}");
        assert_eq!(socket.connect(endpoint), Err(EINVAL), "{endpoint:?}");
    }
}

#[test]
fn an_unknown_transport_is_refused() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PULL);
    for endpoint in ["nothing://x", "TCP://127.0.0.1:1", "http://127.0.0.1:1"] {
        assert_eq!(socket.bind(endpoint), Err(EPROTONOSUPPORT), "{endpoint:?}");
        assert_eq!(socket.connect(endpoint), Err(EPROTONOSUPPORT), "{endpoint:?}");
    }
}

#[test]
fn bind_refuses_bad_tcp_addresses() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PULL);
    for endpoint in [
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:",
        "tcp://127.0.0.1:65536",
        "tcp://127.0.0.1:port",
        "tcp://*",
    ] {
        assert_eq!(socket.bind(endpoint), Err(EINVAL), "{endpoint:?}");
    }
}

#[test]
fn connect_refuses_bad_tcp_addresses() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PULL);
    for endpoint in [
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:",
        "tcp://127.0.0.1:port",
        "tcp://*:1234",
        "tcp://127.0.0.1:*",
    ] {
        assert_eq!(socket.connect(endpoint), Err(EINVAL), "{endpoint:?}");
    }
}

/// zmq_bind(3): ENODEV for an interface that does not exist.
#[test]
fn bind_needs_an_interface_of_this_machine() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PULL);
    assert_eq!(socket.bind("tcp://nosuchif0:*"), Err(ENODEV));
    assert_eq!(socket.bind("tcp://192.0.2.1:*"), Err(EADDRNOTAVAIL));
}

/// zmq_connect(3): a host name is resolved later; one that can never be resolved is no error.
#[test]
fn connect_does_not_wait_for_a_host() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PUSH);
    socket.connect("tcp://192.0.2.1:1234").expect("connect");
    socket.connect("tcp://host.invalid:1234").expect("connect");
}

#[test]
fn bind_reports_an_address_in_use() {
    let ctx = Ctx::new();
    let first = ctx.socket(PULL);
    let second = ctx.socket(PULL);
    for transport in [Transport::Tcp, Transport::Inproc] {
        let endpoint = first.bind_to(transport);
        assert_eq!(second.bind(&endpoint), Err(EADDRINUSE), "{endpoint}");
        assert_eq!(first.bind(&endpoint), Err(EADDRINUSE), "{endpoint}");
    }
    let foreign = TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = foreign.local_addr().expect("address").port();
    assert_eq!(second.bind(&format!("tcp://127.0.0.1:{port}")), Err(EADDRINUSE));
}

/// zmq_ipc(7): a path has a limit.
#[test]
fn a_long_ipc_path_is_refused() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PULL);
    let endpoint = format!("ipc:///tmp/{}", "x".repeat(150));
    assert_eq!(socket.bind(&endpoint), Err(ENAMETOOLONG));
    assert_eq!(socket.connect(&endpoint), Err(ENAMETOOLONG));
}

#[test]
fn an_ipc_path_needs_its_directory() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PULL);
    let endpoint = format!("ipc:///tmp/{}/socket", unique());
    assert_eq!(socket.bind(&endpoint), Err(ENOENT));
}

/// zmq_inproc(7): a name of up to 256 characters is fine.
#[test]
fn an_inproc_name_may_be_long() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let endpoint = format!("inproc://{}", "n".repeat(240));
    pull.bind(&endpoint).expect("bind");
    let push = ctx.socket(PUSH);
    push.connect(&endpoint).expect("connect");
    passes(&push, &pull);
}

#[test]
fn last_endpoint_is_empty_at_first() {
    let ctx = Ctx::new();
    assert_eq!(ctx.socket(PULL).get_bytes(LAST_ENDPOINT), Ok(vec![0]));
}

#[test]
fn last_endpoint_is_the_last_bound_or_connected() {
    let ctx = Ctx::new();
    let socket = ctx.socket(DEALER);
    let name = Transport::Inproc.endpoint();
    socket.bind(&name).expect("bind");
    assert_eq!(socket.last_endpoint(), name);
    let path = Transport::Ipc.endpoint();
    socket.bind(&path).expect("bind");
    assert_eq!(socket.last_endpoint(), path);
    socket.bind("tcp://127.0.0.1:*").expect("bind");
    let bound = socket.last_endpoint();
    assert!(bound.starts_with("tcp://127.0.0.1:") && port_of(&bound) > 0, "{bound}");
    socket.connect("tcp://127.0.0.1:9").expect("connect");
    assert_eq!(socket.last_endpoint(), "tcp://127.0.0.1:9");
}

/// zmq_tcp(7): `*` is all interfaces, shown as 0.0.0.0.
#[test]
fn a_star_binds_every_interface() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.bind("tcp://*:*").expect("bind");
    let bound = pull.last_endpoint();
    assert!(bound.starts_with("tcp://0.0.0.0:"), "{bound}");
    let push = ctx.socket(PUSH);
    push.connect(&format!("tcp://127.0.0.1:{}", port_of(&bound))).expect("connect");
    passes(&push, &pull);
}

/// zmq_tcp(7): port 0 is an ephemeral port as `*` is.
#[test]
fn port_zero_is_ephemeral() {
    let ctx = Ctx::new();
    for endpoint in ["tcp://127.0.0.1:0", "tcp://127.0.0.1:*"] {
        let pull = ctx.socket(PULL);
        pull.bind(endpoint).expect("bind");
        assert!(port_of(&pull.last_endpoint()) > 0);
    }
}

/// zmq_tcp(7): an interface by name.
#[test]
fn an_interface_can_be_named() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.bind("tcp://lo:*").expect("bind");
    let bound = pull.last_endpoint();
    assert!(bound.starts_with("tcp://127.0.0.1:"), "{bound}");
    let push = ctx.socket(PUSH);
    push.connect(&bound).expect("connect");
    passes(&push, &pull);
}

#[test]
fn connect_resolves_host_names() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let port = port_of(&pull.bind_to(Transport::Tcp));
    let push = ctx.socket(PUSH);
    push.connect(&format!("tcp://localhost:{port}")).expect("connect");
    passes(&push, &pull);
}

/// The routing id that the next connection's READY tells (RFC 37).
fn who_comes(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().expect("accept");
    stream.set_read_timeout(Some(Duration::from_secs(15))).expect("set a timeout");
    stream.write_all(&peer::greeting("NULL")).expect("greet");
    let mut head = [0; peer::GREETING + 2];
    stream.read_exact(&mut head).expect("a greeting and a frame");
    let mut body = vec![0; usize::from(head[peer::GREETING + 1])];
    stream.read_exact(&mut body).expect("READY");
    let name = b"Identity";
    let at = body.windows(name.len()).position(|window| window == name).expect("a routing id");
    String::from_utf8_lossy(&body[at + name.len() + 4..]).into_owned()
}

/// A subscriber that then tells the publisher over another socket that it is there counts on
/// this: looking up a name does not let the second connection overtake the first.
#[test]
fn connections_to_one_name_set_out_in_order() {
    let ctx = Ctx::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let endpoint = format!("tcp://localhost:{}", listener.local_addr().expect("a port").port());
    for round in 0..20 {
        let names = ["a", "b", "c"].map(|name| format!("{name}{round}"));
        let sockets = names.each_ref().map(|name| {
            let socket = ctx.socket(DEALER);
            socket.set_bytes(ROUTING_ID, name.as_bytes()).expect("set ROUTING_ID");
            socket.connect(&endpoint).expect("connect");
            socket
        });
        assert_eq!(names.each_ref().map(|_| who_comes(&listener)), names);
        drop(sockets);
    }
}

/// zmq_tcp(7): `source;destination` chooses the local address of a connection.
#[test]
fn a_connection_may_have_a_source_address() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let port = port_of(&pull.bind_to(Transport::Tcp));
    let push = ctx.socket(PUSH);
    push.connect(&format!("tcp://127.0.0.7:0;127.0.0.1:{port}")).expect("connect");
    push.send("x").expect("send");
    let mut msg = Msg::new();
    msg.recv(&pull, 0).expect("recv");
    assert_eq!(msg.gets("Peer-Address").as_deref(), Ok("127.0.0.7"));
}

/// zmq_ipc(7): `*` is a path of the library's choosing.
#[test]
fn an_ipc_wildcard_makes_a_path() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.bind("ipc://*").expect("bind");
    let bound = pull.last_endpoint();
    let path = bound.strip_prefix("ipc://").expect("an ipc endpoint").to_owned();
    let kind = std::fs::metadata(&path).expect("a file").file_type();
    assert!(kind.is_socket(), "{path}");
    let push = ctx.socket(PUSH);
    push.connect(&bound).expect("connect");
    passes(&push, &pull);
    pull.unbind(&bound).expect("unbind");
    Sock::until(|| (!std::path::Path::new(&path).exists()).then_some(()));
}

/// zmq_ipc(7): the abstract namespace leaves no file behind.
#[test]
fn an_abstract_ipc_name_works() {
    let ctx = Ctx::new();
    let endpoint = format!("ipc://@{}", unique());
    let pull = ctx.socket(PULL);
    pull.bind(&endpoint).expect("bind");
    assert_eq!(pull.last_endpoint(), endpoint);
    let push = ctx.socket(PUSH);
    push.connect(&endpoint).expect("connect");
    passes(&push, &pull);
    assert!(!std::path::Path::new(&endpoint["ipc://".len()..]).exists());
}

/// zmq_ipc(7): a path that is left over from before is taken over.
#[test]
fn a_stale_ipc_path_is_taken_over() {
    let path = scratch().join(unique());
    drop(std::os::unix::net::UnixListener::bind(&path).expect("bind"));
    assert!(path.exists(), "the file stays");
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let endpoint = format!("ipc://{}", path.display());
    pull.bind(&endpoint).expect("bind");
    let push = ctx.socket(PUSH);
    push.connect(&endpoint).expect("connect");
    passes(&push, &pull);
}

/// A path can be bound again once its socket has gone, whether or not its file stayed.
#[test]
fn an_ipc_path_can_be_bound_again() {
    let ctx = Ctx::new();
    let endpoint = Transport::Ipc.endpoint();
    for _ in 0..3 {
        let pull = ctx.socket(PULL);
        Sock::until(|| pull.bind(&endpoint).ok());
        let push = ctx.socket(PUSH);
        push.connect(&endpoint).expect("connect");
        passes(&push, &pull);
    }
}

on_transports! {
    /// zmq_bind(3), zmq_connect(3): a socket may bind and connect many times.
    fn a_socket_binds_and_connects_many_times(transport) {
        let ctx = Ctx::new();
        let hub = ctx.socket(PULL);
        let first = hub.bind_to(transport);
        let second = hub.bind_to(transport);
        let push = [&first, &second].map(|endpoint| {
            let push = ctx.socket(PUSH);
            push.connect(endpoint).expect("connect");
            push
        });
        let outside = ctx.socket(PUSH);
        hub.connect(&outside.bind_to(transport)).expect("connect");
        passes(&push[0], &hub);
        passes(&push[1], &hub);
        passes(&outside, &hub);
    }
}

/// zmq_connect(3): connecting comes before binding if it likes. For tcp the port must be known.
#[test]
fn connect_may_come_before_bind() {
    for transport in [Transport::Inproc, Transport::Ipc, Transport::Tcp] {
        let ctx = Ctx::new();
        let endpoint = match transport {
            Transport::Tcp => {
                let port = TcpListener::bind("127.0.0.1:0").expect("bind");
                format!("tcp://{}", port.local_addr().expect("address"))
            }
            other => other.endpoint(),
        };
        let push = ctx.socket(PUSH);
        push.set(RECONNECT_IVL, 10).expect("RECONNECT_IVL");
        push.connect(&endpoint).expect("connect");
        push.send("early").expect("send");
        let pull = ctx.socket(PULL);
        pull.bind(&endpoint).expect("bind");
        pull.expect("early");
    }
}

/// Several sockets may wait for one inproc name.
#[test]
fn many_may_connect_before_an_inproc_bind() {
    let ctx = Ctx::new();
    let endpoint = Transport::Inproc.endpoint();
    let pushes = [(); 3].map(|()| ctx.socket(PUSH));
    for (index, push) in pushes.iter().enumerate() {
        push.connect(&endpoint).expect("connect");
        push.send(format!("{index}")).expect("send");
    }
    let pull = ctx.socket(PULL);
    pull.bind(&endpoint).expect("bind");
    let mut got = [(); 3].map(|()| pull.recv_text().remove(0));
    got.sort();
    assert_eq!(got, ["0", "1", "2"]);
}

/// A socket that waits for an inproc name may be closed first.
#[test]
fn a_waiting_inproc_socket_may_close() {
    let ctx = Ctx::new();
    let endpoint = Transport::Inproc.endpoint();
    let push = ctx.socket(PUSH);
    push.connect(&endpoint).expect("connect");
    push.send("x").expect("send");
    drop(push);
    let pull = ctx.socket(PULL);
    pull.bind(&endpoint).expect("bind");
}

on_transports! {
    /// zmq_unbind(3): nothing listens any more, and the name is free.
    fn unbind_frees_the_endpoint(transport) {
        let ctx = Ctx::new();
        let first = ctx.socket(PULL);
        let endpoint = first.bind_to(transport);
        first.unbind(&endpoint).expect("unbind");
        let second = ctx.socket(PULL);
        Sock::until(|| second.bind(&endpoint).ok());
        let push = ctx.socket(PUSH);
        push.connect(&endpoint).expect("connect");
        passes(&push, &second);
    }
}

on_transports! {
    /// zmq_unbind(3), zmq_disconnect(3): ENOENT for an endpoint that is not the socket's.
    fn unbinding_what_is_not_bound_is_refused(transport) {
        let ctx = Ctx::new();
        let socket = ctx.socket(PULL);
        let endpoint = match transport {
            Transport::Tcp => "tcp://127.0.0.1:12345".to_owned(),
            other => other.endpoint(),
        };
        assert_eq!(socket.unbind(&endpoint), Err(ENOENT));
        assert_eq!(socket.disconnect(&endpoint), Err(ENOENT));
        let bound = socket.bind_to(transport);
        socket.unbind(&bound).expect("unbind");
        assert_eq!(socket.unbind(&bound), Err(ENOENT));
    }
}

/// The port of a fresh endpoint, and the endpoint with another host.
fn respelt(endpoint: &str, host: &str) -> String {
    format!("tcp://{host}:{}", port_of(endpoint))
}

/// What a socket is bound to can be spelt in any way that is an address, or has it.
#[test]
fn unbind_knows_an_address_however_it_is_spelt() {
    let ctx = Ctx::new();
    let spellings = ["127.0.0.1", "localhost", "127.1", "0x7f000001", "[127.0.0.1]"];
    for host in spellings.into_iter().chain(["[::ffff:127.0.0.1]"]) {
        let socket = ctx.socket(PULL);
        let bound = socket.bind_to(Transport::Tcp);
        let spelt = respelt(&bound, host);
        for other in ["127.0.0.2", "0.0.0.0", "*", "lo"] {
            assert_eq!(socket.unbind(&respelt(&bound, other)), Err(ENOENT), "{other}");
        }
        assert_eq!(socket.unbind("tcp://127.0.0.1:*"), Err(ENOENT));
        assert_eq!(socket.unbind("tcp://localhost:1"), Err(ENOENT));
        assert_eq!(socket.unbind(&spelt), Ok(()), "{spelt}");
        assert_eq!(socket.unbind(&bound), Err(ENOENT), "{spelt}");
    }
}

/// zmq_unbind(3): what was bound by a wildcard or an interface goes by its address.
#[test]
fn unbind_knows_a_wildcard_by_its_address() {
    let ctx = Ctx::new();
    for (bound, address) in [("*", "0.0.0.0"), ("*", "0"), ("lo", "127.0.0.1"), ("127.1", "127.1")]
    {
        let socket = ctx.socket(PULL);
        socket.bind(&format!("tcp://{bound}:*")).expect("bind");
        let actual = socket.last_endpoint();
        if bound != address {
            assert_eq!(socket.unbind(&respelt(&actual, bound)), Err(ENOENT), "{bound}");
        }
        assert_eq!(socket.unbind(&format!("tcp://{bound}:*")), Err(ENOENT), "{bound}");
        assert_eq!(socket.unbind(&respelt(&actual, address)), Ok(()), "{bound} by {address}");
    }
    let socket = ctx.socket(PULL);
    socket.bind("ipc://*").expect("bind");
    assert_eq!(socket.unbind("ipc://*"), Err(ENOENT));
    socket.unbind(&socket.last_endpoint()).expect("unbind");
}

/// What a socket is connected to goes by what was written, or by any spelling if it was an address.
#[test]
fn disconnect_knows_an_address_however_it_is_spelt() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let endpoint = pull.bind_to(Transport::Tcp);
    let table = [
        ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.1", "localhost", true),
        ("127.0.0.1", "127.1", true),
        ("127.0.0.1", "[::ffff:127.0.0.1]", true),
        ("127.0.0.1", "lo", false),
        ("localhost", "localhost", true),
        ("localhost", "127.0.0.1", false),
        ("localhost", "LOCALHOST", false),
        ("127.1", "127.1", true),
        ("127.1", "127.0.0.1", false),
    ];
    for (connected, left, known) in table {
        let push = ctx.socket(PUSH);
        push.connect(&respelt(&endpoint, connected)).expect("connect");
        let expected = if known { Ok(()) } else { Err(ENOENT) };
        assert_eq!(push.disconnect(&respelt(&endpoint, left)), expected, "{connected} as {left}");
        let again = push.disconnect(&respelt(&endpoint, connected));
        assert_eq!(again.is_ok(), !known, "{connected} as {left}");
    }
    let push = ctx.socket(PUSH);
    let named = format!("tcp://127.0.0.1:0;127.0.0.1:{}", port_of(&endpoint));
    push.connect(&named).expect("connect");
    assert_eq!(push.disconnect(&endpoint), Err(ENOENT), "it has a source address");
    push.disconnect(&named).expect("disconnect");
}

#[test]
fn unbind_refuses_malformed_endpoints() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PULL);
    for endpoint in ["", "tcp", "nothing"] {
        assert_eq!(socket.unbind(endpoint), Err(EINVAL), "{endpoint:?}");
        assert_eq!(socket.disconnect(endpoint), Err(EINVAL), "{endpoint:?}");
    }
    assert_eq!(socket.unbind("nothing://x"), Err(EPROTONOSUPPORT));
}

on_transports! {
    /// zmq_disconnect(3): the connection takes no more messages.
    fn disconnect_ends_the_connection(transport) {
        let ctx = Ctx::new();
        let pull = ctx.socket(PULL);
        let endpoint = pull.bind_to(transport);
        let push = ctx.socket(PUSH);
        push.connect(&endpoint).expect("connect");
        passes(&push, &pull);
        push.disconnect(&endpoint).expect("disconnect");
        Sock::until(|| (push.try_send("x") == Err(EAGAIN)).then_some(()));
        assert_eq!(push.disconnect(&endpoint), Err(ENOENT));
        push.connect(&endpoint).expect("connect again");
        push.send("back").expect("send");
        Sock::until(|| (pull.recv().expect("recv") == b"back").then_some(()));
    }
}

/// zmq_connect(3): most types may connect to the same endpoint more than once.
#[test]
fn a_socket_may_connect_twice_to_the_same_endpoint() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let endpoint = pull.bind_to(Transport::Tcp);
    let push = ctx.socket(PUSH);
    push.connect(&endpoint).expect("connect");
    push.connect(&endpoint).expect("connect");
    for _ in 0..4 {
        push.send("x").expect("send");
    }
    for _ in 0..4 {
        pull.expect("x");
    }
}

/// zmq_connect(3): a SUB connects to an endpoint once; doing it again changes nothing.
#[test]
fn a_sub_connects_to_an_endpoint_once() {
    let ctx = Ctx::new();
    let publisher = ctx.socket(XPUB);
    publisher.set(XPUB_VERBOSE, 1).expect("XPUB_VERBOSE");
    let endpoint = publisher.bind_to(Transport::Tcp);
    let subscriber = ctx.socket(SUB);
    subscriber.subscribe("t");
    subscriber.connect(&endpoint).expect("connect");
    subscriber.connect(&endpoint).expect("connect");
    publisher.expect("\x01t");
    publisher.send("t").expect("send");
    subscriber.expect("t");
    subscriber.expect_nothing();
    assert_eq!(publisher.try_recv(), Err(EAGAIN));
}

/// A connection that breaks comes back by itself when its peer does.
#[test]
fn a_connection_comes_back_after_the_peer_restarts() {
    let ctx = Ctx::new();
    let push = ctx.socket(PUSH);
    push.set(RECONNECT_IVL, 10).expect("RECONNECT_IVL");
    let monitor = Monitor::with(&ctx, &push, EVENT_DISCONNECTED | EVENT_HANDSHAKE_SUCCEEDED);
    let first = ctx.socket(PULL);
    let endpoint = first.bind_to(Transport::Tcp);
    push.connect(&endpoint).expect("connect");
    passes(&push, &first);
    drop(first);
    monitor.wait(EVENT_DISCONNECTED);
    let second = ctx.socket(PULL);
    Sock::until(|| second.bind(&endpoint).ok());
    monitor.wait_peers(1);
    Sock::until(|| {
        push.send("back").expect("send");
        second.try_recv().ok()
    });
}

/// A SUB that reconnects subscribes again by itself.
#[test]
fn a_sub_subscribes_again_after_the_publisher_restarts() {
    let ctx = Ctx::new();
    let first = ctx.socket(XPUB);
    let endpoint = first.bind_to(Transport::Tcp);
    let subscriber = ctx.socket(SUB);
    subscriber.set(RECONNECT_IVL, 10).expect("RECONNECT_IVL");
    subscriber.subscribe("a");
    subscriber.subscribe("b");
    subscriber.connect(&endpoint).expect("connect");
    for _ in 0..2 {
        first.recv().expect("a subscription");
    }
    drop(first);
    let second = ctx.socket(XPUB);
    Sock::until(|| second.bind(&endpoint).ok());
    // The subscriber's own thread takes part in the renewal.
    let mut got = Vec::new();
    Sock::until(|| {
        subscriber.events();
        got.extend(second.try_recv().ok());
        (got.len() == 2).then_some(())
    });
    got.sort();
    assert_eq!(got, [b"\x01a", b"\x01b"]);
    second.send("b").expect("send");
    subscriber.expect("b");
}

/// A DEALER keeps what it was given while its peer was away.
#[test]
fn a_dealer_keeps_messages_while_its_peer_is_away() {
    let ctx = Ctx::new();
    let endpoint = Transport::Ipc.endpoint();
    let dealer = ctx.socket(DEALER);
    dealer.set(RECONNECT_IVL, 10).expect("RECONNECT_IVL");
    dealer.connect(&endpoint).expect("connect");
    for number in 0..20 {
        dealer.send(format!("{number}")).expect("send");
    }
    let peer = ctx.socket(DEALER);
    peer.bind(&endpoint).expect("bind");
    for number in 0..20 {
        peer.expect(format!("{number}"));
    }
    peer.send("back").expect("send");
    dealer.expect("back");
}

/// ZMQ_IPV6: brackets, and addresses of the new kind.
#[test]
fn ipv6_addresses_work_when_asked_for() {
    if !can_ipv6() {
        return;
    }
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.set(IPV6, 1).expect("IPV6");
    pull.bind("tcp://[::1]:*").expect("bind");
    let bound = pull.last_endpoint();
    assert!(bound.starts_with("tcp://[::1]:"), "{bound}");
    let push = ctx.socket(PUSH);
    push.set(IPV6, 1).expect("IPV6");
    push.connect(&bound).expect("connect");
    passes(&push, &pull);
}

/// ZMQ_IPV6 off: such an address is refused.
#[test]
fn ipv6_addresses_are_refused_by_default() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    assert!(pull.bind("tcp://[::1]:*").is_err());
}

/// ZMQ_IPV6 off: no connection is made to such an address, though it is taken.
#[test]
fn ipv6_addresses_are_not_connected_to_by_default() {
    if !can_ipv6() {
        return;
    }
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.set(IPV6, 1).expect("IPV6");
    pull.bind("tcp://[::1]:*").expect("bind");
    let bound = pull.last_endpoint();
    let without = ctx.socket(PUSH);
    without.connect(&bound).expect("connect");
    without.send("never").expect("send");
    let push = ctx.socket(PUSH);
    push.set(IPV6, 1).expect("IPV6");
    push.connect(&bound).expect("connect");
    passes(&push, &pull);
    pull.expect_nothing();
    without.set(LINGER, 0).expect("LINGER");
}

/// ZMQ_IPV6: `*` takes both kinds of peers.
#[test]
fn an_ipv6_star_takes_ipv4_peers_too() {
    if !can_ipv6() {
        return;
    }
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.set(IPV6, 1).expect("IPV6");
    pull.bind("tcp://*:*").expect("bind");
    let bound = pull.last_endpoint();
    assert!(bound.starts_with("tcp://[::]:"), "{bound}");
    for host in ["127.0.0.1", "[::1]"] {
        let push = ctx.socket(PUSH);
        push.set(IPV6, 1).expect("IPV6");
        push.connect(&format!("tcp://{host}:{}", port_of(&bound))).expect("connect");
        passes(&push, &pull);
    }
}

/// ZMQ_USE_FD: a socket that listens already is used as it is.
#[test]
fn a_given_descriptor_is_used() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let endpoint = format!("tcp://{}", listener.local_addr().expect("address"));
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.set(USE_FD, listener.as_raw_fd()).expect("USE_FD");
    pull.bind(&endpoint).expect("bind");
    // The descriptor is the library's now.
    let _given = std::mem::ManuallyDrop::new(listener);
    let push = ctx.socket(PUSH);
    push.connect(&endpoint).expect("connect");
    passes(&push, &pull);
}

/// zmq_udp(7): ENOCOMPATPROTO for the types that cannot use datagrams.
#[test]
fn udp_is_not_for_stream_sockets() {
    let ctx = Ctx::new();
    for kind in [DEALER, ROUTER, PUSH, PULL, PUB, SUB, STREAM] {
        let socket = ctx.socket(kind);
        assert_eq!(socket.bind("udp://127.0.0.1:5555"), Err(ENOCOMPATPROTO), "type {kind}");
        assert_eq!(socket.connect("udp://127.0.0.1:5555"), Err(ENOCOMPATPROTO), "type {kind}");
    }
}
