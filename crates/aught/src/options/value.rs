//! The bytes of option values at the interfaces: reading and checking them, writing them out.
//! Which option has which kind of value is in `table`.

use zeroize::Zeroizing;

use super::OptionError;
use super::table::Kind;

/// A value that fits its option's kind and range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Int(i32),
    Bool(bool),
    Mask(u64),
    Limit(i64),
    /// It may be a key or a password.
    Bytes(Zeroizing<Vec<u8>>),
    /// No value at all: lists are cleared, strings reset.
    Nothing,
}

impl Kind {
    /// Reads a value of this kind.
    pub(crate) fn read(self, bytes: &[u8]) -> Result<Value, OptionError> {
        match self {
            Self::Int { min, max, .. } => {
                let value = read_int(bytes)?;
                if (min..=max).contains(&value) { Ok(Value::Int(value)) } else { out_of_range() }
            }
            Self::Switch { .. } => match read_int(bytes)? {
                0 => Ok(Value::Bool(false)),
                1 => Ok(Value::Bool(true)),
                _ => out_of_range(),
            },
            Self::Truth { .. } => Ok(Value::Bool(read_int(bytes)? != 0)),
            Self::Flag { .. } => match read_int(bytes)? {
                value @ 0.. => Ok(Value::Bool(value != 0)),
                _ => out_of_range(),
            },
            Self::Mask { .. } => {
                let bytes = bytes.try_into().map_err(|_| OptionError::WrongSize)?;
                Ok(Value::Mask(u64::from_ne_bytes(bytes)))
            }
            Self::Limit { .. } => {
                let bytes = bytes.try_into().map_err(|_| OptionError::WrongSize)?;
                Ok(Value::Limit(i64::from_ne_bytes(bytes)))
            }
            Self::Text { .. } | Self::Ids | Self::Texts if bytes.is_empty() => Ok(Value::Nothing),
            Self::Text { min, max } | Self::Binary { min, max } => {
                if (min..=max).contains(&bytes.len()) {
                    Ok(Value::Bytes(bytes.to_vec().into()))
                } else {
                    Err(OptionError::WrongSize)
                }
            }
            Self::Ids => read_int(bytes).map(Value::Int),
            // What is a key is decided where keys are kept.
            Self::Key | Self::Texts => Ok(Value::Bytes(bytes.to_vec().into())),
            Self::Live => Err(OptionError::ReadOnly),
        }
    }
}

impl Value {
    /// Writes the value out as zmq_getsockopt(3) gives it, and returns how many bytes it took.
    pub(crate) fn write(&self, out: &mut [u8]) -> Result<usize, OptionError> {
        match self {
            Self::Int(value) => write_exactly(&value.to_ne_bytes(), out),
            Self::Bool(value) => write_exactly(&i32::from(*value).to_ne_bytes(), out),
            Self::Mask(value) => write_exactly(&value.to_ne_bytes(), out),
            Self::Limit(value) => write_exactly(&value.to_ne_bytes(), out),
            Self::Bytes(bytes) => write_bytes(bytes, out),
            Self::Nothing => Ok(0),
        }
    }
}

fn out_of_range<T>() -> Result<T, OptionError> {
    Err(OptionError::OutOfRange)
}

fn read_int(bytes: &[u8]) -> Result<i32, OptionError> {
    bytes.try_into().map(i32::from_ne_bytes).map_err(|_| OptionError::WrongSize)
}

/// A string's bytes up to its terminating zero byte, if it has one.
pub(crate) fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The same, which has to be UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, OptionError> {
    std::str::from_utf8(until_zero(bytes)).map_err(|_| OptionError::OutOfRange)
}

/// A string with the zero byte that C programs expect behind it.
pub(crate) fn terminated(text: impl AsRef<[u8]>) -> Value {
    let text = text.as_ref();
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    bytes.extend_from_slice(text);
    bytes.push(0);
    Value::Bytes(bytes)
}

fn write_exactly(value: &[u8], out: &mut [u8]) -> Result<usize, OptionError> {
    // The reference wants room for exactly one number where it keeps the value itself.
    if out.len() != value.len() {
        return Err(OptionError::WrongSize);
    }
    out.copy_from_slice(value);
    Ok(value.len())
}

/// Writes a number of the live socket into room for at least one `int`.
pub(crate) fn write_int(value: i32, out: &mut [u8]) -> Result<usize, OptionError> {
    write_bytes(&value.to_ne_bytes(), out)
}

/// Writes bytes into room for at least so many.
pub(crate) fn write_bytes(value: &[u8], out: &mut [u8]) -> Result<usize, OptionError> {
    out.get_mut(..value.len()).ok_or(OptionError::WrongSize)?.copy_from_slice(value);
    Ok(value.len())
}
