//! The NULL mechanism (RFC 37, "The NULL Security Mechanism"): each side sends READY, once its
//! owner has nothing against the peer.

use crate::command::{self, Command};
use crate::connection::judge;
use crate::error::{Error, Misbehaved, printable};
use crate::metadata;

use super::{Asking as AnyAsking, Mechanism, Progress, Scene};

/// Our READY is held back until the owner has decided.
#[derive(Debug)]
pub(crate) struct Asking;

/// Our READY is sent, the peer's is awaited.
#[derive(Debug)]
pub(crate) struct AwaitReady;

/// libzmq asks as soon as it has the greeting, since the peer has no more to prove.
pub(super) fn start(scene: &mut Scene<'_>) -> Progress {
    if scene.config.authenticate {
        Progress::Ask(AnyAsking::Null(Asking))
    } else {
        Asking.accept(scene)
    }
}

impl Asking {
    pub(super) fn accept(self, scene: &mut Scene<'_>) -> Progress {
        let Self = self;
        // RFC 23: "to avoid deadlocks, each peer MUST send its READY command before attempting to
        // receive a READY from the other peer."
        command::encode(command::READY, &[&super::own_metadata(scene.config)], scene.out);
        Progress::Await(Mechanism::Null(AwaitReady))
    }
}

impl AwaitReady {
    pub(super) fn handle(
        self,
        scene: &mut Scene<'_>,
        command: Command<'_>,
    ) -> Result<Progress, Error> {
        let Self = self;
        match command.name {
            command::READY => {
                let properties = metadata::parse(command.data).map_err(Misbehaved::from)?;
                let peer = judge::peer(scene.config, scene.version, properties)?;
                Ok(Progress::done(peer))
            }
            // RFC 37: "The peer SHALL treat an incoming ERROR command as fatal".
            command::ERROR => Err(refusal(command.data)),
            _ => Err(Misbehaved::UnexpectedCommand.into()),
        }
    }
}

/// Reads the data of an ERROR command. RFC 37: "error-reason = short-size 0*255VCHAR".
pub(crate) fn refusal(data: &[u8]) -> Error {
    match data.split_first() {
        Some((&len, reason)) if reason.len() == usize::from(len) => {
            Error::Refused { reason: printable(reason) }
        }
        _ => Misbehaved::ErrorCommand.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Config;
    use crate::socket_type::SocketType;
    use crate::version::Version;

    #[test]
    fn a_refusal_is_its_reason() {
        assert_eq!(refusal(b"\x03400"), Error::Refused { reason: "400".into() });
        assert_eq!(refusal(b"\0"), Error::Refused { reason: String::new() });
        for bad in [&b""[..], b"\x09abc", b"\x01abc"] {
            assert_eq!(refusal(bad), Misbehaved::ErrorCommand.into());
        }
    }

    #[test]
    fn only_ready_and_error_are_part_of_the_handshake() {
        let config = Config::new(SocketType::Pair);
        let mut out = Vec::new();
        let mut scene = Scene { config: &config, version: Version::V3_1, out: &mut out };
        let verdict = AwaitReady.handle(&mut scene, Command { name: b"HELLO", data: b"" });
        assert_eq!(verdict.unwrap_err(), Misbehaved::UnexpectedCommand.into());
    }
}
