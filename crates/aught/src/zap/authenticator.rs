//! Letting peers in without a handler of one's own: what an [`Authenticator`] is shown and what it
//! answers. A ready-made one is in `rules`.

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use zmtp::curve::PublicKey;
use zmtp::zap::{Reply, Status};

use super::Decision;

/// What a peer has shown of itself.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Credentials<'a> {
    /// Nothing: it speaks the NULL mechanism.
    Null,
    /// A name and a password, which travelled in clear text (PLAIN).
    Plain {
        /// The name, 0 to 255 bytes.
        username: &'a [u8],
        /// The password, 0 to 255 bytes. Compare it with [`is_same_secret`](crate::is_same_secret).
        password: &'a [u8],
    },
    /// A public key, whose secret key the peer has proved to hold (CURVE).
    Curve {
        /// The key.
        public_key: PublicKey,
    },
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Plain { username, .. } => {
                write!(f, "Plain {{ username: \"{}\", .. }}", username.escape_ascii())
            }
            Self::Curve { public_key } => write!(f, "Curve {{ {public_key:?} }}"),
        }
    }
}

/// A peer that wants to be let in.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AuthRequest<'a> {
    /// What the peer has shown of itself.
    pub credentials: Credentials<'a>,
    /// The peer's address; `None` over `ipc`.
    pub address: Option<IpAddr>,
    /// The domain of the socket that it wants in at: see
    /// [`Socket::set_zap_domain`](crate::Socket::set_zap_domain). Empty if it has none.
    pub domain: &'a [u8],
}

/// What becomes of a peer. It is let in by [`AuthVerdict::accept`] alone.
///
/// ```
/// use aught::AuthVerdict;
///
/// let verdict = AuthVerdict::accept("joe").with_property("X-Role", "admin");
/// assert!(verdict.is_accepted());
/// assert!(!AuthVerdict::deny().is_accepted());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct AuthVerdict(Reply);

impl AuthVerdict {
    fn new(status: Status, user_id: &str) -> Self {
        Self(Reply { status, user_id: user_id.as_bytes().to_vec(), metadata: Vec::new() })
    }

    /// The peer is let in. Its messages carry `user_id` as their property `User-Id`
    /// (see [`Peer::property`](crate::Peer::property)).
    pub fn accept(user_id: &str) -> Self {
        Self::new(Status::Accepted, user_id)
    }

    /// The peer is not let in, and is told so (status 400 of RFC 27).
    pub fn deny() -> Self {
        Self::new(Status::Denied, "")
    }

    /// Nobody can tell now: the connection ends without a word, and the peer may try again
    /// (status 300).
    pub fn try_again() -> Self {
        Self::new(Status::TemporaryError, "")
    }

    /// Deciding failed: the peer is not let in, and is told that it is not its fault (status
    /// 500).
    pub fn fail() -> Self {
        Self::new(Status::InternalError, "")
    }

    /// Has the peer's messages carry another property. A name that was given before gets another
    /// value; one that is no name of RFC 37 is left out: letters, digits, `-`, `_`, `.` and `+`.
    pub fn with_property(mut self, name: &str, value: &str) -> Self {
        self.0.metadata.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        if zmtp::is_property_name(name) {
            self.0.metadata.push((name.to_owned(), value.as_bytes().to_vec()));
        }
        self
    }

    /// Whether the peer is let in.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.0.status == Status::Accepted
    }
}

/// Decides who is let in, within the process and without a handler's thread.
///
/// It is asked on an I/O thread, once for each handshake, by several threads at once if the
/// context has several. It must not wait for anything: what takes time to find out belongs to a
/// handler behind `inproc://zeromq.zap.01` (RFC 27), which is asked in the background. If it
/// panics, the peer is denied. It must not hold the context or a socket of it, which would keep
/// each other alive.
///
/// [`AuthRules`](crate::AuthRules) is one that is ready made. A closure is one, too:
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use aught::{AuthRequest, AuthVerdict, Context, Credentials, is_same_secret};
///
/// let context = Context::new()?;
/// let server = context.rep()?;
/// server.as_socket().set_plain_server(true)?;
/// server.as_socket().set_authenticator(|request: &AuthRequest<'_>| match request.credentials {
///     Credentials::Plain { username: b"joe", password } if is_same_secret(password, b"secret") => {
///         AuthVerdict::accept("joe")
///     }
///     _ => AuthVerdict::deny(),
/// });
/// server.bind("tcp://127.0.0.1:*")?;
///
/// let client = context.req()?;
/// client.as_socket().set_plain_client("joe", "secret")?;
/// client.connect(&server.last_endpoint()?)?;
/// client.send("hello")?;
/// let message = server.recv()?;
/// let user = message.peer().and_then(|peer| peer.property("User-Id"));
/// assert_eq!(user, Some(c"joe"));
/// # Ok(())
/// # }
/// ```
pub trait Authenticator: Send + Sync + 'static {
    /// Decides about one peer.
    fn authenticate(&self, request: &AuthRequest<'_>) -> AuthVerdict;
}

impl<F> Authenticator for F
where
    F: Fn(&AuthRequest<'_>) -> AuthVerdict + Send + Sync + 'static,
{
    fn authenticate(&self, request: &AuthRequest<'_>) -> AuthVerdict {
        self(request)
    }
}

impl<A: Authenticator + ?Sized> Authenticator for std::sync::Arc<A> {
    fn authenticate(&self, request: &AuthRequest<'_>) -> AuthVerdict {
        (**self).authenticate(request)
    }
}

/// Asks an authenticator. Its code is the application's and may panic, which must end neither the
/// thread that serves everybody else nor with a peer being let in.
pub(crate) fn ask(
    authenticator: &dyn Authenticator,
    request: &AuthRequest<'_>,
    kind: zmtp::SocketType,
) -> Decision {
    let verdict = catch_unwind(AssertUnwindSafe(|| authenticator.authenticate(request)))
        .unwrap_or_else(|_| AuthVerdict::fail());
    Decision::of(Ok(verdict.0), kind)
}
