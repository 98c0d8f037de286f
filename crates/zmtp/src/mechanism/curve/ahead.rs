//! Key stream for the short boxes to come: the first blocks of Salsa20 under several nonces at once.
//!
//! A message of 64 octets needs two blocks, too few for the vector units that make long messages
//! fast; those of eight messages are enough. Nonces count up, so what comes next is known to the
//! side that opens as well as to the one that seals. No crate offers blocks of different nonces, so
//! the rounds of "The Salsa20 core" (Bernstein, 2005) are written out here, on the lanes of
//! `fearless_simd`, and tried in the tests on published vectors and against RustCrypto's. They are
//! additions, rotations and exclusive ors only: the time that they take says nothing of the key.

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

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
    }

    /// The verified test vectors of eSTREAM for keys of 256 bits: the first 64 octets of each.
    #[test]
    fn streams_follow_the_vectors_of_estream() {
        let vectors = [
            // Set 1, vectors 0 and 9.
            (
                "8000000000000000000000000000000000000000000000000000000000000000",
                "0000000000000000",
                "e3be8fdd8beca2e3ea8ef9475b29a6e7003951e1097a5c38d23b7a5fad9f6844\
                b22c97559e2723c7cbbd3fe4fc8d9a0744652a83e72a9c461876af4d7ef1a117",
            ),
            (
                "0040000000000000000000000000000000000000000000000000000000000000",
                "0000000000000000",
                "01f191c3a1f2cc6ebed78095a05e062e1228154af6bae80a0e1a61df2ae15fbc\
                c37286440f66780761413f23b0c2c9e4678c628c5e7fb48c6ec1d82d47117d9f",
            ),
            // Set 6, vector 0.
            (
                "0053a6f94c9ff24598eb3e91e4378add3083d6297ccf2275c81b6ec11467ba0d",
                "0d74db42a91077de",
                "f5fad53f79f9df58c4aea0d0ed9a9601f278112ca7180d565b420a48019670ea\
                f24ce493a86263f677b46ace1924773d2bb25571e1aa8593758fc382b1280b71",
            ),
        ];
        for (key, nonce, stream) in vectors {
            let nonce = u64::from_be_bytes(hex(nonce));
            // As the first of its eight, as one in between, and as the last.
            for before in [0, 3, 7] {
                let mut ahead = Ahead::default();
                ahead.get(&hex(key), nonce.wrapping_sub(before));
                let got = *ahead.get(&hex(key), nonce);
                assert_eq!(got[..64], hex::<64>(stream), "{key} {nonce}");
            }
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "code for a processor must be in the function for it")]
    fn core_of<S: Simd>(simd: S, input: &[u8; 64]) -> Vec<[u8; 64]>
    where
        S::u32s: Lanes,
    {
        let (words, _) = input.as_chunks::<4>();
        let word = |index: usize| u32::from_le_bytes(words[index]);
        let output = core::<S::u32s>(array::from_fn(|index| S::u32s::splat(simd, word(index))));
        let lane = |lane: usize| {
            let octets = output.iter().flat_map(|word| word.as_slice()[lane].to_le_bytes());
            octets.collect::<Vec<_>>().try_into().unwrap()
        };
        (0..S::u32s::LEN).map(lane).collect()
    }

    /// The examples in "Salsa20 specification" (Bernstein, 2005), on every lane.
    #[test]
    fn the_core_follows_its_specification() {
        // Section 8.
        let input = [
            211, 159, 13, 115, 76, 55, 82, 183, 3, 117, 222, 37, 191, 187, 234, 136, 49, 237, 179,
            48, 1, 106, 178, 219, 175, 199, 166, 48, 86, 16, 179, 207, 31, 240, 32, 63, 15, 83, 93,
            161, 116, 147, 48, 113, 238, 55, 204, 36, 79, 201, 235, 79, 3, 81, 156, 47, 203, 26,
            244, 243, 88, 118, 104, 54,
        ];
        let output = [
            109, 42, 178, 168, 156, 240, 248, 238, 168, 196, 190, 203, 26, 110, 170, 154, 29, 29,
            150, 26, 150, 30, 235, 249, 190, 163, 251, 48, 69, 144, 51, 57, 118, 40, 152, 157, 180,
            57, 27, 94, 107, 42, 236, 35, 27, 111, 114, 114, 219, 236, 232, 135, 111, 155, 110, 18,
            24, 232, 95, 158, 179, 19, 48, 202,
        ];
        // Section 9: the keys 1 to 16 and 201 to 216, the nonce and the block 101 to 116.
        let mut expanded: [u8; 64] = [0; 64];
        for (index, word) in DIAGONAL.iter().enumerate() {
            expanded[index * 20..index * 20 + 4].copy_from_slice(&word.to_le_bytes());
        }
        for (at, first) in [(4, 1), (24, 101), (44, 201)] {
            for (octet, value) in expanded[at..at + 16].iter_mut().zip(first..) {
                *octet = value;
            }
        }
        let block = [
            69, 37, 68, 39, 41, 15, 107, 193, 255, 139, 122, 6, 170, 233, 217, 98, 89, 144, 182,
            106, 21, 51, 200, 65, 239, 49, 222, 34, 215, 114, 40, 126, 104, 197, 7, 225, 197, 153,
            31, 2, 102, 78, 76, 176, 84, 245, 246, 184, 177, 160, 133, 130, 6, 72, 149, 119, 192,
            195, 132, 236, 234, 103, 246, 74,
        ];
        for (input, output) in [([0; 64], [0; 64]), (input, output), (expanded, block)] {
            for level in [Level::baseline(), *LEVEL] {
                let lanes = dispatch!(level, simd => core_of(simd, &input));
                assert!(!lanes.is_empty() && lanes.iter().all(|lane| *lane == output));
            }
        }
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
