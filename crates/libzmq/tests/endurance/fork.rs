//! Processes that are forked off while the library works: they can use nothing that they
//! inherit, and find that out at once; what they make themselves works; and their parent does
//! not notice them.

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::c::{
    Ctx, DONTWAIT, ETERM, EVENTS, Errno, FD, IO_THREADS, LINGER, PAIR, PULL, PUSH, REP, REQ,
    SNDHWM, Sock, poll, proxy, watchdog,
};
use crate::times;

/// What the parent has open when it forks.
#[derive(Clone, Copy)]
struct Inherited {
    context: Ctx,
    pull: Sock,
    push: Sock,
}

/// How a child ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    AtOnce,
    /// Through the C library's `exit`, with everything that runs at exit.
    Exit,
    /// By becoming another program, which must not inherit our descriptors.
    Exec,
}

/// Forks, runs `body` in the child, and returns the child's exit status.
fn in_child(end: End, body: impl FnOnce() -> c_int) -> c_int {
    // SAFETY: the child only calls the library under test, whose calls have to bear that, and
    // functions of libc.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: ends a child that hangs.
        unsafe { libc::alarm(20) };
        let status = body();
        // SAFETY: none of these returns; the arguments are constants.
        unsafe {
            match end {
                End::Exit => libc::exit(status),
                End::Exec if status == 0 => {
                    let shell = c"/bin/sh".as_ptr();
                    let check = c"! ls -l /proc/self/fd | grep -q 'eventfd\\|eventpoll'".as_ptr();
                    libc::execl(shell, shell, c"-c".as_ptr(), check, std::ptr::null::<i8>());
                    libc::_exit(99)
                }
                _ => libc::_exit(status),
            }
        }
    }
    assert!(child > 0, "a child");
    let mut status = 0;
    // SAFETY: our own child, and memory for its status.
    while unsafe { libc::waitpid(child, &raw mut status, 0) } < 0 {}
    assert!(libc::WIFEXITED(status), "the child was killed by {}", libc::WTERMSIG(status));
    libc::WEXITSTATUS(status)
}

/// Sets a flag at its end, in whatever way that comes.
struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Tries everything with what was inherited. Returns 0 if all of it fails as it should, or the
/// number of the first call that does not.
fn try_inherited(inherited: Inherited) -> c_int {
    let Inherited { context, pull, push } = inherited;
    let terminated = Err(Errno(ETERM));
    let calls: [&dyn Fn() -> Result<c_int, Errno>; 22] = [
        &|| push.send(b"from the child", 0),
        &|| push.send(b"from the child", DONTWAIT),
        &|| pull.recv(0).map(|_| 0),
        &|| pull.recv(DONTWAIT).map(|_| 0),
        &|| poll(&[pull], -1),
        &|| poll(&[pull, push], 0),
        &|| pull.bind("tcp://127.0.0.1:*"),
        &|| pull.connect("tcp://127.0.0.1:1"),
        &|| push.connect("inproc://inherited"),
        &|| pull.unbind("inproc://inherited"),
        &|| pull.set(LINGER, 0),
        &|| pull.get(EVENTS),
        &|| pull.get(FD),
        &|| pull.last_endpoint().map(|_| 0),
        &|| pull.monitor("inproc://monitor"),
        &|| proxy(pull, push),
        &|| context.socket(PAIR).map(|_| 0),
        &|| context.get(IO_THREADS),
        &|| context.set(IO_THREADS, 2),
        &|| push.close(),
        &|| context.shutdown(),
        &|| context.term(),
    ];
    for (number, call) in (10..).zip(calls) {
        if call() != terminated {
            return number;
        }
    }
    0
}

/// Uses the library anew. Returns 0 if that works.
fn start_anew() -> c_int {
    let work = || -> Result<c_int, Errno> {
        let context = Ctx::new();
        let rep = context.socket(REP)?;
        rep.bind("tcp://127.0.0.1:*")?;
        let req = context.socket(REQ)?;
        req.connect(&rep.last_endpoint()?)?;
        req.send(b"hello", 0)?;
        let same = rep.recv(0)? == b"hello";
        rep.send(b"world", 0)?;
        let answered = req.recv(0)? == b"world";
        req.close()?;
        rep.close()?;
        context.term()?;
        Ok(if same && answered { 0 } else { 2 })
    };
    work().unwrap_or(3)
}

#[test]
fn children_can_use_nothing_of_their_parent_and_disturb_nothing() {
    let _guard = watchdog("forks");
    let context = Ctx::new();
    let streams: Vec<_> = ["tcp://127.0.0.1:*", "ipc://*", "inproc://forked"]
        .into_iter()
        .map(|endpoint| {
            let pull = context.socket(PULL).expect("a socket");
            pull.bind(endpoint).expect("an endpoint");
            let push = context.socket(PUSH).expect("a socket");
            push.set(SNDHWM, 100).expect("an option");
            push.connect(&pull.last_endpoint().expect("an endpoint")).expect("a connection");
            (pull, push)
        })
        .collect();
    // One more pair that no thread of the parent uses, as a child would find it.
    let pull = context.socket(PULL).expect("a socket");
    pull.bind("inproc://inherited").expect("a name");
    let push = context.socket(PUSH).expect("a socket");
    push.connect("inproc://inherited").expect("a connection");
    push.send(b"for the parent", 0).expect("room");
    let idle = Inherited { context, pull, push };

    let stop = AtomicBool::new(false);
    let passed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let stopping = SetAtEnd(&stop);
        for (pull, push) in &streams {
            scope.spawn(|| {
                let mut number = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    push.send(&number.to_ne_bytes(), 0).expect("room, in time");
                    number += 1;
                }
                push.send(b"end", 0).expect("room, in time");
            });
            scope.spawn(|| {
                let mut expected = 0_u64;
                loop {
                    let data = pull.recv(0).expect("a message");
                    if data == b"end" {
                        return;
                    }
                    assert_eq!(data, expected.to_ne_bytes(), "nothing is lost, none is doubled");
                    expected += 1;
                    passed.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 0..times(60, 2_000) {
            let end = [End::AtOnce, End::Exit, End::Exec][round % 3];
            // Every other child takes what the parent is using at this moment.
            let busy = streams[round % streams.len()];
            let inherited = if round % 2 == 0 {
                idle
            } else {
                Inherited { context, pull: busy.0, push: busy.1 }
            };
            let status = in_child(end, || match try_inherited(inherited) {
                0 => start_anew(),
                failed => failed,
            });
            assert_eq!(status, 0, "round {round}, {end:?}");
        }
        drop(stopping);
    });
    assert!(passed.load(Ordering::Relaxed) > 1000, "traffic ran meanwhile");
    assert_eq!(idle.pull.recv(0).as_deref(), Ok(&b"for the parent"[..]));
    assert_eq!(idle.pull.recv(DONTWAIT), Err(Errno(libc::EAGAIN)), "nothing from a child");
    for socket in streams.iter().flat_map(|(pull, push)| [*pull, *push]).chain([pull, push]) {
        socket.close().expect("a socket of the parent");
    }
    context.term().expect("all is closed");
}

#[test]
fn a_child_of_a_child_is_a_child_too() {
    let _guard = watchdog("grandchildren");
    let context = Ctx::new();
    let pull = context.socket(PULL).expect("a socket");
    pull.bind("inproc://grandparent").expect("a name");
    let push = context.socket(PUSH).expect("a socket");
    push.connect("inproc://grandparent").expect("a connection");
    let inherited = Inherited { context, pull, push };
    let status = in_child(End::AtOnce, || {
        let own = Ctx::new();
        let Ok(socket) = own.socket(PULL) else { return 4 };
        let of_child = Inherited { context: own, pull: socket, push: socket };
        in_child(End::AtOnce, || match (try_inherited(inherited), try_inherited(of_child)) {
            (0, 0) => start_anew(),
            (0, failed) => failed + 100,
            (failed, _) => failed,
        })
    });
    assert_eq!(status, 0);
    push.close().expect("a socket of the parent");
    pull.close().expect("a socket of the parent");
    context.term().expect("all is closed");
}
