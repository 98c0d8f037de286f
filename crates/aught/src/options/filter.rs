//! Who may connect: the filters of `ZMQ_TCP_ACCEPT_FILTER` and `ZMQ_IPC_FILTER_*`. Finding out
//! who the peer is belongs to the transports.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::OptionError;

/// A network, as in `192.0.2.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IpNetwork {
    address: IpAddr,
    bits: u32,
}

impl IpNetwork {
    /// Reads an address with or without the number of bits that count: without, all do.
    pub(crate) fn parse(text: &str, ipv6: bool) -> Result<Self, OptionError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let bare = bare.unwrap_or(address);
        let address = match short_ipv4(bare) {
            Some(address) => IpAddr::V4(address),
            None => bare.parse().map_err(|_| OptionError::OutOfRange)?,
        };
        if address.is_ipv6() && !ipv6 {
            return Err(OptionError::OutOfRange);
        }
        let width = if address.is_ipv6() { 128 } else { 32 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| OptionError::OutOfRange)?,
            None => width,
        };
        if bits > width {
            return Err(OptionError::OutOfRange);
        }
        Ok(Self { address, bits })
    }

    /// Whether an address lies in the network. An IPv4 address that reached an IPv6 socket
    /// counts as what it is.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let (ours, theirs, width) = match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                (u128::from(ours.to_bits()), u128::from(theirs.to_bits()), 32)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => (ours.to_bits(), theirs.to_bits(), 128),
            (IpAddr::V6(ours), IpAddr::V4(theirs)) => {
                let theirs: Ipv6Addr = theirs.to_ipv6_mapped();
                (ours.to_bits(), theirs.to_bits(), 128)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) => return false,
        };
        // Shifting by the whole width is not defined: with no bit that counts, all are alike.
        (ours ^ theirs).checked_shr(width - self.bits).unwrap_or(0) == 0
    }
}

/// Reads an IPv4 address in any of the forms of inet_aton(3): one to four numbers, decimal, octal
/// or hexadecimal, of which the last fills the bytes that are left.
pub(crate) fn short_ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut numbers = Vec::new();
    for number in text.splitn(4, '.') {
        let (digits, radix) = match number.as_bytes() {
            [b'0', b'x' | b'X', ..] => (number.get(2..)?, 16),
            [b'0', _, ..] => (number, 8),
            _ => (number, 10),
        };
        let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit()); // no sign
        numbers.push(plain.then(|| u32::from_str_radix(digits, radix).ok()).flatten()?);
    }
    let (last, front) = numbers.split_last()?;
    let room = 32 - 8 * u32::try_from(front.len()).ok()?;
    if last.checked_shr(room).is_some_and(|rest| rest != 0) {
        return None;
    }
    front
        .iter()
        .zip([24, 16, 8])
        .try_fold(*last, |address, (number, shift)| {
            let number = u8::try_from(*number).ok()?;
            Some(address | u32::from(number) << shift)
        })
        .map(Ipv4Addr::from)
}

/// The processes that may connect over local sockets. Empty lists let everybody in; with any
/// entry in any list, a peer has to be in one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProcessFilter {
    pub(crate) pids: Vec<i32>,
    pub(crate) uids: Vec<u32>,
    pub(crate) gids: Vec<u32>,
}

impl ProcessFilter {
    /// Whether everybody may connect.
    pub(crate) fn is_open(&self) -> bool {
        self.pids.is_empty() && self.uids.is_empty() && self.gids.is_empty()
    }

    /// Whether a process may connect, that runs as a user, whose groups are `groups`.
    pub(crate) fn admits(&self, pid: i32, user: u32, groups: &[u32]) -> bool {
        self.is_open()
            || self.pids.contains(&pid)
            || self.uids.contains(&user)
            || self.gids.iter().any(|group| groups.contains(group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        let network = IpNetwork::parse(network, true).expect(network);
        network.contains(address.parse().expect(address))
    }

    #[test]
    fn networks_contain_what_shares_their_bits() {
        assert!(contains("127.0.0.1", "127.0.0.1"));
        assert!(!contains("127.0.0.1", "127.0.0.2"));
        assert!(contains("10.1.0.0/16", "10.1.200.3"));
        assert!(!contains("10.1.0.0/16", "10.2.0.0"));
        assert!(contains("0.0.0.0/0", "203.0.113.9"));
        assert!(!contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("10.0.0.0/8", "::ffff:10.9.8.7"));
        assert!(contains("2001:db8::/32", "2001:db8:1::2"));
        assert!(!contains("2001:db8::/32", "2001:db9::"));
        assert!(contains("::/0", "10.0.0.1"));
        assert!(contains("[::1]", "::1"));
    }

    #[test]
    fn short_forms_are_those_of_inet_aton() {
        assert!(contains("127.1", "127.0.0.1"));
        assert!(contains("1", "0.0.0.1"));
        assert!(contains("0x7f000001", "127.0.0.1"));
        assert!(contains("4294967295", "255.255.255.255"));
        assert!(contains("017.1.0x203", "15.1.2.3"));
        assert!(contains("1.2/8", "1.9.9.9"));
        for text in
            ["256.1", "1.256.1.1", "1.1.65536", "4294967296", "0x", "08", "1..1", "-1", "+1"]
        {
            assert!(IpNetwork::parse(text, true).is_err(), "{text}");
        }
    }

    #[test]
    fn malformed_networks_are_refused() {
        let table =
            ["", "localhost", "lo", "*", "/8", "127.0.0.1/33", "127.0.0.1/", "127.0.0.1/-1", "a.b"];
        for text in table {
            assert!(IpNetwork::parse(text, true).is_err(), "{text}");
        }
        assert!(IpNetwork::parse("::1/129", true).is_err());
        assert!(IpNetwork::parse("::1", false).is_err());
    }

    #[test]
    fn one_matching_list_lets_a_process_in() {
        let mut filter = ProcessFilter::default();
        assert!(filter.admits(1, 2, &[3]));
        filter.pids.push(7);
        filter.gids.push(100);
        assert!(filter.admits(7, 2, &[3]));
        assert!(filter.admits(1, 2, &[3, 100]));
        assert!(!filter.admits(1, 2, &[3]));
    }
}
