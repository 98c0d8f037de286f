//! Encoded messages on their way into the kernel: small bodies copied behind their headers,
//! large ones by reference. Only whole messages are put in, so that what a lost connection did
//! not take can be sent again from a message's start.

use std::collections::VecDeque;
use std::io::IoSlice;

use crate::message::Part;

/// Bodies from this many bytes on are not copied.
const REFERENCE_FROM: usize = 16 * 1024;

/// When to stop filling, in bytes.
const FULL: usize = 256 * 1024;

/// How many pieces one system call is given.
const MAX_SLICES: usize = 128;

/// Bytes and bodies in the order in which they are sent.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    /// Bodies that stand before the given position of `bytes`.
    bodies: VecDeque<(usize, Part)>,
    /// How far `bytes` and the first body were sent.
    sent: usize,
    body_sent: usize,
    queued: usize,
    /// Bytes that the kernel accepted since the outbox was empty.
    total_sent: usize,
    /// Where messages end, in bytes since then.
    ends: VecDeque<usize>,
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len() && self.bodies.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.queued >= FULL
    }

    /// How many messages the kernel has not accepted whole.
    pub(super) fn messages(&self) -> u64 {
        self.ends.len() as u64
    }

    /// Takes note that a message ends here.
    pub(super) fn end_message(&mut self) {
        self.ends.push_back(self.total_sent + self.queued);
    }

    /// The place to encode headers and commands into.
    pub(super) fn encoder(&mut self) -> Encoder<'_> {
        let start = self.bytes.len();
        Encoder { outbox: self, start }
    }

    /// What to write next.
    pub(super) fn slices<'a>(&'a self, slices: &mut Vec<IoSlice<'a>>) {
        let mut at = self.sent;
        let mut skip = self.body_sent;
        for (position, body) in &self.bodies {
            if slices.len() + 2 > MAX_SLICES {
                return;
            }
            if *position > at {
                slices.push(IoSlice::new(&self.bytes[at..*position]));
                at = *position;
            }
            slices.push(IoSlice::new(&body[skip..]));
            skip = 0;
        }
        if at < self.bytes.len() {
            slices.push(IoSlice::new(&self.bytes[at..]));
        }
    }

    /// Takes note that the kernel accepted `count` bytes.
    pub(super) fn advance(&mut self, mut count: usize) {
        self.queued = self.queued.saturating_sub(count);
        self.total_sent += count;
        while count > 0 {
            let next = self.bodies.front().map_or(self.bytes.len(), |(at, _)| *at);
            let plain = (next - self.sent).min(count);
            self.sent += plain;
            count -= plain;
            if self.sent < next {
                break;
            }
            let Some((_, body)) = self.bodies.front() else {
                break;
            };
            let part = (body.len() - self.body_sent).min(count);
            self.body_sent += part;
            count -= part;
            if self.body_sent == body.len() {
                self.bodies.pop_front();
                self.body_sent = 0;
            }
        }
        if self.is_empty() {
            self.clear();
            return;
        }
        while self.ends.front().is_some_and(|end| *end <= self.total_sent) {
            self.ends.pop_front();
        }
        if self.sent >= FULL {
            self.forget_sent();
        }
    }

    /// Gives up the bytes that were sent: with a slow peer there may always be more behind them.
    fn forget_sent(&mut self) {
        self.bytes.drain(..self.sent);
        for (position, _) in &mut self.bodies {
            *position -= self.sent;
        }
        self.sent = 0;
    }

    /// Drops everything. A large buffer is given back.
    pub(super) fn clear(&mut self) {
        if self.bytes.capacity() > 2 * FULL {
            self.bytes = Vec::new();
        } else {
            self.bytes.clear();
        }
        self.bodies.clear();
        self.sent = 0;
        self.body_sent = 0;
        self.queued = 0;
        self.total_sent = 0;
        self.ends.clear();
    }

    /// Gives up an idle buffer.
    pub(super) fn shrink(&mut self) {
        if self.is_empty() && self.bytes.capacity() > 0 {
            *self = Self::default();
        }
    }
}

/// Adds to an [`Outbox`], and keeps count.
pub(super) struct Encoder<'a> {
    outbox: &'a mut Outbox,
    start: usize,
}

impl Encoder<'_> {
    /// The buffer for headers and commands.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.outbox.bytes
    }

    /// Adds a body behind the header that was put into [`Encoder::bytes`].
    pub(super) fn body(&mut self, part: Part) {
        if part.len() < REFERENCE_FROM {
            self.outbox.bytes.extend_from_slice(&part);
        } else {
            self.outbox.queued += part.len();
            self.outbox.bodies.push_back((self.outbox.bytes.len(), part));
        }
    }
}

impl Drop for Encoder<'_> {
    fn drop(&mut self) {
        self.outbox.queued += self.outbox.bytes.len() - self.start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(outbox: &mut Outbox, step: usize) -> Vec<u8> {
        let mut seen = Vec::new();
        while !outbox.is_empty() {
            let mut slices = Vec::new();
            outbox.slices(&mut slices);
            let taken: Vec<u8> =
                slices.iter().flat_map(|slice| slice.iter().copied()).take(step).collect();
            seen.extend_from_slice(&taken);
            outbox.advance(taken.len());
        }
        seen
    }

    #[test]
    fn bytes_leave_in_order_however_the_kernel_takes_them() {
        for step in [1, 7, 1000, 100_000, usize::MAX] {
            let mut outbox = Outbox::default();
            let mut expected = Vec::new();
            for i in 0..20_u8 {
                let size = if i % 3 == 0 { REFERENCE_FROM + usize::from(i) } else { 10 };
                let body = vec![i; size];
                let mut encoder = outbox.encoder();
                encoder.bytes().extend_from_slice(&[255, i]);
                encoder.body(Part::from_vec(body.clone()));
                drop(encoder);
                outbox.end_message();
                expected.extend_from_slice(&[255, i]);
                expected.extend_from_slice(&body);
            }
            assert_eq!(outbox.queued, expected.len());
            assert_eq!(outbox.messages(), 20);
            let step = if step == 1 { 13 } else { step };
            assert_eq!(drain(&mut outbox, step), expected);
            assert_eq!(outbox.queued, 0);
            assert_eq!(outbox.messages(), 0);
        }
    }

    #[test]
    fn a_peer_that_never_catches_up_costs_no_memory() {
        let mut outbox = Outbox::default();
        let (mut given, mut taken) = (Vec::new(), Vec::new());
        for i in 0..2000_usize {
            let body = vec![i as u8; if i % 7 == 0 { REFERENCE_FROM } else { 2000 }];
            outbox.encoder().bytes().push(i as u8);
            outbox.encoder().body(Part::from_vec(body.clone()));
            given.push(i as u8);
            given.extend_from_slice(&body);
            while outbox.queued > FULL {
                let mut slices = Vec::new();
                outbox.slices(&mut slices);
                let piece = slices[0][..slices[0].len().min(5000)].to_vec();
                outbox.advance(piece.len());
                taken.extend_from_slice(&piece);
            }
            assert!(outbox.bytes.len() <= 3 * FULL);
        }
        taken.extend(drain(&mut outbox, 4096));
        assert_eq!(taken, given);
    }

    #[test]
    fn messages_count_until_their_last_byte_is_accepted() {
        let mut outbox = Outbox::default();
        for size in [10, REFERENCE_FROM, 10] {
            let mut encoder = outbox.encoder();
            encoder.bytes().extend_from_slice(&[0, 1]);
            encoder.body(Part::from_vec(vec![7; size]));
            drop(encoder);
            outbox.end_message();
        }
        outbox.advance(11);
        assert_eq!(outbox.messages(), 3);
        outbox.advance(1);
        assert_eq!(outbox.messages(), 2);
        outbox.advance(1 + REFERENCE_FROM);
        assert_eq!(outbox.messages(), 2);
        outbox.advance(1);
        assert_eq!(outbox.messages(), 1);
        outbox.advance(12);
        assert_eq!((outbox.messages(), outbox.is_empty()), (0, true));
    }
}
