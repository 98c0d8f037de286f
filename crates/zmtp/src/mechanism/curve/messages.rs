//! MESSAGE commands (RFC 26): frames and commands in boxes once the handshake is over.

use std::fmt;

use crate::command::Command;
use crate::error::{Error, Misbehaved};
use crate::frame;
use crate::limits::SEALED_OVERHEAD;

use super::boxes::{BoxKey, SeriesKey, TAG, Tag};
use super::{SHORT, take};

/// What every MESSAGE starts with.
const NAME: [u8; 8] = *b"\x07MESSAGE";

/// RFC 26: "Bit 0 (MORE): More messages to follow."
const MORE: u8 = 0x01;

/// Not in RFC 26, which came before there were commands besides messages: libzmq sends them so.
const COMMAND: u8 = 0x02;

const _: () = assert!(SEALED_OVERHEAD == NAME.len() + SHORT + TAG + 1);

/// What was in a MESSAGE. The data is behind the first [`SEALED_OVERHEAD`] octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) more: bool,
    pub(crate) command: bool,
}

/// The keys and nonces of both directions.
pub(crate) struct Sealing {
    ours: SeriesKey,
    theirs: SeriesKey,
    /// The last nonce that we used.
    sent: u64,
    /// The last nonce that the peer used.
    seen: u64,
}

impl Sealing {
    /// `sent` and `seen` are the nonces that the handshake ended with.
    pub(super) fn new(key: &BoxKey, as_server: bool, sent: u64, seen: u64) -> Self {
        let server = SeriesKey::new(key.clone(), b"CurveZMQMESSAGES");
        let client = SeriesKey::new(key.clone(), b"CurveZMQMESSAGEC");
        let (ours, theirs) = if as_server { (server, client) } else { (client, server) };
        Self { ours, theirs, sent, seen }
    }

    /// Appends the frame of a MESSAGE with `body` in it. RFC 26: "SHALL NOT send more than 2^64-1
    /// commands in one connection": whatever comes after those is not sent.
    pub(crate) fn seal(&mut self, body: &[u8], opened: Opened, out: &mut Vec<u8>) {
        let flags = if opened.more { MORE } else { 0 } | if opened.command { COMMAND } else { 0 };
        self.seal_with(flags, body, out);
    }

    /// Appends a MESSAGE with any flags.
    pub(crate) fn seal_with(&mut self, flags: u8, body: &[u8], out: &mut Vec<u8>) {
        let Some(nonce) = self.sent.checked_add(1) else {
            return;
        };
        self.sent = nonce;
        frame::encode_header(frame::Framing::V2, false, SEALED_OVERHEAD + body.len(), out);
        out.reserve(SEALED_OVERHEAD + body.len());
        out.extend_from_slice(&NAME);
        out.extend_from_slice(&nonce.to_be_bytes());
        out.extend_from_slice(&Tag::default());
        let start = out.len();
        out.push(flags);
        out.extend_from_slice(body);
        if let Some((head, payload)) = out.split_at_mut_checked(start) {
            let tag = self.ours.seal(nonce, payload);
            if let Some(place) = head.last_chunk_mut::<TAG>() {
                *place = tag;
            }
        }
    }

    /// Opens the body of a MESSAGE in place, after everything about it has been checked.
    pub(crate) fn open(&mut self, message: &mut [u8]) -> Result<Opened, Error> {
        let malformed = Misbehaved::Command("MESSAGE");
        if message.first_chunk() != Some(&NAME) {
            let named = Command::parse(message).is_some();
            let how =
                if named { Misbehaved::UnexpectedCommand } else { Misbehaved::NamelessCommand };
            return Err(how.into());
        }
        let Some((head, payload)) = message.split_at_mut_checked(SEALED_OVERHEAD - 1) else {
            return Err(malformed.into());
        };
        let mut head = head.get(NAME.len()..).unwrap_or_default();
        let nonce = u64::from_be_bytes(take(&mut head).ok_or(malformed)?);
        let tag: Tag = take(&mut head).ok_or(malformed)?;
        if payload.is_empty() {
            return Err(malformed.into());
        }
        // RFC 26: "The server SHALL verify that a client connection does use correctly incrementing
        // short nonces, and SHALL disconnect clients that reuse a short nonce."
        if nonce <= self.seen {
            return Err(Misbehaved::Nonce.into());
        }
        self.theirs.open(nonce, payload, &tag).ok_or(Misbehaved::Box)?;
        self.seen = nonce;
        let flags = payload.first().copied().unwrap_or_default();
        let opened = Opened { more: flags & MORE != 0, command: flags & COMMAND != 0 };
        // RFC 26: the other bits "are reserved for future use and MUST be zero".
        if flags & !(MORE | COMMAND) != 0 || (opened.more && opened.command) {
            return Err(malformed.into());
        }
        Ok(opened)
    }
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealing {{ sent: {}, seen: {}, .. }}", self.sent, self.seen)
    }
}
