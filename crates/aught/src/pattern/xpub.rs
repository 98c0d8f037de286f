//! XPUB: messages go to the pipes that subscribed to a prefix of their first part, and
//! subscriptions come in as messages (RFC 29). `publish` is the same without the latter.

use std::collections::VecDeque;

use super::drops::Drops;
use super::fan_out::FanOut;
use super::rotation::{PipeMap, slot_of};
use super::subscriptions::{Cancelled, Subscriptions};
use super::{Attach, Drop, Pattern, PatternOption, RecvError, SendError, UnknownOption};
use crate::message::{Kind, Part};
use crate::pipe::{PipeId, Pipes};

/// How many messages of subscribers may wait for the application before their pipes wait, too.
/// Subscriptions and their ends are not counted.
const MAX_WAITING: usize = 1000;

/// What goes to the application about subscriptions.
#[derive(Debug, Default)]
struct Notify {
    /// Repeated subscriptions, too.
    every_subscribe: bool,
    /// Ends of subscriptions that others still have, too.
    every_cancel: bool,
}

/// XPUB, and the better part of PUB.
#[derive(Debug)]
pub(super) struct Xpub {
    /// PUB does not tell its application anything.
    silent: bool,
    out: FanOut,
    subscriptions: Subscriptions,
    /// What the peers asked for while the application decides (`ZMQ_XPUB_MANUAL`).
    asked: Subscriptions,
    notify: Notify,
    manual: bool,
    nodrop: bool,
    invert: bool,
    welcome: Option<Part>,
    /// Parts for the application, with the pipe that they came from.
    waiting: VecDeque<(PipeId, Part)>,
    /// How many messages among them are not about subscriptions.
    waiting_messages: usize,
    /// Pipes that are not read until there is room in `waiting`.
    held_back: Vec<PipeId>,
    /// Pipes whose message was begun and not finished.
    inside: PipeMap<()>,
    /// Whose subscription the application was told of last.
    last_told: Option<PipeId>,
    /// The first part of a message was sent, and not its last.
    sending: bool,
    drops: Drops,
}

impl Xpub {
    pub(super) fn new(silent: bool) -> Self {
        Self {
            silent,
            out: FanOut::default(),
            subscriptions: Subscriptions::default(),
            asked: Subscriptions::default(),
            notify: Notify::default(),
            manual: false,
            nodrop: false,
            invert: false,
            welcome: None,
            waiting: VecDeque::new(),
            waiting_messages: 0,
            held_back: Vec::new(),
            inside: PipeMap::default(),
            last_told: None,
            sending: false,
            drops: Drops::default(),
        }
    }

    /// Takes in what a pipe has to say. Subscriptions count at once, whether the application
    /// ever reads about them or not.
    fn take_in(&mut self, pipe: PipeId, pipes: &mut Pipes, all: bool) {
        loop {
            if !all && self.waiting_messages >= MAX_WAITING {
                self.held_back.push(pipe);
                return;
            }
            let Some(part) = pipes.read(pipe) else { return };
            match part.kind() {
                Kind::Subscribe => self.subscription(pipe, true, &part, &part),
                Kind::Cancel => self.subscription(pipe, false, &part, &part),
                Kind::Data => self.data(pipe, part),
                Kind::PeerChange | Kind::Restart | Kind::Join | Kind::Leave => {}
            }
        }
    }

    /// Data of a subscriber: a subscription in the form of ZMTP 3.0 and older (RFC 23), or a
    /// message to the application.
    fn data(&mut self, pipe: PipeId, part: Part) {
        let inside = self.inside.contains(pipe);
        let subscribe = match part.first() {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        };
        if let (Some(subscribe), Some(topic)) = (subscribe, part.get(1..)) {
            if !inside {
                return self.subscription(pipe, subscribe, topic, &part);
            }
            // Within a message it counts, and stays a part of the message.
            self.apply(pipe, subscribe, topic);
        }
        if part.more() {
            self.inside.insert(pipe, ());
        } else {
            self.inside.remove(pipe);
        }
        if !self.silent {
            self.waiting_messages += usize::from(!part.more());
            self.waiting.push_back((pipe, part));
        }
    }

    /// A subscription or its end, which the application may want to hear of.
    fn subscription(&mut self, pipe: PipeId, subscribe: bool, topic: &[u8], part: &Part) {
        if self.apply(pipe, subscribe, topic) && !self.silent {
            let mut told = tell(subscribe, topic);
            told.set_peer(part.peer().cloned());
            self.waiting.push_back((pipe, told));
        }
    }

    /// Whether the application is to hear of it.
    fn apply(&mut self, pipe: PipeId, subscribe: bool, topic: &[u8]) -> bool {
        let slot = slot_of(pipe);
        if self.manual {
            if subscribe {
                self.asked.subscribe(slot, topic);
            } else {
                self.asked.cancel(slot, topic);
            }
            return true;
        }
        if subscribe {
            return self.subscriptions.subscribe(slot, topic) || self.notify.every_subscribe;
        }
        match self.subscriptions.cancel(slot, topic) {
            // The reference passes on the end of what never was, too.
            Cancelled::Unknown | Cancelled::Last => true,
            Cancelled::OthersRemain => self.notify.every_cancel,
        }
    }

    /// The pipe is gone, and so is all that it wanted.
    fn forget(&mut self, pipe: PipeId) {
        if !self.out.contains(pipe) {
            return;
        }
        let lost = self.out.detach(pipe);
        self.drops.add(Drop::PeerGone, u64::from(lost));
        self.inside.remove(pipe);
        self.held_back.retain(|held| *held != pipe);
        if self.last_told == Some(pipe) {
            self.last_told = None;
        }
        let slot = slot_of(pipe);
        if self.silent {
            self.asked.remove_pipe(slot);
            self.subscriptions.remove_pipe(slot);
            return;
        }
        // RFC 29: "SHALL, if the subscriber peer disconnects prematurely, generate a suitable
        // unsubscribe request for the calling application."
        let asked = self.asked.remove_pipe_and_tell(slot);
        if self.manual {
            self.subscriptions.remove_pipe(slot);
            self.waiting.extend(asked.iter().map(|(topic, _)| (pipe, tell(false, topic))));
            return;
        }
        let every = self.notify.every_cancel;
        let gone = self.subscriptions.remove_pipe_and_tell(slot);
        let told = gone.iter().filter(|(_, last)| *last || every);
        self.waiting.extend(told.map(|(topic, _)| (pipe, tell(false, topic))));
    }

    /// Chooses who gets a message that begins with this part.
    #[inline]
    fn choose(&mut self, first: &[u8]) {
        let Self { out, subscriptions, .. } = self;
        out.begin();
        subscriptions.for_each_match(first, |slot| out.choose(slot));
        if self.invert {
            out.invert();
        }
    }
}

/// The message that tells an application of a subscription: RFC 29 in the form of RFC 23.
fn tell(subscribe: bool, topic: &[u8]) -> Part {
    let mut bytes = Vec::with_capacity(topic.len() + 1);
    bytes.push(u8::from(subscribe));
    bytes.extend_from_slice(topic);
    Part::from_vec(bytes)
}

impl Pattern for Xpub {
    fn attach(&mut self, pipe: PipeId, _how: Attach<'_>, pipes: &mut Pipes) {
        self.out.attach(pipe);
        if let (Some(welcome), Some(end)) = (&self.welcome, pipes.get_mut(pipe)) {
            end.write(welcome.clone());
            end.flush();
        }
        self.take_in(pipe, pipes, false);
    }

    fn detach(&mut self, pipe: PipeId, _pipes: &mut Pipes) {
        self.forget(pipe);
    }

    fn closing(&mut self, pipe: PipeId, pipes: &mut Pipes) -> bool {
        if self.out.contains(pipe) {
            self.take_in(pipe, pipes, true);
            self.forget(pipe);
        }
        false
    }

    fn readable(&mut self, pipe: PipeId, pipes: &mut Pipes) {
        if self.out.contains(pipe) {
            self.take_in(pipe, pipes, false);
        }
    }

    fn writable(&mut self, pipe: PipeId, _pipes: &mut Pipes) {
        self.out.writable(pipe);
    }

    #[inline]
    fn send(&mut self, part: &mut Part, pipes: &mut Pipes) -> Result<(), SendError> {
        if !self.sending {
            self.choose(part);
            if self.nodrop && !self.out.have_room(pipes) {
                return Err(SendError::Full);
            }
            let full = self.out.leave_out_full(pipes);
            self.drops.add(Drop::PubHwm, full);
        }
        self.sending = part.more();
        self.out.write(std::mem::take(part), pipes);
        Ok(())
    }

    fn recv(&mut self, pipes: &mut Pipes) -> Result<Part, RecvError> {
        let (pipe, part) = self.waiting.pop_front().ok_or(RecvError::Empty)?;
        if self.out.contains(pipe) {
            self.last_told = Some(pipe);
        }
        if self.waiting.is_empty() {
            self.waiting_messages = 0;
            self.waiting.shrink_to(MAX_WAITING);
            for pipe in std::mem::take(&mut self.held_back) {
                self.take_in(pipe, pipes, false);
            }
        }
        Ok(part)
    }

    fn has_in(&mut self, _pipes: &mut Pipes) -> bool {
        !self.waiting.is_empty()
    }

    fn has_out(&mut self, _pipes: &mut Pipes) -> bool {
        // Whether somebody must be waited for depends on the message (`ZMQ_XPUB_NODROP`).
        true
    }

    fn set(&mut self, option: PatternOption, _pipes: &mut Pipes) -> Result<(), UnknownOption> {
        match option {
            PatternOption::XpubVerbose(on) => {
                self.notify = Notify { every_subscribe: on, every_cancel: false };
            }
            PatternOption::XpubVerboser(on) => {
                self.notify = Notify { every_subscribe: on, every_cancel: on };
            }
            PatternOption::XpubNodrop(on) => self.nodrop = on,
            PatternOption::XpubManual(on) => self.manual = on,
            PatternOption::InvertMatching(on) => self.invert = on,
            PatternOption::XpubWelcome(message) => {
                self.welcome = (!message.is_empty()).then(|| Part::from_vec(message));
            }
            PatternOption::Subscribe(topic) if self.manual => {
                if let Some(pipe) = self.last_told {
                    self.subscriptions.subscribe(slot_of(pipe), &topic);
                }
            }
            PatternOption::Unsubscribe(topic) if self.manual => {
                if let Some(pipe) = self.last_told {
                    self.subscriptions.cancel(slot_of(pipe), &topic);
                }
            }
            _ => return Err(UnknownOption),
        }
        Ok(())
    }

    fn take_drops(&mut self) -> Vec<(Drop, u64)> {
        self.drops.take()
    }

    fn topics(&self) -> Option<usize> {
        Some(self.subscriptions.topics())
    }
}
