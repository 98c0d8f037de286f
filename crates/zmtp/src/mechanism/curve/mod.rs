//! The CURVE mechanism (RFC 25 and 26): what its two sides share. Who sends and checks what is in
//! `client` and `server`, the cryptography in `boxes`, and messages after the handshake in
//! `messages`.
//!
//! ```text
//!   client                                server
//!     |  HELLO     C', Box[0](C'->S)         |
//!     |------------------------------------->|   makes S', forgets it into the cookie
//!     |  WELCOME   Box[S', cookie](S->C')    |
//!     |<-------------------------------------|
//!     |  INITIATE  cookie,                   |
//!     |   Box[C, vouch, metadata](C'->S')    |
//!     |------------------------------------->|   asks its owner about C
//!     |  READY     Box[metadata](S'->C')     |
//!     |<-------------------------------------|
//! ```

mod ahead;
mod boxes;
pub(crate) mod client;
mod mac;
mod messages;
pub(crate) mod server;
#[cfg(test)]
mod tests;

pub(crate) use self::messages::{Opened, Sealing};

use crate::command;
use crate::error::{Error, Misbehaved};

use self::boxes::{Nonce, TAG};

const HELLO: &[u8] = b"HELLO";
const WELCOME: &[u8] = b"WELCOME";
const INITIATE: &[u8] = b"INITIATE";

/// RFC 26: "The CurveZMQ version number, which SHALL be the two octets 1 and 0."
const VERSION: [u8; 2] = [1, 0];

/// Octets of the padding in HELLO; the text of RFC 26 says 70, its grammar 72, and only 72 gives the
/// 200 octets that both ask for.
const PADDING: usize = 72;

/// Octets of the signature in HELLO, all zero.
const SIGNATURE: usize = 64;

/// Octets of a public or secret key.
const KEY: usize = 32;

/// Octets of a short nonce, a number that grows with every command.
const SHORT: usize = 8;

/// Octets of a long nonce, random ones.
const LONG: usize = 16;

/// Octets of the cookie: RFC 26, "Box [C' + s'](K)" and its nonce.
const COOKIE: usize = LONG + TAG + 2 * KEY;

/// Octets of the vouch: RFC 26, "Box [C',S](C->S')" and its nonce.
const VOUCH: usize = LONG + TAG + 2 * KEY;

/// Octets of a HELLO command's body.
pub(super) const HELLO_LEN: u64 = 200;

fn hello_nonce(short: u64) -> Nonce {
    boxes::short_nonce(b"CurveZMQHELLO---", short)
}

fn initiate_nonce(short: u64) -> Nonce {
    boxes::short_nonce(b"CurveZMQINITIATE", short)
}

fn ready_nonce(short: u64) -> Nonce {
    boxes::short_nonce(b"CurveZMQREADY---", short)
}

fn welcome_nonce(long: &[u8; LONG]) -> Nonce {
    boxes::long_nonce(b"WELCOME-", long)
}

fn cookie_nonce(long: &[u8; LONG]) -> Nonce {
    boxes::long_nonce(b"COOKIE--", long)
}

fn vouch_nonce(long: &[u8; LONG]) -> Nonce {
    boxes::long_nonce(b"VOUCH---", long)
}

/// The error for a command that is not the one that was awaited from a server.
fn unexpected(name: &[u8], data: &[u8]) -> Error {
    // RFC 26: "To reject a client connection explicitly, a server SHALL send an ERROR command".
    if name == command::ERROR {
        super::null::refusal(data)
    } else {
        Misbehaved::UnexpectedCommand.into()
    }
}

/// Takes `N` octets off the front of `data`.
fn take<const N: usize>(data: &mut &[u8]) -> Option<[u8; N]> {
    let (front, rest) = data.split_first_chunk::<N>()?;
    *data = rest;
    Some(*front)
}
