//! Peers that come and go in great numbers while the application does nothing: they leave
//! nothing behind.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use aught::{Context, Socket, SocketType};

use crate::alone::{alone, descriptors, resident, tell};
use crate::{PATIENCE, times};

/// How many bytes a crowd may leave behind: what an allocator keeps, and next to nothing a peer.
fn allowance(peers: usize) -> usize {
    1_500_000 + 8 * peers
}

/// What a peer does with its connection.
#[derive(Clone, Copy, Debug)]
enum Visit {
    /// Connects and resets the connection at once.
    Raw,
    /// Shakes hands as this type, and hangs up.
    Shaken(&'static str),
    /// The same, with a routing id that all have.
    Named(&'static str),
    /// Shakes hands, subscribes to something of its own, and hangs up.
    Subscribed,
}

/// The greeting of RFC 37 for the NULL mechanism.
fn greeting() -> [u8; 64] {
    let mut greeting = [0; 64];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[11] = 1;
    greeting[12..16].copy_from_slice(b"NULL");
    greeting
}

/// The READY command of RFC 37.
fn ready(kind: &str, routing_id: &[u8]) -> Vec<u8> {
    let mut body = b"\x05READY".to_vec();
    for (name, value) in [("Socket-Type", kind.as_bytes()), ("Identity", routing_id)] {
        body.push(name.len() as u8);
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(&(value.len() as u32).to_be_bytes());
        body.extend_from_slice(value);
    }
    let mut frame = vec![4, body.len() as u8];
    frame.append(&mut body);
    frame
}

/// Reads the other side's greeting and READY.
fn read_handshake(stream: &mut impl Read) {
    let mut greeting = [0; 64];
    stream.read_exact(&mut greeting).expect("a greeting");
    let mut head = [0; 2];
    stream.read_exact(&mut head).expect("a command");
    assert_eq!(head[0], 4, "a short command");
    let mut body = vec![0; usize::from(head[1])];
    stream.read_exact(&mut body).expect("its body");
    assert!(body.starts_with(b"\x05READY"), "{body:?}");
}

fn visit(visit: Visit, tcp: &str, ipc: &str, number: usize) {
    let (kind, routing_id) = match visit {
        Visit::Raw => {
            let stream = TcpStream::connect(tcp).expect("a connection");
            // A reset leaves no port waiting for its number to be free.
            socket2::SockRef::from(&stream)
                .set_linger(Some(Duration::ZERO))
                .expect("a linger time");
            return;
        }
        Visit::Shaken(kind) => (kind, &b""[..]),
        Visit::Named(kind) => (kind, &b"everybody"[..]),
        Visit::Subscribed => ("SUB", &b""[..]),
    };
    let mut stream = UnixStream::connect(ipc).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let mut bytes = greeting().to_vec();
    bytes.extend_from_slice(&ready(kind, routing_id));
    stream.write_all(&bytes).expect("somebody reads");
    read_handshake(&mut stream);
    if matches!(visit, Visit::Subscribed) {
        let topic = format!("\x01topic-{number}");
        let mut frame = vec![0, topic.len() as u8];
        frame.extend_from_slice(topic.as_bytes());
        stream.write_all(&frame).expect("somebody reads");
    }
}

/// Waits until the connections of those who left are gone.
fn settle(baseline: usize) {
    let start = Instant::now();
    while descriptors() > baseline {
        assert!(start.elapsed() < PATIENCE, "{} descriptors stay", descriptors());
        std::thread::yield_now();
    }
}

/// Lets a crowd visit a socket whose owner does nothing, and looks at what it leaves.
fn crowd(kind: SocketType, visits: &[Visit], prepare: impl FnOnce(&Socket)) {
    let context = Context::new().expect("a context");
    let owner = context.socket(kind).expect("a socket");
    prepare(&owner);
    // ZMQ_BACKLOG: those who come faster than they are let in would wait for a second.
    owner.set_option(19, &4096_i32.to_ne_bytes()).expect("an option");
    owner.bind("tcp://127.0.0.1:*").expect("a port");
    let tcp = owner.last_endpoint().expect("an endpoint");
    let tcp = tcp.strip_prefix("tcp://").expect("tcp");
    owner.bind("ipc://*").expect("a path");
    let ipc = owner.last_endpoint().expect("an endpoint");
    let ipc = ipc.strip_prefix("ipc://").expect("ipc");
    for doing in visits {
        let peers = times(20_000, 1_000_000) / 16;
        let fds = descriptors();
        for number in 0..peers / 4 {
            visit(*doing, tcp, ipc, number);
        }
        settle(fds);
        let before = resident();
        let start = Instant::now();
        for number in 0..peers {
            visit(*doing, tcp, ipc, number);
        }
        settle(fds);
        let growth = resident().saturating_sub(before);
        tell(&format!(
            "figures: {kind:?} {doing:?}: {peers} peers, {growth} bytes, {:?}",
            start.elapsed()
        ));
        let allowed = allowance(peers);
        assert!(growth < allowed, "{kind:?}, {doing:?}: {peers} peers left {growth} bytes");
    }
}

#[test]
fn a_pull_socket_is_not_filled_by_those_who_left() {
    alone("crowd::a_pull_socket_is_not_filled_by_those_who_left", || {
        crowd(SocketType::Pull, &[Visit::Raw, Visit::Shaken("PUSH")], |_| {});
        crowd(SocketType::Push, &[Visit::Shaken("PULL")], |_| {});
    });
}

#[test]
fn a_router_is_not_filled_by_those_who_left() {
    alone("crowd::a_router_is_not_filled_by_those_who_left", || {
        let visits = [Visit::Raw, Visit::Shaken("DEALER"), Visit::Named("DEALER")];
        crowd(SocketType::Router, &visits, |_| {});
        crowd(SocketType::Router, &[Visit::Named("REQ")], |router| {
            // ZMQ_ROUTER_HANDOVER: the newest peer of a name gets it.
            router.set_option(56, &1_i32.to_ne_bytes()).expect("an option");
        });
    });
}

#[test]
fn publishers_are_not_filled_by_those_who_left() {
    alone("crowd::publishers_are_not_filled_by_those_who_left", || {
        crowd(SocketType::Pub, &[Visit::Raw, Visit::Shaken("SUB"), Visit::Subscribed], |_| {});
        crowd(SocketType::Sub, &[Visit::Shaken("PUB")], |sub| {
            sub.subscribe(b"topic").expect("a subscription");
        });
        crowd(SocketType::Xsub, &[Visit::Shaken("XPUB")], |_| {});
    });
}

#[test]
fn services_are_not_filled_by_those_who_left() {
    alone("crowd::services_are_not_filled_by_those_who_left", || {
        crowd(SocketType::Rep, &[Visit::Raw, Visit::Shaken("REQ")], |_| {});
        crowd(SocketType::Req, &[Visit::Shaken("REP")], |_| {});
        crowd(SocketType::Dealer, &[Visit::Shaken("ROUTER")], |_| {});
        crowd(SocketType::Pair, &[Visit::Shaken("PAIR")], |_| {});
    });
}

#[test]
fn a_stream_socket_that_wants_no_notice_is_not_filled_by_those_who_left() {
    alone("crowd::a_stream_socket_that_wants_no_notice_is_not_filled_by_those_who_left", || {
        crowd(SocketType::Stream, &[Visit::Raw], |stream| {
            // ZMQ_STREAM_NOTIFY: with notices on, each is a message that the owner has to read.
            stream.set_option(73, &0_i32.to_ne_bytes()).expect("an option");
        });
    });
}

/// One socket, whose owner never calls it: a million peers leave no more than a few thousand do.
#[test]
fn a_million_peers_of_one_socket_leave_nothing() {
    alone("crowd::a_million_peers_of_one_socket_leave_nothing", || {
        let context = Context::new().expect("a context");
        let owner = context.router().expect("a socket");
        owner.as_socket().set_option(19, &4096_i32.to_ne_bytes()).expect("an option");
        owner.bind("tcp://127.0.0.1:*").expect("a port");
        let tcp = owner.last_endpoint().expect("an endpoint");
        let tcp = tcp.strip_prefix("tcp://").expect("tcp");
        owner.bind("ipc://*").expect("a path");
        let ipc = owner.last_endpoint().expect("an endpoint");
        let ipc = ipc.strip_prefix("ipc://").expect("ipc");
        let visits = [Visit::Raw, Visit::Shaken("DEALER"), Visit::Named("REQ")];
        let fds = descriptors();
        let come_and_go = |peers: usize| {
            for number in 0..peers {
                visit(visits[number % visits.len()], tcp, ipc, number);
            }
            settle(fds);
        };
        come_and_go(3_000);
        let (before, start) = (resident(), Instant::now());
        let peers = times(10_000, 1_000_000);
        come_and_go(peers);
        let growth = resident().saturating_sub(before);
        tell(&format!("figures: {peers} peers, {growth} bytes, {:?}", start.elapsed()));
        assert!(growth < 2_000_000, "{peers} peers left {growth} bytes");
    });
}

/// `ZMQ_ZERO_COPY_RECV` off: a message that is kept keeps no others.
#[test]
fn few_messages_that_are_kept_do_not_keep_many() {
    alone("crowd::few_messages_that_are_kept_do_not_keep_many", || {
        let context = aught::raw::Context::new().expect("a context");
        context.set(10, 0).expect("an option");
        let (pull, push) = (context.socket(7).expect("PULL"), context.socket(8).expect("PUSH"));
        pull.bind("ipc://*").expect("a path");
        let mut endpoint = [0; 200];
        let length = pull.get_option(32, &mut endpoint).expect("an option");
        let endpoint = std::str::from_utf8(&endpoint[..length - 1]).expect("text");
        push.connect(endpoint).expect("a connection");
        let mut kept = Vec::new();
        let mut round = |keep: bool| {
            for number in 0..60_000 {
                push.send_bytes(&[7; 200], 0).expect("room");
                let mut part = aught::raw::Part::new();
                pull.recv(&mut part, 0).expect("a message");
                if keep && number % 40 == 0 {
                    kept.push(part);
                }
            }
        };
        round(false);
        let before = resident();
        round(true);
        let growth = resident().saturating_sub(before);
        tell(&format!("figures: {} messages of 200 bytes keep {growth} bytes", kept.len()));
        // All together they were twelve million bytes.
        assert!(growth < 4_000_000, "{} messages keep {growth} bytes", kept.len());
    });
}
