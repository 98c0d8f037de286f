//! Secrets are overwritten before their memory is given back. What is on the stack is not looked at.

use std::time::Instant;

use zmtp::SocketType::{Dealer, Router};
use zmtp::curve::{KeyPair, SecretKey};
use zmtp::testing::secure::{self, CLIENT, SERVER};
use zmtp::testing::{Event, Pair};
use zmtp::zap::Request;
use zmtp::{Config, Connection, Credentials, MechanismConfig, Random};

use crate::allocator::{left_behind, look_for};

const PASSWORD: &[u8; 32] = b"thirty-two octets for a password";

#[test]
fn what_is_looked_for_is_found() {
    look_for(PASSWORD);
    look_for(&[1; 32]);
    drop([&b"some"[..], PASSWORD, b"more"].concat());
    assert_eq!(left_behind(), (2, vec![0]));
    drop(PASSWORD.to_vec());
    assert_eq!(left_behind(), (0, vec![]));
}

/// Long-term keys, those of a connection, and that of the cookie: each octet that is drawn in a row
/// of 32 is a secret.
#[test]
fn keys_of_curve_are_overwritten() {
    let random = || {
        let source = std::sync::atomic::AtomicU8::new(0x41);
        Random::from_fn(move |octets| {
            let next = source.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            for (at, octet) in octets.iter_mut().enumerate() {
                *octet = next ^ (at as u8).wrapping_mul(7);
            }
            if let Ok(secret) = octets.try_into() {
                look_for(&secret);
            }
        })
    };
    look_for(&[CLIENT; 32]);
    look_for(&[SERVER; 32]);
    for authenticate in [false, true] {
        let (mut left, mut right) = secure::curve(Dealer, Router);
        (left.random, right.random) = (random(), random());
        right.authenticate = authenticate;
        let mut pair = Pair::new(left, right);
        pair.settle();
        for len in [10, 10, 100, 20_000] {
            let octets = pair.left.frame(&vec![1; len], false);
            pair.send_left(&octets);
            pair.settle();
        }
        assert_eq!(pair.right.error, None);
        assert_eq!(pair.right.events.last(), Some(&Event::Frame(vec![1; 20_000], false)));
    }
    // Nobody comes, and what was prepared is dropped.
    let (left, right) = secure::curve(Dealer, Router);
    drop((Connection::new(left, Instant::now()), Connection::new(right, Instant::now())));
    // Two long-term keys; and of each connection two transient ones, and the cookie's.
    assert_eq!(left_behind(), (2 + 2 * 3, vec![]));
}

#[test]
fn keys_are_overwritten_whatever_they_were_read_from() {
    let key = SecretKey::from_bytes(PASSWORD);
    let text = key.to_z85();
    look_for(PASSWORD);
    look_for(text[..32].as_bytes().try_into().unwrap());
    let again = SecretKey::from_z85(&text).unwrap();
    let pair = KeyPair::from_secret(again.clone());
    assert_eq!(pair.secret(), &key);
    let boxed = (Box::new(key), Box::new(again), pair.clone());
    drop((boxed, pair, text.clone(), text));
    // The last character is none: what came before it is a key all the same.
    let mut spoilt = SecretKey::from_bytes(PASSWORD).to_z85();
    spoilt.truncate(39);
    spoilt.push('~');
    assert_eq!(SecretKey::from_z85(&spoilt), None);
    drop(spoilt);
    assert_eq!(left_behind(), (2, vec![]));
}

#[test]
fn passwords_of_plain_are_overwritten() {
    look_for(PASSWORD);
    let mut config = Config::new(Dealer);
    config.mechanism = MechanismConfig::PlainClient {
        username: b"admin".to_vec(),
        password: PASSWORD.to_vec().into(),
    };
    drop(Connection::new(config.clone(), Instant::now()));
    drop(config);
    let credentials = Credentials::Plain { username: b"admin", password: PASSWORD };
    let request = Request { domain: b"", address: "", routing_id: b"", credentials };
    assert!(request.frames().iter().any(|frame| frame[..] == PASSWORD[..]));
    assert_eq!(left_behind(), (1, vec![]));
}
