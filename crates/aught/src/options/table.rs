//! THE table of all socket options: number, name, type with range and default, which sockets
//! have it, when a change takes effect, and whether this build has what it is about. Reading and
//! writing the bytes of a value is in `value`, what the values are kept in is in the parent.
//!
//! Numbers, ranges and defaults are those of zmq_setsockopt(3) and zmq_getsockopt(3), and where
//! these leave room, those that libzmq 4.3.4 shows.

use zmtp::SocketType;
use zmtp::SocketType::{Dealer, Pub, Radio, Rep, Req, Router, Stream, Sub, Xpub, Xsub};

/// The type of an option's value at the C interface, with its range and default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An `int` from `min` to `max`.
    Int { min: i32, max: i32, default: i32 },
    /// An `int` that is 0 or 1 and nothing else.
    Switch { default: bool },
    /// An `int` of which any value but 0 means yes.
    Truth { default: bool },
    /// An `int` that is not negative, of which any value but 0 means yes.
    Flag { default: bool },
    /// A `uint64_t` of one bit for each I/O thread.
    Mask { default: u64 },
    /// An `int64_t`; a negative one means no limit.
    Limit { default: i64 },
    /// A string of `min` to `max` bytes, zeros among them. None at all resets it.
    Text { min: usize, max: usize },
    /// `min` to `max` bytes of anything.
    Binary { min: usize, max: usize },
    /// A key of CURVE: 32 bytes, or 40 characters of Z85. Read into room for 32 or 41 bytes.
    Key,
    /// A list of `int` that each call adds to, and that a call without a value clears.
    Ids,
    /// A list of strings that each call adds to, and that a call without a value clears.
    Texts,
    /// An `int` or a string that is read off the live socket.
    Live,
}

/// Whether an option can be written, read, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    ReadWrite,
    Write,
    Read,
}

/// When a change takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// At once, also for what the socket is connected to already.
    Now,
    /// With the next `bind` or `connect`; what was made before stays as it is.
    Next,
    /// It does not change.
    Never,
}

/// Whether this build has what the option is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Built {
    Yes,
    /// The value is kept and can be read, but concerns only something that is not built in.
    Stored(&'static str),
    /// The option fails, since what it is about is not built in.
    No(&'static str),
}

/// One option.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "the table also says what only readers and tests want to know")]
pub(crate) struct Row {
    pub(crate) number: i32,
    /// As in `zmq.h`.
    pub(crate) name: &'static str,
    /// Not part of the stable interface.
    pub(crate) draft: bool,
    pub(crate) kind: Kind,
    pub(crate) access: Access,
    /// The types that have it; empty means all.
    pub(crate) types: &'static [SocketType],
    pub(crate) when: When,
    pub(crate) built: Built,
}

impl Row {
    /// Whether sockets of a type have the option.
    pub(crate) fn is_for(&self, kind: SocketType) -> bool {
        self.types.is_empty() || self.types.contains(&kind)
    }
}

const ALL: &[SocketType] = &[];
// The reference's PUB is made of its XPUB and its REP of its ROUTER, and they take the same
// options. Only a REP without a protocol is not here: the reference's serves nobody.
const RAW: &[SocketType] = &[Router];
const ROUTERS: &[SocketType] = &[Rep, Router];
const ADDRESSING: &[SocketType] = &[Rep, Router, Stream];
const PROBING: &[SocketType] = &[Req, Rep, Dealer, Router];
const REQUESTERS: &[SocketType] = &[Req];
const PUBLISHERS: &[SocketType] = &[Pub, Xpub];
const DROPPERS: &[SocketType] = &[Pub, Xpub, Radio];
const SUBSCRIBERS: &[SocketType] = &[Pub, Sub, Xpub];
const SUBSCRIBERS_X: &[SocketType] = &[Xsub];
const FILTERING: &[SocketType] = &[Xpub, Xsub];
const TOPICAL: &[SocketType] = &[Pub, Sub, Xpub, Xsub];
const STREAMS: &[SocketType] = &[Stream];

/// These types have nothing to send that would be worth waiting for: their linger time is zero
/// unless set.
pub(crate) const NO_LINGER: &[SocketType] = &[Sub, Xsub, SocketType::Dish];
/// These types filter by topic.
pub(crate) const INVERTIBLE: &[SocketType] = &[Pub, Xpub, Sub];

const MAX: i32 = i32::MAX;
const NO_MULTICAST: &str = "concerns the multicast transports, which are not built in";
const NO_GSSAPI: &str = "GSSAPI is not built in";
const NO_VMCI: &str = "the VMCI transport is not built in";
const NO_WSS: &str = "the WebSocket transports are not built in";
const NO_NORM: &str = "the NORM transport is not built in";
const NOT_YET: &str = "this draft option is not built in";

const fn int(min: i32, max: i32, default: i32) -> Kind {
    Kind::Int { min, max, default }
}

const fn text(max: usize) -> Kind {
    Kind::Text { min: 1, max }
}

const OFF: Kind = Kind::Switch { default: false };
const FLAG: Kind = Kind::Flag { default: false };

macro_rules! options {
    ($($name:ident = $number:literal, $status:ident, $kind:expr, $access:ident, $types:ident,
       $when:ident, $built:expr;)*) => {
        /// The options' numbers, by their names in `zmq.h` without `ZMQ_`. Those of contexts
        /// are a series of their own.
        #[allow(dead_code, reason = "the header's numbers, whether this build needs them or not")]
        pub(crate) mod numbers {
            $(pub(crate) const $name: i32 = $number;)*
            pub(crate) const IO_THREADS: i32 = 1;
            pub(crate) const MAX_SOCKETS: i32 = 2;
            /// Read only; the same number as `THREAD_PRIORITY`, which is write only.
            pub(crate) const SOCKET_LIMIT: i32 = 3;
            pub(crate) const THREAD_PRIORITY: i32 = 3;
            pub(crate) const THREAD_SCHED_POLICY: i32 = 4;
            pub(crate) const MAX_MSGSZ: i32 = 5;
            pub(crate) const MSG_T_SIZE: i32 = 6;
            pub(crate) const THREAD_AFFINITY_CPU_ADD: i32 = 7;
            pub(crate) const THREAD_AFFINITY_CPU_REMOVE: i32 = 8;
            pub(crate) const THREAD_NAME_PREFIX: i32 = 9;
            pub(crate) const ZERO_COPY_RECV: i32 = 10;
            pub(crate) const BLOCKY: i32 = 70;
        }

        /// All socket options, by number.
        pub(crate) const TABLE: &[Row] = &[$(Row {
            number: $number,
            name: concat!("ZMQ_", stringify!($name)),
            draft: options!(@$status),
            kind: $kind,
            access: Access::$access,
            types: $types,
            when: When::$when,
            built: $built,
        }),*];
    };
    (@stable) => { false };
    (@draft) => { true };
}

use Built::{No, Stored, Yes};

options! {
    AFFINITY = 4, stable, Kind::Mask { default: 0 }, ReadWrite, ALL, Next, Yes;
    ROUTING_ID = 5, stable, Kind::Binary { min: 1, max: 255 }, ReadWrite, ALL, Next, Yes;
    SUBSCRIBE = 6, stable, Kind::Binary { min: 0, max: usize::MAX }, Write, SUBSCRIBERS, Now, Yes;
    UNSUBSCRIBE = 7, stable, Kind::Binary { min: 0, max: usize::MAX }, Write, SUBSCRIBERS, Now, Yes;
    RATE = 8, stable, int(1, MAX, 100), ReadWrite, ALL, Next, Stored(NO_MULTICAST);
    RECOVERY_IVL = 9, stable, int(0, MAX, 10_000), ReadWrite, ALL, Next, Stored(NO_MULTICAST);
    SNDBUF = 11, stable, int(-1, MAX, -1), ReadWrite, ALL, Next, Yes;
    RCVBUF = 12, stable, int(-1, MAX, -1), ReadWrite, ALL, Next, Yes;
    RCVMORE = 13, stable, Kind::Live, Read, ALL, Never, Yes;
    FD = 14, stable, Kind::Live, Read, ALL, Never, Yes;
    EVENTS = 15, stable, Kind::Live, Read, ALL, Never, Yes;
    TYPE = 16, stable, Kind::Live, Read, ALL, Never, Yes;
    LINGER = 17, stable, int(-1, MAX, -1), ReadWrite, ALL, Now, Yes;
    RECONNECT_IVL = 18, stable, int(-1, MAX, 100), ReadWrite, ALL, Next, Yes;
    BACKLOG = 19, stable, int(0, MAX, 100), ReadWrite, ALL, Next, Yes;
    RECONNECT_IVL_MAX = 21, stable, int(0, MAX, 0), ReadWrite, ALL, Next, Yes;
    MAXMSGSIZE = 22, stable, Kind::Limit { default: -1 }, ReadWrite, ALL, Next, Yes;
    SNDHWM = 23, stable, int(0, MAX, 1000), ReadWrite, ALL, Now, Yes;
    RCVHWM = 24, stable, int(0, MAX, 1000), ReadWrite, ALL, Now, Yes;
    MULTICAST_HOPS = 25, stable, int(1, MAX, 1), ReadWrite, ALL, Next, Stored(NO_MULTICAST);
    RCVTIMEO = 27, stable, int(-1, MAX, -1), ReadWrite, ALL, Now, Yes;
    SNDTIMEO = 28, stable, int(-1, MAX, -1), ReadWrite, ALL, Now, Yes;
    IPV4ONLY = 31, stable, Kind::Switch { default: true }, ReadWrite, ALL, Next, Yes;
    LAST_ENDPOINT = 32, stable, Kind::Live, Read, ALL, Never, Yes;
    ROUTER_MANDATORY = 33, stable, FLAG, Write, ROUTERS, Now, Yes;
    TCP_KEEPALIVE = 34, stable, int(-1, 1, -1), ReadWrite, ALL, Next, Yes;
    TCP_KEEPALIVE_CNT = 35, stable, int(-1, MAX, -1), ReadWrite, ALL, Next, Yes;
    TCP_KEEPALIVE_IDLE = 36, stable, int(-1, MAX, -1), ReadWrite, ALL, Next, Yes;
    TCP_KEEPALIVE_INTVL = 37, stable, int(-1, MAX, -1), ReadWrite, ALL, Next, Yes;
    TCP_ACCEPT_FILTER = 38, stable, Kind::Texts, Write, ALL, Next, Yes;
    IMMEDIATE = 39, stable, OFF, ReadWrite, ALL, Next, Yes;
    XPUB_VERBOSE = 40, stable, FLAG, Write, PUBLISHERS, Now, Yes;
    ROUTER_RAW = 41, stable, FLAG, Write, RAW, Next, Yes;
    IPV6 = 42, stable, OFF, ReadWrite, ALL, Next, Yes;
    MECHANISM = 43, stable, Kind::Live, Read, ALL, Never, Yes;
    PLAIN_SERVER = 44, stable, OFF, ReadWrite, ALL, Next, Yes;
    PLAIN_USERNAME = 45, stable, text(255), ReadWrite, ALL, Next, Yes;
    PLAIN_PASSWORD = 46, stable, text(255), ReadWrite, ALL, Next, Yes;
    CURVE_SERVER = 47, stable, OFF, ReadWrite, ALL, Next, Yes;
    CURVE_PUBLICKEY = 48, stable, Kind::Key, ReadWrite, ALL, Next, Yes;
    CURVE_SECRETKEY = 49, stable, Kind::Key, ReadWrite, ALL, Next, Yes;
    CURVE_SERVERKEY = 50, stable, Kind::Key, ReadWrite, ALL, Next, Yes;
    PROBE_ROUTER = 51, stable, FLAG, Write, PROBING, Next, Yes;
    REQ_CORRELATE = 52, stable, FLAG, Write, REQUESTERS, Now, Yes;
    REQ_RELAXED = 53, stable, FLAG, Write, REQUESTERS, Now, Yes;
    CONFLATE = 54, stable, OFF, ReadWrite, ALL, Next, Yes;
    ZAP_DOMAIN = 55, stable, text(255), ReadWrite, ALL, Next, Yes;
    ROUTER_HANDOVER = 56, stable, FLAG, Write, ROUTERS, Now, Yes;
    TOS = 57, stable, int(0, MAX, 0), ReadWrite, ALL, Next, Yes;
    IPC_FILTER_PID = 58, stable, Kind::Ids, Write, ALL, Next, Yes;
    IPC_FILTER_UID = 59, stable, Kind::Ids, Write, ALL, Next, Yes;
    IPC_FILTER_GID = 60, stable, Kind::Ids, Write, ALL, Next, Yes;
    CONNECT_ROUTING_ID = 61, stable, Kind::Binary { min: 1, max: usize::MAX }, Write, ADDRESSING, Next, Yes;
    GSSAPI_SERVER = 62, stable, OFF, ReadWrite, ALL, Next, No(NO_GSSAPI);
    GSSAPI_PRINCIPAL = 63, stable, text(255), ReadWrite, ALL, Next, No(NO_GSSAPI);
    GSSAPI_SERVICE_PRINCIPAL = 64, stable, text(255), ReadWrite, ALL, Next, No(NO_GSSAPI);
    GSSAPI_PLAINTEXT = 65, stable, OFF, ReadWrite, ALL, Next, No(NO_GSSAPI);
    HANDSHAKE_IVL = 66, stable, int(0, MAX, 30_000), ReadWrite, ALL, Next, Yes;
    SOCKS_PROXY = 68, stable, text(usize::MAX), ReadWrite, ALL, Next, Yes;
    XPUB_NODROP = 69, stable, FLAG, Write, DROPPERS, Now, Yes;
    XPUB_MANUAL = 71, stable, FLAG, Write, PUBLISHERS, Now, Yes;
    XPUB_WELCOME_MSG = 72, stable, Kind::Binary { min: 0, max: usize::MAX }, Write, PUBLISHERS, Next, Yes;
    STREAM_NOTIFY = 73, stable, Kind::Switch { default: true }, Write, STREAMS, Next, Yes;
    INVERT_MATCHING = 74, stable, Kind::Truth { default: false }, ReadWrite, ALL, Now, Yes;
    HEARTBEAT_IVL = 75, stable, int(0, MAX, 0), ReadWrite, ALL, Next, Yes;
    HEARTBEAT_TTL = 76, stable, int(-99, 6_553_599, 0), ReadWrite, ALL, Next, Yes;
    HEARTBEAT_TIMEOUT = 77, stable, int(0, MAX, -1), ReadWrite, ALL, Next, Yes;
    XPUB_VERBOSER = 78, stable, FLAG, Write, PUBLISHERS, Now, Yes;
    CONNECT_TIMEOUT = 79, stable, int(0, MAX, 0), ReadWrite, ALL, Next, Yes;
    TCP_MAXRT = 80, stable, int(0, MAX, 0), ReadWrite, ALL, Next, Yes;
    THREAD_SAFE = 81, stable, Kind::Live, Read, ALL, Never, Yes;
    MULTICAST_MAXTPDU = 84, stable, int(1, MAX, 1500), ReadWrite, ALL, Next, Stored(NO_MULTICAST);
    VMCI_BUFFER_SIZE = 85, stable, Kind::Mask { default: 65_546 }, ReadWrite, ALL, Next, No(NO_VMCI);
    VMCI_BUFFER_MIN_SIZE = 86, stable, Kind::Mask { default: 128 }, ReadWrite, ALL, Next, No(NO_VMCI);
    VMCI_BUFFER_MAX_SIZE = 87, stable, Kind::Mask { default: 262_144 }, ReadWrite, ALL, Next, No(NO_VMCI);
    VMCI_CONNECT_TIMEOUT = 88, stable, int(-1, MAX, -1), ReadWrite, ALL, Next, No(NO_VMCI);
    USE_FD = 89, stable, int(-1, MAX, -1), ReadWrite, ALL, Next, Yes;
    GSSAPI_PRINCIPAL_NAMETYPE = 90, stable, int(0, 2, 0), ReadWrite, ALL, Next, No(NO_GSSAPI);
    GSSAPI_SERVICE_PRINCIPAL_NAMETYPE = 91, stable, int(0, 2, 0), ReadWrite, ALL, Next, No(NO_GSSAPI);
    BINDTODEVICE = 92, stable, text(16), ReadWrite, ALL, Next, Yes;
    ZAP_ENFORCE_DOMAIN = 93, draft, Kind::Truth { default: false }, ReadWrite, ALL, Next, Yes;
    LOOPBACK_FASTPATH = 94, draft, Kind::Truth { default: false }, ReadWrite, ALL, Next, Stored("concerns Windows only");
    METADATA = 95, draft, Kind::Binary { min: 3, max: usize::MAX }, Write, ALL, Next, Yes;
    MULTICAST_LOOP = 96, draft, Kind::Truth { default: true }, ReadWrite, ALL, Next, Stored(NO_MULTICAST);
    ROUTER_NOTIFY = 97, draft, int(0, 3, 0), ReadWrite, RAW, Next, No(NOT_YET);
    XPUB_MANUAL_LAST_VALUE = 98, draft, FLAG, Write, PUBLISHERS, Now, No(NOT_YET);
    SOCKS_USERNAME = 99, draft, Kind::Text { min: 0, max: 255 }, ReadWrite, ALL, Next, Yes;
    SOCKS_PASSWORD = 100, draft, Kind::Text { min: 0, max: 255 }, ReadWrite, ALL, Next, Yes;
    IN_BATCH_SIZE = 101, draft, int(1, MAX, 8192), ReadWrite, ALL, Next, No(NOT_YET);
    OUT_BATCH_SIZE = 102, draft, int(1, MAX, 8192), ReadWrite, ALL, Next, No(NOT_YET);
    WSS_KEY_PEM = 103, draft, text(usize::MAX), Write, ALL, Next, No(NO_WSS);
    WSS_CERT_PEM = 104, draft, text(usize::MAX), Write, ALL, Next, No(NO_WSS);
    WSS_TRUST_PEM = 105, draft, text(usize::MAX), Write, ALL, Next, No(NO_WSS);
    WSS_HOSTNAME = 106, draft, text(usize::MAX), Write, ALL, Next, No(NO_WSS);
    WSS_TRUST_SYSTEM = 107, draft, OFF, Write, ALL, Next, No(NO_WSS);
    ONLY_FIRST_SUBSCRIBE = 108, draft, FLAG, Write, FILTERING, Now, No(NOT_YET);
    RECONNECT_STOP = 109, draft, int(i32::MIN, MAX, 0), ReadWrite, ALL, Next, Yes;
    HELLO_MSG = 110, draft, Kind::Binary { min: 0, max: usize::MAX }, Write, ALL, Next, No(NOT_YET);
    DISCONNECT_MSG = 111, draft, Kind::Binary { min: 0, max: usize::MAX }, Write, ALL, Next, No(NOT_YET);
    PRIORITY = 112, draft, int(0, MAX, 0), ReadWrite, ALL, Next, Yes;
    BUSY_POLL = 113, draft, int(0, MAX, 0), ReadWrite, ALL, Next, Yes;
    HICCUP_MSG = 114, draft, Kind::Binary { min: 0, max: usize::MAX }, Write, ALL, Next, No(NOT_YET);
    XSUB_VERBOSE_UNSUBSCRIBE = 115, draft, FLAG, Write, SUBSCRIBERS_X, Now, No(NOT_YET);
    TOPICS_COUNT = 116, draft, Kind::Live, Read, TOPICAL, Never, Yes;
    NORM_MODE = 117, draft, int(0, 4, 1), ReadWrite, ALL, Next, No(NO_NORM);
    NORM_UNICAST_NACK = 118, draft, OFF, ReadWrite, ALL, Next, No(NO_NORM);
    NORM_BUFFER_SIZE = 119, draft, int(1, MAX, 2048), ReadWrite, ALL, Next, No(NO_NORM);
    NORM_SEGMENT_SIZE = 120, draft, int(1, MAX, 1400), ReadWrite, ALL, Next, No(NO_NORM);
    NORM_BLOCK_SIZE = 121, draft, int(1, 255, 16), ReadWrite, ALL, Next, No(NO_NORM);
    NORM_NUM_PARITY = 122, draft, int(0, 254, 4), ReadWrite, ALL, Next, No(NO_NORM);
    NORM_NUM_AUTOPARITY = 123, draft, int(0, 254, 0), ReadWrite, ALL, Next, No(NO_NORM);
    NORM_PUSH = 124, draft, OFF, ReadWrite, ALL, Next, No(NO_NORM);
}

/// The row of an option.
pub(crate) fn find(number: i32) -> Option<&'static Row> {
    TABLE.binary_search_by_key(&number, |row| row.number).ok().and_then(|at| TABLE.get(at))
}
