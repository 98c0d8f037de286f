//! Letting peers in: that nothing flows unless somebody accepts, whoever decides and whatever the
//! mechanism; the authenticator within the process; what messages say of their peer. The
//! reference's part of it is in `crates/behaviour`.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aught::curve::{KeyPair, PublicKey, SecretKey};
use aught::{
    AuthRequest, AuthRules, AuthVerdict, Context, Credentials, Dealer, Error, EventKind, Mechanism,
    Message, Socket,
};

use crate::support::{SOON, bind, nothing, recv};

const MECHANISMS: [Mechanism; 3] = [Mechanism::Null, Mechanism::Plain, Mechanism::Curve];
const HANDLER: &str = "inproc://zeromq.zap.01";

/// Both sides' keys.
struct Keys {
    server: KeyPair,
    client: KeyPair,
}

impl Keys {
    fn new() -> Self {
        let pair = || KeyPair::generate().expect("randomness");
        Self { server: pair(), client: pair() }
    }
}

fn serve(socket: &Socket, mechanism: Mechanism, keys: &Keys) {
    match mechanism {
        Mechanism::Plain => socket.set_plain_server(true),
        Mechanism::Curve => socket.set_curve_server(&keys.server),
        _ => socket.set_null(),
    }
    .expect("an option");
}

fn identify(socket: &Socket, mechanism: Mechanism, keys: &Keys) {
    match mechanism {
        Mechanism::Plain => socket.set_plain_client("joe", "secret"),
        Mechanism::Curve => socket.set_curve_client(&keys.client, keys.server.public()),
        _ => socket.set_null(),
    }
    .expect("an option");
}

/// A server and a client of a mechanism, the client connected and with something to say.
fn pair(context: &Context, mechanism: Mechanism, keys: &Keys, domain: Option<&str>) -> [Dealer; 2] {
    let server = context.dealer().expect("a server");
    serve(server.as_socket(), mechanism, keys);
    if let Some(domain) = domain {
        server.as_socket().set_zap_domain(domain).expect("a domain");
    }
    let endpoint = bind(&server, "tcp://127.0.0.1:*");
    let client = connect(context, mechanism, keys, &endpoint);
    [server, client]
}

fn connect(context: &Context, mechanism: Mechanism, keys: &Keys, endpoint: &str) -> Dealer {
    let client = context.dealer().expect("a client");
    identify(client.as_socket(), mechanism, keys);
    client.as_socket().set_linger(Some(Duration::ZERO)).expect("linger");
    let quick = Some(Duration::from_millis(20));
    client.as_socket().set_reconnect_interval(quick).expect("an interval");
    client.connect(endpoint).expect("connect");
    client.send("knock").expect("there is room");
    client
}

/// Waits a moment, in which nothing comes.
fn still_nothing(socket: &Socket) {
    let came =
        socket.recv_timeout(Duration::from_millis(5)).map(|message| message.text().into_owned());
    assert_eq!(came, Err(Error::WouldBlock));
}

/// Waits for so many denials, while nothing may come out of the server, nor go in.
fn refused(server: &Dealer, times: u64) {
    let begun = Instant::now();
    while server.as_socket().auth_counts().denied < times {
        assert!(begun.elapsed() < SOON, "nobody was denied");
        still_nothing(server.as_socket());
        let sent = server.as_socket().try_send("leak").expect_err("nobody to send to");
        assert_eq!(*sent.error(), Error::WouldBlock);
    }
    nothing(server);
    assert_eq!(server.as_socket().auth_counts().accepted, 0);
}

fn user(message: &Message) -> Option<String> {
    let peer = message.peer()?;
    peer.property("User-Id").map(|user| user.to_string_lossy().into_owned())
}

/// Answers every request with these frames, until the context ends.
fn handle(context: &Context, reply: &'static [&'static [u8]]) {
    let handler = context.rep().expect("a handler");
    handler.bind(HANDLER).expect("there is none yet");
    std::thread::spawn(move || {
        while handler.recv().is_ok() {
            let message = Message::from_parts(reply.iter().copied());
            if handler.send(message).is_err() {
                break;
            }
        }
    });
}

/// Every reply but the first.
const REPLIES: &[&[&[u8]]] = &[
    &[b"1.0", b"1", b"200", b"OK", b"joe", b""],
    &[b"1.0", b"1", b"300", b"", b"", b""],
    &[b"1.0", b"1", b"400", b"", b"joe", b""],
    &[b"1.0", b"1", b"500", b"", b"", b""],
    &[b"1.0", b"1", b"", b"", b"", b""],
    &[b"1.0", b"1", b"201", b"", b"", b""],
    &[b"1.0", b"1", b"200 ", b"", b"", b""],
    &[b"1.1", b"1", b"200", b"OK", b"joe", b""],
    &[b"1.0", b"2", b"200", b"OK", b"joe", b""],
    &[b"1.0", b"1", b"200", b"OK", b"joe", b"\x03X-a\0\0\0\x01"],
    &[b"1.0", b"1", b"200", b"OK", b"joe", b"\x03X-a"],
    &[b"1.0", b"1", b"200", b"OK", b"joe"],
    &[b"1.0", b"1", b"200", b"OK", b"joe", b"", b""],
    &[b""],
    &[b"200"],
];

#[test]
fn nothing_flows_unless_the_handler_accepts() {
    let keys = Keys::new();
    for mechanism in MECHANISMS {
        for (index, reply) in REPLIES.iter().enumerate() {
            let context = Context::new().unwrap();
            handle(&context, reply);
            let [server, client] = pair(&context, mechanism, &keys, Some("test"));
            if index == 0 {
                let message = recv(&server);
                assert_eq!(message, "knock");
                assert_eq!(user(&message).as_deref(), Some("joe"));
                assert_eq!(server.as_socket().auth_counts().accepted, 1);
            } else {
                refused(&server, 2);
                nothing(&client);
            }
            context.shutdown();
        }
    }
}

#[test]
fn nothing_flows_while_the_handler_is_silent() {
    let keys = Keys::new();
    for mechanism in MECHANISMS {
        let context = Context::new().unwrap();
        let handler = context.rep().unwrap();
        handler.bind(HANDLER).unwrap();
        let [server, _client] = pair(&context, mechanism, &keys, Some("test"));
        recv(&handler);
        nothing(&server);
        assert!(!server.as_socket().can_send().unwrap());
        handler.send(Message::from_parts(REPLIES[0].iter().copied())).unwrap();
        assert_eq!(recv(&server), "knock");
    }
}

#[test]
fn nothing_flows_unless_the_authenticator_accepts() {
    let keys = Keys::new();
    let verdicts: [(fn() -> AuthVerdict, bool); 5] = [
        (|| AuthVerdict::accept("joe"), true),
        (AuthVerdict::try_again, false),
        (AuthVerdict::deny, false),
        (AuthVerdict::fail, false),
        (|| panic!("the application has a mistake"), false),
    ];
    for mechanism in MECHANISMS {
        for (verdict, is_in) in verdicts {
            let context = Context::new().unwrap();
            let server = context.dealer().unwrap();
            serve(server.as_socket(), mechanism, &keys);
            server.as_socket().set_authenticator(move |_: &AuthRequest<'_>| verdict());
            let endpoint = bind(&server, "tcp://127.0.0.1:*");
            let client = connect(&context, mechanism, &keys, &endpoint);
            if is_in {
                let message = recv(&server);
                assert_eq!(message, "knock");
                assert_eq!(user(&message).as_deref(), Some("joe"));
            } else {
                refused(&server, 2);
                nothing(&client);
            }
        }
    }
}

/// Both sides are told, by whoever decides.
#[test]
fn a_denial_is_told_on_both_sides() {
    let keys = Keys::new();
    for mechanism in MECHANISMS {
        let context = Context::new().unwrap();
        context.set_authenticator(AuthRules::new());
        let server = context.pull().unwrap();
        serve(server.as_socket(), mechanism, &keys);
        // The other side must not ask about the server.
        let client = context.push().unwrap();
        identify(client.as_socket(), mechanism, &keys);
        client.as_socket().set_authenticator(AuthRules::new().anonymous());
        let mut monitors = [&server.as_socket(), &client.as_socket()]
            .map(|socket| socket.monitor().expect("a monitor"));
        client.connect(&bind(&server, "tcp://127.0.0.1:*")).unwrap();
        for monitor in &mut monitors {
            let failed = loop {
                match monitor.next_timeout(SOON).expect("an event").kind {
                    EventKind::HandshakeFailedAuth(status) => break status,
                    EventKind::HandshakeSucceeded => panic!("let in with {mechanism:?}"),
                    _ => {}
                }
            };
            assert_eq!(failed, 400, "{mechanism:?}");
        }
    }
}

#[test]
fn an_authenticator_sees_what_the_peer_has_shown() {
    let keys = Keys::new();
    for mechanism in MECHANISMS {
        let context = Context::new().unwrap();
        let server = context.dealer().unwrap();
        serve(server.as_socket(), mechanism, &keys);
        server.as_socket().set_zap_domain("here").unwrap();
        let expected = *keys.client.public();
        server.as_socket().set_authenticator(move |request: &AuthRequest<'_>| {
            let shown = match (mechanism, request.credentials) {
                (Mechanism::Null, Credentials::Null) => true,
                (Mechanism::Plain, Credentials::Plain { username, password }) => {
                    (username, password) == (b"joe", b"secret")
                }
                (Mechanism::Curve, Credentials::Curve { public_key }) => public_key == expected,
                _ => false,
            };
            let is_local = request.address.is_some_and(|address| address.is_loopback());
            if shown && is_local && request.domain == b"here" {
                AuthVerdict::accept("joe").with_property("X-Role", "admin")
            } else {
                AuthVerdict::deny()
            }
        });
        let endpoint = bind(&server, "tcp://127.0.0.1:*");
        let _client = connect(&context, mechanism, &keys, &endpoint);
        let message = recv(&server);
        assert_eq!(user(&message).as_deref(), Some("joe"));
        let peer = message.peer().expect("a peer");
        assert_eq!(peer.property("X-Role"), Some(c"admin"));
        assert_eq!(peer.property("Peer-Address"), Some(c"127.0.0.1"));
    }
}

/// Rules are replaced while the socket is open: for those who come then.
#[test]
fn rules_can_be_replaced_while_sockets_are_open() {
    let keys = Keys::new();
    let context = Context::new().unwrap();
    let server = context.dealer().unwrap();
    let socket = server.as_socket();
    serve(socket, Mechanism::Curve, &keys);
    socket.set_authenticator(AuthRules::new());
    let endpoint = bind(&server, "tcp://127.0.0.1:*");
    let first = connect(&context, Mechanism::Curve, &keys, &endpoint);
    refused(&server, 1);
    socket.set_authenticator(AuthRules::new().key(*keys.client.public(), "joe"));
    assert_eq!(user(&recv(&server)).as_deref(), Some("joe"));

    // Whoever is in stays in when the rules change.
    socket.set_authenticator(AuthRules::new());
    let denied = socket.auth_counts().denied;
    let _second = connect(&context, Mechanism::Curve, &keys, &endpoint);
    first.send("still here").unwrap();
    assert_eq!(recv(&server), "still here");
    let begun = Instant::now();
    while socket.auth_counts().denied == denied {
        assert!(begun.elapsed() < SOON, "the second one was not denied");
        still_nothing(socket);
    }
    nothing(&server);

    // Without an authenticator, a CURVE server only encrypts.
    socket.clear_authenticator();
    assert_eq!(recv(&server), "knock");
}

#[test]
fn an_authenticator_of_the_context_serves_sockets_without_one() {
    let keys = Keys::new();
    let context = Context::new().unwrap();
    context.set_authenticator(AuthRules::new().user("joe", "secret"));
    let [first, _client] = pair(&context, Mechanism::Plain, &keys, None);
    assert_eq!(user(&recv(&first)).as_deref(), Some("joe"));
    let second = context.dealer().unwrap();
    serve(second.as_socket(), Mechanism::Plain, &keys);
    second.as_socket().set_authenticator(AuthRules::new().user("joe", "another"));
    let endpoint = bind(&second, "tcp://127.0.0.1:*");
    let _client = connect(&context, Mechanism::Plain, &keys, &endpoint);
    refused(&second, 1);
    assert_eq!(first.as_socket().auth_counts().accepted, 1);
    assert_eq!(context.auth_counts().accepted, 1);
    assert!(context.auth_counts().denied >= 1);
    context.clear_authenticator();
    let [third, _client] = pair(&context, Mechanism::Plain, &keys, None);
    refused(&third, 1);
}

/// An authenticator comes before the handler.
#[test]
fn a_handler_is_not_asked_where_an_authenticator_is() {
    let keys = Keys::new();
    for mechanism in MECHANISMS {
        let context = Context::new().unwrap();
        let handler = context.rep().unwrap();
        handler.bind(HANDLER).unwrap();
        context.set_authenticator(AuthRules::new());
        let [server, _client] = pair(&context, mechanism, &keys, Some("test"));
        refused(&server, 1);
        nothing(&handler);
    }
}

/// Each attempt of each client is one question, also if several threads ask.
#[test]
fn several_io_threads_share_an_authenticator() {
    let keys = Keys::new();
    let context = Context::with_io_threads(3).unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    context.set_authenticator(move |_: &AuthRequest<'_>| {
        counter.fetch_add(1, Ordering::SeqCst);
        AuthVerdict::accept("joe")
    });
    let [server, _first] = pair(&context, Mechanism::Plain, &keys, None);
    let endpoint = server.last_endpoint().unwrap();
    let _others: Vec<_> =
        (0..20).map(|_| connect(&context, Mechanism::Plain, &keys, &endpoint)).collect();
    for _ in 0..21 {
        assert_eq!(recv(&server), "knock");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 21);
    assert_eq!(context.auth_counts().accepted, 21);
}

/// The octets of a property.
fn property(name: &str, value: &[u8]) -> Vec<u8> {
    let mut octets = vec![u8::try_from(name.len()).unwrap()];
    octets.extend_from_slice(name.as_bytes());
    octets.extend_from_slice(&u32::try_from(value.len()).unwrap().to_be_bytes());
    octets.extend_from_slice(value);
    octets
}

/// A peer that speaks NULL and says that it is somebody.
fn impostor(endpoint: &str) -> std::net::TcpStream {
    let address = endpoint.strip_prefix("tcp://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let mut octets = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL".to_vec();
    octets.resize(64, 0);
    let mut ready = b"\x05READY".to_vec();
    for (name, value) in [
        ("Socket-Type", &b"DEALER"[..]),
        ("User-Id", b"root"),
        ("X-Role", b"admin"),
        ("Peer-Address", b"6.6.6.6"),
    ] {
        ready.extend(property(name, value));
    }
    octets.extend([4, u8::try_from(ready.len()).unwrap()]);
    octets.extend(ready);
    octets.extend(b"\0\x05knock");
    stream.write_all(&octets).unwrap();
    stream
}

/// What a peer says of itself is no user id, no address, and overrules nobody.
#[test]
fn a_peer_cannot_claim_to_be_somebody() {
    let context = Context::new().unwrap();
    let server = context.dealer().unwrap();
    let endpoint = bind(&server, "tcp://127.0.0.1:*");
    let _stranger = impostor(&endpoint);
    let message = recv(&server);
    let peer = message.peer().expect("a peer");
    assert_eq!(peer.property("User-Id"), None);
    assert_eq!(peer.property("Peer-Address"), Some(c"127.0.0.1"));
    assert_eq!(peer.property("X-Role"), Some(c"admin"));

    server.as_socket().set_authenticator(|_: &AuthRequest<'_>| {
        AuthVerdict::accept("guest").with_property("X-Role", "nobody")
    });
    let _stranger = impostor(&endpoint);
    let message = recv(&server);
    let peer = message.peer().expect("a peer");
    assert_eq!(peer.property("User-Id"), Some(c"guest"));
    assert_eq!(peer.property("X-Role"), Some(c"nobody"));
}

/// A peer that goes on talking while somebody decides is not stored without end.
#[test]
fn a_peer_that_talks_while_it_waits_is_parted_from() {
    let context = Context::new().unwrap();
    let handler = context.rep().unwrap();
    handler.bind(HANDLER).unwrap();
    let server = context.dealer().unwrap();
    server.as_socket().set_zap_domain("test").unwrap();
    let endpoint = bind(&server, "tcp://127.0.0.1:*");
    let mut stranger = impostor(&endpoint);
    recv(&handler);
    stranger.set_write_timeout(Some(SOON)).unwrap();
    let begun = Instant::now();
    while stranger.write_all(&[0; 4096]).is_ok() {
        assert!(begun.elapsed() < SOON, "it is listened to for ever");
    }
    nothing(&server);
}

/// libzmq#4436: the limit is for messages, not for the handshake.
#[test]
fn a_small_message_limit_leaves_the_handshake_alone() {
    let keys = Keys::new();
    for mechanism in MECHANISMS {
        let context = Context::new().unwrap();
        context.set_authenticator(AuthRules::new().anonymous().user("joe", "secret").any_key());
        let server = context.dealer().unwrap();
        serve(server.as_socket(), mechanism, &keys);
        server.as_socket().set_max_message_size(Some(5)).unwrap();
        let endpoint = bind(&server, "tcp://127.0.0.1:*");
        let client = connect(&context, mechanism, &keys, &endpoint);
        assert_eq!(recv(&server), "knock", "{mechanism:?}");
        client.send("too long").unwrap();
        nothing(&server);
    }
}

#[test]
fn options_say_which_mechanism_is_spoken() {
    let keys = Keys::new();
    let context = Context::new().unwrap();
    let socket = context.dealer().unwrap();
    let socket = socket.as_socket();
    assert_eq!(socket.mechanism(), Ok(Mechanism::Null));
    socket.set_plain_server(true).unwrap();
    assert_eq!(socket.mechanism(), Ok(Mechanism::Plain));
    socket.set_curve_server(&keys.server).unwrap();
    assert_eq!(socket.mechanism(), Ok(Mechanism::Curve));
    socket.set_null().unwrap();
    assert_eq!(socket.mechanism(), Ok(Mechanism::Null));
    socket.set_curve_client(&keys.client, keys.server.public()).unwrap();
    assert_eq!(socket.mechanism(), Ok(Mechanism::Curve));
    socket.set_plain_client("joe", "secret").unwrap();
    assert_eq!(socket.mechanism(), Ok(Mechanism::Plain));
    for (name, password) in [("", "x"), ("x", ""), (&*"x".repeat(256), "x")] {
        assert!(matches!(socket.set_plain_client(name, password), Err(Error::Invalid(_))));
    }
    assert!(matches!(socket.set_zap_domain(""), Err(Error::Invalid(_))));
}

#[test]
fn keys_are_read_and_written_as_z85() {
    let pair = KeyPair::generate().unwrap();
    let public = PublicKey::from_z85(&pair.public().to_z85());
    assert_eq!(public.as_ref(), Some(pair.public()));
    let secret = SecretKey::from_z85(&pair.secret().to_z85()).expect("a key");
    assert_eq!(KeyPair::from_secret(secret), pair);
    assert!(!format!("{pair:?}").contains(&*pair.secret().to_z85()));
}

/// Peers over `ipc` have no address; lists of addresses turn them away.
#[test]
fn peers_over_ipc_have_no_address() {
    let keys = Keys::new();
    let context = Context::new().unwrap();
    let server = context.dealer().unwrap();
    serve(server.as_socket(), Mechanism::Plain, &keys);
    let rules = AuthRules::new().user("joe", "secret");
    server.as_socket().set_authenticator(rules.clone().only_from([127, 0, 0, 1]));
    let endpoint = bind(&server, "ipc://*");
    let _client = connect(&context, Mechanism::Plain, &keys, &endpoint);
    refused(&server, 1);
    server.as_socket().set_authenticator(rules.not_from([127, 0, 0, 1]));
    assert_eq!(recv(&server), "knock");
}
