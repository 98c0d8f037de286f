//! The options of PLAIN, CURVE and ZAP: what they take, what reading them gives, and what setting
//! one does to the others (zmq_setsockopt(3), zmq_plain(7), zmq_curve(7)).
//!
//! What connections make of them is in `security_events` and `security_zap`.

use crate::warden::{Both, Mechanism, identify, keys, serve};
use aught_behaviour::consts::*;
use aught_behaviour::*;

const KEYS: [i32; 3] = [CURVE_PUBLICKEY, CURVE_SECRETKEY, CURVE_SERVERKEY];
const STRINGS: [i32; 3] = [PLAIN_USERNAME, PLAIN_PASSWORD, ZAP_DOMAIN];
const ALL_TYPES: [i32; 12] =
    [PAIR, PUB, SUB, REQ, REP, DEALER, ROUTER, PULL, PUSH, XPUB, XSUB, STREAM];
/// 32 bytes as Z85.
const ZERO_KEY: &[u8] = b"0000000000000000000000000000000000000000\0";

fn decode(text: &[u8]) -> Vec<u8> {
    let text = std::ffi::CString::new(text).expect("text");
    let mut data = [0; 32];
    assert!(!lib().zmq_z85_decode(data.as_mut_ptr(), text.as_ptr()).is_null(), "Z85");
    data.to_vec()
}

/// zmq_setsockopt(3) with a null pointer and no length.
fn set_null(socket: &Sock, option: i32) -> Result<(), Errno> {
    Lib::check(lib().zmq_setsockopt(socket.raw(), option, std::ptr::null(), 0)).map(drop)
}

#[test]
fn every_type_begins_with_null_and_has_every_option() {
    let ctx = Ctx::new();
    for kind in ALL_TYPES {
        let socket = ctx.plain_socket(kind);
        for option in [MECHANISM, PLAIN_SERVER, CURVE_SERVER, ZAP_ENFORCE_DOMAIN] {
            assert_eq!(socket.get(option), Ok(0), "option {option} of type {kind}");
        }
        for option in STRINGS {
            assert_eq!(socket.get_bytes(option), Ok(vec![0]), "option {option} of type {kind}");
            assert_eq!(socket.set_bytes(option, b"x"), Ok(()), "option {option} of type {kind}");
        }
        for option in KEYS {
            assert_eq!(socket.get_sized(option, 32), Ok(vec![0; 32]));
            assert_eq!(socket.get_sized(option, 41).as_deref(), Ok(ZERO_KEY));
            assert_eq!(socket.set_bytes(option, &[7; 32]), Ok(()), "option {option} of {kind}");
        }
        for (option, mechanism) in [(PLAIN_SERVER, PLAIN), (CURVE_SERVER, CURVE)] {
            assert_eq!(socket.set(option, 1), Ok(()));
            assert_eq!(socket.get(MECHANISM), Ok(mechanism));
        }
    }
}

#[test]
fn numbers_are_read_into_four_bytes() {
    let ctx = Ctx::new();
    let socket = ctx.socket(DEALER);
    for option in [MECHANISM, PLAIN_SERVER, CURVE_SERVER, ZAP_ENFORCE_DOMAIN] {
        for room in [0, 1, 3, 5, 8, 255] {
            assert_eq!(socket.get_sized(option, room), Err(EINVAL), "{option} into {room}");
        }
    }
}

#[test]
fn the_server_flags_take_0_and_1() {
    let ctx = Ctx::new();
    for (option, mechanism) in [(PLAIN_SERVER, PLAIN), (CURVE_SERVER, CURVE)] {
        let socket = ctx.socket(DEALER);
        for wrong in [-1, 2, i32::MAX, i32::MIN] {
            assert_eq!(socket.set(option, wrong), Err(EINVAL), "{wrong}");
        }
        for wrong in [&b""[..], b"\x01", b"\x01\0\0", b"\x01\0\0\0\0", b"\x01\0\0\0\0\0\0\0"] {
            assert_eq!(socket.set_bytes(option, wrong), Err(EINVAL));
        }
        assert_eq!(set_null(&socket, option), Err(EINVAL));
        assert_eq!((socket.get(option), socket.get(MECHANISM)), (Ok(0), Ok(NULL)));
        socket.set(option, 1).expect("on");
        assert_eq!((socket.get(option), socket.get(MECHANISM)), (Ok(1), Ok(mechanism)));
        socket.set(option, 0).expect("off");
        assert_eq!((socket.get(option), socket.get(MECHANISM)), (Ok(0), Ok(NULL)));
    }
}

#[test]
fn enforcing_the_domain_takes_any_number() {
    let ctx = Ctx::new();
    let socket = ctx.socket(DEALER);
    for (value, expected) in [(1, 1), (0, 0), (2, 1), (0, 0), (-1, 1), (i32::MIN, 1), (0, 0)] {
        assert_eq!(socket.set(ZAP_ENFORCE_DOMAIN, value), Ok(()));
        assert_eq!(socket.get(ZAP_ENFORCE_DOMAIN), Ok(expected));
        assert_eq!(socket.get(MECHANISM), Ok(NULL));
    }
    for wrong in [&b""[..], b"\x01", b"\x01\0\0", b"\x01\0\0\0\0"] {
        assert_eq!(socket.set_bytes(ZAP_ENFORCE_DOMAIN, wrong), Err(EINVAL));
    }
}

#[test]
fn the_mechanism_is_only_read() {
    let ctx = Ctx::new();
    let socket = ctx.socket(DEALER);
    for value in [NULL, PLAIN, CURVE] {
        assert_eq!(socket.set(MECHANISM, value), Err(EINVAL));
    }
    assert_eq!(socket.get(MECHANISM), Ok(NULL));
}

#[test]
fn strings_have_1_to_255_bytes_of_anything() {
    let ctx = Ctx::new();
    let longest = [b'x'; 255];
    for option in STRINGS {
        let socket = ctx.socket(DEALER);
        for value in [&b"a"[..], b"ab\0", b"a\0b", b"\0", b"\xff\xfe", &longest[..254], &longest] {
            assert_eq!(socket.set_bytes(option, value), Ok(()), "{option}");
            assert_eq!(socket.get_bytes(option), Ok([value, b"\0"].concat()), "{option}");
        }
        for size in [0, 256, 257, 1000] {
            assert_eq!(socket.set_bytes(option, &vec![b'y'; size]), Err(EINVAL), "{size}");
        }
        assert_eq!(socket.get_bytes(option), Ok([&longest[..], b"\0"].concat()));
    }
}

#[test]
fn strings_are_read_into_room_for_them_and_a_zero_byte() {
    let ctx = Ctx::new();
    for option in STRINGS {
        let socket = ctx.socket(DEALER);
        socket.set_bytes(option, b"abc").expect("three bytes");
        for room in [0, 2, 3] {
            assert_eq!(socket.get_sized(option, room), Err(EINVAL), "into {room}");
        }
        for room in [4, 5, 255] {
            assert_eq!(socket.get_sized(option, room).as_deref(), Ok(&b"abc\0"[..]));
        }
    }
}

/// What was set stays to be read, but the socket speaks NULL.
#[test]
fn a_null_name_or_password_ends_plain() {
    let ctx = Ctx::new();
    for option in [PLAIN_USERNAME, PLAIN_PASSWORD] {
        let socket = ctx.socket(DEALER);
        assert_eq!(set_null(&socket, option), Ok(()));
        assert_eq!(socket.get(MECHANISM), Ok(NULL));
        socket.set_bytes(option, b"abc").expect("a value");
        assert_eq!(socket.get(MECHANISM), Ok(PLAIN));
        assert_eq!(set_null(&socket, option), Ok(()));
        assert_eq!(socket.get(MECHANISM), Ok(NULL));
        assert_eq!(socket.get_bytes(option).as_deref(), Ok(&b"abc\0"[..]));
        socket.set(CURVE_SERVER, 1).expect("CURVE_SERVER");
        assert_eq!(set_null(&socket, option), Ok(()));
        assert_eq!((socket.get(MECHANISM), socket.get(CURVE_SERVER)), (Ok(NULL), Ok(0)));
    }
    let socket = ctx.socket(DEALER);
    assert_eq!(set_null(&socket, ZAP_DOMAIN), Err(EINVAL));
}

#[test]
fn a_domain_is_of_every_mechanism() {
    let ctx = Ctx::new();
    let socket = ctx.socket(DEALER);
    for (option, mechanism) in [(PLAIN_SERVER, PLAIN), (CURVE_SERVER, CURVE)] {
        socket.set(option, 1).expect("on");
        socket.set_bytes(ZAP_DOMAIN, b"d").expect("ZAP_DOMAIN");
        assert_eq!((socket.get(MECHANISM), socket.get(option)), (Ok(mechanism), Ok(1)));
    }
}

#[test]
fn keys_are_32_bytes_or_40_characters() {
    let ctx = Ctx::new();
    let text = keys().public;
    let binary = decode(&text);
    let with_zero = [&text[..], b"\0"].concat();
    for option in KEYS {
        for form in [&binary, &text, &with_zero] {
            let socket = ctx.socket(DEALER);
            assert_eq!(socket.set_bytes(option, form), Ok(()));
            assert_eq!(socket.get_sized(option, 32), Ok(binary.clone()));
            assert_eq!(socket.get_sized(option, 41), Ok(with_zero.clone()));
            assert_eq!((socket.get(MECHANISM), socket.get(CURVE_SERVER)), (Ok(CURVE), Ok(0)));
        }
    }
}

#[test]
fn any_32_bytes_are_a_key() {
    let ctx = Ctx::new();
    for option in KEYS {
        for key in [[0; 32], [0xff; 32], [b'0'; 32]] {
            let socket = ctx.socket(DEALER);
            assert_eq!(socket.set_bytes(option, &key), Ok(()));
            assert_eq!(socket.get_sized(option, 32), Ok(key.to_vec()));
            assert_eq!(socket.get(MECHANISM), Ok(CURVE));
        }
        let socket = ctx.socket(DEALER);
        assert_eq!(socket.set_bytes(option, &b"%nSc0".repeat(8)), Ok(()));
        assert_eq!(socket.get_sized(option, 32), Ok(vec![0xff; 32]));
    }
}

#[test]
fn what_is_no_key_is_refused_and_changes_nothing() {
    let ctx = Ctx::new();
    let text = keys().public;
    for option in KEYS {
        let socket = ctx.socket(DEALER);
        let refuses = |wrong: &[u8]| {
            assert_eq!(socket.set_bytes(option, wrong), Err(EINVAL), "{}", wrong.escape_ascii());
        };
        for size in [1, 31, 33, 39] {
            refuses(&text.repeat(2)[..size]);
        }
        refuses(b"");
        refuses(&[&text[..], b"x"].concat());
        refuses(&[&text[..], b"\0\0"].concat());
        refuses(&[&text[..38], b"\0\0"].concat());
        for character in [b'"', b'~', b'#', 0, 0x80] {
            refuses(&[character; 40]);
        }
        refuses(&b"%nSc1".repeat(8));
        assert_eq!(set_null(&socket, option), Err(EINVAL));
        assert_eq!(
            (socket.get_sized(option, 32), socket.get(MECHANISM)),
            (Ok(vec![0; 32]), Ok(NULL))
        );
        socket.set_bytes(option, &text).expect("a key");
        refuses(b"bad");
        refuses(&[b'"'; 40]);
        assert_eq!(socket.get_sized(option, 32), Ok(decode(&text)));
        assert_eq!(socket.get(MECHANISM), Ok(CURVE));
    }
}

#[test]
fn keys_are_read_into_32_or_41_bytes() {
    let ctx = Ctx::new();
    let socket = ctx.socket(DEALER);
    for option in KEYS {
        socket.set_bytes(option, &keys().public).expect("a key");
        for room in [0, 1, 31, 33, 39, 40, 42, 64, 255] {
            assert_eq!(socket.get_sized(option, room), Err(EINVAL), "into {room}");
        }
    }
}

/// What follows from setting options one after the other: the mechanism, and the server flags.
#[track_caller]
fn after(steps: &[(i32, &[u8])], mechanism: i32, plain_server: i32, curve_server: i32) {
    let ctx = Ctx::new();
    let socket = ctx.socket(DEALER);
    for (option, value) in steps {
        match *value {
            b"-" => set_null(&socket, *option).expect("a null value"),
            value => socket.set_bytes(*option, value).expect("a value"),
        }
    }
    let state = [MECHANISM, PLAIN_SERVER, CURVE_SERVER].map(|option| socket.get(option));
    assert_eq!(state, [Ok(mechanism), Ok(plain_server), Ok(curve_server)], "{steps:?}");
}

/// The option that was set last decides.
#[test]
fn the_last_option_decides_the_mechanism() {
    let on: &[u8] = &1_i32.to_ne_bytes();
    let off: &[u8] = &0_i32.to_ne_bytes();
    let key: &[u8] = &[7; 32];
    after(&[(PLAIN_USERNAME, b"u"), (PLAIN_SERVER, off)], NULL, 0, 0);
    after(&[(PLAIN_USERNAME, b"u"), (PLAIN_SERVER, on)], PLAIN, 1, 0);
    after(&[(PLAIN_SERVER, on), (PLAIN_USERNAME, b"u")], PLAIN, 0, 0);
    after(&[(PLAIN_SERVER, on), (PLAIN_PASSWORD, b"p")], PLAIN, 0, 0);
    after(&[(PLAIN_SERVER, on), (PLAIN_USERNAME, b"-")], NULL, 0, 0);
    after(&[(CURVE_SERVER, on), (CURVE_SECRETKEY, key)], CURVE, 0, 1);
    after(&[(CURVE_SECRETKEY, key), (CURVE_SERVER, on)], CURVE, 0, 1);
    after(&[(CURVE_SERVER, on), (CURVE_PUBLICKEY, key)], CURVE, 0, 1);
    after(&[(CURVE_SERVERKEY, key), (CURVE_SERVER, on)], CURVE, 0, 1);
    after(&[(CURVE_SERVER, on), (CURVE_SERVERKEY, key)], CURVE, 0, 0);
    after(&[(CURVE_SERVERKEY, key), (CURVE_SERVER, off)], NULL, 0, 0);
    after(&[(CURVE_SECRETKEY, key), (CURVE_SERVER, off)], NULL, 0, 0);
    after(&[(CURVE_PUBLICKEY, key), (PLAIN_USERNAME, b"u")], PLAIN, 0, 0);
    after(&[(PLAIN_USERNAME, b"u"), (CURVE_PUBLICKEY, key)], CURVE, 0, 0);
    after(&[(CURVE_SERVER, on), (PLAIN_SERVER, on)], PLAIN, 1, 0);
    after(&[(PLAIN_SERVER, on), (CURVE_SERVER, on)], CURVE, 0, 1);
    after(&[(PLAIN_SERVER, on), (CURVE_SERVER, on), (CURVE_SERVER, off)], NULL, 0, 0);
    after(&[(PLAIN_SERVER, on), (CURVE_SERVER, on), (PLAIN_SERVER, off)], NULL, 0, 0);
    after(&[(PLAIN_SERVER, on), (CURVE_SECRETKEY, key)], CURVE, 0, 1);
    after(&[(CURVE_SERVER, on), (PLAIN_USERNAME, b"-"), (CURVE_SECRETKEY, key)], CURVE, 0, 1);
}

/// pyzmq and CZMQ set the flag before the keys, others after them.
#[test]
fn keys_can_be_set_in_any_order() {
    let keys = Both::new();
    let ctx = Ctx::new();
    let flag = |socket: &Sock| socket.set(CURVE_SERVER, 1).expect("CURVE_SERVER");
    let public = |socket: &Sock| {
        socket.set_bytes(CURVE_PUBLICKEY, &keys.server.public).expect("CURVE_PUBLICKEY");
    };
    let secret = |socket: &Sock| {
        socket.set_bytes(CURVE_SECRETKEY, &keys.server.secret).expect("CURVE_SECRETKEY");
    };
    type Step<'a> = &'a dyn Fn(&Sock);
    let orders: [[Step<'_>; 3]; 6] = [
        [&flag, &public, &secret],
        [&flag, &secret, &public],
        [&public, &flag, &secret],
        [&public, &secret, &flag],
        [&secret, &flag, &public],
        [&secret, &public, &flag],
    ];
    for order in orders {
        let server = ctx.socket(PULL);
        order.iter().for_each(|step| step(&server));
        let client = ctx.socket(PUSH);
        identify(&client, Mechanism::Curve, &keys);
        client.connect(&server.bind_to(Transport::Tcp)).expect("connect");
        client.send("x").expect("send");
        server.expect("x");
    }
}

/// What is bound or connected already stays as it is.
#[test]
fn the_mechanism_counts_from_the_next_endpoint_on() {
    let keys = Both::new();
    let ctx = Ctx::new();
    let server = ctx.socket(PULL);
    let open = server.bind_to(Transport::Tcp);
    serve(&server, Mechanism::Curve, &keys);
    let closed = server.bind_to(Transport::Tcp);
    let (stranger, friend) = (ctx.socket(PUSH), ctx.socket(PUSH));
    identify(&friend, Mechanism::Curve, &keys);
    for (client, endpoint, word) in [(&stranger, &open, "open"), (&friend, &closed, "closed")] {
        client.connect(endpoint).expect("connect");
        client.send(word).expect("send");
        server.expect(word);
    }
}
