//! `aught rep`: answers requests of REQ sockets and prints them.

use aught::Context;

use super::{Failure, Side, attach, print_messages};
use crate::args::ReplyArgs;
use crate::format;

pub(super) fn run(args: &ReplyArgs) -> Result<(), Failure> {
    let socket = Context::new()?.rep()?;
    attach(socket.as_socket(), &args.receive.ends, Side::Bind)?;
    print_messages(socket.as_socket(), &args.receive, |request| {
        let reply = match &args.message {
            Some(text) => format::parse_message(text, &args.receive.separator),
            None => request,
        };
        Ok(socket.send(reply)?)
    })
}
