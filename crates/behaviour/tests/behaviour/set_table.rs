//! Every stable socket option on every one of the twelve socket types: which values it takes, of
//! which sizes, and how they read afterwards (zmq_setsockopt(3)). What a value does is in the
//! other files.
//!
//! The options of GSSAPI and VMCI are not here, nor is `ZMQ_ROUTER_RAW` on a REP, which serves
//! nobody on any library.

use aught_behaviour::consts::*;
use aught_behaviour::*;

/// Which values an option takes.
#[derive(Clone, Copy)]
enum Takes {
    /// An `int` of a range.
    Int(i32, i32),
    /// An `int` that is not negative. It cannot be read.
    Flag,
    /// 0 or 1. It cannot be read.
    Switch,
    /// Any `int`, of which all but 0 are 1.
    Truth,
    /// Milliseconds of a range, cut to tenths of a second.
    Tenths(i32, i32),
    /// Any `int`, or a null pointer. It cannot be read.
    Id,
    /// 64 bits.
    Wide,
    /// So many bytes, to which reading adds a zero; a null pointer resets it.
    Text(usize),
    /// The same, but a null pointer changes nothing that could be read.
    Name(usize),
    /// The same, and a null pointer is refused.
    Domain(usize),
    /// From so many to so many bytes.
    Bytes(usize, usize),
    /// The same, and it cannot be read.
    Unread(usize, usize),
    /// 32 bytes, or 40 with a zero behind them or not.
    Key,
    /// A null pointer, and none of the values here.
    Filter,
    /// It can only be read.
    Nothing,
}
use Takes::{
    Bytes, Domain, Filter, Flag, Id, Int, Key, Name, Nothing, Switch, Tenths, Text, Truth, Unread,
    Wide,
};

const ALL: &[i32] = &[PAIR, PUB, SUB, REQ, REP, DEALER, ROUTER, PULL, PUSH, XPUB, XSUB, STREAM];
const PUBLISHERS: &[i32] = &[PUB, XPUB];
const ROUTERS: &[i32] = &[REP, ROUTER];

const MAX: i32 = i32::MAX;
const ANY: usize = usize::MAX;

const TABLE: &[(i32, Takes, &[i32])] = &[
    (AFFINITY, Wide, ALL),
    (ROUTING_ID, Bytes(1, 255), ALL),
    (SUBSCRIBE, Unread(0, ANY), &[SUB]),
    (UNSUBSCRIBE, Unread(0, ANY), &[SUB]),
    (RATE, Int(1, MAX), ALL),
    (RECOVERY_IVL, Int(0, MAX), ALL),
    (SNDBUF, Int(-1, MAX), ALL),
    (RCVBUF, Int(-1, MAX), ALL),
    (RCVMORE, Nothing, ALL),
    (FD, Nothing, ALL),
    (EVENTS, Nothing, ALL),
    (TYPE, Nothing, ALL),
    (LINGER, Int(-1, MAX), ALL),
    (RECONNECT_IVL, Int(-1, MAX), ALL),
    (BACKLOG, Int(0, MAX), ALL),
    (RECONNECT_IVL_MAX, Int(0, MAX), ALL),
    (MAXMSGSIZE, Wide, ALL),
    (SNDHWM, Int(0, MAX), ALL),
    (RCVHWM, Int(0, MAX), ALL),
    (MULTICAST_HOPS, Int(1, MAX), ALL),
    (RCVTIMEO, Int(-1, MAX), ALL),
    (SNDTIMEO, Int(-1, MAX), ALL),
    (IPV4ONLY, Int(0, 1), ALL),
    (LAST_ENDPOINT, Nothing, ALL),
    (ROUTER_MANDATORY, Flag, ROUTERS),
    (TCP_KEEPALIVE, Int(-1, 1), ALL),
    (TCP_KEEPALIVE_CNT, Int(-1, MAX), ALL),
    (TCP_KEEPALIVE_IDLE, Int(-1, MAX), ALL),
    (TCP_KEEPALIVE_INTVL, Int(-1, MAX), ALL),
    (TCP_ACCEPT_FILTER, Filter, ALL),
    (IMMEDIATE, Int(0, 1), ALL),
    (XPUB_VERBOSE, Flag, PUBLISHERS),
    (ROUTER_RAW, Flag, &[ROUTER]),
    (IPV6, Int(0, 1), ALL),
    (MECHANISM, Nothing, ALL),
    (PLAIN_SERVER, Int(0, 1), ALL),
    (PLAIN_USERNAME, Name(255), ALL),
    (PLAIN_PASSWORD, Name(255), ALL),
    (CURVE_SERVER, Int(0, 1), ALL),
    (CURVE_PUBLICKEY, Key, ALL),
    (CURVE_SECRETKEY, Key, ALL),
    (CURVE_SERVERKEY, Key, ALL),
    (PROBE_ROUTER, Flag, &[REQ, REP, DEALER, ROUTER]),
    (REQ_CORRELATE, Flag, &[REQ]),
    (REQ_RELAXED, Flag, &[REQ]),
    (CONFLATE, Int(0, 1), ALL),
    (ZAP_DOMAIN, Domain(255), ALL),
    (ROUTER_HANDOVER, Flag, ROUTERS),
    (TOS, Int(0, MAX), ALL),
    (IPC_FILTER_PID, Id, ALL),
    (IPC_FILTER_UID, Id, ALL),
    (IPC_FILTER_GID, Id, ALL),
    (CONNECT_ROUTING_ID, Unread(1, ANY), &[REP, ROUTER, STREAM]),
    (HANDSHAKE_IVL, Int(0, MAX), ALL),
    (SOCKS_PROXY, Text(ANY), ALL),
    (XPUB_NODROP, Flag, PUBLISHERS),
    (XPUB_MANUAL, Flag, PUBLISHERS),
    (XPUB_WELCOME_MSG, Unread(0, ANY), PUBLISHERS),
    (STREAM_NOTIFY, Switch, &[STREAM]),
    (INVERT_MATCHING, Truth, ALL),
    (HEARTBEAT_IVL, Int(0, MAX), ALL),
    (HEARTBEAT_TTL, Tenths(-99, 6_553_599), ALL),
    (HEARTBEAT_TIMEOUT, Int(0, MAX), ALL),
    (XPUB_VERBOSER, Flag, PUBLISHERS),
    (CONNECT_TIMEOUT, Int(0, MAX), ALL),
    (TCP_MAXRT, Int(0, MAX), ALL),
    (THREAD_SAFE, Nothing, ALL),
    (MULTICAST_MAXTPDU, Int(1, MAX), ALL),
    (USE_FD, Int(-1, MAX), ALL),
    (BINDTODEVICE, Text(16), ALL),
];

/// The values that are tried: `None` is a null pointer.
fn values() -> Vec<Option<Vec<u8>>> {
    let ints = [
        i32::MIN,
        -1000,
        -101,
        -100,
        -99,
        -2,
        -1,
        0,
        1,
        2,
        3,
        99,
        100,
        255,
        256,
        1000,
        65_535,
        65_536,
        6_553_599,
        6_553_600,
        MAX,
    ];
    let wide = [i64::MIN, -100, -2, -1, 0, 1, 100, i64::MAX];
    let odd: [&[u8]; 6] = [b"", b"a", b"a\0b", b"ab\0", b"\xff\xfe", b"\0"];
    let lengths = [3, 5, 7, 9, 12, 16, 17, 31, 32, 33, 39, 40, 255, 256, 300];
    let ints = ints.iter().map(|value| value.to_ne_bytes().to_vec());
    let wide = wide.iter().map(|value| value.to_ne_bytes().to_vec());
    let odd = odd.iter().map(|value| value.to_vec());
    let long = lengths.iter().map(|length| vec![b'k'; *length]);
    let key = [b'k'; 40].into_iter().chain([0]).collect();
    ints.chain(wide).chain(odd).chain(long).chain([key]).map(Some).chain([None]).collect()
}

/// What an option that was set to a value reads like.
enum Then {
    Refused,
    /// Not at all, or as before.
    Taken,
    Reads(Vec<u8>),
}

impl Takes {
    fn then(self, value: Option<&[u8]>) -> Then {
        let int = value.and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
        let len = value.map_or(0, <[u8]>::len);
        let is_null = value.is_none();
        let reads = |value: i32| Then::Reads(value.to_ne_bytes().to_vec());
        let bytes = || value.unwrap_or_default().to_vec();
        let text = || Then::Reads([value.unwrap_or_default(), b"\0"].concat());
        match (self, int) {
            (Int(min, max), Some(value)) if (min..=max).contains(&value) => reads(value),
            (Flag, Some(0..)) | (Switch, Some(0 | 1)) | (Id, Some(_)) => Then::Taken,
            (Truth, Some(value)) => reads(i32::from(value != 0)),
            (Tenths(min, max), Some(value)) if (min..=max).contains(&value) => {
                reads(value / 100 * 100)
            }
            (Id | Filter | Name(_), _) if is_null => Then::Taken,
            (Wide, _) if len == 8 => Then::Reads(bytes()),
            (Text(_), _) if is_null => text(),
            (Text(max) | Name(max) | Domain(max), _) if (1..=max).contains(&len) => text(),
            (Bytes(min, max), _) if (min..=max).contains(&len) => Then::Reads(bytes()),
            (Unread(min, max), _) if (min..=max).contains(&len) => Then::Taken,
            (Key, _) if len == 32 => Then::Reads(bytes()),
            (Key, _) if len == 40 => text(),
            (Key, _) if len == 41 => Then::Reads(bytes()),
            _ => Then::Refused,
        }
    }

    /// The room that the value is read into.
    fn room(self, value: Option<&[u8]>) -> usize {
        match self {
            Wide => 8,
            Text(_) | Name(_) | Domain(_) | Bytes(..) => 1024,
            Key if value.is_some_and(|value| value.len() > 32) => 41,
            Key => 32,
            _ => 4,
        }
    }
}

fn set(socket: &Sock, option: i32, value: Option<&[u8]>) -> Result<(), Errno> {
    match value {
        Some(value) => socket.set_bytes(option, value),
        None => {
            let rc = lib().zmq_setsockopt(socket.raw(), option, std::ptr::null(), 0);
            Lib::check(rc).map(drop)
        }
    }
}

fn check(kind: i32) {
    let ctx = Ctx::new();
    for &(option, takes, types) in TABLE {
        if (kind, option) == (REP, ROUTER_RAW) {
            continue;
        }
        let socket = ctx.plain_socket(kind);
        for value in values() {
            let value = value.as_deref();
            let what = format!("option {option} of type {kind}, {value:?}");
            let room = takes.room(value);
            let before = socket.get_sized(option, room);
            let then = if types.contains(&kind) { takes.then(value) } else { Then::Refused };
            let (result, after) = match then {
                Then::Refused => (Err(EINVAL), before),
                Then::Taken => (Ok(()), before),
                Then::Reads(bytes) => (Ok(()), Ok(bytes)),
            };
            assert_eq!(set(&socket, option, value), result, "{what}");
            assert_eq!(socket.get_sized(option, room), after, "{what}");
        }
    }
}

macro_rules! types {
    ($($name:ident: $kind:ident;)*) => {$(
        #[test]
        fn $name() {
            check($kind);
        }
    )*};
}

types! {
    pair_takes_what_the_table_says: PAIR;
    pub_takes_what_the_table_says: PUB;
    sub_takes_what_the_table_says: SUB;
    req_takes_what_the_table_says: REQ;
    rep_takes_what_the_table_says: REP;
    dealer_takes_what_the_table_says: DEALER;
    router_takes_what_the_table_says: ROUTER;
    pull_takes_what_the_table_says: PULL;
    push_takes_what_the_table_says: PUSH;
    xpub_takes_what_the_table_says: XPUB;
    xsub_takes_what_the_table_says: XSUB;
    stream_takes_what_the_table_says: STREAM;
}

/// ZMQ_TCP_ACCEPT_FILTER: an address in any form of inet_aton(3), with or without the number of
/// bits that count, up to a zero byte.
#[test]
fn accept_filters_are_addresses() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(DEALER);
    let good = [
        "1",
        "1\0abc",
        "1/8",
        "127",
        "127.1",
        "127.0.0.1",
        "127.0.0.1\0zz",
        "127.0.0.1/8",
        "127.0.0.1/+8",
        "127.0.0.1/08",
        "127.0.0.1/0",
        "0x7f000001",
        "017.1",
        "1.2.3",
        "4294967295",
        "0",
        "[127.0.0.1]",
        "1.2/8",
    ];
    let bad = [
        "127.0.0.1/33",
        "127.0.0.1/x",
        "127.0.0.1/",
        "127.0.0.1/-1",
        "/8",
        "\0",
        "",
        "1.2.3.4.5",
        "256.1.1.1",
        "localhost",
        "::1",
        "[::1]",
        "::1/64",
        " 127.0.0.1",
        "127.0.0.1 ",
        "4294967296",
        "-1",
        "lo",
        "*",
        "a.b",
        "127.0.0.1:5",
    ];
    for text in good {
        assert_eq!(socket.set_bytes(TCP_ACCEPT_FILTER, text.as_bytes()), Ok(()), "{text:?}");
    }
    for text in bad {
        let result = socket.set_bytes(TCP_ACCEPT_FILTER, text.as_bytes());
        assert_eq!(result, Err(EINVAL), "{text:?}");
    }
    socket.set(IPV6, 1).expect("IPV6");
    for text in ["::1", "[::1]", "::1/128", "127.1"] {
        assert_eq!(socket.set_bytes(TCP_ACCEPT_FILTER, text.as_bytes()), Ok(()), "{text:?}");
    }
    for text in ["::1/129", "1:2"] {
        let result = socket.set_bytes(TCP_ACCEPT_FILTER, text.as_bytes());
        assert_eq!(result, Err(EINVAL), "{text:?}");
    }
}
