//! `aught pull`: prints the messages of PUSH sockets.

use aught::Context;

use super::{Failure, Side, attach, print_messages};
use crate::args::ReceiveArgs;

pub(super) fn run(args: &ReceiveArgs) -> Result<(), Failure> {
    let socket = Context::new()?.pull()?;
    attach(socket.as_socket(), &args.ends, Side::Bind)?;
    print_messages(socket.as_socket(), args, |_| Ok(()))
}
