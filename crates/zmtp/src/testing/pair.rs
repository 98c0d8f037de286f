//! Two connections, the wire between them and a clock that only moves when told to.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::Config;

use super::side::Side;

/// What one direction of the wire does to the octets it carries.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// Sizes of the pieces that octets arrive in, used in turn and again; empty is as sent.
    pub pieces: Vec<usize>,
    /// How long octets are under way.
    pub latency: Duration,
    /// After this many octets in all, everything is lost.
    pub cut_after: Option<usize>,
    /// The octet at this offset is XORed with this mask.
    pub corrupt: Option<(usize, u8)>,
}

impl Delivery {
    /// Octets that arrive one by one.
    #[must_use]
    pub fn one_by_one() -> Self {
        Self { pieces: vec![1], ..Self::default() }
    }
}

/// One direction of the wire.
#[derive(Debug)]
struct Wire {
    delivery: Delivery,
    turn: usize,
    carried: usize,
    under_way: VecDeque<(Instant, Vec<u8>)>,
}

impl Wire {
    fn new(delivery: Delivery) -> Self {
        Self { delivery, turn: 0, carried: 0, under_way: VecDeque::new() }
    }

    fn carry(&mut self, now: Instant, octets: &[u8]) {
        let mut octets = octets.to_vec();
        if let Some((at, mask)) = self.delivery.corrupt
            && let Some(octet) =
                at.checked_sub(self.carried).and_then(|index| octets.get_mut(index))
        {
            *octet ^= mask;
        }
        if let Some(limit) = self.delivery.cut_after {
            octets.truncate(limit.saturating_sub(self.carried));
        }
        self.carried += octets.len();
        let mut rest = &octets[..];
        while !rest.is_empty() {
            let piece = self.piece().min(rest.len());
            let (now_sent, later) = rest.split_at(piece);
            self.under_way.push_back((now + self.delivery.latency, now_sent.to_vec()));
            rest = later;
        }
    }

    fn piece(&mut self) -> usize {
        if self.delivery.pieces.is_empty() {
            return usize::MAX;
        }
        let piece = self.delivery.pieces[self.turn % self.delivery.pieces.len()].max(1);
        self.turn += 1;
        piece
    }

    fn due(&self) -> Option<Instant> {
        self.under_way.front().map(|(at, _)| *at)
    }

    fn arrive(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.due().filter(|at| *at <= now)?;
        self.under_way.pop_front().map(|(_, octets)| octets)
    }
}

/// Two connections that talk to each other.
#[derive(Debug)]
pub struct Pair {
    /// One of the two.
    pub left: Side,
    /// The other.
    pub right: Side,
    /// What the clock shows.
    pub now: Instant,
    to_left: Wire,
    to_right: Wire,
}

impl Pair {
    /// Two new connections on a perfect wire.
    #[must_use]
    pub fn new(left: Config, right: Config) -> Self {
        Self::with_delivery(left, right, Delivery::default(), Delivery::default())
    }

    /// Two new connections; the wire to each of them does as it is told.
    #[must_use]
    pub fn with_delivery(
        left: Config,
        right: Config,
        to_left: Delivery,
        to_right: Delivery,
    ) -> Self {
        // The only look at a clock: an instant to count from, whose value does not matter.
        let now = Instant::now();
        Self {
            left: Side::new(left, now),
            right: Side::new(right, now),
            now,
            to_left: Wire::new(to_left),
            to_right: Wire::new(to_right),
        }
    }

    /// Sends octets that the left side's owner wrote, behind what its connection has to say.
    pub fn send_left(&mut self, octets: &[u8]) {
        let control = self.left.transmit();
        self.to_right.carry(self.now, &control);
        self.to_right.carry(self.now, octets);
    }

    /// Sends octets that the right side's owner wrote, behind what its connection has to say.
    pub fn send_right(&mut self, octets: &[u8]) {
        let control = self.right.transmit();
        self.to_left.carry(self.now, &control);
        self.to_left.carry(self.now, octets);
    }

    /// Moves octets until nothing happens any more at this instant.
    pub fn settle(&mut self) {
        loop {
            self.send_left(&[]);
            self.send_right(&[]);
            let to_left = self.to_left.arrive(self.now);
            let to_right = self.to_right.arrive(self.now);
            if to_left.is_none() && to_right.is_none() {
                return;
            }
            if let Some(octets) = to_left {
                self.left.receive(self.now, &octets);
            }
            if let Some(octets) = to_right {
                self.right.receive(self.now, &octets);
            }
        }
    }

    /// Lets time pass, stopping whenever octets arrive or a timer is due.
    pub fn advance(&mut self, time: Duration) {
        let end = self.now + time;
        self.settle();
        while let Some(next) = self.next_instant().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.left.handle_timeout(self.now);
            self.right.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
    }

    fn next_instant(&self) -> Option<Instant> {
        let timers = [&self.left, &self.right]
            .into_iter()
            .filter(|side| side.error.is_none())
            .filter_map(|side| side.connection.poll_timeout());
        timers.chain(self.to_left.due()).chain(self.to_right.due()).min()
    }
}
