//! Security mechanisms: the commands between the greeting and the traffic. Each state of each
//! mechanism is a type in a file of its own; the rest of the crate knows only the enums here.
//!
//! ```text
//!           +-- Mechanism: a command of the peer is awaited <---+
//!   start --+                     |                            | Accept
//!           +-- Asking: the owner's verdict is awaited ---------+
//!                                 |
//!                               Done
//! ```

pub(crate) mod curve;
mod null;
pub(crate) mod plain;

use crate::command::Command;
use crate::connection::{Config, Credentials, MechanismConfig, Peer, judge};
use crate::error::{Error, Incompatible, Misbehaved};
use crate::limits::MAX_HANDSHAKE_COMMAND;
use crate::metadata::{self, InvalidMetadata};
use crate::version::Version;

pub(crate) use self::curve::Sealing;

/// How the first command of a client begins, with PLAIN as with CURVE.
pub(crate) const HELLO_HEAD: &[u8] = b"\x05HELLO";

/// What a mechanism may use.
pub(crate) struct Scene<'a> {
    pub(crate) config: &'a Config,
    pub(crate) version: Version,
    pub(crate) out: &'a mut Vec<u8>,
}

/// A mechanism that awaits a command of the peer.
#[derive(Debug)]
pub(crate) enum Mechanism {
    Null(null::AwaitReady),
    CurveAwaitHello(Box<curve::server::AwaitHello>),
    CurveAwaitInitiate(Box<curve::server::AwaitInitiate>),
    CurveAwaitReady(Box<curve::client::AwaitReady>),
    CurveAwaitWelcome(Box<curve::client::AwaitWelcome>),
    PlainAwaitHello(plain::server::AwaitHello),
    PlainAwaitInitiate(plain::server::AwaitInitiate),
    PlainAwaitWelcome(plain::client::AwaitWelcome),
    PlainAwaitReady(plain::client::AwaitReady),
}

/// A mechanism that awaits the owner's verdict.
#[derive(Debug)]
pub(crate) enum Asking {
    Null(null::Asking),
    Plain(plain::server::AskAboutHello),
    Curve(Box<curve::server::AskAboutInitiate>),
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Progress {
    /// A command of the peer.
    Await(Mechanism),
    /// The verdict of the owner.
    Ask(Asking),
    /// Messages.
    Done(Box<Outcome>),
}

/// What a handshake led to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) peer: Peer,
    /// What messages are sealed with, if they are.
    pub(crate) sealing: Option<Box<Sealing>>,
}

impl Progress {
    fn done(peer: Peer) -> Self {
        Self::Done(Box::new(Outcome { peer, sealing: None }))
    }

    fn sealed(peer: Peer, sealing: Sealing) -> Self {
        Self::Done(Box::new(Outcome { peer, sealing: Some(Box::new(sealing)) }))
    }
}

/// Starts the handshake: whatever we say first is sent.
pub(crate) fn start(scene: &mut Scene<'_>) -> Result<Progress, Error> {
    match &scene.config.mechanism {
        MechanismConfig::Null => Ok(null::start(scene)),
        MechanismConfig::PlainClient { username, password } => {
            Ok(plain::client::start(scene, username, password))
        }
        MechanismConfig::PlainServer => Ok(plain::server::start()),
        MechanismConfig::CurveClient { keys, server } => curve::client::start(scene, keys, server),
        MechanismConfig::CurveServer { keys } => Ok(curve::server::start(keys)),
    }
}

impl Mechanism {
    /// Octets of the largest command that may come next. Who has proved nothing gets no memory
    /// beyond what its first command needs.
    pub(crate) fn command_limit(&self) -> u64 {
        match self {
            Self::CurveAwaitHello(_) => curve::HELLO_LEN,
            Self::PlainAwaitHello(_) => plain::MAX_HELLO,
            _ => MAX_HANDSHAKE_COMMAND,
        }
    }

    /// Whether the first command of a client is awaited.
    pub(crate) fn awaits_hello(&self) -> bool {
        matches!(self, Self::CurveAwaitHello(_) | Self::PlainAwaitHello(_))
    }

    /// Whether the peer has a cookie of ours, which is good for a while only.
    pub(crate) fn has_cookie_out(&self) -> bool {
        matches!(self, Self::CurveAwaitInitiate(_))
    }

    /// Handles one command of the peer.
    pub(crate) fn handle(
        self,
        scene: &mut Scene<'_>,
        command: Command<'_>,
    ) -> Result<Progress, Error> {
        match self {
            Self::Null(state) => state.handle(scene, command),
            Self::CurveAwaitHello(state) => state.handle(scene, command),
            Self::CurveAwaitInitiate(state) => state.handle(scene, command),
            Self::CurveAwaitReady(state) => state.handle(scene, command),
            Self::CurveAwaitWelcome(state) => state.handle(scene, command),
            Self::PlainAwaitHello(state) => state.handle(scene, command),
            Self::PlainAwaitInitiate(state) => state.handle(scene, command),
            Self::PlainAwaitWelcome(state) => state.handle(scene, command),
            Self::PlainAwaitReady(state) => state.handle(scene, command),
        }
    }
}

impl Asking {
    /// What the owner needs to decide.
    pub(crate) fn credentials(&self) -> Credentials<'_> {
        match self {
            Self::Null(_) => Credentials::Null,
            Self::Plain(state) => state.credentials(),
            Self::Curve(state) => state.credentials(),
        }
    }

    /// The owner lets the peer in.
    pub(crate) fn accept(self, scene: &mut Scene<'_>) -> Result<Progress, Error> {
        match self {
            Self::Null(state) => Ok(state.accept(scene)),
            Self::Plain(state) => Ok(state.accept(scene)),
            Self::Curve(state) => Ok(state.accept(scene)),
        }
    }
}

/// Reads the metadata in a client's INITIATE.
pub(crate) fn client_metadata(scene: &Scene<'_>, data: &[u8]) -> Result<Peer, Error> {
    let properties = metadata::parse(data).map_err(Misbehaved::Initiate)?;
    judge::peer(scene.config, scene.version, properties).map_err(|error| match error {
        Error::Misbehaved(Misbehaved::Metadata(how)) => Misbehaved::Initiate(how).into(),
        other => other,
    })
}

/// Reads the metadata in a server's READY. A socket type that does not go with ours is an error in
/// the metadata here, as monitors of libzmq tell it.
pub(crate) fn server_ready(scene: &Scene<'_>, data: &[u8]) -> Result<Peer, Error> {
    let properties = metadata::parse(data).map_err(Misbehaved::Metadata)?;
    judge::peer(scene.config, scene.version, properties).map_err(|error| match error {
        Error::Incompatible(
            Incompatible::SocketType { .. } | Incompatible::UnknownSocketType { .. },
        ) => Misbehaved::Metadata(InvalidMetadata::SocketType).into(),
        other => other,
    })
}

/// Our own metadata in the order that libzmq sends it: type, routing id, the application's.
pub(crate) fn own_metadata(config: &Config) -> Vec<u8> {
    let mut out = Vec::new();
    metadata::encode(metadata::SOCKET_TYPE, config.socket_type.name().as_bytes(), &mut out);
    // RFC 37: "A REQ, DEALER, or ROUTER peer connecting to a ROUTER MAY announce its identity."
    // libzmq does so whatever the peer is, and also when the routing id is empty.
    if config.socket_type.has_routing_id() {
        metadata::encode(metadata::IDENTITY, &config.routing_id, &mut out);
    }
    for (name, value) in &config.metadata {
        metadata::encode(name, value, &mut out);
    }
    out
}
