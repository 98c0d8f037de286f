//! Tests of the patterns, with pipes between them and nothing else: no engine, no time, no
//! threads. Here is what joins them; the cases are in one file per group of patterns. Where a
//! test gives an exact order, that order was seen with libzmq 4.3.4.

mod conservation;
mod pipeline;
mod pubsub;
mod reqrep;
mod router;
mod stream;

use std::collections::{HashMap, VecDeque};

use super::{Attach, Drop as Cause, Pattern, PatternOption, RecvError, SendError, new_pattern};
use crate::message::{Kind, Part, Peer};
use crate::pipe::{Marks, Owner, PipeEnd, PipeId, PipeOptions, Pipes, Signal, pipe};
use crate::sync::{Arc, Mutex, lock};
use zmtp::SocketType;

/// Remembers the signals of a socket's pipes.
#[derive(Default)]
struct Inbox(Mutex<VecDeque<(u64, Signal)>>);

impl Owner for Inbox {
    fn signal(&self, token: u64, signal: Signal) {
        lock(&self.0).push_back((token, signal));
    }
}

/// A pattern with its pipes, treated as the engine treats it.
struct Node {
    pattern: Box<dyn Pattern>,
    pipes: Pipes,
    inbox: Arc<Inbox>,
    peer: Arc<Peer>,
    hwm: u32,
    drops: HashMap<Cause, u64>,
}

/// A message as its parts' texts.
type Text = Vec<String>;

fn text(parts: &[&str]) -> Text {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

fn texts(messages: &[&[&str]]) -> Vec<Text> {
    messages.iter().map(|parts| text(parts)).collect()
}

impl Node {
    fn new(kind: SocketType) -> Self {
        Self::with(kind, "", 1000)
    }

    fn with(kind: SocketType, id: &str, hwm: u32) -> Self {
        Self {
            pattern: new_pattern(kind).unwrap(),
            pipes: Pipes::default(),
            inbox: Arc::default(),
            peer: Arc::new(Peer::new(id.as_bytes().to_vec(), Some(kind))),
            hwm,
            drops: HashMap::new(),
        }
    }

    fn set(&mut self, option: PatternOption) -> &mut Self {
        self.pattern.set(option, &mut self.pipes).unwrap();
        self
    }

    fn attach(&mut self, end: PipeEnd, how: Attach<'_>) -> PipeId {
        let id = self.pipes.insert(end);
        self.pipes.get(id).unwrap().set_owner(Arc::clone(&self.inbox) as _, id.token());
        self.pattern.attach(id, how, &mut self.pipes);
        if self.pipes.get(id).is_some_and(PipeEnd::is_closed) {
            self.inbox.signal(id.token(), Signal::Closed);
        }
        self.reap();
        id
    }

    /// Handles what pipes have signalled.
    fn settle(&mut self) {
        loop {
            let next = lock(&self.inbox.0).pop_front();
            let Some((token, signal)) = next else { break };
            let id = PipeId::from_token(token);
            let Self { pattern, pipes, .. } = self;
            let Some(end) = pipes.get_mut(id) else {
                continue;
            };
            match signal {
                Signal::Readable => pattern.readable(id, pipes),
                Signal::Writable => {
                    end.refresh_room();
                    pattern.writable(id, pipes);
                }
                Signal::Hiccup => pattern.hiccup(id, pipes),
                Signal::Closed => {
                    let wanted = pattern.closing(id, pipes);
                    if !wanted || !pipes.can_read(id) {
                        self.forget(id);
                    }
                }
            }
            self.reap();
        }
    }

    fn forget(&mut self, id: PipeId) {
        self.pattern.detach(id, &mut self.pipes);
        self.pattern.detach(id, &mut self.pipes); // twice makes no difference
        drop(self.pipes.remove(id));
    }

    fn reap(&mut self) {
        for id in self.pipes.take_drained() {
            self.forget(id);
        }
        for id in self.pattern.take_rejected() {
            self.forget(id);
        }
        for (cause, count) in self.pattern.take_drops() {
            *self.drops.entry(cause).or_default() += count;
        }
    }

    fn part(&mut self, text: &str, more: bool) -> Result<(), SendError> {
        // Being refused may be what brings the signal that there is room again.
        if !self.has_out() {
            self.settle();
        }
        let can = self.has_out();
        let mut part = Part::from(text).with_more(more);
        let result = self.pattern.send(&mut part, &mut self.pipes);
        if result.is_ok() {
            let dropped = self.drops.clone();
            self.reap();
            assert!(can || dropped != self.drops, "sent without has_out");
            assert_eq!(part, *"", "the part was not taken");
        } else {
            assert_eq!(part, *text, "the part was not left");
        }
        self.reap();
        result
    }

    /// Sends a message; the first error ends it.
    fn send(&mut self, parts: &[&str]) -> Result<(), SendError> {
        for (at, text) in parts.iter().enumerate() {
            self.part(text, at + 1 < parts.len())?;
        }
        Ok(())
    }

    fn recv_part(&mut self) -> Result<(String, bool), RecvError> {
        self.settle();
        let result = self.pattern.recv(&mut self.pipes);
        self.reap();
        result.map(|part| (String::from_utf8_lossy(&part).into_owned(), part.more()))
    }

    fn has_in(&mut self) -> bool {
        self.settle();
        let can = self.pattern.has_in(&mut self.pipes);
        self.reap();
        can
    }

    fn has_out(&mut self) -> bool {
        self.settle();
        self.pattern.has_out(&mut self.pipes)
    }

    fn recv(&mut self) -> Result<Text, RecvError> {
        let mut parts = Vec::new();
        loop {
            // Asking every other time shows that the answer is true and changes nothing.
            if parts.len() % 2 == 0 {
                let can = self.has_in();
                let result = self.recv_part();
                assert_eq!(can, result.is_ok());
                parts.push(result?);
            } else {
                parts.push(self.recv_part().expect("a message is whole"));
            }
            if parts.last().is_some_and(|(_, more)| !more) {
                return Ok(parts.into_iter().map(|(text, _)| text).collect());
            }
        }
    }

    /// All messages that are there.
    fn all(&mut self) -> Vec<Text> {
        std::iter::from_fn(|| self.recv().ok()).collect()
    }

    fn close(&mut self) {
        let ids: Vec<_> = self.pipes.ids().collect();
        ids.into_iter().for_each(|id| self.forget(id));
    }

    fn dropped(&mut self, cause: Cause) -> u64 {
        self.settle();
        self.reap();
        self.drops.get(&cause).copied().unwrap_or(0)
    }
}

/// Joins two sockets as over inproc: marks are added, and each knows the other at once.
fn join(a: &mut Node, b: &mut Node) -> (PipeId, PipeId) {
    let marks = |writer: u32, reader: u32| Marks { writer: Some(writer), reader: Some(reader) };
    let options = PipeOptions {
        forth: marks(a.hwm, b.hwm),
        back: marks(b.hwm, a.hwm),
        conflate: (false, false),
    };
    let (mut end_a, mut end_b) = pipe(options);
    end_a.set_peer(Some(Arc::clone(&b.peer)));
    end_b.set_peer(Some(Arc::clone(&a.peer)));
    let connects = Attach { locally_initiated: true, ..Attach::default() };
    (a.attach(end_a, Attach::default()), b.attach(end_b, connects))
}

/// The other end of a pipe without a socket behind it.
fn bare(node: &mut Node, peer: Option<&str>, how: Attach<'_>) -> (PipeId, PipeEnd) {
    let marks = Marks { writer: Some(node.hwm), reader: None };
    let back = Marks { writer: None, reader: Some(node.hwm) };
    let (mut near, far) = pipe(PipeOptions { forth: marks, back, conflate: (false, false) });
    near.set_peer(peer.map(|id| Arc::new(Peer::new(id.as_bytes().to_vec(), None))));
    (node.attach(near, how), far)
}

fn put(end: &mut PipeEnd, parts: &[&str]) {
    for (at, text) in parts.iter().enumerate() {
        end.write(Part::from(*text).with_more(at + 1 < parts.len()));
    }
    end.flush();
}

fn take(end: &mut PipeEnd) -> Vec<(Kind, String)> {
    std::iter::from_fn(|| end.read())
        .map(|part| (part.kind(), String::from_utf8_lossy(&part).into_owned()))
        .collect()
}
