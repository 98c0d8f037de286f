//! Advisories about libzmq that concern what comes after the handshake, each with the peer that
//! does what the advisory says. Those about mechanisms are answered in `aught-zmtp`, those about
//! handshakes in `handshakes`. SECURITY.md has the list.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use aught::curve::{KeyPair, PublicKey};
use aught::{Context, Socket, SocketType};
use zmtp::testing::{Event, Side};
use zmtp::{Config, MechanismConfig};

use crate::alone::{alone, descriptors, resident, settle, tell};
use crate::honest::Honest;
use crate::stranger::{Random, Stranger, announce, frame, handshake};
use crate::{EXCHANGE, PATIENCE};

/// By how many bytes memory may grow, whatever a peer sends in vain.
const ALLOWED: usize = 24 * 1024 * 1024;

/// A frame of ZMTP 1.0, whose length counts its flags.
fn old_frame(body: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xff];
    frame.extend_from_slice(&(body.len() as u64 + 1).to_be_bytes());
    frame.push(0);
    frame.extend_from_slice(body);
    frame
}

/// How often a server breaks off, for each type of client; before memory is looked at, and after.
const BREAKS: [usize; 2] = [300, 2000];

/// A server that says a first part and breaks off, whenever it is connected to. What is left of
/// one message is far below `FLAT`, what is left of all of them above.
fn break_off(listener: &TcpListener, kind: SocketType, times: usize) {
    let large = [&handshake(kind)[..], &frame(1, &[b'm'; 16_384])].concat();
    let small = [&handshake(kind)[..], &frame(1, b"first"), &frame(1, &[b'm'; 4000])].concat();
    for turn in 0..times {
        let mut server = Stranger::accept(listener);
        server.write(if turn % 4 < 2 { &large } else { &small });
        server.read_handshake();
        // After a FIN the client has read all, after a reset it may have.
        if turn % 2 == 0 { server.leave() } else { server.reset() }
    }
}

/// Sends until something arrives: a subscription takes its time to get to the publisher.
fn join(client: &Socket, honest: &Socket) {
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < PATIENCE, "they do not get together");
        let _ = honest.try_send("join"); // or nobody is connected yet
        if client.recv_timeout(Duration::from_millis(20)).is_ok() {
            break;
        }
    }
    honest.send("joined").expect("the client is there");
    while client.recv_timeout(EXCHANGE).expect("what was sent last") != "joined" {}
}

/// By how many bytes memory may grow once everything has been seen that it grows for.
const FLAT: usize = 4 * 1024 * 1024;

/// Whoever connects is at the mercy of the server, which may end each connection in the middle of
/// a message.
#[test]
fn cve_2021_20234_servers_that_break_off_leave_nothing() {
    alone("advisories::cve_2021_20234_servers_that_break_off_leave_nothing", || {
        for (kind, peer_kind) in [
            (SocketType::Pull, SocketType::Push),
            (SocketType::Sub, SocketType::Pub),
            (SocketType::Dealer, SocketType::Dealer),
        ] {
            let contexts = [(); 2].map(|()| Context::new().expect("a context"));
            let client = contexts[0].socket(kind).expect("a socket");
            let honest = contexts[1].socket(peer_kind).expect("a socket");
            // ZMQ_RECONNECT_IVL: it comes back at once.
            client.set_option(18, &1_i32.to_ne_bytes()).expect("an option");
            if kind == SocketType::Sub {
                client.subscribe(b"").expect("a subscription");
            }
            client.set_linger(Some(Duration::ZERO)).expect("an option");
            honest.bind("tcp://127.0.0.1:*").expect("a port");
            client.connect(&honest.last_endpoint().expect("an endpoint")).expect("a connection");
            // Nothing but what the honest one says is a message.
            let exchange = |text: &str| {
                honest.send(text).expect("the client is there");
                let message = match client.recv_timeout(EXCHANGE) {
                    Ok(message) => message,
                    Err(error) => panic!("{kind:?} {text}: {error}"),
                };
                assert!(message == text, "{kind:?}: {text}");
            };
            join(&client, &honest);
            let before = descriptors();
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let endpoint = format!("tcp://{}", listener.local_addr().expect("an address"));
            client.connect(&endpoint).expect("a connection to come");
            let mut memory = 0;
            for times in BREAKS {
                memory = resident();
                let own = listener.try_clone().expect("a descriptor");
                let server = std::thread::spawn(move || break_off(&own, kind, times));
                while !server.is_finished() {
                    exchange("during");
                    std::thread::park_timeout(Duration::from_millis(1)); // leaves it a turn
                }
                if let Err(panic) = server.join() {
                    std::panic::resume_unwind(panic);
                }
                exchange("after");
            }
            let growth = resident().saturating_sub(memory);
            tell(&format!("figures: {kind:?} and servers that break off: {growth} bytes"));
            assert!(growth < FLAT, "{kind:?}: memory grew by {growth} bytes");
            client.disconnect(&endpoint).expect("it was connected");
            drop(listener);
            settle(before);
        }
    });
}

/// The decoder for old peers has a buffer of its own, of a fixed size, in libzmq. Here there is
/// none that messages could outgrow.
#[test]
fn cve_2021_20235_large_messages_of_old_peers_come_whole() {
    alone("advisories::cve_2021_20235_large_messages_of_old_peers_come_whole", || {
        let mut honest = Honest::new(SocketType::Pull, "tcp://127.0.0.1:*");
        let mut random = Random::new(20_235);
        let bodies: Vec<_> = [8191, 8192, 8193, 9000, 70_000, 300_000, 20, 8200]
            .map(|len| (0..len).flat_map(|_| random.bytes(2)).take(len).collect::<Vec<_>>())
            .to_vec();
        for cut in [1, 5, 8192, usize::MAX] {
            let mut stranger = Stranger::connect(&honest.endpoint);
            stranger.write(b"\x01\0"); // nobody in particular
            for body in &bodies {
                let bytes = old_frame(body);
                let (head, rest) = bytes.split_at(cut.min(bytes.len()));
                stranger.write(head);
                stranger.write(rest);
                let message = honest.owner.recv_timeout(EXCHANGE).expect("it comes");
                assert!(message.first() == &body[..], "{} bytes, cut at {cut}", body.len());
            }
            honest.exchange();
            stranger.leave();
        }
    });
}

/// Lengths near the end of numbers wrap when the size of a header is added to them.
#[test]
fn cve_2019_6250_lengths_near_the_end_of_numbers_cost_nothing() {
    alone("advisories::cve_2019_6250_lengths_near_the_end_of_numbers_cost_nothing", || {
        let honest = Honest::new(SocketType::Pull, "tcp://127.0.0.1:*");
        honest.withstand("lengths", ALLOWED, |endpoint| {
            let lengths =
                [1 << 31, 1 << 32, u64::MAX >> 1, 1 << 63, u64::MAX - 39, u64::MAX - 1, u64::MAX];
            for len in lengths {
                for cut in 0..9 {
                    // After a handshake of ZMTP 3, of ZMTP 2, and without one.
                    let mut new = Stranger::shaken(endpoint, SocketType::Pull);
                    let bytes = [&announce(0, len)[..], b"a little of it"].concat();
                    new.write(&bytes[..cut]);
                    new.write(&bytes[cut..]);
                    new.leave();
                    // 8 is PUSH in ZMTP 2.0, and an empty routing id follows.
                    let two = [&b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08\0\0"[..], &bytes].concat();
                    let mut old = Stranger::connect(endpoint);
                    old.write(&two[..14 + cut]);
                    old.write(&two[14 + cut..]);
                    old.leave();
                    let mut one = b"\x01\0\xff".to_vec();
                    one.extend_from_slice(&len.to_be_bytes());
                    one.extend_from_slice(b"\0body");
                    let mut oldest = Stranger::connect(endpoint);
                    oldest.write(&one[..2 + cut]);
                    oldest.write(&one[2 + cut..]);
                    oldest.leave();
                }
            }
        });
    });
}

/// A peer that has shaken hands as CURVE wants it, and may then send anything.
fn shaken_with_curve(endpoint: &str, server: PublicKey) -> (Stranger, Side) {
    let mut config = Config::new(SocketType::Push);
    let keys = KeyPair::generate().expect("randomness");
    config.mechanism = MechanismConfig::CurveClient { keys, server };
    let mut side = Side::new(config, Instant::now());
    let mut stranger = Stranger::connect(endpoint);
    while !side.events.contains(&Event::Ready) {
        stranger.write(&side.transmit());
        let bytes = stranger.read_some();
        side.receive(Instant::now(), &bytes);
        assert_eq!(side.error, None);
    }
    (stranger, side)
}

/// The same lengths within CURVE, from somebody who was let in: the box is real, and what is said
/// of its length is not.
#[test]
fn cve_2019_6250_lengths_of_sealed_frames_cost_nothing() {
    alone("advisories::cve_2019_6250_lengths_of_sealed_frames_cost_nothing", || {
        let keys = KeyPair::generate().expect("randomness");
        let contexts = [(); 2].map(|()| Context::new().expect("a context"));
        let owner = contexts[0].socket(SocketType::Pull).expect("a socket");
        owner.set_curve_server(&keys).expect("keys");
        owner.bind("tcp://127.0.0.1:*").expect("a port");
        let endpoint = owner.last_endpoint().expect("an endpoint");
        let honest = contexts[1].socket(SocketType::Push).expect("a socket");
        let client_keys = KeyPair::generate().expect("randomness");
        honest.set_curve_client(&client_keys, keys.public()).expect("keys");
        honest.connect(&endpoint).expect("a connection");
        // Nothing else arrives, before or after.
        let exchange = || {
            honest.send("honest").expect("room");
            assert!(owner.recv_timeout(EXCHANGE).expect("a message") == "honest");
        };
        exchange();
        let (fds, before) = (descriptors(), resident());
        let mut held = Vec::new();
        let huge = [1 << 31, 1 << 32, u64::MAX >> 1, (u64::MAX >> 1) - 39, 1 << 63, u64::MAX];
        for len in huge.into_iter().chain([u64::MAX - 39, 0, 7, 15, 16, 32, 33]) {
            for cut in (0..10).chain([16, 17, 18, 24, 25, 40]) {
                let (mut stranger, mut side) = shaken_with_curve(&endpoint, *keys.public());
                // Behind a head of nine octets.
                let sealed = side.frame(&[b'm'; 1000], false);
                let bytes = [&announce(0, len), &sealed[9..]].concat();
                for piece in [&bytes[..cut], &bytes[cut..cut + 1], &bytes[cut + 1..]] {
                    stranger.write(piece);
                }
                if len % 2 == 0 { held.push(stranger) } else { stranger.leave() }
            }
            exchange();
        }
        let growth = resident().saturating_sub(before);
        tell(&format!("figures: lengths of sealed frames: {growth} bytes"));
        assert!(growth < ALLOWED, "memory grew by {growth} bytes");
        // What tells the truth arrives, in whatever pieces.
        let (mut stranger, mut side) = shaken_with_curve(&endpoint, *keys.public());
        let body = Random::new(6250).bytes(100_000);
        for piece in side.frame(&body, false).chunks(977) {
            stranger.write(piece);
        }
        assert!(owner.recv_timeout(EXCHANGE).expect("a message").first() == &body[..]);
        held.push(stranger);
        held.into_iter().for_each(Stranger::leave);
        exchange();
        settle(fds);
    });
}

/// A topic of 16 MiB, taken back, left behind, and once more. The tree of topics neither adds nor
/// drops its nodes by recursion.
#[test]
fn cve_2021_20236_long_topics_come_and_go() {
    alone("advisories::cve_2021_20236_long_topics_come_and_go", || {
        for kind in [SocketType::Pub, SocketType::Xpub] {
            let mut honest = Honest::new(kind, "tcp://127.0.0.1:*");
            let topic = vec![b'x'; (16 << 20) - 1024];
            let command = |name: &[u8]| {
                let mut body = vec![name.len() as u8];
                body.extend_from_slice(name);
                body.extend_from_slice(&topic);
                frame(4, &body)
            };
            let mut subscriber = Stranger::shaken(&honest.endpoint, kind);
            for bytes in [command(b"SUBSCRIBE"), command(b"CANCEL"), command(b"SUBSCRIBE")] {
                let mut written = 0;
                while written < bytes.len() {
                    written += subscriber.write(&bytes[written..]);
                    honest.exchange();
                }
            }
            subscriber.leave();
            honest.exchange();
        }
    });
}

/// What a subscriber sends that is no subscription is not kept, also if the owner of the publisher
/// never calls in.
#[test]
fn cve_2021_20237_messages_to_publishers_are_not_kept() {
    alone("advisories::cve_2021_20237_messages_to_publishers_are_not_kept", || {
        let honest = Honest::new(SocketType::Pub, "tcp://127.0.0.1:*");
        honest.withstand("messages to a publisher", ALLOWED, |endpoint| {
            for _ in 0..20 {
                let mut stranger = Stranger::shaken(endpoint, SocketType::Pub);
                let message = [frame(1, b"\x05part"), frame(0, &[b'm'; 4000])].concat();
                let many = message.repeat(500);
                for _ in 0..5 {
                    stranger.write(&many);
                }
                stranger.leave();
            }
        });
    });
}
