//! The types and constants of `zmq.h` that cross the border, and the one macro that makes an
//! entry point.

use std::ffi::{c_int, c_short, c_void};

/// `zmq_pollitem_t`.
#[repr(C)]
pub(crate) struct PollItem {
    pub(crate) socket: crate::handle::Handle,
    pub(crate) fd: c_int,
    pub(crate) events: c_short,
    pub(crate) revents: c_short,
}

/// `zmq_poller_event_t`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct PollerEvent {
    pub(crate) socket: crate::handle::Handle,
    pub(crate) fd: c_int,
    pub(crate) user_data: *mut c_void,
    pub(crate) events: c_short,
}

pub(crate) const ZMQ_PAIR: c_int = 0;
pub(crate) const ZMQ_SNDMORE: c_int = 2;
pub(crate) const ZMQ_IO_THREADS: c_int = 1;

/// The properties of zmq_msg_get(3).
pub(crate) const ZMQ_MORE: c_int = 1;
pub(crate) const ZMQ_SRCFD: c_int = 2;
pub(crate) const ZMQ_SHARED: c_int = 3;

/// Defines functions of the C interface: exported by name, and with a body that may fail or
/// even panic. Then the function returns what stands after `else`, with `errno` set.
macro_rules! export {
    ($($(#[$meta:meta])*
       fn $name:ident($($arg:ident: $type:ty),* $(,)?) -> $result:ty, else $failure:expr;
       $body:block)*) => {$(
        $(#[$meta])*
        #[unsafe(no_mangle)]
        pub(crate) extern "C" fn $name($($arg: $type),*) -> $result {
            $crate::errno::guarded($failure, || -> Result<$result, $crate::errno::Errno> { $body })
        }
    )*};
}
pub(crate) use export;
