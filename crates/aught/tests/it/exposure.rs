//! Sockets that anybody can reach: the policy about those without authentication, and the limits
//! on what an endpoint takes from peers that nobody knows. How much memory and time such peers cost
//! is tested in `tests/hostile`.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixListener};
use std::time::{Duration, Instant};

use aught::curve::{KeyPair, SecretKey};
use aught::{
    AuthRequest, AuthRules, AuthVerdict, Context, Error, EventKind, Limit, Message, Monitor, Rep,
    Socket, SocketType, Unauthenticated,
};

use crate::support::{SOON, bind, recv};

/// The same number everywhere.
const EACCES: i32 = 13;

fn context(policy: Unauthenticated) -> Context {
    let context = Context::new().expect("a context");
    context.set_unauthenticated(policy).expect("a policy");
    context
}

/// Endpoints that more than this machine can reach, as far as it has such addresses.
fn exposed() -> Vec<String> {
    let mut endpoints = vec!["tcp://*:*".to_owned(), "tcp://0.0.0.0:*".to_owned()];
    if TcpListener::bind("[::1]:0").is_ok() {
        endpoints.push("tcp://[::]:*".to_owned());
    }
    // Nothing is sent: the system only says which address it would send from.
    let outside = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    if let Ok(address) = outside
        && !address.ip().is_loopback()
    {
        endpoints.push(format!("tcp://{}:*", address.ip()));
    }
    endpoints
}

/// Endpoints that only this machine can reach.
fn local() -> Vec<String> {
    let mut endpoints: Vec<_> = ["tcp://127.0.0.1:*", "tcp://lo:*", "ipc://*", "inproc://local"]
        .map(str::to_owned)
        .to_vec();
    if TcpListener::bind("[::1]:0").is_ok() {
        endpoints.push("tcp://[::1]:*".to_owned());
        endpoints.push("tcp://[::ffff:127.0.0.1]:*".to_owned());
    }
    endpoints
}

/// A socket that has not been bound yet.
fn socket(context: &Context, kind: SocketType) -> Socket {
    let socket = context.socket(kind).expect("a socket");
    socket.set_ipv6(true).expect("an option");
    socket
}

#[test]
fn open_sockets_outside_of_this_machine_are_refused() {
    let context = context(Unauthenticated::Refuse);
    let mut refused = 0;
    for kind in [SocketType::Rep, SocketType::Pub, SocketType::Pull, SocketType::Stream] {
        for endpoint in exposed() {
            let socket = socket(&context, kind);
            let mut monitor = socket.monitor().unwrap();
            let error = socket.bind(&endpoint).expect_err(&endpoint);
            assert_eq!((&error, error.errno()), (&Error::Unauthenticated, EACCES));
            refused += 1;
            assert_eq!(socket.incident_counts().unauthenticated_binds, 1, "{endpoint}");
            let told = monitor.next_timeout(SOON).unwrap();
            assert_eq!(told.kind, EventKind::Unauthenticated(Some(EACCES)));
            assert_eq!(told.endpoint, endpoint);
            let told = monitor.next_timeout(SOON).unwrap();
            assert_eq!(told.kind, EventKind::BindFailed(EACCES));
            assert_eq!(socket.last_endpoint().unwrap(), "", "nothing is bound");
        }
        for endpoint in local() {
            if kind != SocketType::Stream || endpoint.starts_with("tcp") {
                socket(&context, kind).bind(&endpoint).expect(&endpoint);
            }
        }
    }
    assert_eq!(context.incident_counts().unauthenticated_binds, refused);
}

#[test]
fn sockets_with_authentication_are_bound_anywhere() {
    let keys = KeyPair::generate().unwrap();
    type Prepare<'a> = &'a dyn Fn(&Socket);
    let prepared: [(&str, Prepare<'_>); 7] = [
        ("a PLAIN server", &|socket| socket.set_plain_server(true).unwrap()),
        ("a CURVE server", &|socket| socket.set_curve_server(&keys).unwrap()),
        ("a CURVE client", &|socket| socket.set_curve_client(&keys, keys.public()).unwrap()),
        ("an authenticator", &|socket| socket.set_authenticator(AuthRules::new())),
        ("an authenticator and a password", &|socket| {
            socket.set_authenticator(AuthRules::new());
            socket.set_plain_server(true).unwrap();
        }),
        ("a domain that must be decided about", &|socket| {
            socket.set_zap_domain("global").unwrap();
            socket.set_zap_enforce_domain(true).unwrap();
        }),
        ("nothing, when the context decides", &|_| {}),
    ];
    for (what, prepare) in prepared {
        let context = context(Unauthenticated::Refuse);
        if what.starts_with("nothing") {
            context.set_authenticator(|_: &AuthRequest<'_>| AuthVerdict::deny());
        }
        for endpoint in exposed() {
            let socket = socket(&context, SocketType::Router);
            prepare(&socket);
            socket.bind(&endpoint).unwrap_or_else(|error| panic!("{what}: {endpoint}: {error}"));
        }
        assert_eq!(context.incident_counts().unauthenticated_binds, 0, "{what}");
    }
}

#[test]
fn what_only_looks_like_authentication_is_refused() {
    let context = context(Unauthenticated::Refuse);
    let refused = |what: &str, kind, prepare: &dyn Fn(&Socket)| {
        let socket = socket(&context, kind);
        prepare(&socket);
        assert_eq!(socket.bind("tcp://*:*"), Err(Error::Unauthenticated), "{what}");
    };
    refused("a password for whoever comes", SocketType::Router, &|socket| {
        socket.set_plain_client("joe", "secret").unwrap();
        socket.set_authenticator(AuthRules::new());
    });
    refused("no protocol, nobody to ask about", SocketType::Stream, &|socket| {
        socket.set_authenticator(AuthRules::new());
        socket.set_plain_server(true).unwrap();
    });
    // Nobody can tell such a server from another that has no key either.
    let without_keys = |socket: &Socket| {
        let none = KeyPair::from_secret(SecretKey::new([0; 32]));
        socket.set_curve_server(&none).unwrap();
    };
    refused("a CURVE server of zeros", SocketType::Router, &without_keys);
    refused("a CURVE server of zeros that asks", SocketType::Router, &|socket| {
        without_keys(socket);
        socket.set_authenticator(AuthRules::new());
    });
    let with_domain = |socket: &Socket| socket.set_zap_domain("global").unwrap();
    refused("a domain and nobody who decides", SocketType::Router, &with_domain);
    let handler = context.rep().unwrap();
    handler.bind("inproc://zeromq.zap.01").unwrap();
    let socket = socket(&context, SocketType::Router);
    with_domain(&socket);
    socket.bind("tcp://*:*").expect("somebody decides now");
}

/// A socket that is bound by taking over a descriptor of the application's.
fn takes_over(context: &Context, fd: RawFd) -> Socket {
    let socket = socket(context, SocketType::Rep);
    // ZMQ_USE_FD
    socket.set_option(89, &fd.to_ne_bytes()).expect("an option");
    socket
}

#[test]
fn a_descriptor_counts_by_its_own_address_whatever_the_endpoint_says() {
    let context = context(Unauthenticated::Refuse);
    let name = format!("ipc://@aught-exposure-{}", std::process::id());
    let endpoints = ["tcp://127.0.0.1:*", "ipc://*", name.as_str(), "ipc:///tmp/aught-exposure"];
    let mut addresses = vec!["0.0.0.0:0"];
    if TcpListener::bind("[::]:0").is_ok() {
        addresses.push("[::]:0");
    }
    for address in addresses {
        let open = TcpListener::bind(address).expect("a port");
        for endpoint in endpoints {
            let socket = takes_over(&context, open.as_raw_fd());
            assert_eq!(socket.bind(endpoint), Err(Error::Unauthenticated), "{address} {endpoint}");
            assert_eq!(socket.incident_counts().unauthenticated_binds, 1);
        }
        open.local_addr().expect("it is the application's still");
        let socket = takes_over(&context, open.into_raw_fd());
        socket.set_authenticator(AuthRules::new());
        socket.bind("ipc://*").expect("somebody decides");
    }
    // What only this machine can reach is bound, wherever the endpoint says that it is.
    for endpoint in endpoints.into_iter().chain(["tcp://0.0.0.0:*"]) {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port");
        takes_over(&context, port.into_raw_fd()).bind(endpoint).expect(endpoint);
        let name = format!("aught-given-{}-{endpoint}", std::process::id());
        let name = UnixAddress::from_abstract_name(name).expect("a short name");
        let local = UnixListener::bind_addr(&name).expect("a name of our own");
        takes_over(&context, local.into_raw_fd()).bind(endpoint).expect(endpoint);
    }
    // What is no socket is not listened on at all.
    for endpoint in ["ipc://*", "tcp://127.0.0.1:*"] {
        let socket = takes_over(&context, 1_000_000);
        assert_eq!(socket.bind(endpoint), Err(Error::Os(9)), "EBADF");
    }
}

#[test]
fn nothing_is_refused_unless_asked() {
    let context = context(Unauthenticated::Allow);
    let socket = socket(&context, SocketType::Rep);
    let mut monitor = socket.monitor().unwrap();
    for endpoint in exposed() {
        socket.bind(&endpoint).expect(&endpoint);
        assert_eq!(monitor.next_timeout(SOON).unwrap().kind, EventKind::Unauthenticated(None));
        let listening = monitor.next_timeout(SOON).unwrap().kind;
        assert!(matches!(listening, EventKind::Listening(_)), "{listening:?}");
    }
    let count = exposed().len() as u64;
    assert_eq!(socket.incident_counts().unauthenticated_binds, count);
    assert_eq!(context.incident_counts().unauthenticated_binds, count);
    drop(socket);
    assert_eq!(context.incident_counts().unauthenticated_binds, count, "closed ones count, too");
}

/// Somebody who connects and does not shake hands.
fn stranger(endpoint: &str) -> TcpStream {
    let address = endpoint.strip_prefix("tcp://").expect("over TCP");
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(SOON)).expect("a limit");
    stream
}

/// Waits for the other side to hang up.
fn is_parted(mut stream: &TcpStream) {
    loop {
        match stream.read(&mut [0; 256]) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return,
            Err(error) => panic!("the connection stays: {error}"),
        }
    }
}

/// A server that answers on its own thread's time, and its limits.
struct Server {
    context: Context,
    rep: Rep,
    monitor: Monitor,
    endpoint: String,
}

impl Server {
    fn new(prepare: impl FnOnce(&Socket)) -> Self {
        let context = Context::new().expect("a context");
        let rep = context.rep().expect("a socket");
        prepare(rep.as_socket());
        let endpoint = bind(&rep, "tcp://127.0.0.1:*");
        let monitor = rep.as_socket().monitor().expect("a monitor");
        Self { context, rep, monitor, endpoint }
    }

    /// An honest client makes a request and is answered; it stays.
    fn serves(&self) -> aught::Req {
        self.serves_one(|_| {})
    }

    fn serves_one(&self, prepare: impl FnOnce(&Socket)) -> aught::Req {
        let req = self.context.req().expect("a socket");
        req.as_socket().set_linger(Some(Duration::ZERO)).expect("an option");
        req.as_socket().set_reconnect_interval(Some(Duration::from_millis(5))).expect("an option");
        prepare(req.as_socket());
        req.connect(&self.endpoint).expect("a connection to come");
        self.exchange(&req);
        req
    }

    fn exchange(&self, req: &aught::Req) {
        req.send("request").expect("a request");
        assert_eq!(recv(&self.rep), "request");
        self.rep.send("reply").expect("a reply");
        assert_eq!(recv(req), "reply");
    }

    /// Waits for the events of a limit.
    fn hears_of(&mut self, limit: Limit, times: usize) {
        for _ in 0..times {
            while self.monitor.next_timeout(SOON).expect("the event comes").kind
                != EventKind::LimitReached(limit)
            {}
        }
    }
}

#[test]
fn unfinished_handshakes_make_room() {
    let mut server = Server::new(|socket| socket.set_max_handshakes(Some(4)).expect("an option"));
    let strangers: Vec<_> = (0..20).map(|_| stranger(&server.endpoint)).collect();
    server.hears_of(Limit::Handshakes, 16);
    // The oldest have gone; the others are waited for.
    strangers[..16].iter().for_each(is_parted);
    for stranger in &strangers[16..] {
        stranger.set_nonblocking(true).expect("an option");
        let mut greeting = [0; 64];
        loop {
            match (&mut &*stranger).read(&mut greeting) {
                Ok(0) => panic!("a young connection is parted from"),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
    }
    let clients: Vec<_> = (0..10).map(|_| server.serves()).collect();
    clients.iter().for_each(|client| server.exchange(client));
    let counts = server.rep.as_socket().incident_counts();
    assert!(counts.limited_handshakes >= 17, "{counts:?}");
    assert_eq!((counts.limited_connections, counts.limited_memory), (0, 0));
    assert_eq!(server.context.incident_counts(), counts);
}

#[test]
fn connections_are_limited() {
    let mut server = Server::new(|socket| socket.set_max_connections(Some(2)).expect("an option"));
    let first = server.serves();
    let silent = stranger(&server.endpoint);
    let second = server.serves();
    is_parted(&silent); // it made room
    server.hears_of(Limit::Connections, 1);
    let late = stranger(&server.endpoint);
    is_parted(&late);
    loop {
        let kind = server.monitor.next_timeout(SOON).expect("the event comes").kind;
        if kind == EventKind::LimitReached(Limit::Connections) {
            continue;
        }
        if let EventKind::AcceptFailed(errno) = kind {
            assert_eq!(errno, 24, "EMFILE");
            break;
        }
    }
    server.exchange(&first);
    server.exchange(&second);
    assert!(server.rep.as_socket().incident_counts().limited_connections >= 2);
    // Who comes when somebody has left gets in.
    drop(first);
    let third = server.serves();
    server.exchange(&second);
    server.exchange(&third);
}

#[test]
fn each_endpoint_has_limits_of_its_own() {
    let server = Server::new(|socket| socket.set_max_connections(Some(1)).expect("an option"));
    let _first = server.serves();
    server.rep.as_socket().set_max_connections(None).expect("an option");
    let wide = bind(&server.rep, "tcp://127.0.0.1:*");
    let elsewhere = Server { endpoint: wide, ..server };
    let clients: Vec<_> = (0..5).map(|_| elsewhere.serves()).collect();
    clients.iter().for_each(|client| elsewhere.exchange(client));
    assert_eq!(elsewhere.rep.as_socket().incident_counts().limited_connections, 0);
}

#[test]
fn memory_before_the_handshake_is_limited() {
    let mut server =
        Server::new(|socket| socket.set_max_handshake_memory(256 * 1024).expect("an option"));
    // The greeting of RFC 37, and a READY that is announced and does not end.
    let mut bytes = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1];
    bytes.extend_from_slice(b"NULL");
    bytes.resize(64, 0);
    bytes.extend_from_slice(&[6, 0, 0, 0, 0, 0, 0, 0xea, 0x60]);
    bytes.extend_from_slice(b"\x05READY");
    bytes.resize(64 + 9 + 59_000, b'x');
    let strangers: Vec<_> = (0..20)
        .map(|_| {
            let mut stranger = stranger(&server.endpoint);
            let _ = stranger.write_all(&bytes); // it may have to go at once
            stranger
        })
        .collect();
    // At most four such connections fit.
    server.hears_of(Limit::Memory, 16);
    let client = server.serves();
    server.exchange(&client);
    let counts = server.rep.as_socket().incident_counts();
    assert!(counts.limited_memory >= 16, "{counts:?}");
    drop(strangers);
}

/// Lets everybody in until its context ends.
fn handler(context: &Context) -> std::thread::JoinHandle<()> {
    let rep = context.rep().expect("a socket");
    rep.bind("inproc://zeromq.zap.01").expect("the name");
    std::thread::spawn(move || {
        let reply: [&[u8]; 6] = [b"1.0", b"1", b"200", b"", b"", b""];
        while rep.recv().is_ok() && rep.send(Message::from_parts(reply)).is_ok() {}
    })
}

#[test]
fn silent_connections_at_the_limit_of_memory_keep_nobody_out() {
    for (is_plain, is_decided) in [(false, false), (false, true), (true, true)] {
        let server = Server::new(|socket| {
            socket.set_max_handshake_memory(256 * 1024).expect("an option");
            socket.set_plain_server(is_plain).expect("an option");
            if is_decided {
                socket.set_zap_domain("global").expect("an option");
            }
        });
        let handler = is_decided.then(|| handler(&server.context));
        // More than fit: whoever speaks holds more than any of them.
        let _strangers: Vec<_> = (0..100).map(|_| stranger(&server.endpoint)).collect();
        for _ in 0..5 {
            let client = server.serves_one(|socket| {
                if is_plain {
                    socket.set_plain_client("joe", "secret").expect("an option");
                }
            });
            server.exchange(&client);
        }
        assert!(server.rep.as_socket().incident_counts().limited_memory >= 36);
        server.context.shutdown();
        if let Some(handler) = handler {
            handler.join().expect("it ends");
        }
    }
}

#[test]
fn a_stream_socket_has_only_a_limit_on_connections() {
    let context = Context::new().unwrap();
    let socket = context.socket(SocketType::Stream).unwrap();
    socket.set_max_connections(Some(2)).unwrap();
    socket.set_max_handshakes(Some(1)).unwrap();
    let endpoint = bind(&socket, "tcp://127.0.0.1:*");
    let peers: Vec<_> = (0..3).map(|_| stranger(&endpoint)).collect();
    is_parted(&peers[2]);
    let start = Instant::now();
    while socket.incident_counts().limited_connections == 0 {
        assert!(start.elapsed() < SOON);
        std::thread::yield_now();
    }
    assert_eq!(socket.incident_counts().limited_handshakes, 0);
    for mut peer in &peers[..2] {
        peer.write_all(b"hello").unwrap();
    }
    let mut hellos = 0;
    while hellos < 2 {
        hellos += usize::from(recv(&socket).last() == b"hello");
    }
}

#[test]
fn limits_that_mean_nothing_are_refused() {
    let context = Context::new().unwrap();
    let socket = context.socket(SocketType::Rep).unwrap();
    assert!(socket.set_max_connections(Some(u32::MAX)).is_err());
    assert!(socket.set_max_handshakes(Some(1 << 31)).is_err());
    assert!(socket.set_max_handshake_memory(1000).is_err());
    socket.set_max_handshakes(Some(0)).unwrap();
    socket.set_max_connections(None).unwrap();
}
