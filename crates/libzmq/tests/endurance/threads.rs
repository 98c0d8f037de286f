//! Sockets and contexts that several threads use at once.

use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::c::{
    Ctx, DONTWAIT, ETERM, EVENTS, Errno, FD, LINGER, PAIR, POLLIN, PULL, PUSH, RCVTIMEO, REP, REQ,
    SNDHWM, SNDTIMEO, Sock, poll, watchdog,
};
use crate::times;

const NOT_A_SOCKET: Errno = Errno(libc::ENOTSOCK);
const TERMINATED: Errno = Errno(ETERM);
const WOULD_BLOCK: Errno = Errno(libc::EAGAIN);

/// Runs `call` on a thread of its own and `meanwhile` once that thread sleeps in it, or, every
/// other time, without waiting for that. Returns what the call returned.
fn under<T: Send>(round: usize, call: impl FnOnce() -> T + Send, meanwhile: impl FnOnce()) -> T {
    let id = AtomicI32::new(0);
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| {
            // SAFETY: it only asks for a number.
            id.store(unsafe { libc::gettid() }, Ordering::SeqCst);
            call()
        });
        while id.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        if round.is_multiple_of(2) {
            wait_until_asleep(id.load(Ordering::SeqCst));
        }
        meanwhile();
        caller.join().expect("the call returns")
    })
}

/// Waits until a thread sleeps in the kernel. It may have ended, too.
fn wait_until_asleep(id: i32) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        let stat = std::fs::read_to_string(format!("/proc/self/task/{id}/stat"));
        let Ok(stat) = stat else { return };
        if stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" S")) {
            return;
        }
        std::thread::yield_now();
    }
    panic!("the thread does not sleep");
}

#[test]
fn closing_a_socket_ends_the_calls_that_wait_on_it() {
    let _guard = watchdog("closing under calls");
    let context = Ctx::new();
    for round in 0..times(300, 20_000) {
        let socket = context.socket(PULL).expect("a socket");
        let result = under(
            round,
            || socket.recv(0),
            || {
                socket.close().expect("it is open");
            },
        );
        assert_eq!(result, Err(NOT_A_SOCKET), "recv in round {round}");

        let socket = context.socket(PULL).expect("a socket");
        let result = under(
            round,
            || poll(&[socket], -1),
            || {
                socket.close().expect("it is open");
            },
        );
        assert_eq!(result, Err(NOT_A_SOCKET), "poll in round {round}");

        let socket = context.socket(PUSH).expect("a socket");
        let result = under(
            round,
            || socket.send(b"nobody", 0),
            || {
                socket.close().expect("it is open");
            },
        );
        assert_eq!(result, Err(NOT_A_SOCKET), "send in round {round}");
    }
    context.term().expect("all is closed");
}

#[test]
fn closing_wakes_every_call_that_waits() {
    let _guard = watchdog("closing under many calls");
    let context = Ctx::new();
    for round in 0..times(100, 5_000) {
        let socket = context.socket(PULL).expect("a socket");
        std::thread::scope(|scope| {
            let calls: Vec<_> = (0..6)
                .map(|index| {
                    scope.spawn(move || match index % 3 {
                        0 => poll(&[socket], -1).map(|_| ()),
                        _ => socket.recv(0).map(|_| ()),
                    })
                })
                .collect();
            let other = context.socket(PAIR).expect("a socket");
            other.close().expect("it is open");
            socket.close().expect("it is open");
            for call in calls {
                let result = call.join().expect("the call returns");
                assert_eq!(result, Err(NOT_A_SOCKET), "round {round}");
            }
        });
    }
    context.term().expect("all is closed");
}

#[test]
fn one_of_many_closes_wins() {
    let _guard = watchdog("many closes");
    let context = Ctx::new();
    for round in 0..times(500, 20_000) {
        let socket = context.socket(REP).expect("a socket");
        socket.bind("inproc://closed-by-many").expect("the name is free again");
        let closed = std::thread::scope(|scope| {
            let closers: Vec<_> = (0..4).map(|_| scope.spawn(|| socket.close())).collect();
            let results = closers.into_iter().map(|closer| closer.join().expect("it returns"));
            results.filter(|result| result.is_ok()).count()
        });
        assert_eq!(closed, 1, "round {round}");
        assert_eq!(socket.recv(DONTWAIT), Err(NOT_A_SOCKET));
    }
    context.term().expect("all is closed");
}

#[test]
fn the_end_of_a_context_ends_the_calls_that_wait() {
    let _guard = watchdog("ending under calls");
    for round in 0..times(200, 10_000) {
        let context = Ctx::new();
        let socket = context.socket(PULL).expect("a socket");
        socket.set(LINGER, 0).expect("an option");
        if round % 3 == 0 {
            socket.bind("tcp://127.0.0.1:*").expect("a port");
        }
        let result = under(
            round,
            || {
                let result = match round % 4 {
                    0 | 1 => socket.recv(0).map(|_| ()),
                    _ => poll(&[socket], -1).map(|_| ()),
                };
                socket.close().expect("a socket is always closed");
                result
            },
            || {
                if round % 5 == 0 {
                    context.shutdown().expect("a context");
                }
                context.term().expect("the other thread closes its socket");
            },
        );
        assert_eq!(result, Err(TERMINATED), "round {round}");
        assert!(context.term().is_err(), "a context that is gone");
    }
}

#[test]
fn a_context_that_is_ended_by_many_ends_once_and_wakes_all() {
    let _guard = watchdog("many ends");
    for round in 0..times(200, 10_000) {
        let context = Ctx::new();
        let socket = context.socket(PULL).expect("a socket");
        std::thread::scope(|scope| {
            let enders: Vec<_> = (0..3).map(|_| scope.spawn(|| context.term())).collect();
            let user = scope.spawn(|| {
                let result = socket.recv(0);
                socket.close().expect("it is open");
                result
            });
            assert_eq!(user.join().expect("it returns"), Err(TERMINATED), "round {round}");
            let results = enders.into_iter().map(|ender| ender.join().expect("it returns"));
            assert!(results.filter(|result| result.is_ok()).count() >= 1, "round {round}");
        });
    }
}

#[test]
fn a_context_ends_while_sockets_are_made() {
    let _guard = watchdog("ending while making");
    for round in 0..times(100, 5_000) {
        let context = Ctx::new();
        let result = under(
            1,
            || loop {
                match context.socket(PUSH) {
                    Ok(socket) => {
                        socket.set(LINGER, 0).or_else(ignore_end).expect("an option");
                        socket.connect("tcp://127.0.0.1:1").or_else(ignore_end).expect("room");
                        socket.close().expect("it is open");
                    }
                    Err(error) => return error,
                }
            },
            || {
                for _ in 0..round % 10 {
                    std::thread::yield_now();
                }
                context.term().expect("it ends");
            },
        );
        // Before the end, and after it.
        assert!(result == TERMINATED || result == Errno(libc::EFAULT), "{result:?}");
    }
}

fn ignore_end(error: Errno) -> Result<i32, Errno> {
    if error == TERMINATED { Ok(0) } else { Err(error) }
}

#[test]
fn many_receivers_of_one_socket_get_each_message_once() {
    let _guard = watchdog("many receivers");
    let context = Ctx::new();
    let count = times(20_000, 1_000_000);
    for endpoint in ["inproc://many", "tcp://127.0.0.1:*"] {
        let pull = context.socket(PULL).expect("a socket");
        pull.bind(endpoint).expect("an endpoint");
        let push = context.socket(PUSH).expect("a socket");
        push.connect(&pull.last_endpoint().expect("an endpoint")).expect("a connection");
        let seen: Vec<_> = (0..count).map(|_| AtomicUsize::new(0)).collect();
        let left = AtomicUsize::new(count);
        std::thread::scope(|scope| {
            for index in 0..4 {
                let (seen, left) = (&seen, &left);
                scope.spawn(move || {
                    loop {
                        if index == 0 && poll(&[pull], -1).is_err() {
                            return;
                        }
                        let flags = if index == 0 { DONTWAIT } else { 0 };
                        match pull.recv(flags) {
                            Ok(data) => {
                                let number: [u8; 8] = data.try_into().expect("eight bytes");
                                seen[usize::from_ne_bytes(number)].fetch_add(1, Ordering::Relaxed);
                                if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                                    pull.close().expect("it is open");
                                }
                            }
                            Err(WOULD_BLOCK) => {}
                            Err(error) => {
                                assert_eq!(error, NOT_A_SOCKET);
                                return;
                            }
                        }
                    }
                });
            }
            for number in 0..count {
                push.send(&number.to_ne_bytes(), 0).expect("room");
                // Now and then all are asleep.
                if number % 512 == 0 {
                    while left.load(Ordering::SeqCst) > count - number {
                        std::thread::yield_now();
                    }
                }
            }
        });
        assert!(seen.iter().all(|seen| seen.load(Ordering::Relaxed) == 1), "{endpoint}");
        push.close().expect("it is open");
    }
    context.term().expect("all is closed");
}

#[test]
fn many_senders_of_one_socket_lose_nothing() {
    let _guard = watchdog("many senders");
    let context = Ctx::new();
    let count = times(20_000, 500_000);
    for endpoint in ["inproc://senders", "tcp://127.0.0.1:*"] {
        let pull = context.socket(PULL).expect("a socket");
        pull.bind(endpoint).expect("an endpoint");
        let push = context.socket(PUSH).expect("a socket");
        // Full most of the time, so that the senders wait for room.
        push.set(SNDHWM, 10).expect("an option");
        push.connect(&pull.last_endpoint().expect("an endpoint")).expect("a connection");
        let mut seen = vec![0; 4 * count / 4];
        std::thread::scope(|scope| {
            for sender in 0..4 {
                scope.spawn(move || {
                    for number in (sender..count).step_by(4) {
                        push.send(&number.to_ne_bytes(), 0).expect("room, in time");
                    }
                });
            }
            for _ in 0..count {
                let number: [u8; 8] = pull.recv(0).expect("a message").try_into().expect("8");
                seen[usize::from_ne_bytes(number)] += 1;
            }
        });
        assert!(seen.iter().all(|seen| *seen == 1), "{endpoint}");
        assert_eq!(pull.recv(DONTWAIT), Err(WOULD_BLOCK));
        push.close().expect("it is open");
        pull.close().expect("it is open");
    }
    context.term().expect("all is closed");
}

#[test]
fn a_socket_that_is_waited_on_takes_other_calls() {
    let _guard = watchdog("other calls");
    let context = Ctx::new();
    for round in 0..times(200, 10_000) {
        let pull = context.socket(PULL).expect("a socket");
        let result = under(
            round,
            || pull.recv(0),
            || {
                assert_eq!(pull.recv(DONTWAIT), Err(WOULD_BLOCK));
                assert_eq!(pull.send(b"", DONTWAIT), Err(Errno(libc::ENOTSUP)));
                assert_eq!(pull.get(EVENTS), Ok(0));
                assert!(pull.get(FD).is_ok());
                pull.set(RCVTIMEO, 60_000).expect("an option");
                assert_eq!(poll(&[pull], 0), Ok(0));
                pull.bind("inproc://waited-on").expect("the name is free");
                pull.monitor("inproc://watched").expect("the name is free");
                let push = context.socket(PUSH).expect("a socket");
                push.connect("inproc://waited-on").expect("a connection");
                push.send(b"at last", 0).expect("room");
                push.close().expect("it is open");
            },
        );
        assert_eq!(result.as_deref(), Ok(&b"at last"[..]), "round {round}");
        pull.close().expect("it is open");
    }
    context.term().expect("all is closed");
}

/// Numbers that a seed repeats (the splitmix64 sequence).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One call of a thread that does anything with anybody's sockets.
fn anything(context: Ctx, sockets: &[Sock], state: &mut u64) {
    let socket = sockets[(random(state) % sockets.len() as u64) as usize];
    // Whatever it returns: it returns.
    let _ = match random(state) % 16 {
        0..=3 => socket.send(b"something", 0).is_ok(),
        4..=6 => socket.recv(0).is_ok(),
        7 => poll(sockets, 5).is_ok(),
        8 => socket.recv(DONTWAIT).is_ok(),
        9 => socket.bind("tcp://127.0.0.1:*").is_ok(),
        10 => socket.last_endpoint().is_ok_and(|endpoint| sockets[0].connect(&endpoint).is_ok()),
        11 => socket.last_endpoint().is_ok_and(|endpoint| socket.unbind(&endpoint).is_ok()),
        12 => socket.get(EVENTS).is_ok_and(|events| events & i32::from(POLLIN) != 0),
        13 => socket.monitor("inproc://anything").is_ok(),
        14 if random(state).is_multiple_of(8) => socket.close().is_ok(),
        14 => socket.set(SNDHWM, 5).is_ok(),
        _ => context.socket(PAIR).is_ok_and(|socket| socket.close().is_ok()),
    };
}

#[test]
fn threads_that_do_anything_with_shared_sockets_all_end() {
    let _guard = watchdog("anything");
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let first = time.expect("a clock after 1970").as_nanos() as u64;
    for round in 0..times(150, 20_000) {
        let seed = first.wrapping_add(round as u64);
        let context = Ctx::new();
        let sockets: Vec<_> = [PUSH, PULL, REQ, REP, PAIR]
            .into_iter()
            .map(|kind| {
                let socket = context.socket(kind).expect("a socket");
                for (option, value) in [(LINGER, 0), (SNDTIMEO, 2), (RCVTIMEO, 2)] {
                    socket.set(option, value).expect("an option");
                }
                socket
            })
            .collect();
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|worker| {
                    let sockets = &sockets;
                    scope.spawn(move || {
                        let mut state = seed ^ (worker << 56);
                        (0..20).for_each(|_| anything(context, sockets, &mut state));
                    })
                })
                .collect();
            for worker in workers {
                assert!(worker.join().is_ok(), "seed {seed}");
            }
        });
        for socket in &sockets {
            let _ = socket.close(); // one of the threads may have done so
        }
        let start = Instant::now();
        context.term().expect("all is closed");
        let took = start.elapsed();
        assert!(took < Duration::from_secs(1), "seed {seed}: ending took {took:?}");
    }
}
