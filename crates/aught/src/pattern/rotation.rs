//! Pipes in a row, of which some can be used now, and whose turn it is. Fair queueing and load
//! balancing are both this row; what it means to use a pipe is in `fair_queue` and
//! `load_balance`. [`PipeMap`], a table by pipe, is here, too.

use crate::pipe::PipeId;

/// Values by pipe. Pipes' slots are small numbers, so that a plain vector serves.
#[derive(Debug)]
pub(super) struct PipeMap<T> {
    slots: Vec<Option<(PipeId, T)>>,
    len: usize,
}

impl<T> Default for PipeMap<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), len: 0 }
    }
}

/// The number of the place that a pipe has in its socket; another pipe may get it afterwards.
pub(super) fn slot_of(pipe: PipeId) -> u32 {
    pipe.token() as u32
}

impl<T> PipeMap<T> {
    /// Sets the value of a pipe.
    pub(super) fn insert(&mut self, pipe: PipeId, value: T) {
        let slot = slot_of(pipe) as usize;
        if slot >= self.slots.len() {
            self.slots.resize_with(slot + 1, || None);
        }
        if self.slots[slot].replace((pipe, value)).is_none() {
            self.len += 1;
        }
    }

    #[inline]
    pub(super) fn get(&self, pipe: PipeId) -> Option<&T> {
        match self.slots.get(slot_of(pipe) as usize)? {
            Some((owner, value)) if *owner == pipe => Some(value),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, pipe: PipeId) -> Option<&mut T> {
        match self.slots.get_mut(slot_of(pipe) as usize)? {
            Some((owner, value)) if *owner == pipe => Some(value),
            _ => None,
        }
    }

    pub(super) fn contains(&self, pipe: PipeId) -> bool {
        self.get(pipe).is_some()
    }

    pub(super) fn remove(&mut self, pipe: PipeId) -> Option<T> {
        let slot = self.slots.get_mut(slot_of(pipe) as usize)?;
        if slot.as_ref().is_some_and(|(owner, _)| *owner == pipe) {
            self.len -= 1;
            return slot.take().map(|(_, value)| value);
        }
        None
    }

    /// The pipe and the value in a slot.
    #[inline]
    pub(super) fn at_slot_mut(&mut self, slot: u32) -> Option<(PipeId, &mut T)> {
        self.slots.get_mut(slot as usize)?.as_mut().map(|(pipe, value)| (*pipe, value))
    }

    /// All pipes with their values, by slot.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (PipeId, &mut T)> {
        self.slots.iter_mut().flatten().map(|(pipe, value)| (*pipe, value))
    }

    pub(super) fn pipes(&self) -> impl Iterator<Item = PipeId> + '_ {
        self.slots.iter().flatten().map(|(pipe, _)| *pipe)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }
}

/// A row of pipes. The usable ones stand in front, in an order that peers can see and rely on:
/// it is that of the reference. Every operation takes the same time however many there are.
#[derive(Debug, Default)]
pub(super) struct Rotation {
    pipes: Vec<PipeId>,
    places: PipeMap<usize>,
    usable: usize,
    turn: usize,
}

impl Rotation {
    /// Adds a pipe, which counts as usable. Nothing happens if it is there already.
    pub(super) fn attach(&mut self, pipe: PipeId) {
        if self.places.contains(pipe) {
            return;
        }
        self.places.insert(pipe, self.pipes.len());
        self.pipes.push(pipe);
        self.resume(pipe);
    }

    /// Forgets a pipe.
    pub(super) fn detach(&mut self, pipe: PipeId) {
        let Some(mut place) = self.places.remove(pipe) else {
            return;
        };
        if place < self.usable {
            self.usable -= 1;
            self.pipes.swap(place, self.usable);
            self.note_place(place);
            place = self.usable;
            if self.turn == self.usable {
                self.turn = 0;
            }
        }
        self.pipes.swap_remove(place);
        self.note_place(place);
    }

    pub(super) fn contains(&self, pipe: PipeId) -> bool {
        self.places.contains(pipe)
    }

    /// The pipe whose turn it is.
    #[inline]
    pub(super) fn current(&self) -> Option<PipeId> {
        if self.usable == 0 { None } else { self.pipes.get(self.turn).copied() }
    }

    /// Gives the turn to the next usable pipe.
    #[inline]
    pub(super) fn advance(&mut self) {
        self.turn += 1;
        if self.turn >= self.usable {
            self.turn = 0;
        }
    }

    /// Says that the pipe whose turn it is cannot be used for now.
    pub(super) fn suspend_current(&mut self) {
        if self.usable == 0 {
            return;
        }
        self.usable -= 1;
        self.pipes.swap(self.turn, self.usable);
        self.note_place(self.turn);
        self.note_place(self.usable);
        if self.turn >= self.usable {
            self.turn = 0;
        }
    }

    /// Says that a pipe can be used again.
    pub(super) fn resume(&mut self, pipe: PipeId) {
        let Some(place) = self.places.get(pipe).copied() else {
            return;
        };
        if place < self.usable {
            return;
        }
        self.pipes.swap(place, self.usable);
        self.note_place(place);
        self.note_place(self.usable);
        self.usable += 1;
    }

    fn note_place(&mut self, place: usize) {
        if let Some(pipe) = self.pipes.get(place).copied() {
            // The pipe that is being taken out has no place any more.
            if let Some(known) = self.places.get_mut(pipe) {
                *known = place;
            }
        }
    }
}
