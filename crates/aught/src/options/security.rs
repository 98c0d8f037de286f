//! The options of the security mechanisms (zmq_plain(7), zmq_curve(7)) and of authentication
//! (RFC 27): what is kept, and what setting one does to the others. As with the reference, the
//! option that is set last decides which mechanism a socket speaks, and each value stays what it
//! was set to, so that they can be set in any order.

use std::fmt;

use zeroize::Zeroizing;
use zmtp::MechanismConfig;
use zmtp::curve::{KEY_LEN, KEY_TEXT_LEN, KeyPair, PublicKey, SecretKey};

use super::OptionError;
use super::table::numbers;
use super::value::{Value, write_bytes};

/// What `ZMQ_MECHANISM` tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mechanism {
    #[default]
    Null,
    Plain,
    Curve,
}

/// Whether a peer is let in by somebody else's word, and what if nobody is there to give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Nobody is asked.
    Nobody,
    /// The handler is asked, if there is one.
    IfThere,
    /// The handler is asked, and without one nobody is let in.
    Always,
}

/// See the module's documentation.
#[derive(Clone)]
pub(crate) struct Security {
    mechanism: Mechanism,
    as_server: bool,
    username: Vec<u8>,
    password: Zeroizing<Vec<u8>>,
    public_key: PublicKey,
    secret_key: SecretKey,
    /// What belongs to the secret key, whatever `public_key` is. Servers need no more than this.
    derived: PublicKey,
    server_key: PublicKey,
    domain: Vec<u8>,
    enforce_domain: bool,
}

impl Default for Security {
    fn default() -> Self {
        let no_key = PublicKey::new([0; KEY_LEN]);
        Self {
            mechanism: Mechanism::Null,
            as_server: false,
            username: Vec::new(),
            password: Zeroizing::default(),
            public_key: no_key,
            secret_key: SecretKey::new([0; KEY_LEN]),
            derived: no_key,
            server_key: no_key,
            domain: Vec::new(),
            enforce_domain: false,
        }
    }
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Security")
            .field("mechanism", &self.mechanism)
            .field("as_server", &self.as_server)
            .finish_non_exhaustive()
    }
}

impl Security {
    /// What connections made from now on speak.
    pub(crate) fn mechanism(&self) -> MechanismConfig {
        match (self.mechanism, self.as_server) {
            (Mechanism::Null, _) => MechanismConfig::Null,
            (Mechanism::Plain, true) => MechanismConfig::PlainServer,
            (Mechanism::Plain, false) => MechanismConfig::PlainClient {
                username: self.username.clone(),
                password: self.password.clone(),
            },
            (Mechanism::Curve, true) => MechanismConfig::CurveServer {
                keys: KeyPair::from_parts(self.derived, self.secret_key.clone()),
            },
            (Mechanism::Curve, false) => MechanismConfig::CurveClient {
                keys: KeyPair::from_parts(self.public_key, self.secret_key.clone()),
                server: self.server_key,
            },
        }
    }

    /// Whether this side lets its peers in, rather than being let in by them.
    pub(crate) fn decides(&self) -> bool {
        self.mechanism == Mechanism::Null || self.as_server
    }

    /// Whom a side that decides asks. The reference asks about peers without credentials only
    /// where there is a domain; a CURVE server without a handler only encrypts ("stonehouse"),
    /// and PLAIN means nothing without somebody who knows the passwords.
    pub(crate) fn asks(&self) -> Asks {
        let has_domain = !self.domain.is_empty();
        match self.mechanism {
            Mechanism::Plain => Asks::Always,
            Mechanism::Null if !has_domain => Asks::Nobody,
            Mechanism::Curve if self.enforce_domain && !has_domain => Asks::Nobody,
            _ if self.enforce_domain => Asks::Always,
            _ => Asks::IfThere,
        }
    }

    /// Whether nobody gets in who does not at least know a key of ours, or has one that we know.
    pub(crate) fn needs_keys(&self) -> bool {
        self.mechanism == Mechanism::Curve
    }

    /// Whether this is a CURVE server without a secret key. It lets nobody in, and is not what its
    /// owner believes it to be.
    pub(crate) fn lacks_key(&self) -> bool {
        self.mechanism == Mechanism::Curve && self.as_server && self.secret_key.is_zero()
    }

    /// `ZMQ_ZAP_DOMAIN`.
    pub(crate) fn domain(&self) -> &[u8] {
        &self.domain
    }

    fn serve(&mut self, mechanism: Mechanism, on: bool) {
        self.as_server = on;
        self.mechanism = if on { mechanism } else { Mechanism::Null };
    }

    /// Changes an option of this file that is a flag; `None` for others.
    pub(super) fn store_bool(&mut self, option: i32, value: bool) -> Option<()> {
        match option {
            numbers::PLAIN_SERVER => self.serve(Mechanism::Plain, value),
            numbers::CURVE_SERVER => self.serve(Mechanism::Curve, value),
            numbers::ZAP_ENFORCE_DOMAIN => self.enforce_domain = value,
            _ => return None,
        }
        Some(())
    }

    /// Changes an option of this file that is a string; `None` for others.
    pub(super) fn store_text(&mut self, option: i32, bytes: &[u8]) -> Option<()> {
        match option {
            numbers::PLAIN_USERNAME => self.username = bytes.to_vec(),
            numbers::PLAIN_PASSWORD => self.password = bytes.to_vec().into(),
            numbers::ZAP_DOMAIN => {
                self.domain = bytes.to_vec();
                return Some(());
            }
            _ => return None,
        }
        self.as_server = false;
        self.mechanism = Mechanism::Plain;
        Some(())
    }

    /// Changes a key.
    pub(super) fn store_key(&mut self, option: i32, bytes: &[u8]) -> Result<(), OptionError> {
        // A secret key is overwritten when it is dropped; the others may pass as one.
        let key = read_key(bytes)?;
        match option {
            numbers::CURVE_SECRETKEY => {
                self.derived = key.public_key();
                self.secret_key = key;
            }
            numbers::CURVE_SERVERKEY => {
                self.server_key = PublicKey::new(*key.as_bytes());
                self.as_server = false;
            }
            numbers::CURVE_PUBLICKEY => self.public_key = PublicKey::new(*key.as_bytes()),
            _ => return Err(OptionError::Unknown),
        }
        self.mechanism = Mechanism::Curve;
        Ok(())
    }

    /// Resets an option of this file; `None` for others. With the reference, a PLAIN socket that
    /// loses its name or password is a NULL socket, and both are still there to be read.
    pub(super) fn clear(&mut self, option: i32) -> Option<()> {
        match option {
            numbers::PLAIN_USERNAME | numbers::PLAIN_PASSWORD => {
                self.mechanism = Mechanism::Null;
            }
            _ => return None,
        }
        Some(())
    }

    /// Reads an option of this file; `None` for others.
    pub(super) fn load(&self, option: i32, out: &mut [u8]) -> Option<Result<usize, OptionError>> {
        let serves = |mechanism| Value::Bool(self.mechanism == mechanism && self.as_server);
        let value = match option {
            numbers::MECHANISM => Value::Int(match self.mechanism {
                Mechanism::Null => 0,
                Mechanism::Plain => 1,
                Mechanism::Curve => 2,
            }),
            numbers::PLAIN_SERVER => serves(Mechanism::Plain),
            numbers::CURVE_SERVER => serves(Mechanism::Curve),
            numbers::ZAP_ENFORCE_DOMAIN => Value::Bool(self.enforce_domain),
            numbers::PLAIN_USERNAME => terminated(&self.username),
            numbers::PLAIN_PASSWORD => terminated(&self.password),
            numbers::ZAP_DOMAIN => terminated(&self.domain),
            numbers::CURVE_PUBLICKEY => return Some(write_public(&self.public_key, out)),
            numbers::CURVE_SERVERKEY => return Some(write_public(&self.server_key, out)),
            numbers::CURVE_SECRETKEY => {
                let (key, text) = (self.secret_key.as_bytes(), self.secret_key.to_z85());
                return Some(write_key(key, &text, out));
            }
            _ => return None,
        };
        Some(value.write(out))
    }
}

/// Reads a key: 32 bytes, or 40 characters of Z85 with or without a zero byte behind them.
fn read_key(bytes: &[u8]) -> Result<SecretKey, OptionError> {
    if let Ok(key) = <&[u8; KEY_LEN]>::try_from(bytes) {
        return Ok(SecretKey::from_bytes(key));
    }
    let text = match bytes.len() {
        KEY_TEXT_LEN => bytes,
        _ => match bytes.split_last() {
            Some((0, text)) if text.len() == KEY_TEXT_LEN => text,
            _ => return Err(OptionError::WrongSize),
        },
    };
    std::str::from_utf8(text).ok().and_then(SecretKey::from_z85).ok_or(OptionError::OutOfRange)
}

fn write_public(key: &PublicKey, out: &mut [u8]) -> Result<usize, OptionError> {
    write_key(key.as_bytes(), &key.to_z85(), out)
}

/// Room for 32 bytes asks for the key itself, room for 41 for its text.
fn write_key(key: &[u8; KEY_LEN], text: &str, out: &mut [u8]) -> Result<usize, OptionError> {
    const TEXT_ROOM: usize = KEY_TEXT_LEN + 1;
    match out.len() {
        KEY_LEN => write_bytes(key, out),
        TEXT_ROOM => {
            write_bytes(text.as_bytes(), out)?;
            write_bytes(&[0], out.get_mut(KEY_TEXT_LEN..).unwrap_or_default())?;
            Ok(TEXT_ROOM)
        }
        _ => Err(OptionError::WrongSize),
    }
}

/// Bytes with a zero byte behind them, whatever is among them.
fn terminated(bytes: &[u8]) -> Value {
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len() + 1));
    out.extend_from_slice(bytes);
    out.push(0);
    Value::Bytes(out)
}
