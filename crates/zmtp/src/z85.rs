//! Z85 (RFC 32): binary data as printable text, four octets as five characters.

use std::mem;

use zeroize::Zeroizing;

const ALPHABET: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// The value of a character. Every character of the alphabet is looked at, and nothing is indexed
/// with what may be a part of a secret key.
fn digit(character: u8) -> Option<u32> {
    let mut found = u32::MAX;
    for (value, candidate) in (0_u32..).zip(ALPHABET) {
        let equal = u32::from(*candidate == character).wrapping_neg();
        found = (found & !equal) | (value & equal);
    }
    (found != u32::MAX).then_some(found)
}

/// The character of a value below 85, found the same way.
fn character(value: u32) -> u8 {
    let mut found = 0;
    for (candidate, character) in (0_u32..).zip(ALPHABET) {
        found |= character & u8::from(candidate == value).wrapping_neg();
    }
    found
}

/// Encodes data. `None` unless its length is a multiple of four (RFC 32).
#[must_use]
pub fn encode(data: &[u8]) -> Option<String> {
    let (words, []) = data.as_chunks::<4>() else {
        return None;
    };
    let mut text = String::with_capacity(words.len() * 5);
    for word in words {
        let value = u32::from_be_bytes(*word);
        for power in [85 * 85 * 85 * 85, 85 * 85 * 85, 85 * 85, 85, 1] {
            text.push(char::from(character(value / power % 85)));
        }
    }
    Some(text)
}

/// Decodes text. `None` unless it is one or more groups of five characters, each of which stands
/// for a number of 32 bits.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (groups, []) = text.as_chunks::<5>() else {
        return None;
    };
    if groups.is_empty() {
        return None;
    }
    // It may be a secret key, also if its last character is none.
    let mut data = Zeroizing::new(Vec::with_capacity(groups.len() * 4));
    for group in groups {
        let mut value = 0_u32;
        for character in group {
            value = value.checked_mul(85)?.checked_add(digit(*character)?)?;
        }
        data.extend_from_slice(&value.to_be_bytes());
    }
    Some(mem::take(&mut *data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_case_of_rfc_32() {
        let data = [0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b];
        assert_eq!(encode(&data).as_deref(), Some("HelloWorld"));
        assert_eq!(decode(b"HelloWorld"), Some(data.to_vec()));
    }

    #[test]
    fn lengths_and_characters_are_checked() {
        assert_eq!(encode(b"abc"), None);
        assert_eq!(encode(b"").as_deref(), Some(""));
        for text in ["", "abcd", "abcdef", "abc\"e", "abc e", "abc\u{80}e", "~bcde", "#####"] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
        assert_eq!(decode(b"%nSc0"), Some(vec![0xff; 4]));
        assert_eq!(decode(b"%nSc1"), None);
    }

    #[test]
    fn every_word_comes_back() {
        for value in (0..=u32::MAX).step_by(6_553_577) {
            let data = value.to_be_bytes();
            let text = encode(&data).unwrap();
            assert_eq!(decode(text.as_bytes()), Some(data.to_vec()));
        }
    }
}
