//! The side of PLAIN that shows a name and a password.

use zeroize::Zeroizing;

use crate::command::{self, Command};
use crate::error::{Error, Misbehaved};
use crate::mechanism::{Mechanism, Progress, Scene, own_metadata, server_ready};

use super::{HELLO, INITIATE, WELCOME, put_short, unexpected};

/// Our HELLO is sent, the server's WELCOME is awaited.
#[derive(Debug)]
pub(crate) struct AwaitWelcome;

/// Our INITIATE is sent, the server's READY is awaited.
#[derive(Debug)]
pub(crate) struct AwaitReady;

/// RFC 24: "hello = command-size %d5 "HELLO" username password".
pub(crate) fn start(scene: &mut Scene<'_>, username: &[u8], password: &[u8]) -> Progress {
    let mut credentials = Zeroizing::new(Vec::with_capacity(2 * 256));
    put_short(username, &mut credentials);
    put_short(password, &mut credentials);
    command::encode(HELLO, &[&credentials], scene.out);
    Progress::Await(Mechanism::PlainAwaitWelcome(AwaitWelcome))
}

impl AwaitWelcome {
    pub(crate) fn handle(
        self,
        scene: &mut Scene<'_>,
        command: Command<'_>,
    ) -> Result<Progress, Error> {
        let Self = self;
        if command.name != WELCOME {
            return Err(unexpected(command.name, command.data));
        }
        if !command.data.is_empty() {
            return Err(Misbehaved::Command("WELCOME").into());
        }
        command::encode(INITIATE, &[&own_metadata(scene.config)], scene.out);
        Ok(Progress::Await(Mechanism::PlainAwaitReady(AwaitReady)))
    }
}

impl AwaitReady {
    pub(crate) fn handle(
        self,
        scene: &mut Scene<'_>,
        command: Command<'_>,
    ) -> Result<Progress, Error> {
        let Self = self;
        if command.name != command::READY {
            return Err(unexpected(command.name, command.data));
        }
        Ok(Progress::done(server_ready(scene, command.data)?))
    }
}
