//! What the engine makes of system calls that fail: the process lives, other connections go on,
//! and what failed does again as soon as the system lets it.

use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::sys::fault::{Call, Plan};
use crate::{Context, Error, Pull, Push, SocketType};

/// How long to wait for what has to happen. Only a failure takes that long.
const PATIENCE: Duration = Duration::from_secs(30);

const ALWAYS: usize = usize::MAX;

/// What system calls may say, whether or not the one at hand has it in its manual.
const ERRNOS: [Errno; 37] = [
    Errno::INTR,
    Errno::AGAIN,
    Errno::INPROGRESS,
    Errno::ALREADY,
    Errno::ISCONN,
    Errno::NETRESET,
    Errno::HOSTDOWN,
    Errno::DESTADDRREQ,
    Errno::MSGSIZE,
    Errno::NOPROTOOPT,
    Errno::EXIST,
    Errno::NOENT,
    Errno::LOOP,
    Errno::MFILE,
    Errno::NFILE,
    Errno::NOMEM,
    Errno::NOBUFS,
    Errno::NOSPC,
    Errno::BADF,
    Errno::INVAL,
    Errno::NOTSOCK,
    Errno::NOTCONN,
    Errno::FAULT,
    Errno::CONNRESET,
    Errno::CONNABORTED,
    Errno::CONNREFUSED,
    Errno::PIPE,
    Errno::TIMEDOUT,
    Errno::ACCESS,
    Errno::PERM,
    Errno::HOSTUNREACH,
    Errno::NETUNREACH,
    Errno::NETDOWN,
    Errno::PROTO,
    Errno::OPNOTSUPP,
    Errno::ADDRNOTAVAIL,
    Errno::IO,
];

fn bound(context: &Context) -> (Pull, String) {
    let pull = context.pull().expect("a socket");
    pull.bind("tcp://127.0.0.1:*").expect("a port");
    let endpoint = pull.last_endpoint().expect("an endpoint");
    (pull, endpoint)
}

fn connected(context: &Context, endpoint: &str) -> Push {
    let push = context.push().expect("a socket");
    push.set_linger(Some(Duration::ZERO)).expect("a linger time");
    push.as_socket().set_reconnect_interval(Some(Duration::from_millis(5))).expect("an interval");
    push.connect(endpoint).expect("a connection to come");
    push
}

/// A message that is sent comes through.
fn passes(push: &Push, pull: &Pull, what: &str) {
    push.send(what).expect("room");
    let message = pull.as_socket().recv_timeout(PATIENCE);
    assert_eq!(message.unwrap_or_else(|error| panic!("{what}: {error}")), what);
}

/// Messages come through again, though some may have been lost with their connection.
fn passes_again(push: &Push, pull: &Pull, what: &str) {
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < PATIENCE, "{what}: nothing comes through any more");
        let _ = push.try_send(what); // no room: then there is enough on its way
        match pull.as_socket().recv_timeout(Duration::from_millis(10)) {
            Ok(message) if message == what => return,
            Ok(_) | Err(Error::WouldBlock) => {}
            Err(error) => panic!("{what}: {error}"),
        }
    }
}

/// While `call` fails, a new connection cannot be made, and an old one goes on. When it does not
/// fail any more, the new connection comes about, and nothing that was sent to it is lost.
fn a_new_connection_waits_for(call: Call) {
    for errno in ERRNOS {
        let what = format!("{call:?} {errno:?}");
        let plan = Plan::install();
        let context = Context::new().expect("a context");
        let (pull, endpoint) = bound(&context);
        let old = connected(&context, &endpoint);
        passes(&old, &pull, &what);

        plan.fail(call, errno, ALWAYS);
        let new = connected(&context, &endpoint);
        new.send("new").expect("room");
        plan.wait_hits(call, 2);
        passes(&old, &pull, &what);

        plan.heal();
        let message = pull.as_socket().recv_timeout(PATIENCE);
        assert_eq!(message.unwrap_or_else(|error| panic!("{what}: {error}")), "new");
        passes(&new, &pull, &what);
        passes(&old, &pull, &what);
    }
}

#[test]
fn accepting_goes_on_when_it_can() {
    a_new_connection_waits_for(Call::Accept);
}

#[test]
fn an_accepted_connection_whose_peer_has_no_address_is_made_again() {
    a_new_connection_waits_for(Call::PeerAddress);
}

#[test]
fn connections_that_cannot_be_tuned_are_made_again() {
    a_new_connection_waits_for(Call::SetOption);
}

#[test]
fn connecting_is_tried_again_when_there_is_no_descriptor() {
    a_new_connection_waits_for(Call::Socket);
}

#[test]
fn connecting_is_tried_again_when_it_cannot_begin() {
    a_new_connection_waits_for(Call::Connect);
}

#[test]
fn connecting_is_tried_again_when_it_cannot_end() {
    a_new_connection_waits_for(Call::ConnectResult);
}

#[test]
fn a_connection_that_cannot_be_watched_is_tried_again() {
    a_new_connection_waits_for(Call::Watch);
}

#[test]
fn connections_that_cannot_be_let_out_of_sight_are_made() {
    for errno in ERRNOS {
        let plan = Plan::install();
        let context = Context::new().expect("a context");
        plan.fail(Call::Unwatch, errno, ALWAYS);
        let (pull, endpoint) = bound(&context);
        let push = connected(&context, &endpoint);
        passes(&push, &pull, "first");
        // The listener lets go of its descriptor for a while, and takes it again.
        plan.fail(Call::Accept, Errno::MFILE, 2);
        let late = connected(&context, &endpoint);
        passes(&late, &pull, "late");
        pull.as_socket().unbind(&endpoint).expect("it is bound");
        pull.bind(&endpoint).expect("the port is free");
        passes_again(&push, &pull, &format!("{errno:?}"));
    }
}

#[test]
fn a_name_that_no_thread_looks_up_is_looked_up_later() {
    for errno in ERRNOS {
        let plan = Plan::install();
        let context = Context::new().expect("a context");
        let (pull, endpoint) = bound(&context);
        plan.fail(Call::Spawn, errno, 2);
        let push = connected(&context, &endpoint.replace("127.0.0.1", "localhost"));
        push.send("by name").expect("room");
        let message = pull.as_socket().recv_timeout(PATIENCE);
        assert_eq!(message.unwrap_or_else(|error| panic!("{errno:?}: {error}")), "by name");
        assert_eq!(plan.hits(Call::Spawn), 2);
    }
}

#[test]
fn a_listener_that_cannot_be_watched_is_not_given_up() {
    for errno in ERRNOS {
        let plan = Plan::install();
        let context = Context::new().expect("a context");
        let other = context.pull().expect("a socket, and with it a thread");
        other.bind("tcp://127.0.0.1:*").expect("a port");
        plan.fail(Call::Watch, errno, 3);
        let (pull, endpoint) = bound(&context);
        let push = connected(&context, &endpoint);
        passes_again(&push, &pull, &format!("{errno:?}"));
    }
}

#[test]
fn a_thread_that_cannot_wait_goes_on_when_it_can_and_does_not_spin() {
    for errno in ERRNOS {
        let what = format!("{errno:?}");
        let plan = Plan::install();
        let context = Context::new().expect("a context");
        let (pull, endpoint) = bound(&context);
        let push = connected(&context, &endpoint);
        passes(&push, &pull, &what);
        let start = Instant::now();
        plan.fail(Call::Wait, errno, ALWAYS);
        push.send("meanwhile").expect("room");
        plan.wait_hits(Call::Wait, 3);
        let (hits, took) = (plan.hits(Call::Wait), start.elapsed());
        // A round per pause, and a few for what was to do. A signal is over with the call.
        let signal = errno == Errno::INTR;
        assert!(
            signal || hits < 10 + took.as_millis() as usize,
            "{what}: {hits} rounds in {took:?}"
        );
        plan.heal();
        let message = pull.as_socket().recv_timeout(PATIENCE);
        assert_eq!(message.unwrap_or_else(|error| panic!("{what}: {error}")), "meanwhile");
        passes(&push, &pull, &what);
    }
}

/// A connection that breaks since `call` fails once comes back, and another one does not notice.
fn a_broken_connection_comes_back(call: Call) {
    for errno in ERRNOS {
        let what = format!("{call:?} {errno:?}");
        let plan = Plan::install();
        let context = Context::new().expect("a context");
        let (pull, endpoint) = bound(&context);
        let push = connected(&context, &endpoint);
        passes(&push, &pull, &what);
        let (other_pull, other_endpoint) = bound(&context);
        let other_push = connected(&context, &other_endpoint);
        passes(&other_push, &other_pull, &what);
        plan.fail(call, errno, 1);
        push.send("lost or not").expect("room");
        plan.wait_hits(call, 1);
        passes(&other_push, &other_pull, &what);
        passes_again(&push, &pull, &what);
        // And when it goes on for a while.
        plan.fail(call, errno, 20);
        passes_again(&push, &pull, "again");
        passes_again(&other_push, &other_pull, "again");
    }
}

#[test]
fn a_connection_that_cannot_be_read_is_made_again() {
    a_broken_connection_comes_back(Call::Receive);
}

#[test]
fn a_connection_that_cannot_be_written_is_made_again() {
    a_broken_connection_comes_back(Call::Transmit);
}

/// Whether the kernel says that it lacks memory, which says nothing about the connection.
fn needs_memory(errno: Errno) -> bool {
    matches!(errno, Errno::NOMEM | Errno::NOSPC)
}

/// Fills a connection, so that both sides have to be watched for other things than before while
/// `Rewatch` fails. Returns what came through, in order.
fn fills_and_drains(errno: Errno) -> (Vec<u32>, u32) {
    let plan = Plan::install();
    let context = Context::new().expect("a context");
    let (pull, endpoint) = bound(&context);
    pull.as_socket().set_recv_hwm(10).expect("a mark");
    let push = connected(&context, &endpoint);
    passes(&push, &pull, "first");
    plan.fail(Call::Rewatch, errno, 4);
    let mut sent = 0_u32;
    // Enough for all that the kernel takes, and then some.
    let mut body = vec![0; 100_000];
    while plan.hits(Call::Rewatch) == 0 {
        body[..4].copy_from_slice(&sent.to_be_bytes());
        match push.try_send(body.as_slice()) {
            Ok(()) => sent += 1,
            Err(_) => std::thread::yield_now(),
        }
    }
    let mut came = Vec::new();
    // What is lost would be waited for in vain.
    let patience = if needs_memory(errno) { PATIENCE } else { Duration::from_millis(300) };
    let number = |message: &crate::Message| {
        u32::from_be_bytes(message.first()[..4].try_into().expect("four bytes"))
    };
    while let Ok(message) = pull.as_socket().recv_timeout(patience) {
        came.push(number(&message));
        if came.last() == Some(&(sent - 1)) {
            break;
        }
    }
    passes_again(&push, &pull, "after");
    (came, sent)
}

#[test]
fn a_connection_that_cannot_be_watched_for_writing_goes_on() {
    for errno in ERRNOS {
        let (came, sent) = fills_and_drains(errno);
        // What comes over a second connection need not come behind the rest of the first.
        if needs_memory(errno) {
            // The kernel lacks memory, the connection lacks nothing.
            assert_eq!(came, (0..sent).collect::<Vec<_>>(), "{errno:?}");
        }
    }
}

#[test]
fn binding_fails_with_what_the_system_says_and_can_be_tried_again() {
    let calls = [Call::Socket, Call::SetOption, Call::Bind, Call::Listen, Call::LocalAddress];
    for errno in ERRNOS {
        for call in calls {
            let plan = Plan::install();
            let context = Context::new().expect("a context");
            let pull = context.pull().expect("a socket");
            plan.fail(call, errno, 1);
            let refused = pull.bind("tcp://127.0.0.1:*");
            assert_eq!(refused, Err(Error::Os(errno.raw_os_error())), "{call:?}");
            pull.bind("tcp://127.0.0.1:*").expect("a port, this time");
            let endpoint = pull.last_endpoint().expect("an endpoint");
            if !matches!(call, Call::SetOption | Call::LocalAddress) {
                plan.fail(call, errno, 1);
                let refused = pull.bind("ipc://*");
                assert_eq!(refused, Err(Error::Os(errno.raw_os_error())), "{call:?}");
                pull.bind("ipc://*").expect("a path, this time");
            }
            passes(&connected(&context, &endpoint), &pull, &format!("{call:?} {errno:?}"));
        }
    }
}

#[test]
fn contexts_and_sockets_that_cannot_be_made_fail_and_can_be_tried_again() {
    for errno in ERRNOS {
        let os = Some(Error::Os(errno.raw_os_error()));
        let plan = Plan::install();
        plan.fail(Call::NewWake, errno, 1);
        assert_eq!(Context::new().err(), os);
        for call in [Call::NewPoll, Call::NewWake, Call::Watch, Call::Spawn] {
            let context = Context::with_io_threads(2).expect("a context");
            plan.fail(call, errno, 1);
            assert_eq!(context.socket(SocketType::Pull).err(), os, "{call:?}");
            let (pull, endpoint) = bound(&context);
            passes(&connected(&context, &endpoint), &pull, &format!("{call:?} {errno:?}"));
        }
        let context = Context::new().expect("a context");
        let (pull, endpoint) = bound(&context);
        plan.fail(Call::NewWake, errno, 1);
        assert_eq!(pull.as_socket().recv_timeout(Duration::from_millis(1)).err(), os);
        passes(&connected(&context, &endpoint), &pull, &format!("{errno:?}"));
    }
}

#[test]
fn ends_that_cannot_be_announced_are_ends_all_the_same() {
    for errno in ERRNOS {
        let what = format!("{errno:?}");
        let plan = Plan::install();
        let context = Context::new().expect("a context");
        let (pull, endpoint) = bound(&context);
        let push = connected(&context, &endpoint);
        passes(&push, &pull, &what);
        plan.fail(Call::Shutdown, errno, ALWAYS);
        push.as_socket().disconnect(&endpoint).expect("it is connected");
        plan.wait_hits(Call::Shutdown, 1);
        push.connect(&endpoint).expect("it can be connected again");
        passes_again(&push, &pull, &what);
        // A connection that cannot be written has to be ended, too.
        plan.fail(Call::Transmit, Errno::PIPE, 1);
        passes_again(&push, &pull, "again");
    }
}

#[test]
fn who_cannot_be_identified_is_not_let_in_until_then() {
    for errno in ERRNOS {
        let what = format!("{errno:?}");
        let plan = Plan::install();
        let context = Context::new().expect("a context");
        let pull = context.pull().expect("a socket");
        let group = rustix::process::getegid().as_raw().cast_signed();
        let filter = crate::options::numbers::IPC_FILTER_GID;
        pull.as_socket().set_option(filter, &group.to_ne_bytes()).expect("an option");
        pull.bind("ipc://*").expect("a path");
        let endpoint = pull.last_endpoint().expect("an endpoint");
        plan.fail(Call::PeerCredentials, errno, 3);
        let push = connected(&context, &endpoint);
        push.send(what.as_str()).expect("room");
        plan.wait_hits(Call::PeerCredentials, 3);
        passes_again(&push, &pull, &what);
    }
}

#[test]
fn descriptors_that_cannot_be_taken_over_stay_the_applications() {
    for errno in ERRNOS {
        let plan = Plan::install();
        let context = Context::new().expect("a context");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let endpoint = format!("tcp://{}", listener.local_addr().expect("an address"));
        let fd = std::os::fd::IntoRawFd::into_raw_fd(listener);
        let pull = context.pull().expect("a socket");
        let option = crate::options::numbers::USE_FD;
        pull.as_socket().set_option(option, &fd.to_ne_bytes()).expect("an option");
        plan.fail(Call::Adopt, errno, 1);
        assert_eq!(pull.bind(&endpoint), Err(Error::Os(errno.raw_os_error())));
        pull.bind(&endpoint).expect("the descriptor, this time");
        passes(&connected(&context, &endpoint), &pull, &format!("{errno:?}"));
    }
}

#[test]
fn calls_that_cannot_wait_fail_and_can_be_made_again() {
    for errno in ERRNOS {
        let what = format!("{errno:?}");
        let plan = Plan::install();
        let context = Context::new().expect("a context");
        let (pull, endpoint) = bound(&context);
        let push = connected(&context, &endpoint);
        passes(&push, &pull, &what);
        let failure = match errno {
            Errno::INTR => Error::Interrupted,
            other => Error::Os(other.raw_os_error()),
        };
        plan.fail(Call::PollDescriptors, errno, 1);
        let waited = pull.as_socket().recv_timeout(Duration::from_secs(10));
        assert_eq!(waited.err(), Some(failure.clone()), "recv");
        plan.fail(Call::PollDescriptors, errno, 1);
        let mut poller = crate::Poller::new();
        poller.add(&pull, crate::Poller::IN);
        assert_eq!(poller.wait(Some(Duration::from_secs(10))), Err(failure), "poll");
        passes(&push, &pull, &what);
    }
}

/// eventfd(2): these are the two calls that cannot fail but by a signal, or because what they
/// are to bring about is so already.
#[test]
fn wakes_that_are_interrupted_are_not_lost() {
    let plan = Plan::install();
    let context = Context::new().expect("a context");
    let (pull, endpoint) = bound(&context);
    let push = connected(&context, &endpoint);
    for round in 0..50 {
        plan.fail(Call::Ring, Errno::INTR, 3);
        plan.fail(Call::Hear, Errno::INTR, 3);
        passes(&push, &pull, &format!("{round}"));
    }
    assert!(plan.hits(Call::Ring) > 0 && plan.hits(Call::Hear) > 0, "{plan:?}");
    plan.fail(Call::Hear, Errno::AGAIN, 3);
    passes(&push, &pull, "nothing to hear");
}

#[test]
fn interfaces_that_cannot_be_listed_are_not_there() {
    for errno in ERRNOS {
        let plan = Plan::install();
        let context = Context::new().expect("a context");
        let pull = context.pull().expect("a socket");
        plan.fail(Call::Interfaces, errno, 1);
        assert_eq!(pull.bind("tcp://lo:*"), Err(Error::NoSuchDevice));
        pull.bind("tcp://lo:*").expect("a port, this time");
        let endpoint = pull.last_endpoint().expect("an endpoint");
        passes(&connected(&context, &endpoint), &pull, &format!("{errno:?}"));
    }
}

/// The test that lets a kind of call fail. What is added has to be added here, too.
fn tested_by(call: Call) -> &'static str {
    match call {
        Call::Socket => "connecting_is_tried_again_when_there_is_no_descriptor",
        Call::Bind | Call::Listen | Call::LocalAddress => {
            "binding_fails_with_what_the_system_says_and_can_be_tried_again"
        }
        Call::Connect => "connecting_is_tried_again_when_it_cannot_begin",
        Call::ConnectResult => "connecting_is_tried_again_when_it_cannot_end",
        Call::Accept => "accepting_goes_on_when_it_can",
        Call::Receive => "a_connection_that_cannot_be_read_is_made_again",
        Call::Transmit => "a_connection_that_cannot_be_written_is_made_again",
        Call::SetOption => "connections_that_cannot_be_tuned_are_made_again",
        Call::Shutdown => "ends_that_cannot_be_announced_are_ends_all_the_same",
        Call::PeerCredentials => "who_cannot_be_identified_is_not_let_in_until_then",
        Call::Adopt => "descriptors_that_cannot_be_taken_over_stay_the_applications",
        Call::PeerAddress => "an_accepted_connection_whose_peer_has_no_address_is_made_again",
        Call::NewPoll | Call::NewWake => {
            "contexts_and_sockets_that_cannot_be_made_fail_and_can_be_tried_again"
        }
        Call::Watch => "a_connection_that_cannot_be_watched_is_tried_again",
        Call::Rewatch => "a_connection_that_cannot_be_watched_for_writing_goes_on",
        Call::Unwatch => "connections_that_cannot_be_let_out_of_sight_are_made",
        Call::Wait => "a_thread_that_cannot_wait_goes_on_when_it_can_and_does_not_spin",
        Call::PollDescriptors => "calls_that_cannot_wait_fail_and_can_be_made_again",
        Call::Ring | Call::Hear => "wakes_that_are_interrupted_are_not_lost",
        Call::Interfaces => "interfaces_that_cannot_be_listed_are_not_there",
        Call::Spawn => "a_name_that_no_thread_looks_up_is_looked_up_later",
    }
}

#[test]
fn every_kind_of_call_is_made_to_fail() {
    let source = include_str!("tests.rs");
    for call in Call::ALL {
        let test = format!("\nfn {}() {{", tested_by(call));
        assert!(source.contains(&test), "{call:?}: there is no test {test}");
    }
}
