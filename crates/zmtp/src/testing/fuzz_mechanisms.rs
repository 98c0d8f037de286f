//! What the fuzz targets of the mechanisms check: every command of every mechanism, with any data,
//! at the point of the handshake where it is awaited; and for CURVE also any data in a box that is
//! sealed as it should be, since no fuzzer guesses a tag.

use std::sync::LazyLock;
use std::time::Instant;

use crate::command::Command;
use crate::frame::{Framing, decode_header};
use crate::mechanism::curve::client::{AwaitReady, AwaitWelcome};
use crate::mechanism::{self, Asking, Mechanism, Progress, Scene, Sealing};
use crate::socket_type::SocketType::{Dealer, Router};
use crate::testing::side::{Event, Side};
use crate::version::Version;
use crate::{Config, Verdict};

use super::{script, secure};

/// Pieces of different sizes must lead to the same end. Each input is tried with one of these only:
/// a run of CURVE takes long enough.
const PIECES: [usize; 2] = [1, 29];

/// Any data as a command of NULL, with an owner who decides.
pub fn null(data: &[u8]) {
    let Some((&how, data)) = data.split_first() else {
        return;
    };
    let (mut config, _) = secure::null(Dealer, Router);
    config.authenticate = how & 1 != 0;
    let name = ["READY", "ERROR", "HELLO"][usize::from(how >> 1) % 3];
    let words = [script::greeting(3, 1, "NULL"), script::command(name, data)].concat();
    outcome(&config, how, &[&words]);
}

/// Any data as a command of PLAIN: HELLO and INITIATE to a server, WELCOME, READY and ERROR to a
/// client.
pub fn plain(data: &[u8]) {
    let Some((&how, data)) = data.split_first() else {
        return;
    };
    let (client, mut server) = secure::plain(Dealer, Router);
    server.authenticate = how & 128 != 0;
    let greeting = script::greeting(3, 1, "PLAIN");
    let hello = script::command("HELLO", b"\x01a\x01b");
    let welcome = script::command("WELCOME", b"");
    let (config, before, name) = match how % 6 {
        0 => (server, vec![], "HELLO"),
        1 => (server, hello, "INITIATE"),
        2 => (client, vec![], "WELCOME"),
        3 => (client, welcome, "READY"),
        4 => (client, vec![], "ERROR"),
        _ => (client, welcome, "ERROR"),
    };
    outcome(&config, how, &[&greeting, &before, &script::command(name, data)]);
}

/// Any data as a command of CURVE, or in the box of one.
pub fn curve(data: &[u8]) {
    let Some((&how, data)) = data.split_first() else {
        return;
    };
    match how % 11 {
        0 => to_server(how, |_| script::command("HELLO", data)),
        1 => to_server(how, |rehearsal| {
            rehearsal.hello();
            [rehearsal.said(), script::command("INITIATE", data)].concat()
        }),
        2 => to_server(how, |rehearsal| {
            rehearsal.initiate(data);
            rehearsal.said()
        }),
        3 => to_client(how, |_| script::command("WELCOME", data)),
        4 => to_client(how, |_| script::command("ERROR", data)),
        5 => to_client(how, |rehearsal| {
            [rehearsal.welcome(), script::command("READY", data)].concat()
        }),
        6 => to_client(how, |rehearsal| [rehearsal.welcome(), rehearsal.ready(data).0].concat()),
        7 => to_client(how, |rehearsal| {
            [rehearsal.welcome(), script::command("ERROR", data)].concat()
        }),
        8 => to_client(how, |rehearsal| {
            let ready = rehearsal.honest_ready().0;
            [rehearsal.welcome(), ready, script::command("MESSAGE", data)].concat()
        }),
        9 => to_client(how, |rehearsal| {
            let ready = rehearsal.honest_ready().0;
            [rehearsal.welcome(), ready, script::frame(data, false)].concat()
        }),
        _ => to_client(how, |rehearsal| {
            let (ready, mut sealing) = rehearsal.honest_ready();
            let mut words = [rehearsal.welcome(), ready].concat();
            for piece in data.chunks(1 + usize::from(how)) {
                let (flags, body) = piece.split_first().unwrap_or((&0, &[]));
                sealing.seal_with(*flags, body, &mut words);
            }
            words
        }),
    }
}

fn to_server(how: u8, words: impl FnOnce(&mut Rehearsal) -> Vec<u8>) {
    let mut rehearsal = Rehearsal::new();
    let mut server = rehearsal.server.clone();
    server.authenticate = how & 128 != 0;
    let words = words(&mut rehearsal);
    outcome(&server, how, &[&script::greeting(3, 1, "CURVE"), &words]);
}

fn to_client(how: u8, words: impl FnOnce(&mut Rehearsal) -> Vec<u8>) {
    let mut rehearsal = Rehearsal::new();
    let client = rehearsal.client.clone();
    let words = words(&mut rehearsal);
    outcome(&client, how, &[&script::greeting(3, 1, "CURVE"), &words]);
}

/// A client and a server that talk without connections, so that either can be made to say anything.
/// With the same random octets, the real ones fit into their places.
struct Rehearsal {
    client: Config,
    server: Config,
    said: Vec<u8>,
    answered: Vec<u8>,
}

impl Rehearsal {
    fn new() -> Self {
        let (client, server) = Self::configs();
        Self { client, server, said: Vec::new(), answered: Vec::new() }
    }

    /// Sources of random octets remember where they are: each use wants its own.
    fn configs() -> (Config, Config) {
        let (client, mut server) = secure::curve(Dealer, Router);
        server.authenticate = true;
        (client, server)
    }

    fn said(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.said)
    }

    /// The client's HELLO.
    fn hello(&mut self) -> Box<AwaitWelcome> {
        let (client, _) = Self::configs();
        let mut scene = Scene { config: &client, version: Version::V3_1, out: &mut self.said };
        match mechanism::start(&mut scene) {
            Ok(Progress::Await(Mechanism::CurveAwaitWelcome(state))) => state,
            other => unreachable!("{other:?}"),
        }
    }

    /// The server's side up to INITIATE, and its WELCOME.
    fn server_side(&mut self) -> (Box<AwaitWelcome>, Mechanism, Config) {
        let client = self.hello();
        let (_, server) = Self::configs();
        let mut scene = Scene { config: &server, version: Version::V3_1, out: &mut self.answered };
        let start = match mechanism::start(&mut scene) {
            Ok(Progress::Await(start)) => start,
            other => unreachable!("{other:?}"),
        };
        match start.handle(&mut scene, parse(&self.said)) {
            Ok(Progress::Await(next)) => (client, next, server),
            other => unreachable!("{other:?}"),
        }
    }

    /// HELLO, and INITIATE with these octets for metadata. `said` has both.
    fn initiate(&mut self, metadata: &[u8]) -> (AwaitReady, Mechanism, Config) {
        let (state, next, server) = self.server_side();
        let (client, _) = Self::configs();
        let mut scene = Scene { config: &client, version: Version::V3_1, out: &mut self.said };
        match state.initiate(&mut scene, parse(&self.answered).data, metadata) {
            Ok(awaiting) => (awaiting, next, server),
            Err(error) => unreachable!("{error}"),
        }
    }

    /// The server's WELCOME, which is always the same.
    fn welcome(&self) -> Vec<u8> {
        static WELCOME: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let mut rehearsal = Rehearsal::new();
            let _ = rehearsal.server_side();
            rehearsal.answered
        });
        WELCOME.clone()
    }

    /// READY with these octets for metadata, and what the server seals with from then on.
    fn ready(&mut self, metadata: &[u8]) -> (Vec<u8>, Box<Sealing>) {
        self.said.clear();
        self.answered.clear();
        let (client, _) = Self::configs();
        let (_, next, server) = self.initiate(&mechanism::own_metadata(&client));
        let hello = decode_header(Framing::V2, &self.said).and_then(Result::ok);
        let end = hello.map_or(0, |header| header.header + header.body as usize);
        let initiate = self.said.split_off(end);
        let mut out = Vec::new();
        let mut scene = Scene { config: &server, version: Version::V3_1, out: &mut out };
        let asking = match next.handle(&mut scene, parse(&initiate)) {
            Ok(Progress::Ask(Asking::Curve(asking))) => asking,
            other => unreachable!("{other:?}"),
        };
        match asking.ready(&mut scene, metadata) {
            Progress::Done(outcome) => match outcome.sealing {
                Some(sealing) => (out, sealing),
                None => unreachable!("CURVE seals"),
            },
            other => unreachable!("{other:?}"),
        }
    }

    fn honest_ready(&mut self) -> (Vec<u8>, Box<Sealing>) {
        let (_, server) = Self::configs();
        self.ready(&mechanism::own_metadata(&server))
    }
}

/// The command in a frame of our own.
fn parse(frame: &[u8]) -> Command<'_> {
    let header = decode_header(Framing::V2, frame).and_then(Result::ok);
    let start = header.map_or(0, |header| header.header);
    let end = header.map_or(0, |header| header.header + header.body as usize);
    Command::parse(&frame[start..end]).unwrap_or(Command { name: b"", data: b"" })
}

/// Feeds a connection whole and in pieces: it ends or goes on, in the same way each time, and tells
/// of nothing before it is ready.
fn outcome(config: &Config, how: u8, words: &[&[u8]]) {
    let words = words.concat();
    if words.len() > 32 * 1024 {
        return;
    }
    let now = Instant::now();
    let feed = |piece: usize| {
        let mut config = config.clone();
        // Every run begins with the same random octets.
        config.random = secure::predictable(1 + u64::from(config.mechanism.as_server()));
        let mut side = Side::new(config, now);
        side.verdict = Some(match how & 96 {
            0 => Verdict::Deny { status: 400 },
            32 => Verdict::Drop,
            _ => Verdict::Accept,
        });
        let mut sent = Vec::new();
        for octets in words.chunks(piece) {
            side.receive(now, octets);
            side.connection.transmit(&mut sent);
        }
        let ready = side.events.iter().position(|event| *event == Event::Ready);
        let early = side.events.iter().take(ready.unwrap_or(side.events.len()));
        assert!(early.clone().all(|event| *event == Event::Authenticate), "told too early");
        assert!(!(side.connection.is_ready() && side.error.is_some()), "ready and over");
        (side.events, side.error, sent, side.connection.peer().cloned())
    };
    let whole = feed(usize::MAX);
    let piece = PIECES[usize::from(how ^ how >> 4) % PIECES.len()];
    assert_eq!(feed(piece), whole, "split into pieces of {piece}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rehearsals reach what they are meant to reach.
    #[test]
    fn boxes_of_the_rehearsal_are_opened() {
        let run = |config: &Config, words: &[u8]| {
            let mut side = Side::new(config.clone(), Instant::now());
            let words = [&script::greeting(3, 1, "CURVE"), words].concat();
            side.receive(Instant::now(), &words);
            side
        };
        let mut rehearsal = Rehearsal::new();
        rehearsal.initiate(b"\x0bSocket-Type\0\0\0\x06DEALER");
        let side = run(&rehearsal.server.clone(), &rehearsal.said());
        assert_eq!(side.events, [Event::Authenticate, Event::Ready], "{:?}", side.error);

        let mut rehearsal = Rehearsal::new();
        let (ready, mut sealing) = rehearsal.honest_ready();
        let mut words = [rehearsal.welcome(), ready].concat();
        sealing.seal_with(1, b"inside", &mut words);
        let side = run(&rehearsal.client.clone(), &words);
        let expected = [Event::Ready, Event::Frame(b"inside".to_vec(), true)];
        assert_eq!(side.events, expected, "{:?}", side.error);
    }
}
