//! What the fuzz targets check, one function each, so that `cargo test` can replay their corpora.
//! Each takes any octets at all and panics when a promise of this crate is broken.

use std::time::{Duration, Instant};

use crate::command::Command;
use crate::frame::{Framing, decode_header, encode_command_header, encode_header};
use crate::zap::{Reply, Status};
use crate::{Config, SocketType, command, metadata};

pub use super::fuzz_mechanisms::{curve, null, plain};

use super::script;
use super::side::Side;

/// A target's name, which is also that of its corpus, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 9] = [
    ("greeting", greeting),
    ("frames", frames),
    ("commands", commands),
    ("metadata", metadata),
    ("connection", connection),
    ("zap", zap),
    ("null", null),
    ("plain", plain),
    ("curve", curve),
];

/// Any octets as a peer's first: the outcome does not depend on how they were split.
pub fn greeting(data: &[u8]) {
    let mut config = Config::new(SocketType::Router);
    config.routing_id = b"me".to_vec();
    compare_splits(&config, &[], data, &[1, 3, 11]);
}

/// Any octets as a frame header: what is decoded encodes to something that decodes the same.
pub fn frames(data: &[u8]) {
    for framing in [Framing::V1, Framing::V2] {
        let Some(Ok(header)) = decode_header(framing, data) else {
            continue;
        };
        assert!(header.header <= data.len() && header.body <= i64::MAX as u64);
        for cut in 0..header.header {
            assert_eq!(decode_header(framing, &data[..cut]), None, "decided too early");
        }
        let Ok(len) = usize::try_from(header.body) else {
            continue;
        };
        let mut again = Vec::new();
        if header.command {
            encode_command_header(len, &mut again);
        } else {
            encode_header(framing, header.more, len, &mut again);
        }
        // The long form of a short length is legal, and not what we write.
        assert!(again.len() <= header.header);
        let read = decode_header(framing, &again).and_then(Result::ok);
        let expected = crate::frame::Header { header: again.len(), ..header };
        assert_eq!(read, Some(expected));
    }
}

/// Any octets as the body of a command, parsed alone and received by a connection that is ready.
pub fn commands(data: &[u8]) {
    if let Some(parsed) = Command::parse(data) {
        let mut again = Vec::new();
        command::encode(parsed.name, &[parsed.data], &mut again);
        assert!(again.ends_with(data));
    }
    let mut frame = Vec::new();
    encode_command_header(data.len(), &mut frame);
    frame.extend_from_slice(data);
    let config = Config::new(SocketType::Xpub);
    compare_splits(&config, &script::handshake("SUB"), &frame, &[1, 7]);
}

/// Any octets as a property list: what is parsed encodes to the same octets.
pub fn metadata(data: &[u8]) {
    let Ok(properties) = metadata::parse(data) else {
        return;
    };
    let mut again = Vec::new();
    for (name, value) in &properties {
        metadata::encode(name, value, &mut again);
    }
    assert_eq!(again, data);
}

/// Any octets as the frames of a handler's reply, each behind an octet that counts it: what is taken
/// for a reply says, frame by frame, what was read, and nothing but a whole reply with status 200
/// accepts.
pub fn zap(data: &[u8]) {
    let mut frames = Vec::new();
    let mut rest = data;
    while let Some((&len, after)) = rest.split_first() {
        let len = if len == 255 { after.len() } else { usize::from(len).min(after.len()) };
        let (frame, behind) = after.split_at(len);
        frames.push(frame);
        rest = behind;
    }
    let reply = match Reply::read(&frames) {
        Ok(reply) => reply,
        Err(invalid) => {
            let code = invalid.protocol_error_code();
            assert!((0x2000_0000..=0x2000_0005).contains(&code), "{invalid:?} is {code:#x}");
            return;
        }
    };
    let mut metadata = Vec::new();
    for (name, value) in &reply.metadata {
        metadata::encode(name, value, &mut metadata);
    }
    let digits = reply.status.code().to_string();
    let text = frames.get(4).copied().unwrap_or_default();
    let again: [&[u8]; 7] = [b"", b"1.0", b"1", digits.as_bytes(), text, &reply.user_id, &metadata];
    assert_eq!(frames, again);
    assert_eq!(reply.status == Status::Accepted, digits == "200");
}

/// Any octets as all that a peer ever says, to a connection with any settings. The first three
/// octets choose the settings, whether a proper handshake comes first, and how octets are split.
pub fn connection(data: &[u8]) {
    let Some((&[kind, how, split], data)) = data.split_first_chunk::<3>() else {
        return;
    };
    let types = i32::from(kind) % 21;
    let Some(socket_type) = SocketType::from_code(types) else {
        return;
    };
    let mut config = Config::new(socket_type);
    if how & 1 != 0 {
        config.routing_id = vec![b'r'; 1 + usize::from(how >> 5) * 36];
    }
    if how & 2 != 0 {
        config.max_message_size = Some(u64::from(how >> 4));
    }
    let first = match how & 12 {
        0 => Vec::new(),
        4 => [script::greeting(3, 0, "NULL"), script::ready(&[])].concat(),
        8 => b"\xff\0\0\0\0\0\0\0\x01\x7f\x01".to_vec(),
        _ => [script::greeting(3, 1, "NULL"), script::ready(&[])].concat(),
    };
    let piece = usize::from(split);
    compare_splits(&config, &first, data, &[1, 1 + piece % 16, 1 + piece]);
    live(config, &first, data, piece);
}

/// Feeds a connection whole and in pieces and compares all that can be observed.
fn compare_splits(config: &Config, first: &[u8], data: &[u8], pieces: &[usize]) {
    // A flood of PINGs is one only if nothing leaves meanwhile, which depends on the split.
    if data.len() > 32 * 1024 {
        return;
    }
    let now = Instant::now();
    let feed = |piece: usize| {
        let mut side = Side::new(config.clone(), now);
        let mut sent = Vec::new();
        for octets in first.chunks(piece).chain(data.chunks(piece)) {
            side.receive(now, octets);
            side.connection.transmit(&mut sent);
        }
        side.connection.transmit(&mut sent);
        let ready = side.connection.is_ready();
        assert!(!(ready && side.error.is_some()), "ready and over");
        (side.events, side.error, sent, ready, side.connection.peer().cloned())
    };
    let whole = feed(usize::MAX);
    for &piece in pieces {
        assert_eq!(feed(piece), whole, "split into pieces of {piece}");
    }
}

/// Feeds a connection while time passes and timers fire: it must end or go on, never panic.
fn live(mut config: Config, first: &[u8], data: &[u8], piece: usize) {
    config.heartbeat_interval = Some(Duration::from_millis(100));
    config.heartbeat_timeout = Some(Duration::from_millis(250));
    let mut now = Instant::now();
    let mut side = Side::new(config, now);
    for octets in first.chunks(1 + piece).chain(data.chunks(1 + piece)) {
        side.receive(now, octets);
        if piece.is_multiple_of(2) {
            side.transmit();
        }
        now += Duration::from_millis(50);
        side.handle_timeout(now);
    }
    for _ in 0..100 {
        let Some(next) = side.connection.poll_timeout().filter(|_| side.error.is_none()) else {
            return;
        };
        now = now.max(next);
        side.handle_timeout(now);
    }
    assert!(side.error.is_some(), "silence ends a connection that watches it");
}
