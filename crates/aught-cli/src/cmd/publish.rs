//! `aught pub`: publishes messages, once somebody has subscribed. The socket is an XPUB, since a
//! PUB does not see its subscriptions.

use aught::Context;

use super::{Failure, Side, attach, for_each_message};
use crate::args::PublishArgs;

pub(super) fn run(args: &PublishArgs) -> Result<(), Failure> {
    let socket = Context::new()?.xpub()?;
    // ZMQ_XPUB_VERBOSE: hear of every subscription, not just of the first to a topic.
    socket.as_socket().set_option(40, &1_i32.to_ne_bytes())?;
    attach(socket.as_socket(), &args.send.ends, Side::Bind)?;
    let mut subscriptions = 0;
    while subscriptions < args.wait {
        let message = socket.recv()?;
        // RFC 29: 1 subscribes, 0 cancels.
        match message.first().first() {
            Some(1) => subscriptions += 1,
            Some(0) => subscriptions = subscriptions.saturating_sub(1),
            _ => {}
        }
    }
    for_each_message(&args.send, |message| Ok(socket.send(message)?))
}
