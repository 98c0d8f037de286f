//! The side of CURVE whose key is known.
//!
//! Between WELCOME and INITIATE the server remembers one thing: the key of the cookie, which is
//! made for this connection and this once. The transient keys are in the cookie, so nobody else's
//! cookie opens, and none opens twice; `connection` ends what waits for longer than a cookie lives.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::command::{self, Command};
use crate::connection::{Credentials, Peer};
use crate::curve::{KeyPair, PublicKey, SecretKey};
use crate::error::{Error, Misbehaved};
use crate::mechanism::{Asking, Mechanism, Progress, Scene, client_metadata, own_metadata};

use super::boxes::{BoxKey, TAG};
use super::{
    COOKIE, HELLO, INITIATE, KEY, LONG, PADDING, SIGNATURE, Sealing, VERSION, VOUCH, WELCOME,
    cookie_nonce, hello_nonce, initiate_nonce, ready_nonce, take, vouch_nonce, welcome_nonce,
};

/// The nonce of our READY.
const READY_NUMBER: u64 = 1;

/// The client's HELLO is awaited.
pub(crate) struct AwaitHello {
    keys: KeyPair,
}

/// Our WELCOME is sent, the client's INITIATE is awaited.
pub(crate) struct AwaitInitiate {
    keys: KeyPair,
    cookie_key: BoxKey,
    /// The nonce of the client's HELLO.
    seen: u64,
}

/// The client has proved who it is, and the owner has to decide.
pub(crate) struct AskAboutInitiate {
    client: PublicKey,
    peer: Peer,
    key: BoxKey,
    seen: u64,
}

/// What was in a client's INITIATE.
struct Initiate {
    client: PublicKey,
    /// Of boxes between the two transient keys.
    key: BoxKey,
    number: u64,
    metadata: Zeroizing<Vec<u8>>,
}

pub(crate) fn start(keys: &KeyPair) -> Progress {
    Progress::Await(Mechanism::CurveAwaitHello(Box::new(AwaitHello { keys: keys.clone() })))
}

impl AwaitHello {
    pub(crate) fn handle(
        self,
        scene: &mut Scene<'_>,
        command: Command<'_>,
    ) -> Result<Progress, Error> {
        if command.name != HELLO {
            return Err(Misbehaved::UnexpectedCommand.into());
        }
        let (client, hello_key, seen) = self.open_hello(command.data)?;
        let random = &scene.config.random;
        let transient = KeyPair::generate_from(random)?;
        let cookie_key = BoxKey::from_octets(random.array()?);
        let cookie = bake(&cookie_key, &client, &transient, random.array()?);
        let mut secret = Zeroizing::new(Vec::with_capacity(KEY + COOKIE));
        secret.extend_from_slice(transient.public().as_bytes());
        secret.extend_from_slice(&cookie);
        let nonce: [u8; LONG] = random.array()?;
        let sealed = hello_key.seal(&welcome_nonce(&nonce), &secret);
        command::encode(WELCOME, &[&nonce, &sealed], scene.out);
        let next = AwaitInitiate { keys: self.keys, cookie_key, seen };
        Ok(Progress::Await(Mechanism::CurveAwaitInitiate(Box::new(next))))
    }

    /// RFC 26: "The server SHALL validate all fields and SHALL reject and disconnect clients who
    /// send malformed HELLO commands."
    fn open_hello(&self, mut data: &[u8]) -> Result<(PublicKey, BoxKey, u64), Error> {
        let malformed = Misbehaved::Command("HELLO");
        if data.len() != VERSION.len() + PADDING + KEY + super::SHORT + TAG + SIGNATURE {
            return Err(malformed.into());
        }
        let version: [u8; 2] = take(&mut data).ok_or(malformed)?;
        let padding: [u8; PADDING] = take(&mut data).ok_or(malformed)?;
        if version != VERSION {
            return Err(malformed.into());
        }
        let client = PublicKey::new(take(&mut data).ok_or(malformed)?);
        let number = u64::from_be_bytes(take(&mut data).ok_or(malformed)?);
        // Where no key was set, anybody can make boxes that open. No honest client does.
        if self.keys.secret().is_zero() {
            return Err(Misbehaved::Box.into());
        }
        let key = BoxKey::agree(&client, self.keys.secret()).ok_or(Misbehaved::Box)?;
        let signature = key.open(&hello_nonce(number), data).ok_or(Misbehaved::Box)?;
        // libzmq does not look at the padding: what else is wrong is told first, as it tells it.
        if padding != [0; PADDING] || !bool::from(signature.as_slice().ct_eq(&[0; SIGNATURE])) {
            return Err(malformed.into());
        }
        Ok((client, key, number))
    }
}

/// RFC 26: "cookie-box = Box [C' + s'](K)".
fn bake(key: &BoxKey, client: &PublicKey, transient: &KeyPair, nonce: [u8; LONG]) -> Vec<u8> {
    let mut secret = Zeroizing::new([[0; KEY]; 2]);
    secret[0] = *client.as_bytes();
    secret[1] = *transient.secret().as_bytes();
    let mut cookie = nonce.to_vec();
    cookie.extend(key.seal(&cookie_nonce(&nonce), secret.as_flattened()));
    cookie
}

impl AwaitInitiate {
    pub(crate) fn handle(
        self,
        scene: &mut Scene<'_>,
        command: Command<'_>,
    ) -> Result<Progress, Error> {
        if command.name != INITIATE {
            return Err(Misbehaved::UnexpectedCommand.into());
        }
        let Initiate { client, key, number, metadata } = self.open_initiate(command.data)?;
        let peer = client_metadata(scene, &metadata)?;
        let next = AskAboutInitiate { client, peer, key, seen: number };
        if scene.config.authenticate {
            Ok(Progress::Ask(Asking::Curve(Box::new(next))))
        } else {
            Ok(next.accept(scene))
        }
    }

    /// Consumes the cookie's key: whatever comes of this INITIATE, there is no second one.
    fn open_initiate(self, mut data: &[u8]) -> Result<Initiate, Error> {
        let malformed = Misbehaved::Command("INITIATE");
        let cookie: [u8; COOKIE] = take(&mut data).ok_or(malformed)?;
        let number = u64::from_be_bytes(take(&mut data).ok_or(malformed)?);
        if data.len() < TAG + KEY + VOUCH {
            return Err(malformed.into());
        }
        if number <= self.seen {
            return Err(Misbehaved::Nonce.into());
        }
        let (transient, secret) = open_cookie(&self.cookie_key, &cookie).ok_or(Misbehaved::Box)?;
        let key = BoxKey::agree(&transient, &secret).ok_or(Misbehaved::Box)?;
        let opened = key.open(&initiate_nonce(number), data).ok_or(Misbehaved::Box)?;
        let mut rest = opened.as_slice();
        let client = PublicKey::new(take(&mut rest).ok_or(malformed)?);
        let vouch: [u8; VOUCH] = take(&mut rest).ok_or(malformed)?;
        check_vouch(&vouch, &client, &secret, &transient, self.keys.public())?;
        let metadata = Zeroizing::new(rest.to_vec());
        Ok(Initiate { client, key, number, metadata })
    }
}

/// The client's transient public key and our transient secret key.
fn open_cookie(key: &BoxKey, cookie: &[u8; COOKIE]) -> Option<(PublicKey, SecretKey)> {
    let (nonce, sealed) = cookie.split_first_chunk::<LONG>()?;
    let opened = key.open(&cookie_nonce(nonce), sealed)?;
    let (client, secret) = opened.split_first_chunk::<KEY>()?;
    Some((PublicKey::new(*client), SecretKey::from_bytes(secret.try_into().ok()?)))
}

/// RFC 26: "vouch-box = Box [C',S](C->S')": who holds the long-term key says that the transient one
/// is its own, and that it means us.
fn check_vouch(
    vouch: &[u8; VOUCH],
    client: &PublicKey,
    secret: &SecretKey,
    transient: &PublicKey,
    server: &PublicKey,
) -> Result<(), Misbehaved> {
    let (nonce, sealed) = vouch.split_first_chunk::<LONG>().ok_or(Misbehaved::Vouch)?;
    let key = BoxKey::agree(client, secret).ok_or(Misbehaved::Box)?;
    let opened = key.open(&vouch_nonce(nonce), sealed).ok_or(Misbehaved::Box)?;
    let expected = [*transient.as_bytes(), *server.as_bytes()];
    let same = bool::from(opened.as_slice().ct_eq(expected.as_flattened()));
    if same { Ok(()) } else { Err(Misbehaved::Vouch) }
}

impl AskAboutInitiate {
    pub(crate) fn credentials(&self) -> Credentials<'_> {
        Credentials::Curve { public_key: self.client.as_bytes() }
    }

    pub(crate) fn accept(self, scene: &mut Scene<'_>) -> Progress {
        let metadata = own_metadata(scene.config);
        self.ready(scene, &metadata)
    }

    /// RFC 26: "ready-box = Box [metadata](S'->C')".
    pub(crate) fn ready(self, scene: &mut Scene<'_>, metadata: &[u8]) -> Progress {
        let sealed = self.key.seal(&ready_nonce(READY_NUMBER), metadata);
        command::encode(command::READY, &[&READY_NUMBER.to_be_bytes(), &sealed], scene.out);
        let sealing = Sealing::new(&self.key, true, READY_NUMBER, self.seen);
        Progress::sealed(self.peer, sealing)
    }
}

impl fmt::Debug for AwaitHello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitHello(..)")
    }
}

impl fmt::Debug for AwaitInitiate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitInitiate(..)")
    }
}

impl fmt::Debug for AskAboutInitiate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AskAboutInitiate(..)")
    }
}
