//! The security of sockets in the Rust interface: which mechanism they speak, with which secrets,
//! and who lets their peers in. What the options do is in `crate::options`, who decides is in
//! `crate::zap`.

use super::api::{Context, Socket};
use crate::error::Error;
use crate::options::numbers;
use crate::sync::Arc;
use crate::zap::{Authenticator, Gate};

use zmtp::curve::{KeyPair, PublicKey};

/// A security mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// Neither authentication nor confidentiality, the default.
    Null,
    /// A name and a password in clear text (zmq_plain(7)).
    Plain,
    /// Authentication by keys, and encryption (zmq_curve(7)).
    Curve,
}

/// How many peers were let in and turned away, by whoever decides: an [`Authenticator`], or a
/// handler behind `inproc://zeromq.zap.01` (RFC 27). Peers that fail before they have shown
/// their credentials are not among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthCounts {
    /// Peers that were let in.
    pub accepted: u64,
    /// Peers that were not: they were denied, or there was no proper answer.
    pub denied: u64,
}

impl AuthCounts {
    fn of(gate: &Gate) -> Self {
        let (accepted, denied) = gate.counts();
        Self { accepted, denied }
    }
}

impl Context {
    /// Has `authenticator` decide about the peers of all sockets of this context that have none
    /// of their own, instead of a handler behind `inproc://zeromq.zap.01`. It may be replaced at
    /// any time; peers that are in stay in.
    ///
    /// It is asked about the clients of PLAIN and CURVE servers, and about the peers of sockets
    /// that speak NULL, for which it counts from the next connection on. Peers of ZMTP 2.0 and
    /// older cannot be asked about and are turned away.
    pub fn set_authenticator(&self, authenticator: impl Authenticator) {
        self.inner().gate.set(Some(Arc::new(authenticator)));
    }

    /// Goes back to asking the handler, where one is to be asked (RFC 27).
    pub fn clear_authenticator(&self) {
        self.inner().gate.set(None);
    }

    /// How many peers of all sockets were let in and turned away.
    #[must_use]
    pub fn auth_counts(&self) -> AuthCounts {
        AuthCounts::of(&self.inner().gate)
    }
}

impl Socket {
    /// The mechanism that the socket speaks on connections made from now on: that of the option
    /// set last.
    ///
    /// # Errors
    /// [`Error::Terminated`].
    pub fn mechanism(&self) -> Result<Mechanism, Error> {
        let mut value = [0; 4];
        self.core.get_option(numbers::MECHANISM, &mut value)?;
        Ok(match i32::from_ne_bytes(value) {
            0 => Mechanism::Null,
            1 => Mechanism::Plain,
            _ => Mechanism::Curve,
        })
    }

    fn set_flag(&self, option: i32, on: bool) -> Result<(), Error> {
        self.core.set_option(option, &i32::from(on).to_ne_bytes())
    }

    /// Makes the socket a PLAIN server: its peers show a name and a password, and somebody has to
    /// decide about them (see [`Socket::set_authenticator`]); otherwise nobody is let in. `false`
    /// makes it speak NULL. Counts from the next bind or connect on; default off.
    ///
    /// # Errors
    /// [`Error::Terminated`].
    pub fn set_plain_server(&self, on: bool) -> Result<(), Error> {
        self.set_flag(numbers::PLAIN_SERVER, on)
    }

    /// Makes the socket a PLAIN client with this name and password, 1 to 255 bytes each, which
    /// travel in clear text. Counts from the next bind or connect on.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another length.
    pub fn set_plain_client(&self, username: &str, password: &str) -> Result<(), Error> {
        let fits = |text: &str| (1..=255).contains(&text.len());
        if !fits(username) || !fits(password) {
            return Err(Error::Invalid("names and passwords have 1 to 255 bytes"));
        }
        self.core.set_option(numbers::PLAIN_USERNAME, username.as_bytes())?;
        self.core.set_option(numbers::PLAIN_PASSWORD, password.as_bytes())
    }

    /// Makes the socket a CURVE server with these keys: what travels is encrypted, and whoever
    /// knows the public key can come, unless somebody decides otherwise (see
    /// [`Socket::set_authenticator`]). Counts from the next bind or connect on.
    ///
    /// # Errors
    /// [`Error::Terminated`].
    pub fn set_curve_server(&self, keys: &KeyPair) -> Result<(), Error> {
        self.set_keys(keys)?;
        self.set_flag(numbers::CURVE_SERVER, true)
    }

    /// Makes the socket a CURVE client with these keys, which talks to the server that has the
    /// secret key belonging to `server`, and to nobody else. Counts from the next bind or connect
    /// on.
    ///
    /// # Errors
    /// [`Error::Terminated`].
    pub fn set_curve_client(&self, keys: &KeyPair, server: &PublicKey) -> Result<(), Error> {
        self.set_keys(keys)?;
        self.core.set_option(numbers::CURVE_SERVERKEY, server.as_bytes())
    }

    fn set_keys(&self, keys: &KeyPair) -> Result<(), Error> {
        self.core.set_option(numbers::CURVE_PUBLICKEY, keys.public().as_bytes())?;
        self.core.set_option(numbers::CURVE_SECRETKEY, keys.secret().as_bytes())
    }

    /// Speaks NULL from the next bind or connect on: neither authentication nor confidentiality.
    ///
    /// # Errors
    /// [`Error::Terminated`].
    pub fn set_null(&self) -> Result<(), Error> {
        self.set_flag(numbers::CURVE_SERVER, false)
    }

    /// The domain, 1 to 255 bytes, that whoever decides about this socket's peers is told. A
    /// handler is asked about peers of sockets that speak NULL only if there is one. Counts from
    /// the next bind or connect on; default none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another length.
    pub fn set_zap_domain(&self, domain: &str) -> Result<(), Error> {
        self.core.set_option(numbers::ZAP_DOMAIN, domain.as_bytes())
    }

    /// Lets nobody in where there is a domain and no handler: otherwise NULL and CURVE servers let
    /// everybody in then. A CURVE server without a domain asks nobody. Counts from the next bind
    /// or connect on; default off.
    ///
    /// # Errors
    /// [`Error::Terminated`].
    pub fn set_zap_enforce_domain(&self, on: bool) -> Result<(), Error> {
        self.set_flag(numbers::ZAP_ENFORCE_DOMAIN, on)
    }

    /// Has `authenticator` decide about this socket's peers, instead of that of the context and
    /// of a handler behind `inproc://zeromq.zap.01`. See [`Context::set_authenticator`].
    pub fn set_authenticator(&self, authenticator: impl Authenticator) {
        self.core.gate.set(Some(Arc::new(authenticator)));
    }

    /// Leaves it to the context's authenticator or the handler again.
    pub fn clear_authenticator(&self) {
        self.core.gate.set(None);
    }

    /// How many peers of this socket were let in and turned away.
    #[must_use]
    pub fn auth_counts(&self) -> AuthCounts {
        AuthCounts::of(&self.core.gate)
    }
}
