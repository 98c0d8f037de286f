//! Options that are this library's own: what a listener lets in before and after the handshake,
//! and what becomes of sockets that are bound without authentication. Their numbers are far from
//! those of `zmq.h`, so that no program meets them by accident; they are `AUGHT_*` there.

use super::OptionError;
use super::value::write_int;

/// The numbers, by their names without `AUGHT_`.
pub(crate) mod numbers {
    /// Of contexts; the others are of sockets.
    pub(crate) const UNAUTHENTICATED: i32 = 0x4155_0100;
    pub(crate) const MAX_CONNECTIONS: i32 = 0x4155_0101;
    pub(crate) const MAX_HANDSHAKES: i32 = 0x4155_0102;
    pub(crate) const MAX_HANDSHAKE_MEMORY: i32 = 0x4155_0103;
}

/// What becomes of a socket that is bound to more than this machine, and would let in whoever
/// comes: `AUGHT_UNAUTHENTICATED`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unauthenticated {
    /// It is bound, counted, and monitors that ask for it are told. The default.
    #[default]
    Allow,
    /// The same, and a line on the standard error output says so.
    Warn,
    /// Binding fails with `EACCES`.
    Refuse,
}

impl Unauthenticated {
    /// Reads `allow`, `warn` or `refuse`. Anything else refuses: who has meant to set something
    /// must not be left open by a slip of the pen.
    pub(crate) fn from_text(text: &str) -> Self {
        match text {
            "allow" | "" => Self::Allow,
            "warn" => Self::Warn,
            _ => Self::Refuse,
        }
    }

    pub(super) fn from_number(value: i32) -> Option<Self> {
        [Self::Allow, Self::Warn, Self::Refuse].into_iter().find(|one| one.number() == value)
    }

    /// The number at the C interface.
    pub(crate) const fn number(self) -> i32 {
        match self {
            Self::Allow => 0,
            Self::Warn => 1,
            Self::Refuse => 2,
        }
    }
}

/// What one bound endpoint takes in at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Connections; `None` is no limit.
    pub(crate) connections: Option<usize>,
    /// Connections whose handshake is not finished; `None` is no limit.
    pub(crate) handshakes: Option<usize>,
    /// Bytes that such connections hold together. There is always a limit.
    pub(crate) memory: usize,
}

/// The least that can be a limit on memory, in bytes: room for the largest command of a handshake
/// and what goes with it.
const LEAST_MEMORY: i32 = 256 * 1024;

/// In bytes.
const USUAL_MEMORY: usize = 64 * 1024 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self { connections: None, handshakes: None, memory: USUAL_MEMORY }
    }
}

impl Limits {
    /// Changes an option of this family.
    pub(super) fn set(&mut self, option: i32, bytes: &[u8]) -> Result<(), OptionError> {
        if !matches!(option, numbers::MAX_CONNECTIONS..=numbers::MAX_HANDSHAKE_MEMORY) {
            return Err(OptionError::Unknown);
        }
        let bytes = bytes.try_into().map_err(|_| OptionError::WrongSize)?;
        let value = i32::from_ne_bytes(bytes);
        let count = usize::try_from(value).map_err(|_| OptionError::OutOfRange)?;
        let limit = Some(count).filter(|count| *count > 0);
        match option {
            numbers::MAX_CONNECTIONS => self.connections = limit,
            numbers::MAX_HANDSHAKES => self.handshakes = limit,
            _ if value < LEAST_MEMORY => return Err(OptionError::OutOfRange),
            _ => self.memory = count,
        }
        Ok(())
    }

    /// Reads an option of this family.
    pub(super) fn get(&self, option: i32, out: &mut [u8]) -> Result<usize, OptionError> {
        let value = match option {
            numbers::MAX_CONNECTIONS => self.connections.unwrap_or(0),
            numbers::MAX_HANDSHAKES => self.handshakes.unwrap_or(0),
            numbers::MAX_HANDSHAKE_MEMORY => self.memory,
            _ => return Err(OptionError::Unknown),
        };
        write_int(i32::try_from(value).unwrap_or(i32::MAX), out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_have_names_and_numbers() {
        for (text, number, policy) in [
            ("allow", 0, Unauthenticated::Allow),
            ("warn", 1, Unauthenticated::Warn),
            ("refuse", 2, Unauthenticated::Refuse),
        ] {
            assert_eq!(Unauthenticated::from_text(text), policy);
            assert_eq!(Unauthenticated::from_number(number), Some(policy));
            assert_eq!(policy.number(), number);
        }
        assert_eq!(Unauthenticated::from_text(""), Unauthenticated::Allow);
        for slip in ["deny", "Allow", " allow", "0"] {
            assert_eq!(Unauthenticated::from_text(slip), Unauthenticated::Refuse, "{slip}");
        }
        assert_eq!(Unauthenticated::from_number(3), None);
    }

    #[test]
    fn limits_are_set_and_read() {
        let mut limits = Limits::default();
        let get = |limits: &Limits, option| {
            let mut out = [0; 4];
            limits.get(option, &mut out).map(|_| i32::from_ne_bytes(out))
        };
        for (option, default) in [
            (numbers::MAX_CONNECTIONS, 0),
            (numbers::MAX_HANDSHAKES, 0),
            (numbers::MAX_HANDSHAKE_MEMORY, 64 << 20),
        ] {
            assert_eq!(get(&limits, option), Ok(default));
            assert_eq!(limits.set(option, &[0; 8]), Err(OptionError::WrongSize));
            assert_eq!(limits.set(option, &(-1_i32).to_ne_bytes()), Err(OptionError::OutOfRange));
            limits.set(option, &300_000_i32.to_ne_bytes()).unwrap();
            assert_eq!(get(&limits, option), Ok(300_000));
        }
        limits.set(numbers::MAX_CONNECTIONS, &0_i32.to_ne_bytes()).unwrap();
        assert_eq!(limits.connections, None);
        let memory = limits.set(numbers::MAX_HANDSHAKE_MEMORY, &0_i32.to_ne_bytes());
        assert_eq!(memory, Err(OptionError::OutOfRange));
        assert_eq!(limits.set(numbers::UNAUTHENTICATED, &[0; 4]), Err(OptionError::Unknown));
        assert_eq!(get(&limits, 1), Err(OptionError::Unknown));
    }
}
