//! A world without networks and clocks for tests of this crate and of engines built on it: owners
//! that behave as [`Connection`](crate::Connection) asks ([`Side`]), two of them and the wire between
//! ([`Pair`]), peers that follow a script ([`script`]), and what the fuzz targets check ([`fuzz`]).
//!
//! Nothing here is used by the protocol itself. Functions of this module panic when an expectation
//! fails, as tests do.

pub mod fuzz;
mod fuzz_mechanisms;
mod pair;
pub mod script;
pub mod secure;
mod side;

pub use pair::{Delivery, Pair};
pub use side::{Event, Side};
