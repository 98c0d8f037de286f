//! The property lists that READY commands carry (RFC 37, "Connection Metadata"). Which properties
//! must be there, and what they mean, is judged in `connection::handshake`.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::limits::MAX_PROPERTIES;

pub(crate) const SOCKET_TYPE: &str = "Socket-Type";
pub(crate) const IDENTITY: &str = "Identity";

/// Properties in the order sent.
pub(crate) type Properties = Vec<(Vec<u8>, Vec<u8>)>;

/// Why octets are not a property list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidMetadata {
    /// The list ends inside a property.
    #[error("a property is cut short")]
    Truncated,
    /// A value longer than 2^31-1 octets.
    #[error("a property value is too long")]
    Value,
    /// More properties than [`MAX_PROPERTIES`](crate::limits::MAX_PROPERTIES).
    #[error("there are too many properties")]
    TooMany,
    /// A socket type that does not go with ours, from the server of a mechanism.
    #[error("the socket type is not one that ours talks to")]
    SocketType,
    /// A routing id that is too long or starts with a zero octet.
    #[error("the routing id is invalid")]
    RoutingId,
}

fn is_name_char(c: u8) -> bool {
    // RFC 37: "name-char = ALPHA | DIGIT | "-" | "_" | "." | "+"".
    c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'+')
}

/// Whether `name` is what RFC 37 calls one.
pub(crate) fn is_name(name: &[u8]) -> bool {
    (1..=255).contains(&name.len()) && name.iter().all(|&c| is_name_char(c))
}

/// Appends one property. Properties that cannot be expressed are the caller's error and are kept
/// out by `Config`; here they are left out whole, so that what is sent can always be read.
pub(crate) fn encode(name: impl AsRef<[u8]>, value: &[u8], out: &mut Vec<u8>) {
    let name = name.as_ref();
    let (Ok(name_len), Ok(len)) = (u8::try_from(name.len()), i32::try_from(value.len())) else {
        return;
    };
    out.push(name_len);
    out.extend_from_slice(name);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(value);
}

/// Takes one property off the front of `input`: its name, its value, what follows.
fn split_property(input: &[u8]) -> Result<[&[u8]; 3], InvalidMetadata> {
    let (&len, rest) = input.split_first().ok_or(InvalidMetadata::Truncated)?;
    let (name, rest) = rest.split_at_checked(len.into()).ok_or(InvalidMetadata::Truncated)?;
    let (len, rest) = rest.split_first_chunk::<4>().ok_or(InvalidMetadata::Truncated)?;
    // RFC 37: "The value SHALL be 0 to 2,147,483,647 [...] octets of opaque binary data."
    let len = i32::try_from(u32::from_be_bytes(*len)).map_err(|_| InvalidMetadata::Value)?;
    let len = usize::try_from(len).map_err(|_| InvalidMetadata::Value)?;
    let (value, rest) = rest.split_at_checked(len).ok_or(InvalidMetadata::Truncated)?;
    Ok([name, value, rest])
}

/// Reads a whole property list. Memory grows with the octets that are there, never with a length
/// that they claim. Names may be any octets, none at all, or given again, as libzmq has it: peers
/// send such lists, and what is read here is only ever looked up.
pub(crate) fn parse(mut input: &[u8]) -> Result<Properties, InvalidMetadata> {
    let mut properties = Properties::new();
    while !input.is_empty() {
        let [name, value, rest] = split_property(input)?;
        if properties.len() == MAX_PROPERTIES {
            return Err(InvalidMetadata::TooMany);
        }
        properties.push((name.to_owned(), value.to_vec()));
        input = rest;
    }
    Ok(properties)
}

/// Reads a list that has to be to the letter: RFC 37's "name-char" in every name, and no name twice,
/// whatever its case.
pub(crate) fn parse_to_the_letter(input: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut seen = BTreeSet::new();
    let properties = parse(input).ok()?.into_iter().map(|(name, value)| {
        let name = String::from_utf8(name).ok().filter(|name| is_name(name.as_bytes()))?;
        seen.insert(name.to_ascii_lowercase()).then_some((name, value))
    });
    properties.collect()
}

/// The values of a property, in the order sent. RFC 37: "Metadata names SHALL be case-insensitive."
/// With libzmq they are not, so that those that are spelt exactly like this come alone if there
/// are any.
pub(crate) fn values<'a>(
    properties: &'a [(Vec<u8>, Vec<u8>)],
    name: &str,
) -> impl Iterator<Item = &'a [u8]> {
    let exactly = properties.iter().any(|(known, _)| known == name.as_bytes());
    let is_it = move |known: &[u8]| match exactly {
        true => known == name.as_bytes(),
        false => known.eq_ignore_ascii_case(name.as_bytes()),
    };
    properties.iter().filter(move |(known, _)| is_it(known)).map(|(_, value)| value.as_slice())
}

/// The first value of a property.
pub(crate) fn find<'a>(properties: &'a [(Vec<u8>, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    values(properties, name).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(properties: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in properties {
            encode(name, value, &mut out);
        }
        out
    }

    #[test]
    fn the_example_of_rfc_37() {
        let bytes = b"\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0";
        assert_eq!(list(&[(SOCKET_TYPE, b"DEALER"), (IDENTITY, b"")]), bytes);
        let parsed = parse(bytes).unwrap();
        assert_eq!(find(&parsed, "socket-TYPE"), Some(&b"DEALER"[..]));
        assert_eq!(find(&parsed, IDENTITY), Some(&b""[..]));
        assert_eq!(find(&parsed, "Resource"), None);
    }

    #[test]
    fn every_truncation_inside_a_property_is_refused() {
        let bytes = list(&[("Socket-Type", b"REQ"), ("X-a", b"")]);
        for cut in 0..bytes.len() {
            let verdict = parse(&bytes[..cut]);
            if cut == 0 || cut == 19 {
                assert!(verdict.is_ok(), "a whole number of properties");
            } else {
                assert_eq!(verdict, Err(InvalidMetadata::Truncated), "at {cut}");
            }
        }
    }

    #[test]
    fn values_are_checked() {
        assert_eq!(parse(b"\x01a\x80\0\0\0"), Err(InvalidMetadata::Value));
        assert_eq!(parse(b"\x01a\x7f\xff\xff\xff"), Err(InvalidMetadata::Truncated));
    }

    #[test]
    fn names_may_be_anything_unless_it_matters() {
        for odd in [&b"\0\0\0\0\0"[..], b"\x01 \0\0\0\0", b"\x01\xff\0\0\0\0"] {
            assert_eq!(parse(odd).map(|list| list.len()), Ok(1));
            assert_eq!(parse_to_the_letter(odd), None);
        }
        let twice = list(&[("a", b"1"), ("a", b"2"), ("A", b"3")]);
        let parsed = parse(&twice).unwrap();
        assert_eq!(values(&parsed, "a").collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(find(&parsed, "A"), Some(&b"3"[..]));
        assert_eq!(parse_to_the_letter(&twice), None);
        assert_eq!(parse_to_the_letter(&twice[7..]), None);
        let once = parse_to_the_letter(&twice[14..]).unwrap();
        assert_eq!(once, [("A".to_owned(), b"3".to_vec())]);
    }

    #[test]
    fn the_number_of_properties_is_bounded() {
        let mut bytes = Vec::new();
        for i in 0..MAX_PROPERTIES {
            encode(format!("X-{i}"), b"", &mut bytes);
        }
        assert_eq!(parse(&bytes).unwrap().len(), MAX_PROPERTIES);
        encode("X-more", b"", &mut bytes);
        assert_eq!(parse(&bytes), Err(InvalidMetadata::TooMany));
    }

    proptest! {
        #[test]
        fn lists_survive_the_round_trip(
            values in proptest::collection::vec(
                (proptest::collection::vec(any::<u8>(), 0..20),
                 proptest::collection::vec(any::<u8>(), 0..300)), 0..20),
        ) {
            let mut bytes = Vec::new();
            for (name, value) in &values {
                encode(name, value, &mut bytes);
            }
            let parsed = parse(&bytes).unwrap();
            prop_assert_eq!(parsed, values);
        }
    }
}
