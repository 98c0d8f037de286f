//! Keys for CURVE: zmq_curve_keypair(3), zmq_curve_public(3). What is done with them is the
//! engine's business.

use std::ffi::c_int;

use aught::curve::{KEY_TEXT_LEN, KeyPair, SecretKey};
use zeroize::Zeroizing;

use crate::abi::export;
use crate::errno::Errno;
use crate::raw::{BufferMut, Text};

export! {
    /// Makes a pair of keys, each of 40 characters and a zero byte.
    fn zmq_curve_keypair(public: BufferMut, secret: BufferMut) -> c_int, else -1; {
        let keys = KeyPair::generate().map_err(|_| Errno(libc::EIO))?;
        write(&public, &keys.public().to_z85())?;
        write(&secret, &keys.secret().to_z85())?;
        Ok(0)
    }

    /// Derives a public key from a secret one, both of 40 characters and a zero byte.
    fn zmq_curve_public(public: BufferMut, secret: Text) -> c_int, else -1; {
        let secret = secret
            .bytes()
            .filter(|text| text.len() == KEY_TEXT_LEN)
            .and_then(|text| SecretKey::from_z85(std::str::from_utf8(text).ok()?))
            .ok_or(Errno::INVALID)?;
        write(&public, &secret.public_key().to_z85())?;
        Ok(0)
    }
}

fn write(to: &BufferMut, text: &str) -> Result<(), Errno> {
    // It may be a secret.
    let mut bytes = Zeroizing::new([0; KEY_TEXT_LEN + 1]);
    for (to, from) in bytes.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    to.write(&*bytes)
}
