//! Sending and receiving, by buffer, by message and by scattered memory: zmq_send(3),
//! zmq_recv(3), zmq_msg_send(3), zmq_msg_recv(3) and their like.

use std::ffi::c_int;

use aught::raw::{Part, Socket};

use crate::abi::{ZMQ_SNDMORE, export};
use crate::errno::Errno;
use crate::handle::{Handle, Ref, enter};
use crate::msg::{Msg, constant, copied};
use crate::raw::{Array, Buffer, BufferMut, Out, Piece};

/// A size as C is told it; longer ones than fit are at least not negative.
fn size(bytes: usize) -> c_int {
    c_int::try_from(bytes).unwrap_or(c_int::MAX)
}

#[inline]
fn send(socket: &Ref<Socket>, mut part: Part, flags: c_int) -> Result<c_int, Errno> {
    Ok(size(socket.send(&mut part, flags)?))
}

#[inline]
fn send_msg(socket: Handle, mut msg: Msg, flags: c_int) -> Result<c_int, Errno> {
    let found = enter::<Socket>(socket)?;
    Ok(size(found.send(msg.get_mut()?, flags)?))
}

#[inline]
fn recv_msg(socket: Handle, mut msg: Msg, flags: c_int) -> Result<c_int, Errno> {
    let found = enter::<Socket>(socket)?;
    let place = msg.get_mut()?;
    found.recv(place, flags)?;
    Ok(size(place.len()))
}

export! {
    /// Sends a copy of a buffer. Returns its size in bytes.
    fn zmq_send(socket: Handle, data: Buffer, len: usize, flags: c_int) -> c_int, else -1; {
        let found = enter::<Socket>(socket)?;
        found.send_bytes(data.bytes(len)?, flags).map(size).map_err(Errno::from)
    }

    /// Sends a buffer of constant memory without copying it.
    fn zmq_send_const(socket: Handle, data: Buffer, len: usize, flags: c_int)
        -> c_int, else -1;
    {
        let found = enter::<Socket>(socket)?;
        send(&found, constant(data, len)?, flags)
    }

    /// Receives a part into a buffer. Returns the part's size in bytes; of a part that is
    /// longer than the buffer, the rest is lost.
    fn zmq_recv(socket: Handle, data: BufferMut, len: usize, flags: c_int) -> c_int, else -1; {
        let found = enter::<Socket>(socket)?;
        if data.is_null() && len > 0 {
            return Err(Errno::FAULT);
        }
        let mut part = Part::new();
        found.recv(&mut part, flags)?;
        let bytes = part.as_slice();
        data.write(bytes.get(..len).unwrap_or(bytes))?;
        Ok(size(bytes.len()))
    }

    /// Sends a message, which is empty then. Returns its size in bytes.
    fn zmq_msg_send(msg: Msg, socket: Handle, flags: c_int) -> c_int, else -1; {
        send_msg(socket, msg, flags)
    }

    /// Receives a part into a message. Returns its size in bytes.
    fn zmq_msg_recv(msg: Msg, socket: Handle, flags: c_int) -> c_int, else -1; {
        recv_msg(socket, msg, flags)
    }

    /// The old name of `zmq_msg_send`.
    fn zmq_sendmsg(socket: Handle, msg: Msg, flags: c_int) -> c_int, else -1; {
        send_msg(socket, msg, flags)
    }

    /// The old name of `zmq_msg_recv`.
    fn zmq_recvmsg(socket: Handle, msg: Msg, flags: c_int) -> c_int, else -1; {
        recv_msg(socket, msg, flags)
    }

    /// Sends copies of pieces of memory: with `ZMQ_SNDMORE` as the parts of one message, without
    /// as messages of their own. Returns the size of the last one.
    fn zmq_sendiov(socket: Handle, pieces: Array<Piece>, count: usize, flags: c_int)
        -> c_int, else -1;
    {
        let mut pieces = pieces;
        let found = enter::<Socket>(socket)?;
        if count == 0 || pieces.is_null() {
            return Err(Errno::INVALID);
        }
        let pieces = pieces.items(count)?;
        let mut sent = 0;
        for (index, piece) in pieces.iter().enumerate() {
            let last = index + 1 == count;
            let flags = if last { flags & !ZMQ_SNDMORE } else { flags };
            sent = send(&found, copied(piece.bytes()?)?, flags)?;
        }
        Ok(sent)
    }

    /// Receives the parts of one message into memory that the caller gives to `free`, as many
    /// as there is room for. Returns how many, and sets `count` to the same.
    fn zmq_recviov(socket: Handle, pieces: Array<Piece>, count: Out<usize>, flags: c_int)
        -> c_int, else -1;
    {
        let mut pieces = pieces;
        let found = enter::<Socket>(socket)?;
        let room = count.get().map_err(|_| Errno::INVALID)?;
        if room == 0 || pieces.is_null() {
            return Err(Errno::INVALID);
        }
        let pieces = pieces.items(room)?;
        count.set(0)?;
        let mut received = 0;
        for piece in pieces {
            let mut part = Part::new();
            found.recv(&mut part, flags)?;
            piece.set_copy(part.as_slice())?;
            received += 1;
            count.set(received)?;
            if !part.more() {
                break;
            }
        }
        Ok(size(received))
    }
}
