//! The states of a connection and the ways between them. Each state is a type that its handler
//! consumes; the handlers are in `handshake`, `legacy` and `traffic`.
//!
//! ```text
//!                      first octet not ff, or tenth even: ZMTP 1.0
//!   Signature ------------------------------------------------------+
//!       | 10 octets                                                 |
//!   Revision -------------------------------------------------------+
//!       |     \  1, 2: ZMTP 2.0                       0: ZMTP 1.0   |
//!       |      +-----------------> LegacyType ---------+            |
//!       | 3 and later               1 octet            |            |
//!   Greeting                                           v            v
//!       | 53 octets                                 LegacyRoutingId
//!   Security <---> Asking                              | one frame
//!       | commands   | verdict, if it comes last       |
//!       |         Accepted                             |
//!       |            |                                 |
//!       +------------+-----> Traffic <-----------------+
//!
//!   any of them -- error --> Over
//! ```

use crate::error::Error;
use crate::mechanism::Outcome;

use super::config::Config;
use super::handshake::{Accepted, Asking, Greeting, Revision, Security, Signature};
use super::legacy::{LegacyRoutingId, LegacyType};
use super::traffic::Traffic;

#[derive(Debug)]
pub(crate) enum State {
    Signature(Signature),
    Revision(Revision),
    Greeting(Greeting),
    Security(Security),
    Asking(Asking),
    Accepted(Accepted),
    LegacyType(LegacyType),
    LegacyRoutingId(LegacyRoutingId),
    Traffic(Traffic),
    Over,
}

/// What a handler of the handshake made of its state.
#[derive(Debug)]
pub(crate) enum Step {
    /// The same again once the input has this many octets.
    Wait(State, usize),
    /// This many octets are dealt with; on with the rest.
    Next(usize, State),
    /// This many octets are dealt with; the owner has to decide.
    Ask(usize, State),
    /// This many octets are dealt with, and the handshake is over.
    Ready(usize, Box<Outcome>),
}

/// What the handlers of the handshake may use.
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    pub(crate) out: &'a mut Vec<u8>,
}

impl State {
    /// Hands the input to the state's handler. States that take no part in the handshake are the
    /// caller's business and come back as they are.
    pub(crate) fn step(self, cx: &mut Context<'_>, input: &[u8]) -> Result<Step, Error> {
        match self {
            Self::Signature(state) => state.handle(cx, input),
            Self::Revision(state) => state.handle(cx, input),
            Self::Greeting(state) => state.handle(cx, input),
            Self::Security(state) => state.handle(cx, input),
            Self::Accepted(state) => Ok(state.handle()),
            Self::LegacyType(state) => state.handle(cx, input),
            Self::LegacyRoutingId(state) => state.handle(cx, input),
            other @ (Self::Asking(_) | Self::Traffic(_) | Self::Over) => {
                Ok(Step::Wait(other, usize::MAX))
            }
        }
    }
}
