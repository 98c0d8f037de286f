//! Passing messages between two sockets: zmq_proxy(3) and zmq_proxy_steerable(3).

use std::collections::VecDeque;
use std::time::Duration;

use super::core::SocketCore;
use super::poller::{POLLIN, POLLOUT, PollItem, Waits, poll};
use crate::error::Error;
use crate::message::{Message, Part};
use crate::sync::Arc;

/// How many messages go one way before the other way gets its turn.
const BURST: usize = 1000;

/// How many replies may wait for the control socket to take them, before commands do.
const REPLIES: usize = 1000;

/// How long to wait for one peer of a side to have room, of which no event tells.
const HELD: Duration = Duration::from_millis(10);

/// What went through a proxy, in the order of the reply to `STATISTICS`.
#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    messages: u64,
    bytes: u64,
}

/// What the control socket made of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Active,
    Paused,
    Terminated,
}

struct Proxy<'a> {
    frontend: &'a Arc<SocketCore>,
    backend: &'a Arc<SocketCore>,
    capture: Option<&'a Arc<SocketCore>>,
    control: Option<&'a Arc<SocketCore>>,
    mode: Mode,
    /// A message that one peer of the other side has no room for, forth and back.
    held: [Option<Message>; 2],
    /// Replies that the control socket has no room for.
    replies: VecDeque<Message>,
    /// Received and sent by the frontend, then by the backend.
    traffic: [Traffic; 4],
}

/// Passes messages both ways until the context ends or the control socket says so. A side that
/// is full does not stop the other direction, and no message is taken that could not be passed.
pub(crate) fn run(
    frontend: &Arc<SocketCore>,
    backend: &Arc<SocketCore>,
    capture: Option<&Arc<SocketCore>>,
    control: Option<&Arc<SocketCore>>,
) -> Result<(), Error> {
    let mut proxy = Proxy {
        frontend,
        backend,
        capture,
        control,
        mode: Mode::Active,
        held: [None, None],
        replies: VecDeque::new(),
        traffic: [Traffic::default(); 4],
    };
    while proxy.mode != Mode::Terminated {
        proxy.round()?;
    }
    Ok(())
}

impl Proxy<'_> {
    fn round(&mut self) -> Result<(), Error> {
        self.obey()?;
        if self.mode == Mode::Terminated {
            return Ok(());
        }
        let mut items = Vec::with_capacity(3);
        if self.mode == Mode::Active {
            let same = Arc::ptr_eq(self.frontend, self.backend);
            let moved = if same { self.echo()? } else { self.pass(true)? + self.pass(false)? };
            if moved > 0 {
                return Ok(());
            }
            // Wait for input where there is none, and for room where there is input.
            let (front_in, front_out) = self.frontend.ready_now()?;
            let (back_in, back_out) = self.backend.ready_now()?;
            let [forth, back] = self.held.each_ref().map(Option::is_some);
            let (forth, back) = (front_in && !forth, back_in && !back);
            let can_pass = forth && (back_out || same) || back && front_out;
            match self.capture {
                Some(capture) if can_pass && !can_send(capture)? => {
                    items.push(item(capture, POLLOUT));
                }
                _ if can_pass => return Ok(()),
                _ => {
                    let wanted = |input: bool, room: bool| {
                        (if input { 0 } else { POLLIN }) | (if room { POLLOUT } else { 0 })
                    };
                    items.push(item(self.frontend, wanted(front_in, back)));
                    if !same {
                        items.push(item(self.backend, wanted(back_in, forth)));
                    }
                }
            }
        }
        if let Some(control) = self.control {
            let replies = if self.replies.is_empty() { 0 } else { POLLOUT };
            let commands = if self.replies.len() < REPLIES { POLLIN } else { 0 };
            items.push(item(control, commands | replies));
        }
        let held = self.mode == Mode::Active && self.held.iter().any(Option::is_some);
        poll(&mut items, held.then_some(HELD)).map(drop)
    }

    /// Whether there is room for the copy of another message.
    fn can_capture(&self) -> Result<bool, Error> {
        self.capture.map_or(Ok(true), |capture| can_send(capture))
    }

    /// Tries again to pass what a peer had no room for. False if it still has none.
    fn release(&mut self, forth: bool) -> Result<bool, Error> {
        let to = if forth { self.backend } else { self.frontend };
        let [first, second] = &mut self.held;
        let held = if forth { first } else { second };
        let Some(message) = held.take() else {
            return Ok(true);
        };
        match to.send_message(message, true) {
            Ok(()) | Err((Error::Unroutable, _)) => Ok(true),
            Err((Error::WouldBlock, message)) => {
                *held = Some(message);
                Ok(false)
            }
            Err((error, _)) => Err(error),
        }
    }

    /// Passes a burst of messages one way. Returns how many.
    fn pass(&mut self, forth: bool) -> Result<usize, Error> {
        let (from, to) =
            if forth { (self.frontend, self.backend) } else { (self.backend, self.frontend) };
        let mut count = 0;
        if !self.release(forth)? {
            return Ok(count);
        }
        while count < BURST && can_send(to)? && self.can_capture()? {
            let mut part = Part::new();
            match from.receive_part(&mut part, true) {
                Ok(()) => {}
                Err(Error::WouldBlock) => break,
                // A side that never sends, such as a SUB or PULL frontend's counterpart.
                Err(Error::Unsupported) => break,
                Err(error) => return Err(error),
            }
            let mut bytes = 0;
            let mut held: Option<Message> = None;
            let mut first = true;
            loop {
                bytes += part.len() as u64;
                let more = part.more();
                if let Some(capture) = self.capture {
                    let mut copy = part.clone();
                    capture.send_part(&mut copy, more, false)?;
                }
                match &mut held {
                    Some(held) => held.push(std::mem::take(&mut part)),
                    None => match to.send_part(&mut part, more, first) {
                        Ok(()) | Err(Error::Unroutable) => {}
                        Err(Error::WouldBlock) if first => {
                            held = Some(Message::from(std::mem::take(&mut part)));
                        }
                        Err(error) => return Err(error),
                    },
                }
                first = false;
                if !more {
                    break;
                }
                from.receive_part(&mut part, false)?;
            }
            self.count(forth, bytes);
            count += 1;
            if held.is_some() {
                let [first, second] = &mut self.held;
                *(if forth { first } else { second }) = held;
                break;
            }
        }
        Ok(count)
    }

    /// Returns a burst of messages to where they came from, when one socket is both sides. A REP
    /// has room for its reply only once it has the whole request, so the message comes first.
    fn echo(&mut self) -> Result<usize, Error> {
        let mut count = 0;
        while count < BURST && self.can_capture()? {
            let message = match self.frontend.receive_message(true) {
                Ok(message) => message,
                Err(Error::WouldBlock) => break,
                Err(error) => return Err(error),
            };
            if let Some(capture) = self.capture {
                capture.send_message(message.clone(), false).map_err(|(error, _)| error)?;
            }
            let bytes = message.iter().map(|part| part.len() as u64).sum();
            match self.frontend.send_message(message, false) {
                Ok(()) | Err((Error::Unroutable, _)) => {}
                Err((error, _)) => return Err(error),
            }
            self.count(true, bytes);
            count += 1;
        }
        Ok(count)
    }

    fn count(&mut self, forth: bool, bytes: u64) {
        // Received by one side and sent by the other.
        for index in if forth { [0, 3] } else { [2, 1] } {
            self.traffic[index].messages += 1;
            self.traffic[index].bytes += bytes;
        }
    }

    /// Does what the control socket says.
    fn obey(&mut self) -> Result<(), Error> {
        let Some(control) = self.control else {
            return Ok(());
        };
        self.reply(control)?;
        if self.replies.len() >= REPLIES {
            return Ok(());
        }
        let command = match control.receive_message(true) {
            Ok(command) => command,
            Err(Error::WouldBlock) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut reply = Message::new();
        match command.first() {
            b"PAUSE" => self.mode = Mode::Paused,
            b"RESUME" => self.mode = Mode::Active,
            b"TERMINATE" => self.mode = Mode::Terminated,
            b"STATISTICS" => reply = self.statistics(),
            // The manual names no answer to other words: they change nothing.
            _ => {}
        }
        // A control socket that answers (REP) has to, before it hears more.
        let statistics = command.first() == b"STATISTICS";
        if statistics || control.kind() == zmtp::SocketType::Rep {
            self.replies.push_back(reply);
            // After TERMINATE there is no other round that would send it.
            self.reply(control)?;
        }
        Ok(())
    }

    /// Sends the replies that the control socket has room for.
    fn reply(&mut self, control: &SocketCore) -> Result<(), Error> {
        while let Some(reply) = self.replies.pop_front() {
            match control.send_message(reply, true) {
                Ok(()) => {}
                Err((Error::WouldBlock, reply)) => {
                    self.replies.push_front(reply);
                    break;
                }
                Err((error, _)) => return Err(error),
            }
        }
        Ok(())
    }

    fn statistics(&self) -> Message {
        let numbers = self.traffic.iter().flat_map(|side| [side.messages, side.bytes]);
        Message::from_parts(numbers.map(|number| Part::copy_from(&number.to_ne_bytes())))
    }
}

fn item(socket: &Arc<SocketCore>, events: i16) -> PollItem {
    PollItem::new(Waits::Socket(Arc::clone(socket)), events)
}

fn can_send(socket: &SocketCore) -> Result<bool, Error> {
    let mut state = socket.enter()?;
    socket.look_if_pending(&mut state);
    let inner = &mut *state;
    let can = inner.pattern.has_out(&mut inner.pipes);
    socket.leave(state);
    Ok(can)
}
