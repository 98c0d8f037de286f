//! Every kind of stranger, at a socket of every type.

use aught::SocketType;

use crate::alone::alone;
use crate::honest::Honest;
use crate::stranger::{Random, Stranger, announce, frame, greeting, handshake, property, ready};

/// By how many bytes the memory of a socket's process may grow at most, whatever comes.
const ALLOWED: usize = 96 * 1024 * 1024;

/// How many connections are held open at once without a word.
const SILENT: usize = 2000;

/// Sends bytes and leaves.
fn say(endpoint: &str, bytes: &[u8]) {
    let mut stranger = Stranger::connect(endpoint);
    stranger.write(bytes);
    stranger.leave();
}

/// Bytes that are no ZMTP at all.
fn noise(endpoint: &str, seed: u64) {
    let mut random = Random::new(seed);
    for _ in 0..60 {
        say(endpoint, &random.bytes(3000));
        say(endpoint, &[&greeting()[..], &random.bytes(300)].concat());
    }
    say(endpoint, b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n");
}

/// Peers of the older versions that then talk nonsense.
fn old_noise(endpoint: &str, seed: u64) {
    let mut random = Random::new(seed);
    let long = [&[0xff][..], &u64::MAX.to_be_bytes()[..7], &[0xfe, 0]].concat();
    let unversioned = [b"\x01\x00".to_vec(), b"\x06\x00hello".to_vec(), b"\x00".to_vec(), long];
    for version in unversioned {
        for _ in 0..8 {
            say(endpoint, &[&version, &random.bytes(400)[..]].concat());
        }
    }
    for number in (0..12).chain([255]) {
        let greeting = [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1, number];
        say(endpoint, &greeting);
        for _ in 0..4 {
            // An anonymous peer, then anything.
            say(endpoint, &[&greeting[..], &[0, 0], &random.bytes(400)].concat());
        }
        let huge = [&greeting[..], &[0, 0], &announce(0, i64::MAX as u64), b"body"].concat();
        say(endpoint, &huge);
    }
}

/// A handshake that ends anywhere.
fn beginnings(endpoint: &str, kind: SocketType) {
    let whole = handshake(kind);
    for end in 0..=whole.len() {
        let mut stranger = Stranger::connect(endpoint);
        stranger.write(&whole[..end]);
        if end % 3 == 0 { stranger.reset() } else { stranger.leave() }
    }
}

/// Handshakes that do not fit.
fn misfits(endpoint: &str) {
    let names = [
        "PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB",
        "STREAM", "SERVER", "GATHER", "", "pull", "\0", "PULLPULL",
    ];
    for name in names {
        say(endpoint, &[&greeting()[..], &ready(name, b"")].concat());
    }
}

/// READY commands with more metadata than anybody needs.
fn talkative(endpoint: &str, kind: SocketType) {
    let shaken = handshake(kind);
    let kind_only = shaken[64 + 2 + 6..].to_vec(); // after the greeting, the head and the name
    let with = |more: &[u8]| {
        let body = [&b"\x05READY"[..], &kind_only, more].concat();
        [&greeting()[..], &frame(4, &body)].concat()
    };
    for count in [200, 300, 3000] {
        let many: Vec<u8> = (0..count).flat_map(|i| property(&format!("X-{i}"), b"x")).collect();
        say(endpoint, &with(&many));
    }
    for len in [60_000, 70_000, 2_000_000] {
        say(endpoint, &with(&property("X-Large", &vec![b'x'; len])));
    }
    say(endpoint, &with(&property("Identity", &[b'i'; 255])));
    say(endpoint, &with(&property("Identity", &[b'i'; 256])));
    say(endpoint, &with(&[&b"\x06X-Huge"[..], &u32::MAX.to_be_bytes(), b"x"].concat()));
    say(endpoint, &with(b"\xffX-Short"));
}

/// Frames that a peer in good standing must not send, or does not finish.
fn frames(endpoint: &str, kind: SocketType) {
    let mut held = Vec::new();
    for len in [1 << 31, 1 << 32, i64::MAX as u64, 1 << 63, u64::MAX] {
        for flags in [0, 1, 4, 5] {
            let mut stranger = Stranger::shaken(endpoint, kind);
            stranger.write(&announce(flags, len));
            stranger.write(b"a little of it");
            held.push(stranger);
        }
        let mut early = Stranger::connect(endpoint);
        early.write(&[&greeting()[..], &announce(4, len), b"\x05READY"].concat());
        held.push(early);
    }
    for bytes in [&b"\x00"[..], b"\x00\x0ahalf", b"\x01\x05first", b"\x04\x0a\x04PING", b"\x02\0\0"]
    {
        let mut stranger = Stranger::shaken(endpoint, kind);
        stranger.write(bytes);
        held.push(stranger);
    }
    for flags in 0..=255 {
        let mut stranger = Stranger::shaken(endpoint, kind);
        stranger.write(&frame(flags, b"\x04PING\0\0junk"));
        stranger.leave();
    }
    for stranger in held {
        stranger.leave();
    }
}

/// A first part, and never the second.
fn unfinished(endpoint: &str, kind: SocketType, times: usize) {
    let bytes = [&handshake(kind)[..], &frame(1, b""), &frame(1, b"first")].concat();
    for _ in 0..times {
        let mut stranger = Stranger::connect(endpoint);
        stranger.write(&bytes);
        stranger.read_handshake();
        stranger.reset();
    }
}

/// A peer in good standing that is slow.
fn slow(endpoint: &str, kind: SocketType) {
    let mut stranger = Stranger::connect(endpoint);
    for byte in [&handshake(kind)[..], &frame(1, b"one"), &frame(0, b"two")].concat() {
        stranger.write(&[byte]);
    }
    stranger.read_handshake();
    stranger.leave();
}

/// Asks all the time and does not listen.
fn pings(endpoint: &str, kind: SocketType) {
    let mut stranger = Stranger::shaken(endpoint, kind);
    let ping = frame(4, b"\x04PING\0\x640123456789abcdef");
    let many = ping.repeat(1000);
    for _ in 0..30 {
        if stranger.write(&many) < many.len() {
            break;
        }
    }
    stranger.reset();
}

fn silence(endpoint: &str) {
    let held: Vec<Stranger> = (0..SILENT).map(|_| Stranger::connect(endpoint)).collect();
    // The last one is let in after all others.
    let mut last = Stranger::connect(endpoint);
    last.write(b"\x01\x00");
    for stranger in held {
        stranger.reset();
    }
    last.leave();
}

/// Those who speak ZMTP. To a STREAM socket, all of that is data.
fn handshakes(endpoint: &str, kind: SocketType) {
    beginnings(endpoint, kind);
    misfits(endpoint);
    talkative(endpoint, kind);
    if kind != SocketType::Stream {
        frames(endpoint, kind);
        unfinished(endpoint, kind, 200);
        slow(endpoint, kind);
        pings(endpoint, kind);
    }
}

fn all(kind: SocketType, place: &str) {
    let honest = Honest::new(kind, place);
    let seed = kind as u64 * 7919 + place.len() as u64 + 1;
    let what = format!("{kind:?} {place}");
    honest.withstand(&what, ALLOWED, move |endpoint| {
        noise(endpoint, seed);
        old_noise(endpoint, seed);
        handshakes(endpoint, kind);
        silence(endpoint);
    });
}

macro_rules! types {
    ($($name:ident $kind:ident;)*) => {$(
        #[test]
        fn $name() {
            alone(concat!("strangers::", stringify!($name)), || {
                all(SocketType::$kind, "tcp://127.0.0.1:*");
                all(SocketType::$kind, "ipc://*");
            });
        }
    )*};
}

types! {
    a_pair_withstands_strangers Pair;
    a_pub_withstands_strangers Pub;
    a_sub_withstands_strangers Sub;
    a_req_withstands_strangers Req;
    a_rep_withstands_strangers Rep;
    a_dealer_withstands_strangers Dealer;
    a_router_withstands_strangers Router;
    a_pull_withstands_strangers Pull;
    a_push_withstands_strangers Push;
    an_xpub_withstands_strangers Xpub;
    an_xsub_withstands_strangers Xsub;
}

#[test]
fn a_stream_withstands_strangers() {
    alone("strangers::a_stream_withstands_strangers", || {
        all(SocketType::Stream, "tcp://127.0.0.1:*");
    });
}

#[test]
fn ten_thousand_first_parts_leave_nothing() {
    alone("strangers::ten_thousand_first_parts_leave_nothing", || {
        let honest = Honest::new(SocketType::Pull, "tcp://127.0.0.1:*");
        honest.withstand("first parts", 16 * 1024 * 1024, |endpoint| {
            unfinished(endpoint, SocketType::Pull, 10_000);
        });
    });
}
