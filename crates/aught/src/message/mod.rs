//! Messages: one or more parts that travel together. What a part's bytes live in is in `part`
//! and `storage`, memory that is used again in `pool`; who sent a received part is in `peer`. Nothing here knows about sockets.

mod multipart;
mod part;
mod peer;
pub(crate) mod pool;
mod storage;

pub use multipart::Message;
pub(crate) use part::Kind;
pub use part::{MAX_INLINE, Part};
pub use peer::Peer;
pub(crate) use storage::Arena;
pub use storage::{ForeignFree, is_valid_raw, more_of_raw};
