//! Pipes: the unit of high-water mark, of order and of reconnection. A pipe joins a socket with
//! the connection that serves one peer, or two sockets over inproc, and carries parts both ways.
//!
//! Each end belongs to one owner, which the other end's doings reach as [`Signal`]s. What an
//! owner does with them is not decided here. The queue itself is in `queue`.

mod queue;
mod slab;

pub(crate) use slab::{PipeId, Pipes};

use crate::message::{Kind, Part, Peer};
use crate::sync::{Arc, AtomicBool, AtomicU32, AtomicU64, Mutex, OnceLock, Ordering, fence, lock};
use queue::Queue;

/// What one end of a pipe tells the owner of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// There is something to read, after the pipe was seen empty.
    Readable,
    /// There is room again, after the pipe was seen full.
    Writable,
    /// The other end is gone. What it had committed can still be read.
    Closed,
    /// The connection behind the other end was lost and is being made again.
    Hiccup,
}

/// Whoever holds ends of pipes: a socket, or an I/O thread on behalf of a connection.
pub(crate) trait Owner: Send + Sync {
    /// Something happened to the pipe that the owner calls `token`. Called from any thread;
    /// must not block, and must not touch the pipe before it returns.
    fn signal(&self, token: u64, signal: Signal);
}

/// The high-water marks of one direction, in messages; 0 means no limit.
///
/// Over inproc the two sockets' marks are added; between a socket and its connection only the
/// socket's own mark counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// The writing socket's send mark.
    pub writer: Option<u32>,
    /// The reading socket's receive mark.
    pub reader: Option<u32>,
}

impl Marks {
    /// The limit that both marks make; 0 means none.
    fn total(self) -> u32 {
        match (self.writer, self.reader) {
            (None, None) | (Some(0), _) | (_, Some(0)) => 0,
            (writer, reader) => writer.unwrap_or(0).saturating_add(reader.unwrap_or(0)),
        }
    }
}

/// One direction of a pipe.
struct Channel {
    queue: Queue<Part>,
    /// Holds the newest message instead of the queue when the pipe conflates.
    newest: Option<Mutex<Newest>>,
    marks: Mutex<Marks>,
    /// The sum of the marks, for the writer's quick look.
    limit: AtomicU32,
    /// Messages that the reader has taken and given back as room, in steps.
    returned: AtomicU64,
    /// Messages that the reader dropped unread as it went.
    discarded: AtomicU64,
    /// The writer found the pipe full and wants to be told about room.
    writer_waits: AtomicBool,
    writer_gone: AtomicBool,
    reader_gone: AtomicBool,
}

#[derive(Default)]
struct Newest {
    part: Option<Part>,
    /// Messages that were replaced before anybody read them, since this was last asked.
    replaced: u64,
    reader_asleep: bool,
}

impl Channel {
    fn new(marks: Marks, conflate: bool) -> Self {
        Self {
            queue: Queue::new(),
            newest: conflate.then(Mutex::default),
            limit: AtomicU32::new(if conflate { 0 } else { marks.total() }),
            marks: Mutex::new(marks),
            returned: AtomicU64::new(0),
            discarded: AtomicU64::new(0),
            writer_waits: AtomicBool::new(false),
            writer_gone: AtomicBool::new(false),
            reader_gone: AtomicBool::new(false),
        }
    }

    fn set_marks(&self, change: impl FnOnce(&mut Marks)) {
        let mut marks = lock(&self.marks);
        change(&mut marks);
        if self.newest.is_none() {
            self.limit.store(marks.total(), Ordering::SeqCst);
        }
    }

    /// Whether this write leaves the reader to be woken.
    fn replace_newest(newest: &Mutex<Newest>, part: Part) -> bool {
        let mut slot = lock(newest);
        slot.replaced += u64::from(slot.part.replace(part).is_some());
        std::mem::take(&mut slot.reader_asleep)
    }

    /// Drops what was committed and not read. Returns how many messages that was.
    fn drain(&self, reader: &ReaderHalf<'_>) -> u64 {
        let mut messages = 0;
        while let Some(part) = reader.pop() {
            messages += u64::from(part.kind() == Kind::Data && !part.more());
        }
        if let Some(newest) = &self.newest {
            messages += u64::from(lock(newest).part.take().is_some());
        }
        messages
    }
}

struct Shared {
    /// `channels[i]` is written by side `i`.
    channels: [Channel; 2],
    owners: [OnceLock<(Arc<dyn Owner>, u64)>; 2],
}

impl Shared {
    fn signal(&self, side: usize, signal: Signal) {
        if let Some((owner, token)) = self.owners[side].get() {
            owner.signal(*token, signal);
        }
    }
}

/// How a pipe is made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PipeOptions {
    /// Marks for what the first end writes.
    pub forth: Marks,
    /// Marks for what the second end writes.
    pub back: Marks,
    /// Keep only the newest message, forth and back.
    pub conflate: (bool, bool),
}

/// One end of a pipe. Dropping it closes the pipe: what was committed stays readable at the
/// other end, what was not is dropped.
pub(crate) struct PipeEnd {
    shared: Arc<Shared>,
    side: usize,
    /// Messages committed by this end, and how many of them it knows were taken.
    written: u64,
    returned: u64,
    /// Parts of an unfinished message were written.
    unfinished: bool,
    /// Messages taken by this end, and how many of them were given back as room.
    taken: u64,
    given_back: u64,
    /// Messages taken when the writer was last told that there is room.
    told: u64,
    /// How many messages are given back at once. Follows the marks of this end's socket, not
    /// those of the other: a change at the other end shows in its own limit at once.
    step: u64,
    peer: Option<Arc<Peer>>,
    /// What this end reads is conflated.
    conflated: bool,
}

/// Whether the part ends something that counts towards the high-water mark: a message or a
/// subscription. The engine's own notes do not.
#[inline]
fn counts(part: &Part) -> bool {
    !part.more() && !matches!(part.kind(), Kind::PeerChange | Kind::Restart)
}

/// Room goes back to a writer every half a high-water mark, so that the two sides do not touch
/// each other's memory for every message.
fn step(channel: &Channel) -> u64 {
    u64::from(channel.limit.load(Ordering::Relaxed)).div_ceil(2).max(1)
}

/// Makes a pipe and returns its two ends.
#[must_use]
pub(crate) fn pipe(options: PipeOptions) -> (PipeEnd, PipeEnd) {
    let shared = Arc::new(Shared {
        channels: [
            Channel::new(options.forth, options.conflate.0),
            Channel::new(options.back, options.conflate.1),
        ],
        owners: [OnceLock::new(), OnceLock::new()],
    });
    (PipeEnd::new(Arc::clone(&shared), 0), PipeEnd::new(shared, 1))
}

/// About what a pipe and its two ends take while so many parts wait in one direction, in bytes.
/// The parts' bodies are not in it.
#[must_use]
pub(crate) fn footprint(parts: usize) -> usize {
    let queues = Queue::<Part>::footprint(parts) + Queue::<Part>::footprint(0);
    size_of::<Shared>() + 2 * size_of::<PipeEnd>() + queues
}

impl PipeEnd {
    fn new(shared: Arc<Shared>, side: usize) -> Self {
        let step = step(&shared.channels[1 - side]);
        let conflated = shared.channels[1 - side].newest.is_some();
        Self {
            conflated,
            shared,
            side,
            written: 0,
            returned: 0,
            unfinished: false,
            taken: 0,
            given_back: 0,
            told: 0,
            step,
            peer: None,
        }
    }

    fn out(&self) -> &Channel {
        &self.shared.channels[self.side]
    }

    fn input(&self) -> &Channel {
        &self.shared.channels[1 - self.side]
    }

    /// Says who is to hear of the other end's doings, and under which name. Set once; the owner
    /// then looks at the pipe once, since earlier signals had nowhere to go.
    pub(crate) fn set_owner(&self, owner: Arc<dyn Owner>, token: u64) {
        // A second owner would be a mistake of the engine; the first one stays.
        let _ = self.shared.owners[self.side].set((owner, token));
        // Pairs with the fence in `drop`: either we see that the other end went, or it sees us.
        fence(Ordering::SeqCst);
    }

    /// Whether the other end is gone.
    #[must_use]
    pub(crate) fn is_closed(&self) -> bool {
        self.input().writer_gone.load(Ordering::SeqCst)
    }

    /// Whether a message can be started without passing the high-water mark. If not, the owner
    /// hears [`Signal::Writable`] when it can.
    pub(crate) fn can_write(&mut self) -> bool {
        if self.unfinished {
            return true;
        }
        if self.out().reader_gone.load(Ordering::Relaxed) {
            return false;
        }
        let limit = u64::from(self.out().limit.load(Ordering::Acquire));
        if limit == 0 || self.written - self.returned < limit {
            return true;
        }
        // Room that was returned since counts only once its signal has been taken: a sender
        // that never waits sees the mark exactly, as with the reference.
        self.out().writer_waits.store(true, Ordering::SeqCst);
        if self.has_new_room() && self.out().writer_waits.swap(false, Ordering::SeqCst) {
            // The reader gave room back before it could see that we wait.
            self.shared.signal(self.side, Signal::Writable);
        }
        false
    }

    fn has_new_room(&self) -> bool {
        let limit = u64::from(self.out().limit.load(Ordering::SeqCst));
        let returned = self.out().returned.load(Ordering::SeqCst);
        limit == 0 || self.written - returned < limit
    }

    /// Takes note of room that the reader gave back. To be called on [`Signal::Writable`].
    pub(crate) fn refresh_room(&mut self) {
        self.returned = self.out().returned.load(Ordering::Acquire);
    }

    /// Appends a part. It and the rest of its message reach the reader with [`PipeEnd::flush`]
    /// after the last part. If the other end is gone, the part is dropped.
    #[inline]
    pub(crate) fn write(&mut self, mut part: Part) {
        self.write_from(&mut part);
    }

    /// As [`PipeEnd::write`], leaving an empty part behind: a part is moved as seldom as can be.
    #[inline]
    pub(crate) fn write_from(&mut self, part: &mut Part) {
        if let Some(newest) = &self.shared.channels[self.side].newest
            && part.kind() == Kind::Data
        {
            // One part is kept, and no reader is to wait for the others.
            let part = std::mem::take(part).with_more(false);
            if Channel::replace_newest(newest, part) {
                self.shared.signal(1 - self.side, Signal::Readable);
            }
            return;
        }
        self.unfinished = part.more();
        self.written += u64::from(counts(part));
        let last = !part.more();
        self.writer().push(part);
        if last {
            self.writer().seal();
        }
    }

    /// Shows everything up to the last whole message to the reader, and wakes it if it sleeps.
    #[inline]
    pub(crate) fn flush(&mut self) {
        if self.writer().commit() {
            self.shared.signal(1 - self.side, Signal::Readable);
        }
    }

    /// Drops the parts of an unfinished message.
    pub(crate) fn rollback(&mut self) {
        if self.unfinished {
            self.writer().rollback();
            self.unfinished = false;
        }
    }

    /// How many messages conflation has replaced since the last call, before anybody read them,
    /// in both directions.
    pub(crate) fn take_replaced(&mut self) -> u64 {
        let slots = self.shared.channels.iter().filter_map(|channel| channel.newest.as_ref());
        slots.map(|newest| std::mem::take(&mut lock(newest).replaced)).sum()
    }

    /// Drops what was not read, ahead of dropping the end. Returns how many messages that was.
    pub(crate) fn discard_unread(&mut self) -> u64 {
        self.input().reader_gone.store(true, Ordering::SeqCst);
        self.input().drain(&self.reader())
    }

    /// When the other end is gone: drops what this one wrote and nobody read. Returns how many
    /// messages that was, but for those that the other end has [counted](Self::discard_unread).
    pub(crate) fn take_stranded(&mut self) -> u64 {
        if !self.is_closed() {
            return 0;
        }
        // The reader went, and this end is the only user of its queue from there on.
        let out = self.out();
        out.discarded.swap(0, Ordering::Relaxed) + out.drain(&ReaderHalf(&out.queue))
    }

    /// Whether there is a part to read. If not, the owner hears [`Signal::Readable`] when there
    /// is, or [`Signal::Closed`]. Notes about the peer are taken in on the way.
    #[inline]
    pub(crate) fn can_read(&mut self) -> bool {
        loop {
            if self.conflated
                && let Some(newest) = &self.input().newest
            {
                let mut slot = lock(newest);
                if slot.part.is_some() {
                    return true;
                }
                slot.reader_asleep = true;
            }
            match self.reader().peek() {
                Some(part) if part.kind() == Kind::PeerChange => self.take_peer_change(),
                Some(_) => return true,
                None => {
                    self.give_back(true);
                    return false;
                }
            }
        }
    }

    fn take_peer_change(&mut self) {
        if let Some(mut note) = self.reader().pop() {
            self.peer = note.take_peer();
        }
    }

    /// The kind of the next part, if there is one.
    pub(crate) fn next_kind(&mut self) -> Option<Kind> {
        if !self.can_read() {
            return None;
        }
        if self.conflated {
            return Some(Kind::Data);
        }
        self.reader().peek().map(|part| part.kind())
    }

    /// Takes the next part, with the peer that sent it.
    #[cfg(test)]
    pub(crate) fn read(&mut self) -> Option<Part> {
        let mut part = Part::new();
        self.read_to(&mut part).then_some(part)
    }

    /// Moves the next part, with the peer that sent it, to where it is wanted: a part is moved
    /// as seldom as can be. False if there is none; `to` is left alone then.
    #[inline]
    pub(crate) fn read_to(&mut self, to: &mut Part) -> bool {
        if !self.read_bare_to(to) {
            return false;
        }
        if let Some(peer) = &self.peer
            && peer.is_described()
        {
            to.set_peer(Some(Arc::clone(peer)));
        }
        true
    }

    /// Takes the next part without saying who sent it: for owners that only pass it on.
    #[inline]
    pub(crate) fn read_bare(&mut self) -> Option<Part> {
        let mut part = Part::new();
        self.read_bare_to(&mut part).then_some(part)
    }

    #[inline]
    fn read_bare_to(&mut self, to: &mut Part) -> bool {
        loop {
            let newest = if self.conflated { self.read_newest() } else { None };
            if let Some(newest) = newest {
                *to = newest;
            } else {
                match self.reader().peek() {
                    Some(part) if part.kind() == Kind::PeerChange => {
                        self.take_peer_change();
                        continue;
                    }
                    Some(_) => self.reader().pop_to(to),
                    None => {
                        self.give_back(true);
                        return false;
                    }
                }
            }
            if counts(to) {
                self.taken += 1;
                self.give_back(false);
            }
            return true;
        }
    }

    fn read_newest(&mut self) -> Option<Part> {
        let mut slot = lock(self.input().newest.as_ref()?);
        let part = slot.part.take();
        slot.reader_asleep = part.is_none();
        part
    }

    /// Returns room to the writer: every half a high-water mark, and when nothing is left.
    #[inline]
    fn give_back(&mut self, all: bool) {
        let due = self.taken - self.given_back;
        if due == 0 {
            return;
        }
        if !all && due < self.step {
            return;
        }
        self.given_back = self.taken;
        // Also a writer that does not wait has to hear of room now and then: it uses only what
        // it was told of, and one that drops at the mark would drop what there is room for.
        let limited = self.input().limit.load(Ordering::Relaxed) != 0;
        let tell = limited && self.taken - self.told >= self.step;
        let channel = self.input();
        channel.returned.store(self.taken, Ordering::Release);
        // Pairs with the fence in `can_write`.
        fence(Ordering::SeqCst);
        let waits = channel.writer_waits.load(Ordering::Relaxed)
            && channel.writer_waits.swap(false, Ordering::AcqRel);
        if waits || tell {
            self.told = self.taken;
            self.shared.signal(1 - self.side, Signal::Writable);
        }
    }

    /// The peer that the next parts come from.
    #[must_use]
    pub(crate) fn peer(&self) -> Option<&Arc<Peer>> {
        self.peer.as_ref()
    }

    /// Says who the next parts come from.
    pub(crate) fn set_peer(&mut self, peer: Option<Arc<Peer>>) {
        self.peer = peer;
    }

    /// Changes the high-water marks of the socket at this end, in messages. The change counts
    /// at once, for what is written and for what is read; nothing queued is dropped.
    pub(crate) fn set_marks(&mut self, send: u32, receive: u32) {
        self.out().set_marks(|marks| marks.writer = marks.writer.map(|_| send));
        self.input().set_marks(|marks| marks.reader = marks.reader.map(|_| receive));
        self.step = step(self.input());
        // A mark that was raised may have made room for a writer that waits, at either end.
        self.give_back(true);
        for (channel, writer) in [(self.out(), self.side), (self.input(), 1 - self.side)] {
            if channel.writer_waits.load(Ordering::SeqCst)
                && channel.writer_waits.swap(false, Ordering::SeqCst)
            {
                self.shared.signal(writer, Signal::Writable);
            }
        }
    }

    /// Tells the other end that the connection behind this end was lost.
    pub(crate) fn hiccup(&self) {
        self.shared.signal(1 - self.side, Signal::Hiccup);
    }

    /// Adds the marks of the socket that takes this end over, for a pipe that was made before
    /// its second socket was known.
    pub(crate) fn join_marks(&mut self, send: u32, receive: u32) {
        self.out().set_marks(|marks| marks.writer = Some(send));
        self.input().set_marks(|marks| marks.reader = Some(receive));
        self.set_marks(send, receive);
    }

    fn writer(&self) -> WriterHalf<'_> {
        WriterHalf(&self.out().queue)
    }

    fn reader(&self) -> ReaderHalf<'_> {
        ReaderHalf(&self.input().queue)
    }
}

impl Drop for PipeEnd {
    fn drop(&mut self) {
        if self.unfinished {
            self.writer().rollback();
        }
        let left = self.discard_unread();
        self.input().discarded.fetch_add(left, Ordering::Relaxed);
        self.out().writer_gone.store(true, Ordering::SeqCst);
        // Pairs with the fence in `set_owner`.
        fence(Ordering::SeqCst);
        self.shared.signal(1 - self.side, Signal::Closed);
    }
}

impl std::fmt::Debug for PipeEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PipeEnd")
            .field("side", &self.side)
            .field("written", &self.written)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}

use halves::{ReaderHalf, WriterHalf};

/// The queue's contract, kept by ownership: a [`PipeEnd`] is the only writer of one queue and
/// the only reader of the other, and its methods take `&mut self`.
mod halves {
    use super::queue::Queue;
    use crate::message::Part;

    pub(super) struct WriterHalf<'a>(pub(super) &'a Queue<Part>);
    pub(super) struct ReaderHalf<'a>(pub(super) &'a Queue<Part>);

    impl WriterHalf<'_> {
        /// Takes the part away and leaves an empty one.
        #[inline]
        pub(super) fn push(&self, part: &mut Part) {
            // SAFETY: only the end that owns this side makes a `WriterHalf`, under `&mut self`;
            // what was taken is forgotten without a drop.
            unsafe {
                self.0.push_from(part);
                std::ptr::from_mut(part).write(Part::new());
            }
        }

        pub(super) fn seal(&self) {
            // SAFETY: as in `push`.
            unsafe { self.0.seal() }
        }

        pub(super) fn commit(&self) -> bool {
            // SAFETY: as in `push`.
            unsafe { self.0.commit() }
        }

        pub(super) fn rollback(&self) -> usize {
            // SAFETY: as in `push`.
            unsafe { self.0.rollback() }
        }
    }

    impl<'a> ReaderHalf<'a> {
        pub(super) fn peek(&self) -> Option<&'a Part> {
            // SAFETY: only the end that owns this side makes a `ReaderHalf`, or the other one once
            // this one is gone and has said so; callers drop the reference before they read on.
            unsafe { self.0.peek() }.map(|part| &*part)
        }

        pub(super) fn pop(&self) -> Option<Part> {
            // SAFETY: as in `peek`.
            unsafe { self.0.pop() }
        }

        /// Moves the next part to where it is wanted; to be called when `peek` gave one.
        #[inline]
        pub(super) fn pop_to(&self, to: &mut Part) {
            *to = Part::new();
            // SAFETY: as in `peek`; an empty part needs no drop.
            unsafe { self.0.pop_to(to) };
        }
    }
}
