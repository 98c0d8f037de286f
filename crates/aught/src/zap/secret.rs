//! Comparing what peers must not guess, in a time that tells them nothing. Octets are compared by
//! `zmtp::zap`; here is that there are always as many.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// How long a name or a password of PLAIN is at most (RFC 24).
const LONGEST: usize = 255;

/// A password of PLAIN in room for the longest one: its length, itself, and zeros. Comparing two of
/// them takes as long whatever they hold.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(super) struct Padded([u8; 1 + LONGEST]);

impl Padded {
    /// Something to compare with where there is no password.
    pub(super) const NONE: Self = Self([0; 1 + LONGEST]);

    /// None if it is longer than passwords are.
    pub(super) fn new(password: &[u8]) -> Option<Self> {
        let mut padded = Self::NONE;
        let (len, room) = padded.0.split_first_mut()?;
        *len = u8::try_from(password.len()).ok()?;
        room.get_mut(..password.len())?.copy_from_slice(password);
        Some(padded)
    }

    /// Whether both hold the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        #[cfg(test)]
        COMPARED.set(COMPARED.get() + self.0.len());
        zmtp::zap::is_same_secret(&self.0, &other.0)
    }
}

#[cfg(test)]
thread_local! {
    /// How many octets this thread has compared.
    pub(super) static COMPARED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Whether two secrets are the same, in a time that tells nothing about where they differ. Of up to
/// 255 bytes, which is as long as passwords of PLAIN are, also the lengths do not matter to it.
#[must_use]
pub fn is_same_secret(one: &[u8], other: &[u8]) -> bool {
    match (Padded::new(one), Padded::new(other)) {
        (Some(one), Some(other)) => one.is(&other),
        _ => zmtp::zap::is_same_secret(one, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_the_same_if_all_of_them_is() {
        let long = [7; 400];
        for len in 0..long.len() {
            let mut other = long[..len].to_vec();
            assert!(is_same_secret(&long[..len], &other), "{len}");
            for at in 0..len {
                other[at] ^= 1;
                assert!(!is_same_secret(&long[..len], &other), "{len}, {at}");
                other[at] ^= 1;
            }
            other.push(0);
            assert!(!is_same_secret(&long[..len], &other), "{len} and a zero");
            assert!(!is_same_secret(&other, &long[..len]), "{len} and a zero");
        }
    }

    #[test]
    fn all_octets_are_compared_whatever_they_are() {
        let secret = [9; LONGEST];
        for len in 0..=LONGEST {
            for first_difference in [0, len / 2, len.saturating_sub(1), len] {
                let mut other = secret;
                if let Some(octet) = other.get_mut(first_difference) {
                    *octet = 1;
                }
                let before = COMPARED.get();
                let same = is_same_secret(&secret, &other[..len]);
                assert_eq!(same, len == LONGEST && first_difference >= len);
                assert_eq!(COMPARED.get() - before, 1 + LONGEST, "{len} {first_difference}");
            }
        }
    }
}
