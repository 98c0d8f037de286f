//! Sockets: the public types in `api` and `typed`, the heart in `core`, and what calls do in
//! `transfer`, `endpoints`, `options`, `monitor`, `poller`, `proxy`, `drops` and `incidents`. What a socket type does
//! with messages is in `pattern`.

pub(crate) mod api;
mod biased;
pub(crate) mod core;
pub(crate) mod drops;
pub(crate) mod endpoints;
mod exposure;
pub(crate) mod incidents;
pub(crate) mod mailbox;
pub(crate) mod monitor;
pub(crate) mod options;
mod patience;
pub(crate) mod poller;
pub(crate) mod proxy;
pub(crate) mod security;
pub(crate) mod transfer;
pub(crate) mod typed;
