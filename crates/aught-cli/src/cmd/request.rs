//! `aught req`: sends requests to REP sockets and prints the replies.

use aught::Context;

use super::{Failure, Side, attach, for_each_message};
use crate::args::SendArgs;
use crate::format;

pub(super) fn run(args: &SendArgs) -> Result<(), Failure> {
    let socket = Context::new()?.req()?;
    attach(socket.as_socket(), &args.ends, Side::Connect)?;
    for_each_message(args, |message| {
        socket.send(message)?;
        let reply = socket.recv()?;
        if format::message(&reply, &args.separator) {
            Ok(())
        } else {
            Err("nobody reads the replies".into())
        }
    })
}
