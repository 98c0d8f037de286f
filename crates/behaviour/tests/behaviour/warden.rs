//! A server that lets its clients in, or does not: sockets of each mechanism, their keys, and a
//! handler behind `inproc://zeromq.zap.01` that a test plays by hand (RFC 27).
//!
//! Nothing here runs on a thread of its own: the test receives each request and answers it.

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::ffi::{CStr, c_char};

/// Where handlers are bound.
pub(crate) const HANDLER: &str = "inproc://zeromq.zap.01";
/// The clients' name and password.
pub(crate) const USER: &str = "admin";
pub(crate) const PASSWORD: &str = "secret";
/// The domain of servers that have one.
pub(crate) const DOMAIN: &str = "global";

/// Declares a test once for each mechanism.
macro_rules! on_mechanisms {
    ($(#[doc = $doc:expr])* fn $name:ident($mechanism:ident) $body:block) => {
        mod $name {
            use super::*;

            $(#[doc = $doc])*
            fn case($mechanism: Mechanism) $body

            #[test]
            fn null() {
                case(Mechanism::Null);
            }

            #[test]
            fn plain() {
                case(Mechanism::Plain);
            }

            #[test]
            fn curve() {
                case(Mechanism::Curve);
            }
        }
    };
}
pub(crate) use on_mechanisms;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    Null,
    Plain,
    Curve,
}

/// A pair of keys in Z85.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) public: Vec<u8>,
    pub(crate) secret: Vec<u8>,
}

/// zmq_curve_keypair(3).
pub(crate) fn keys() -> Keys {
    let (mut public, mut secret): ([c_char; 41], [c_char; 41]) = ([0; 41], [0; 41]);
    let rc = lib().zmq_curve_keypair(public.as_mut_ptr(), secret.as_mut_ptr());
    Lib::check(rc).expect("zmq_curve_keypair");
    // SAFETY: both are 41 bytes, of which the last is still zero.
    let text = |key: &[c_char; 41]| unsafe { CStr::from_ptr(key.as_ptr()) }.to_bytes().to_vec();
    Keys { public: text(&public), secret: text(&secret) }
}

/// The keys of both sides.
#[derive(Clone, Debug)]
pub(crate) struct Both {
    pub(crate) server: Keys,
    pub(crate) client: Keys,
}

impl Both {
    pub(crate) fn new() -> Self {
        Self { server: keys(), client: keys() }
    }
}

#[track_caller]
pub(crate) fn set(socket: &Sock, option: i32, value: impl AsRef<[u8]>) {
    socket.set_bytes(option, value.as_ref()).expect("an option");
}

/// Makes a socket the server of a mechanism.
pub(crate) fn serve(socket: &Sock, mechanism: Mechanism, keys: &Both) {
    match mechanism {
        Mechanism::Null => {}
        Mechanism::Plain => socket.set(PLAIN_SERVER, 1).expect("PLAIN_SERVER"),
        Mechanism::Curve => {
            socket.set(CURVE_SERVER, 1).expect("CURVE_SERVER");
            set(socket, CURVE_SECRETKEY, &keys.server.secret);
        }
    }
}

/// Makes a socket a client that has all it needs.
pub(crate) fn identify(socket: &Sock, mechanism: Mechanism, keys: &Both) {
    match mechanism {
        Mechanism::Null => {}
        Mechanism::Plain => {
            set(socket, PLAIN_USERNAME, USER);
            set(socket, PLAIN_PASSWORD, PASSWORD);
        }
        Mechanism::Curve => {
            set(socket, CURVE_SERVERKEY, &keys.server.public);
            set(socket, CURVE_PUBLICKEY, &keys.client.public);
            set(socket, CURVE_SECRETKEY, &keys.client.secret);
        }
    }
}

/// A DEALER that serves and a DEALER that wants in, each with its monitor, and perhaps a handler.
pub(crate) struct Scene {
    pub(crate) server: Sock,
    pub(crate) client: Sock,
    pub(crate) server_told: Monitor,
    pub(crate) client_told: Monitor,
    pub(crate) handler: Option<Sock>,
    pub(crate) keys: Both,
    pub(crate) mechanism: Mechanism,
    pub(crate) ctx: Ctx,
}

impl Scene {
    /// Both sides agree on a mechanism. Nothing is bound yet.
    pub(crate) fn new(mechanism: Mechanism) -> Self {
        let keys = Both::new();
        let scene = Self::bare(mechanism, keys);
        serve(&scene.server, mechanism, &scene.keys);
        identify(&scene.client, mechanism, &scene.keys);
        scene
    }

    /// Sockets without any of their options set.
    pub(crate) fn bare(mechanism: Mechanism, keys: Both) -> Self {
        let ctx = Ctx::new();
        let server = ctx.socket(DEALER);
        let client = ctx.socket(DEALER);
        client.set(RECONNECT_IVL, 50).expect("RECONNECT_IVL");
        let server_told = Monitor::new(&ctx, &server);
        let client_told = Monitor::new(&ctx, &client);
        Self { server, client, server_told, client_told, handler: None, keys, mechanism, ctx }
    }

    /// The server is in a domain.
    pub(crate) fn domain(self) -> Self {
        set(&self.server, ZAP_DOMAIN, DOMAIN);
        self
    }

    /// Binds a handler of a type.
    pub(crate) fn handler(mut self, kind: i32) -> Self {
        self.bind_handler(kind);
        self
    }

    pub(crate) fn bind_handler(&mut self, kind: i32) {
        let handler = self.ctx.socket(kind);
        handler.bind(HANDLER).expect("bind the handler");
        self.handler = Some(handler);
    }

    /// The client connects, and sends a message that is there to be delivered.
    pub(crate) fn start(&self) {
        self.start_over(Transport::Tcp);
    }

    pub(crate) fn start_over(&self, transport: Transport) {
        self.client.connect(&self.server.bind_to(transport)).expect("connect");
        self.client.send("knock").expect("send");
    }

    /// The next request.
    #[track_caller]
    pub(crate) fn request(&self) -> Vec<Vec<u8>> {
        self.the_handler().recv_all().expect("a request")
    }

    #[track_caller]
    pub(crate) fn the_handler(&self) -> &Sock {
        self.handler.as_ref().expect("a handler")
    }

    /// Receives a request and sends a reply, as a REP.
    #[track_caller]
    pub(crate) fn answer(&self, reply: &[&[u8]]) {
        self.request();
        self.the_handler().send_all(reply).expect("a reply");
    }

    /// The server must receive what the client sent, with nothing having failed before.
    #[track_caller]
    pub(crate) fn expect_in(&self) {
        self.server.expect("knock");
        assert_eq!(first_outcome(&self.server_told), (EVENT_HANDSHAKE_SUCCEEDED, 0));
        assert_eq!(first_outcome(&self.client_told), (EVENT_HANDSHAKE_SUCCEEDED, 0));
    }

    /// The server must say that a handshake failed in this way, and receive nothing.
    #[track_caller]
    pub(crate) fn expect_refused(&self, kind: i32, value: i32) {
        assert_eq!(first_outcome(&self.server_told), (kind, value));
        self.server.expect_nothing();
    }

    /// The client must say so.
    #[track_caller]
    pub(crate) fn expect_client_told(&self, kind: i32, value: i32) {
        assert_eq!(first_outcome(&self.client_told), (kind, value));
    }
}

/// How the first handshake ended.
#[track_caller]
pub(crate) fn first_outcome(monitor: &Monitor) -> (i32, i32) {
    let outcomes = EVENT_HANDSHAKE_SUCCEEDED
        | EVENT_HANDSHAKE_FAILED_AUTH
        | EVENT_HANDSHAKE_FAILED_NO_DETAIL
        | EVENT_HANDSHAKE_FAILED_PROTOCOL;
    loop {
        let event = monitor.next().expect("an outcome");
        if event.kind & outcomes != 0 {
            return (event.kind, event.value.cast_signed());
        }
    }
}

/// The reply that lets a client in.
pub(crate) const LET_IN: [&[u8]; 6] = [b"1.0", b"1", b"200", b"OK", b"joe", b""];

/// A reply with another frame at a place.
pub(crate) fn reply_with(at: usize, frame: &[u8]) -> [&[u8]; 6] {
    let mut reply = LET_IN;
    reply[at] = frame;
    reply
}

/// A property as metadata has it (RFC 27).
pub(crate) fn property(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(name.len()).expect("a short name")];
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(&u32::try_from(value.len()).expect("a short value").to_be_bytes());
    bytes.extend_from_slice(value.as_bytes());
    bytes
}
