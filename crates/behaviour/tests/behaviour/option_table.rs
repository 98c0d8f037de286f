//! Every stable socket option on every one of the twelve socket types: what reading it writes,
//! byte for byte, into rooms of many sizes (zmq_getsockopt(3)).
//!
//! What setting them takes and does is in `options` and `transport_options`. The options of
//! CURVE and GSSAPI are not here.

use aught_behaviour::consts::*;
use aught_behaviour::*;

/// How an option reads on a new socket.
#[derive(Clone, Copy)]
enum Reads {
    /// An `int`, into four bytes and no other room.
    Int(i32),
    /// An `int`, into any room of at least four bytes.
    Live(i32),
    /// 64 bits, into eight bytes and no other room.
    Wide(i64),
    /// Bytes, into any room that is large enough.
    Bytes(&'static [u8]),
    /// It cannot be read.
    Never,
}
use Reads::{Bytes, Int, Live, Never, Wide};

const EMPTY: Reads = Bytes(b"\0");

const TABLE: &[(i32, Reads)] = &[
    (AFFINITY, Wide(0)),
    (ROUTING_ID, Bytes(b"")),
    (SUBSCRIBE, Never),
    (UNSUBSCRIBE, Never),
    (RATE, Int(100)),
    (RECOVERY_IVL, Int(10_000)),
    (SNDBUF, Int(-1)),
    (RCVBUF, Int(-1)),
    (RCVMORE, Live(0)),
    (RECONNECT_IVL, Int(100)),
    (BACKLOG, Int(100)),
    (RECONNECT_IVL_MAX, Int(0)),
    (MAXMSGSIZE, Wide(-1)),
    (SNDHWM, Int(1000)),
    (RCVHWM, Int(1000)),
    (MULTICAST_HOPS, Int(1)),
    (RCVTIMEO, Int(-1)),
    (SNDTIMEO, Int(-1)),
    (IPV4ONLY, Int(1)),
    (LAST_ENDPOINT, EMPTY),
    (ROUTER_MANDATORY, Never),
    (TCP_KEEPALIVE, Int(-1)),
    (TCP_KEEPALIVE_CNT, Int(-1)),
    (TCP_KEEPALIVE_IDLE, Int(-1)),
    (TCP_KEEPALIVE_INTVL, Int(-1)),
    (TCP_ACCEPT_FILTER, Never),
    (IMMEDIATE, Int(0)),
    (XPUB_VERBOSE, Never),
    (ROUTER_RAW, Never),
    (IPV6, Int(0)),
    (MECHANISM, Int(NULL)),
    (PLAIN_SERVER, Int(0)),
    (PLAIN_USERNAME, EMPTY),
    (PLAIN_PASSWORD, EMPTY),
    (PROBE_ROUTER, Never),
    (REQ_CORRELATE, Never),
    (REQ_RELAXED, Never),
    (CONFLATE, Int(0)),
    (ZAP_DOMAIN, EMPTY),
    (ROUTER_HANDOVER, Never),
    (TOS, Int(0)),
    (IPC_FILTER_PID, Never),
    (IPC_FILTER_UID, Never),
    (IPC_FILTER_GID, Never),
    (CONNECT_ROUTING_ID, Never),
    (HANDSHAKE_IVL, Int(30_000)),
    (SOCKS_PROXY, EMPTY),
    (XPUB_NODROP, Never),
    (XPUB_MANUAL, Never),
    (XPUB_WELCOME_MSG, Never),
    (STREAM_NOTIFY, Never),
    (INVERT_MATCHING, Int(0)),
    (HEARTBEAT_IVL, Int(0)),
    (HEARTBEAT_TTL, Int(0)),
    (HEARTBEAT_TIMEOUT, Int(-1)),
    (XPUB_VERBOSER, Never),
    (CONNECT_TIMEOUT, Int(0)),
    (TCP_MAXRT, Int(0)),
    (THREAD_SAFE, Live(0)),
    (MULTICAST_MAXTPDU, Int(1500)),
    (VMCI_BUFFER_SIZE, Never),
    (VMCI_BUFFER_MIN_SIZE, Never),
    (VMCI_BUFFER_MAX_SIZE, Never),
    (VMCI_CONNECT_TIMEOUT, Never),
    (USE_FD, Int(-1)),
    (BINDTODEVICE, EMPTY),
];

const ROOMS: &[usize] = &[0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 32, 33, 40, 41, 42, 255, 256, 1024];

/// Reads an option into a buffer that is larger than the room. What is behind the value is zeros
/// up to the end of the room, and untouched behind it, or everywhere when the call fails.
fn read(socket: &Sock, option: i32, room: usize) -> Result<Vec<u8>, Errno> {
    let mut buffer = vec![UNTOUCHED; room + 64];
    let result = socket.get_into(option, &mut buffer, room);
    let (zeros, untouched) = match result {
        Ok(len) => (buffer[len..room].to_vec(), &buffer[room..]),
        Err(_) => (Vec::new(), &buffer[..]),
    };
    assert!(zeros.iter().all(|byte| *byte == 0), "option {option} into {room}: {buffer:x?}");
    let whole = untouched.iter().all(|byte| *byte == UNTOUCHED);
    assert!(whole, "option {option} into {room}: {buffer:x?}");
    result.map(|len| buffer[..len].to_vec())
}

impl Reads {
    fn into(self, room: usize) -> Result<Vec<u8>, Errno> {
        let (bytes, fits) = match self {
            Int(value) => (value.to_ne_bytes().to_vec(), room == 4),
            Live(value) => (value.to_ne_bytes().to_vec(), room >= 4),
            Wide(value) => (value.to_ne_bytes().to_vec(), room == 8),
            Bytes(bytes) => (bytes.to_vec(), room >= bytes.len()),
            Never => return Err(EINVAL),
        };
        if fits { Ok(bytes) } else { Err(EINVAL) }
    }
}

fn check(kind: i32) {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(kind);
    let no_linger = [SUB, XSUB].contains(&kind);
    let always_takes = [PUB, XPUB, ROUTER, XSUB, STREAM].contains(&kind);
    let own = [
        (TYPE, Int(kind)),
        (LINGER, Int(if no_linger { 0 } else { -1 })),
        (EVENTS, Live(if always_takes { POLLOUT } else { 0 })),
    ];
    for (option, reads) in TABLE.iter().copied().chain(own) {
        for &room in ROOMS {
            assert_eq!(
                read(&socket, option, room),
                reads.into(room),
                "option {option} of type {kind} into {room} bytes"
            );
        }
    }
    for &room in ROOMS {
        let fd = read(&socket, FD, room).map(|bytes| bytes.len());
        assert_eq!(fd, if room >= 4 { Ok(4) } else { Err(EINVAL) }, "FD into {room} bytes");
    }
}

/// Values that were set, and the endpoint of a bind, are filled up as well.
#[test]
fn what_was_set_is_filled_up_with_zeros() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(DEALER);
    socket.bind("inproc://0123456789").expect("bind");
    let table: [(i32, &[u8], &[u8]); 6] = [
        (ROUTING_ID, b"id", b"id"),
        (PLAIN_USERNAME, b"user", b"user\0"),
        (PLAIN_PASSWORD, b"secret", b"secret\0"),
        (ZAP_DOMAIN, b"domain", b"domain\0"),
        (SOCKS_PROXY, b"127.0.0.1:1080", b"127.0.0.1:1080\0"),
        (BINDTODEVICE, b"lo", b"lo\0"),
    ];
    for (option, value, _) in table {
        socket.set_bytes(option, value).expect("set");
    }
    let endpoint: (i32, &[u8], &[u8]) = (LAST_ENDPOINT, b"", b"inproc://0123456789\0");
    for (option, _, expected) in table.into_iter().chain([endpoint]) {
        for &room in ROOMS {
            let expected = if room < expected.len() { Err(EINVAL) } else { Ok(expected.to_vec()) };
            assert_eq!(read(&socket, option, room), expected, "option {option} into {room}");
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
    pair_reads_as_the_table_says: PAIR;
    pub_reads_as_the_table_says: PUB;
    sub_reads_as_the_table_says: SUB;
    req_reads_as_the_table_says: REQ;
    rep_reads_as_the_table_says: REP;
    dealer_reads_as_the_table_says: DEALER;
    router_reads_as_the_table_says: ROUTER;
    pull_reads_as_the_table_says: PULL;
    push_reads_as_the_table_says: PUSH;
    xpub_reads_as_the_table_says: XPUB;
    xsub_reads_as_the_table_says: XSUB;
    stream_reads_as_the_table_says: STREAM;
}
