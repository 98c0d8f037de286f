//! Passing messages between two sockets: zmq_proxy(3), zmq_proxy_steerable(3).

use std::ffi::c_int;

use aught::raw::{self, Socket};

use crate::abi::export;
use crate::errno::Errno;
use crate::handle::{Handle, Ref, enter};

/// These functions call a wrong handle a bad address.
fn socket(handle: Handle) -> Result<Ref<Socket>, Errno> {
    enter(handle).map_err(|error| if error == Errno::NOT_A_SOCKET { Errno::FAULT } else { error })
}

fn optional(handle: Handle) -> Result<Option<Ref<Socket>>, Errno> {
    if handle.is_null() { Ok(None) } else { socket(handle).map(Some) }
}

fn run(
    frontend: Handle,
    backend: Handle,
    capture: Handle,
    control: Handle,
) -> Result<c_int, Errno> {
    let (frontend, backend) = (socket(frontend)?, socket(backend)?);
    let (capture, control) = (optional(capture)?, optional(control)?);
    raw::proxy(&frontend, &backend, capture.as_deref(), control.as_deref())?;
    Ok(0)
}

export! {
    /// Passes messages both ways until the context ends, with copies to `capture` if there is
    /// one.
    fn zmq_proxy(frontend: Handle, backend: Handle, capture: Handle) -> c_int, else -1; {
        run(frontend, backend, capture, Handle::NULL)
    }

    /// The same, until `control` says `TERMINATE`.
    fn zmq_proxy_steerable(frontend: Handle, backend: Handle, capture: Handle, control: Handle)
        -> c_int, else -1;
    {
        run(frontend, backend, capture, control)
    }

    /// The old name of `zmq_proxy`. The type of device does not matter.
    fn zmq_device(_kind: c_int, frontend: Handle, backend: Handle) -> c_int, else -1; {
        run(frontend, backend, Handle::NULL, Handle::NULL)
    }
}
