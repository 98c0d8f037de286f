//! Peers that follow a script, for versions and misdeeds that our own connection cannot act out.

use std::time::Instant;

use crate::{Config, command, frame, greeting, metadata};

use super::side::Side;

/// What a scripted peer does next.
#[derive(Clone, Debug)]
pub enum Move {
    /// Sends these octets.
    Send(Vec<u8>),
    /// Expects to have been sent exactly these octets next.
    Expect(Vec<u8>),
    /// Expects to have been sent nothing more for now.
    Quiet,
}

/// Shorthand for [`Move::Send`].
#[must_use]
pub fn send(octets: impl AsRef<[u8]>) -> Move {
    Move::Send(octets.as_ref().to_vec())
}

/// Shorthand for [`Move::Expect`].
#[must_use]
pub fn expect(octets: impl AsRef<[u8]>) -> Move {
    Move::Expect(octets.as_ref().to_vec())
}

/// Plays a script against a new connection; octets arrive in pieces of `piece`. Gives the owner of
/// the connection back for further questions.
///
/// # Panics
///
/// When the connection sends anything but what the script expects.
#[must_use]
pub fn play(config: Config, piece: usize, moves: &[Move]) -> Side {
    let now = Instant::now();
    let mut side = Side::new(config, now);
    let mut sent = side.transmit();
    for (turn, step) in moves.iter().enumerate() {
        match step {
            Move::Send(octets) => {
                for octets in octets.chunks(piece.max(1)) {
                    side.receive(now, octets);
                    sent.extend(side.transmit());
                }
            }
            Move::Expect(octets) => {
                let there = sent.get(..octets.len()).unwrap_or(&sent);
                assert_eq!(
                    there.escape_ascii().to_string(),
                    octets.escape_ascii().to_string(),
                    "at move {turn}"
                );
                sent.drain(..octets.len());
            }
            Move::Quiet => assert_eq!(sent.escape_ascii().to_string(), "", "at move {turn}"),
        }
    }
    side
}

/// A whole ZMTP 3.x greeting.
#[must_use]
pub fn greeting(major: u8, minor: u8, mechanism: &str) -> Vec<u8> {
    let mut rest = greeting::rest(mechanism, false);
    rest[0] = minor;
    [&greeting::signature(0)[..], &[major], &rest].concat()
}

/// A command frame of any name.
#[must_use]
pub fn command(name: &str, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    command::encode(name.as_bytes(), &[data], &mut out);
    out
}

/// A READY command with these properties.
#[must_use]
pub fn ready(properties: &[(&str, &[u8])]) -> Vec<u8> {
    let mut data = Vec::new();
    for (name, value) in properties {
        metadata::encode(name, value, &mut data);
    }
    command("READY", &data)
}

/// A data frame of ZMTP 2.0 and later.
#[must_use]
pub fn frame(body: &[u8], more: bool) -> Vec<u8> {
    let mut out = Vec::new();
    frame::encode_header(frame::Framing::V2, more, body.len(), &mut out);
    out.extend_from_slice(body);
    out
}

/// A data frame of ZMTP 1.0.
#[must_use]
pub fn frame_v1(body: &[u8], more: bool) -> Vec<u8> {
    let mut out = Vec::new();
    frame::encode_header(frame::Framing::V1, more, body.len(), &mut out);
    out.extend_from_slice(body);
    out
}

/// All that a ZMTP 3.1 peer says until the handshake is over.
#[must_use]
pub fn handshake(socket_type: &str) -> Vec<u8> {
    [greeting(3, 1, "NULL"), ready(&[("Socket-Type", socket_type.as_bytes())])].concat()
}
