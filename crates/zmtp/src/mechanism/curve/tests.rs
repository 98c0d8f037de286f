//! Handshake commands that no honest peer sends, made with the keys of one.

use crate::command::Command;
use crate::connection::Config;
use crate::curve::{KeyPair, PublicKey, SecretKey};
use crate::error::{Error, HandshakeFailure, Misbehaved};
use crate::limits::MAX_PROPERTIES;
use crate::mechanism::{Mechanism, Progress, Scene};
use crate::metadata::{self, InvalidMetadata};
use crate::socket_type::SocketType;
use crate::testing::secure;
use crate::version::Version;

use super::boxes::BoxKey;
use super::{client, server};

/// One side of a handshake without a connection around it.
struct Party {
    config: Config,
    out: Vec<u8>,
}

impl Party {
    fn scene(&mut self) -> Scene<'_> {
        Scene { config: &self.config, version: Version::V3_1, out: &mut self.out }
    }

    /// The data of the command that was sent last.
    fn data(&mut self, name: &[u8]) -> Vec<u8> {
        let sent = std::mem::take(&mut self.out);
        let header = if sent[0] & 2 == 0 { 2 } else { 9 };
        let command = Command::parse(&sent[header..]).unwrap();
        assert_eq!(command.name, name);
        command.data.to_vec()
    }
}

/// A client and a server that have got as far as WELCOME.
struct Scenario {
    left: Party,
    right: Party,
    client: Box<client::AwaitWelcome>,
    server: Box<server::AwaitInitiate>,
    welcome: Vec<u8>,
}

fn await_hello(right: &Party) -> Box<server::AwaitHello> {
    let crate::MechanismConfig::CurveServer { keys } = &right.config.mechanism else {
        panic!("a server")
    };
    match server::start(keys) {
        Progress::Await(Mechanism::CurveAwaitHello(state)) => state,
        other => panic!("{other:?}"),
    }
}

fn start(seed: u64) -> Scenario {
    let (mut left, mut right) = secure::curve(SocketType::Dealer, SocketType::Router);
    left.random = secure::predictable(seed);
    right.random = secure::predictable(seed + 1);
    let mut left = Party { config: left, out: Vec::new() };
    let mut right = Party { config: right, out: Vec::new() };
    let (keys, known) = (secure::keys(secure::CLIENT), *secure::keys(secure::SERVER).public());
    let client = match client::start(&mut left.scene(), &keys, &known).unwrap() {
        Progress::Await(Mechanism::CurveAwaitWelcome(state)) => state,
        other => panic!("{other:?}"),
    };
    let hello = left.data(b"HELLO");
    let command = Command { name: b"HELLO", data: &hello };
    let server = match await_hello(&right).handle(&mut right.scene(), command).unwrap() {
        Progress::Await(Mechanism::CurveAwaitInitiate(state)) => state,
        other => panic!("{other:?}"),
    };
    let welcome = right.data(b"WELCOME");
    Scenario { left, right, client, server, welcome }
}

impl Scenario {
    fn initiate(&mut self, metadata: &[u8]) -> Vec<u8> {
        self.client.initiate(&mut self.left.scene(), &self.welcome, metadata).unwrap();
        self.left.data(b"INITIATE")
    }

    fn answer(mut self, initiate: &[u8]) -> Result<Progress, Error> {
        let command = Command { name: b"INITIATE", data: initiate };
        let answer = self.server.handle(&mut self.right.scene(), command);
        assert_eq!(answer.is_err(), self.right.out.is_empty(), "an error says nothing");
        answer
    }
}

fn good() -> Vec<u8> {
    let mut list = Vec::new();
    metadata::encode(metadata::SOCKET_TYPE, b"DEALER", &mut list);
    list
}

#[test]
fn an_honest_client_is_let_in() {
    let mut scenario = start(1);
    let initiate = scenario.initiate(&good());
    assert!(matches!(scenario.answer(&initiate), Ok(Progress::Done(_))));
}

/// CVE-2019-13132: metadata that a client has sealed properly, and that is wrong.
#[test]
fn cve_2019_13132_metadata_is_checked_after_it_is_opened() {
    let mut many = Vec::new();
    for i in 0..=MAX_PROPERTIES {
        metadata::encode(format!("X-{i}"), b"", &mut many);
    }
    let long = [&b"\x05X-abc\x7f\xff\xff\xff"[..], &[0; 1000]].concat();
    let cases: [(&[u8], InvalidMetadata); 8] = [
        (b"\x0bSocket-Type\0\0\0\x07DEALER", InvalidMetadata::Truncated),
        (b"\x0bSocket-Type\xff\xff\xff\xffDEALER", InvalidMetadata::Value),
        (b"\x0bSocket-Type\0\0\0", InvalidMetadata::Truncated),
        (b"\xffSocket-Type\0\0\0\x06DEALER", InvalidMetadata::Truncated),
        (b"\0", InvalidMetadata::Truncated),
        (&many, InvalidMetadata::TooMany),
        (&long, InvalidMetadata::Truncated),
        (b"\x08Identity\0\0\0\x05\0abcd", InvalidMetadata::RoutingId),
    ];
    for (metadata, expected) in cases {
        let mut scenario = start(1);
        let initiate = scenario.initiate(metadata);
        let error = scenario.answer(&initiate).map(|_| ()).unwrap_err();
        assert_eq!(error, Misbehaved::Initiate(expected).into(), "{metadata:?}");
        // libzmq lets the others pass, and says nothing of those that it refuses.
        let told = match expected {
            InvalidMetadata::Truncated | InvalidMetadata::Value => HandshakeFailure::Silent,
            _ => HandshakeFailure::Protocol(0x1000_0018),
        };
        assert_eq!(error.handshake_failure(), told, "{metadata:?}");
    }
}

#[test]
fn the_cookie_of_another_connection_is_refused() {
    let mut one = start(1);
    let two = start(100);
    // What the one client would send in good faith, to the other server.
    let initiate = one.initiate(&good());
    assert_eq!(two.answer(&initiate).map(|_| ()), Err(Misbehaved::Box.into()));
    // And with the cookie alone exchanged.
    let mut three = start(200);
    let mut mixed = three.initiate(&good());
    mixed[..96].copy_from_slice(&initiate[..96]);
    assert_eq!(three.answer(&mixed).map(|_| ()), Err(Misbehaved::Box.into()));
}

#[test]
fn a_vouch_for_somebody_else_is_refused() {
    // The client claims a long-term key of which it does not have the secret half.
    let mut scenario = start(1);
    let stolen = *secure::keys(99).public();
    let secret = secure::keys(secure::CLIENT).secret().clone();
    scenario.client.keys = KeyPair::from_parts(stolen, secret);
    let initiate = scenario.initiate(&good());
    assert_eq!(scenario.answer(&initiate).map(|_| ()), Err(Misbehaved::Box.into()));

    let mismatch = Err(Error::from(Misbehaved::Vouch));
    // The vouch is for another server, which passes it on.
    let mut scenario = start(1);
    let welcome = scenario.welcome.clone();
    let mut scene = scenario.left.scene();
    let another = PublicKey::new([1; 32]);
    scenario.client.initiate_for_another_server(&mut scene, &welcome, &good(), another);
    let initiate = scenario.left.data(b"INITIATE");
    assert_eq!(scenario.answer(&initiate).map(|_| ()), mismatch);

    // The vouch is for another transient key: recorded on another connection of this client.
    let mut scenario = start(1);
    let other = secure::keys(42);
    let welcome = scenario.welcome.clone();
    let mut scene = scenario.left.scene();
    scenario.client.initiate_with_vouch_for(&mut scene, &welcome, &good(), other.public());
    let initiate = scenario.left.data(b"INITIATE");
    assert_eq!(scenario.answer(&initiate).map(|_| ()), mismatch);
}

/// A server that was given no secret key has one of zeros, which everybody knows: whoever acts on
/// it, and vouches for the public key that such a server believes to be its own, is not let in.
#[test]
fn a_server_without_a_secret_key_lets_nobody_in() {
    let nobodys = SecretKey::new([0; 32]);
    let reachable = nobodys.public_key();
    for claimed in [PublicKey::new([0; 32]), reachable] {
        let (mut left, mut right) = secure::curve(SocketType::Dealer, SocketType::Router);
        left.random = secure::predictable(1);
        right.mechanism = crate::MechanismConfig::CurveServer {
            keys: KeyPair::from_parts(claimed, nobodys.clone()),
        };
        let mut left = Party { config: left, out: Vec::new() };
        let mut right = Party { config: right, out: Vec::new() };
        let keys = secure::keys(secure::CLIENT);
        let mut client = match client::start(&mut left.scene(), &keys, &reachable).unwrap() {
            Progress::Await(Mechanism::CurveAwaitWelcome(state)) => state,
            other => panic!("{other:?}"),
        };
        let hello = left.data(b"HELLO");
        let command = Command { name: b"HELLO", data: &hello };
        let answer = await_hello(&right).handle(&mut right.scene(), command);
        let Ok(Progress::Await(Mechanism::CurveAwaitInitiate(server))) = answer else {
            assert_eq!(answer.map(|_| ()), Err(Misbehaved::Box.into()));
            assert!(right.out.is_empty(), "an error says nothing");
            continue;
        };
        let welcome = right.data(b"WELCOME");
        client.initiate_for_another_server(&mut left.scene(), &welcome, &good(), claimed);
        let initiate = left.data(b"INITIATE");
        let command = Command { name: b"INITIATE", data: &initiate };
        let answer = server.handle(&mut right.scene(), command);
        panic!("{claimed:?}: it gets as far as {answer:?}");
    }
}

#[test]
fn every_length_of_hello_and_initiate_but_the_right_ones_is_refused() {
    for len in 0..400 {
        let (_, right) = secure::curve(SocketType::Dealer, SocketType::Router);
        let mut right = Party { config: right, out: Vec::new() };
        let data = vec![1; len];
        let command = Command { name: b"HELLO", data: &data };
        let answer = await_hello(&right).handle(&mut right.scene(), command);
        assert!(answer.is_err(), "{len}");
        assert!(right.out.is_empty());
    }
    let mut scenario = start(1);
    let initiate = scenario.initiate(&good());
    for cut in 0..initiate.len() {
        let answer = start(1).answer(&initiate[..cut]).map(|_| ());
        let short = cut < 96 + 8 + 16 + 32 + 96;
        let expected = if short { Misbehaved::Command("INITIATE") } else { Misbehaved::Box };
        assert_eq!(answer, Err(expected.into()), "{cut}");
    }
}

#[test]
fn an_initiate_that_reuses_the_nonce_of_hello_is_refused() {
    for number in [0_u64, 1] {
        let mut scenario = start(1);
        let mut initiate = scenario.initiate(&good());
        initiate[96..104].copy_from_slice(&number.to_be_bytes());
        assert_eq!(scenario.answer(&initiate).map(|_| ()), Err(Misbehaved::Nonce.into()));
    }
}

#[test]
fn a_server_of_zeros_or_small_order_gets_no_handshake() {
    let (left, _) = secure::curve(SocketType::Dealer, SocketType::Router);
    let mut left = Party { config: left, out: Vec::new() };
    let keys = secure::keys(secure::CLIENT);
    let nobody = PublicKey::new([0; 32]);
    let answer = client::start(&mut left.scene(), &keys, &nobody).map(|_| ());
    assert_eq!(answer, Err(Misbehaved::Box.into()));
    assert!(left.out.is_empty());
}

/// RFC 26: "This SHALL be 70 octets, all zero." A HELLO that is right but for that.
#[test]
fn padding_that_is_not_zero_is_refused() {
    let (_, right) = secure::curve(SocketType::Dealer, SocketType::Router);
    let transient = secure::keys(42);
    let known = *secure::keys(secure::SERVER).public();
    let key = BoxKey::agree(&known, transient.secret()).unwrap();
    for (octet, expected) in [(0, Ok(())), (1, Err(Misbehaved::Command("HELLO").into()))] {
        let mut hello = vec![1, 0];
        hello.extend([octet; super::PADDING]);
        hello.extend(transient.public().as_bytes());
        hello.extend(1_u64.to_be_bytes());
        hello.extend(key.seal(&super::hello_nonce(1), &[0; super::SIGNATURE]));
        let mut right = Party { config: right.clone(), out: Vec::new() };
        let command = Command { name: b"HELLO", data: &hello };
        let answer = await_hello(&right).handle(&mut right.scene(), command).map(|_| ());
        assert_eq!(answer, expected);
    }
}

#[test]
fn a_client_of_small_order_is_refused() {
    let (_, right) = secure::curve(SocketType::Dealer, SocketType::Router);
    let mut right = Party { config: right, out: Vec::new() };
    let mut hello = vec![1, 0];
    hello.extend([0; 72 + 32]);
    hello.extend(1_u64.to_be_bytes());
    // The box that the key of all secrets seals.
    let key = BoxKey::from_octets([0; 32]);
    hello.extend(key.seal(&super::hello_nonce(1), &[0; 64]));
    let command = Command { name: b"HELLO", data: &hello };
    let answer = await_hello(&right).handle(&mut right.scene(), command).map(|_| ());
    assert_eq!(answer, Err(Misbehaved::Box.into()));
}

#[test]
fn states_print_nothing_of_their_keys() {
    let scenario = start(1);
    assert_eq!(
        format!("{:?} {:?}", scenario.client, scenario.server),
        "AwaitWelcome(..) AwaitInitiate(..)"
    );
}
