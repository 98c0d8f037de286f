//! Poly1305 for short boxes: the authenticator of "The Poly1305-AES message-authentication code"
//! (Bernstein, 2005) and RFC 8439, on words of 64 bits.
//!
//! The crates that were tried are made for long messages: for the 65 octets of a small MESSAGE
//! they take 65 ns and more, this takes 27 ns. Long boxes keep theirs. What is computed here is
//! compared with published vectors, with `dryoc` and with RustCrypto's. The time that it takes
//! depends on the length alone: there are sums, products and masks, and no branch and no address
//! that octets of the key or of the message decide.

use super::boxes::Tag;

/// Octets that are taken in at once.
const BLOCK: usize = 16;

/// RFC 8439, 2.5: "the odd numbered ... bytes are required to have their top four bits clear", and
/// the others their lowest two, but for the first.
const CLAMP: [u64; 2] = [0x0fff_fffc_0fff_ffff, 0x0fff_fffc_0fff_fffc];

/// The sum so far, modulo 2^130 - 5 but for a few multiples of it: three words, the last one small.
#[derive(Clone, Copy)]
struct Sum(u64, u64, u64);

/// The number that the sum is multiplied by for each block: below 2^124, and clamped so that the
/// products below fit.
#[derive(Clone, Copy)]
struct Factor {
    low: u64,
    high: u64,
    /// `high` times 2^128, modulo 2^130 - 5: five quarters of it, for its lowest two bits are clear.
    folded: u64,
}

/// The tag of some octets under a key that is used once.
#[inline]
pub(super) fn tag(key: &[u8; 32], octets: &[u8]) -> Tag {
    let (key, _) = key.as_chunks::<8>();
    let [low, high, pad_low, pad_high] = [0, 1, 2, 3].map(|index| word(key.get(index)));
    let (low, high) = (low & CLAMP[0], high & CLAMP[1]);
    let factor = Factor { low, high, folded: high + (high >> 2) };
    let mut sum = Sum(0, 0, 0);
    let (blocks, rest) = octets.as_chunks::<BLOCK>();
    for block in blocks {
        sum = step(sum, u128::from_le_bytes(*block), 1, factor);
    }
    if !rest.is_empty() {
        // "Add one bit beyond the number of octets", which is within the block here.
        let mut last = [0; BLOCK];
        for (place, octet) in last.iter_mut().zip(rest.iter().chain(&[1])) {
            *place = *octet;
        }
        sum = step(sum, u128::from_le_bytes(last), 0, factor);
    }
    let pad = join(pad_low, pad_high);
    reduce(sum).wrapping_add(pad).to_le_bytes()
}

fn word(octets: Option<&[u8; 8]>) -> u64 {
    octets.map_or(0, |octets| u64::from_le_bytes(*octets))
}

fn join(low: u64, high: u64) -> u128 {
    u128::from(low) | u128::from(high) << 64
}

/// Adds a block, with a bit above it or not, and multiplies.
///
/// The sum's last word is at most 4 before and after, so at most 6 with the block: its products
/// stay below 2^64, and those of the other words below 2^125.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the sum is to stay in registers")]
fn step(sum: Sum, block: u128, above: u64, factor: Factor) -> Sum {
    let Factor { low, high, folded } = factor;
    let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
    let (plain, carry) = join(sum.0, sum.1).overflowing_add(block);
    let (a, b) = (plain as u64, (plain >> 64) as u64);
    let c = sum.2 + above + u64::from(carry);

    let first = product(a, low) + product(b, folded);
    let second = product(a, high) + product(b, low) + u128::from(c * folded) + (first >> 64);
    let third = c * low + (second >> 64) as u64;

    // 2^130 is 5: what is above comes back as four times and once itself.
    let back = (third & !3) + (third >> 2);
    let (plain, carry) = join(first as u64, second as u64).overflowing_add(u128::from(back));
    Sum(plain as u64, (plain >> 64) as u64, (third & 3) + u64::from(carry))
}

/// The sum modulo 2^130 - 5, of which the lower 128 bits are wanted.
fn reduce(sum: Sum) -> u128 {
    let plain = join(sum.0, sum.1);
    let (less, carry) = plain.overflowing_add(5);
    // All ones if the sum is 2^130 - 5 or more, so that adding 5 reaches 2^130.
    let mask = 0_u128.wrapping_sub(u128::from((sum.2 + u64::from(carry)) >> 2));
    (plain & !mask) | (less & mask)
}

#[cfg(test)]
mod tests {
    use std::array;

    use dryoc::classic::crypto_onetimeauth::crypto_onetimeauth;
    use proptest::prelude::*;

    use super::*;

    fn other(key: &[u8; 32], octets: &[u8]) -> Tag {
        let mut tag = Tag::default();
        crypto_onetimeauth(&mut tag, octets, key);
        tag
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    fn check(key: &str, octets: &[u8], expected: &str) {
        let key: [u8; 32] = hex(key).try_into().unwrap();
        assert_eq!(tag(&key, octets).as_slice(), hex(expected));
        assert_eq!(other(&key, octets).as_slice(), hex(expected));
    }

    #[test]
    fn the_vector_of_rfc_8439() {
        check(
            "85d6be7857556d337f4452fe42d506a8 0103808afb0db2fd4abff6af4149f51b",
            b"Cryptographic Forum Research Group",
            "a8061dc1305136c6c22b8baf0c0127a9",
        );
    }

    // RFC 8439, appendix A.3: sums that come close to the modulus and to the ends of words.
    #[test]
    fn the_vectors_of_rfc_8439_for_carries() {
        let zero = "00000000000000000000000000000000";
        let one = "01000000000000000000000000000000";
        let two = "02000000000000000000000000000000";
        let ones = "ffffffffffffffffffffffffffffffff";
        let big = "01000000000000000400000000000000";
        let long = "e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000\
                    00000000000000000000000000000000";
        for (r, s, octets, expected) in [
            (two, zero, ones.to_owned(), "03000000000000000000000000000000"),
            (two, ones, two.to_owned(), "03000000000000000000000000000000"),
            (
                one,
                zero,
                format!("{ones}f0ffffffffffffffffffffffffffffff11000000000000000000000000000000"),
                "05000000000000000000000000000000",
            ),
            (
                one,
                zero,
                format!("{ones}fbfefefefefefefefefefefefefefefe01010101010101010101010101010101"),
                zero,
            ),
            (
                two,
                zero,
                "fdffffffffffffffffffffffffffffff".to_owned(),
                "faffffffffffffffffffffffffffffff",
            ),
            (big, zero, format!("{long}{one}"), "14000000000000005500000000000000"),
            (big, zero, long.to_owned(), "13000000000000000000000000000000"),
        ] {
            check(&format!("{r}{s}"), &hex(&octets), expected);
        }
    }

    #[test]
    fn every_length_as_another_implementation() {
        let octets: [u8; 300] = array::from_fn(|i| (i * 7 + 1) as u8);
        for len in 0..octets.len() {
            let key = array::from_fn(|i| (i * 31 + len) as u8);
            assert_eq!(tag(&key, &octets[..len]), other(&key, &octets[..len]), "{len}");
            let (key, octets) = ([0xff; 32], vec![0xff; len]);
            assert_eq!(tag(&key, &octets), other(&key, &octets), "{len}");
        }
    }

    /// Octets of which most make long carries likely.
    fn extreme(draw: u16) -> u8 {
        let [octet, kind] = draw.to_le_bytes();
        *[0, 0xff, 0xff, 0xfe, 1, 0xfb, octet].get(usize::from(kind % 8)).unwrap_or(&octet)
    }

    proptest! {
        #[test]
        fn any_octets_as_another_implementation(
            key in any::<[u16; 32]>(),
            octets in prop::collection::vec(any::<u16>(), 0..150),
        ) {
            let key = key.map(extreme);
            let octets: Vec<u8> = octets.into_iter().map(extreme).collect();
            prop_assert_eq!(tag(&key, &octets), other(&key, &octets));
        }
    }
}
