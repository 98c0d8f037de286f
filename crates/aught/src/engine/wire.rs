//! The bytes of one connection: reading them into the protocol, writing what is queued. What
//! the protocol's events mean for a socket is the session's to decide, through [`Sink`].

mod sending;

use std::os::fd::OwnedFd;
use std::time::Instant;

use zmtp::Received;

use super::outbox::Outbox;
use super::thread::SCRATCH;
use crate::message::pool::Piece;
use crate::message::{Arena, Kind, Part};
use crate::pipe::PipeEnd;
use crate::sys::poll::{Interest, Poll};
use crate::sys::socket::{self, Moved};

/// How much a read asks for while messages are small, in bytes.
const SMALL_READ: usize = 64 * 1024;

/// How much memory is set aside at once for a body that a peer announced, in bytes. More is
/// taken only as bytes arrive.
const TRUSTED: usize = 4 * 1024 * 1024;

/// How many reads or writes one turn may make.
const TURNS: usize = 8;

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum Broken {
    /// The peer closed it.
    End,
    /// The operating system says so.
    Os(i32),
    /// The peer broke the protocol, or does not fit.
    Protocol(zmtp::Error),
}

impl From<rustix::io::Errno> for Broken {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::Os(errno.raw_os_error())
    }
}

impl From<zmtp::Error> for Broken {
    fn from(error: zmtp::Error) -> Self {
        Self::Protocol(error)
    }
}

/// What became of a turn of reading or writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing more to do until something happens.
    Idle,
    /// The turn is used up; there may be more.
    More,
    /// The peer has shown its credentials: decide, and tell [`Wire::authorize`].
    Authenticate,
    /// The handshake is done: say so, then go on.
    Ready,
}

/// What speaks on the connection.
pub(super) enum Protocol {
    Zmtp(Box<zmtp::Connection>),
    /// Bytes as they are (STREAM, ROUTER_RAW).
    Raw,
}

/// How the bytes of a connection are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// Little at a time: whoever wants few messages queued wants few in buffers, too.
    pub(super) little: bool,
    /// Small bodies share memory, which lives as long as any of them (`ZMQ_ZERO_COPY_RECV`).
    pub(super) shares: bool,
}

/// A body that is larger than what was there of it when its header came.
struct Large {
    body: Piece,
    len: usize,
    more: bool,
    /// It has to be opened when it is whole.
    sealed: bool,
}

impl Large {
    fn start(head: &[u8], len: u64, more: bool, sealed: bool) -> Result<Self, Broken> {
        let len = usize::try_from(len).map_err(|_| Broken::Os(libc::ENOMEM))?;
        // What a peer announces must not end the process when memory is short.
        let room = len.min(TRUSTED.max(head.len()));
        let mut body = Piece::with_room(room).ok_or(Broken::Os(libc::ENOMEM))?;
        body.extend_from_slice(head);
        Ok(Self { body, len, more, sealed })
    }
}

/// What a command of the peer is to its socket; `None` for what sockets know nothing of.
fn command_part(command: &Received<'_>) -> Option<Part> {
    Some(match command {
        Received::Subscribe(topic) => Part::copy_from(topic).with_kind(Kind::Subscribe),
        Received::Cancel(topic) => Part::copy_from(topic).with_kind(Kind::Cancel),
        Received::Join(group) => Part::copy_from(group).with_kind(Kind::Join),
        Received::Leave(group) => Part::copy_from(group).with_kind(Kind::Leave),
        _ => return None,
    })
}

/// One connection's descriptor, protocol and buffers.
pub(super) struct Wire {
    pub(super) fd: OwnedFd,
    pub(super) protocol: Protocol,
    /// Bytes that were read and could not be taken in yet.
    rest: Vec<u8>,
    large: Option<Large>,
    /// Where small bodies are put; `None` gives each memory of its own.
    arena: Option<Arena>,
    read_size: usize,
    pub(super) outbox: Outbox,
    /// The kernel took less than it was given: wait until it takes more.
    blocked: bool,
    /// The peer hears nothing any more. What it said before is still read.
    deaf_peer: bool,
    /// The pipe is full: do not read on until there is room.
    pub(super) paused: bool,
    /// Nobody wants what comes in any more.
    pub(super) discard: bool,
    /// Messages that came in all the same.
    pub(super) unwanted: u64,
    /// What the descriptor is watched for; `None` while it is not watched at all.
    watched: Option<Interest>,
    ready: bool,
    /// Bytes of the handshake that were taken in.
    heard: usize,
    /// The peer waits for a verdict.
    asking: bool,
    /// The verdict was given: the protocol may have something to tell without new bytes.
    decided: bool,
}

impl Wire {
    pub(super) fn new(fd: OwnedFd, protocol: Protocol, reading: Reading) -> Self {
        let ready = matches!(protocol, Protocol::Raw);
        Self {
            fd,
            protocol,
            rest: Vec::new(),
            large: None,
            arena: reading.shares.then(Arena::default),
            read_size: if reading.little { 8 * 1024 } else { SMALL_READ },
            outbox: Outbox::default(),
            blocked: false,
            deaf_peer: false,
            paused: false,
            discard: false,
            unwanted: 0,
            watched: None,
            ready,
            heard: 0,
            asking: false,
            decided: false,
        }
    }

    /// What the peer has us hold of its handshake at most, in bytes: all that it has said so far,
    /// and the room for what could not be taken in yet.
    pub(super) fn held(&self) -> usize {
        self.heard.saturating_add(self.rest.capacity())
    }

    /// Whether messages can be exchanged.
    pub(super) fn is_ready(&self) -> bool {
        self.ready
    }

    /// Brings what the descriptor is watched for up to date.
    pub(super) fn watch(&mut self, poll: &Poll, token: u64) -> Result<(), rustix::io::Errno> {
        let wanted = Interest { read: !self.paused, write: self.blocked };
        match self.watched {
            Some(interest) if interest == wanted => return Ok(()),
            Some(_) => poll.modify(&self.fd, token, wanted)?,
            // A hang-up is told again and again: not before somebody wants to read.
            None if self.paused => return Ok(()),
            None => poll.add(&self.fd, token, wanted)?,
        }
        self.watched = Some(wanted);
        Ok(())
    }

    /// Does not watch the descriptor until reading goes on: its peer has hung up, and what it
    /// sent before cannot be taken in yet.
    pub(super) fn unwatch(&mut self, poll: &Poll) {
        if self.watched.take().is_some() {
            let _ = poll.remove(&self.fd); // it was added, so it is there
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.protocol {
            Protocol::Zmtp(connection) => connection.poll_timeout(),
            Protocol::Raw => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Result<(), Broken> {
        if let Protocol::Zmtp(connection) = &mut self.protocol {
            if self.paused {
                // We chose not to read: the peer's silence says nothing.
                connection.heard(now);
            }
            connection.handle_timeout(now)?;
        }
        Ok(())
    }

    /// Reads and takes in what there is, as far as the pipe has room.
    pub(super) fn read(
        &mut self,
        pipe: &mut Option<PipeEnd>,
        scratch: &mut Vec<u8>,
        now: Instant,
    ) -> Result<Progress, Broken> {
        let decided = std::mem::take(&mut self.decided);
        if (!self.rest.is_empty() || decided) && self.large.is_none() {
            // Take in what was held back first.
            let progress = self.take_in_rest(pipe, now)?;
            if matches!(progress, Progress::Ready | Progress::Authenticate) || self.paused {
                return Ok(progress);
            }
        }
        for _ in 0..TURNS {
            if self.paused {
                return Ok(Progress::Idle);
            }
            if let Some(full) = self.read_large(pipe, now)? {
                if !full {
                    return Ok(Progress::Idle);
                }
                // What came with the end of the body may be all that comes.
                self.take_in_rest(pipe, now)?;
                continue;
            }
            match self.read_some(pipe, scratch, now)? {
                (_, told @ (Progress::Ready | Progress::Authenticate)) => return Ok(told),
                (true, _) => {}
                (false, _) => return Ok(Progress::Idle),
            }
        }
        Ok(Progress::More)
    }

    /// One read through the thread's buffer. True if it was filled, so that there may be more.
    fn read_some(
        &mut self,
        pipe: &mut Option<PipeEnd>,
        scratch: &mut Vec<u8>,
        now: Instant,
    ) -> Result<(bool, Progress), Broken> {
        if self.rest.len() >= SCRATCH / 4 {
            if self.asking {
                // A peer that is not let in yet has nothing to say, least of all this much.
                return Err(zmtp::Error::Misbehaved(zmtp::Misbehaved::EarlyMessage).into());
            }
            return self.read_behind_rest(pipe, now);
        }
        if scratch.len() < SCRATCH {
            scratch.resize(SCRATCH, 0);
        }
        let held = self.rest.len();
        scratch[..held].copy_from_slice(&self.rest);
        let end = (held + self.read_size).min(SCRATCH);
        let count = match socket::receive_into(&self.fd, &mut scratch[held..end])? {
            Moved::End => return Err(Broken::End),
            Moved::Bytes(count) => count,
            Moved::Blocked => return Ok((false, Progress::Idle)),
        };
        self.rest.clear();
        let filled = held + count == end;
        let (used, progress) = self.take_in(&scratch[..held + count], pipe, now)?;
        self.rest.extend_from_slice(&scratch[used..held + count]);
        if self.rest.is_empty() && self.rest.capacity() > SMALL_READ {
            self.rest = Vec::new();
        }
        Ok((filled, progress))
    }

    /// A read behind what is held back already: for commands that are larger than a buffer.
    fn read_behind_rest(
        &mut self,
        pipe: &mut Option<PipeEnd>,
        now: Instant,
    ) -> Result<(bool, Progress), Broken> {
        let room = self.rest.len().min(TRUSTED);
        self.rest.try_reserve(room).map_err(|_| Broken::Os(libc::ENOMEM))?;
        match socket::receive(&self.fd, &mut self.rest)? {
            Moved::End => return Err(Broken::End),
            Moved::Blocked => return Ok((false, Progress::Idle)),
            Moved::Bytes(_) => {}
        }
        Ok((true, self.take_in_rest(pipe, now)?))
    }

    /// Gives what was held back to the protocol.
    fn take_in_rest(
        &mut self,
        pipe: &mut Option<PipeEnd>,
        now: Instant,
    ) -> Result<Progress, Broken> {
        let mut rest = std::mem::take(&mut self.rest);
        let (used, progress) = self.take_in(&rest, pipe, now)?;
        if used < rest.len() {
            rest.drain(..used);
            self.rest = rest;
        }
        Ok(progress)
    }

    /// Goes on reading a large body straight into its own memory. `None` if there is none to
    /// read, else whether it is complete.
    fn read_large(
        &mut self,
        pipe: &mut Option<PipeEnd>,
        now: Instant,
    ) -> Result<Option<bool>, Broken> {
        let Some(large) = &mut self.large else {
            return Ok(None);
        };
        while large.body.len() < large.len {
            let missing = large.len - large.body.len();
            if large.body.capacity() == large.body.len() {
                let room = missing.min(large.body.len().max(TRUSTED));
                large.body.try_reserve_exact(room).map_err(|_| Broken::Os(libc::ENOMEM))?;
            }
            match socket::receive(&self.fd, &mut large.body)? {
                Moved::End => return Err(Broken::End),
                Moved::Bytes(_) => {}
                Moved::Blocked => return Ok(Some(false)),
            }
            if let Protocol::Zmtp(connection) = &mut self.protocol {
                connection.heard(now);
            }
        }
        if let Some(mut large) = self.large.take() {
            // The allocator may have given more than was asked for.
            self.rest = large.body.split_off(large.len);
            if large.sealed {
                self.open(large.body, pipe, now)?;
            } else {
                self.deliver(Part::from_piece(large.body, 0).with_more(large.more), pipe);
            }
            if let Some(pipe) = pipe {
                pipe.flush();
            }
        }
        Ok(Some(true))
    }

    /// Opens a sealed frame in its own memory and gives what is in it to the pipe.
    fn open(
        &mut self,
        mut frame: Piece,
        pipe: &mut Option<PipeEnd>,
        now: Instant,
    ) -> Result<(), Broken> {
        let Protocol::Zmtp(connection) = &mut self.protocol else {
            return Ok(());
        };
        let part = match connection.open(now, &mut frame)? {
            None => return Ok(()),
            Some(Received::Frame { more, .. }) => {
                Part::from_piece(frame, zmtp::SEALED_OVERHEAD).with_more(more)
            }
            Some(command) => match command_part(&command) {
                Some(part) => part,
                None => return Ok(()),
            },
        };
        self.deliver(part, pipe);
        Ok(())
    }

    fn deliver(&mut self, part: Part, pipe: &mut Option<PipeEnd>) {
        match pipe {
            Some(pipe) if !self.discard => pipe.write(part),
            _ => self.unwanted += u64::from(part.kind() == Kind::Data && !part.more()),
        }
    }

    /// Gives bytes to the protocol and what they mean to the pipe. Says how many were used.
    fn take_in(
        &mut self,
        input: &[u8],
        pipe: &mut Option<PipeEnd>,
        now: Instant,
    ) -> Result<(usize, Progress), Broken> {
        let result = match &mut self.protocol {
            Protocol::Raw => Ok((self.take_in_raw(input, pipe), Progress::Idle)),
            Protocol::Zmtp(_) => self.take_in_frames(input, pipe, now),
        };
        if let Some(pipe) = pipe {
            // What came before an error is good, and is shown also then.
            pipe.flush();
        }
        result
    }

    fn take_in_raw(&mut self, input: &[u8], pipe: &mut Option<PipeEnd>) -> usize {
        if !self.has_room(pipe) {
            return 0;
        }
        self.deliver(Part::copy_from(input), pipe);
        input.len()
    }

    /// Whether the pipe takes another message; if not, reading pauses.
    fn has_room(&mut self, pipe: &mut Option<PipeEnd>) -> bool {
        self.paused = !self.discard && pipe.as_mut().is_some_and(|pipe| !pipe.can_write());
        !self.paused
    }

    fn take_in_frames(
        &mut self,
        input: &[u8],
        pipe: &mut Option<PipeEnd>,
        now: Instant,
    ) -> Result<(usize, Progress), Broken> {
        let mut used = 0;
        loop {
            if self.ready && !self.has_room(pipe) {
                return Ok((used, Progress::Idle));
            }
            let Protocol::Zmtp(connection) = &mut self.protocol else {
                return Ok((used, Progress::Idle));
            };
            let (count, received) = connection.receive(now, &input[used..])?;
            used += count;
            if !self.ready {
                self.heard = self.heard.saturating_add(count);
            }
            let part = match received {
                Some(Received::Frame { body, more }) => match &mut self.arena {
                    Some(arena) => arena.copy(body).with_more(more),
                    None => Part::copy_from(body).with_more(more),
                },
                Some(Received::Large { head, len, more }) => {
                    self.large = Some(Large::start(head, len, more, false)?);
                    self.read_size = SCRATCH;
                    return Ok((used, Progress::Idle));
                }
                Some(Received::Sealed { head, len }) => {
                    self.large = Some(Large::start(head, len, false, true)?);
                    self.read_size = SCRATCH;
                    return Ok((used, Progress::Idle));
                }
                Some(Received::Ready) => {
                    self.ready = true;
                    return Ok((used, Progress::Ready));
                }
                Some(Received::Authenticate) => {
                    self.asking = true;
                    return Ok((used, Progress::Authenticate));
                }
                Some(command) => match command_part(&command) {
                    Some(part) => part,
                    None => continue,
                },
                None if count == 0 || used == input.len() => {
                    return Ok((used, Progress::Idle));
                }
                None => continue,
            };
            self.deliver(part, pipe);
        }
    }

    /// Answers [`Progress::Authenticate`]. When the peer is accepted, [`Wire::read`] goes on.
    pub(super) fn authorize(&mut self, verdict: zmtp::Verdict) -> Result<(), Broken> {
        if let Protocol::Zmtp(connection) = &mut self.protocol
            && std::mem::take(&mut self.asking)
        {
            connection.authorize(verdict)?;
            self.decided = true;
        }
        Ok(())
    }

    /// Sends what the protocol has to say at the end of a handshake that failed, if the kernel
    /// takes it at once.
    pub(super) fn say_why(&mut self) {
        if !self.ready && !self.is_blocked() {
            self.enqueue_control();
            let _ = self.write(); // the connection is over either way
        }
    }
}
