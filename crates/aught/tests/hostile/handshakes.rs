//! Handshakes that are never finished, or come to nothing: in crowds that stand around, and one
//! after the other for as long as anybody likes. Crowds at sockets of every type are in `crowds`. `AUGHT_HOSTILE=whole` in the environment makes a
//! million of the latter.

use std::time::{Duration, Instant};

use aught::curve::KeyPair;
use aught::{AuthRules, Context, Socket, SocketType};

use crate::EXCHANGE;
use crate::alone::{alone, descriptors, resident, settle, tell};
use crate::stranger::{Random, Stranger, frame, greeting, property};

/// How many stand around at once.
const CROWD: usize = 1000;
/// How many come and go.
const SHORT: usize = 3000;
const WHOLE: usize = 1_000_000;
/// By how many bytes memory may grow once everything has been seen that it grows for.
const FLAT: usize = 8 * 1024 * 1024;

/// The mechanism of a server and its honest client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    Null,
    Plain,
    Curve,
}

/// A server that knows one client, and that client's secrets.
pub(crate) struct Server {
    mechanism: Mechanism,
    pub(crate) socket: Socket,
    pub(crate) endpoint: String,
    server: KeyPair,
    client: KeyPair,
}

impl Mechanism {
    pub(crate) const ALL: [Self; 3] = [Self::Null, Self::Plain, Self::Curve];
}

impl Server {
    pub(crate) fn new(mechanism: Mechanism, kind: SocketType, limit: Option<u32>) -> Self {
        let pair = || KeyPair::generate().expect("randomness");
        let (server, client) = (pair(), pair());
        let socket = Context::new().expect("a context").socket(kind).expect("a socket");
        socket.set_linger(Some(Duration::ZERO)).expect("an option");
        // ZMQ_BACKLOG: those who come faster than they are let in would wait for a second.
        socket.set_option(19, &4096_i32.to_ne_bytes()).expect("an option");
        socket.set_max_handshakes(limit).expect("an option");
        match mechanism {
            Mechanism::Null => {}
            Mechanism::Plain => {
                socket.set_plain_server(true).expect("an option");
                socket.set_authenticator(AuthRules::new().user("joe", "secret"));
            }
            Mechanism::Curve => {
                socket.set_curve_server(&server).expect("keys");
                socket.set_authenticator(AuthRules::new().key(*client.public(), "joe"));
            }
        }
        socket.bind("tcp://127.0.0.1:*").expect("a port");
        let endpoint = socket.last_endpoint().expect("an endpoint");
        Self { mechanism, socket, endpoint, server, client }
    }

    /// The honest client, in a context of its own.
    pub(crate) fn client(&self, kind: SocketType) -> Socket {
        let socket = Context::new().expect("a context").socket(kind).expect("a socket");
        socket.set_linger(Some(Duration::ZERO)).expect("an option");
        match self.mechanism {
            Mechanism::Null => {}
            Mechanism::Plain => socket.set_plain_client("joe", "secret").expect("a password"),
            Mechanism::Curve => {
                socket.set_curve_client(&self.client, self.server.public()).expect("keys");
            }
        }
        socket.connect(&self.endpoint).expect("a connection to come");
        socket
    }

    /// A request and its reply.
    fn serves(&self, client: &Socket) {
        client.send("request").expect("room");
        assert_eq!(self.socket.recv_timeout(EXCHANGE).expect("a request"), "request");
        self.socket.send("reply").expect("the client is there");
        assert_eq!(client.recv_timeout(EXCHANGE).expect("a reply"), "reply");
    }

    /// How the protocol of a client that is let in is set up.
    pub(crate) fn config(&self, kind: SocketType) -> zmtp::Config {
        let mut config = zmtp::Config::new(kind);
        config.mechanism = match self.mechanism {
            Mechanism::Null => zmtp::MechanismConfig::Null,
            Mechanism::Plain => zmtp::MechanismConfig::PlainClient {
                username: b"joe".to_vec(),
                password: b"secret".to_vec().into(),
            },
            Mechanism::Curve => zmtp::MechanismConfig::CurveClient {
                keys: self.client.clone(),
                server: *self.server.public(),
            },
        };
        config
    }

    /// What a peer says that has not finished its handshake: nothing, or the beginning of one.
    pub(crate) fn beginnings(&self) -> Vec<Vec<u8>> {
        let greeting = self.greeting();
        let mut all = vec![vec![], vec![0xff], greeting[..10].to_vec(), greeting[..40].to_vec()];
        all.push(greeting.clone());
        // A command that does not come whole.
        let command = self.first_command();
        all.push([&greeting[..], &command[..command.len() - 4]].concat());
        all
    }

    fn greeting(&self) -> Vec<u8> {
        let name: &[u8] = match self.mechanism {
            Mechanism::Null => b"NULL",
            Mechanism::Plain => b"PLAIN",
            Mechanism::Curve => b"CURVE",
        };
        let mut greeting = greeting().to_vec();
        greeting[12..32].fill(0);
        greeting[12..12 + name.len()].copy_from_slice(name);
        greeting
    }

    /// A first command that is well formed, and good for nothing.
    fn first_command(&self) -> Vec<u8> {
        match self.mechanism {
            Mechanism::Null => {
                frame(4, &[b"\x05READY", &property("Socket-Type", b"PUB")[..]].concat())
            }
            Mechanism::Plain => frame(4, b"\x05HELLO\x03joe\x05wrong"),
            Mechanism::Curve => {
                let mut hello = b"\x05HELLO\x01\0".to_vec();
                hello.resize(200, 7);
                frame(4, &hello)
            }
        }
    }

    /// Handshakes that come to nothing.
    fn failures(&self) -> Vec<Vec<u8>> {
        let mut random = Random::new(self.mechanism as u64 + 11);
        let greeting = self.greeting();
        let mut other = greeting.clone();
        other[12..32].fill(0);
        other[12..18].copy_from_slice(b"GSSAPI");
        let old = [&greeting[..10], &[1, 5, 0, 0]].concat();
        let mut all = self.beginnings();
        all.push([&greeting[..], &self.first_command()].concat());
        all.push([&greeting[..], &self.first_command(), &self.first_command()].concat());
        all.push([&greeting[..], &frame(4, &vec![b'x'; 60_000])].concat());
        all.push([&greeting[..], &frame(0, b"a message")].concat());
        all.extend((0..8).map(|_| [&greeting[..], &frame(4, &random.bytes(255))].concat()));
        all.extend((0..4).map(|_| random.bytes(300)));
        all.extend([other, old]);
        all
    }
}

/// A crowd stands around a server while clients come and exchange messages.
fn crowd(mechanism: Mechanism, limit: Option<u32>) {
    let server = Server::new(mechanism, SocketType::Rep, limit);
    let early = server.client(SocketType::Req);
    server.serves(&early);
    let before = resident();
    let beginnings = server.beginnings();
    let crowd: Vec<_> = (0..CROWD)
        .map(|number| {
            let mut stranger = Stranger::connect(&server.endpoint);
            stranger.write(&beginnings[number % beginnings.len()]);
            stranger
        })
        .collect();
    let start = Instant::now();
    for _ in 0..20 {
        server.serves(&early);
        server.serves(&server.client(SocketType::Req));
    }
    let counts = server.socket.incident_counts();
    match limit {
        None => assert_eq!(counts.limited_handshakes, 0),
        Some(limit) => {
            // All of the crowd came before the clients did.
            let least = (CROWD - limit as usize) as u64;
            assert!(counts.limited_handshakes >= least, "{counts:?}");
        }
    }
    let growth = resident().saturating_sub(before);
    tell(&format!(
        "figures: {mechanism:?} {limit:?}: {growth} bytes for {CROWD} who stand around, 20 clients \
         in {:?}",
        start.elapsed()
    ));
    assert!(growth < CROWD * 64 * 1024, "{growth} bytes for {CROWD} connections");
    drop(crowd);
}

#[test]
fn a_crowd_that_stands_around_keeps_nobody_out() {
    alone("handshakes::a_crowd_that_stands_around_keeps_nobody_out", || {
        for mechanism in Mechanism::ALL {
            crowd(mechanism, None);
            crowd(mechanism, Some(100));
        }
    });
}

#[test]
fn a_crowd_that_stands_around_gets_no_messages() {
    alone("handshakes::a_crowd_that_stands_around_gets_no_messages", || {
        for mechanism in Mechanism::ALL {
            let server = Server::new(mechanism, SocketType::Push, None);
            let beginnings = server.beginnings();
            let crowd: Vec<_> = (0..CROWD)
                .map(|number| {
                    let mut stranger = Stranger::connect(&server.endpoint);
                    stranger.write(&beginnings[number % beginnings.len()]);
                    stranger
                })
                .collect();
            assert!(server.socket.try_send("nobody").is_err(), "nobody of them is a peer");
            let client = server.client(SocketType::Pull);
            for number in 0..200 {
                server.socket.send(format!("{number}").as_str()).expect("the client is there");
                let message = client.recv_timeout(EXCHANGE).expect("it has no other peer");
                assert_eq!(message, format!("{number}").as_str());
            }
            drop(crowd);
        }
    });
}

/// Strangers come and go; a client stays and is served, and memory does not grow.
fn stream_of_failures(mechanism: Mechanism, times: usize) {
    let server = Server::new(mechanism, SocketType::Rep, None);
    let client = server.client(SocketType::Req);
    server.serves(&client);
    for socket in [&server.socket, &client] {
        socket.descriptor().expect("a descriptor"); // not to count as a stranger's
    }
    let fds = descriptors();
    let failures = server.failures();
    let warm = times / 3;
    let (mut before, mut most) = (0, 0);
    let start = Instant::now();
    for number in 0..times {
        let mut stranger = Stranger::connect(&server.endpoint);
        stranger.write(&failures[number % failures.len()]);
        // Some listen until the server hangs up.
        if number % 7 == 0 {
            stranger.leave();
        } else {
            stranger.reset();
        }
        if number % 100 == 99 {
            server.serves(&client);
        }
        if number >= warm && number % 500 == 0 {
            let now = resident();
            before = if before == 0 { now } else { before };
            most = most.max(now);
        }
    }
    settle(fds);
    server.serves(&server.client(SocketType::Req));
    server.serves(&client);
    most = most.max(resident());
    let growth = most.saturating_sub(before);
    let took = start.elapsed();
    tell(&format!("figures: {mechanism:?}: {growth} bytes over {times} handshakes, {took:?}"));
    assert!(growth < FLAT, "{mechanism:?}: memory grew by {growth} bytes");
}

fn failures(name: &str, mechanism: Mechanism) {
    alone(name, || {
        let whole = std::env::var_os("AUGHT_HOSTILE").is_some_and(|mark| mark == "whole");
        stream_of_failures(mechanism, if whole { WHOLE } else { SHORT });
    });
}

#[test]
fn null_handshakes_that_fail_leave_nothing() {
    failures("handshakes::null_handshakes_that_fail_leave_nothing", Mechanism::Null);
}

#[test]
fn plain_handshakes_that_fail_leave_nothing() {
    failures("handshakes::plain_handshakes_that_fail_leave_nothing", Mechanism::Plain);
}

#[test]
fn curve_handshakes_that_fail_leave_nothing() {
    failures("handshakes::curve_handshakes_that_fail_leave_nothing", Mechanism::Curve);
}
