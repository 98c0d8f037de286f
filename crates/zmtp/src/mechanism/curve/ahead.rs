//! Key stream for the short boxes to come: the first blocks of Salsa20 under several nonces at once.
//!
//! A message of 64 octets needs two blocks, too few for the vector units that make long messages
//! fast; those of eight messages are enough. Nonces count up, so what comes next is known to the
//! side that opens as well as to the one that seals. No crate offers blocks of different nonces, so
//! the rounds of "The Salsa20 core" (Bernstein, 2005) are written out here, on the lanes of
//! `fearless_simd`, and compared with RustCrypto's in the tests. They are additions, rotations and
//! exclusive ors only: the time that they take says nothing of the key.

use std::array;
use std::ops::{Add, BitOr, BitXor, Shl, Shr};
use std::sync::LazyLock;

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch};
use zeroize::Zeroize;

/// How many nonces are served at once.
const NONCES: usize = 8;

/// How many blocks there are for each.
const BLOCKS: usize = 2;

/// Words of a block.
const WORDS: usize = 16;

/// Octets for each nonce.
pub(super) const STREAM: usize = BLOCKS * WORDS * 4;

/// "expand 32-byte k", the diagonal of the initial matrix.
const DIAGONAL: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// What this processor can do.
static LEVEL: LazyLock<Level> = LazyLock::new(Level::new);

/// Key stream of some nonces that follow each other. It is as secret as the key, and is overwritten
/// when it is dropped.
pub(super) struct Ahead {
    first: u64,
    /// How many nonces there are streams for, none before the first use.
    count: u64,
    streams: [[u8; STREAM]; NONCES],
}

impl Default for Ahead {
    fn default() -> Self {
        Self { first: 0, count: 0, streams: [[0; STREAM]; NONCES] }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.streams.zeroize();
    }
}

impl Ahead {
    /// The stream of a nonce; always of the same key.
    #[inline]
    pub(super) fn get(&mut self, key: &[u8; 32], nonce: u64) -> &[u8; STREAM] {
        if nonce.wrapping_sub(self.first) >= self.count {
            self.refill(key, nonce);
        }
        // The remainder only shows the compiler that the index is in bounds.
        let index = nonce.wrapping_sub(self.first) as usize % NONCES;
        &self.streams[index]
    }

    #[inline(never)]
    fn refill(&mut self, key: &[u8; 32], nonce: u64) {
        self.first = nonce;
        self.count = NONCES as u64;
        let streams = &mut self.streams;
        dispatch!(*LEVEL, simd => fill(simd, key, nonce, streams));
    }
}

/// A word of each of some blocks.
trait Lanes:
    Copy
    + Add<Output = Self>
    + BitXor<Output = Self>
    + BitOr<Output = Self>
    + Shl<u32, Output = Self>
    + Shr<u32, Output = Self>
{
}

impl<T> Lanes for T where
    T: Copy
        + Add<Output = T>
        + BitXor<Output = T>
        + BitOr<Output = T>
        + Shl<u32, Output = T>
        + Shr<u32, Output = T>
{
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "code for a processor must be in the function for it")]
fn fill<S: Simd>(simd: S, key: &[u8; 32], nonce: u64, streams: &mut [[u8; STREAM]; NONCES])
where
    S::u32s: Lanes,
{
    let width = S::u32s::LEN;
    let (blocks, _) = streams.as_flattened_mut().as_chunks_mut::<{ WORDS * 4 }>();
    for (turn, blocks) in blocks.chunks_mut(width).enumerate() {
        let words = core(initial::<S>(simd, key, nonce, turn * width));
        for (index, word) in words.iter().enumerate() {
            for (block, value) in blocks.iter_mut().zip(word.as_slice()) {
                block[index * 4..index * 4 + 4].copy_from_slice(&value.to_le_bytes());
            }
        }
    }
}

/// The initial matrix of the blocks from lane `start` on. The nonce is in words 6 and 7, the number
/// of the block within its nonce in words 8 and 9.
#[inline(always)]
#[expect(clippy::inline_always, reason = "code for a processor must be in the function for it")]
fn initial<S: Simd>(simd: S, key: &[u8; 32], nonce: u64, start: usize) -> [S::u32s; WORDS] {
    let (key, _) = key.as_chunks::<4>();
    let of_nonce = |lane: usize| nonce.wrapping_add(((start + lane) / BLOCKS) as u64);
    array::from_fn(|index| match index {
        0 | 5 | 10 | 15 => S::u32s::splat(simd, DIAGONAL[index / 5]),
        1..=4 => S::u32s::splat(simd, u32::from_le_bytes(key[index - 1])),
        11..=14 => S::u32s::splat(simd, u32::from_le_bytes(key[index - 7])),
        // Nonces are sent with their high octets first, and words begin with their low ones.
        6 => S::u32s::from_fn(simd, |lane| ((of_nonce(lane) >> 32) as u32).swap_bytes()),
        7 => S::u32s::from_fn(simd, |lane| (of_nonce(lane) as u32).swap_bytes()),
        8 => S::u32s::from_fn(simd, |lane| ((start + lane) % BLOCKS) as u32),
        _ => S::u32s::splat(simd, 0),
    })
}

/// Ten double rounds, and the initial matrix added to their result.
#[inline(always)]
#[expect(clippy::inline_always, reason = "code for a processor must be in the function for it")]
fn core<V: Lanes>(initial: [V; WORDS]) -> [V; WORDS] {
    let mut x = initial;
    for _ in 0..10 {
        // One after the other: as a loop over these numbers, the words would live in memory, and
        // each step would wait for the store of the one before.
        quarter(&mut x, [0, 4, 8, 12]);
        quarter(&mut x, [5, 9, 13, 1]);
        quarter(&mut x, [10, 14, 2, 6]);
        quarter(&mut x, [15, 3, 7, 11]);
        quarter(&mut x, [0, 1, 2, 3]);
        quarter(&mut x, [5, 6, 7, 4]);
        quarter(&mut x, [10, 11, 8, 9]);
        quarter(&mut x, [15, 12, 13, 14]);
    }
    array::from_fn(|index| x[index] + initial[index])
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "code for a processor must be in the function for it")]
fn quarter<V: Lanes>(x: &mut [V; WORDS], [a, b, c, d]: [usize; 4]) {
    x[b] = x[b] ^ rotate::<7, _>(x[a] + x[d]);
    x[c] = x[c] ^ rotate::<9, _>(x[b] + x[a]);
    x[d] = x[d] ^ rotate::<13, _>(x[c] + x[b]);
    x[a] = x[a] ^ rotate::<18, _>(x[d] + x[c]);
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "code for a processor must be in the function for it")]
fn rotate<const BY: u32, V: Lanes>(word: V) -> V {
    (word << BY) | (word >> (32 - BY))
}

#[cfg(test)]
mod tests {
    use salsa20::Salsa20;
    use salsa20::cipher::{KeyIvInit, StreamCipher};

    use super::*;

    fn expected(key: &[u8; 32], nonce: u64) -> [u8; STREAM] {
        let mut stream = [0; STREAM];
        Salsa20::new(key.into(), (&nonce.to_be_bytes()).into()).apply_keystream(&mut stream);
        stream
    }

    #[test]
    fn every_stream_is_that_of_another_implementation() {
        let mut key;
        for (turn, nonce) in [0, 1, 255, 0xffff_fffc, 1 << 40, u64::MAX - 3].into_iter().enumerate()
        {
            key = array::from_fn(|i| i as u8 ^ (turn as u8 * 37));
            let mut ahead = Ahead::default();
            for step in 0..30 {
                let nonce = nonce.wrapping_add(step);
                assert_eq!(*ahead.get(&key, nonce), expected(&key, nonce), "{nonce}");
            }
        }
    }

    #[test]
    fn every_kind_of_processor_computes_the_same() {
        let key = [3; 32];
        let mut plain = [[0; STREAM]; NONCES];
        dispatch!(Level::baseline(), simd => fill(simd, &key, 5, &mut plain));
        let mut best = [[1; STREAM]; NONCES];
        dispatch!(*LEVEL, simd => fill(simd, &key, 5, &mut best));
        assert_eq!(plain, best);
        for (nonce, stream) in (5..).zip(plain) {
            assert_eq!(stream, expected(&key, nonce));
        }
    }
}
