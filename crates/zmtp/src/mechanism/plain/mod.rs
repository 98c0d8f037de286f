//! The PLAIN mechanism (RFC 24): a name and a password in clear text. Each side is in a file of its
//! own; what both share is here.

pub(super) mod client;
pub(super) mod server;

use crate::command;
use crate::error::{Error, Misbehaved};

use super::null::refusal;

pub(super) const HELLO: &[u8] = b"HELLO";
pub(super) const WELCOME: &[u8] = b"WELCOME";
pub(super) const INITIATE: &[u8] = b"INITIATE";

/// Octets of the largest body of a HELLO command: name, username, password.
pub(crate) const MAX_HELLO: u64 = 6 + 2 * 256;

/// What libzmq up to 4.3.4 sends in place of the name "ERROR": its length has fallen into its first
/// letter. No other command can begin like this, since a name of 94 letters is none.
pub(crate) const MISSPELT_ERROR: &[u8] = b"^RROR";

/// The error for a command that is not the one that was awaited.
fn unexpected(name: &[u8], data: &[u8]) -> Error {
    // RFC 37: "The peer SHALL treat an incoming ERROR command as fatal".
    if name == command::ERROR { refusal(data) } else { Misbehaved::UnexpectedCommand.into() }
}

/// Appends a string of at most 255 octets with its length. What is longer is cut.
fn put_short(string: &[u8], out: &mut Vec<u8>) {
    let string = string.get(..usize::from(u8::MAX)).unwrap_or(string);
    out.push(string.len() as u8);
    out.extend_from_slice(string);
}

/// Takes a string with its length off the front of `data`.
fn take_short(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&len, rest) = data.split_first()?;
    rest.split_at_checked(usize::from(len))
}
