//! ZMQ_SOCKS_PROXY, ZMQ_SOCKS_USERNAME and ZMQ_SOCKS_PASSWORD (zmq_setsockopt(3)), with a proxy of
//! a few lines (RFC 1928, RFC 1929).
//!
//! Proxies that refuse are not here: the reference ends the process when such a socket is closed.

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

/// What a proxy was told.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    methods: Vec<u8>,
    /// Name and password.
    who: Option<(Vec<u8>, Vec<u8>)>,
    host: String,
    port: u16,
}

/// The address that the proxy says it connects from, as type and bytes.
const FROM_V4: &[u8] = b"\x01\x7f\0\0\x01\x04\x38";

/// More bytes than any answer has.
const AT_ONCE: usize = 100;

struct Proxy {
    address: String,
    told: mpsc::Receiver<Told>,
    /// The connections that it serves, each with the one to its target.
    served: mpsc::Receiver<[TcpStream; 2]>,
}

impl Proxy {
    /// A proxy that answers so many bytes at a time.
    fn new(from: &'static [u8], step: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let ((tell, told), (serve, served)) = (mpsc::channel(), mpsc::channel());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Some((asked, target)) = negotiate(&client, from, step) else { continue };
                let pair = [&client, &target].map(|stream| stream.try_clone().expect("another"));
                // The test may be over.
                if tell.send(asked).is_err() || serve.send(pair).is_err() {
                    return;
                }
                pass(&client, &target);
                pass(&target, &client);
            }
        });
        Self { address, told, served }
    }

    fn plain() -> Self {
        Self::new(FROM_V4, AT_ONCE)
    }

    fn told(&self) -> Told {
        self.told.recv_timeout(Duration::from_secs(20)).expect("somebody connects")
    }
}

fn pass(from: &TcpStream, to: &TcpStream) {
    let [mut from, mut to] = [from, to].map(|stream| stream.try_clone().expect("another"));
    std::thread::spawn(move || {
        // Either side may end it, in any way.
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}

fn take<const N: usize>(mut stream: &TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).expect("the client goes on");
    bytes
}

fn take_counted(mut stream: &TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; usize::from(take::<1>(stream)[0])];
    stream.read_exact(&mut bytes).expect("the client goes on");
    bytes
}

/// Listens to a client and connects it to this machine, whatever it calls it. `None` if there is
/// no target.
fn negotiate(client: &TcpStream, from: &[u8], step: usize) -> Option<(Told, TcpStream)> {
    client.set_nodelay(true).expect("an option");
    client.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    let answer = |bytes: &[u8]| {
        let mut client = client;
        for piece in bytes.chunks(step) {
            client.write_all(piece).expect("the client reads");
            elapse(Duration::from_millis(if step < AT_ONCE { 3 } else { 0 }));
        }
    };
    assert_eq!(take(client), [5]);
    let methods = take_counted(client);
    let wants_password = methods.contains(&2);
    answer(&[5, if wants_password { 2 } else { 0 }]);
    let who = wants_password.then(|| {
        assert_eq!(take(client), [1]);
        let who = (take_counted(client), take_counted(client));
        answer(&[1, 0]);
        who
    });
    let [version, command, reserved, kind] = take(client);
    assert_eq!([version, command, reserved], [5, 1, 0]);
    let host = match kind {
        1 => Ipv4Addr::from(take::<4>(client)).to_string(),
        3 => String::from_utf8(take_counted(client)).expect("a name"),
        4 => Ipv6Addr::from(take::<16>(client)).to_string(),
        other => panic!("address type {other}"),
    };
    let port = u16::from_be_bytes(take(client));
    let target = TcpStream::connect(("127.0.0.1", port)).ok()?;
    answer(&[5, 0, 0]);
    answer(from);
    Some((Told { methods, who, host, port }, target))
}

/// A PULL that is bound, and a PUSH that is to connect to it through the proxy.
fn pair(ctx: &Ctx, proxy: &Proxy) -> (Sock, Sock, u16) {
    let [pull, push] = [PULL, PUSH].map(|kind| ctx.socket(kind));
    let port = port_of(&pull.bind_to(Transport::Tcp));
    push.set_bytes(SOCKS_PROXY, proxy.address.as_bytes()).expect("SOCKS_PROXY");
    (pull, push, port)
}

/// What is sent comes through the proxy, which was told so.
#[track_caller]
fn check(proxy: &Proxy, host: &str, told_host: &str, who: Option<(&str, &str)>) {
    let ctx = Ctx::new();
    let (pull, push, port) = pair(&ctx, proxy);
    if let Some((name, password)) = who {
        push.set_bytes(SOCKS_USERNAME, name.as_bytes()).expect("SOCKS_USERNAME");
        push.set_bytes(SOCKS_PASSWORD, password.as_bytes()).expect("SOCKS_PASSWORD");
    }
    let endpoint = format!("tcp://{host}:{port}");
    push.connect(&endpoint).expect("connect");
    assert_eq!(push.last_endpoint(), endpoint);
    push.send("through").expect("send");
    pull.expect("through");
    let who = who.filter(|(name, _)| !name.is_empty());
    let expected = Told {
        methods: vec![if who.is_some() { 2 } else { 0 }],
        who: who.map(|(name, password)| (name.into(), password.into())),
        host: told_host.to_owned(),
        port,
    };
    assert_eq!(proxy.told(), expected);
}

#[test]
fn a_connection_goes_through_the_proxy() {
    check(&Proxy::plain(), "127.0.0.1", "127.0.0.1", None);
}

#[test]
fn a_proxy_may_answer_byte_by_byte() {
    check(&Proxy::new(FROM_V4, 1), "127.0.0.1", "127.0.0.1", None);
    check(&Proxy::new(FROM_V4, 1), "127.0.0.1", "127.0.0.1", Some(("me", "secret")));
}

#[test]
fn a_proxy_may_answer_with_any_kind_of_address() {
    check(&Proxy::new(b"\x03\x05proxy\x04\x38", AT_ONCE), "127.0.0.1", "127.0.0.1", None);
    check(&Proxy::new(b"\x04abcdefghijklmnop\x04\x38", AT_ONCE), "127.0.0.1", "127.0.0.1", None);
}

#[test]
fn a_proxy_is_told_the_name_and_the_password() {
    check(&Proxy::plain(), "127.0.0.1", "127.0.0.1", Some(("me", "secret")));
    check(&Proxy::plain(), "127.0.0.1", "127.0.0.1", Some(("me", "")));
}

#[test]
fn a_password_alone_is_not_told() {
    check(&Proxy::plain(), "127.0.0.1", "127.0.0.1", Some(("", "secret")));
}

/// Names are the proxy's to look up.
#[test]
fn a_proxy_is_told_names_as_they_are() {
    check(&Proxy::plain(), "no-such-host.example", "no-such-host.example", None);
    check(&Proxy::plain(), "localhost", "localhost", None);
}

#[test]
fn a_proxy_is_told_ipv6_addresses() {
    check(&Proxy::plain(), "[::1]", "::1", None);
}

/// Both directions, and messages larger than what a socket holds.
#[test]
fn much_goes_through_a_proxy() {
    let ctx = Ctx::new();
    let proxy = Proxy::plain();
    let [router, dealer] = [ROUTER, DEALER].map(|kind| ctx.socket(kind));
    let endpoint = router.bind_to(Transport::Tcp);
    dealer.set_bytes(SOCKS_PROXY, proxy.address.as_bytes()).expect("SOCKS_PROXY");
    dealer.connect(&endpoint).expect("connect");
    let large = vec![7; 3_000_000];
    dealer.send(&large).expect("send");
    let message = router.recv_all().expect("a message");
    assert!(message[1] == large, "as it was sent");
    router.send_all(&message).expect("send");
    assert!(dealer.recv_all().expect("a message")[0] == large, "as it was sent");
}

/// The events are about the connection to the proxy, and name its endpoint.
#[test]
fn monitors_are_told_of_the_proxy() {
    let ctx = Ctx::new();
    let proxy = Proxy::plain();
    let (pull, push, port) = pair(&ctx, &proxy);
    let monitor = Monitor::new(&ctx, &push);
    push.connect(&format!("tcp://127.0.0.1:{port}")).expect("connect");
    push.send("x").expect("send");
    pull.expect("x");
    for kind in [EVENT_CONNECT_DELAYED, EVENT_CONNECTED, EVENT_HANDSHAKE_SUCCEEDED] {
        let event = monitor.next().expect("an event");
        assert_eq!((event.kind, event.endpoint), (kind, format!("tcp://{}", proxy.address)));
    }
}

#[test]
fn a_proxied_connection_that_is_lost_is_made_again_through_the_proxy() {
    let ctx = Ctx::new();
    let proxy = Proxy::plain();
    let (pull, push, port) = pair(&ctx, &proxy);
    push.set(RECONNECT_IVL, 10).expect("RECONNECT_IVL");
    let monitor = Monitor::new(&ctx, &push);
    push.connect(&format!("tcp://127.0.0.1:{port}")).expect("connect");
    push.send("first").expect("send");
    pull.expect("first");
    let streams = proxy.served.recv_timeout(Duration::from_secs(20)).expect("a connection");
    let [client, target] = streams;
    client.shutdown(Shutdown::Both).expect("it is connected");
    // The proxy may have passed the end on by now, and the other side closed.
    let _ = target.shutdown(Shutdown::Both);
    monitor.wait(EVENT_DISCONNECTED);
    monitor.wait(EVENT_HANDSHAKE_SUCCEEDED);
    push.send("second").expect("send");
    pull.expect("second");
    assert_eq!([proxy.told().port, proxy.told().port], [port, port]);
}

/// What names no proxy is one that is not found (yet).
#[test]
fn a_proxy_that_is_not_found_is_looked_for_again() {
    for text in ["nonsense", "127.0.0.1"] {
        let ctx = Ctx::new();
        let push = ctx.socket(PUSH);
        push.set_bytes(SOCKS_PROXY, text.as_bytes()).expect("SOCKS_PROXY");
        push.set(RECONNECT_IVL, 10).expect("RECONNECT_IVL");
        let monitor = Monitor::new(&ctx, &push);
        push.connect("tcp://127.0.0.1:9").expect("connect");
        for _ in 0..3 {
            let event = monitor.next().expect("an event");
            assert_eq!(event.kind, EVENT_CONNECT_RETRIED);
            assert_eq!(event.endpoint, format!("tcp://{text}"));
        }
    }
}

/// Only TCP, and only what connects.
#[test]
fn other_transports_and_listeners_need_no_proxy() {
    let ctx = Ctx::new();
    for transport in [Transport::Inproc, Transport::Ipc] {
        let [pull, push] = [PULL, PUSH].map(|kind| ctx.socket(kind));
        for socket in [&pull, &push] {
            socket.set_bytes(SOCKS_PROXY, b"127.0.0.1:1").expect("SOCKS_PROXY");
        }
        push.connect(&pull.bind_to(transport)).expect("connect");
        push.send("x").expect("send");
        pull.expect("x");
    }
    let [pull, push] = [PULL, PUSH].map(|kind| ctx.socket(kind));
    pull.set_bytes(SOCKS_PROXY, b"127.0.0.1:1").expect("SOCKS_PROXY");
    push.connect(&pull.bind_to(Transport::Tcp)).expect("connect");
    push.send("x").expect("send");
    pull.expect("x");
}

/// Strings that a null pointer resets; only the proxy itself may not be empty.
#[test]
fn the_options_are_strings() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(DEALER);
    for option in [SOCKS_PROXY, SOCKS_USERNAME, SOCKS_PASSWORD] {
        assert_eq!(socket.get_bytes(option).as_deref(), Ok(&b"\0"[..]));
        socket.set_bytes(option, b"some:1").expect("set");
        assert_eq!(socket.get_bytes(option).as_deref(), Ok(&b"some:1\0"[..]));
        assert_eq!(socket.get_sized(option, 6), Err(EINVAL));
        let empty = if option == SOCKS_PROXY { Err(EINVAL) } else { Ok(()) };
        assert_eq!(socket.set_bytes(option, b""), empty);
        assert_eq!(lib().zmq_setsockopt(socket.raw(), option, std::ptr::null(), 0), 0);
        assert_eq!(socket.get_bytes(option).as_deref(), Ok(&b"\0"[..]));
    }
    for option in [SOCKS_USERNAME, SOCKS_PASSWORD] {
        assert_eq!(socket.set_bytes(option, &[b'x'; 255]), Ok(()));
        assert_eq!(socket.set_bytes(option, &[b'x'; 256]), Err(EINVAL));
    }
}
