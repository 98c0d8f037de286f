//! Peers that do not speak ZMTP, or not to the end: a real peer is served all the same.

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::io::Write;

/// The first ten bytes of a ZMTP greeting (RFC 37).
const SIGNATURE: [u8; 10] = [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f];

/// A greeting for the NULL mechanism.
fn greeting() -> Vec<u8> {
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend([3, 0]);
    bytes.extend(b"NULL");
    bytes.resize(64, 0);
    bytes
}

/// READY for a socket type.
fn ready(kind: &str) -> Vec<u8> {
    let mut body = b"\x05READY\x0bSocket-Type".to_vec();
    body.extend((kind.len() as u32).to_be_bytes());
    body.extend(kind.as_bytes());
    let mut frame = vec![4, body.len() as u8];
    frame.extend(body);
    frame
}

/// A stream of bytes without a pattern, the same each time.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..size)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}

/// What the peers send before they hang up.
fn attacks(peer: &str) -> Vec<Vec<u8>> {
    let shaken = [greeting(), ready(peer)].concat();
    let with = |bytes: &[u8]| [&shaken[..], bytes].concat();
    vec![
        Vec::new(),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        noise(3000),
        SIGNATURE[..5].to_vec(),
        greeting()[..33].to_vec(),
        greeting(),
        [greeting(), noise(200)].concat(),
        // A mechanism that nobody knows.
        [&greeting()[..12], &b"WHATEVER"[..], &[0; 44]].concat(),
        [greeting(), ready("NOTHING")].concat(),
        // Half a command, half a frame, half a message.
        [&greeting()[..], &ready(peer)[..9]].concat(),
        with(&[0, 100, 1, 2, 3]),
        with(&[1, 1, b'x']),
        // A frame of 2^63 bytes, and one of 2^63 - 1.
        with(&[2, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        with(&[2, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]),
        // Flags that do not exist, and a command that does not.
        with(&[0xff, 5, 1, 2, 3, 4, 5]),
        with(b"\x04\x08\x07UNKNOWN"),
        with(b"\x04\x00"),
        with(b"\x04\x01\xff"),
    ]
}

/// Lets every attack loose on a bound socket, then has `serve` prove that it still works.
fn survives(kind: i32, peer: &str, serve: impl Fn(&Ctx, &Sock, &str)) {
    for transport in [Transport::Tcp, Transport::Ipc] {
        let ctx = Ctx::new();
        let socket = ctx.socket(kind);
        let endpoint = socket.bind_to(transport);
        let mut open = Vec::new();
        for (index, attack) in attacks(peer).into_iter().enumerate() {
            let mut stream = raw_connect(&endpoint);
            // The socket may have hung up already.
            let _ = stream.write_all(&attack);
            // Half of them stay.
            if index % 2 == 0 {
                open.push(stream);
            }
        }
        serve(&ctx, &socket, &endpoint);
        drop(open);
        serve(&ctx, &socket, &endpoint);
    }
}

/// Receives until the last part of a message is this text: what the attackers sent may come too.
fn find(socket: &Sock, text: &str) -> Vec<Vec<u8>> {
    loop {
        let parts = socket.recv_all().expect("a message");
        if parts.last().is_some_and(|part| part == text.as_bytes()) {
            return parts;
        }
    }
}

#[test]
fn a_pull_survives_hostile_peers() {
    survives(PULL, "PUSH", |ctx, pull, endpoint| {
        let push = ctx.socket(PUSH);
        push.connect(endpoint).expect("connect");
        push.send("real").expect("send");
        find(pull, "real");
    });
}

#[test]
fn a_push_survives_hostile_peers() {
    survives(PUSH, "PULL", |ctx, push, endpoint| {
        let pull = ctx.socket(PULL);
        pull.connect(endpoint).expect("connect");
        // Messages also go to the peers that shook hands.
        Sock::until(|| {
            let _ = push.try_send("real");
            pull.try_recv().ok()
        });
    });
}

#[test]
fn a_rep_survives_hostile_peers() {
    survives(REP, "REQ", |ctx, rep, endpoint| {
        let req = ctx.socket(REQ);
        req.connect(endpoint).expect("connect");
        req.send("real").expect("send");
        loop {
            let parts = rep.recv_all().expect("a request");
            rep.send_all(&parts).expect("send");
            if parts == [b"real"] {
                break;
            }
        }
        req.expect("real");
    });
}

#[test]
fn a_req_survives_hostile_peers() {
    let ctx = Ctx::new();
    for attack in attacks("REP") {
        let req = ctx.socket(REQ);
        req.set(REQ_RELAXED, 1).expect("REQ_RELAXED");
        req.set(REQ_CORRELATE, 1).expect("REQ_CORRELATE");
        let endpoint = req.bind_to(Transport::Tcp);
        let mut stream = raw_connect(&endpoint);
        let _ = stream.write_all(&attack);
        let rep = ctx.socket(REP);
        rep.connect(&endpoint).expect("connect");
        // A request may go to the attacker, so it is asked again.
        Sock::until(|| {
            let _ = req.try_send("real");
            while rep.poll(POLLIN, 50) != 0 {
                rep.recv_all().expect("a request");
                rep.send("answer").expect("send");
            }
            (req.poll(POLLIN, 50) != 0).then(|| req.expect("answer"))
        });
    }
}

#[test]
fn a_router_survives_hostile_peers() {
    survives(ROUTER, "DEALER", |ctx, router, endpoint| {
        let dealer = ctx.socket(DEALER);
        dealer.connect(endpoint).expect("connect");
        dealer.send("real").expect("send");
        let parts = find(router, "real");
        router.send_all(&parts).expect("send");
        dealer.expect("real");
    });
}

#[test]
fn a_dealer_survives_hostile_peers() {
    survives(DEALER, "DEALER", |ctx, dealer, endpoint| {
        let peer = ctx.socket(DEALER);
        peer.connect(endpoint).expect("connect");
        peer.send("real").expect("send");
        find(dealer, "real");
    });
}

#[test]
fn a_publisher_survives_hostile_peers() {
    survives(XPUB, "SUB", |ctx, publisher, endpoint| {
        let subscriber = ctx.socket(SUB);
        let topic = unique();
        subscriber.subscribe(&topic);
        subscriber.connect(endpoint).expect("connect");
        find(publisher, &format!("\x01{topic}"));
        publisher.send(&topic).expect("send");
        subscriber.expect(&topic);
    });
}

#[test]
fn a_pub_survives_hostile_peers() {
    survives(PUB, "SUB", |ctx, publisher, endpoint| {
        let subscriber = ctx.socket(SUB);
        subscriber.subscribe("t");
        subscriber.connect(endpoint).expect("connect");
        Sock::until(|| {
            publisher.send("t").expect("send");
            subscriber.try_recv().ok()
        });
    });
}

#[test]
fn a_subscriber_survives_hostile_peers() {
    for kind in [SUB, XSUB] {
        survives(kind, "PUB", |ctx, subscriber, endpoint| {
            if kind == SUB {
                subscriber.subscribe("");
            } else {
                subscriber.send("\x01").expect("send");
            }
            let publisher = ctx.socket(PUB);
            publisher.connect(endpoint).expect("connect");
            Sock::until(|| {
                publisher.send("real").expect("send");
                subscriber.try_recv().ok().filter(|part| part == b"real")
            });
        });
    }
}

/// A PAIR has one peer: a hostile one may take the place, but only until it leaves.
#[test]
fn a_pair_survives_hostile_peers() {
    let ctx = Ctx::new();
    for attack in attacks("PAIR") {
        let pair = ctx.socket(PAIR);
        let endpoint = pair.bind_to(Transport::Tcp);
        let mut stream = raw_connect(&endpoint);
        let _ = stream.write_all(&attack);
        drop(stream);
        Sock::until(|| {
            let peer = ctx.socket(PAIR);
            peer.connect(&endpoint).expect("connect");
            peer.send("real").expect("send");
            while pair.poll(POLLIN, 100) != 0 {
                if pair.recv().expect("a part") == b"real" {
                    return Some(());
                }
            }
            None
        });
    }
}

/// A STREAM takes any bytes.
#[test]
fn a_stream_survives_hostile_peers() {
    let ctx = Ctx::new();
    let stream = ctx.socket(STREAM);
    let endpoint = stream.bind_to(Transport::Tcp);
    for attack in attacks("STREAM") {
        let mut peer = raw_connect(&endpoint);
        peer.write_all(&attack).expect("write");
    }
    let mut peer = raw_connect(&endpoint);
    peer.write_all(b"real").expect("write");
    find(&stream, "real");
}

/// A server that talks nonsense to a client that connects: the client tries again.
#[test]
fn a_client_survives_hostile_servers() {
    let ctx = Ctx::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let endpoint = format!("tcp://{}", listener.local_addr().expect("address"));
    let push = ctx.socket(PUSH);
    push.set(RECONNECT_IVL, 5).expect("RECONNECT_IVL");
    push.connect(&endpoint).expect("connect");
    for attack in [noise(500), b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), greeting()] {
        let (mut stream, _) = listener.accept().expect("accept");
        let _ = stream.write_all(&attack);
    }
    drop(listener);
    let pull = ctx.socket(PULL);
    Sock::until(|| pull.bind(&endpoint).ok());
    Sock::until(|| {
        let _ = push.try_send("real");
        pull.try_recv().ok()
    });
}

/// Types that do not go together do not connect (RFC 37).
#[test]
fn incompatible_types_do_not_talk() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let endpoint = pull.bind_to(Transport::Tcp);
    let wrong = ctx.socket(DEALER);
    wrong.connect(&endpoint).expect("connect");
    wrong.send("wrong").expect("send");
    let right = ctx.socket(PUSH);
    right.connect(&endpoint).expect("connect");
    right.send("right").expect("send");
    pull.expect("right");
    pull.expect_nothing();
}
