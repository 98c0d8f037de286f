//! PAIR (RFC 31): two participants that talk to each other and to nobody else.

use aught::Context;

use super::{Outcome, RoleArgs, RoundTrips, Tell, body};
use crate::cmd::Failure;

/// Sends `count` messages, each after the answer to the last. Connects.
pub(super) fn asker(args: &RoleArgs, context: &Context) -> Result<Outcome, Failure> {
    let socket = context.pair()?;
    socket.connect(args.to_connect(0)?)?;
    let mut trips = RoundTrips::begin(args.count);
    for sequence in 0..args.count {
        trips.time(|| {
            let message = body(b'?', sequence);
            socket.send(&message)?;
            let answer = socket.recv()?;
            if answer == message { Ok(()) } else { Err(format!("got {answer:?}").into()) }
        })?;
    }
    Ok(trips.outcome())
}

/// Answers `count` messages. Binds.
pub(super) fn answerer(
    args: &RoleArgs,
    context: &Context,
    tell: Tell<'_>,
) -> Result<Outcome, Failure> {
    let socket = context.pair()?;
    tell(args.bind_all(&[socket.as_socket()])?);
    for _ in 0..args.count {
        let message = socket.recv()?;
        socket.send(message)?;
    }
    Ok(Outcome { sent: args.count, received: args.count, ..Outcome::default() })
}
