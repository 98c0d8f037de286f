//! Signals: what blocks is interrupted with EINTR, and the library's own threads take none.

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::collections::HashSet;
use std::sync::mpsc;
use std::time::Duration;

extern "C" fn nothing(_: libc::c_int) {}

/// Installs a handler that does nothing.
fn handle(signal: i32, flags: i32) {
    // SAFETY: a zeroed sigaction is a valid one; the handler is async-signal-safe.
    let rc = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as libc::sighandler_t;
        action.sa_flags = flags;
        libc::sigaction(signal, &action, std::ptr::null_mut())
    };
    assert_eq!(rc, 0);
}

/// Runs a call that blocks on another thread, and signals that thread until it returns.
fn interrupted(signal: i32, call: impl FnOnce() -> Errno + Send) -> Errno {
    std::thread::scope(|scope| {
        let (tell, thread) = mpsc::channel();
        let (done, result) = mpsc::channel();
        scope.spawn(move || {
            // SAFETY: no preconditions.
            tell.send(unsafe { libc::pthread_self() }).expect("tell");
            let error = call();
            // The thread stays until its result was taken, so that it can be signalled safely.
            done.send(error).expect("tell");
            std::thread::park_timeout(Duration::from_millis(20));
        });
        let thread = thread.recv().expect("a thread");
        for _ in 0..2000 {
            match result.recv_timeout(Duration::from_millis(10)) {
                Ok(error) => return error,
                // SAFETY: the scope keeps the thread, which has not told its result.
                Err(_) => assert_eq!(unsafe { libc::pthread_kill(thread, signal) }, 0),
            }
        }
        panic!("never interrupted");
    })
}

#[test]
fn a_signal_interrupts_a_receive() {
    handle(libc::SIGUSR1, 0);
    let ctx = Ctx::new();
    let pull = ctx.plain_socket(PULL);
    assert_eq!(interrupted(libc::SIGUSR1, move || pull_recv(&{ pull })), EINTR);
}

fn pull_recv(pull: &Sock) -> Errno {
    pull.recv().expect_err("EINTR")
}

/// With SA_RESTART too: waiting in poll(2) is never restarted.
#[test]
fn a_restarting_signal_interrupts_a_receive_too() {
    handle(libc::SIGUSR2, libc::SA_RESTART);
    let ctx = Ctx::new();
    let pull = ctx.plain_socket(PULL);
    assert_eq!(interrupted(libc::SIGUSR2, move || pull_recv(&{ pull })), EINTR);
}

#[test]
fn a_signal_interrupts_a_send() {
    handle(libc::SIGUSR1, 0);
    let ctx = Ctx::new();
    let push = ctx.plain_socket(PUSH);
    assert_eq!(interrupted(libc::SIGUSR1, move || push.send("x").expect_err("EINTR")), EINTR);
}

#[test]
fn a_signal_interrupts_a_poll() {
    handle(libc::SIGUSR1, 0);
    let ctx = Ctx::new();
    let pull = ctx.plain_socket(PULL);
    let call = move || {
        let pull = pull;
        poll(&mut [pull.item(POLLIN)], -1).expect_err("EINTR")
    };
    assert_eq!(interrupted(libc::SIGUSR1, call), EINTR);
}

/// The threads of this process, with the signals that each blocks.
fn threads() -> Vec<(String, u64)> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("/proc");
    let mut threads = Vec::new();
    for task in tasks.flatten() {
        // A thread may end while it is looked at.
        let Ok(status) = std::fs::read_to_string(task.path().join("status")) else {
            continue;
        };
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        threads.push((task.file_name().to_string_lossy().into_owned(), mask.expect("a mask")));
    }
    threads
}

/// The library's threads block all signals, so that the application's threads take them.
///
/// Other tests start threads meanwhile: those that block nothing are theirs. The library's are
/// recognised by blocking what no Rust thread blocks; there must be some, of every new context.
#[test]
fn the_threads_of_the_library_block_signals() {
    let before: HashSet<_> = threads().into_iter().map(|(id, _)| id).collect();
    let ctx = Ctx::new();
    let socket = ctx.socket(PULL);
    socket.bind_to(Transport::Tcp);
    let blocks = |mask: u64| {
        [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGUSR1, libc::SIGCHLD, libc::SIGPIPE]
            .into_iter()
            .all(|signal| mask & (1 << (signal - 1)) != 0)
    };
    Sock::until(|| {
        let new = threads().into_iter().filter(|(id, _)| !before.contains(id));
        new.into_iter().any(|(_, mask)| blocks(mask)).then_some(())
    });
}
