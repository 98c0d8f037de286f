//! The protocol against its specifications, from the outside. One module per concern; the world the
//! tests live in is `zmtp::testing`.

mod allocator;
mod attacks;
mod budget;
mod corpus;
mod faults;
mod handshake;
mod heartbeat;
mod legacy;
mod mechanisms;
mod traffic;
mod wiping;
