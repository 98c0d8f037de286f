//! The side of PLAIN that is shown a name and a password.
//!
//! Without an owner that decides, everybody is let in: RFC 24 leaves the decision to the server.

use zeroize::Zeroizing;

use crate::command::{self, Command};
use crate::connection::Credentials;
use crate::error::{Error, Misbehaved};
use crate::mechanism::{Asking, Mechanism, Progress, Scene, client_metadata, own_metadata};

use super::{HELLO, INITIATE, WELCOME, take_short};

/// The client's HELLO is awaited.
#[derive(Debug)]
pub(crate) struct AwaitHello;

/// The client's HELLO is there, and the owner has to decide.
pub(crate) struct AskAboutHello {
    username: Zeroizing<Vec<u8>>,
    password: Zeroizing<Vec<u8>>,
}

/// Our WELCOME is sent, the client's INITIATE is awaited.
#[derive(Debug)]
pub(crate) struct AwaitInitiate;

pub(crate) fn start() -> Progress {
    Progress::Await(Mechanism::PlainAwaitHello(AwaitHello))
}

impl AwaitHello {
    pub(crate) fn handle(
        self,
        scene: &mut Scene<'_>,
        command: Command<'_>,
    ) -> Result<Progress, Error> {
        let Self = self;
        if command.name != HELLO {
            return Err(Misbehaved::UnexpectedCommand.into());
        }
        let malformed = Misbehaved::Command("HELLO");
        let (username, rest) = take_short(command.data).ok_or(malformed)?;
        let (password, rest) = take_short(rest).ok_or(malformed)?;
        if !rest.is_empty() {
            return Err(malformed.into());
        }
        let hello = AskAboutHello {
            username: username.to_vec().into(),
            password: password.to_vec().into(),
        };
        if scene.config.authenticate {
            Ok(Progress::Ask(Asking::Plain(hello)))
        } else {
            Ok(hello.accept(scene))
        }
    }
}

impl AskAboutHello {
    pub(crate) fn credentials(&self) -> Credentials<'_> {
        Credentials::Plain { username: &self.username, password: &self.password }
    }

    /// RFC 24: "welcome = command-size %d7 "WELCOME"".
    pub(crate) fn accept(self, scene: &mut Scene<'_>) -> Progress {
        command::encode(WELCOME, &[], scene.out);
        Progress::Await(Mechanism::PlainAwaitInitiate(AwaitInitiate))
    }
}

impl std::fmt::Debug for AskAboutHello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AskAboutHello(..)")
    }
}

impl AwaitInitiate {
    pub(crate) fn handle(
        self,
        scene: &mut Scene<'_>,
        command: Command<'_>,
    ) -> Result<Progress, Error> {
        let Self = self;
        if command.name != INITIATE {
            return Err(Misbehaved::UnexpectedCommand.into());
        }
        let peer = client_metadata(scene, command.data)?;
        // RFC 24: "ready = command-size %d5 "READY" metadata".
        command::encode(command::READY, &[&own_metadata(scene.config)], scene.out);
        Ok(Progress::done(peer))
    }
}
