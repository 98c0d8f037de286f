//! The messaging patterns: what a socket of each type does with messages and pipes. Pure over
//! both: no I/O, no time, no threads. This file has the seam, and the one match on the socket
//! type; each pattern has a file of its own, and what they share is in `fair_queue`,
//! `load_balance`, `fan_out`, `routing_table`, `peers`, `subscriptions` and `envelope`.

mod dealer;
mod drops;
mod envelope;
mod fair_queue;
mod fan_out;
mod load_balance;
mod pair;
mod peers;
mod prefix_tree;
mod publish;
mod pull;
mod push;
mod rep;
mod req;
mod rotation;
mod router;
mod routing_table;
mod stream;
mod subscribe;
mod subscriptions;
#[cfg(test)]
mod tests;
mod xpub;
mod xsub;

use zmtp::SocketType;

use crate::message::Part;
use crate::pipe::{PipeId, Pipes};

/// The pattern of a socket type; `None` for types that are not built in.
#[must_use]
pub(crate) fn new_pattern(kind: SocketType) -> Option<Box<dyn Pattern>> {
    Some(match kind {
        SocketType::Pair => Box::new(pair::Pair::default()),
        SocketType::Pub => Box::new(publish::Publish::default()),
        SocketType::Sub => Box::new(subscribe::Subscribe::default()),
        SocketType::Req => Box::new(req::Req::default()),
        SocketType::Rep => Box::new(rep::Rep::default()),
        SocketType::Dealer => Box::new(dealer::Dealer::default()),
        SocketType::Router => Box::new(router::Router::default()),
        SocketType::Pull => Box::new(pull::Pull::default()),
        SocketType::Push => Box::new(push::Push::default()),
        SocketType::Xpub => Box::new(xpub::Xpub::new(false)),
        SocketType::Xsub => Box::new(xsub::Xsub::new(false)),
        SocketType::Stream => Box::new(stream::Stream::default()),
        _ => return None,
    })
}

/// Whether `ZMQ_CONFLATE` means something to sockets of this type (zmq_setsockopt(3)).
#[must_use]
pub(crate) fn can_conflate(kind: SocketType) -> bool {
    use SocketType::{Dealer, Pub, Pull, Push, Sub};
    matches!(kind, Pull | Push | Sub | Pub | Dealer)
}

/// Whether a socket answers the requests of DEALERs, as RFC 27 wants it of handlers.
#[must_use]
pub(crate) fn takes_requests(kind: SocketType) -> bool {
    matches!(kind, SocketType::Rep | SocketType::Router)
}

/// Whether sends of this type wait while there is no peer, and go to peers in turn.
#[must_use]
pub(crate) fn waits_for_peers(kind: SocketType) -> bool {
    matches!(kind, SocketType::Push | SocketType::Dealer)
}

/// Whether connecting twice to one endpoint is the same as connecting once: for these types a
/// second connection would double what comes and goes, as programs written for the reference
/// do not expect.
#[must_use]
pub(crate) fn connects_once(kind: SocketType) -> bool {
    use SocketType::{Dealer, Pub, Req, Sub};
    matches!(kind, Dealer | Sub | Pub | Req)
}

/// Whether the type is one of those that the reference lets several threads use
/// (zmq_socket(3), `ZMQ_THREAD_SAFE`).
#[must_use]
pub(crate) fn is_thread_safe(kind: SocketType) -> bool {
    use SocketType::{Channel, Client, Dish, Gather, Peer, Radio, Scatter, Server};
    matches!(kind, Client | Server | Dish | Radio | Scatter | Gather | Peer | Channel)
}

/// Why a part could not be sent. The part is left with the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SendError {
    /// No pipe can take a message now: wait and try again.
    Full,
    /// The message cannot be routed to the peer that it names (`EHOSTUNREACH`).
    Unroutable,
    /// The pattern does not allow sending in this state (`EFSM`).
    State,
    /// This socket type never sends (`ENOTSUP`).
    Unsupported,
}

/// Why no part could be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecvError {
    /// Nothing is there now: wait and try again.
    Empty,
    /// The pattern does not allow receiving in this state (`EFSM`).
    State,
    /// This socket type never receives (`ENOTSUP`).
    Unsupported,
}

/// How a pipe comes to a socket.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attach<'a> {
    /// The socket connected, so that the peer may not be there yet.
    pub locally_initiated: bool,
    /// The routing id that the application gave this connection (`ZMQ_CONNECT_ROUTING_ID`).
    pub routing_id: Option<&'a [u8]>,
}

/// Why messages were dropped on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Drop {
    /// A subscriber's pipe was at its high-water mark.
    PubHwm,
    /// The routing id named no peer.
    RouterUnroutable,
    /// The named peer's pipe was at its high-water mark.
    RouterHwm,
    /// The peer took a routing id that was in use.
    DuplicateId,
    /// A reply that no request waits for, or a malformed one.
    StaleReply,
    /// A message without the envelope that the pattern needs.
    Malformed,
    /// No subscription matched what arrived.
    Unmatched,
    /// There was nobody to take the message.
    NoPeer,
    /// The peer went away in the middle of the message.
    PeerGone,
    /// A newer message took its place (`ZMQ_CONFLATE`).
    Conflated,
    /// It was not sent in the linger time of a socket that was closed or disconnected.
    Linger,
    /// The connection was lost before the message was handed over whole, or the peer was.
    ConnectionLost,
    /// It had arrived, and its socket was closed or disconnected before it was received.
    Unread,
}

/// A change to a pattern's own options. The options table has checked type and range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PatternOption {
    /// `ZMQ_SUBSCRIBE`.
    Subscribe(Vec<u8>),
    /// `ZMQ_UNSUBSCRIBE`.
    Unsubscribe(Vec<u8>),
    /// `ZMQ_ROUTER_MANDATORY`.
    RouterMandatory(bool),
    /// `ZMQ_ROUTER_HANDOVER`.
    RouterHandover(bool),
    /// `ZMQ_ROUTER_RAW`.
    RouterRaw(bool),
    /// `ZMQ_PROBE_ROUTER`, for the types that have it.
    ProbeRouter(bool),
    /// `ZMQ_REQ_CORRELATE`.
    ReqCorrelate(bool),
    /// `ZMQ_REQ_RELAXED`.
    ReqRelaxed(bool),
    /// `ZMQ_XPUB_VERBOSE`.
    XpubVerbose(bool),
    /// `ZMQ_XPUB_VERBOSER`.
    XpubVerboser(bool),
    /// `ZMQ_XPUB_NODROP`.
    XpubNodrop(bool),
    /// `ZMQ_XPUB_MANUAL`.
    XpubManual(bool),
    /// `ZMQ_XPUB_WELCOME_MSG`.
    XpubWelcome(Vec<u8>),
    /// `ZMQ_INVERT_MATCHING`.
    InvertMatching(bool),
    /// `ZMQ_STREAM_NOTIFY`.
    StreamNotify(bool),
}

/// The pattern does not know the option (`EINVAL`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownOption;

/// What a socket of one type does with messages and pipes.
///
/// The engine calls `attach` once a pipe belongs to the socket, then `readable`, `writable` and
/// `hiccup` as signals come in, `closing` when the other end is gone and nothing more can be
/// written, and `detach` when the pipe is to be forgotten: after `closing`, once everything
/// readable was read or nobody will read it. `detach` may come without `closing`, and twice; the
/// pipe is still there to be read from. Before `writable` the engine has taken note of the room.
pub(crate) trait Pattern: Send {
    /// A pipe joins the socket. Look at once what can be read from it: no signal will tell.
    fn attach(&mut self, pipe: PipeId, how: Attach<'_>, pipes: &mut Pipes);

    /// The pipe is gone. Idempotent.
    fn detach(&mut self, pipe: PipeId, pipes: &mut Pipes);

    /// The other end of the pipe is gone; what it sent before can still be read. True if the
    /// socket still wants to read it, false if the pipe can be dropped at once.
    fn closing(&mut self, pipe: PipeId, pipes: &mut Pipes) -> bool;

    /// There is something to read on a pipe that was seen empty.
    fn readable(&mut self, pipe: PipeId, pipes: &mut Pipes);

    /// There is room on a pipe that was seen full.
    fn writable(&mut self, pipe: PipeId, pipes: &mut Pipes);

    /// The connection behind the pipe was lost and is being made again. Patterns with
    /// subscriptions write them anew, behind a [`Kind::Restart`](crate::message::Kind::Restart).
    fn hiccup(&mut self, _pipe: PipeId, _pipes: &mut Pipes) {}

    /// Sends one part, taken out of `part` on success (an empty part is left behind). Parts of
    /// one message come one after the other, the last one without `more`; only the first can
    /// fail with [`SendError::Full`].
    fn send(&mut self, part: &mut Part, pipes: &mut Pipes) -> Result<(), SendError>;

    /// Receives one part. The parts of one message follow each other.
    fn recv(&mut self, pipes: &mut Pipes) -> Result<Part, RecvError>;

    /// As `recv`, moving the part to where it is wanted: patterns that pass parts on as they are
    /// move them only once. On failure, `to` is left alone.
    fn recv_to(&mut self, pipes: &mut Pipes, to: &mut Part) -> Result<(), RecvError> {
        *to = self.recv(pipes)?;
        Ok(())
    }

    /// Whether `recv` would give a part now.
    fn has_in(&mut self, pipes: &mut Pipes) -> bool;

    /// Whether `send` would take the first part of a message now.
    fn has_out(&mut self, pipes: &mut Pipes) -> bool;

    /// Changes an option of this pattern.
    fn set(&mut self, _option: PatternOption, _pipes: &mut Pipes) -> Result<(), UnknownOption> {
        Err(UnknownOption)
    }

    /// Pipes that the pattern has no use for, or no use any more: surplus ones, duplicates, and
    /// connections that the application asked to be closed. The engine detaches and drops them;
    /// what was written to them before is still sent.
    fn take_rejected(&mut self) -> Vec<PipeId> {
        Vec::new()
    }

    /// Messages dropped since the last call, by cause.
    fn take_drops(&mut self) -> Vec<(Drop, u64)> {
        Vec::new()
    }

    /// What `ZMQ_ROUTING_ID` reports in place of the option, for the types that tell there what
    /// the last connection is called (zmq_socket(3), `ZMQ_STREAM`).
    fn routing_id(&self) -> Option<&[u8]> {
        None
    }

    /// What `ZMQ_TOPICS_COUNT` reports, for the types that have topics.
    fn topics(&self) -> Option<usize> {
        None
    }
}
