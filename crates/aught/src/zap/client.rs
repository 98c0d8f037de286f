//! One request to the application's handler and its reply, over a pipe of their own. Nothing here
//! waits: whoever owns the exchange hears of the reply as of anything else that happens to a pipe.

use zmtp::zap::{ENDPOINT, InvalidReply, Reply, Request};

use crate::context::ContextInner;
use crate::message::{Part, Peer};
use crate::pipe::{self, Owner, PipeEnd, PipeOptions, pipe};
use crate::socket::core::SocketCore;
use crate::socket::mailbox::Attachment;
use crate::sync::{Arc, lock};

/// Frames that are kept of a reply: more than a good one has, and no more than tell that it has
/// too many.
const KEPT: usize = 8;

/// What is kept for a request besides the pipe and the bodies of its parts, in bytes: the handler's
/// notes of who asks, the session's ear, and what the allocator adds. Measured on the heap of a
/// process with 2000 of them: 700, with handlers that have read them and those that have not.
const BESIDE: usize = 768;

/// A request that was sent, and what has come of its reply.
pub(crate) struct Exchange {
    pipe: PipeEnd,
    frames: Vec<Part>,
    held: usize,
}

impl Exchange {
    /// Asks the handler; `None` if there is none. The owner hears of the reply under `token`.
    ///
    /// RFC 27 has the handler be a REP or ROUTER socket, and the one that asks a REQ or DEALER:
    /// to the handler, every exchange is a DEALER of its own.
    pub(crate) fn start(
        context: &ContextInner,
        request: &Request<'_>,
        owner: Arc<dyn Owner>,
        token: u64,
    ) -> Option<Self> {
        let handler = handler(context)?;
        let (mut near, mut far) = pipe(PipeOptions::default());
        near.set_owner(owner, token);
        far.set_peer(Some(Arc::new(Peer::default())));
        let frames = request.frames();
        let last = frames.len().saturating_sub(1);
        let bodies: usize = frames.iter().map(|frame| frame.len()).sum();
        let held = BESIDE + pipe::footprint(frames.len()) + bodies;
        for (at, frame) in frames.into_iter().enumerate() {
            near.write(Part::copy_from(&frame).with_more(at < last));
        }
        near.flush();
        handler.attach_from_outside(Attachment {
            end: far,
            locally_initiated: false,
            routing_id: None,
        });
        Some(Self { pipe: near, frames: Vec::new(), held })
    }

    /// Whether there is somebody to be asked.
    pub(crate) fn has_handler(context: &ContextInner) -> bool {
        handler(context).is_some()
    }

    /// What the request holds in memory until it is answered, in bytes.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// The reply, once it is there.
    pub(crate) fn poll(&mut self) -> Option<Result<Reply, InvalidReply>> {
        loop {
            if !self.pipe.can_read() {
                return None;
            }
            let part = self.pipe.read_bare()?;
            let more = part.more();
            if self.frames.len() < KEPT {
                self.frames.push(part);
            }
            if !more {
                return Some(Reply::read(&self.frames));
            }
        }
    }
}

/// The application's handler.
fn handler(context: &ContextInner) -> Option<Arc<SocketCore>> {
    let name = ENDPOINT.strip_prefix("inproc://")?;
    let found = lock(&context.names).find(name);
    found.filter(|found| found.takes_requests())
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").field("frames", &self.frames.len()).finish_non_exhaustive()
    }
}
