//! Sockets and their endpoints: zmq_socket(3), zmq_close(3), zmq_bind(3) and their like.

use std::ffi::c_int;

use aught::raw::{Context, Socket};

use crate::abi::export;
use crate::handle::{Handle, create, enter};
use crate::raw::Text;

export! {
    /// A new socket of a type. NULL on failure.
    fn zmq_socket(context: Handle, kind: c_int) -> Handle, else Handle::NULL; {
        create(enter::<Context>(context)?.socket(kind)?)
    }

    /// Closes a socket. Calls of other threads on it end with `ENOTSOCK`.
    fn zmq_close(socket: Handle) -> c_int, else -1; {
        let found = enter::<Socket>(socket)?;
        // The handle is dead first, so that no new call begins.
        found.retire();
        found.close()?;
        Ok(0)
    }

    /// Accepts connections at an endpoint.
    fn zmq_bind(socket: Handle, endpoint: Text) -> c_int, else -1; {
        enter::<Socket>(socket)?.bind(endpoint.get()?)?;
        Ok(0)
    }

    /// Connects to an endpoint, now or when somebody is there.
    fn zmq_connect(socket: Handle, endpoint: Text) -> c_int, else -1; {
        enter::<Socket>(socket)?.connect(endpoint.get()?)?;
        Ok(0)
    }

    /// Undoes `zmq_bind`.
    fn zmq_unbind(socket: Handle, endpoint: Text) -> c_int, else -1; {
        enter::<Socket>(socket)?.unbind(endpoint.get()?)?;
        Ok(0)
    }

    /// Undoes `zmq_connect`.
    fn zmq_disconnect(socket: Handle, endpoint: Text) -> c_int, else -1; {
        enter::<Socket>(socket)?.disconnect(endpoint.get()?)?;
        Ok(0)
    }
}
