//! The two intermediaries: a broker for requests (ROUTER and DEALER) and a forwarder for what is
//! published (XSUB and XPUB).

use aught::{Context, Socket, proxy};

use super::{Outcome, RoleArgs, Tell, until_terminated};
use crate::cmd::Failure;

/// Requesters connect to its first endpoint, repliers to its second.
pub(super) fn broker(
    args: &RoleArgs,
    context: &Context,
    tell: Tell<'_>,
) -> Result<Outcome, Failure> {
    pass(args, &context.router()?.into_socket(), &context.dealer()?.into_socket(), tell)
}

/// Publishers connect to its first endpoint, subscribers to its second.
pub(super) fn forwarder(
    args: &RoleArgs,
    context: &Context,
    tell: Tell<'_>,
) -> Result<Outcome, Failure> {
    let frontend = context.xsub()?.into_socket();
    let backend = context.xpub()?.into_socket();
    // Without a mark nothing is dropped for a subscriber that is slow for a while.
    frontend.set_recv_hwm(0)?;
    backend.set_send_hwm(0)?;
    pass(args, &frontend, &backend, tell)
}

fn pass(
    args: &RoleArgs,
    frontend: &Socket,
    backend: &Socket,
    tell: Tell<'_>,
) -> Result<Outcome, Failure> {
    tell(args.bind_all(&[frontend, backend])?);
    until_terminated(proxy(frontend, backend, None).map_err(Into::into))?;
    Ok(Outcome::default())
}
