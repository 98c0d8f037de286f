//! A peer that a test plays by hand: the bytes of ZMTP 3.1 with the NULL mechanism (RFC 37).

use aught_behaviour::{RawStream, raw_connect};
use std::io::{Read, Write};

/// Octets of a greeting.
pub(crate) const GREETING: usize = 64;

/// A greeting with the name of a mechanism.
pub(crate) fn greeting(mechanism: &str) -> Vec<u8> {
    let mut bytes = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1];
    bytes.extend_from_slice(mechanism.as_bytes());
    bytes.resize(GREETING, 0);
    bytes
}

/// A command frame.
pub(crate) fn command(name: &str, data: &[u8]) -> Vec<u8> {
    let mut body = vec![u8::try_from(name.len()).expect("a short name")];
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(data);
    let mut frame = vec![4, u8::try_from(body.len()).expect("a short command")];
    frame.extend_from_slice(&body);
    frame
}

/// The READY command of a socket type.
pub(crate) fn ready(socket_type: &str) -> Vec<u8> {
    let mut data = b"\x0bSocket-Type\0\0\0".to_vec();
    data.push(u8::try_from(socket_type.len()).expect("a short name"));
    data.extend_from_slice(socket_type.as_bytes());
    command("READY", &data)
}

/// A peer that has exchanged greetings and READY commands.
pub(crate) fn shaken(endpoint: &str, socket_type: &str) -> RawStream {
    let mut stream = raw_connect(endpoint);
    stream.write_all(&greeting("NULL")).expect("greet");
    stream.write_all(&ready(socket_type)).expect("READY");
    let mut greeting = [0; GREETING];
    stream.read_exact(&mut greeting).expect("a greeting");
    let (flags, body) = frame(&mut stream);
    assert_eq!(flags, 4, "a short command");
    assert!(body.starts_with(b"\x05READY"), "{}", body.escape_ascii());
    stream
}

/// The next short frame: its flags and body.
pub(crate) fn frame(stream: &mut RawStream) -> (u8, Vec<u8>) {
    let mut head = [0; 2];
    stream.read_exact(&mut head).expect("a frame");
    let mut body = vec![0; usize::from(head[1])];
    stream.read_exact(&mut body).expect("a body");
    (head[0], body)
}

/// Waits until the connection is closed from the other side.
pub(crate) fn closed(mut stream: RawStream) {
    let mut buffer = [0; 256];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return,
            Err(error) => panic!("the connection stays open: {error}"),
        }
    }
}
