//! `libzmq.so.5` on the aught engine: the C interface of ZeroMQ, a file for each section of
//! `zmq.h`. What the functions do is the engine's; here is what they look like to C: handles,
//! `errno`, memory that C owns.
//!
//! `unsafe` is fenced into `handle`, `raw` and `msg`. The entry points are safe functions over
//! argument types that only a C caller can make (see `raw`).

mod abi;
mod context;
mod curve;
mod draft;
mod errno;
mod handle;
mod monitor;
mod msg;
mod options;
mod poll;
mod poller;
mod proxy;
mod raw;
mod send_recv;
mod socket;
mod timers;
mod utils;
