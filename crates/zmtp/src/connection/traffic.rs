//! Frames once the handshake is over: which are messages, which are commands, and what becomes of
//! the commands. Heartbeats are in `heartbeat`.

use std::time::Instant;

use crate::command::{self, Command};
use crate::error::{Error, Misbehaved};
use crate::frame::{self, Framing, Header, Malformed};
use crate::limits::{LARGE_FRAME, MAX_COMMAND, MAX_GROUP};
use crate::version::Version;

use super::config::Config;
use super::event::Received;
use super::heartbeat::Heartbeat;

/// What the peer's version and our limits make of frames.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    pub(crate) framing: Framing,
    has_commands: bool,
    frame_limit: Option<u64>,
}

/// Octets of a command's body that tell whether it is about a topic.
const TOPIC_HEAD: usize = 1 + command::SUBSCRIBE.len();

/// One frame, or as much of one as there is.
pub(super) enum Parsed<'a> {
    /// Nothing can be said until the input has this many octets.
    Wait(usize),
    /// This many octets meant nothing to the caller.
    Skip(usize),
    /// This many octets meant something.
    Event(usize, Received<'a>),
}

impl Traffic {
    pub(super) fn new(config: &Config, version: Version) -> Self {
        Self {
            framing: version.framing(),
            has_commands: version.has_commands(),
            frame_limit: config.max_message_size,
        }
    }

    /// The largest short frame that needs no thought: what `Connection::receive` may hand over
    /// without asking here. -1 if there is none.
    pub(super) fn short_limit(&self) -> i16 {
        match (self.framing, self.frame_limit) {
            (Framing::V1, _) => -1,
            (Framing::V2, None) => 255,
            (Framing::V2, Some(limit)) => limit.min(255) as i16,
        }
    }

    /// Takes one frame off the front of `input`, which is not empty.
    pub(super) fn parse<'a>(
        &self,
        now: Instant,
        input: &'a [u8],
        heartbeat: &mut Heartbeat,
        out: &mut Vec<u8>,
    ) -> Result<Parsed<'a>, Error> {
        // RFC 13: "a length of 0 is invalid and such frames SHOULD be discarded silently."
        if self.framing == Framing::V1 && input.first() == Some(&0) {
            return Ok(Parsed::Skip(1));
        }
        let header = match frame::decode_header(self.framing, input) {
            None => return Ok(Parsed::Wait(input.len() + 1)),
            Some(header) => header.map_err(Misbehaved::from)?,
        };
        let rest = input.get(header.header..).unwrap_or_default();
        if header.command {
            return self.command(now, header, rest, heartbeat, out);
        }
        if let Some(limit) = self.frame_limit.filter(|&limit| header.body > limit) {
            return Err(Error::MessageTooLarge { len: header.body, limit });
        }
        Ok(data(header, rest))
    }

    fn command<'a>(
        &self,
        now: Instant,
        header: Header,
        rest: &'a [u8],
        heartbeat: &mut Heartbeat,
        out: &mut Vec<u8>,
    ) -> Result<Parsed<'a>, Error> {
        if !self.has_commands {
            // RFC 15: "Bits 2-7 are reserved for future use and MUST be zero."
            return Err(Misbehaved::Frame(Malformed::ReservedFlags(frame::COMMAND)).into());
        }
        if header.body > MAX_COMMAND {
            let Some(head) = rest.get(..TOPIC_HEAD) else {
                return Ok(Parsed::Wait(header.header + TOPIC_HEAD));
            };
            check_command(header.body, head, self.frame_limit)?;
        }
        let whole = usize::try_from(header.body).ok().and_then(|len| rest.get(..len));
        let Some(body) = whole else {
            return Ok(Parsed::Wait(end_of(header)));
        };
        let end = end_of(header);
        let command = Command::parse(body).ok_or(Misbehaved::NamelessCommand)?;
        if command.name == command::PING {
            heartbeat.answer(now, command.data, out)?;
            return Ok(Parsed::Skip(end));
        }
        Ok(match event(command)? {
            Some(event) => Parsed::Event(end, event),
            None => Parsed::Skip(end),
        })
    }
}

/// Checks the size of a command's body, of which `head` is the first [`TOPIC_HEAD`] octets or more.
/// A topic is the application's, and as large as its messages may be.
pub(super) fn check_command(
    len: u64,
    head: &[u8],
    frame_limit: Option<u64>,
) -> Result<(), Misbehaved> {
    let named = Command::parse(head).map(|command| command.name);
    let limit = match (named, frame_limit) {
        (Some(command::SUBSCRIBE | command::CANCEL), None) => return Ok(()),
        (Some(command::SUBSCRIBE | command::CANCEL), Some(limit)) => limit.max(MAX_COMMAND),
        _ => MAX_COMMAND,
    };
    if len > limit { Err(Misbehaved::CommandTooLarge { len, limit }) } else { Ok(()) }
}

/// What a command other than PING means to the owner, if anything.
pub(super) fn event(command: Command<'_>) -> Result<Option<Received<'_>>, Error> {
    Ok(Some(match command.name {
        command::SUBSCRIBE => Received::Subscribe(command.data),
        command::CANCEL => Received::Cancel(command.data),
        command::JOIN => Received::Join(group("JOIN", command.data)?),
        command::LEAVE => Received::Leave(group("LEAVE", command.data)?),
        // PONG has done its work by being heard. Everything else is ignored as libzmq ignores it: a
        // second READY, an ERROR ("during the mechanism handshake" only, says RFC 37), and commands
        // of versions to come.
        _ => return Ok(None),
    }))
}

/// Octets from the start of a frame to its end, or as many as can be counted.
fn end_of(header: Header) -> usize {
    usize::try_from(header.body).unwrap_or(usize::MAX).saturating_add(header.header)
}

fn data(header: Header, rest: &[u8]) -> Parsed<'_> {
    let more = header.more;
    let whole = usize::try_from(header.body).ok().and_then(|len| rest.get(..len));
    match whole {
        Some(body) => Parsed::Event(end_of(header), Received::Frame { body, more }),
        None if header.body > LARGE_FRAME as u64 => Parsed::Event(
            header.header + rest.len(),
            Received::Large { head: rest, len: header.body, more },
        ),
        None => Parsed::Wait(end_of(header)),
    }
}

/// RFC 37: "group = 0*255group-char", "group-char = %d1-255".
fn group<'a>(name: &'static str, data: &'a [u8]) -> Result<&'a [u8], Error> {
    if data.len() > MAX_GROUP || data.contains(&0) {
        return Err(Misbehaved::Command(name).into());
    }
    Ok(data)
}
