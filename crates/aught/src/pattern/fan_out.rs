//! Fan-out: one message goes to many pipes, or to those that were chosen for it. A pipe that has
//! no room misses the whole message. Who is chosen is decided in `xpub` and `xsub`.

use super::rotation::{PipeMap, slot_of};
use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

#[derive(Debug, Default)]
struct Member {
    /// The pipe was found full, and no signal has said otherwise since.
    full: bool,
    /// The last choice that the pipe was part of.
    chosen: u64,
}

/// The pipes of a socket that sends to many.
#[derive(Debug, Default)]
pub(super) struct FanOut {
    members: PipeMap<Member>,
    choice: u64,
    /// Those that get the message being sent.
    targets: Vec<PipeId>,
}

impl FanOut {
    pub(super) fn attach(&mut self, pipe: PipeId) {
        self.members.insert(pipe, Member::default());
    }

    /// Forgets a pipe. True if it takes the beginning of a message with it.
    #[must_use = "a message that is lost has to be counted"]
    pub(super) fn detach(&mut self, pipe: PipeId) -> bool {
        self.members.remove(pipe);
        self.leave_out(pipe)
    }

    /// The pipe does not get the rest of the message that is being sent. True if it would have.
    #[must_use = "a message that is lost has to be counted"]
    pub(super) fn leave_out(&mut self, pipe: PipeId) -> bool {
        let before = self.targets.len();
        self.targets.retain(|target| *target != pipe);
        self.targets.len() < before
    }

    pub(super) fn contains(&self, pipe: PipeId) -> bool {
        self.members.contains(pipe)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.len() == 0
    }

    pub(super) fn pipes(&self) -> impl Iterator<Item = PipeId> + '_ {
        self.members.pipes()
    }

    /// There is room on a pipe that was found full.
    pub(super) fn writable(&mut self, pipe: PipeId) {
        if let Some(member) = self.members.get_mut(pipe) {
            member.full = false;
        }
    }

    /// Begins to choose who gets the next message.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.choice += 1;
        self.targets.clear();
    }

    /// Chooses the pipe in a slot; again makes no difference.
    #[inline]
    pub(super) fn choose(&mut self, slot: u32) {
        if let Some((pipe, member)) = self.members.at_slot_mut(slot)
            && member.chosen != self.choice
        {
            member.chosen = self.choice;
            self.targets.push(pipe);
        }
    }

    /// Chooses all pipes that were not chosen, and those no longer.
    pub(super) fn invert(&mut self) {
        self.targets.clear();
        for (pipe, member) in self.members.iter_mut() {
            if member.chosen != self.choice {
                self.targets.push(pipe);
            }
        }
    }

    /// Chooses all pipes.
    pub(super) fn choose_all(&mut self) {
        self.begin();
        self.invert();
    }

    /// Whether all that were chosen have room.
    pub(super) fn have_room(&mut self, pipes: &mut Pipes) -> bool {
        let members = &mut self.members;
        self.targets.iter().all(|pipe| has_room(members, *pipe, pipes))
    }

    /// Leaves out those of the chosen that have no room; how many they are.
    #[inline]
    pub(super) fn leave_out_full(&mut self, pipes: &mut Pipes) -> u64 {
        let members = &mut self.members;
        let before = self.targets.len();
        self.targets.retain(|pipe| has_room(members, *pipe, pipes));
        (before - self.targets.len()) as u64
    }

    /// Writes a part to all that were chosen. After the last one nobody is chosen any more.
    #[inline]
    pub(super) fn write(&mut self, part: Part, pipes: &mut Pipes) {
        let last = !part.more();
        if let Some((last_pipe, others)) = self.targets.split_last() {
            for pipe in others {
                write_one(*pipe, part.clone(), last, pipes);
            }
            write_one(*last_pipe, part, last, pipes);
        }
        if last {
            self.targets.clear();
        }
    }
}

#[inline]
fn has_room(members: &mut PipeMap<Member>, pipe: PipeId, pipes: &mut Pipes) -> bool {
    let Some((_, member)) = members.at_slot_mut(slot_of(pipe)) else {
        return false;
    };
    if !member.full {
        // The pipe remembers that it was asked, and signals when it has room.
        member.full = !pipes.can_write(pipe);
    }
    !member.full
}

#[inline]
fn write_one(pipe: PipeId, part: Part, last: bool, pipes: &mut Pipes) {
    if let Some(end) = pipes.get_mut(pipe) {
        end.write(part);
        if last {
            end.flush();
        }
    }
}
