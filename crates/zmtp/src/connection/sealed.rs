//! Traffic under a mechanism that seals it: every frame comes in a box, and so does every command.
//! What is in the boxes means what it means without; see `traffic`.

use std::time::Instant;

use crate::command::{self, Command};
use crate::error::{Error, Misbehaved};
use crate::frame::{self, Framing};
use crate::limits::{LARGE_FRAME, MAX_HANDSHAKE_COMMAND, SEALED_OVERHEAD};
use crate::mechanism::Sealing;
use crate::mechanism::curve::Opened;

use super::Connection;
use super::config::Config;
use super::event::Received;
use super::heartbeat::Heartbeat;
use super::state::State;
use super::traffic;

/// Boxes that were opened keep at most this much memory between two of them, in octets.
const KEPT: usize = 64 * 1024;

/// The sealed half of a connection.
#[derive(Debug)]
pub(crate) struct Sealed {
    sealing: Box<Sealing>,
    /// The last frame that was opened.
    opened: Vec<u8>,
    /// Commands of ours, to be sealed when they are sent: nonces must leave in their order.
    commands: Vec<u8>,
    frame_limit: Option<u64>,
    /// Whether the frame that was found last says, outside of its box, that more follow.
    claims_more: bool,
}

/// One sealed frame, or as much of one as there is.
enum Found {
    /// Nothing can be said until the input has this many octets.
    Wait(usize),
    /// All of the input belongs to a frame with this many octets in front of its sealed ones, of
    /// which there are so many.
    Large { header: usize, len: u64 },
    /// This many octets meant nothing to the caller.
    Skip(usize),
    /// This many octets meant something, which is in `opened`.
    Event(usize, Opened),
}

impl Sealed {
    pub(super) fn new(sealing: Box<Sealing>, config: &Config) -> Self {
        Self {
            sealing,
            opened: Vec::new(),
            commands: Vec::new(),
            frame_limit: config.max_message_size,
            claims_more: false,
        }
    }

    /// Where heartbeats put their commands.
    pub(super) fn commands(&mut self) -> &mut Vec<u8> {
        &mut self.commands
    }

    pub(super) fn has_commands(&self) -> bool {
        !self.commands.is_empty()
    }

    /// Appends a data frame, sealed.
    #[inline]
    pub(super) fn seal(&mut self, body: &[u8], more: bool, out: &mut Vec<u8>) {
        self.sealing.seal(body, Opened { more, command: false }, out);
    }

    /// Appends a command, sealed.
    pub(super) fn seal_command(&mut self, name: &[u8], data: &[u8], out: &mut Vec<u8>) {
        let mut frame = Vec::with_capacity(frame::MAX_HEADER + 1 + name.len() + data.len());
        command::encode(name, &[data], &mut frame);
        self.seal_frames(&frame, out);
    }

    /// Moves our own commands to the end of `out`, sealed.
    pub(super) fn flush_commands(&mut self, out: &mut Vec<u8>) {
        let commands = std::mem::take(&mut self.commands);
        self.seal_frames(&commands, out);
    }

    /// Seals the bodies of our own command frames.
    fn seal_frames(&mut self, mut frames: &[u8], out: &mut Vec<u8>) {
        while let Some(Ok(header)) = frame::decode_header(Framing::V2, frames) {
            let end = header.header + usize::try_from(header.body).unwrap_or(usize::MAX);
            let Some((whole, rest)) = frames.split_at_checked(end) else {
                return;
            };
            let body = whole.get(header.header..).unwrap_or_default();
            self.sealing.seal(body, Opened { more: false, command: true }, out);
            frames = rest;
        }
    }

    /// Takes one frame off the front of `input`, which is not empty, and opens it if it is whole.
    fn find(
        &mut self,
        now: Instant,
        input: &[u8],
        heartbeat: &mut Heartbeat,
    ) -> Result<Found, Error> {
        let header = match frame::decode_header(Framing::V2, input) {
            None => return Ok(Found::Wait(input.len() + 1)),
            Some(header) => header.map_err(Misbehaved::from)?,
        };
        // libzmq sends a MESSAGE, a command in RFC 26, in frames of either kind.
        self.claims_more = header.more;
        self.check_len(header.body)?;
        let end = usize::try_from(header.body).unwrap_or(usize::MAX).saturating_add(header.header);
        let Some(message) = input.get(header.header..end) else {
            return Ok(if header.body > LARGE_FRAME as u64 {
                Found::Large { header: header.header, len: header.body }
            } else {
                Found::Wait(end)
            });
        };
        self.opened.clear();
        if self.opened.capacity() > KEPT {
            self.opened = Vec::new();
        }
        self.opened.extend_from_slice(message);
        let opened = self.sealing.open(&mut self.opened)?;
        self.check_claim(opened)?;
        if !opened.command {
            self.check_data(self.opened.len())?;
        } else if self.is_dealt_with(now, heartbeat)? {
            return Ok(Found::Skip(end));
        }
        Ok(Found::Event(end, opened))
    }

    /// Opens a frame that the owner has collected. Says whether there is an event in `opened`; a
    /// data frame is left to the owner.
    pub(super) fn open(
        &mut self,
        now: Instant,
        frame: &mut Vec<u8>,
        heartbeat: &mut Heartbeat,
    ) -> Result<Option<Opened>, Error> {
        let opened = self.sealing.open(frame)?;
        self.check_claim(opened)?;
        if !opened.command {
            self.check_data(frame.len())?;
            return Ok(Some(opened));
        }
        self.opened = std::mem::take(frame);
        Ok((!self.is_dealt_with(now, heartbeat)?).then_some(opened))
    }

    /// What was opened last, as the owner is told.
    pub(super) fn event(&self, opened: Opened) -> Result<Received<'_>, Error> {
        let body = self.opened.get(SEALED_OVERHEAD..).unwrap_or_default();
        if !opened.command {
            return Ok(Received::Frame { body, more: opened.more });
        }
        let command = Command::parse(body).ok_or(Misbehaved::NamelessCommand)?;
        traffic::event(command)?.ok_or_else(|| Misbehaved::NamelessCommand.into())
    }

    /// Checks the command that was opened, and deals with it if the owner need not know of it.
    fn is_dealt_with(&mut self, now: Instant, heartbeat: &mut Heartbeat) -> Result<bool, Error> {
        let body = self.opened.get(SEALED_OVERHEAD..).unwrap_or_default();
        traffic::check_command(body.len() as u64, body, self.frame_limit)?;
        let command = Command::parse(body).ok_or(Misbehaved::NamelessCommand)?;
        if command.name == command::PING {
            heartbeat.answer(now, command.data, &mut self.commands)?;
            return Ok(true);
        }
        Ok(traffic::event(command)?.is_none())
    }

    /// Before a frame is opened nobody knows whether it is a command, to which the limit does not
    /// apply: those are given some room, and have their own limit once they are opened.
    fn check_len(&self, len: u64) -> Result<(), Error> {
        let overhead = SEALED_OVERHEAD as u64;
        match self.frame_limit {
            Some(limit) if len > limit.max(MAX_HANDSHAKE_COMMAND).saturating_add(overhead) => {
                Err(Error::MessageTooLarge { len: len.saturating_sub(overhead), limit })
            }
            _ => Ok(()),
        }
    }

    /// Whether more frames follow is said in the box. The crate omq repeats it outside, where
    /// anybody can write it: it must not say more than the box does.
    fn check_claim(&self, opened: Opened) -> Result<(), Error> {
        if self.claims_more && !opened.more {
            return Err(Misbehaved::Command("MESSAGE").into());
        }
        Ok(())
    }

    fn check_data(&self, len: usize) -> Result<(), Error> {
        let len = len.saturating_sub(SEALED_OVERHEAD) as u64;
        match self.frame_limit {
            Some(limit) if len > limit => Err(Error::MessageTooLarge { len, limit }),
            _ => Ok(()),
        }
    }
}

impl Connection {
    pub(super) fn receive_sealed<'a>(
        &'a mut self,
        now: Instant,
        input: &'a [u8],
    ) -> Result<(usize, Option<Received<'a>>), Error> {
        let mut consumed = 0;
        self.wanted = 1;
        let found = loop {
            let Some(rest) = input.get(consumed..).filter(|rest| !rest.is_empty()) else {
                break None;
            };
            let Some(sealed) = &mut self.sealed else {
                break None;
            };
            match sealed.find(now, rest, &mut self.heartbeat) {
                Ok(Found::Wait(wanted)) => {
                    self.wanted = wanted;
                    break None;
                }
                Ok(Found::Skip(more)) => {
                    consumed += more;
                    // What follows a PING is the "further traffic" that its TTL asks for.
                    if consumed < input.len() {
                        self.heartbeat.heard();
                    }
                }
                Ok(Found::Large { header, len }) => {
                    let head = rest.get(header..).unwrap_or_default();
                    self.seen = 0;
                    return Ok((input.len(), Some(Received::Sealed { head, len })));
                }
                Ok(Found::Event(more, opened)) => {
                    consumed += more;
                    break Some(opened);
                }
                Err(error) => {
                    self.end();
                    return Err(error);
                }
            }
        };
        self.seen = input.len().saturating_sub(consumed);
        match (found, &self.sealed) {
            (Some(opened), Some(sealed)) => Ok((consumed, Some(sealed.event(opened)?))),
            _ => Ok((consumed, None)),
        }
    }

    /// Opens a frame of which [`Received::Sealed`] told, once all of it is there. What it means
    /// comes back, if that is something; the body of a data frame is in `frame`, behind its first
    /// [`SEALED_OVERHEAD`](crate::SEALED_OVERHEAD) octets, and [`Received::Frame`] shows it there.
    ///
    /// # Errors
    ///
    /// Whatever ends the connection.
    pub fn open<'a>(
        &'a mut self,
        now: Instant,
        frame: &'a mut Vec<u8>,
    ) -> Result<Option<Received<'a>>, Error> {
        self.heartbeat.heard();
        let Some(sealed) = self.sealed.as_mut().filter(|_| matches!(self.state, State::Traffic(_)))
        else {
            return Err(Error::Over);
        };
        match sealed.open(now, frame, &mut self.heartbeat) {
            Ok(None) => {}
            Ok(Some(opened)) if opened.command => {
                if let Some(sealed) = &self.sealed {
                    return sealed.event(opened).map(Some);
                }
            }
            Ok(Some(opened)) => {
                let body = frame.get(SEALED_OVERHEAD..).unwrap_or_default();
                return Ok(Some(Received::Frame { body, more: opened.more }));
            }
            Err(error) => {
                self.end();
                return Err(error);
            }
        }
        Ok(None)
    }

    /// Whether frames are sealed: [`seal`](Self::seal) writes them, and not
    /// [`encode_header`](Self::encode_header).
    #[inline]
    #[must_use]
    pub fn is_sealing(&self) -> bool {
        self.sealed.is_some()
    }

    /// Appends a data frame, sealed. Sealed frames must leave in the order in which they were made,
    /// and so must those that [`transmit`](Self::transmit) gives. Without a mechanism that seals,
    /// nothing is appended.
    #[inline]
    pub fn seal(&mut self, body: &[u8], more: bool, out: &mut Vec<u8>) {
        if let Some(sealed) = &mut self.sealed {
            sealed.seal(body, more, out);
        }
    }
}
