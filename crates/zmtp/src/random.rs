//! Where random octets come from: the operating system, or a source that a test brings along.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// The operating system has no random octets to give. Nothing is sent then: no key, nonce or cookie
/// is ever made of anything less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the operating system has no random octets to give")]
pub struct NoRandomness;

/// A source of random octets for the keys and nonces of one connection.
#[derive(Clone, Default)]
pub struct Random(Option<Arc<Source>>);

type Source = dyn Fn(&mut [u8]) + Send + Sync;

impl Random {
    /// The operating system's: the default, and the only one that protects anything.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// A function that fills what it is given. For tests and fuzzing, where runs must be the same.
    #[must_use]
    pub fn from_fn(source: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(source)))
    }

    /// Fills a buffer.
    ///
    /// # Errors
    ///
    /// [`NoRandomness`] if the operating system fails.
    pub(crate) fn fill(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        match &self.0 {
            None => getrandom::fill(buffer).map_err(|_| NoRandomness),
            Some(source) => {
                source(buffer);
                Ok(())
            }
        }
    }

    /// A new array of random octets.
    pub(crate) fn array<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        let mut octets = [0; N];
        self.fill(&mut octets)?;
        Ok(octets)
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Random(own)" } else { "Random(system)" })
    }
}

impl PartialEq for Random {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Eq for Random {}
