//! Hostile peers: bytes that no peer should send, from strangers that come in great numbers, to
//! sockets of every type over tcp and ipc, while an honest peer goes on exchanging messages. Each
//! test runs in a process of its own, so that its memory and its descriptors are its own. What
//! the protocol machine makes of single bytes is tested in `aught-zmtp`.

mod advisories;
mod alone;
mod crowds;
mod descriptors;
mod floods;
mod handshakes;
mod honest;
mod pending;
mod stranger;
mod strangers;

use std::time::Duration;

/// How long one exchange between honest peers may take, whatever goes on around it.
const EXCHANGE: Duration = Duration::from_secs(10);
/// How long to wait for what has to happen. Only a failure takes that long.
const PATIENCE: Duration = Duration::from_secs(30);
