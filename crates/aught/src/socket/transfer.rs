//! Sending and receiving part by part, waiting as the socket's options say. Whole messages, for
//! the Rust interface, are made of these in `blocking`.

use std::time::{Duration, Instant};

use super::core::{Guard, SocketCore};
use crate::error::Error;
use crate::message::{Message, Part};
use crate::pattern::{RecvError, SendError};

/// How long a call waits.
#[derive(Clone, Copy)]
enum Patience {
    None,
    /// As the socket's option says.
    Option,
    For(Duration),
}

/// When to give up: `None` means never, a zero wait means at once.
pub(crate) fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    // A time too far away to be named is never.
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

impl SocketCore {
    /// Sends one part, which is taken out of `part` on success. Waits as `ZMQ_SNDTIMEO` says
    /// unless told not to.
    pub(crate) fn send_part(
        &self,
        part: &mut Part,
        more: bool,
        dont_wait: bool,
    ) -> Result<(), Error> {
        let state = self.enter()?;
        let state = self.send_entered(state, part, more, dont_wait)?;
        self.leave(state);
        Ok(())
    }

    /// Sends a copy of some bytes as one part.
    pub(crate) fn send_bytes(
        &self,
        bytes: &[u8],
        more: bool,
        dont_wait: bool,
    ) -> Result<(), Error> {
        let mut state = self.enter()?;
        let mut part = state.arena.copy(bytes);
        let state = self.send_as_it_is(state, &mut part, more, dont_wait)?;
        self.leave(state);
        Ok(())
    }

    /// Sends one part within a call. The lock is only given back in the meantime when it has to
    /// wait, which no part of a message does but the first.
    #[inline]
    fn send_entered<'a>(
        &'a self,
        mut state: Guard<'a>,
        part: &mut Part,
        more: bool,
        dont_wait: bool,
    ) -> Result<Guard<'a>, Error> {
        if !part.is_cheaper_copied() {
            return self.send_as_it_is(state, part, more, dont_wait);
        }
        // The caller's body stays where it is until its copy has gone.
        let mut copy = state.arena.copy(part);
        let sent = self.send_as_it_is(state, &mut copy, more, dont_wait);
        match &sent {
            Ok(_) => *part = Part::new(),
            Err(_) => part.set_more(false),
        }
        sent
    }

    fn send_as_it_is<'a>(
        &'a self,
        mut state: Guard<'a>,
        part: &mut Part,
        more: bool,
        dont_wait: bool,
    ) -> Result<Guard<'a>, Error> {
        self.look_now_and_then(&mut state);
        Self::speaks(&mut state);
        part.set_more(more);
        if part.peer().is_some() {
            part.set_peer(None);
        }
        let mut until: Option<Option<Instant>> = None;
        loop {
            let inner = &mut *state;
            let error = match inner.pattern.send(part, &mut inner.pipes) {
                Ok(()) => {
                    state.more_out = more;
                    if self.is_raw() {
                        self.reap(&mut state); // an empty part ends a connection
                    }
                    return Ok(state);
                }
                Err(error) => error,
            };
            if error == SendError::Full && self.mailbox.is_pending() && self.look_if_due(&mut state)
            {
                continue;
            }
            if error != SendError::Full
                || dont_wait
                || state.options.sndtimeo == Some(Duration::ZERO)
            {
                part.set_more(false);
                self.mailbox.settle();
                self.leave(state);
                return Err(error.into());
            }
            let until = *until.get_or_insert_with(|| deadline(state.options.sndtimeo));
            state = self.wait(state, until)?;
        }
    }

    /// Receives one part to where it is wanted; on failure, what is there stays. Waits as `ZMQ_RCVTIMEO` says unless told not to.
    pub(crate) fn receive_part(&self, to: &mut Part, dont_wait: bool) -> Result<(), Error> {
        let patience = if dont_wait { Patience::None } else { Patience::Option };
        let state = self.receive_entered(to, patience)?;
        self.leave(state);
        Ok(())
    }

    /// Receives one part and stays in the call, so that the rest of its message can follow.
    #[inline]
    fn receive_entered(&self, to: &mut Part, patience: Patience) -> Result<Guard<'_>, Error> {
        let mut state = self.enter()?;
        self.look_if_pending(&mut state);
        let mut until: Option<Option<Instant>> = None;
        loop {
            let inner = &mut *state;
            let error = match inner.pattern.recv_to(&mut inner.pipes, to) {
                Ok(()) => {
                    state.more_in = to.more();
                    return Ok(state);
                }
                Err(error) => error,
            };
            let timeout = match patience {
                Patience::None => Some(Duration::ZERO),
                Patience::Option => state.options.rcvtimeo,
                Patience::For(time) => Some(time),
            };
            if error != RecvError::Empty || timeout == Some(Duration::ZERO) {
                self.mailbox.settle();
                self.leave(state);
                return Err(error.into());
            }
            let until = *until.get_or_insert_with(|| deadline(timeout));
            state = self.wait(state, until)?;
        }
    }

    /// Sends a whole message in one call. On failure it is given back whole.
    pub(crate) fn send_message(
        &self,
        message: Message,
        dont_wait: bool,
    ) -> Result<(), (Error, Message)> {
        let mut state = match self.enter() {
            Ok(state) => state,
            Err(error) => return Err((error, message)),
        };
        let mut parts = message.into_parts().peekable();
        let mut sent = Vec::new();
        while let Some(mut part) = parts.next() {
            let more = parts.peek().is_some();
            // Kept until the message is on its way: sharing a body costs no copy.
            let copy = more.then(|| part.clone());
            match self.send_entered(state, &mut part, more, dont_wait) {
                Ok(guard) => state = guard,
                Err(error) => {
                    sent.push(part);
                    sent.extend(parts);
                    return Err((error, Message::from_parts(sent)));
                }
            }
            sent.extend(copy);
        }
        self.leave(state);
        Ok(())
    }

    /// Receives a whole message in one call.
    pub(crate) fn receive_message(&self, dont_wait: bool) -> Result<Message, Error> {
        self.receive_whole(if dont_wait { Patience::None } else { Patience::Option })
    }

    /// Receives a whole message in one call, waiting for at most `timeout`.
    pub(crate) fn receive_message_within(&self, timeout: Duration) -> Result<Message, Error> {
        self.receive_whole(Patience::For(timeout))
    }

    fn receive_whole(&self, patience: Patience) -> Result<Message, Error> {
        let mut first = Part::new();
        let mut state = self.receive_entered(&mut first, patience)?;
        let mut more = first.more();
        let mut message = Message::from(first);
        while more {
            // The rest is there: messages arrive whole. It can only be missing when its sender
            // was turned away in the middle.
            let inner = &mut *state;
            let Ok(part) = inner.pattern.recv(&mut inner.pipes) else { break };
            more = part.more();
            state.more_in = more;
            message.push(part);
        }
        self.leave(state);
        Ok(message)
    }

    /// What can be done now without waiting: `ZMQ_EVENTS`.
    pub(crate) fn ready_now(&self) -> Result<(bool, bool), Error> {
        let mut state = self.enter()?;
        self.look(&mut state);
        let inner = &mut *state;
        let ready =
            (inner.pattern.has_in(&mut inner.pipes), inner.pattern.has_out(&mut inner.pipes));
        self.leave(state);
        Ok(ready)
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Full => Self::WouldBlock,
            SendError::Unroutable => Self::Unroutable,
            SendError::State => Self::WrongState,
            SendError::Unsupported => Self::Unsupported,
        }
    }
}

impl From<RecvError> for Error {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Empty => Self::WouldBlock,
            RecvError::State => Self::WrongState,
            RecvError::Unsupported => Self::Unsupported,
        }
    }
}
