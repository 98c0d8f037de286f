//! Command bodies: a name and its data (RFC 37, "Commands"). What a command means is decided by the
//! mechanism before the handshake is over and by `connection::traffic` after it.

use crate::frame;

pub(crate) const READY: &[u8] = b"READY";
pub(crate) const ERROR: &[u8] = b"ERROR";
pub(crate) const SUBSCRIBE: &[u8] = b"SUBSCRIBE";
pub(crate) const CANCEL: &[u8] = b"CANCEL";
pub(crate) const JOIN: &[u8] = b"JOIN";
pub(crate) const LEAVE: &[u8] = b"LEAVE";
pub(crate) const PING: &[u8] = b"PING";
pub(crate) const PONG: &[u8] = b"PONG";

/// A command taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Command<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) data: &'a [u8],
}

impl<'a> Command<'a> {
    /// Takes the body of a command frame apart; `None` if it is not one.
    pub(crate) fn parse(body: &'a [u8]) -> Option<Self> {
        let (&len, rest) = body.split_first()?;
        let (name, data) = rest.split_at_checked(usize::from(len))?;
        // RFC 37: "command-name = short-size 1*255command-name-char", "command-name-char = ALPHA".
        (!name.is_empty() && name.iter().all(u8::is_ascii_alphabetic))
            .then_some(Self { name, data })
    }
}

/// Appends a whole command frame. `name` is one of the names above.
pub(crate) fn encode(name: &[u8], data: &[&[u8]], out: &mut Vec<u8>) {
    debug_assert!(!name.is_empty() && name.len() <= 255);
    let body = 1 + name.len() + data.iter().map(|piece| piece.len()).sum::<usize>();
    frame::encode_command_header(body, out);
    out.push(name.len() as u8);
    out.extend_from_slice(name);
    for piece in data {
        out.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_its_name_and_the_rest() {
        let ping = Command::parse(b"\x04PING\0\x0actx").unwrap();
        assert_eq!((ping.name, ping.data), (PING, &b"\0\x0actx"[..]));
        let bare = Command::parse(b"\x01x").unwrap();
        assert_eq!((bare.name, bare.data), (&b"x"[..], &b""[..]));
    }

    #[test]
    fn bodies_without_a_proper_name_are_refused() {
        for body in [&b""[..], b"\0", b"\0abc", b"\x02a", b"\xffabc", b"\x03a b", b"\x02a1"] {
            assert_eq!(Command::parse(body), None, "{body:?}");
        }
    }

    #[test]
    fn long_commands_take_the_long_form() {
        let mut out = Vec::new();
        encode(SUBSCRIBE, &[&[b't'; 245]], &mut out);
        assert_eq!(&out[..12], b"\x04\xff\x09SUBSCRIBE");
        out.clear();
        encode(SUBSCRIBE, &[&[b't'; 246]], &mut out);
        assert_eq!(&out[..19], b"\x06\0\0\0\0\0\0\x01\0\x09SUBSCRIBE");
        assert_eq!(Command::parse(&out[9..]).unwrap().data.len(), 246);
    }
}
