//! `aught push`: sends messages to PULL sockets.

use aught::Context;

use super::{Failure, Side, attach, for_each_message};
use crate::args::SendArgs;

pub(super) fn run(args: &SendArgs) -> Result<(), Failure> {
    let socket = Context::new()?.push()?;
    attach(socket.as_socket(), &args.ends, Side::Connect)?;
    for_each_message(args, |message| Ok(socket.send(message)?))
}
