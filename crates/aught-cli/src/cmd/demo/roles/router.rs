//! ROUTER and DEALER (RFC 28): one router that answers several dealers, each by its routing id.

use std::time::Instant;

use aught::Context;

use super::{Outcome, RoleArgs, Tell, body, read_body};
use crate::cmd::Failure;

/// How many requests a dealer has on the way at a time. Below the high-water mark, so that no
/// reply has to wait.
const WINDOW: u64 = 200;

/// Sends `count` requests back to whoever sent them. Binds.
pub(super) fn router(
    args: &RoleArgs,
    context: &Context,
    tell: Tell<'_>,
) -> Result<Outcome, Failure> {
    let socket = context.router()?;
    socket.as_socket().set_router_mandatory(true)?;
    tell(args.bind_all(&[socket.as_socket()])?);
    let begun = Instant::now();
    let mut outcome = Outcome::default();
    while outcome.sent < args.count {
        let request = socket.recv()?;
        let dealer = request.get(1).map(|body| read_body(body)).transpose()?;
        let id = dealer.map(|(number, _)| routing_id(number.into()));
        if request.len() != 2 || id.as_deref() != Some(request.first()) {
            return Err(format!("an envelope that does not fit: {request:?}").into());
        }
        outcome.received += 1;
        socket.send(request)?;
        outcome.sent += 1;
    }
    outcome.time = begun.elapsed();
    Ok(outcome)
}

fn routing_id(number: u64) -> Vec<u8> {
    format!("dealer-{number}").into_bytes()
}

/// Sends `count` requests, several at a time, and checks that its own replies come back in order.
pub(super) fn dealer(args: &RoleArgs, context: &Context) -> Result<Outcome, Failure> {
    let socket = context.dealer()?;
    socket.as_socket().set_routing_id(&routing_id(args.number))?;
    socket.connect(args.to_connect(0)?)?;
    let sign = u8::try_from(args.number)?;
    let begun = Instant::now();
    let mut outcome = Outcome::default();
    while outcome.received < args.count {
        while outcome.sent < args.count && outcome.sent - outcome.received < WINDOW {
            socket.send(&body(sign, outcome.sent))?;
            outcome.sent += 1;
        }
        let reply = socket.recv()?;
        if reply != body(sign, outcome.received) {
            return Err(format!("a reply that is not the next: {reply:?}").into());
        }
        outcome.received += 1;
    }
    outcome.time = begun.elapsed();
    Ok(outcome)
}
