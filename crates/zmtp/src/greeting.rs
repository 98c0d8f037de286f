//! The fixed octets that open a connection: signature, version, mechanism (RFC 37, "Formal
//! Grammar"). In which order they are sent and awaited is the business of `connection::handshake`.

/// Octets of the signature.
pub(crate) const SIGNATURE_LEN: usize = 10;
/// Octets of a ZMTP 3.x greeting, signature included.
pub(crate) const GREETING_LEN: usize = 64;
/// Octets that follow the signature and the major version number.
pub(crate) const REST_LEN: usize = GREETING_LEN - SIGNATURE_LEN - 1;

/// The major version that we announce.
pub(crate) const OUR_MAJOR: u8 = 3;
/// The minor version that we announce.
pub(crate) const OUR_MINOR: u8 = 1;

/// The mechanism field: a name padded with zeros to 20 octets.
pub(crate) type MechanismField = [u8; 20];

/// The signature, which a ZMTP 1.0 peer reads as the start of our routing id frame. RFC 37: "'size'
/// is the number of octets in the sender's identity (0 or greater) plus 1."
pub(crate) fn signature(routing_id_len: usize) -> [u8; SIGNATURE_LEN] {
    let mut out = [0; SIGNATURE_LEN];
    out[0] = 0xff;
    out[1..9].copy_from_slice(&(routing_id_len as u64 + 1).to_be_bytes());
    out[9] = 0x7f;
    out
}

/// Pads the name of a mechanism to the width of its field. Longer names are cut.
pub(crate) fn mechanism_field(name: &str) -> MechanismField {
    let mut field = MechanismField::default();
    for (to, from) in field.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    field
}

/// What follows the major version number: minor, mechanism, as-server, filler.
pub(crate) fn rest(mechanism: &str, as_server: bool) -> [u8; REST_LEN] {
    let mut out = [0; REST_LEN];
    out[0] = OUR_MINOR;
    out[1..21].copy_from_slice(&mechanism_field(mechanism));
    out[21] = u8::from(as_server);
    out
}

/// What the rest of a peer's greeting says. The as-server octet "SHALL have no significance" for
/// NULL (RFC 37, "Topology"), and the filler is not examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    pub(crate) minor: u8,
    pub(crate) mechanism: MechanismField,
    pub(crate) as_server: bool,
}

impl Rest {
    pub(crate) fn parse(input: &[u8; REST_LEN]) -> Self {
        let mut mechanism = MechanismField::default();
        mechanism.copy_from_slice(&input[1..21]);
        Self { minor: input[0], mechanism, as_server: input[21] == 1 }
    }
}

/// The name in a mechanism field for a reader: up to the first zero, unprintable octets escaped.
pub(crate) fn display_mechanism(field: &MechanismField) -> String {
    let end = field.iter().position(|&c| c == 0).unwrap_or(field.len());
    field.iter().take(end).flat_map(|&c| std::ascii::escape_default(c)).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_is_64_octets() {
        let rest = rest("NULL", false);
        let whole = [&signature(0)[..], &[OUR_MAJOR], &rest[..]].concat();
        assert_eq!(whole.len(), GREETING_LEN);
        assert_eq!(&whole[..17], b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL\0");
        assert!(whole[16..].iter().all(|&c| c == 0));
    }

    #[test]
    fn the_signature_counts_the_routing_id() {
        assert_eq!(signature(2), *b"\xff\0\0\0\0\0\0\0\x03\x7f");
        assert_eq!(signature(255), *b"\xff\0\0\0\0\0\0\x01\0\x7f");
    }

    #[test]
    fn the_rest_reads_back() {
        let read = Rest::parse(&rest("CURVE", true));
        assert_eq!(read.mechanism, mechanism_field("CURVE"));
        assert!(read.as_server);
        assert_eq!(read.minor, 1);
    }

    #[test]
    fn mechanisms_print_escaped() {
        assert_eq!(display_mechanism(&mechanism_field("PLAIN")), "PLAIN");
        assert_eq!(display_mechanism(b"a\nb\0cdefghijklmnopqr"), "a\\nb");
        assert_eq!(display_mechanism(&[b'x'; 20]).len(), 20);
    }
}
