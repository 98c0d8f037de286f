//! The pipes of one socket, by name. A name is never used twice, so that a late signal for a
//! pipe that is gone finds nothing.

use super::PipeEnd;

/// The name of a pipe within one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PipeId {
    index: u32,
    generation: u32,
}

impl PipeId {
    /// The name as a number, for signals.
    #[must_use]
    pub(crate) fn token(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The name behind a number from [`PipeId::token`].
    #[must_use]
    pub(crate) fn from_token(token: u64) -> Self {
        Self { index: token as u32, generation: (token >> 32) as u32 }
    }
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    end: Option<PipeEnd>,
}

/// The pipes that a socket holds its ends of.
#[derive(Debug, Default)]
pub(crate) struct Pipes {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Pipes that were found empty after their other end had gone.
    drained: Vec<PipeId>,
}

impl Pipes {
    /// Takes in an end and names it.
    pub(crate) fn insert(&mut self, end: PipeEnd) -> PipeId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        });
        let slot = &mut self.slots[index as usize];
        slot.end = Some(end);
        PipeId { index, generation: slot.generation }
    }

    /// Lets go of a pipe.
    pub(crate) fn remove(&mut self, id: PipeId) -> Option<PipeEnd> {
        let slot = self.slots.get_mut(id.index as usize)?;
        if slot.generation != id.generation {
            return None;
        }
        let end = slot.end.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.index);
        Some(end)
    }

    /// A pipe by its name.
    #[inline]
    pub(crate) fn get(&self, id: PipeId) -> Option<&PipeEnd> {
        let slot = self.slots.get(id.index as usize)?;
        if slot.generation == id.generation { slot.end.as_ref() } else { None }
    }

    /// A pipe by its name.
    #[inline]
    pub(crate) fn get_mut(&mut self, id: PipeId) -> Option<&mut PipeEnd> {
        let slot = self.slots.get_mut(id.index as usize)?;
        if slot.generation == id.generation { slot.end.as_mut() } else { None }
    }

    /// The names of all pipes.
    pub(crate) fn ids(&self) -> impl Iterator<Item = PipeId> + '_ {
        self.slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.end.is_some())
            .map(|(index, slot)| PipeId { index: index as u32, generation: slot.generation })
    }

    /// How many pipes there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there are no pipes.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a message can be started on the pipe. False for a pipe that is gone.
    #[inline]
    pub(crate) fn can_write(&mut self, id: PipeId) -> bool {
        self.get_mut(id).is_some_and(PipeEnd::can_write)
    }

    /// Whether there is a part to read. Remembers a pipe that was found empty for good.
    #[inline]
    pub(crate) fn can_read(&mut self, id: PipeId) -> bool {
        let Some(end) = self.get_mut(id) else {
            return false;
        };
        if end.can_read() {
            return true;
        }
        // The other end goes only after its last commit: look at the queue again after that.
        if end.is_closed() {
            if end.can_read() {
                return true;
            }
            self.drained.push(id);
        }
        false
    }

    /// Takes the next part of a pipe.
    pub(crate) fn read(&mut self, id: PipeId) -> Option<crate::Part> {
        let mut part = crate::Part::new();
        self.read_to(id, &mut part).then_some(part)
    }

    /// Moves the next part of a pipe to where it is wanted. False if there is none.
    #[inline]
    pub(crate) fn read_to(&mut self, id: PipeId, to: &mut crate::Part) -> bool {
        let Some(end) = self.get_mut(id) else {
            return false;
        };
        // Found empty: perhaps for good.
        end.read_to(to) || self.can_read(id) && self.read_to(id, to)
    }

    /// The pipes that were found empty for good since the last call.
    pub(crate) fn take_drained(&mut self) -> Vec<PipeId> {
        std::mem::take(&mut self.drained)
    }

    /// Whether pipes were found empty for good.
    #[inline]
    #[must_use]
    pub(crate) fn has_drained(&self) -> bool {
        !self.drained.is_empty()
    }
}
