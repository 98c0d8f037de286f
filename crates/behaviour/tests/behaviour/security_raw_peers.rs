//! Peers that break the handshake of a mechanism, played by hand: which number a monitor is told.
//! Each waits for its turn, since a libzmq tells of what comes too early in ways that depend on
//! time. How NULL is broken is in `monitor_events`.

use crate::peer::{GREETING, closed, command, frame, greeting};
use crate::warden::{
    Both, HANDLER, LET_IN, Mechanism, PASSWORD, USER, first_outcome, identify, serve,
};
use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::io::{Read, Write};
use std::net::TcpListener;

/// The name in the greeting.
fn name(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::Null => "NULL",
        Mechanism::Plain => "PLAIN",
        Mechanism::Curve => "CURVE",
    }
}

/// Properties as metadata has them.
fn metadata(properties: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in properties {
        bytes.push(u8::try_from(name.len()).expect("a short name"));
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&u32::try_from(value.len()).expect("a value").to_be_bytes());
        bytes.extend_from_slice(value);
    }
    bytes
}

/// A command that is larger than short frames are.
fn long_command(name: &str, data: usize) -> Vec<u8> {
    let len = 1 + name.len() + data;
    let mut bytes = vec![6];
    bytes.extend_from_slice(&(len as u64).to_be_bytes());
    bytes.push(u8::try_from(name.len()).expect("a short name"));
    bytes.extend_from_slice(name.as_bytes());
    bytes.resize(9 + len, 0);
    bytes
}

/// A HELLO of CURVE with a box that does not open.
fn curve_hello(change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut data = [0; 194];
    data[0] = 1;
    data[74..106].fill(1);
    data[113] = 1;
    data[114..].fill(2);
    change(&mut data);
    command("HELLO", &data)
}

/// What PLAIN shows.
fn plain_hello() -> Vec<u8> {
    let mut data = Vec::new();
    for text in [USER, PASSWORD] {
        data.push(u8::try_from(text.len()).expect("a short text"));
        data.extend_from_slice(text.as_bytes());
    }
    command("HELLO", &data)
}

/// A socket whose peer is played by hand, and has exchanged greetings with it.
struct Raw {
    peer: RawStream,
    told: Monitor,
    handler: Sock,
    _socket: Sock,
    // Last, so that it ends after its sockets.
    _ctx: Ctx,
}

impl Raw {
    /// Against a server.
    fn client(mechanism: Mechanism) -> Self {
        let ctx = Ctx::new();
        let (socket, handler) = (ctx.socket(DEALER), ctx.socket(REP));
        handler.bind(HANDLER).expect("bind the handler");
        serve(&socket, mechanism, &Both::new());
        let told = Monitor::new(&ctx, &socket);
        let peer = raw_connect(&socket.bind_to(Transport::Tcp));
        Self { peer, told, handler, _socket: socket, _ctx: ctx }.greeted(mechanism)
    }

    /// Against a client, of which the first command has been read.
    fn server(mechanism: Mechanism) -> Self {
        let ctx = Ctx::new();
        let (socket, handler) = (ctx.socket(DEALER), ctx.socket(REP));
        identify(&socket, mechanism, &Both::new());
        let told = Monitor::new(&ctx, &socket);
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        let address = listener.local_addr().expect("an address");
        socket.connect(&format!("tcp://{address}")).expect("connect");
        let peer = raw_accept(&listener);
        let mut raw = Self { peer, told, handler, _socket: socket, _ctx: ctx }.greeted(mechanism);
        raw.read();
        raw
    }

    fn greeted(mut self, mechanism: Mechanism) -> Self {
        self.write(&greeting(name(mechanism)));
        self.peer.read_exact(&mut [0; GREETING]).expect("a greeting");
        self
    }

    fn write(&mut self, bytes: &[u8]) {
        self.peer.write_all(bytes).expect("write");
    }

    fn read(&mut self) {
        frame(&mut self.peer);
    }

    /// A client of PLAIN that was let in, and has to send INITIATE.
    fn welcomed() -> Self {
        let mut raw = Self::client(Mechanism::Plain);
        raw.write(&plain_hello());
        raw.handler.recv_all().expect("a request");
        raw.handler.send_all(&LET_IN).expect("a reply");
        raw.read();
        raw
    }

    /// What the monitor is told, and whether the connection is over then.
    #[track_caller]
    fn expect_told(mut self, bytes: &[u8], error: i32) {
        self.write(bytes);
        let expected = (EVENT_HANDSHAKE_FAILED_PROTOCOL, error);
        assert_eq!(first_outcome(&self.told), expected, "{}", bytes.escape_ascii());
        self.told.wait(EVENT_DISCONNECTED);
        closed(self.peer);
    }
}

/// Where a server awaits HELLO, it looks whether there is a command in what comes.
#[test]
fn servers_tell_of_what_is_no_hello() {
    for mechanism in [Mechanism::Plain, Mechanism::Curve] {
        for (bytes, error) in [
            (b"\0\x05hello".to_vec(), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED),
            (b"\x01\x05hello".to_vec(), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED),
            (b"\0\0".to_vec(), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED),
            (b"\x04\0".to_vec(), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED),
            (b"\x04\x01\0".to_vec(), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED),
            (b"\x04\x03\x09ab".to_vec(), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED),
            (b"\x04\x04\x03a1b".to_vec(), PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND),
            (command("WHAT", b"xyz"), PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND),
            (command("WELCOME", &[0; 160]), PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND),
            (command("INITIATE", &[0; 191]), PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND),
            (long_command("INITIATE", 300), PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND),
            (long_command("HELLO", 600), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO),
            (command("HELLO", b""), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO),
            (command("HELLO", b"\x05a"), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO),
        ] {
            Raw::client(mechanism).expect_told(&bytes, error);
        }
    }
}

#[test]
fn a_plain_server_tells_of_a_hello_with_something_behind_it() {
    let bytes = command("HELLO", b"\x01a\x01bc");
    Raw::client(Mechanism::Plain).expect_told(&bytes, PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO);
}

#[test]
fn a_curve_server_tells_what_is_wrong_with_a_hello() {
    for (bytes, error) in [
        (long_command("HELLO", 195), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO),
        (long_command("HELLO", 250), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO),
        (curve_hello(|data| data[0] = 2), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO),
        (curve_hello(|data| data[1] = 1), PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO),
        (curve_hello(|_| ()), PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC),
        (curve_hello(|data| data[10] = 1), PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC),
        (curve_hello(|data| data[74..106].fill(0)), PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC),
    ] {
        Raw::client(Mechanism::Curve).expect_told(&bytes, error);
    }
}

/// Whatever comes that is not awaited is unexpected, also if it is no command.
#[test]
fn what_comes_instead_of_an_awaited_command_is_unexpected() {
    let nonsense: [&[u8]; 9] = [
        b"\0\x05hello",
        b"\0\0",
        b"\x04\0",
        b"\x04\x01\0",
        b"\x04\x03\x09ab",
        b"\x04\x04\x03a1b",
        b"\x08\x05hello",
        b"\x04\x05\x04WHAT",
        b"\x04\x08\x05HELLO\0\0",
    ];
    for bytes in nonsense {
        Raw::welcomed().expect_told(bytes, PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND);
        for mechanism in [Mechanism::Null, Mechanism::Plain, Mechanism::Curve] {
            let raw = Raw::server(mechanism);
            raw.expect_told(bytes, PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND);
        }
    }
    let misspelt = b"\x04\x09^RROR\x03400";
    Raw::welcomed().expect_told(misspelt, PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND);
}

#[test]
fn clients_tell_of_a_welcome_that_is_none() {
    let bytes = command("WELCOME", b"x");
    Raw::server(Mechanism::Plain)
        .expect_told(&bytes, PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_WELCOME);
    for bytes in [bytes, command("WELCOME", &[0; 160]), long_command("WELCOME", 300)] {
        Raw::server(Mechanism::Curve).expect_told(&bytes, PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC);
    }
}

/// Metadata that is cut short, or does not fit the socket: a client tells of it, a server does not.
#[test]
fn only_clients_tell_of_metadata() {
    for bytes in [
        b"\x0bSocket-Type\0\0\0\x07DEALER".to_vec(),
        b"\x0bSocket-Type\0\0".to_vec(),
        b"\xffab".to_vec(),
        b"\x03X-a\x80\0\0\0abc".to_vec(),
        metadata(&[("Socket-Type", b"WHAT")]),
        metadata(&[("Socket-Type", b"PUB")]),
    ] {
        let mut raw = Raw::server(Mechanism::Plain);
        raw.write(&command("WELCOME", b""));
        raw.read();
        raw.expect_told(&command("READY", &bytes), PROTOCOL_ERROR_ZMTP_INVALID_METADATA);
        let mut raw = Raw::welcomed();
        raw.write(&command("INITIATE", &bytes));
        loop {
            let event = raw.told.next().expect("an event");
            if event.kind == EVENT_DISCONNECTED {
                break;
            }
            assert!(
                [EVENT_LISTENING, EVENT_ACCEPTED].contains(&event.kind),
                "{event:?} for {}",
                bytes.escape_ascii()
            );
        }
        closed(raw.peer);
    }
}
