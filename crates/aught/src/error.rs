//! What can go wrong, said so that one can tell whose fault it is. The one match from an error
//! to the number that C programs see is [`Error::errno`].

use std::fmt;

/// The ZeroMQ error numbers that the platform lacks, as `zmq.h` defines them.
pub(crate) mod numbers {
    pub(crate) const BASE: i32 = 156_384_712;
    pub(crate) const EFSM: i32 = BASE + 51;
    pub(crate) const ENOCOMPATPROTO: i32 = BASE + 52;
    pub(crate) const ETERM: i32 = BASE + 53;
    pub(crate) const EMTHREAD: i32 = BASE + 54;
}

/// Why an operation on a context or a socket failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The operation cannot be done now without waiting (`EAGAIN`), or its time ran out.
    WouldBlock,
    /// A signal arrived while waiting (`EINTR`). Nothing was lost: call again.
    Interrupted,
    /// The context is being terminated (`ETERM`): close your sockets.
    Terminated,
    /// The socket was closed (`ENOTSOCK`).
    Closed,
    /// The socket's pattern does not allow this now (`EFSM`), for example a second request
    /// before the reply.
    WrongState,
    /// The socket's type never does this (`ENOTSUP`).
    Unsupported,
    /// No peer has this routing id (`EHOSTUNREACH`).
    Unroutable,
    /// An argument is wrong (`EINVAL`): what, and what would be right.
    Invalid(&'static str),
    /// The endpoint's transport is not known or not built in (`EPROTONOSUPPORT`).
    UnknownTransport,
    /// The socket type cannot use this transport (`ENOCOMPATPROTO`).
    IncompatibleTransport,
    /// The endpoint is taken (`EADDRINUSE`).
    AddressInUse,
    /// There is no such network interface (`ENODEV`).
    NoSuchDevice,
    /// The socket is not bound or connected to this endpoint (`ENOENT`).
    NoSuchEndpoint,
    /// The context has as many sockets as it may have (`EMFILE`).
    TooManySockets,
    /// The context has no I/O thread to serve this transport (`EMTHREAD`).
    NoIoThread,
    /// The process was forked after the context was made: only the parent may use it (`ETERM`).
    Forked,
    /// The endpoint can be reached from outside of this machine, the socket would let in whoever
    /// comes, and the context does not want that (`EACCES`): see
    /// [`Context::set_unauthenticated`](crate::Context::set_unauthenticated).
    Unauthenticated,
    /// The operating system refused; the number is its `errno`.
    Os(i32),
}

impl Error {
    /// The number that the C interface reports for this error.
    #[must_use]
    pub const fn errno(&self) -> i32 {
        match self {
            Self::WouldBlock => libc::EAGAIN,
            Self::Interrupted => libc::EINTR,
            Self::Terminated | Self::Forked => numbers::ETERM,
            Self::Closed => libc::ENOTSOCK,
            Self::WrongState => numbers::EFSM,
            Self::Unsupported => libc::ENOTSUP,
            Self::Unroutable => libc::EHOSTUNREACH,
            Self::Invalid(_) => libc::EINVAL,
            Self::UnknownTransport => libc::EPROTONOSUPPORT,
            Self::IncompatibleTransport => numbers::ENOCOMPATPROTO,
            Self::AddressInUse => libc::EADDRINUSE,
            Self::NoSuchDevice => libc::ENODEV,
            Self::NoSuchEndpoint => libc::ENOENT,
            Self::TooManySockets => libc::EMFILE,
            Self::NoIoThread => numbers::EMTHREAD,
            Self::Unauthenticated => libc::EACCES,
            Self::Os(errno) => *errno,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WouldBlock => f.write_str("the operation would have to wait"),
            Self::Interrupted => f.write_str("a signal arrived while waiting"),
            Self::Terminated => f.write_str("the context is being terminated"),
            Self::Closed => f.write_str("the socket is closed"),
            Self::WrongState => f.write_str("the socket's pattern does not allow this now"),
            Self::Unsupported => f.write_str("this socket type does not do this"),
            Self::Unroutable => f.write_str("no peer has this routing id"),
            Self::Invalid(what) => write!(f, "invalid argument: {what}"),
            Self::UnknownTransport => f.write_str("unknown transport: use tcp, ipc or inproc"),
            Self::IncompatibleTransport => f.write_str("the socket type cannot use this transport"),
            Self::AddressInUse => f.write_str("the endpoint is in use"),
            Self::NoSuchDevice => f.write_str("no such network interface"),
            Self::NoSuchEndpoint => f.write_str("the socket does not have this endpoint"),
            Self::TooManySockets => f.write_str("the context has no room for another socket"),
            Self::NoIoThread => f.write_str("the context has no I/O thread"),
            Self::Forked => f.write_str("the context belongs to the parent process"),
            Self::Unauthenticated => f.write_str(
                "the context refuses sockets without authentication outside of this machine",
            ),
            Self::Os(errno) => std::io::Error::from_raw_os_error(*errno).fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<rustix::io::Errno> for Error {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::Os(errno.raw_os_error())
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Os(error.raw_os_error().unwrap_or(libc::EIO))
    }
}

/// A message that was not sent, with the reason.
#[derive(Clone, Debug)]
pub struct SendError {
    error: Error,
    message: crate::Message,
}

impl SendError {
    pub(crate) const fn new(error: Error, message: crate::Message) -> Self {
        Self { error, message }
    }

    /// Why the message was not sent.
    #[must_use]
    pub const fn error(&self) -> &Error {
        &self.error
    }

    /// The message, to be sent again or put elsewhere.
    #[must_use]
    pub fn into_message(self) -> crate::Message {
        self.message
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message not sent: {}", self.error)
    }
}

impl std::error::Error for SendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        error.error
    }
}
