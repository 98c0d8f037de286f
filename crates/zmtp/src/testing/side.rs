//! An owner of one connection: keeps what was not consumed, collects large frames, remembers what
//! happened.

use std::time::Instant;

use crate::{Config, Connection, Error, Received, Verdict};

/// A [`Received`] that owns what it holds. Large frames appear whole, as `Frame`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The owner was asked, and answered with [`Side::verdict`].
    Authenticate,
    /// The handshake is over.
    Ready,
    /// A data frame and whether more follow.
    Frame(Vec<u8>, bool),
    /// A subscription.
    Subscribe(Vec<u8>),
    /// The end of a subscription.
    Cancel(Vec<u8>),
    /// A group joined.
    Join(Vec<u8>),
    /// A group left.
    Leave(Vec<u8>),
}

impl Event {
    fn own(received: Received<'_>) -> Self {
        match received {
            Received::Authenticate => Self::Authenticate,
            Received::Ready => Self::Ready,
            Received::Frame { body, more } | Received::Large { head: body, more, .. } => {
                Self::Frame(body.to_vec(), more)
            }
            Received::Sealed { .. } => unreachable!("a sealed frame is opened first"),
            Received::Subscribe(topic) => Self::Subscribe(topic.to_vec()),
            Received::Cancel(topic) => Self::Cancel(topic.to_vec()),
            Received::Join(group) => Self::Join(group.to_vec()),
            Received::Leave(group) => Self::Leave(group.to_vec()),
        }
    }
}

/// A data frame that the owner collects on its own.
#[derive(Debug)]
struct Collecting {
    body: Vec<u8>,
    missing: u64,
    more: bool,
    sealed: bool,
}

/// One end of a connection with an owner that does as it is asked.
#[derive(Debug)]
pub struct Side {
    /// The connection.
    pub connection: Connection,
    /// Everything that happened, oldest first.
    pub events: Vec<Event>,
    /// What ended the connection, if something did.
    pub error: Option<Error>,
    /// The answer to [`Received::Authenticate`]; without one, the test gives it by itself.
    pub verdict: Option<Verdict>,
    kept: Vec<u8>,
    collecting: Option<Collecting>,
}

impl Side {
    /// An owner with a new connection.
    #[must_use]
    pub fn new(config: Config, now: Instant) -> Self {
        Self {
            connection: Connection::new(config, now),
            events: Vec::new(),
            error: None,
            verdict: Some(Verdict::Accept),
            kept: Vec::new(),
            collecting: None,
        }
    }

    /// Gives the connection octets from the wire and handles all that they mean.
    pub fn receive(&mut self, now: Instant, octets: &[u8]) {
        if self.error.is_some() {
            return;
        }
        let octets = self.collect(now, octets);
        if self.error.is_some() {
            return;
        }
        self.kept.extend_from_slice(octets);
        if self.collecting.is_none() {
            self.drain(now);
        }
    }

    /// Takes what belongs to the frame being collected; gives back the rest.
    fn collect<'a>(&mut self, now: Instant, octets: &'a [u8]) -> &'a [u8] {
        let Some(mut frame) = self.collecting.take() else {
            return octets;
        };
        if !octets.is_empty() {
            self.connection.heard(now);
        }
        let take = usize::try_from(frame.missing).map_or(octets.len(), |n| n.min(octets.len()));
        let (mine, rest) = octets.split_at(take);
        frame.body.extend_from_slice(mine);
        frame.missing -= take as u64;
        if frame.missing == 0 && frame.sealed {
            match self.connection.open(now, &mut frame.body) {
                Ok(event) => self.events.extend(event.map(Event::own)),
                Err(error) => self.error = Some(error),
            }
        } else if frame.missing == 0 {
            self.events.push(Event::Frame(frame.body, frame.more));
        } else {
            self.collecting = Some(frame);
        }
        rest
    }

    fn drain(&mut self, now: Instant) {
        let mut done = 0;
        loop {
            let input = &self.kept[done..];
            let left = match self.connection.receive(now, input) {
                Ok((consumed, received)) => {
                    assert!(consumed <= input.len(), "consumed more than there was");
                    let event = received.map(|received| match received {
                        Received::Large { head, len, more } => {
                            assert_eq!(consumed, input.len(), "a large frame takes everything");
                            let missing = len - head.len() as u64;
                            assert!(missing > 0, "a whole frame is not large");
                            Err(Collecting { body: head.to_vec(), missing, more, sealed: false })
                        }
                        Received::Sealed { head, len } => {
                            assert_eq!(consumed, input.len(), "a large frame takes everything");
                            let missing = len - head.len() as u64;
                            let body = head.to_vec();
                            Err(Collecting { body, missing, more: false, sealed: true })
                        }
                        other => Ok(Event::own(other)),
                    });
                    done += consumed;
                    event
                }
                Err(error) => {
                    self.error = Some(error);
                    return;
                }
            };
            match left {
                Some(Ok(event)) => {
                    let asked = event == Event::Authenticate;
                    self.events.push(event);
                    if asked && let Some(verdict) = self.verdict {
                        self.error = self.connection.authorize(verdict).err();
                    }
                    if self.error.is_some() {
                        return;
                    }
                }
                Some(Err(collecting)) => self.collecting = Some(collecting),
                None => break,
            }
            if self.collecting.is_some() {
                break;
            }
        }
        self.kept.drain(..done);
        assert!(
            self.collecting.is_some() || self.connection.wanted() > self.kept.len(),
            "asked for more, but for no more than there is"
        );
    }

    /// Gives the owner's answer and handles what follows from it.
    pub fn authorize(&mut self, now: Instant, verdict: Verdict) {
        self.error = self.connection.authorize(verdict).err();
        if self.error.is_none() {
            self.drain(now);
        }
    }

    /// Lets the connection do what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.error.is_none() {
            self.error = self.connection.handle_timeout(now).err();
        }
    }

    /// Everything that the connection wants sent.
    pub fn transmit(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.connection.transmit(&mut out);
        out
    }

    /// Octets received and not yet understood, those of a frame being collected not counted.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept.len()
    }

    /// A data frame as this side would send it, behind what its connection has to say.
    #[must_use]
    pub fn frame(&mut self, body: &[u8], more: bool) -> Vec<u8> {
        let mut out = self.transmit();
        if self.connection.is_sealing() {
            self.connection.seal(body, more, &mut out);
            return out;
        }
        self.connection.encode_header(body.len(), more, &mut out);
        out.extend_from_slice(body);
        out
    }
}
