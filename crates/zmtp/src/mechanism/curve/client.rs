//! The side of CURVE that knows the other's key.

use std::fmt;

use zeroize::Zeroizing;

use crate::command::{self, Command};
use crate::curve::{KeyPair, PublicKey};
use crate::error::{Error, Misbehaved};
use crate::mechanism::{Mechanism, Progress, Scene, own_metadata, server_ready};

use super::boxes::BoxKey;
use super::{
    COOKIE, HELLO, INITIATE, LONG, PADDING, SIGNATURE, Sealing, VERSION, WELCOME, hello_nonce,
    initiate_nonce, ready_nonce, take, unexpected, vouch_nonce, welcome_nonce,
};

/// The nonces of our two handshake commands.
const HELLO_NUMBER: u64 = 1;
const INITIATE_NUMBER: u64 = 2;

/// Our HELLO is sent, the server's WELCOME is awaited.
pub(crate) struct AwaitWelcome {
    pub(super) keys: KeyPair,
    pub(super) server: PublicKey,
    pub(super) transient: KeyPair,
    /// Of boxes between our transient and the server's long-term key.
    hello_key: BoxKey,
}

/// Our INITIATE is sent, the server's READY is awaited.
pub(crate) struct AwaitReady {
    /// Of boxes between the two transient keys.
    key: BoxKey,
}

/// RFC 26: "The client SHALL generate a unique key pair for each connection it creates".
pub(crate) fn start(
    scene: &mut Scene<'_>,
    keys: &KeyPair,
    server: &PublicKey,
) -> Result<Progress, Error> {
    let transient = KeyPair::generate_from(&scene.config.random)?;
    // A server whose key cannot be agreed with does not exist.
    let hello_key = BoxKey::agree(server, transient.secret()).ok_or(Misbehaved::Box)?;
    let signature = hello_key.seal(&hello_nonce(HELLO_NUMBER), &[0; SIGNATURE]);
    let pieces: [&[u8]; 5] = [
        &VERSION,
        &[0; PADDING],
        transient.public().as_bytes(),
        &HELLO_NUMBER.to_be_bytes(),
        &signature,
    ];
    command::encode(HELLO, &pieces, scene.out);
    let next = AwaitWelcome { keys: keys.clone(), server: *server, transient, hello_key };
    Ok(Progress::Await(Mechanism::CurveAwaitWelcome(Box::new(next))))
}

impl AwaitWelcome {
    pub(crate) fn handle(
        self,
        scene: &mut Scene<'_>,
        command: Command<'_>,
    ) -> Result<Progress, Error> {
        if command.name != WELCOME {
            return Err(unexpected(command.name, command.data));
        }
        let metadata = own_metadata(scene.config);
        let next = self.initiate(scene, command.data, &metadata)?;
        Ok(Progress::Await(Mechanism::CurveAwaitReady(Box::new(next))))
    }

    /// Answers the data of a WELCOME. RFC 26: "initiate-box = Box [C + vouch + metadata](C'->S')".
    pub(crate) fn initiate(
        &self,
        scene: &mut Scene<'_>,
        welcome: &[u8],
        metadata: &[u8],
    ) -> Result<AwaitReady, Error> {
        let (server, cookie) = self.open_welcome(welcome)?;
        let key = BoxKey::agree(&server, self.transient.secret()).ok_or(Misbehaved::Box)?;
        let vouch = self.vouch(scene, &server)?;
        let mut secret = Zeroizing::new(Vec::new());
        secret.extend_from_slice(self.keys.public().as_bytes());
        secret.extend_from_slice(&vouch);
        secret.extend_from_slice(metadata);
        let sealed = key.seal(&initiate_nonce(INITIATE_NUMBER), &secret);
        let pieces: [&[u8]; 3] = [&cookie, &INITIATE_NUMBER.to_be_bytes(), &sealed];
        command::encode(INITIATE, &pieces, scene.out);
        Ok(AwaitReady { key })
    }

    /// RFC 26: "welcome-box = Box [S' + cookie](S->C')".
    fn open_welcome(&self, mut data: &[u8]) -> Result<(PublicKey, [u8; COOKIE]), Error> {
        // libzmq tells its monitor of any WELCOME that is not right as of a box.
        let closed = Misbehaved::Box;
        let nonce: [u8; LONG] = take(&mut data).ok_or(closed)?;
        let opened = self.hello_key.open(&welcome_nonce(&nonce), data).ok_or(closed)?;
        let mut rest = opened.as_slice();
        let server = PublicKey::new(take(&mut rest).ok_or(closed)?);
        let cookie = take(&mut rest).ok_or(closed)?;
        if rest.is_empty() { Ok((server, cookie)) } else { Err(closed.into()) }
    }

    /// RFC 26: "vouch-box = Box [C',S](C->S')".
    fn vouch(&self, scene: &Scene<'_>, server: &PublicKey) -> Result<Vec<u8>, Error> {
        let key = BoxKey::agree(server, self.keys.secret()).ok_or(Misbehaved::Box)?;
        let nonce: [u8; LONG] = scene.config.random.array()?;
        let secret = [*self.transient.public().as_bytes(), *self.server.as_bytes()];
        let mut vouch = nonce.to_vec();
        vouch.extend(key.seal(&vouch_nonce(&nonce), secret.as_flattened()));
        Ok(vouch)
    }
}

impl AwaitReady {
    pub(crate) fn handle(
        self,
        scene: &mut Scene<'_>,
        command: Command<'_>,
    ) -> Result<Progress, Error> {
        if command.name != command::READY {
            return Err(unexpected(command.name, command.data));
        }
        let malformed = Misbehaved::Command("READY");
        let mut data = command.data;
        let number = u64::from_be_bytes(take(&mut data).ok_or(malformed)?);
        if data.len() < super::TAG {
            return Err(malformed.into());
        }
        let metadata = self.key.open(&ready_nonce(number), data).ok_or(Misbehaved::Box)?;
        let peer = server_ready(scene, &metadata)?;
        let sealing = Sealing::new(&self.key, false, INITIATE_NUMBER, number);
        Ok(Progress::sealed(peer, sealing))
    }
}

impl fmt::Debug for AwaitWelcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitWelcome(..)")
    }
}

impl fmt::Debug for AwaitReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitReady(..)")
    }
}

#[cfg(test)]
impl AwaitWelcome {
    /// INITIATE with a vouch that names another server.
    pub(super) fn initiate_for_another_server(
        &mut self,
        scene: &mut Scene<'_>,
        welcome: &[u8],
        metadata: &[u8],
        another: PublicKey,
    ) {
        let known = std::mem::replace(&mut self.server, another);
        self.initiate(scene, welcome, metadata).unwrap();
        self.server = known;
    }

    /// INITIATE with a vouch for another transient key.
    pub(super) fn initiate_with_vouch_for(
        &mut self,
        scene: &mut Scene<'_>,
        welcome: &[u8],
        metadata: &[u8],
        other: &PublicKey,
    ) {
        let secret = self.transient.secret().clone();
        self.transient = KeyPair::from_parts(*other, secret);
        self.initiate(scene, welcome, metadata).unwrap();
    }
}
