//! A thin wrapper over the C interface of any libzmq, for tests that say what it does.
//!
//! What lives here: loading the shared object ([`Lib`]), its numbers ([`consts`], [`Errno`]) and
//! small owners of contexts, sockets, messages and monitors whose calls map one to one onto the
//! C functions. What does not: any behaviour of our own, and any use of the Rust crates of this
//! workspace. The cases are in `tests/behaviour`.
//!
//! The library under test is the path in `AUGHT_LIBZMQ`; without it, the one that cargo builds
//! from this workspace.

mod abi;
pub mod consts;
mod context;
mod errno;
mod load;
mod message;
mod monitor;
mod net;
mod socket;
mod watchdog;

pub use abi::{FreeFn, Lib, PollItem, RawMsg, TimerFn};
pub use context::Ctx;
pub use errno::*;
pub use load::lib;
pub use message::Msg;
pub use monitor::{Event, Monitor};
pub use net::{
    RawStream, Transport, bound_port, can_ipv6, port_of, raw_accept, raw_connect, scratch, unique,
};
pub use socket::{GUARD_MS, Sock, UNTOUCHED, elapse, poll};
