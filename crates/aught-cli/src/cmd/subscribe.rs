//! `aught sub`: prints the messages of PUB sockets.

use aught::Context;

use super::{Failure, Side, attach, print_messages};
use crate::args::SubscribeArgs;

pub(super) fn run(args: &SubscribeArgs) -> Result<(), Failure> {
    let socket = Context::new()?.subscriber()?;
    if args.topic.is_empty() {
        socket.subscribe("")?;
    }
    for topic in &args.topic {
        socket.subscribe(topic)?;
    }
    attach(socket.as_socket(), &args.receive.ends, Side::Connect)?;
    print_messages(socket.as_socket(), &args.receive, |_| Ok(()))
}
