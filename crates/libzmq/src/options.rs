//! Reading and changing socket options: zmq_setsockopt(3), zmq_getsockopt(3).

use std::ffi::c_int;

use aught::raw::Socket;

use crate::abi::export;
use crate::errno::Errno;
use crate::handle::{Handle, enter};
use crate::raw::{Buffer, BufferMut, Out};

/// No value is longer. Of more room the rest is left alone: who says so much has most likely not
/// set the length.
const LONGEST: usize = 64 * 1024;

/// Lists and strings that a null pointer resets, by number: accept filters, names and passwords,
/// the SOCKS proxy, the device. To these, an empty value that is there is malformed.
const RESET_BY_NULL: [c_int; 8] = [38, 45, 46, 58, 59, 60, 68, 92];

/// Lets `read` write a value, and sets the caller's length to how many bytes it is made of. What
/// room there is behind it is filled with zeros, as the reference does: programs read 64 bits of
/// `ZMQ_EVENTS`, or take a routing id for a string.
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
    value.write(out)?;
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
