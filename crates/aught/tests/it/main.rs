//! Integration tests of the Rust interface, one binary. What any libzmq has to do is tested over
//! the C interface in `crates/behaviour`; here is what only Rust programs see, and tests of the
//! tree itself: `house` (the rules of CONTRIBUTING.md), `constants` (those of `zmq.h`),
//! `dependencies` (those of deny.toml), `secrets` and `constant_time` (how secrets are compared),
//! `compatibility` and `security_page` (that COMPATIBILITY.md and SECURITY.md say what is so).

mod auth;
mod compatibility;
mod connections;
#[cfg(target_arch = "x86_64")]
mod constant_time;
mod constants;
mod coverage;
mod dependencies;
mod drops;
mod endings;
mod exposure;
mod house;
mod intermediaries;
mod messages;
mod monitors;
mod patterns;
mod pollers;
mod reconnect_stop;
mod secrets;
mod security_page;
mod socks;
mod support;
mod waiting;
