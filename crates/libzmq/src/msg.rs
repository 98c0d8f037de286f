//! Messages: the `zmq_msg_*` functions. A `zmq_msg_t` is an `aught::raw::Part` in the C program's
//! memory, which may also hold anything else: it is looked at before it is touched.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use aught::raw::{ForeignFree, Part, is_valid_raw, more_of_raw};

use crate::abi::{ZMQ_MORE, ZMQ_SHARED, ZMQ_SRCFD, export};
use crate::errno::Errno;
use crate::raw::{Buffer, BufferMut, Text};

/// A `zmq_msg_t *` argument. As in `raw`, only a C caller makes one, who promises 64 bytes that
/// nobody else uses during the call.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Msg(*mut Part);

impl Msg {
    fn place(self) -> Result<*mut Part, Errno> {
        if self.0.is_null() || !self.0.is_aligned() { Err(Errno::FAULT) } else { Ok(self.0) }
    }

    /// The message, if there is one that was initialised and not closed.
    #[inline]
    pub(crate) fn get(&self) -> Result<&Part, Errno> {
        let place = self.place()?;
        // SAFETY: not null and aligned; the caller promises 64 bytes.
        if unsafe { is_valid_raw(place) } {
            // SAFETY: it holds a part.
            Ok(unsafe { &*place })
        } else {
            Err(Errno::FAULT)
        }
    }

    /// The message, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self) -> Result<&mut Part, Errno> {
        self.get()?;
        // SAFETY: it holds a part, as just seen; the caller promises that nobody else uses it.
        Ok(unsafe { &mut *self.0 })
    }

    /// Makes a message of memory that may hold anything.
    #[inline]
    pub(crate) fn init(self, part: Part) -> Result<(), Errno> {
        let place = self.place()?;
        // SAFETY: not null and aligned; the caller promises 64 bytes. What they held does not
        // matter: the manual says to initialise only what needs no closing.
        unsafe { place.write(part) };
        Ok(())
    }

    /// Ends the message. Its memory says so from now on.
    fn close(self) -> Result<(), Errno> {
        self.get()?;
        // SAFETY: it holds a part, which marks its place when it is dropped.
        unsafe { ptr::drop_in_place(self.0) };
        Ok(())
    }

    /// Whether more parts follow; a message that was closed still knows.
    fn had_more(self) -> Result<bool, Errno> {
        let place = self.place()?;
        // SAFETY: not null and aligned: the 64 bytes of a message that is or was.
        Ok(unsafe { more_of_raw(place) })
    }

    fn is(self, other: Self) -> bool {
        ptr::eq(self.0, other.0)
    }
}

/// A part of so many bytes, which the C program is about to write.
fn sized(size: usize) -> Result<Part, Errno> {
    // SAFETY: writing the bytes before sending them is the C program's part.
    unsafe { Part::uninit(size) }.ok_or(Errno::NO_MEMORY)
}

/// A part with a copy of bytes.
#[inline]
pub(crate) fn copied(bytes: &[u8]) -> Result<Part, Errno> {
    let mut part = sized(bytes.len())?;
    // SAFETY: the part is new and has room for exactly these bytes.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), part.as_mut_ptr(), bytes.len()) };
    Ok(part)
}

/// A part on memory that the C program promises to leave alone for good.
pub(crate) fn constant(data: Buffer, size: usize) -> Result<Part, Errno> {
    if data.is_null() && size > 0 {
        return Err(Errno::FAULT);
    }
    // SAFETY: the caller promises memory that is constant for the lifetime of the process.
    Ok(unsafe { Part::from_constant(data.address(), size) })
}

fn foreign(
    data: BufferMut,
    size: usize,
    free: ForeignFree,
    hint: *mut c_void,
) -> Result<Part, Errno> {
    if data.is_null() && size > 0 {
        return Err(Errno::FAULT);
    }
    // SAFETY: the caller promises memory that stays until `free` is called, on any thread.
    Ok(unsafe { Part::from_foreign(data.address(), size, free, hint) })
}

export! {
    /// Makes an empty message.
    fn zmq_msg_init(msg: Msg) -> c_int, else -1; {
        msg.init(Part::new())?;
        Ok(0)
    }

    /// Makes a message of `size` bytes, which the caller writes.
    fn zmq_msg_init_size(msg: Msg, size: usize) -> c_int, else -1; {
        msg.init(sized(size)?)?;
        Ok(0)
    }

    /// Makes a message with a copy of a buffer.
    fn zmq_msg_init_buffer(msg: Msg, data: Buffer, size: usize) -> c_int, else -1; {
        msg.init(copied(data.bytes(size)?)?)?;
        Ok(0)
    }

    /// Makes a message on the caller's memory, which `free` gets back exactly once, on any
    /// thread. Without `free`, the memory is never given back.
    fn zmq_msg_init_data(
        msg: Msg,
        data: BufferMut,
        size: usize,
        free: Option<ForeignFree>,
        hint: *mut c_void,
    ) -> c_int, else -1;
    {
        msg.place()?;
        match free {
            Some(free) => msg.init(foreign(data, size, free, hint)?)?,
            None => msg.init(constant(data.into(), size)?)?,
        }
        Ok(0)
    }

    /// Ends a message.
    fn zmq_msg_close(msg: Msg) -> c_int, else -1; {
        msg.close()?;
        Ok(0)
    }

    /// Moves a message; the source is empty then.
    fn zmq_msg_move(dest: Msg, src: Msg) -> c_int, else -1; {
        let (mut dest, mut src) = (dest, src);
        dest.get()?;
        src.get()?;
        if !dest.is(src) {
            let part = std::mem::take(src.get_mut()?);
            *dest.get_mut()? = part;
        }
        Ok(0)
    }

    /// Copies a message; long bodies are shared.
    fn zmq_msg_copy(dest: Msg, src: Msg) -> c_int, else -1; {
        let mut dest = dest;
        dest.get()?;
        src.get()?;
        if !dest.is(src) {
            let part = src.get()?.clone();
            *dest.get_mut()? = part;
        }
        Ok(0)
    }

    /// Where the body is. NULL with `EFAULT` if there is no message.
    fn zmq_msg_data(msg: Msg) -> *mut c_void, else ptr::null_mut(); {
        let mut msg = msg;
        Ok(msg.get_mut()?.as_mut_ptr().cast())
    }

    /// How long the body is, in bytes. 0 with `EFAULT` if there is no message.
    fn zmq_msg_size(msg: Msg) -> usize, else 0; {
        Ok(msg.get()?.len())
    }

    /// Whether more parts follow. 0 with `EFAULT` if there is no message.
    fn zmq_msg_more(msg: Msg) -> c_int, else 0; {
        Ok(c_int::from(msg.had_more()?))
    }

    /// A property of a message by its number.
    fn zmq_msg_get(msg: Msg, property: c_int) -> c_int, else -1; {
        let part = msg.get()?;
        match property {
            ZMQ_MORE => Ok(c_int::from(part.more())),
            ZMQ_SRCFD => {
                part.peer().and_then(|peer| peer.descriptor()).ok_or(Errno::INVALID)
            }
            ZMQ_SHARED => Ok(c_int::from(part.is_shared())),
            _ => Err(Errno::INVALID),
        }
    }

    /// Sets a property of a message. No property can be set.
    fn zmq_msg_set(msg: Msg, _property: c_int, _value: c_int) -> c_int, else -1; {
        msg.get()?;
        Err(Errno::INVALID)
    }

    /// A property of a message by its name: what the peer told of itself. It lives as long as
    /// the message. NULL if there is no such property.
    fn zmq_msg_gets(msg: Msg, property: Text) -> *const c_char, else ptr::null(); {
        let part = msg.get()?;
        let value = part.peer().and_then(|peer| peer.property(property.bytes()?));
        Ok(value.ok_or(Errno::INVALID)?.as_ptr())
    }

    /// Says which peer a message is for (draft).
    fn zmq_msg_set_routing_id(msg: Msg, routing_id: u32) -> c_int, else -1; {
        let mut msg = msg;
        let part = msg.get_mut()?;
        if routing_id == 0 {
            return Err(Errno::INVALID);
        }
        part.set_routing_id(routing_id);
        Ok(0)
    }

    /// Which peer a message is from (draft); 0 if nobody said.
    fn zmq_msg_routing_id(msg: Msg) -> u32, else 0; {
        Ok(msg.get()?.routing_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory that never held a message.
    fn nothing() -> std::mem::MaybeUninit<Part> {
        std::mem::MaybeUninit::zeroed()
    }

    #[test]
    fn messages_are_made_moved_copied_and_closed() {
        let (mut one, mut two) = (nothing(), nothing());
        let (one, two) = (Msg(one.as_mut_ptr()), Msg(two.as_mut_ptr()));
        assert_eq!(zmq_msg_init(one), 0);
        assert_eq!(zmq_msg_size(one), 0);
        let text = c"some bytes that are more than fit into the message itself, surely so";
        let size = text.count_bytes();
        assert_eq!(zmq_msg_close(one), 0);
        let data = Msg(one.0);
        // SAFETY: a constant of the program.
        let part = unsafe { Part::from_constant(text.as_ptr().cast(), size) };
        assert_eq!(data.init(part), Ok(()));
        assert_eq!(zmq_msg_get(one, ZMQ_SHARED), 1);
        assert_eq!(zmq_msg_init_size(two, 100), 0);
        assert_eq!((zmq_msg_size(two), zmq_msg_get(two, ZMQ_SHARED)), (100, 0));
        assert_eq!(zmq_msg_copy(two, one), 0);
        assert_eq!((zmq_msg_size(two), zmq_msg_size(one)), (size, size));
        assert_eq!(zmq_msg_data(two), zmq_msg_data(one));
        assert_eq!(zmq_msg_move(two, one), 0);
        assert_eq!((zmq_msg_size(two), zmq_msg_size(one)), (size, 0));
        assert_eq!(zmq_msg_move(two, two), 0);
        assert_eq!(zmq_msg_size(two), size);
        assert_eq!(zmq_msg_get(two, ZMQ_SRCFD), -1);
        assert_eq!(zmq_msg_set(two, ZMQ_MORE, 1), -1);
        assert_eq!(zmq_msg_set_routing_id(two, 0), -1);
        assert_eq!(zmq_msg_set_routing_id(two, 7), 0);
        assert_eq!(zmq_msg_routing_id(two), 7);
        assert_eq!((zmq_msg_close(one), zmq_msg_close(two)), (0, 0));
    }

    #[test]
    fn what_is_no_message_is_not_touched() {
        let mut garbage = std::mem::MaybeUninit::<Part>::uninit();
        // SAFETY: any bytes may be written.
        unsafe { garbage.as_mut_ptr().cast::<u8>().write_bytes(0x5a, 64) };
        let garbage = Msg(garbage.as_mut_ptr());
        let mut closed = nothing();
        let closed = Msg(closed.as_mut_ptr());
        assert_eq!(zmq_msg_init(closed), 0);
        assert_eq!(zmq_msg_close(closed), 0);
        let null = Msg(ptr::null_mut());
        for msg in [garbage, closed, null] {
            assert_eq!(zmq_msg_close(msg), -1);
            assert_eq!(crate::raw::errno(), libc::EFAULT);
            assert_eq!(zmq_msg_size(msg), 0);
            assert!(zmq_msg_data(msg).is_null());
            assert_eq!(zmq_msg_more(msg), 0);
            assert_eq!(zmq_msg_move(msg, msg), -1);
        }
        assert_eq!(zmq_msg_init(null), -1);
        assert_eq!(zmq_msg_init_size(garbage, usize::MAX), -1);
        assert_eq!(crate::raw::errno(), libc::ENOMEM);
    }
}
