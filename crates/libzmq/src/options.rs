//! Reading and changing socket options: zmq_setsockopt(3), zmq_getsockopt(3).

use std::ffi::c_int;

use aught::raw::Socket;

use crate::abi::export;
use crate::errno::Errno;
use crate::handle::{Handle, enter};
use crate::raw::{Buffer, BufferMut, Out};

/// No value is longer: callers that say they have more room are taken at this.
const LONGEST: usize = 64 * 1024;

/// Lists and strings that a null pointer resets, by number: accept filters, names and passwords,
/// the SOCKS proxy, the device. To these, an empty value that is there is malformed.
const RESET_BY_NULL: [c_int; 8] = [38, 45, 46, 58, 59, 60, 68, 92];

/// Lets `read` write a value, of which the caller's buffer only sees the bytes that it is made
/// of, and sets the caller's length to how many these are.
pub(crate) fn read_into(
    value: BufferMut,
    len: &Out<usize>,
    read: impl FnOnce(&mut [u8]) -> Result<usize, Errno>,
) -> Result<c_int, Errno> {
    let room = len.get()?.min(LONGEST);
    let mut short = [0; 512];
    let mut long = Vec::new();
    let out = match short.get_mut(..room) {
        Some(out) => out,
        None => {
            long.resize(room, 0);
            long.as_mut_slice()
        }
    };
    let written = read(out)?;
    value.write(out.get(..written).unwrap_or_default())?;
    len.set(written)?;
    Ok(0)
}

export! {
    /// Changes an option of a socket.
    fn zmq_setsockopt(socket: Handle, option: c_int, value: Buffer, len: usize)
        -> c_int, else -1;
    {
        let found = enter::<Socket>(socket)?;
        let is_null = value.is_null();
        let value = value.bytes(len).map_err(|_| Errno::INVALID)?;
        if value.is_empty() && !is_null && RESET_BY_NULL.contains(&option) {
            return Err(Errno::INVALID);
        }
        found.set_option(option, value)?;
        Ok(0)
    }

    /// Reads an option of a socket.
    fn zmq_getsockopt(socket: Handle, option: c_int, value: BufferMut, len: Out<usize>)
        -> c_int, else -1;
    {
        let found = enter::<Socket>(socket)?;
        read_into(value, &len, |out| Ok(found.get_option(option, out)?))
    }
}
