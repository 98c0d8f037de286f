//! `aught audit`, at servers of every mechanism.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use aught::curve::KeyPair;
use aught::{AuthRules, AuthVerdict, Context, Socket, SocketType};

use crate::{Directory, Said, aught};

fn context() -> Context {
    Context::new().expect("a context")
}

/// A socket of a type, prepared and bound.
fn server(context: &Context, kind: SocketType, prepare: impl FnOnce(&Socket)) -> (Socket, String) {
    let socket = context.socket(kind).expect("a socket");
    socket.set_linger(Some(Duration::ZERO)).expect("an option");
    prepare(&socket);
    socket.bind("tcp://127.0.0.1:*").expect("a port");
    let endpoint = socket.last_endpoint().expect("an endpoint");
    (socket, endpoint)
}

fn audit(endpoint: &str) -> Said {
    aught(&["audit", endpoint])
}

#[test]
fn a_null_server_is_open() {
    let context = context();
    let (_server, endpoint) = server(&context, SocketType::Rep, |_| {});
    audit(&endpoint)
        .ends(1)
        .shows("version     ZMTP 3.1")
        .shows("mechanism   NULL")
        .shows("as server   no")
        .shows("socket type REP")
        .shows("is let in as REQ: may send")
        .shows("is let in as DEALER: may send")
        .hides("as SUB")
        .shows("verdict     open");
}

#[test]
fn a_publisher_gives_its_messages_away() {
    let context = context();
    let (server, endpoint) = server(&context, SocketType::Xpub, |_| {});
    let auditor = std::thread::spawn(move || audit(&endpoint));
    let subscription = server.recv_timeout(Duration::from_secs(20)).expect("a subscription");
    assert_eq!(subscription.first(), &b"\x01"[..]);
    server.send("secret news").expect("a subscriber");
    auditor.join().unwrap().ends(1).shows("as SUB: subscribed to everything, got a message");
}

#[test]
fn data_is_sent_only_when_asked() {
    let context = context();
    let (server, endpoint) = server(&context, SocketType::Pull, |_| {});
    audit(&endpoint).ends(1).shows("as PUSH: may send");
    aught(&["audit", "--send", &endpoint]).ends(1).shows("as PUSH: an empty message was taken");
    assert_eq!(server.recv_timeout(Duration::from_secs(20)).expect("one message"), "");
    assert!(!server.can_recv().expect("an open socket"), "and no more");
}

#[test]
fn a_passive_audit_is_no_peer() {
    let context = context();
    let (server, endpoint) = server(&context, SocketType::Push, |_| {});
    aught(&["audit", "--passive", &endpoint])
        .ends(1)
        .shows("socket type PUSH")
        .shows("is let in (the peer has shown itself to one; not finished)");
    assert!(server.try_send("for a real peer").is_err(), "there never was a peer");
}

#[test]
fn local_sockets_are_audited() {
    let directory = Directory::new();
    let context = context();
    let socket = context.socket(SocketType::Pair).expect("a socket");
    for endpoint in [
        format!("ipc://{}", directory.path("socket")),
        format!("ipc://@aught-audit-{}", std::process::id()),
    ] {
        socket.bind(&endpoint).expect("a place");
        audit(&endpoint).ends(1).shows("is let in as PAIR: may send");
    }
}

#[test]
fn a_denied_null_peer_is_told() {
    let context = context();
    context.set_authenticator(|_: &aught::AuthRequest<'_>| AuthVerdict::deny());
    let (_server, endpoint) = server(&context, SocketType::Router, |_| {});
    audit(&endpoint).ends(0).shows("is not let in: denied with status 400").shows("protected");
}

#[test]
fn a_plain_server_asks_for_a_password() {
    let context = context();
    let (socket, endpoint) =
        server(&context, SocketType::Router, |socket| socket.set_plain_server(true).unwrap());
    socket.set_authenticator(AuthRules::new().user("joe", "secret"));
    audit(&endpoint)
        .ends(0)
        .shows("mechanism   PLAIN")
        .shows("as server   yes")
        .shows("denied with status 400")
        .shows("ZMTP 2.0    turned away")
        .shows("verdict     protected");
    socket.set_authenticator(|_: &aught::AuthRequest<'_>| AuthVerdict::accept("whoever"));
    audit(&endpoint).ends(1).shows("socket type ROUTER").shows("is let in as DEALER");
}

/// It shows its password to whoever comes, as anything that connects to a wrong address would.
#[test]
fn a_plain_client_that_is_bound_is_open() {
    let context = context();
    let (_socket, endpoint) = server(&context, SocketType::Router, |socket| {
        socket.set_plain_client("joe", "secret").unwrap();
    });
    audit(&endpoint).ends(1).shows("as server   not said").shows("whoever says to be the server");
}

#[test]
fn a_curve_server_asks_for_keys() {
    let keys = KeyPair::generate().unwrap();
    let context = context();
    let (socket, endpoint) =
        server(&context, SocketType::Pub, |socket| socket.set_curve_server(&keys).unwrap());
    audit(&endpoint)
        .ends(0)
        .shows("mechanism   CURVE")
        .shows("needs the server's public key")
        .shows("ZMTP 2.0    turned away")
        .shows("verdict     protected");
    let key = keys.public().to_z85();
    let with_key = |key: &str| aught(&["audit", "--server-key", key, &endpoint]);
    // Nobody decides about clients: who knows the server's key is let in.
    with_key(&key).ends(1).shows("socket type PUB").shows("is let in as SUB: subscribed");
    socket.set_authenticator(AuthRules::new());
    with_key(&key).ends(0).shows("denied with status 400");
    // Another server's key: the server cannot even read what we say.
    let other = KeyPair::generate().unwrap().public().to_z85();
    with_key(&other).ends(0).shows("protected");
}

#[test]
fn what_is_no_server_of_zeromq_is_an_error() {
    let told = audit("ipc:///no/such/directory/socket").ends(2);
    assert!(told.err.contains("No such file"), "{}", told.err);

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let web = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = stream.read(&mut [0; 64]); // until the auditor has gone
        listener
    });
    let told = audit(&endpoint).ends(2);
    assert!(told.err.contains("this is not ZMTP: HTTP/1.1"), "{}", told.err);
    let _silent = web.join().unwrap();
    let told = aught(&["audit", "--timeout", "0.2", &endpoint]).ends(2);
    assert!(told.err.contains("says nothing"), "{}", told.err);
    for wrong in ["inproc://x", "udp://127.0.0.1:1", "nonsense"] {
        let told = audit(wrong).ends(2);
        assert!(told.err.contains("tcp:// and ipc://"), "{}", told.err);
    }
}
