//! Frame headers, encoded and decoded by pure functions that hold no state, so that the thread of
//! the application may use them as well as the connection. Bodies never pass through here.

use thiserror::Error;

/// RFC 37: "Bit 0 (MORE): More frames to follow."
pub const MORE: u8 = 0x01;
/// RFC 37: "Bit 1 (LONG): Long frame."
pub const LONG: u8 = 0x02;
/// RFC 37: "Bit 2 (COMMAND): Command frame."
pub const COMMAND: u8 = 0x04;

/// Largest header of either framing, in octets.
pub const MAX_HEADER: usize = 10;

/// RFC 37: "A long frame has a body of 0 to 2^63-1 octets."
const MAX_BODY: u64 = i64::MAX as u64;

/// The two layouts that frames have had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// RFC 13: the length, which counts the flags, comes before the flags.
    V1,
    /// RFC 15 and later: flags, then the length of the body.
    V2,
}

/// A decoded frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// More frames of the same message follow.
    pub more: bool,
    /// The frame carries a command, not a part of a message.
    pub command: bool,
    /// Octets of the body, at most 2^63-1. Nothing has been allocated for them.
    pub body: u64,
    /// Octets of the header itself, 2 to 10.
    pub header: usize,
}

/// Why octets are not a frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A flag that no version defines is set.
    #[error("reserved flags are set ({0:#04x})")]
    ReservedFlags(u8),
    /// A command that claims to be continued.
    #[error("a command frame has the MORE flag")]
    CommandWithMore,
    /// The length does not fit 63 bits.
    #[error("the frame length exceeds 2^63-1")]
    TooLong,
    /// A ZMTP 1.0 length of zero, which leaves no room for the flags it counts.
    #[error("the frame length is zero")]
    ZeroLength,
}

/// Appends the header of a data frame of `len` octets.
///
/// The short form is used whenever it can hold the length.
#[inline]
pub fn encode_header(framing: Framing, more: bool, len: usize, out: &mut Vec<u8>) {
    match framing {
        Framing::V2 => encode_v2(u8::from(more), len, out),
        Framing::V1 => encode_v1(u8::from(more), len, out),
    }
}

/// Appends the header of a command frame of `len` octets (ZMTP 3.0 and later).
#[inline]
pub fn encode_command_header(len: usize, out: &mut Vec<u8>) {
    encode_v2(COMMAND, len, out);
}

#[inline]
fn encode_v2(flags: u8, len: usize, out: &mut Vec<u8>) {
    if let Ok(short) = u8::try_from(len) {
        out.extend_from_slice(&[flags, short]);
    } else {
        out.push(flags | LONG);
        out.extend_from_slice(&(len as u64).to_be_bytes());
    }
}

fn encode_v1(flags: u8, len: usize, out: &mut Vec<u8>) {
    // RFC 13: "the length includes the flags field, so an empty frame has a length of 1."
    let counted = (len as u64).saturating_add(1);
    match u8::try_from(counted) {
        // RFC 13: 255 announces the long form, so 254 is the largest short length.
        Ok(short) if short < u8::MAX => out.push(short),
        _ => {
            out.push(u8::MAX);
            out.extend_from_slice(&counted.to_be_bytes());
        }
    }
    out.push(flags);
}

/// Decodes the header at the start of `input`. `None` means that more octets are needed; a
/// malformed header is reported as soon as the octets that make it so are there.
#[inline]
#[must_use]
pub fn decode_header(framing: Framing, input: &[u8]) -> Option<Result<Header, Malformed>> {
    match framing {
        Framing::V2 => decode_v2(input),
        Framing::V1 => decode_v1(input),
    }
}

#[inline]
fn decode_v2(input: &[u8]) -> Option<Result<Header, Malformed>> {
    let (&flags, rest) = input.split_first()?;
    // RFC 37: "Bits 7-3 are reserved for future use and MUST be zero."
    if flags & !(MORE | LONG | COMMAND) != 0 {
        return Some(Err(Malformed::ReservedFlags(flags)));
    }
    // RFC 37, on MORE: "This bit SHALL be zero on command frames."
    if flags & (MORE | COMMAND) == MORE | COMMAND {
        return Some(Err(Malformed::CommandWithMore));
    }
    let (body, header) = if flags & LONG == 0 {
        (u64::from(*rest.first()?), 2)
    } else {
        (u64::from_be_bytes(*rest.first_chunk::<8>()?), 9)
    };
    if body > MAX_BODY {
        return Some(Err(Malformed::TooLong));
    }
    Some(Ok(Header { more: flags & MORE != 0, command: flags & COMMAND != 0, body, header }))
}

fn decode_v1(input: &[u8]) -> Option<Result<Header, Malformed>> {
    let (&first, rest) = input.split_first()?;
    let (counted, header) = if first == u8::MAX {
        (u64::from_be_bytes(*rest.first_chunk::<8>()?), 10)
    } else {
        (u64::from(first), 2)
    };
    let Some(body) = counted.checked_sub(1) else {
        return Some(Err(Malformed::ZeroLength));
    };
    if body > MAX_BODY {
        return Some(Err(Malformed::TooLong));
    }
    let flags = *input.get(header - 1)?;
    // RFC 13: bits 1-7 "SHOULD be zero", which old peers did not always heed: only MORE is read.
    Some(Ok(Header { more: flags & MORE != 0, command: false, body, header }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(framing: Framing, more: bool, len: usize) -> Vec<u8> {
        let mut out = Vec::new();
        encode_header(framing, more, len, &mut out);
        out
    }

    #[test]
    fn v2_lengths_at_the_edges() {
        assert_eq!(header(Framing::V2, false, 0), [0, 0]);
        assert_eq!(header(Framing::V2, true, 255), [1, 255]);
        assert_eq!(header(Framing::V2, false, 256), [2, 0, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!(header(Framing::V2, true, 65536), [3, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn v1_lengths_at_the_edges() {
        // RFC 13: "For frames with lengths of 255 and greater": the length counts the flags.
        assert_eq!(header(Framing::V1, false, 0), [1, 0]);
        assert_eq!(header(Framing::V1, true, 253), [254, 1]);
        assert_eq!(header(Framing::V1, false, 254), [255, 0, 0, 0, 0, 0, 0, 0, 255, 0]);
        assert_eq!(header(Framing::V1, true, 255), [255, 0, 0, 0, 0, 0, 0, 1, 0, 1]);
    }

    #[test]
    fn every_header_survives_the_round_trip_and_every_truncation_waits() {
        for framing in [Framing::V1, Framing::V2] {
            for len in [0, 1, 252, 253, 254, 255, 256, 257, 65535, 65536, 1 << 40] {
                for more in [false, true] {
                    let bytes = header(framing, more, len);
                    assert!(bytes.len() <= MAX_HEADER);
                    for cut in 0..bytes.len() {
                        assert_eq!(decode_header(framing, &bytes[..cut]), None);
                    }
                    let expected =
                        Header { more, command: false, body: len as u64, header: bytes.len() };
                    assert_eq!(decode_header(framing, &bytes), Some(Ok(expected)));
                }
            }
        }
    }

    #[test]
    fn bad_flags_are_refused_at_the_first_octet() {
        for flags in 0..=255u8 {
            let verdict = decode_header(Framing::V2, &[flags]);
            if flags & 0xf8 != 0 {
                assert_eq!(verdict, Some(Err(Malformed::ReservedFlags(flags))));
            } else if flags & 5 == 5 {
                assert_eq!(verdict, Some(Err(Malformed::CommandWithMore)));
            } else {
                assert_eq!(verdict, None);
            }
        }
    }

    #[test]
    fn lengths_beyond_63_bits_are_refused() {
        let top = [2, 0x80, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(decode_header(Framing::V2, &top), Some(Err(Malformed::TooLong)));
        let most = [2, 0x7f, 255, 255, 255, 255, 255, 255, 255];
        let header = decode_header(Framing::V2, &most).unwrap().unwrap();
        assert_eq!(header.body, u64::MAX >> 1);
        let old = [255, 255, 255, 255, 255, 255, 255, 255, 255];
        assert_eq!(decode_header(Framing::V1, &old), Some(Err(Malformed::TooLong)));
    }

    #[test]
    fn v1_accepts_the_long_form_of_short_lengths_and_refuses_zero() {
        // RFC 13: "For frames with lengths of 1 to 254 octets this encoding MAY be also used."
        let long = [255, 0, 0, 0, 0, 0, 0, 0, 6, 0xfe];
        let header = decode_header(Framing::V1, &long).unwrap().unwrap();
        assert_eq!((header.body, header.more, header.header), (5, false, 10));
        assert_eq!(decode_header(Framing::V1, &[0]), Some(Err(Malformed::ZeroLength)));
    }
}
