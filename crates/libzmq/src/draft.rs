//! Draft functions of socket types that are not built in: they check what they are given and
//! fail with `ENOTSUP`. Draft functions that work are with their sections.

use std::ffi::{c_char, c_int};

use aught::raw::Socket;

use crate::abi::export;
use crate::errno::Errno;
use crate::handle::{Handle, enter};
use crate::msg::Msg;
use crate::raw::{Buffer, Text};

export! {
    /// Joins a group (DISH).
    fn zmq_join(socket: Handle, _group: Text) -> c_int, else -1; {
        enter::<Socket>(socket)?;
        Err(Errno::UNSUPPORTED)
    }

    /// Leaves a group (DISH).
    fn zmq_leave(socket: Handle, _group: Text) -> c_int, else -1; {
        enter::<Socket>(socket)?;
        Err(Errno::UNSUPPORTED)
    }

    /// Connects and returns the peer's routing id (PEER); 0 on failure.
    fn zmq_connect_peer(socket: Handle, _endpoint: Text) -> u32, else 0; {
        enter::<Socket>(socket)?;
        Err(Errno::UNSUPPORTED)
    }

    /// Disconnects one peer (SERVER, PEER).
    fn zmq_disconnect_peer(socket: Handle, _routing_id: u32) -> c_int, else -1; {
        enter::<Socket>(socket)?;
        Err(Errno::UNSUPPORTED)
    }

    /// What can be done with one peer (ROUTER).
    fn zmq_socket_get_peer_state(socket: Handle, _routing_id: Buffer, _len: usize)
        -> c_int, else -1;
    {
        enter::<Socket>(socket)?;
        Err(Errno::UNSUPPORTED)
    }

    /// Says which group a message is for (RADIO).
    fn zmq_msg_set_group(msg: Msg, _group: Text) -> c_int, else -1; {
        msg.get()?;
        Err(Errno::UNSUPPORTED)
    }

    /// Which group a message is from (DISH).
    fn zmq_msg_group(msg: Msg) -> *const c_char, else std::ptr::null(); {
        msg.get()?;
        Err(Errno::UNSUPPORTED)
    }
}
