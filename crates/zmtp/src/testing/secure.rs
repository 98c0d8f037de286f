//! Configurations with every mechanism, and randomness that is the same in every run.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::curve::{KeyPair, SecretKey};
use crate::{Config, MechanismConfig, Random, SocketType};

/// A source of octets that are the same in every run, for tests and fuzzing only.
#[must_use]
pub fn predictable(seed: u64) -> Random {
    let state = AtomicU64::new(seed);
    Random::from_fn(move |buffer| {
        for octets in buffer.chunks_mut(8) {
            // SplitMix64.
            let mut word = state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let word = (word ^ (word >> 31)).to_le_bytes();
            octets.copy_from_slice(word.get(..octets.len()).unwrap_or_default());
        }
    })
}

/// Long-term keys that are the same in every run.
#[must_use]
pub fn keys(seed: u8) -> KeyPair {
    KeyPair::from_secret(SecretKey::new([seed; 32]))
}

/// The long-term keys of [`curve`].
pub const CLIENT: u8 = 3;
/// The long-term keys of [`curve`].
pub const SERVER: u8 = 7;

fn with(socket_type: SocketType, mechanism: MechanismConfig, seed: u64) -> Config {
    let mut config = Config::new(socket_type);
    config.mechanism = mechanism;
    config.random = predictable(seed);
    config
}

/// A client and a server of CURVE.
#[must_use]
pub fn curve(client: SocketType, server: SocketType) -> (Config, Config) {
    let known = *keys(SERVER).public();
    (
        with(client, MechanismConfig::CurveClient { keys: keys(CLIENT), server: known }, 1),
        with(server, MechanismConfig::CurveServer { keys: keys(SERVER) }, 2),
    )
}

/// A client and a server of PLAIN; the client is "admin" with the password "secret".
#[must_use]
pub fn plain(client: SocketType, server: SocketType) -> (Config, Config) {
    let (username, password) = (b"admin".to_vec(), b"secret".to_vec().into());
    (
        with(client, MechanismConfig::PlainClient { username, password }, 1),
        with(server, MechanismConfig::PlainServer, 2),
    )
}

/// Two sides of NULL.
#[must_use]
pub fn null(left: SocketType, right: SocketType) -> (Config, Config) {
    (with(left, MechanismConfig::Null, 1), with(right, MechanismConfig::Null, 2))
}
