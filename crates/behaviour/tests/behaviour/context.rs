//! Contexts (zmq_ctx_new(3), zmq_ctx_set(3), zmq_ctx_term(3), zmq_ctx_shutdown(3)).

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::ptr::null_mut;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn an_empty_context_terminates() {
    Ctx::new().term().expect("term");
}

#[test]
fn a_null_context_is_refused() {
    let lib = lib();
    assert_eq!(Lib::check(lib.zmq_ctx_term(null_mut())), Err(EFAULT));
    assert_eq!(Lib::check(lib.zmq_ctx_shutdown(null_mut())), Err(EFAULT));
    assert_eq!(Lib::check(lib.zmq_ctx_destroy(null_mut())), Err(EFAULT));
    assert_eq!(Lib::check(lib.zmq_term(null_mut())), Err(EFAULT));
    assert_eq!(Lib::check(lib.zmq_ctx_set(null_mut(), IO_THREADS, 1)), Err(EFAULT));
    assert_eq!(Lib::check(lib.zmq_ctx_get(null_mut(), IO_THREADS)), Err(EFAULT));
    assert!(lib.zmq_socket(null_mut(), PAIR).is_null());
    assert_eq!(Lib::last(), EFAULT);
}

/// What is no context is told apart from one.
#[test]
fn what_is_no_context_is_refused() {
    let mut junk = [0_u64; 512];
    let junk = junk.as_mut_ptr().cast();
    let lib = lib();
    assert_eq!(Lib::check(lib.zmq_ctx_term(junk)), Err(EFAULT));
    assert_eq!(Lib::check(lib.zmq_ctx_shutdown(junk)), Err(EFAULT));
    assert_eq!(Lib::check(lib.zmq_ctx_set(junk, IO_THREADS, 1)), Err(EFAULT));
    assert_eq!(Lib::check(lib.zmq_ctx_get(junk, IO_THREADS)), Err(EFAULT));
    assert!(lib.zmq_socket(junk, PAIR).is_null());
    assert_eq!(Lib::last(), EFAULT);
}

/// zmq_socket(3).
#[test]
fn an_unknown_socket_type_is_refused() {
    let ctx = Ctx::new();
    for kind in [-1, 99, i32::MAX, i32::MIN] {
        assert_eq!(ctx.try_socket(kind).map(drop), Err(EINVAL), "type {kind}");
    }
}

#[test]
fn every_socket_type_can_be_made() {
    let ctx = Ctx::new();
    for kind in 0..=11 {
        assert_eq!(ctx.socket(kind).get(TYPE), Ok(kind));
    }
}

#[test]
fn the_old_names_work() {
    let lib = lib();
    let raw = lib.zmq_init(2);
    assert!(!raw.is_null());
    assert_eq!(lib.zmq_ctx_get(raw, IO_THREADS), 2);
    assert_eq!(lib.zmq_term(raw), 0);
    let raw = lib.zmq_init(0);
    assert_eq!(lib.zmq_ctx_get(raw, IO_THREADS), 0);
    assert_eq!(lib.zmq_ctx_destroy(raw), 0);
    assert!(lib.zmq_init(-1).is_null());
    assert_eq!(Lib::last(), EINVAL);
}

/// zmq_ctx_get(3): the defaults.
#[test]
fn the_options_of_a_context_have_their_defaults() {
    let ctx = Ctx::new();
    assert_eq!(ctx.get(IO_THREADS), Ok(1));
    assert_eq!(ctx.get(MAX_SOCKETS), Ok(1023));
    assert_eq!(ctx.get(SOCKET_LIMIT), Ok(65535));
    assert_eq!(ctx.get(IPV6), Ok(0));
    assert_eq!(ctx.get(BLOCKY), Ok(1));
    assert_eq!(ctx.get(MAX_MSGSZ), Ok(i32::MAX));
    assert_eq!(ctx.get(MSG_T_SIZE), Ok(64));
}

#[test]
fn io_threads_may_be_none_and_not_negative() {
    let ctx = Ctx::new();
    ctx.set(IO_THREADS, 4).expect("IO_THREADS");
    assert_eq!(ctx.get(IO_THREADS), Ok(4));
    ctx.set(IO_THREADS, 0).expect("IO_THREADS");
    assert_eq!(ctx.get(IO_THREADS), Ok(0));
    assert_eq!(ctx.set(IO_THREADS, -1), Err(EINVAL));
    assert_eq!(ctx.get(IO_THREADS), Ok(0));
}

/// Without I/O threads inproc still works.
#[test]
fn inproc_needs_no_io_threads() {
    let ctx = Ctx::new();
    ctx.set(IO_THREADS, 0).expect("IO_THREADS");
    let pull = ctx.socket(PULL);
    let push = ctx.socket(PUSH);
    push.connect(&pull.bind_to(Transport::Inproc)).expect("connect");
    push.send("x").expect("send");
    pull.expect("x");
}

/// Without I/O threads the other transports have nobody to serve them.
#[test]
fn tcp_needs_io_threads() {
    let ctx = Ctx::new();
    ctx.set(IO_THREADS, 0).expect("IO_THREADS");
    let pull = ctx.socket(PULL);
    assert_eq!(pull.bind("tcp://127.0.0.1:*"), Err(EMTHREAD));
    assert_eq!(pull.connect("tcp://127.0.0.1:9"), Err(EMTHREAD));
}

#[test]
fn several_io_threads_serve_connections() {
    let ctx = Ctx::new();
    ctx.set(IO_THREADS, 3).expect("IO_THREADS");
    let pull = ctx.socket(PULL);
    let endpoint = pull.bind_to(Transport::Tcp);
    let pushes = [(); 6].map(|()| ctx.socket(PUSH));
    for push in &pushes {
        push.connect(&endpoint).expect("connect");
        push.send("x").expect("send");
    }
    for _ in &pushes {
        pull.expect("x");
    }
}

#[test]
fn max_sockets_must_be_positive() {
    let ctx = Ctx::new();
    assert_eq!(ctx.set(MAX_SOCKETS, 0), Err(EINVAL));
    assert_eq!(ctx.set(MAX_SOCKETS, -1), Err(EINVAL));
    ctx.set(MAX_SOCKETS, 1).expect("MAX_SOCKETS");
    assert_eq!(ctx.get(MAX_SOCKETS), Ok(1));
}

/// zmq_socket(3): EMFILE above the limit, until one is closed.
#[test]
fn the_limit_on_sockets_holds() {
    let ctx = Ctx::new();
    ctx.set(MAX_SOCKETS, 2).expect("MAX_SOCKETS");
    let first = ctx.socket(PAIR);
    let _second = ctx.socket(PAIR);
    assert_eq!(ctx.try_socket(PAIR).map(drop), Err(EMFILE));
    drop(first);
    let _third = Sock::until(|| ctx.try_socket(PAIR).ok());
}

#[test]
fn ipv6_of_a_context_is_the_default_of_its_sockets() {
    let ctx = Ctx::new();
    assert_eq!(ctx.plain_socket(PAIR).get(IPV6), Ok(0));
    ctx.set(IPV6, 1).expect("IPV6");
    assert_eq!(ctx.get(IPV6), Ok(1));
    assert_eq!(ctx.plain_socket(PAIR).get(IPV6), Ok(1));
    ctx.set(IPV6, 0).expect("IPV6");
    assert_eq!(ctx.plain_socket(PAIR).get(IPV6), Ok(0));
}

#[test]
fn ipv6_and_blocky_are_booleans() {
    let ctx = Ctx::new();
    for option in [IPV6, BLOCKY] {
        assert_eq!(ctx.set(option, -1), Err(EINVAL), "option {option}");
        ctx.set(option, 2).expect("any positive number is true");
        assert_eq!(ctx.get(option), Ok(1));
        ctx.set(option, 0).expect("false");
        assert_eq!(ctx.get(option), Ok(0));
    }
}

#[test]
fn max_msgsz_of_a_context_is_set_and_read() {
    let ctx = Ctx::new();
    ctx.set(MAX_MSGSZ, 1000).expect("MAX_MSGSZ");
    assert_eq!(ctx.get(MAX_MSGSZ), Ok(1000));
    assert_eq!(ctx.set(MAX_MSGSZ, -1), Err(EINVAL));
    ctx.set(MAX_MSGSZ, 0).expect("MAX_MSGSZ");
    assert_eq!(ctx.get(MAX_MSGSZ), Ok(0));
}

#[test]
fn unknown_options_of_a_context_are_refused() {
    let ctx = Ctx::new();
    for option in [-1, 0, 999] {
        assert_eq!(ctx.set(option, 1), Err(EINVAL), "set {option}");
        assert_eq!(ctx.get(option), Err(EINVAL), "get {option}");
    }
    assert_eq!(ctx.set(MSG_T_SIZE, 64), Err(EINVAL));
}

#[test]
fn thread_options_are_checked() {
    let ctx = Ctx::new();
    // The default looks like a failure, but is none: `errno` stays as it was.
    assert_eq!(ctx.set(MSG_T_SIZE, 64), Err(EINVAL));
    assert_eq!((lib().zmq_ctx_get(ctx.raw(), THREAD_SCHED_POLICY), Lib::last()), (-1, EINVAL));
    assert_eq!(lib().zmq_ctx_get(null_mut(), THREAD_SCHED_POLICY), -1);
    assert_eq!(Lib::last(), EFAULT);
    assert_eq!((lib().zmq_ctx_get(ctx.raw(), THREAD_SCHED_POLICY), Lib::last()), (-1, EFAULT));
    assert_eq!(ctx.set(THREAD_SCHED_POLICY, -1), Err(EINVAL));
    ctx.set(THREAD_SCHED_POLICY, 0).expect("SCHED_OTHER");
    assert_eq!(ctx.get(THREAD_SCHED_POLICY), Ok(0));
    assert_eq!(ctx.set(THREAD_PRIORITY, -1), Err(EINVAL));
    assert_eq!(ctx.set(THREAD_AFFINITY_CPU_ADD, -1), Err(EINVAL));
    ctx.set(THREAD_AFFINITY_CPU_ADD, 0).expect("add");
    assert_eq!(ctx.set(THREAD_AFFINITY_CPU_REMOVE, 5), Err(EINVAL), "never added");
    ctx.set(THREAD_AFFINITY_CPU_REMOVE, 0).expect("remove");
    assert_eq!(ctx.set(THREAD_AFFINITY_CPU_REMOVE, 0), Err(EINVAL), "gone");
    // Whether the machine has such a processor shows when threads are started.
    ctx.set(THREAD_AFFINITY_CPU_ADD, i32::MAX).expect("add");
    ctx.set(THREAD_AFFINITY_CPU_REMOVE, i32::MAX).expect("remove");
}

#[test]
fn the_thread_name_prefix_is_a_number() {
    let ctx = Ctx::new();
    ctx.set(THREAD_NAME_PREFIX, 1234).expect("THREAD_NAME_PREFIX");
    assert_eq!(ctx.get(THREAD_NAME_PREFIX), Ok(1234));
}

/// Runs a call on a socket that blocks, then has the context terminated.
fn interrupted_by_term(call: impl FnOnce(&Sock) -> Errno + Send, kind: i32) {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(kind);
    let (ready, started) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let caller = scope.spawn(move || {
            ready.send(()).expect("tell");
            let error = call(&socket);
            // After ETERM only closing is left.
            assert_eq!(socket.try_recv(), Err(ETERM));
            socket.close().expect("close");
            error
        });
        started.recv_timeout(LIMIT).expect("started");
        let done = ctx.term_elsewhere();
        assert_eq!(caller.join().expect("join"), ETERM);
        done.recv_timeout(LIMIT).expect("terminate").expect("term");
    });
}

/// zmq_ctx_term(3): calls that block return ETERM.
#[test]
fn term_wakes_a_blocked_receive() {
    interrupted_by_term(|socket| socket.recv().expect_err("ETERM"), PULL);
}

#[test]
fn term_wakes_a_blocked_send() {
    interrupted_by_term(|socket| socket.send("x").expect_err("ETERM"), PAIR);
}

#[test]
fn term_wakes_a_blocked_poll() {
    let call = |socket: &Sock| poll(&mut [socket.item(POLLIN)], -1).expect_err("ETERM");
    interrupted_by_term(call, PULL);
}

/// zmq_ctx_term(3): termination waits until every socket is closed.
#[test]
fn term_waits_for_the_sockets() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PAIR);
    let done = ctx.term_elsewhere();
    assert_eq!(Sock::until(|| socket.try_send("x").err().filter(|e| *e != EAGAIN)), ETERM);
    assert!(done.recv_timeout(Duration::from_millis(100)).is_err(), "did not wait");
    socket.close().expect("close");
    done.recv_timeout(LIMIT).expect("terminate").expect("term");
}

/// zmq_ctx_shutdown(3): wakes what blocks, and all but closing fails with ETERM.
#[test]
fn after_shutdown_only_closing_is_left() {
    let ctx = Ctx::new();
    let socket = ctx.socket(DEALER);
    socket.bind_to(Transport::Inproc);
    ctx.shutdown().expect("shutdown");
    assert_eq!(socket.send("x"), Err(ETERM));
    assert_eq!(socket.recv(), Err(ETERM));
    assert_eq!(socket.try_recv(), Err(ETERM));
    assert_eq!(socket.bind("inproc://x"), Err(ETERM));
    assert_eq!(socket.connect("inproc://x"), Err(ETERM));
    assert_eq!(socket.set(LINGER, 0), Err(ETERM));
    assert_eq!(socket.get(LINGER), Err(ETERM));
    assert_eq!(poll(&mut [socket.item(POLLIN)], 0), Err(ETERM));
    assert_eq!(ctx.try_socket(PAIR).map(drop), Err(ETERM));
    socket.close().expect("close");
    ctx.term().expect("term");
}

#[test]
fn shutdown_can_be_repeated() {
    let ctx = Ctx::new();
    let socket = ctx.socket(PAIR);
    ctx.shutdown().expect("shutdown");
    ctx.shutdown().expect("again");
    socket.close().expect("close");
    ctx.shutdown().expect("and again");
    ctx.term().expect("term");
}

#[test]
fn shutdown_wakes_a_blocked_receive() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(PULL);
    std::thread::scope(|scope| {
        let receiver = scope.spawn(move || socket.recv());
        ctx.shutdown().expect("shutdown");
        assert_eq!(receiver.join().expect("join"), Err(ETERM));
    });
}

/// A socket made after a shutdown of an empty context is refused as well.
#[test]
fn an_empty_context_that_was_shut_down_makes_no_sockets() {
    let ctx = Ctx::new();
    ctx.shutdown().expect("shutdown");
    assert_eq!(ctx.try_socket(PAIR).map(drop), Err(ETERM));
    ctx.term().expect("term");
}

/// zmq_close(3), zmq_bind(3), ...: ENOTSOCK for what is no socket.
#[test]
fn what_is_no_socket_is_refused() {
    let lib = lib();
    let mut junk = [0_u64; 512];
    for bad in [null_mut(), junk.as_mut_ptr().cast()] {
        let endpoint = c"inproc://x".as_ptr();
        assert_eq!(Lib::check(lib.zmq_close(bad)), Err(ENOTSOCK));
        assert_eq!(Lib::check(lib.zmq_bind(bad, endpoint)), Err(ENOTSOCK));
        assert_eq!(Lib::check(lib.zmq_connect(bad, endpoint)), Err(ENOTSOCK));
        assert_eq!(Lib::check(lib.zmq_unbind(bad, endpoint)), Err(ENOTSOCK));
        assert_eq!(Lib::check(lib.zmq_disconnect(bad, endpoint)), Err(ENOTSOCK));
        assert_eq!(Lib::check(lib.zmq_send(bad, c"x".as_ptr().cast(), 1, 0)), Err(ENOTSOCK));
        assert_eq!(Lib::check(lib.zmq_recv(bad, null_mut(), 0, 0)), Err(ENOTSOCK));
        assert_eq!(Lib::check(lib.zmq_socket_monitor(bad, endpoint, 0)), Err(ENOTSOCK));
        let (mut value, mut size) = (0_i32, 4_usize);
        let value = (&raw mut value).cast::<std::ffi::c_void>();
        assert_eq!(Lib::check(lib.zmq_setsockopt(bad, LINGER, value, 4)), Err(ENOTSOCK));
        assert_eq!(Lib::check(lib.zmq_getsockopt(bad, LINGER, value, &mut size)), Err(ENOTSOCK));
        let mut msg = Msg::new();
        assert_eq!(Lib::check(lib.zmq_msg_send(msg.ptr(), bad, 0)), Err(ENOTSOCK));
        assert_eq!(Lib::check(lib.zmq_msg_recv(msg.ptr(), bad, 0)), Err(ENOTSOCK));
    }
}

/// Many contexts live side by side, and their inproc names are their own.
#[test]
fn contexts_do_not_share_inproc_names() {
    let first = Ctx::new();
    let second = Ctx::new();
    let pulls = [first.socket(PULL), second.socket(PULL)];
    for pull in &pulls {
        pull.bind("inproc://same-name").expect("bind");
    }
    let push = second.socket(PUSH);
    push.connect("inproc://same-name").expect("connect");
    push.send("x").expect("send");
    pulls[1].expect("x");
    assert_eq!(pulls[0].try_recv(), Err(EAGAIN));
}

/// Contexts come and go without leaving descriptors behind.
#[test]
fn terminated_contexts_leave_the_process_usable() {
    for _ in 0..50 {
        let ctx = Ctx::new();
        let pull = ctx.socket(PULL);
        let push = ctx.socket(PUSH);
        push.connect(&pull.bind_to(Transport::Inproc)).expect("connect");
        push.send("x").expect("send");
        pull.expect("x");
    }
}
