//! zmq_poll(3), and the descriptor behind ZMQ_FD with its ZMQ_EVENTS (zmq_getsockopt(3)).

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::ptr::null_mut;
use std::time::{Duration, Instant};

fn pipe(ctx: &Ctx, transport: Transport) -> (Sock, Sock) {
    let pull = ctx.socket(PULL);
    let push = ctx.socket(PUSH);
    push.connect(&pull.bind_to(transport)).expect("connect");
    (push, pull)
}

fn fd_item(fd: i32, events: i32) -> PollItem {
    PollItem { socket: null_mut(), fd, events: events as i16, revents: 0 }
}

#[test]
fn polling_nothing_returns_at_once() {
    assert_eq!(poll(&mut [], 0), Ok(0));
    assert_eq!(lib().zmq_poll(null_mut(), 0, 0), 0);
}

/// zmq_poll(3): without items it is a timer.
#[test]
fn polling_nothing_waits_for_the_timeout() {
    let start = Instant::now();
    assert_eq!(poll(&mut [], 60), Ok(0));
    assert!(start.elapsed() >= Duration::from_millis(59));
}

#[test]
fn poll_refuses_bad_arguments() {
    assert_eq!(Lib::check(lib().zmq_poll(null_mut(), 1, 0)), Err(EFAULT));
    assert_eq!(Lib::check(lib().zmq_poll(null_mut(), -1, 0)), Err(EINVAL));
    let mut junk = [0_u64; 512];
    let socket = junk.as_mut_ptr().cast();
    let mut items = [PollItem { socket, fd: -1, events: POLLIN as i16, revents: 0 }];
    assert_eq!(poll(&mut items, 0), Err(ENOTSOCK));
}

on_transports! {
    fn poll_tells_what_can_be_done(transport) {
        let ctx = Ctx::new();
        let (push, pull) = pipe(&ctx, transport);
        push.await_writable();
        let mut items = [push.item(POLLIN | POLLOUT), pull.item(POLLIN | POLLOUT)];
        assert_eq!(poll(&mut items, 0), Ok(1));
        assert_eq!((items[0].revents, items[1].revents), (POLLOUT as i16, 0));
        push.send("x").expect("send");
        pull.await_readable();
        assert_eq!(poll(&mut items, 0), Ok(2));
        assert_eq!(items[1].revents, POLLIN as i16);
        pull.expect("x");
        assert_eq!(poll(&mut items, 0), Ok(1));
        assert_eq!(items[1].revents, 0, "revents are reset");
    }
}

/// Only the events asked for are reported, and none are for none.
#[test]
fn poll_reports_what_was_asked_for() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    push.send("x").expect("send");
    let mut items = [push.item(POLLIN), pull.item(POLLOUT), pull.item(0)];
    assert_eq!(poll(&mut items, 0), Ok(0));
    let mut twice = [pull.item(POLLIN), pull.item(POLLIN)];
    assert_eq!(poll(&mut twice, 0), Ok(2));
}

#[test]
fn poll_times_out() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let start = Instant::now();
    assert_eq!(pull.poll(POLLIN, 80), 0);
    let time = start.elapsed();
    assert!(time >= Duration::from_millis(79) && time < Duration::from_secs(10), "{time:?}");
}

#[test]
fn poll_wakes_for_a_message() {
    let ctx = Ctx::new();
    for transport in [Transport::Inproc, Transport::Tcp] {
        let (push, pull) = pipe(&ctx, transport);
        std::thread::scope(|scope| {
            let poller = scope.spawn(move || (poll(&mut [pull.item(POLLIN)], -1), pull));
            push.send("x").expect("send");
            let (found, pull) = poller.join().expect("join");
            assert_eq!(found, Ok(1));
            pull.expect("x");
        });
    }
}

/// Sockets and descriptors can be watched together.
#[test]
fn poll_watches_descriptors_too() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    let (mut near, far) = UnixStream::pair().expect("a pair");
    let mut items = [pull.item(POLLIN), fd_item(far.as_raw_fd(), POLLIN | POLLOUT)];
    assert_eq!(poll(&mut items, 0), Ok(1));
    assert_eq!(items[1].revents, POLLOUT as i16);
    near.write_all(b"x").expect("write");
    push.send("x").expect("send");
    assert_eq!(poll(&mut items, -1), Ok(2));
    assert_eq!(items[0].revents, POLLIN as i16);
    assert_eq!(items[1].revents, (POLLIN | POLLOUT) as i16);
}

#[test]
fn poll_wakes_for_a_descriptor() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let (mut near, far) = UnixStream::pair().expect("a pair");
    std::thread::scope(|scope| {
        let fd = far.as_raw_fd();
        let poller = scope.spawn(move || {
            let mut items = [pull.item(POLLIN), fd_item(fd, POLLIN)];
            (poll(&mut items, -1), items[1].revents)
        });
        near.write_all(b"x").expect("write");
        assert_eq!(poller.join().expect("join"), (Ok(1), POLLIN as i16));
    });
}

/// Descriptors alone make poll(2).
#[test]
fn poll_watches_descriptors_alone() {
    let (near, far) = UnixStream::pair().expect("a pair");
    let mut items = [fd_item(far.as_raw_fd(), POLLIN)];
    assert_eq!(poll(&mut items, 0), Ok(0));
    drop(near);
    assert_eq!(poll(&mut items, -1), Ok(1));
    assert_ne!(i32::from(items[0].revents) & POLLIN, 0);
}

/// POLLERR is for descriptors: here a pipe that nobody reads any more.
#[test]
fn poll_reports_errors_of_descriptors() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let mut items = [fd_item(writer.as_raw_fd(), POLLERR), pull.item(POLLIN | POLLERR)];
    assert_eq!(poll(&mut items, -1), Ok(1));
    assert_eq!(items[0].revents, POLLERR as i16);
    assert_eq!(items[1].revents, 0, "sockets have none");
}

/// Many sockets, more than the number kept without allocating.
#[test]
fn poll_watches_many_sockets() {
    let ctx = Ctx::new();
    let pipes: Vec<_> = (0..40).map(|_| pipe(&ctx, Transport::Inproc)).collect();
    pipes[33].0.send("x").expect("send");
    let mut items: Vec<_> = pipes.iter().map(|(_, pull)| pull.item(POLLIN)).collect();
    assert_eq!(poll(&mut items, -1), Ok(1));
    assert_eq!(items[33].revents, POLLIN as i16);
}

/// Whether the descriptor of a socket is readable within a time.
fn signalled(socket: &Sock, timeout: i32) -> bool {
    let fd = socket.get(FD).expect("FD");
    let mut item = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid item.
    unsafe { libc::poll(&mut item, 1, timeout) == 1 }
}

on_transports! {
    /// ZMQ_FD: readable when something may have happened; ZMQ_EVENTS tells what, and takes the
    /// signal back.
    fn the_descriptor_signals_an_arrival(transport) {
        let ctx = Ctx::new();
        let (push, pull) = pipe(&ctx, transport);
        // The connection itself may signal: wait for a message to be past that.
        push.send("first").expect("send");
        pull.expect("first");
        Sock::until(|| {
            pull.events();
            (!signalled(&pull, 20)).then_some(())
        });
        assert_eq!(pull.events(), 0);
        push.send("x").expect("send");
        assert!(signalled(&pull, 15_000), "an arrival signals");
        Sock::until(|| (pull.events() == POLLIN).then_some(()));
        assert!(!signalled(&pull, 0), "reading the events takes the signal back");
        assert_eq!(pull.events(), POLLIN, "the message is still there");
        pull.expect("x");
        assert_eq!(pull.events(), 0);
        assert!(!signalled(&pull, 50), "silent while nothing changes");
    }
}

/// ZMQ_EVENTS follows the mark: a mute socket is not writable, and its descriptor says when it is.
#[test]
fn the_descriptor_signals_room_to_send() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    pull.set(RCVHWM, 1).expect("RCVHWM");
    let push = ctx.socket(PUSH);
    push.set(SNDHWM, 1).expect("SNDHWM");
    push.connect(&pull.bind_to(Transport::Inproc)).expect("connect");
    assert_eq!(push.events(), POLLOUT);
    assert_eq!(push.fill("x", 10), 2);
    assert_eq!(push.events(), 0);
    assert!(!signalled(&push, 0));
    pull.expect("x");
    pull.expect("x");
    assert!(signalled(&push, 15_000), "room signals");
    Sock::until(|| (push.events() == POLLOUT).then_some(()));
}

/// The usual loop of an application: after a signal, read until nothing is left.
#[test]
fn a_loop_over_the_descriptor_misses_nothing() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Tcp);
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || {
            for number in 0..2000 {
                push.send(format!("{number}")).expect("send");
            }
            push
        });
        let mut next = 0;
        while next < 2000 {
            while pull.events() & POLLIN != 0 {
                pull.expect(format!("{next}"));
                next += 1;
            }
            assert!(next == 2000 || signalled(&pull, 15_000), "stuck at {next}");
        }
        drop(sender.join().expect("join"));
    });
}

/// The same with request and reply, where sending may hide an arrival.
#[test]
fn events_after_a_send_tell_of_an_arrival() {
    let ctx = Ctx::new();
    let left = ctx.socket(PAIR);
    let right = ctx.socket(PAIR);
    right.connect(&left.bind_to(Transport::Inproc)).expect("connect");
    for number in 0..200 {
        right.send(format!("{number}")).expect("send");
        left.send("back").expect("send");
        assert_eq!(left.events() & POLLIN, POLLIN);
        left.expect(format!("{number}"));
        assert_eq!(right.events() & POLLIN, POLLIN);
        right.expect("back");
    }
}

on_transports! {
    /// A program that hands a finished socket to an event loop asks for the descriptor last: what
    /// has arrived by then is told.
    fn a_descriptor_that_is_asked_for_late_tells_of_what_is_there(transport) {
        let ctx = Ctx::new();
        let (push, pull) = pipe(&ctx, transport);
        let (other, watched) = pipe(&ctx, transport);
        for sender in [&push, &other] {
            sender.send("x").expect("send");
        }
        // Both messages take the same way: when one is there, the other is not far.
        pull.await_readable();
        assert!(signalled(&watched, 15_000));
        watched.expect("x");
    }
}

on_transports! {
    /// Reading or setting an option hides no arrival from who watches the descriptor; only asking
    /// for ZMQ_EVENTS, sending and receiving do (zmq_getsockopt(3)).
    fn options_leave_the_signal_alone(transport) {
        type Call = fn(&Sock);
        let calls: [(&str, Call); 7] = [
            ("get FD", |pull| assert!(pull.get(FD).is_ok())),
            ("get RCVHWM", |pull| assert!(pull.get(RCVHWM).is_ok())),
            ("get LAST_ENDPOINT", |pull| drop(pull.last_endpoint())),
            ("set LINGER", |pull| pull.set(LINGER, 0).expect("LINGER")),
            ("set RCVHWM", |pull| pull.set(RCVHWM, 50).expect("RCVHWM")),
            ("set RCVTIMEO", |pull| pull.set(RCVTIMEO, 60_000).expect("RCVTIMEO")),
            ("an option that does not exist", |pull| assert!(pull.get(9999).is_err())),
        ];
        for (name, call) in calls {
            let ctx = Ctx::new();
            let (push, pull) = pipe(&ctx, transport);
            assert!(pull.get(FD).is_ok());
            push.send("first").expect("send");
            pull.expect("first");
            Sock::until(|| {
                pull.events();
                (!signalled(&pull, 20)).then_some(())
            });
            push.send("x").expect("send");
            assert!(signalled(&pull, 15_000), "{name}: an arrival signals");
            call(&pull);
            assert!(signalled(&pull, 0), "{name}: and is still to be seen");
            Sock::until(|| (pull.events() == POLLIN).then_some(()));
            assert!(!signalled(&pull, 0), "{name}: until ZMQ_EVENTS is read");
        }
    }
}

/// A subscription that is added while a message waits does not hide it.
#[test]
fn subscribing_leaves_the_signal_alone() {
    let ctx = Ctx::new();
    let publisher = ctx.socket(XPUB);
    let subscriber = ctx.socket(SUB);
    subscriber.subscribe("a");
    subscriber.connect(&publisher.bind_to(Transport::Tcp)).expect("connect");
    publisher.expect("\u{1}a");
    Sock::until(|| {
        subscriber.events();
        (!signalled(&subscriber, 20)).then_some(())
    });
    publisher.send("a message").expect("send");
    assert!(signalled(&subscriber, 15_000));
    subscriber.subscribe("b");
    assert!(signalled(&subscriber, 0));
    subscriber.expect("a message");
}

/// The descriptor is the socket's for life.
#[test]
fn the_descriptor_does_not_change() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Tcp);
    let fds = (push.get(FD), pull.get(FD));
    assert_ne!(fds.0, fds.1);
    push.send("x").expect("send");
    pull.expect("x");
    assert_eq!((push.get(FD), pull.get(FD)), fds);
}

/// Lets this process have as many descriptors as it may.
fn many_descriptors() {
    // SAFETY: the structure is two numbers, and lives across the calls.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
        limit.rlim_cur = limit.rlim_max;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
    }
}

/// Two thousand sockets and a thousand descriptors in one call.
#[test]
fn poll_watches_thousands_of_items() {
    many_descriptors();
    let ctx = Ctx::new();
    ctx.set(MAX_SOCKETS, 5000).expect("MAX_SOCKETS");
    let pulls: Vec<_> = (0..2000).map(|_| ctx.socket(PULL)).collect();
    let streams: Vec<_> = (0..500).map(|_| UnixStream::pair().expect("a pair")).collect();
    let mut items: Vec<_> = pulls.iter().map(|pull| pull.item(POLLIN)).collect();
    for (one, other) in &streams {
        for stream in [one, other] {
            let fd = stream.as_raw_fd();
            items.push(PollItem { socket: null_mut(), fd, events: POLLIN as i16, revents: 0 });
        }
    }
    assert_eq!(poll(&mut items, 0), Ok(0));
    assert_eq!(poll(&mut items, 20), Ok(0));
    let push = ctx.socket(PUSH);
    push.connect(&pulls[1777].bind_to(Transport::Tcp)).expect("connect");
    push.send("x").expect("send");
    assert_eq!(poll(&mut items, GUARD_MS.into()), Ok(1));
    assert_eq!(items[1777].revents, POLLIN as i16);
    (&streams[333].0).write_all(b"x").expect("write");
    assert_eq!(poll(&mut items, GUARD_MS.into()), Ok(2));
    assert_eq!(items[2000 + 2 * 333 + 1].revents, POLLIN as i16);
    assert_eq!(items.iter().filter(|item| item.revents != 0).count(), 2);
}

#[test]
fn poll_takes_one_socket_thousands_of_times() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Tcp);
    let mut items: Vec<_> = (0..3000).map(|_| pull.item(POLLIN)).collect();
    assert_eq!(poll(&mut items, 10), Ok(0));
    push.send("x").expect("send");
    // A message that comes while the items are looked at is there for some of them only.
    pull.await_readable();
    assert_eq!(poll(&mut items, 0), Ok(3000));
    assert!(items.iter().all(|item| item.revents == POLLIN as i16));
}

/// What happens to a socket and is no message does not end a wait for one.
#[test]
fn poll_is_not_ended_by_what_is_no_message() {
    let ctx = Ctx::new();
    let subscriber = ctx.socket(SUB);
    subscriber.subscribe("wanted");
    let endpoint = subscriber.bind_to(Transport::Tcp);
    let publisher = ctx.socket(PUB);
    publisher.connect(&endpoint).expect("connect");
    let ctx = &ctx;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..10 {
                let peer = ctx.socket(PUB);
                peer.connect(&endpoint).expect("connect");
                publisher.send("unwanted").expect("send");
                elapse(Duration::from_millis(20));
            }
        });
        let start = Instant::now();
        assert_eq!(subscriber.poll(POLLIN, 300), 0);
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(299), "{took:?}");
    });
}

/// A timeout is not over before its time, and not long after.
#[test]
fn poll_keeps_to_its_timeout() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    for millis in [1, 7, 20, 55] {
        let mut times: Vec<_> = (0..5)
            .map(|_| {
                let start = Instant::now();
                assert_eq!(pull.poll(POLLIN, millis), 0);
                start.elapsed()
            })
            .collect();
        times.sort();
        let wanted = Duration::from_millis(millis as u64);
        // The reference counts whole milliseconds, and may end one of them early.
        assert!(times[0] + Duration::from_millis(1) >= wanted, "{times:?}");
        assert!(times[2] < wanted + Duration::from_millis(50), "{times:?}");
    }
}

/// zmq_poll(3): sockets and descriptors may be repeated, and each item gets what it asked for.
#[test]
fn items_may_be_repeated() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    let (mut near, far) = UnixStream::pair().expect("a pair");
    let fd = far.as_raw_fd();
    let round = [pull.item(POLLIN), fd_item(fd, POLLIN), fd_item(fd, POLLOUT), push.item(POLLOUT)];
    let mut items: Vec<_> = (0..50).flat_map(|_| round).collect();
    let seen = |items: &[PollItem]| -> Vec<i32> {
        items.iter().map(|item| i32::from(item.revents)).collect()
    };
    assert_eq!(poll(&mut items, -1), Ok(100));
    assert_eq!(seen(&items), [0, 0, POLLOUT, POLLOUT].repeat(50));
    push.send("x").expect("send");
    pull.await_readable();
    near.write_all(b"x").expect("write");
    assert_eq!(poll(&mut items, -1), Ok(200));
    assert_eq!(seen(&items), [POLLIN, POLLIN, POLLOUT, POLLOUT].repeat(50));
    let mut quiet: Vec<_> = (0..100).map(|_| push.item(POLLIN)).collect();
    assert_eq!(poll(&mut quiet, 10), Ok(0));
}
