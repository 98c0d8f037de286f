//! The cryptography of CURVE: X25519 key agreement and XSalsa20-Poly1305 boxes, that is NaCl's
//! `crypto_box`, put together from crates. Nothing here knows what is in a box.
//!
//! # Which crates, and why
//!
//! * Key agreement is `x25519-dalek` on `curve25519-dalek`, the implementation that was audited
//!   (Quarkslab, 2019) and that most of the ecosystem relies on.
//! * Boxes of more than 96 octets are sealed and opened by `dryoc`, in place. It is maintained,
//!   tested against libsodium and Wycheproof, and picks AVX-512, AVX2 or NEON at run time. It has had
//!   no independent audit; neither have the other candidates. Every length is therefore compared with
//!   a second, unrelated implementation in the tests below.
//! * Shorter boxes take their key stream from `ahead`, which makes that of eight messages at once,
//!   and their tag from `mac`: what crates offer is made for long messages. The subkey that XSalsa20 derives from the first 16 octets of its
//!   nonce is the same for all messages of one direction: it is derived once.
//!
//! Nanoseconds on an AMD EPYC with AVX-512; the first line is `examples/boxes.rs`, a whole frame with
//! its header and copy, the others are the box alone:
//!
//! | | seal 64 | open 64 | seal 65536 | open 65536 |
//! |---|---|---|---|---|
//! | here | 82 | 96 | 12 900 | 15 000 |
//! | `dryoc` 2.0 | 290 | 325 | 13 100 | 14 000 |
//! | libsodium 1.0.18 | 500 | 650 | 40 300 | 40 400 |
//! | `salsabox` 0.1 | 1 310 | | 31 300 | |
//! | RustCrypto `crypto_box` 0.9 | 1 330 | | 92 100 | |
//!
//! All of them run in constant time: additions, rotations and exclusive ors of words, and tags
//! compared as a whole.

use dryoc::classic::crypto_box::{
    crypto_box_detached_afternm_inplace, crypto_box_open_detached_afternm_inplace,
};
use dryoc::classic::crypto_core::crypto_core_hsalsa20;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::curve::{PublicKey, SecretKey};

use super::ahead::{self, Ahead};
use super::mac;

/// Octets by which a box is larger than what is in it.
pub(super) const TAG: usize = 16;

/// The nonce of a box.
pub(super) type Nonce = [u8; 24];

/// The authenticator of a box.
pub(super) type Tag = [u8; TAG];

/// Boxes of up to this many octets are worth a subkey of their own.
const SHORT_BOX: usize = ahead::STREAM - MAC_KEY;

/// Octets of key stream that become the key of Poly1305.
const MAC_KEY: usize = 32;

/// "The nonce SHALL be implicitly prefixed with the 16 characters" (RFC 26).
pub(super) fn short_nonce(prefix: &[u8; 16], short: u64) -> Nonce {
    let mut nonce = [0; 24];
    nonce[..16].copy_from_slice(prefix);
    nonce[16..].copy_from_slice(&short.to_be_bytes());
    nonce
}

/// "This nonce SHALL be implicitly prefixed by the 8 characters" (RFC 26).
pub(super) fn long_nonce(prefix: &[u8; 8], long: &[u8; 16]) -> Nonce {
    let mut nonce = [0; 24];
    nonce[..8].copy_from_slice(prefix);
    nonce[8..].copy_from_slice(long);
    nonce
}

/// The key of the boxes between two parties. It stays in one place while those that have it move on
/// from state to state: what is moved leaves a copy where it was.
#[derive(Clone)]
pub(super) struct BoxKey(Box<Zeroizing<[u8; 32]>>);

impl BoxKey {
    /// The key that both parties can compute: each from its own secret and the other's public key.
    /// `None` if the public key is one of the few that lead to the same key with every secret.
    pub(super) fn agree(theirs: &PublicKey, ours: &SecretKey) -> Option<Self> {
        let shared = Zeroizing::new(x25519_dalek::x25519(*ours.as_bytes(), *theirs.as_bytes()));
        if bool::from(shared.as_slice().ct_eq(&[0; 32])) {
            return None;
        }
        Some(Self(Box::new(derive(&shared, &[0; 16]))))
    }

    /// A key that was not agreed on, for secrets that one party keeps from itself.
    pub(super) fn from_octets(octets: [u8; 32]) -> Self {
        Self(Box::new(Zeroizing::new(octets)))
    }

    /// Seals in place.
    pub(super) fn seal_in_place(&self, nonce: &Nonce, octets: &mut [u8]) -> Tag {
        let mut tag = Tag::default();
        crypto_box_detached_afternm_inplace(octets, &mut tag, nonce, &self.0);
        tag
    }

    /// Opens in place. If it does not open, nothing is changed.
    pub(super) fn open_in_place(&self, nonce: &Nonce, octets: &mut [u8], tag: &Tag) -> Option<()> {
        crypto_box_open_detached_afternm_inplace(octets, tag, nonce, &self.0).ok()
    }

    /// Seals octets: the tag comes first, as in NaCl.
    pub(super) fn seal(&self, nonce: &Nonce, plain: &[u8]) -> Vec<u8> {
        let mut out = vec![0; TAG];
        out.extend_from_slice(plain);
        if let Some((tag, octets)) = out.split_first_chunk_mut::<TAG>() {
            *tag = self.seal_in_place(nonce, octets);
        }
        out
    }

    /// Opens octets behind their tag; `None` if they are not from who has the key.
    pub(super) fn open(&self, nonce: &Nonce, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (tag, octets) = sealed.split_first_chunk::<TAG>()?;
        let mut octets = Zeroizing::new(octets.to_vec());
        self.open_in_place(nonce, &mut octets, tag)?;
        Some(octets)
    }
}

/// HSalsa20.
fn derive(key: &[u8; 32], input: &[u8; 16]) -> Zeroizing<[u8; 32]> {
    let mut derived = Zeroizing::new([0; 32]);
    crypto_core_hsalsa20(&mut derived, input, key, None);
    derived
}

/// The key of boxes whose nonces differ in their last 8 octets only, and mostly by one.
pub(super) struct SeriesKey {
    key: BoxKey,
    prefix: [u8; 16],
    subkey: Zeroizing<[u8; 32]>,
    /// The nonce of the last short box.
    last: Option<u64>,
    /// Key stream of the next short boxes, once one has followed another.
    ahead: Option<Box<Ahead>>,
}

impl SeriesKey {
    pub(super) fn new(key: BoxKey, prefix: &[u8; 16]) -> Self {
        let subkey = derive(&key.0, prefix);
        Self { key, prefix: *prefix, subkey, last: None, ahead: None }
    }

    /// Seals in place.
    #[inline]
    pub(super) fn seal(&mut self, short: u64, octets: &mut [u8]) -> Tag {
        let Some(stream) = self.ahead(short, octets.len()) else {
            return self.key.seal_in_place(&short_nonce(&self.prefix, short), octets);
        };
        let (mac_key, stream) = split(stream);
        apply(stream, octets);
        mac::tag(mac_key, octets)
    }

    /// Opens in place. If it does not open, nothing is changed.
    #[inline]
    pub(super) fn open(&mut self, short: u64, octets: &mut [u8], tag: &Tag) -> Option<()> {
        let Some(stream) = self.ahead(short, octets.len()) else {
            return self.key.open_in_place(&short_nonce(&self.prefix, short), octets, tag);
        };
        let (mac_key, stream) = split(stream);
        if !bool::from(mac::tag(mac_key, octets).ct_eq(tag)) {
            return None;
        }
        apply(stream, octets);
        Some(())
    }

    /// The first blocks of key stream under a nonce, if `len` octets need no more, and if it is
    /// likely that the nonces after it will want theirs.
    #[inline]
    fn ahead(&mut self, short: u64, len: usize) -> Option<&[u8; ahead::STREAM]> {
        if len > SHORT_BOX {
            return None;
        }
        let follows = self.last.is_some_and(|last| last.wrapping_add(1) == short);
        self.last = Some(short);
        follows.then(|| self.ahead.get_or_insert_default().get(&self.subkey, short))
    }
}

/// The key of Poly1305, and what octets are encrypted with.
fn split(stream: &[u8; ahead::STREAM]) -> (&[u8; MAC_KEY], &[u8]) {
    stream.split_first_chunk().unwrap_or((&[0; MAC_KEY], &[]))
}

fn apply(stream: &[u8], octets: &mut [u8]) {
    for (octet, key) in octets.iter_mut().zip(stream) {
        *octet ^= key;
    }
}

#[cfg(test)]
mod tests {
    //! Published vectors, and every length against an unrelated implementation.

    use crypto_secretbox::XSalsa20Poly1305;
    use crypto_secretbox::aead::{AeadInPlace, KeyInit};

    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let octets: Vec<u8> = (0..text.len() / 2)
            .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
            .collect();
        octets.try_into().unwrap()
    }

    // RFC 7748, section 6.1, and "Cryptography in NaCl" (Bernstein, 2009), which share their keys.
    const ALICE: &str = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    const ALICE_PUBLIC: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
    const BOB: &str = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
    const BOB_PUBLIC: &str = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    const SHARED: &str = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    const FIRST_KEY: &str = "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389";
    const SECOND_KEY: &str = "dc908dda0b9344a953629b733820778880f3ceb421bb61b91cbd4c3e66256ce4";
    const MAC_KEY_OF_BOXED: &str =
        "eea6a7251c1e72916d11c2cb214d3c252539121d8e234e652d651fa4c8cff880";
    const NONCE: &str = "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37";
    const MESSAGE: &str = "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ec\
        baaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa134805\
        7e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f93776\
        3848645e0705";
    const BOXED: &str = "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7\
        164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48\
        eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9\
        b37973f622a43d14a6599b1f654cb45a74e355a5";

    fn secret(text: &str) -> SecretKey {
        SecretKey::new(hex(text))
    }

    #[test]
    fn key_agreement_follows_rfc_7748() {
        assert_eq!(secret(ALICE).public_key(), PublicKey::new(hex(ALICE_PUBLIC)));
        assert_eq!(secret(BOB).public_key(), PublicKey::new(hex(BOB_PUBLIC)));
        assert_eq!(x25519_dalek::x25519(hex(ALICE), hex(BOB_PUBLIC)), hex(SHARED));
        assert_eq!(x25519_dalek::x25519(hex(BOB), hex(ALICE_PUBLIC)), hex(SHARED));
        // Section 5.2: the ladder, once and a thousand times.
        let (mut k, mut u) = ([0; 32], [0; 32]);
        k[0] = 9;
        u[0] = 9;
        for turn in 1..=1000 {
            (k, u) = (x25519_dalek::x25519(k, u), k);
            if turn == 1 {
                let once = "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079";
                assert_eq!(k, hex(once));
            }
        }
        let thousand = "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51";
        assert_eq!(k, hex(thousand));
    }

    #[test]
    fn boxes_follow_the_vectors_of_nacl() {
        let key = BoxKey::agree(&PublicKey::new(hex(BOB_PUBLIC)), &secret(ALICE)).unwrap();
        assert_eq!(**key.0, hex(FIRST_KEY));
        let nonce: Nonce = hex(NONCE);
        let prefix = nonce.first_chunk().unwrap();
        assert_eq!(*derive(&key.0, prefix), hex(SECOND_KEY));
        let boxed: [u8; 147] = hex(BOXED);
        assert_eq!(key.seal(&nonce, &hex::<131>(MESSAGE)), boxed);
        let other = BoxKey::agree(&PublicKey::new(hex(ALICE_PUBLIC)), &secret(BOB)).unwrap();
        assert_eq!(other.open(&nonce, &boxed).unwrap().as_slice(), hex::<131>(MESSAGE));
        // The same within a series, where 131 octets are too many for a short box.
        let mut series = SeriesKey::new(key, prefix);
        let short = u64::from_be_bytes(*nonce.last_chunk().unwrap());
        let mut octets: [u8; 131] = hex(MESSAGE);
        let tag = series.seal(short, &mut octets);
        assert_eq!([&tag[..], &octets].concat(), boxed);
        series.open(short, &mut octets, &tag).unwrap();
        assert_eq!(octets, hex(MESSAGE));
    }

    /// Boxes of 64 octets. That after another has its key stream from `ahead`.
    #[test]
    fn short_boxes_follow_published_vectors() {
        // Both of golang.org/x/crypto, secretbox_test.go and box_test.go: "generated using the C
        // implementation of NaCl".
        let agreed =
            BoxKey::agree(&SecretKey::new([2; 32]).public_key(), &SecretKey::new([1; 32])).unwrap();
        let cases = [
            (
                BoxKey::from_octets([1; 32]),
                [2; 24],
                "8442bc313f4626f1359e3b50122b6ce6fe66ddfe7d39d14e637eb4fd5b45beadab55198df6ab536843979\
                2a23c87db70acb6156dc5ef957ac04f6276cf6093b84be77ff0849cc33e34b7254d5a8f65ad",
            ),
            (
                agreed,
                [4; 24],
                "78ea30b19d2341ebbdba54180f821eec265cf86312549bea8a37652a8bb94f07b78a73ed1708085e6ddd0\
                e943bbdeb8755079a37eb31d86163ce241164a47629c0539f330b4914cd135b3855bc2a2dfc",
            ),
        ];
        for (key, nonce, boxed) in cases {
            let boxed: [u8; 80] = hex(boxed);
            let nonce: Nonce = nonce;
            let short = u64::from_be_bytes(*nonce.last_chunk().unwrap());
            for follows in [false, true] {
                let mut sealer = SeriesKey::new(key.clone(), nonce.first_chunk().unwrap());
                let mut opener = SeriesKey::new(key.clone(), nonce.first_chunk().unwrap());
                if follows {
                    let mut before = [7; 64];
                    let tag = sealer.seal(short.wrapping_sub(1), &mut before);
                    opener.open(short.wrapping_sub(1), &mut before, &tag).unwrap();
                }
                let mut octets = [3; 64];
                let tag = sealer.seal(short, &mut octets);
                assert_eq!([&tag[..], &octets].concat(), boxed);
                opener.open(short, &mut octets, &tag).unwrap();
                assert_eq!(octets, [3; 64]);
                for series in [&sealer, &opener] {
                    assert_eq!(series.ahead.is_some(), follows, "which way was gone");
                }
            }
            assert_eq!(key.seal(&nonce, &[3; 64]), boxed);
        }
    }

    /// "Cryptography in NaCl": the first 128 octets of the key stream of its box, of which 32 are
    /// printed as such, and 96 follow from the message and its ciphertext.
    #[test]
    fn the_stream_ahead_follows_the_vectors_of_nacl() {
        let nonce: Nonce = hex(NONCE);
        let short = u64::from_be_bytes(*nonce.last_chunk().unwrap());
        let mac_key: [u8; 32] = hex(MAC_KEY_OF_BOXED);
        let (message, boxed) = (hex::<131>(MESSAGE), hex::<147>(BOXED));
        let rest = message.iter().zip(&boxed[TAG..]).map(|(plain, sealed)| plain ^ sealed);
        let expected: Vec<u8> = mac_key.into_iter().chain(rest).take(ahead::STREAM).collect();
        assert_eq!(Ahead::default().get(&hex(SECOND_KEY), short)[..], expected);
        assert_eq!(mac::tag(&mac_key, &boxed[TAG..]), boxed[..TAG]);
    }

    #[test]
    fn derived_keys_follow_the_vectors_of_nacl() {
        // "Cryptography in NaCl", sections 7 and 8: firstkey and secondkey.
        assert_eq!(*derive(&hex(SHARED), &[0; 16]), hex(FIRST_KEY));
        let nonce: Nonce = hex(NONCE);
        assert_eq!(*derive(&hex(FIRST_KEY), nonce.first_chunk().unwrap()), hex(SECOND_KEY));
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        // The points of order 1, 2, 4 and 8 and what is congruent to them; see RFC 7748, section 6.1.
        let small = [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ];
        for point in small {
            assert!(
                BoxKey::agree(&PublicKey::new(hex(point)), &secret(ALICE)).is_none(),
                "{point}"
            );
        }
    }

    #[test]
    fn every_length_agrees_with_another_implementation() {
        let key = BoxKey::from_octets([5; 32]);
        let other = XSalsa20Poly1305::new(&[5; 32].into());
        let prefix = b"CurveZMQMESSAGES";
        let mut series = SeriesKey::new(key.clone(), prefix);
        for len in (0..700).chain([1023, 1024, 1025, 4096, 8191, 16_385, 65_537, 200_000]) {
            // Every other box follows the one before it, which is what short ones look for.
            let short = 1_000_000_007 * (len as u64 / 2) + len as u64 % 2;
            let nonce = short_nonce(prefix, short);
            let plain: Vec<u8> = (0..len).map(|i| (i * 31 + len) as u8).collect();
            let mut expected = plain.clone();
            let tag = other.encrypt_in_place_detached(&nonce.into(), b"", &mut expected).unwrap();
            let mut octets = plain.clone();
            assert_eq!(series.seal(short, &mut octets)[..], tag[..], "{len}");
            assert_eq!(octets, expected, "{len}");
            assert_eq!(key.seal(&nonce, &plain), [&tag[..], &expected].concat(), "{len}");
            let mut tag: Tag = tag.as_slice().try_into().unwrap();
            let bad = (len * 13) % 16;
            tag[bad] ^= 1 << (len % 8);
            assert!(series.open(short, &mut octets, &tag).is_none(), "{len}");
            assert_eq!(octets, expected, "what does not open is left alone");
            tag[bad] ^= 1 << (len % 8);
            assert!(series.open(short + 1, &mut octets, &tag).is_none(), "{len}");
            series.open(short, &mut octets, &tag).unwrap();
            assert_eq!(octets, plain, "{len}");
        }
    }

    #[test]
    fn nonces_may_jump_forth_and_back() {
        let key = BoxKey::from_octets([5; 32]);
        let prefix = b"CurveZMQMESSAGES";
        let mut series = SeriesKey::new(key.clone(), prefix);
        let mut opener = SeriesKey::new(key.clone(), prefix);
        let jumps = [0, 1, 2, 7, 8, 9, 100, 99, 100, 92, u64::MAX - 1, u64::MAX, 0, 1, 3];
        for short in jumps.into_iter().chain(1000..1020) {
            let mut octets = [9; 64];
            let tag = series.seal(short, &mut octets);
            let expected = key.seal(&short_nonce(prefix, short), &[9; 64]);
            assert_eq!([&tag[..], &octets].concat(), expected, "{short}");
            opener.open(short, &mut octets, &tag).unwrap();
            assert_eq!(octets, [9; 64], "{short}");
        }
    }

    #[test]
    fn every_bit_of_a_tag_counts() {
        let mut series = SeriesKey::new(BoxKey::from_octets([5; 32]), b"CurveZMQMESSAGES");
        for len in [1, SHORT_BOX, SHORT_BOX + 1] {
            let mut octets = vec![1; len];
            let tag = series.seal(1, &mut octets);
            for bit in 0..128 {
                let mut wrong = tag;
                wrong[bit / 8] ^= 1 << (bit % 8);
                for last in [None, Some(0)] {
                    series.last = last;
                    assert!(series.open(1, &mut octets, &wrong).is_none());
                }
            }
            assert!(series.open(1, &mut octets, &tag).is_some());
        }
    }
}
