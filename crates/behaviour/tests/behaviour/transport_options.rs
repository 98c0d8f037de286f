//! What the options of the transports do to the descriptors and the traffic (zmq_setsockopt(3)):
//! descriptors are known from the events of zmq_socket_monitor(3), and looked at in this process.
//!
//! Which values the options take is in `options`, how they read in `option_table`.

use crate::peer;
use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::io::Write;
use std::time::{Duration, Instant};

/// Two connected sockets and their descriptors.
struct Pair {
    listener: i32,
    accepted: i32,
    connected: i32,
    _sockets: [Sock; 2],
    // Last, so that it ends after its sockets.
    _ctx: Ctx,
}

impl Pair {
    /// Has both sockets prepared before they bind and connect.
    fn new(prepare: impl Fn(&Sock)) -> Self {
        let ctx = Ctx::new();
        let [server, client] = [PULL, PUSH].map(|kind| ctx.socket(kind));
        [&server, &client].into_iter().for_each(&prepare);
        let [told, client_told] = [&server, &client].map(|socket| Monitor::new(&ctx, socket));
        client.connect(&server.bind_to(Transport::Tcp)).expect("connect");
        client.send("x").expect("send");
        server.expect("x");
        let descriptor = |event: Event| event.value as i32;
        Self {
            listener: descriptor(told.wait(EVENT_LISTENING)),
            accepted: descriptor(told.wait(EVENT_ACCEPTED)),
            connected: descriptor(client_told.wait(EVENT_CONNECTED)),
            _ctx: ctx,
            _sockets: [server, client],
        }
    }

    /// Checks an option on both ends of the connection.
    #[track_caller]
    fn check(&self, level: i32, name: i32, expected: i32) {
        for fd in [self.accepted, self.connected] {
            assert_eq!(of_system(fd, level, name), expected, "option {name} of descriptor {fd}");
        }
    }
}

/// getsockopt(2) of a number.
fn of_system(fd: i32, level: i32, name: i32) -> i32 {
    let mut value = 0_i32;
    let mut size = 4;
    // SAFETY: writes at most as many bytes as the size says.
    let rc = unsafe { libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut size) };
    assert_eq!(rc, 0, "getsockopt of {fd}: {}", std::io::Error::last_os_error());
    value
}

#[test]
fn connections_do_not_wait_for_more_to_send() {
    Pair::new(|_| ()).check(libc::IPPROTO_TCP, libc::TCP_NODELAY, 1);
}

#[test]
fn listeners_take_over_addresses_of_old_connections() {
    let pair = Pair::new(|_| ());
    assert_eq!(of_system(pair.listener, libc::SOL_SOCKET, libc::SO_REUSEADDR), 1);
}

#[test]
fn tos_marks_both_ends() {
    Pair::new(|_| ()).check(libc::IPPROTO_IP, libc::IP_TOS, 0);
    let pair = Pair::new(|socket| socket.set(TOS, 0x28).expect("TOS"));
    pair.check(libc::IPPROTO_IP, libc::IP_TOS, 0x28);
}

#[test]
fn keepalive_is_the_systems_unless_set() {
    let pair = Pair::new(|_| ());
    pair.check(libc::SOL_SOCKET, libc::SO_KEEPALIVE, 0);
    let pair = Pair::new(|socket| socket.set(TCP_KEEPALIVE, 0).expect("TCP_KEEPALIVE"));
    pair.check(libc::SOL_SOCKET, libc::SO_KEEPALIVE, 0);
}

#[test]
fn keepalive_takes_its_times_and_count() {
    let pair = Pair::new(|socket| {
        socket.set(TCP_KEEPALIVE, 1).expect("TCP_KEEPALIVE");
        socket.set(TCP_KEEPALIVE_CNT, 3).expect("TCP_KEEPALIVE_CNT");
        socket.set(TCP_KEEPALIVE_IDLE, 60).expect("TCP_KEEPALIVE_IDLE");
        socket.set(TCP_KEEPALIVE_INTVL, 5).expect("TCP_KEEPALIVE_INTVL");
    });
    pair.check(libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1);
    pair.check(libc::IPPROTO_TCP, libc::TCP_KEEPCNT, 3);
    pair.check(libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, 60);
    pair.check(libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, 5);
}

/// The times mean nothing while keepalive is not on.
#[test]
fn keepalive_times_alone_change_nothing() {
    let untouched = Pair::new(|_| ());
    let idle = of_system(untouched.connected, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE);
    let pair = Pair::new(|socket| socket.set(TCP_KEEPALIVE_IDLE, 77).expect("IDLE"));
    pair.check(libc::SOL_SOCKET, libc::SO_KEEPALIVE, 0);
    pair.check(libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, idle);
}

/// The system doubles what it is given (socket(7)). A listener hands its sizes down.
#[test]
fn buffers_have_the_size_asked_for() {
    let pair = Pair::new(|socket| {
        socket.set(SNDBUF, 20_000).expect("SNDBUF");
        socket.set(RCVBUF, 30_000).expect("RCVBUF");
    });
    pair.check(libc::SOL_SOCKET, libc::SO_SNDBUF, 40_000);
    pair.check(libc::SOL_SOCKET, libc::SO_RCVBUF, 60_000);
    assert_eq!(of_system(pair.listener, libc::SOL_SOCKET, libc::SO_RCVBUF), 60_000);
}

/// ZMQ_BACKLOG: what the listener's queue holds (tcp_info of a listener).
#[test]
fn the_backlog_is_the_queue_of_the_listener() {
    for backlog in [100, 7] {
        let pair = Pair::new(|socket| socket.set(BACKLOG, backlog).expect("BACKLOG"));
        // SAFETY: the structure is numbers all through.
        let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
        let mut size = size_of_val(&info) as libc::socklen_t;
        let place = (&raw mut info).cast();
        let (level, name) = (libc::IPPROTO_TCP, libc::TCP_INFO);
        // SAFETY: writes at most as many bytes as the size says.
        let rc = unsafe { libc::getsockopt(pair.listener, level, name, place, &raw mut size) };
        assert_eq!(rc, 0, "TCP_INFO");
        assert_eq!(info.tcpi_sacked, backlog as u32, "the longest queue");
    }
}

#[test]
fn tcp_maxrt_limits_retransmissions() {
    Pair::new(|_| ()).check(libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, 0);
    let pair = Pair::new(|socket| socket.set(TCP_MAXRT, 4321).expect("TCP_MAXRT"));
    pair.check(libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, 4321);
}

/// The name of the device that a descriptor is bound to.
fn device(fd: i32) -> String {
    let mut name = [0_u8; libc::IFNAMSIZ];
    let mut size = name.len() as libc::socklen_t;
    let place = name.as_mut_ptr().cast();
    // SAFETY: writes at most as many bytes as the size says.
    let rc = unsafe {
        libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, place, &raw mut size)
    };
    assert_eq!(rc, 0, "SO_BINDTODEVICE");
    let end = name.iter().position(|byte| *byte == 0).expect("an end");
    String::from_utf8_lossy(&name[..end]).into_owned()
}

#[test]
fn bindtodevice_keeps_to_one_device() {
    let pair = Pair::new(|socket| {
        socket.set_bytes(BINDTODEVICE, b"lo").expect("BINDTODEVICE");
        assert_eq!(socket.get_bytes(BINDTODEVICE).as_deref(), Ok(&b"lo\0"[..]));
    });
    for fd in [pair.listener, pair.accepted, pair.connected] {
        assert_eq!(device(fd), "lo");
    }
    let untouched = Pair::new(|_| ());
    assert_eq!(device(untouched.listener), "");
}

#[test]
fn a_device_that_is_not_there_cannot_be_bound_to() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PULL);
    socket.set_bytes(BINDTODEVICE, b"no-such-device").expect("BINDTODEVICE");
    assert_eq!(socket.bind("tcp://127.0.0.1:*"), Err(ENODEV));
}

/// ZMQ_IPC_FILTER_UID, ZMQ_IPC_FILTER_GID: only processes of the user or group are let in.
#[test]
fn ipc_filters_let_matching_users_and_groups_in() {
    // SAFETY: these calls only return numbers.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    let stranger = 65_533;
    for (option, own) in [(IPC_FILTER_UID, user), (IPC_FILTER_GID, group)] {
        for (id, allowed) in [(own, true), (stranger, false)] {
            let ctx = Ctx::new();
            let server = ctx.socket(PULL);
            server.set(option, id as i32).expect("the filter");
            let client = ctx.socket(PUSH);
            client.connect(&server.bind_to(Transport::Ipc)).expect("connect");
            client.send("x").expect("send");
            if allowed {
                server.expect("x");
            } else {
                server.expect_nothing();
            }
        }
    }
}

/// A process that matches one filter of several is let in.
#[test]
fn one_matching_filter_is_enough() {
    let ctx = Ctx::new();
    let server = ctx.socket(PULL);
    server.set(IPC_FILTER_PID, 1).expect("IPC_FILTER_PID");
    server.set(IPC_FILTER_UID, 65_533).expect("IPC_FILTER_UID");
    // SAFETY: the call only returns a number.
    let group = unsafe { libc::getegid() };
    server.set(IPC_FILTER_GID, group as i32).expect("IPC_FILTER_GID");
    let client = ctx.socket(PUSH);
    client.connect(&server.bind_to(Transport::Ipc)).expect("connect");
    client.send("x").expect("send");
    server.expect("x");
}

/// RFC 37: PING with the time to live in tenths of a second, and PONG with the same context.
#[test]
fn heartbeats_ping_and_pong() {
    let ctx = Ctx::new();
    let server = ctx.socket(PULL);
    server.set(HEARTBEAT_IVL, 50).expect("HEARTBEAT_IVL");
    server.set(HEARTBEAT_TTL, 1234).expect("HEARTBEAT_TTL");
    server.set(HEARTBEAT_TIMEOUT, 15_000).expect("HEARTBEAT_TIMEOUT");
    let endpoint = server.bind_to(Transport::Tcp);
    let start = Instant::now();
    let mut peer = peer::shaken(&endpoint, "PUSH");
    for _ in 0..3 {
        let ping = peer::frame(&mut peer);
        assert_eq!(ping, (4, b"\x04PING\0\x0c".to_vec()), "12 tenths");
        peer.write_all(&peer::command("PONG", b"")).expect("write");
    }
    assert!(start.elapsed() >= Duration::from_millis(145), "{:?}", start.elapsed());
    peer.write_all(&peer::command("PING", b"\0\0context")).expect("write");
    loop {
        let (flags, body) = peer::frame(&mut peer);
        assert_eq!(flags, 4, "a command");
        if body.starts_with(b"\x04PONG") {
            assert_eq!(body, b"\x04PONGcontext");
            break;
        }
    }
}

/// A peer that does not answer is given up after the timeout.
#[test]
fn a_peer_that_does_not_answer_is_given_up() {
    let ctx = Ctx::new();
    let server = ctx.socket(PULL);
    server.set(HEARTBEAT_IVL, 50).expect("HEARTBEAT_IVL");
    server.set(HEARTBEAT_TIMEOUT, 150).expect("HEARTBEAT_TIMEOUT");
    let told = Monitor::new(&ctx, &server);
    let endpoint = server.bind_to(Transport::Tcp);
    let start = Instant::now();
    let peer = peer::shaken(&endpoint, "PUSH");
    told.wait(EVENT_DISCONNECTED);
    assert!(start.elapsed() >= Duration::from_millis(190), "{:?}", start.elapsed());
    peer::closed(peer);
}

/// A peer that asks to be given up when it falls silent (the TTL of its PING).
#[test]
fn a_peer_is_given_up_after_the_time_that_it_named() {
    let ctx = Ctx::new();
    let server = ctx.socket(PULL);
    let told = Monitor::new(&ctx, &server);
    let endpoint = server.bind_to(Transport::Tcp);
    let mut peer = peer::shaken(&endpoint, "PUSH");
    told.wait(EVENT_HANDSHAKE_SUCCEEDED);
    let start = Instant::now();
    peer.write_all(&peer::command("PING", b"\0\x02")).expect("write");
    told.wait(EVENT_DISCONNECTED);
    assert!(start.elapsed() >= Duration::from_millis(190), "{:?}", start.elapsed());
}

/// The epoll set of this process that watches a descriptor: each I/O thread has one.
fn watcher(fd: i32) -> Option<String> {
    let wanted = format!("tfd:{fd:>9} ");
    let entries = std::fs::read_dir("/proc/self/fdinfo").expect("procfs");
    entries.filter_map(Result::ok).find_map(|entry| {
        // Descriptors of other tests come and go.
        let info = std::fs::read_to_string(entry.path()).ok()?;
        info.contains(&wanted).then(|| entry.file_name().to_string_lossy().into_owned())
    })
}

/// The sets that watch the connections of four clients with an affinity.
fn watchers(ctx: &Ctx, affinity: u64) -> std::collections::BTreeSet<String> {
    let server = ctx.socket(PULL);
    let endpoint = server.bind_to(Transport::Tcp);
    let clients = [(); 4].map(|()| {
        let client = ctx.socket(PUSH);
        client.set_bytes(AFFINITY, &affinity.to_ne_bytes()).expect("AFFINITY");
        let told = Monitor::with(ctx, &client, EVENT_CONNECTED);
        client.connect(&endpoint).expect("connect");
        let fd = told.wait(EVENT_CONNECTED).value as i32;
        // A message comes only when the thread that serves the connection has it.
        client.send("x").expect("send");
        server.expect("x");
        (client, fd)
    });
    clients.iter().map(|(_, fd)| Sock::until(|| watcher(*fd))).collect()
}

/// ZMQ_AFFINITY: bit 0 is the first I/O thread of the context, bit 1 the second.
#[test]
fn affinity_chooses_the_io_threads() {
    let ctx = Ctx::new();
    ctx.set(IO_THREADS, 3).expect("IO_THREADS");
    let [first, second, third] = [1, 2, 4].map(|affinity| watchers(&ctx, affinity));
    for one in [&first, &second, &third] {
        assert_eq!(one.len(), 1, "{one:?}");
    }
    assert!(first != second && second != third && first != third);
    // Which of several it is depends on their loads.
    let outer: Vec<_> = first.union(&third).cloned().collect();
    assert!(watchers(&ctx, 5).iter().all(|watcher| outer.contains(watcher)));
    assert!(!watchers(&ctx, 0).is_empty(), "any");
}

/// An affinity to threads that are not there leaves nobody to serve a connection.
#[test]
fn affinity_to_no_thread_is_refused() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PULL);
    socket.set_bytes(AFFINITY, &8_u64.to_ne_bytes()).expect("AFFINITY");
    assert_eq!(socket.bind("tcp://127.0.0.1:*"), Err(EMTHREAD));
    assert_eq!(socket.connect("tcp://127.0.0.1:9"), Err(EMTHREAD));
}
