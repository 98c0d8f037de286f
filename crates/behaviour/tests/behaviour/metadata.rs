//! What a peer says of itself in the handshake (RFC 37, "Connection Metadata"), and what of it a
//! program finds on the messages (zmq_msg_gets(3)). The peers are played by hand.

use crate::peer::{GREETING, frame, greeting};
use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::io::{Read, Write};

/// A property, as READY carries it.
fn property(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Vec<u8> {
    let (name, value) = (name.as_ref(), value.as_ref());
    let mut bytes = vec![u8::try_from(name.len()).expect("a name")];
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(&(value.len() as u32).to_be_bytes());
    bytes.extend_from_slice(value);
    bytes
}

/// Shakes hands with these properties, and sends a message.
fn peer(endpoint: &str, properties: &[Vec<u8>]) -> RawStream {
    let mut stream = raw_connect(endpoint);
    stream.write_all(&greeting("NULL")).expect("greet");
    let mut greeting = [0; GREETING];
    stream.read_exact(&mut greeting).expect("a greeting");
    let body = [&b"\x05READY"[..], &properties.concat()].concat();
    let head = match u8::try_from(body.len()) {
        Ok(len) => vec![4, len],
        Err(_) => [&[6][..], &(body.len() as u64).to_be_bytes()].concat(),
    };
    stream.write_all(&[head, body].concat()).expect("READY");
    stream.write_all(b"\x00\x05hello").expect("a message");
    assert!(frame(&mut stream).1.starts_with(b"\x05READY"));
    stream
}

/// The message of a PUSH that says `properties` behind its type.
fn message(properties: &[Vec<u8>]) -> Msg {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let endpoint = pull.bind_to(Transport::Tcp);
    let all = [&[property("Socket-Type", "PUSH")], properties].concat();
    let _stream = peer(&endpoint, &all);
    let mut message = Msg::new();
    message.recv(&pull, 0).expect("a message");
    assert_eq!(message.bytes(), b"hello");
    message
}

fn none() -> Result<String, Errno> {
    Err(EINVAL)
}

/// Names are asked for as the peer spelt them.
#[test]
fn names_are_found_letter_by_letter() {
    let message = message(&[property("X-foo", "bar"), property("Identity", "me")]);
    let known = ["Socket-Type", "Identity", "X-foo", "Peer-Address"];
    let values = ["PUSH", "me", "bar", "127.0.0.1"];
    for (name, value) in known.into_iter().zip(values) {
        assert_eq!(message.gets(name).as_deref(), Ok(value), "{name}");
        assert_eq!(message.gets(&name.to_ascii_lowercase().replace("foo", "Foo")), none());
        assert_eq!(message.gets(&name.to_ascii_uppercase()), none(), "{name}");
    }
    assert_eq!(message.gets(""), none());
}

/// Of a name that is given twice, messages have the first value.
#[test]
fn the_first_of_a_name_counts() {
    let twice = ["1", "2"].map(|value| property("X-foo", value));
    let message = message(&[&twice[..], &[property("X-Foo", "3")]].concat());
    assert_eq!(message.gets("X-foo").as_deref(), Ok("1"));
    assert_eq!(message.gets("X-Foo").as_deref(), Ok("3"));
}

/// Names may be anything.
#[test]
fn names_are_not_checked() {
    let odd = ["", "X-a b", "X-\u{fc}", "X-a/b", "X-a\n", "-"];
    let mut properties: Vec<_> = odd.iter().map(|name| property(name, name)).collect();
    properties.push(property(b"X-\xff", "not UTF-8"));
    properties.push(property("X-no\0cut", "in the name"));
    properties.push(property("X-cut", "a\0b"));
    let message = message(&properties);
    for name in odd {
        assert_eq!(message.gets(name).as_deref(), Ok(name));
    }
    assert_eq!(message.gets("X-cut").as_deref(), Ok("a"), "values are strings");
    assert_eq!(message.gets("X-no"), none());
}

/// Many properties, and long ones.
#[test]
fn there_may_be_many_properties() {
    let many: Vec<_> = (0..3000).map(|i| property(format!("X-{i}"), format!("{i}"))).collect();
    let many = message(&many);
    for i in [0, 499, 2999] {
        assert_eq!(many.gets(&format!("X-{i}")), Ok(format!("{i}")));
    }
    let long = message(&[property("X-long", vec![b'v'; 60_000])]);
    assert_eq!(long.gets("X-long").map(|value| value.len()), Ok(60_000));
}

/// A peer that names its type twice has to fit twice; one that does not name it fits.
#[test]
fn every_type_that_a_peer_names_has_to_fit() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let endpoint = pull.bind_to(Transport::Tcp);
    let [push, wrong] = ["PUSH", "PULL"].map(|kind| property("Socket-Type", kind));
    let other_name = property("socket-type", "PULL");
    let refused = [&[push.clone(), wrong.clone()][..], &[wrong.clone(), push.clone()], &[wrong]];
    let refused: Vec<_> = refused.into_iter().map(|list| peer(&endpoint, list)).collect();
    refused.into_iter().for_each(crate::peer::closed);
    for taken in [&[push.clone(), push.clone()][..], &[push, other_name], &[]] {
        let _stream = peer(&endpoint, taken);
        pull.expect("hello");
    }
    pull.expect_nothing();
}

/// The last routing id that a peer gives is the one that it has.
#[test]
fn the_last_identity_is_the_routing_id() {
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    let endpoint = router.bind_to(Transport::Tcp);
    let kind = || property("Socket-Type", "DEALER");
    let id = |name: &str, value: &str| property(name, value);
    let table = [
        (vec![kind(), id("Identity", "a"), id("Identity", "b")], &b"b"[..]),
        (vec![kind(), id("Identity", ""), id("Identity", "c")], b"c"),
        (vec![id("Identity", "d"), kind(), id("IDENTITY", "x")], b"d"),
    ];
    for (properties, expected) in table {
        let _stream = peer(&endpoint, &properties);
        router.expect_all(&[expected, b"hello"]);
    }
    let _stream = peer(&endpoint, &[kind(), id("Identity", "e"), id("Identity", "")]);
    let parts = router.recv_all().expect("a message");
    assert_eq!((parts[0].len(), parts[0][0]), (5, 0), "none");
}

/// ZMQ_METADATA takes any name, and the peer finds the property under it.
#[test]
fn properties_of_ones_own_may_have_odd_names() {
    let ctx = Ctx::new();
    let [server, client] = [DEALER; 2].map(|kind| ctx.socket(kind));
    let long = format!("X-{}", "n".repeat(253));
    let names = ["X-my prop", "X-\u{fc}", "X-a/b", "X-a\n", &long];
    for name in names {
        server.set_bytes(METADATA, format!("{name}:v").as_bytes()).expect(name);
    }
    server.set_bytes(METADATA, b"X-cut\0off:a\0b").expect("zero bytes");
    server.set_bytes(METADATA, b"X-\xff:v").expect("not UTF-8");
    assert_eq!(server.set_bytes(METADATA, format!("{long}n:v").as_bytes()), Err(EINVAL));
    client.connect(&server.bind_to(Transport::Tcp)).expect("connect");
    server.send("hello").expect("send");
    let mut message = Msg::new();
    message.recv(&client, 0).expect("recv");
    for name in names {
        assert_eq!(message.gets(name).as_deref(), Ok("v"), "{name}");
    }
    assert_eq!(message.gets("X-cut").as_deref(), Ok("a"));
}

/// As many properties as a program may reasonably have arrive.
#[test]
fn long_properties_of_ones_own_arrive() {
    let ctx = Ctx::new();
    let [server, client] = [DEALER; 2].map(|kind| ctx.socket(kind));
    for i in 0..60 {
        let value = "v".repeat(1000);
        server.set_bytes(METADATA, format!("X-{i}:{value}").as_bytes()).expect("METADATA");
    }
    client.connect(&server.bind_to(Transport::Tcp)).expect("connect");
    server.send("hello").expect("send");
    let mut message = Msg::new();
    message.recv(&client, 0).expect("recv");
    assert_eq!(message.gets("X-59").map(|value| value.len()), Ok(1000));
}
