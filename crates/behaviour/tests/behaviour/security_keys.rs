//! Making keys: zmq_curve_keypair(3), zmq_curve_public(3).

use crate::warden::keys;
use aught_behaviour::*;
use std::collections::HashSet;
use std::ffi::{CString, c_char};

fn public_of(secret: &[u8]) -> Result<Vec<u8>, Errno> {
    let secret = CString::new(secret).expect("text");
    let mut public: [c_char; 48] = [0x55; 48];
    Lib::check(lib().zmq_curve_public(public.as_mut_ptr(), secret.as_ptr()))?;
    assert_eq!(public[40..], [0, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55], "41 bytes are written");
    Ok(public[..40].iter().map(|byte| byte.cast_unsigned()).collect())
}

#[test]
fn the_library_has_curve() {
    assert_eq!(lib().zmq_has(c"curve".as_ptr()), 1);
}

#[test]
fn a_pair_is_40_characters_of_z85_each() {
    let mut public: [c_char; 48] = [0x55; 48];
    let mut secret: [c_char; 48] = [0x55; 48];
    assert_eq!(lib().zmq_curve_keypair(public.as_mut_ptr(), secret.as_mut_ptr()), 0);
    for key in [public, secret] {
        assert_eq!(key[40..], [0, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55], "41 bytes");
        let mut data = [0; 32];
        assert!(!lib().zmq_z85_decode(data.as_mut_ptr(), key.as_ptr()).is_null(), "Z85");
        assert_ne!(data, [0; 32]);
    }
}

#[test]
fn the_public_key_follows_from_the_secret_one() {
    for _ in 0..20 {
        let pair = keys();
        assert_eq!(public_of(&pair.secret), Ok(pair.public));
    }
}

/// zmq_curve(7) names two pairs to test with.
#[test]
fn the_test_keys_of_the_manual_are_pairs() {
    for (public, secret) in [
        (b"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", b"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"),
        (b"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", b"JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"),
    ] {
        assert_eq!(public_of(secret).as_deref(), Ok(&public[..]));
    }
}

#[test]
fn what_is_no_secret_key_has_no_public_one() {
    let secret = keys().secret;
    for wrong in [&b""[..], &secret[..39], &[b'x'; 41], &[b'"'; 40], &[b'#'; 40]] {
        assert_eq!(public_of(wrong), Err(EINVAL), "{}", wrong.escape_ascii());
    }
}

#[test]
fn no_two_pairs_are_the_same() {
    let pairs: Vec<_> = (0..100).map(|_| keys()).collect();
    let distinct: HashSet<_> =
        pairs.iter().flat_map(|pair| [pair.public.clone(), pair.secret.clone()]).collect();
    assert_eq!(distinct.len(), 200);
}

/// Many threads make keys while contexts come and go.
#[test]
fn keys_are_made_on_any_thread_while_contexts_come_and_go() {
    let threads: Vec<_> = (0..16)
        .map(|_| {
            std::thread::spawn(|| {
                for _ in 0..5 {
                    let ctx = Ctx::new();
                    let pair = keys();
                    drop(ctx);
                    assert_eq!(public_of(&pair.secret), Ok(pair.public));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("a thread");
    }
}
