//! ZeroMQ in Rust: brokerless messaging with sockets that carry whole messages.
//!
//! A [`Context`] makes sockets; sockets [`bind`](Socket::bind) and
//! [`connect`](Socket::connect) to endpoints over `tcp`, `ipc` and `inproc`, in any order, and
//! send and receive [`Message`]s in the patterns of their types: request-reply, publish-subscribe,
//! pipeline, exclusive pair. It speaks ZMTP 3.1 (RFC 37) and older, so that peers may be any
//! ZeroMQ implementation.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use aught::Context;
//!
//! let context = Context::new()?;
//! let server = context.rep()?;
//! server.bind("tcp://127.0.0.1:*")?;
//!
//! let client = context.req()?;
//! client.connect(&server.last_endpoint()?)?;
//! client.send("Hello")?;
//!
//! assert_eq!(server.recv()?, "Hello");
//! server.send("World")?;
//! assert_eq!(client.recv()?, "World");
//! # Ok(())
//! # }
//! ```
//!
//! # Security
//!
//! Sockets speak the NULL mechanism unless told otherwise: whoever can connect is a peer. CURVE
//! ([`Socket::set_curve_server`], [`Socket::set_curve_client`]) encrypts and authenticates by keys,
//! PLAIN ([`Socket::set_plain_server`], [`Socket::set_plain_client`]) by passwords in clear text. Who
//! is let in is decided by an [`Authenticator`], such as [`AuthRules`], or by a handler of the
//! application's (RFC 27).
//!
//! # How it is made
//!
//! The layers below, from `socket` down to `sys`, are described in `ARCHITECTURE.md`.

mod context;
mod endpoint;
mod engine;
mod error;
mod message;
mod options;
mod pattern;
mod pipe;
#[doc(hidden)]
pub mod raw;
mod socket;
mod sync;
mod sys;
mod transport;
mod zap;

pub use error::{Error, SendError};
pub use message::{Message, Part, Peer};
pub use options::Unauthenticated;
pub use pattern::Drop as DropCause;
pub use socket::api::{Context, Monitor, Poller, Socket, SocketType, proxy, proxy_steerable};
pub use socket::incidents::{IncidentCounts, Limit};
pub use socket::monitor::{EventKind, MonitorEvent};
pub use socket::security::{AuthCounts, Mechanism};
pub use socket::typed::{Dealer, Pair, Pub, Pull, Push, Rep, Req, Router, Stream, Sub, Xpub, Xsub};
pub use zap::authenticator::{AuthRequest, AuthVerdict, Authenticator, Credentials};
pub use zap::rules::AuthRules;
pub use zap::secret::is_same_secret;

/// The keys of CURVE: see [`Socket::set_curve_server`] and [`Socket::set_curve_client`].
pub mod curve {
    pub use zmtp::NoRandomness;
    pub use zmtp::curve::{KEY_LEN, KEY_TEXT_LEN, KeyPair, PublicKey, SecretKey};
}
