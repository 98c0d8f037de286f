//! The door of a bound endpoint: how many connections are in, how many of them have not finished
//! their handshake, and what these hold in memory. When a limit acts, connections that are still
//! unfinished make room, the oldest first, or those that hold too much: whoever shakes hands without delay gets
//! in, however many others stand around. They do so, too, when the system has nothing left for
//! another connection. What becomes of a connection is the session's business.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::thread::{Command, IoHandle};
use crate::options::Limits;
use crate::socket::incidents::Limit;
use crate::sync::{Arc, Mutex, lock};

/// About what a connection takes before it has said a word, in bytes.
pub(super) const FOOTPRINT: usize = 4096;

/// What a connection may hold before the largest has to go instead of the oldest, in bytes: more
/// than an honest one takes that a handler is asked about. Among many that are silent, whoever
/// speaks is the largest.
const FAIR: usize = 32 * 1024;

/// See the module's documentation.
pub(super) struct Door {
    limits: Limits,
    room: Mutex<Room>,
}

#[derive(Default)]
struct Room {
    /// Connections that are in, finished or not.
    taken: usize,
    /// Connections whose handshake is not finished, by their session's id: the oldest first.
    unfinished: BTreeMap<u64, Unfinished>,
    /// The same by what they hold: the largest last, of several the oldest. It is found at once,
    /// however many stand around.
    sizes: BTreeSet<(usize, Reverse<u64>)>,
    /// The bytes of all unfinished ones.
    memory: usize,
    /// The listener that waits for a descriptor to be given back.
    waiting: Option<Waiting>,
}

struct Waiting {
    listener: u64,
    handle: Arc<IoHandle>,
}

struct Unfinished {
    handle: Arc<IoHandle>,
    memory: usize,
}

/// A connection that has to go.
struct Evicted {
    session: u64,
    handle: Arc<IoHandle>,
}

impl Room {
    fn insert(&mut self, session: u64, one: Unfinished) {
        self.memory = self.memory.saturating_add(one.memory);
        self.sizes.insert((one.memory, Reverse(session)));
        self.unfinished.insert(session, one);
    }

    /// Takes a connection off the list of unfinished ones.
    fn remove(&mut self, session: u64) -> Option<Unfinished> {
        let one = self.unfinished.remove(&session)?;
        self.sizes.remove(&(one.memory, Reverse(session)));
        self.memory = self.memory.saturating_sub(one.memory);
        Some(one)
    }

    /// Takes an unfinished connection off the list. It is gone for us from here on.
    fn evict(&mut self, session: u64) -> Option<Evicted> {
        let gone = self.remove(session)?;
        self.taken -= 1;
        Some(Evicted { session, handle: gone.handle })
    }

    fn evict_oldest(&mut self) -> Option<Evicted> {
        let oldest = *self.unfinished.first_key_value()?.0;
        self.evict(oldest)
    }

    /// The one that holds the most, if that is more than is fair, and of several the oldest.
    fn evict_for_memory(&mut self) -> Option<Evicted> {
        match *self.sizes.last()? {
            (memory, Reverse(session)) if memory > FAIR => self.evict(session),
            _ => self.evict_oldest(),
        }
    }

    /// Who has to make room for one more, and for which limit; or which limit keeps it out.
    fn make_room(
        &mut self,
        limits: &Limits,
        shakes_hands: bool,
    ) -> Result<Option<(Limit, Evicted)>, Limit> {
        let full = |limit: Option<usize>, taken| limit.is_some_and(|limit| taken >= limit);
        let limit = if shakes_hands && full(limits.handshakes, self.unfinished.len()) {
            Limit::Handshakes
        } else if full(limits.connections, self.taken) {
            Limit::Connections
        } else if shakes_hands && self.memory + FOOTPRINT > limits.memory {
            Limit::Memory
        } else {
            return Ok(None);
        };
        self.evict_oldest().map(|evicted| Some((limit, evicted))).ok_or(limit)
    }
}

impl Door {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, room: Mutex::default() })
    }

    /// Lets a connection in that `handle` is to serve, if there is room or another one makes it.
    /// The limit that acted is told along, also if it keeps the connection out. One without a
    /// protocol has no handshake to finish.
    pub(super) fn enter(
        self: &Arc<Self>,
        session: u64,
        handle: &Arc<IoHandle>,
        shakes_hands: bool,
    ) -> (Option<Seat>, Option<Limit>) {
        let evicted = {
            let mut room = lock(&self.room);
            let evicted = match room.make_room(&self.limits, shakes_hands) {
                Ok(evicted) => evicted,
                Err(limit) => return (None, Some(limit)),
            };
            if shakes_hands {
                let entry = Unfinished { handle: Arc::clone(handle), memory: FOOTPRINT };
                room.insert(session, entry);
            }
            room.taken += 1;
            evicted
        };
        let seat = Seat { door: Arc::clone(self), session, finished: !shakes_hands };
        let limit = evicted.map(|(limit, evicted)| {
            evicted.leave();
            limit
        });
        (Some(seat), limit)
    }

    /// The system has nothing left for another connection: sends the oldest unfinished one away.
    /// The listener is told when what that one had is given back. False if all are finished.
    pub(super) fn give_way(&self, listener: u64, handle: &Arc<IoHandle>) -> bool {
        let evicted = {
            let mut room = lock(&self.room);
            let Some(evicted) = room.evict_oldest() else { return false };
            room.waiting = Some(Waiting { listener, handle: Arc::clone(handle) });
            evicted
        };
        evicted.leave();
        true
    }

    /// How many connections are in, and how many of them are unfinished.
    #[cfg(test)]
    fn counts(&self) -> (usize, usize) {
        let room = lock(&self.room);
        (room.taken, room.unfinished.len())
    }
}

impl Evicted {
    fn leave(self) {
        self.handle.send(Command::Evict(self.session));
    }
}

/// One connection's place behind the door; given back when it is dropped, which is to be after the
/// connection's descriptor is closed.
pub(super) struct Seat {
    door: Arc<Door>,
    session: u64,
    finished: bool,
}

impl Seat {
    /// Takes note of what the connection holds before it has finished its handshake, in bytes.
    /// Returns how many had to go for it, which may be this one, too.
    pub(super) fn hold(&self, bytes: usize) -> usize {
        let mut evicted = Vec::new();
        {
            let mut room = lock(&self.door.room);
            let Some(entry) = room.remove(self.session) else { return 0 };
            let memory = bytes.saturating_add(FOOTPRINT);
            room.insert(self.session, Unfinished { memory, ..entry });
            while room.memory > self.door.limits.memory {
                match room.evict_for_memory() {
                    Some(one) => evicted.push(one),
                    None => break,
                }
            }
        }
        let count = evicted.len();
        evicted.into_iter().for_each(Evicted::leave);
        count
    }

    /// The handshake is finished. False if the connection had to go before.
    pub(super) fn finish(&mut self) -> bool {
        let mut room = lock(&self.door.room);
        self.finished |= room.remove(self.session).is_some();
        self.finished
    }
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seat").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let waiting = {
            let mut room = lock(&self.door.room);
            if self.finished {
                room.taken -= 1;
            } else {
                drop(room.evict(self.session));
            }
            room.waiting.take()
        };
        if let Some(Waiting { listener, handle }) = waiting {
            handle.send(Command::Vacated(listener));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(connections: usize, handshakes: usize, memory: usize) -> Limits {
        let limit = |count| Some(count).filter(|count| *count > 0);
        Limits { connections: limit(connections), handshakes: limit(handshakes), memory }
    }

    fn enter(door: &Arc<Door>, session: u64) -> (Option<Seat>, Option<Limit>) {
        door.enter(session, &IoHandle::for_tests(), true)
    }

    #[test]
    fn the_oldest_unfinished_one_makes_room() {
        let door = Door::new(limits(0, 2, usize::MAX));
        let (mut first, none) = enter(&door, 1);
        assert_eq!(none, None);
        let (second, _) = enter(&door, 2);
        let (third, limit) = enter(&door, 3);
        assert_eq!(limit, Some(Limit::Handshakes));
        assert_eq!(door.counts(), (2, 2));
        assert!(!first.as_mut().unwrap().finish(), "it had to go");
        drop(first);
        assert_eq!(door.counts(), (2, 2), "and is not counted twice");
        assert!(second.unwrap().finish());
        assert_eq!(door.counts(), (1, 1), "it has ended since");
        drop(third);
        assert_eq!(door.counts(), (0, 0));
    }

    #[test]
    fn finished_ones_make_no_room() {
        let door = Door::new(limits(2, 0, usize::MAX));
        let (mut first, _) = enter(&door, 1);
        let (second, _) = enter(&door, 2);
        assert!(first.as_mut().unwrap().finish());
        let (third, limit) = enter(&door, 3);
        assert_eq!(limit, Some(Limit::Connections), "in the place of the second");
        let mut third = third.unwrap();
        assert!(third.finish());
        drop(second);
        let (none, limit) = enter(&door, 4);
        assert_eq!((none.is_none(), limit), (true, Some(Limit::Connections)));
        assert_eq!(door.counts(), (2, 0));
        drop(third);
        assert!(enter(&door, 5).0.is_some());
    }

    #[test]
    fn without_a_handshake_there_is_nothing_to_finish() {
        let door = Door::new(limits(2, 1, 0));
        let seats = [1, 2].map(|id| door.enter(id, &IoHandle::for_tests(), false));
        assert!(seats.iter().all(|(seat, limit)| seat.is_some() && limit.is_none()));
        let (none, limit) = door.enter(3, &IoHandle::for_tests(), false);
        assert_eq!((none.is_none(), limit), (true, Some(Limit::Connections)));
        drop(seats);
        assert_eq!(door.counts(), (0, 0));
    }

    /// What holds after every step: the two lists and the sum say the same.
    fn check(door: &Door) {
        let room = lock(&door.room);
        let sizes = room.unfinished.iter().map(|(session, one)| (one.memory, Reverse(*session)));
        let sizes: BTreeSet<_> = sizes.collect();
        assert_eq!(room.memory, sizes.iter().map(|(memory, _)| memory).sum());
        assert_eq!(room.sizes, sizes);
    }

    #[test]
    fn whoever_comes_and_goes_in_any_order_the_right_one_makes_room() {
        let most = 6 * FAIR;
        let door = Door::new(limits(0, 12, most));
        let (mut seats, mut random) = (Vec::new(), 1_u64);
        let mut below = |bound: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random >> 33).unwrap() % bound
        };
        for session in 0..5000 {
            match below(6) {
                0 | 1 => seats.extend(enter(&door, session).0),
                2 if !seats.is_empty() => drop(seats.swap_remove(below(seats.len()))),
                3 if !seats.is_empty() => {
                    let at = below(seats.len());
                    seats[at].finish();
                }
                _ if !seats.is_empty() => {
                    let at = below(seats.len());
                    let held = below(8) * FAIR / 4;
                    let (whole, expected) = {
                        // As it is to be found, the long way.
                        let mut room = lock(&door.room);
                        let Some(one) = room.remove(seats[at].session) else { continue };
                        let memory = held + FOOTPRINT;
                        room.insert(seats[at].session, Unfinished { memory, ..one });
                        let sizes = || room.unfinished.iter().map(|(id, one)| (one.memory, *id));
                        let unfair = sizes().rev().filter(|(memory, _)| *memory > FAIR);
                        let first = unfair.max_by_key(|(memory, _)| *memory).or(sizes().next());
                        (room.memory > most, first.unwrap().1)
                    };
                    assert_eq!(seats[at].hold(held) > 0, whole);
                    let gone = !lock(&door.room).unfinished.contains_key(&expected);
                    assert_eq!(gone, whole, "nobody else goes, and nobody without need");
                }
                _ => {}
            }
            check(&door);
        }
        drop(seats);
        check(&door);
        assert_eq!(door.counts(), (0, 0));
    }

    #[test]
    fn the_oldest_unfinished_one_gives_way_and_tells_when_it_has() {
        let door = Door::new(limits(0, 0, usize::MAX));
        let (mut first, _) = enter(&door, 1);
        let (second, _) = enter(&door, 2);
        assert!(first.as_mut().unwrap().finish());
        let listener = IoHandle::for_tests();
        assert!(door.give_way(7, &listener), "the second");
        assert_eq!(door.counts(), (1, 0));
        assert!(!door.give_way(7, &listener), "the first is finished");
        assert_eq!(listener.vacated(), [], "nothing is given back yet");
        drop(second);
        drop(first);
        assert_eq!(listener.vacated(), [7], "once");
        assert_eq!(door.counts(), (0, 0));
    }

    #[test]
    fn the_oldest_one_goes_when_memory_ends_or_the_largest_that_is_unfair() {
        let door = Door::new(limits(0, 0, 5 * FOOTPRINT));
        let seats: Vec<_> = (0..3).map(|id| enter(&door, id).0.unwrap()).collect();
        assert_eq!(seats[1].hold(FOOTPRINT), 0);
        assert_eq!(seats[0].hold(FOOTPRINT), 0, "all is taken now");
        assert_eq!(seats[2].hold(FOOTPRINT / 2), 1, "the oldest goes");
        assert_eq!(door.counts(), (2, 2));
        assert_eq!(seats[1].hold(100 * FOOTPRINT), 1, "whoever wants too much");
        assert_eq!(seats[1].hold(0), 0, "is not in any more");
        assert_eq!(door.counts(), (1, 1));
        let more: Vec<_> = (10..20).map(|id| enter(&door, id)).collect();
        assert_eq!(more[9].1, Some(Limit::Memory));
        assert!(more.iter().all(|(seat, _)| seat.is_some()));
        assert!(lock(&door.room).memory <= 5 * FOOTPRINT);
        drop((seats, more));
        assert_eq!((door.counts(), lock(&door.room).memory), ((0, 0), 0));
    }
}
