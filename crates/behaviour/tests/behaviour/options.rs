//! Socket options (zmq_setsockopt(3), zmq_getsockopt(3)): one case each, with its default, its
//! range and its sizes, then what some of them do. The security options are not here.

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::io::Read;
use std::time::{Duration, Instant};

/// A plain `int` option of every socket type.
struct Int {
    default: i32,
    /// Types whose default is another one.
    except: &'static [(i32, i32)],
    accepted: &'static [i32],
    refused: &'static [i32],
}

impl Int {
    fn check(&self, option: i32) {
        let ctx = Ctx::new();
        for kind in 0..=11 {
            let socket = ctx.plain_socket(kind);
            let except = self.except.iter().find(|(other, _)| *other == kind);
            let default = except.map_or(self.default, |(_, default)| *default);
            assert_eq!(socket.get(option), Ok(default), "default of type {kind}");
            assert_eq!(socket.set(option, self.default.max(self.accepted[0])), Ok(()));
        }
        let socket = ctx.plain_socket(DEALER);
        for &value in self.accepted {
            assert_eq!(socket.set(option, value), Ok(()), "set {value}");
            assert_eq!(socket.get(option), Ok(value));
        }
        let before = socket.get(option);
        for &value in self.refused {
            assert_eq!(socket.set(option, value), Err(EINVAL), "set {value}");
        }
        assert_eq!(socket.get(option), before, "a refused value changes nothing");
        for size in [0, 1, 3, 5, 8] {
            assert_eq!(socket.set_bytes(option, &[0; 8][..size]), Err(EINVAL), "{size} bytes");
            assert_eq!(socket.get_sized(option, size), Err(EINVAL), "{size} bytes");
        }
        assert_eq!(socket.get_sized(option, 4).map(|bytes| bytes.len()), Ok(4));
    }
}

macro_rules! int_options {
    ($($name:ident: $option:ident, $default:expr, $accepted:expr, $refused:expr;)*) => {
        $(
            #[test]
            fn $name() {
                Int { default: $default, except: &[], accepted: &$accepted, refused: &$refused }.check($option);
            }
        )*
    };
}

const MAX: i32 = i32::MAX;
const MIN: i32 = i32::MIN;

int_options! {
    rate_is_positive: RATE, 100, [1, 100, MAX], [0, -1, MIN];
    recovery_ivl_is_not_negative: RECOVERY_IVL, 10_000, [0, 1, MAX], [-1, MIN];
    sndbuf_is_a_size_or_the_systems: SNDBUF, -1, [-1, 0, 1, 65_536, MAX], [-2, MIN];
    rcvbuf_is_a_size_or_the_systems: RCVBUF, -1, [-1, 0, 1, 65_536, MAX], [-2, MIN];

    reconnect_ivl_is_a_time_or_never: RECONNECT_IVL, 100, [-1, 0, 1, MAX], [-2, MIN];
    reconnect_ivl_max_is_not_negative: RECONNECT_IVL_MAX, 0, [0, 1, MAX], [-1, MIN];
    backlog_is_not_negative: BACKLOG, 100, [0, 1, MAX], [-1, MIN];
    sndhwm_is_not_negative: SNDHWM, 1000, [0, 1, MAX], [-1, MIN];
    rcvhwm_is_not_negative: RCVHWM, 1000, [0, 1, MAX], [-1, MIN];
    multicast_hops_is_positive: MULTICAST_HOPS, 1, [1, 2, 255], [0, -1, MIN];
    multicast_maxtpdu_is_positive: MULTICAST_MAXTPDU, 1500, [1, 1400, 65_535], [0, -1, MIN];
    rcvtimeo_is_a_time_or_endless: RCVTIMEO, -1, [-1, 0, 1, MAX], [-2, MIN];
    sndtimeo_is_a_time_or_endless: SNDTIMEO, -1, [-1, 0, 1, MAX], [-2, MIN];
    tcp_keepalive_is_on_off_or_the_systems: TCP_KEEPALIVE, -1, [-1, 0, 1], [-2, 2, MAX];
    tcp_keepalive_cnt: TCP_KEEPALIVE_CNT, -1, [-1, 1, 5, MAX], [-2, MIN];
    tcp_keepalive_idle: TCP_KEEPALIVE_IDLE, -1, [-1, 1, 60, MAX], [-2, MIN];
    tcp_keepalive_intvl: TCP_KEEPALIVE_INTVL, -1, [-1, 1, 60, MAX], [-2, MIN];
    immediate_is_a_boolean: IMMEDIATE, 0, [0, 1], [-1, 2, MAX];
    ipv6_is_a_boolean: IPV6, 0, [0, 1], [-1, 2, MAX];
    ipv4only_is_a_boolean: IPV4ONLY, 1, [0, 1], [-1, 2, MAX];
    conflate_is_a_boolean: CONFLATE, 0, [0, 1], [-1, 2, MAX];
    tos_is_not_negative: TOS, 0, [0, 1, 0x28, 255], [-1, MIN];
    handshake_ivl_is_not_negative: HANDSHAKE_IVL, 30_000, [0, 1, MAX], [-1, MIN];
    heartbeat_ivl_is_not_negative: HEARTBEAT_IVL, 0, [0, 1, MAX], [-1, MIN];
    heartbeat_timeout_is_not_negative: HEARTBEAT_TIMEOUT, -1, [0, 1, MAX], [-1, MIN];
    connect_timeout_is_not_negative: CONNECT_TIMEOUT, 0, [0, 1, MAX], [-1, MIN];
    tcp_maxrt_is_not_negative: TCP_MAXRT, 0, [0, 1, MAX], [-1, MIN];
    use_fd_is_a_descriptor_or_none: USE_FD, -1, [-1, 0, 100], [-2, MIN];
}

/// Whether or not PLAIN is built in, a socket begins without it, and can say so.
#[test]
fn sockets_begin_without_plain() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(DEALER);
    assert_eq!(socket.get(PLAIN_SERVER), Ok(0));
    socket.set(PLAIN_SERVER, 0).expect("the default");
    assert_eq!(socket.get(PLAIN_SERVER), Ok(0));
    assert_eq!(socket.get(MECHANISM), Ok(0));
    for text in [PLAIN_USERNAME, PLAIN_PASSWORD, ZAP_DOMAIN] {
        assert_eq!(socket.get_sized(text, 8), Ok(vec![0]));
    }
}

/// A SUB and an XSUB have nothing of their own to send: their linger is zero unless it is set.
#[test]
fn linger_is_a_time_or_endless() {
    let except = &[(SUB, 0), (XSUB, 0)];
    Int { default: -1, except, accepted: &[-1, 0, 1, MAX], refused: &[-2, MIN] }.check(LINGER);
}

/// ZMQ_HEARTBEAT_TTL travels in tenths of a second, in 16 bits.
#[test]
fn heartbeat_ttl_is_rounded_down_to_tenths() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(DEALER);
    assert_eq!(socket.get(HEARTBEAT_TTL), Ok(0));
    for (value, kept) in [(0, 0), (99, 0), (100, 100), (255, 200), (6_553_599, 6_553_500)] {
        socket.set(HEARTBEAT_TTL, value).expect("in range");
        assert_eq!(socket.get(HEARTBEAT_TTL), Ok(kept));
    }
    for value in [6_553_600, MAX, MIN] {
        assert_eq!(socket.set(HEARTBEAT_TTL, value), Err(EINVAL), "set {value}");
    }
}

/// Any number but zero is true.
#[test]
fn invert_matching_is_a_boolean() {
    let ctx = Ctx::new();
    for kind in [PUB, XPUB, SUB] {
        let socket = ctx.plain_socket(kind);
        assert_eq!(socket.get(INVERT_MATCHING), Ok(0));
        socket.set(INVERT_MATCHING, 1).expect("set");
        assert_eq!(socket.get(INVERT_MATCHING), Ok(1));
        socket.set(INVERT_MATCHING, 0).expect("set");
        assert_eq!(socket.get(INVERT_MATCHING), Ok(0));
        assert_eq!(socket.set_bytes(INVERT_MATCHING, &[1]), Err(EINVAL));
    }
}

/// A 64-bit option: the other sizes are refused.
fn check_wide(option: i32, default: i64, accepted: &[i64]) {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(DEALER);
    let read = || socket.get_sized(option, 8).map(|bytes| bytes.try_into().map(i64::from_ne_bytes));
    assert_eq!(read(), Ok(Ok(default)));
    for value in accepted {
        socket.set_bytes(option, &value.to_ne_bytes()).expect("set");
        assert_eq!(read(), Ok(Ok(*value)));
    }
    for size in [0, 4, 7, 9] {
        assert_eq!(socket.set_bytes(option, &[0; 9][..size]), Err(EINVAL), "{size} bytes");
        assert_eq!(socket.get_sized(option, size), Err(EINVAL), "{size} bytes");
    }
}

#[test]
fn maxmsgsize_is_64_bits() {
    check_wide(MAXMSGSIZE, -1, &[-1, 0, 1, i64::MAX]);
}

#[test]
fn affinity_is_64_bits() {
    check_wide(AFFINITY, 0, &[0, 1, -1]);
}

/// Options that can only be read.
#[test]
fn what_can_only_be_read_cannot_be_set() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(DEALER);
    for option in [RCVMORE, FD, EVENTS, TYPE, LAST_ENDPOINT, MECHANISM, THREAD_SAFE] {
        assert_eq!(socket.set(option, 1), Err(EINVAL), "option {option}");
    }
    assert_eq!(socket.get(TYPE), Ok(DEALER));
    assert_eq!(socket.get(RCVMORE), Ok(0));
    assert_eq!(socket.get(EVENTS), Ok(0));
    assert_eq!(socket.get(MECHANISM), Ok(NULL));
    assert_eq!(socket.get(THREAD_SAFE), Ok(0));
    assert!(socket.get(FD).expect("FD") > 2);
}

/// RCVMORE, FD, EVENTS and THREAD_SAFE take a larger buffer, and say how much they wrote.
#[test]
fn some_options_can_be_read_into_a_larger_buffer() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(DEALER);
    for option in [RCVMORE, FD, EVENTS, THREAD_SAFE] {
        assert_eq!(socket.get_sized(option, 64).map(|bytes| bytes.len()), Ok(4));
        assert_eq!(socket.get_sized(option, 3), Err(EINVAL));
    }
}

#[test]
fn what_can_only_be_set_cannot_be_read() {
    let ctx = Ctx::new();
    let table = [
        (SUB, SUBSCRIBE),
        (SUB, UNSUBSCRIBE),
        (ROUTER, ROUTER_MANDATORY),
        (ROUTER, ROUTER_RAW),
        (ROUTER, ROUTER_HANDOVER),
        (ROUTER, PROBE_ROUTER),
        (ROUTER, CONNECT_ROUTING_ID),
        (REQ, REQ_CORRELATE),
        (REQ, REQ_RELAXED),
        (XPUB, XPUB_VERBOSE),
        (XPUB, XPUB_VERBOSER),
        (XPUB, XPUB_NODROP),
        (XPUB, XPUB_MANUAL),
        (XPUB, XPUB_WELCOME_MSG),
        (STREAM, STREAM_NOTIFY),
        (PULL, TCP_ACCEPT_FILTER),
        (PULL, IPC_FILTER_PID),
    ];
    for (kind, option) in table {
        assert_eq!(ctx.plain_socket(kind).get(option), Err(EINVAL), "option {option}");
    }
}

#[test]
fn unknown_options_are_refused() {
    let ctx = Ctx::new();
    for kind in 0..=11 {
        let socket = ctx.plain_socket(kind);
        for option in [-1, 0, 1, 3, 10, 20, 200, 1000, MAX] {
            assert_eq!(socket.set(option, 1), Err(EINVAL), "set {option}");
            assert_eq!(socket.get(option), Err(EINVAL), "get {option}");
        }
    }
}

/// An `int` option of some types, set only.
fn check_pattern(option: i32, own: &[i32], foreign: &[i32], refused: &[i32]) {
    let ctx = Ctx::new();
    for &kind in own {
        let socket = ctx.plain_socket(kind);
        socket.set(option, 1).expect("set 1");
        socket.set(option, 0).expect("set 0");
        for &value in refused {
            assert_eq!(socket.set(option, value), Err(EINVAL), "type {kind}, set {value}");
        }
        for size in [0, 1, 3, 5, 8] {
            assert_eq!(socket.set_bytes(option, &[0; 8][..size]), Err(EINVAL), "{size} bytes");
        }
    }
    for &kind in foreign {
        assert_eq!(ctx.plain_socket(kind).set(option, 1), Err(EINVAL), "type {kind}");
    }
}

macro_rules! pattern_options {
    ($($name:ident: $option:ident, $own:expr, $foreign:expr, $refused:expr;)*) => {
        $(
            #[test]
            fn $name() {
                check_pattern($option, &$own, &$foreign, &$refused);
            }
        )*
    };
}

pattern_options! {
    router_mandatory: ROUTER_MANDATORY, [ROUTER, REP], [PAIR, PUB, SUB, REQ, DEALER, PULL, PUSH, XPUB,
        XSUB, STREAM], [-1, MIN];
    router_handover: ROUTER_HANDOVER, [ROUTER, REP], [PAIR, PUB, SUB, REQ, DEALER, PULL, PUSH, XPUB,
        XSUB, STREAM], [-1, MIN];
    router_raw: ROUTER_RAW, [ROUTER], [PAIR, PUB, SUB, REQ, DEALER, PULL, PUSH, XPUB, XSUB,
        STREAM], [-1, MIN];
    probe_router: PROBE_ROUTER, [ROUTER, DEALER, REQ, REP], [PAIR, PUB, SUB, PULL, PUSH, XPUB, XSUB,
        STREAM], [-1, MIN];
    req_correlate: REQ_CORRELATE, [REQ], [PAIR, PUB, SUB, REP, DEALER, ROUTER, PULL, PUSH, XPUB,
        XSUB, STREAM], [-1, MIN];
    req_relaxed: REQ_RELAXED, [REQ], [PAIR, PUB, SUB, REP, DEALER, ROUTER, PULL, PUSH, XPUB, XSUB,
        STREAM], [-1, MIN];
    xpub_verbose: XPUB_VERBOSE, [XPUB, PUB], [PAIR, SUB, REQ, DEALER, PULL], [-1, MIN];
    xpub_verboser: XPUB_VERBOSER, [XPUB, PUB], [PAIR, SUB, REQ, DEALER, PULL], [-1, MIN];
    xpub_nodrop: XPUB_NODROP, [XPUB, PUB], [PAIR, SUB, REQ, DEALER, PULL], [-1, MIN];
    xpub_manual: XPUB_MANUAL, [XPUB, PUB], [PAIR, SUB, REQ, DEALER, PULL], [-1, MIN];
    stream_notify: STREAM_NOTIFY, [STREAM], [PAIR, SUB, REQ, DEALER, ROUTER], [-1, 2, MIN];
}

/// ZMQ_ROUTING_ID: one to 255 bytes.
#[test]
fn routing_id_is_one_to_255_bytes() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(DEALER);
    assert_eq!(socket.get_bytes(ROUTING_ID), Ok(Vec::new()));
    for size in [1, 5, 255] {
        let id = vec![b'i'; size];
        socket.set_bytes(ROUTING_ID, &id).expect("set");
        assert_eq!(socket.get_bytes(ROUTING_ID), Ok(id));
    }
    assert_eq!(socket.set_bytes(ROUTING_ID, &[]), Err(EINVAL));
    assert_eq!(socket.set_bytes(ROUTING_ID, &[1; 256]), Err(EINVAL));
    assert_eq!(socket.get_sized(ROUTING_ID, 254), Err(EINVAL), "too small");
    assert_eq!(socket.get_sized(ROUTING_ID, 255).map(|id| id.len()), Ok(255));
}

/// ZMQ_LAST_ENDPOINT: the terminating zero counts.
#[test]
fn last_endpoint_needs_room_for_its_zero() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(DEALER);
    socket.bind("inproc://0123456789").expect("bind");
    assert_eq!(socket.get_sized(LAST_ENDPOINT, 19), Err(EINVAL));
    assert_eq!(socket.get_sized(LAST_ENDPOINT, 20).as_deref(), Ok(&b"inproc://0123456789\0"[..]));
}

/// ZMQ_BINDTODEVICE is a string; none by default.
#[test]
fn bindtodevice_is_a_string() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(PULL);
    assert_eq!(socket.get_bytes(BINDTODEVICE), Ok(vec![0]));
    socket.set_bytes(BINDTODEVICE, b"lo").expect("set");
    assert_eq!(socket.get_bytes(BINDTODEVICE).as_deref(), Ok(&b"lo\0"[..]));
    socket.set_bytes(BINDTODEVICE, &[]).expect_err("not by an empty string");
}

/// ZMQ_IPV4ONLY is the opposite of ZMQ_IPV6.
#[test]
fn ipv4only_is_the_opposite_of_ipv6() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(DEALER);
    socket.set(IPV6, 1).expect("IPV6");
    assert_eq!(socket.get(IPV4ONLY), Ok(0));
    socket.set(IPV4ONLY, 1).expect("IPV4ONLY");
    assert_eq!(socket.get(IPV6), Ok(0));
}

/// ZMQ_MAXMSGSIZE: the peer that sends more is disconnected; the others are served.
#[test]
fn maxmsgsize_disconnects_the_peer_that_sends_more() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.set_bytes(MAXMSGSIZE, &100_i64.to_ne_bytes()).expect("MAXMSGSIZE");
    let monitor = Monitor::with(&ctx, &pull, EVENT_DISCONNECTED);
    let endpoint = pull.bind_to(Transport::Tcp);
    let push = ctx.socket(PUSH);
    push.set(RECONNECT_IVL, 10).expect("RECONNECT_IVL");
    push.connect(&endpoint).expect("connect");
    push.send([1; 100]).expect("send");
    assert_eq!(pull.recv().expect("recv"), [1; 100]);
    push.send([1; 101]).expect("send");
    monitor.wait(EVENT_DISCONNECTED);
    let other = ctx.socket(PUSH);
    other.connect(&endpoint).expect("connect");
    other.send("fine").expect("send");
    pull.expect("fine");
}

/// ZMQ_HANDSHAKE_IVL: a peer that says nothing is disconnected.
#[test]
fn handshake_ivl_disconnects_a_silent_peer() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.set(HANDSHAKE_IVL, 100).expect("HANDSHAKE_IVL");
    let endpoint = pull.bind_to(Transport::Tcp);
    let start = Instant::now();
    let mut peer = raw_connect(&endpoint);
    let mut greeting = Vec::new();
    // It may end with a reset: either way it ends.
    let _ = peer.read_to_end(&mut greeting);
    let time = start.elapsed();
    assert!(time >= Duration::from_millis(90) && time < Duration::from_secs(10), "{time:?}");
}

/// ZMQ_HEARTBEAT_IVL: peers that answer stay connected.
#[test]
fn heartbeats_keep_a_connection() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.set(HEARTBEAT_IVL, 20).expect("HEARTBEAT_IVL");
    pull.set(HEARTBEAT_TIMEOUT, 5_000).expect("HEARTBEAT_TIMEOUT");
    let monitor = Monitor::with(&ctx, &pull, EVENT_DISCONNECTED);
    let endpoint = pull.bind_to(Transport::Tcp);
    let push = ctx.socket(PUSH);
    push.connect(&endpoint).expect("connect");
    push.send("first").expect("send");
    pull.expect("first");
    monitor.socket().expect_nothing();
    push.send("second").expect("send");
    pull.expect("second");
}

/// ZMQ_RECONNECT_IVL -1: a connection that broke stays broken.
#[test]
fn reconnect_ivl_of_minus_one_does_not_reconnect() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let endpoint = pull.bind_to(Transport::Tcp);
    let push = ctx.socket(PUSH);
    push.set(RECONNECT_IVL, -1).expect("RECONNECT_IVL");
    let monitor = Monitor::new(&ctx, &push);
    push.connect(&endpoint).expect("connect");
    push.send("x").expect("send");
    pull.expect("x");
    drop(pull);
    monitor.wait(EVENT_DISCONNECTED);
    let again = ctx.socket(PULL);
    Sock::until(|| again.bind(&endpoint).ok());
    assert_eq!(again.poll(POLLIN, 150), 0);
    while monitor.socket().poll(POLLIN, 0) != 0 {
        let event = monitor.next().expect("an event");
        assert_ne!(event.kind, EVENT_CONNECTED);
        assert_ne!(event.kind, EVENT_HANDSHAKE_SUCCEEDED);
    }
}

/// ZMQ_TCP_ACCEPT_FILTER: only the addresses that match are let in.
#[test]
fn tcp_accept_filter_lets_matching_addresses_in() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.set_bytes(TCP_ACCEPT_FILTER, b"127.0.0.2/32").expect("TCP_ACCEPT_FILTER");
    let port = port_of(&pull.bind_to(Transport::Tcp));
    let refused = ctx.socket(PUSH);
    refused.connect(&format!("tcp://127.0.0.3:0;127.0.0.1:{port}")).expect("connect");
    refused.send("refused").expect("send");
    let allowed = ctx.socket(PUSH);
    allowed.connect(&format!("tcp://127.0.0.2:0;127.0.0.1:{port}")).expect("connect");
    allowed.send("allowed").expect("send");
    pull.expect("allowed");
    pull.expect_nothing();
}

#[test]
fn tcp_accept_filter_must_be_an_address() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    for text in ["nonsense", "127.0.0.1/33", "300.0.0.1"] {
        assert_eq!(pull.set_bytes(TCP_ACCEPT_FILTER, text.as_bytes()), Err(EINVAL), "{text}");
    }
    let rc = lib().zmq_setsockopt(pull.raw(), TCP_ACCEPT_FILTER, std::ptr::null(), 0);
    assert_eq!(rc, 0, "no filters");
}

/// ZMQ_IPC_FILTER_PID: only the processes that match are let in.
#[test]
fn ipc_filters_let_matching_processes_in() {
    let ctx = Ctx::new();
    let own = i32::try_from(std::process::id()).expect("a process id");
    for (pid, allowed) in [(own, true), (1, false)] {
        let pull = ctx.socket(PULL);
        pull.set(IPC_FILTER_PID, pid).expect("IPC_FILTER_PID");
        let push = ctx.socket(PUSH);
        push.connect(&pull.bind_to(Transport::Ipc)).expect("connect");
        push.send("x").expect("send");
        if allowed {
            pull.expect("x");
        } else {
            pull.expect_nothing();
        }
    }
}

/// A null pointer for what needs a value.
#[test]
fn a_value_of_no_bytes_is_refused() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(DEALER);
    for option in [LINGER, SNDHWM, AFFINITY, ROUTING_ID] {
        let rc = lib().zmq_setsockopt(socket.raw(), option, std::ptr::null(), 0);
        assert_eq!(Lib::check(rc), Err(EINVAL), "option {option}");
    }
}
