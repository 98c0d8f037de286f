//! The long-term keys of CURVE: made, read, written, compared and forgotten. What is done with them
//! on a connection is in `mechanism::curve`.

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::random::{NoRandomness, Random};
use crate::z85;

/// Octets of a key, public or secret.
pub const KEY_LEN: usize = 32;

/// Characters of a key in Z85 (RFC 32).
pub const KEY_TEXT_LEN: usize = 40;

/// A public key: who somebody is. It may be shown to everybody.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; KEY_LEN]);

impl PublicKey {
    /// The key with these octets.
    #[must_use]
    pub fn new(octets: [u8; KEY_LEN]) -> Self {
        Self(octets)
    }

    /// Reads a key of 40 characters of Z85; `None` if it is not one.
    #[must_use]
    pub fn from_z85(text: &str) -> Option<Self> {
        z85::decode(text.as_bytes())?.try_into().ok().map(Self)
    }

    /// The key's octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// The key as 40 characters of Z85.
    #[must_use]
    pub fn to_z85(&self) -> String {
        z85::encode(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.to_z85())
    }
}

/// A secret key. It is never printed, is compared in constant time, and its memory is overwritten
/// when it is dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey([u8; KEY_LEN]);

impl SecretKey {
    /// The key with these octets.
    #[must_use]
    pub fn new(octets: [u8; KEY_LEN]) -> Self {
        Self(octets)
    }

    /// Reads a key of 40 characters of Z85; `None` if it is not one.
    #[must_use]
    pub fn from_z85(text: &str) -> Option<Self> {
        let octets = Zeroizing::new(z85::decode(text.as_bytes())?);
        Some(Self::from_bytes(octets.as_slice().try_into().ok()?))
    }

    /// The key with these octets, of which no other copy is made.
    #[must_use]
    pub fn from_bytes(octets: &[u8; KEY_LEN]) -> Self {
        let mut key = Self([0; KEY_LEN]);
        key.0.copy_from_slice(octets);
        key
    }

    /// The key's octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// The key as 40 characters of Z85, which are overwritten when they are dropped.
    #[must_use]
    pub fn to_z85(&self) -> Zeroizing<String> {
        Zeroizing::new(z85::encode(&self.0).unwrap_or_default())
    }

    /// Whether it is the key of 32 zero octets, which everybody knows: what stands where no key was
    /// set. A server that has it lets nobody in.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.ct_eq(&[0; KEY_LEN]).into()
    }

    /// The public key that belongs to this one.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(x25519_dalek::x25519(self.0, x25519_dalek::X25519_BASEPOINT_BYTES))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretKey {}

/// A secret key and its public key. All copies share one place in memory for the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    public: PublicKey,
    secret: Arc<SecretKey>,
}

impl KeyPair {
    /// A new pair of the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`NoRandomness`] if there is none.
    pub fn generate() -> Result<Self, NoRandomness> {
        Self::generate_from(&Random::system())
    }

    pub(crate) fn generate_from(random: &Random) -> Result<Self, NoRandomness> {
        // Made where it stays: what is moved is left behind where it was.
        let mut secret = Arc::new(SecretKey([0; KEY_LEN]));
        let place = Arc::get_mut(&mut secret).ok_or(NoRandomness)?;
        random.fill(&mut place.0)?;
        Ok(Self { public: secret.public_key(), secret })
    }

    /// The pair of a secret key.
    #[must_use]
    pub fn from_secret(secret: SecretKey) -> Self {
        Self { public: secret.public_key(), secret: Arc::new(secret) }
    }

    /// A pair whose halves come from different places. Nobody looks whether they belong together: an
    /// honest peer gets nowhere with a pair that does not, but a server lets in whoever vouches for
    /// the public half and knows the public key that does belong to the secret one.
    #[must_use]
    pub fn from_parts(public: PublicKey, secret: SecretKey) -> Self {
        Self { public, secret: Arc::new(secret) }
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The secret half.
    #[must_use]
    pub fn secret(&self) -> &SecretKey {
        &self.secret
    }
}
