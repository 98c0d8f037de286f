//! Contexts: the `zmq_ctx_*` functions and their older names.

use std::ffi::c_int;

use aught::raw::Context;

use crate::abi::{ZMQ_IO_THREADS, export};
use crate::errno::Errno;
use crate::handle::{Handle, create, enter};
use crate::options::read_into;
use crate::raw::{Buffer, BufferMut, Out};

fn end(context: Handle) -> Result<c_int, Errno> {
    let found = enter::<Context>(context)?;
    found.term()?;
    found.retire();
    Ok(0)
}

export! {
    /// A new context. NULL on failure.
    fn zmq_ctx_new() -> Handle, else Handle::NULL; {
        create(Context::new()?)
    }

    /// Ends a context: waits until its sockets are closed and have sent what lingers. May fail
    /// with `EINTR` and can then be called again.
    fn zmq_ctx_term(context: Handle) -> c_int, else -1; {
        end(context)
    }

    /// Makes all calls on a context's sockets fail with `ETERM`, blocked ones too.
    fn zmq_ctx_shutdown(context: Handle) -> c_int, else -1; {
        enter::<Context>(context)?.shutdown()?;
        Ok(0)
    }

    /// Changes an option of a context.
    fn zmq_ctx_set(context: Handle, option: c_int, value: c_int) -> c_int, else -1; {
        enter::<Context>(context)?.set(option, value)?;
        Ok(0)
    }

    /// Reads an option of a context.
    fn zmq_ctx_get(context: Handle, option: c_int) -> c_int, else -1; {
        Ok(enter::<Context>(context)?.get(option)?)
    }

    /// Changes an option of a context whose value may be a string (draft).
    fn zmq_ctx_set_ext(context: Handle, option: c_int, value: Buffer, len: usize)
        -> c_int, else -1;
    {
        let found = enter::<Context>(context)?;
        found.set_ext(option, value.bytes(len)?)?;
        Ok(0)
    }

    /// Reads an option of a context whose value may be a string (draft).
    fn zmq_ctx_get_ext(context: Handle, option: c_int, value: BufferMut, len: Out<usize>)
        -> c_int, else -1;
    {
        let found = enter::<Context>(context)?;
        read_into(value, &len, |out| Ok(found.get_ext(option, out)?))
    }

    /// The old name for making a context and setting its number of I/O threads.
    fn zmq_init(io_threads: c_int) -> Handle, else Handle::NULL; {
        let context = Context::new()?;
        context.set(ZMQ_IO_THREADS, io_threads)?;
        create(context)
    }

    /// An old name of `zmq_ctx_term`.
    fn zmq_term(context: Handle) -> c_int, else -1; {
        end(context)
    }

    /// An old name of `zmq_ctx_term`.
    fn zmq_ctx_destroy(context: Handle) -> c_int, else -1; {
        end(context)
    }
}
