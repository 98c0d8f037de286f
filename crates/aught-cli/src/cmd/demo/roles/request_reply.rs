//! REQ and REP (RFC 28): a requester that counts and times its replies, and a replier.

use aught::Context;

use super::{Outcome, RoleArgs, RoundTrips, Tell, body, until_terminated};
use crate::cmd::Failure;

/// Sends requests one after the other and checks each reply. Connects to a replier or a broker.
pub(super) fn requester(args: &RoleArgs, context: &Context) -> Result<Outcome, Failure> {
    let socket = context.req()?;
    socket.connect(args.to_connect(0)?)?;
    let ask = |sequence: u64| {
        let request = body(b'?', sequence);
        socket.send(&request)?;
        let reply = socket.recv()?;
        if reply == request { Ok(()) } else { Err(format!("{sequence} got {reply:?}").into()) }
    };
    // The first one pays for the connection.
    ask(u64::MAX)?;
    let mut trips = RoundTrips::begin(args.count);
    for sequence in 0..args.count {
        trips.time(|| ask(sequence))?;
    }
    Ok(trips.outcome())
}

/// Sends each request back, until it is told to end. Binds, or connects to a broker.
pub(super) fn replier(
    args: &RoleArgs,
    context: &Context,
    tell: Tell<'_>,
) -> Result<Outcome, Failure> {
    let socket = context.rep()?;
    if args.bind.is_empty() {
        socket.connect(args.to_connect(0)?)?;
    } else {
        tell(args.bind_all(&[socket.as_socket()])?);
    }
    let mut outcome = Outcome::default();
    let mut serve = || loop {
        let request = socket.recv()?;
        let counts = super::read_body(request.first())?.1 != u64::MAX;
        outcome.received += u64::from(counts);
        socket.send(request)?;
        outcome.sent += u64::from(counts);
    };
    until_terminated(serve())?;
    Ok(outcome)
}
