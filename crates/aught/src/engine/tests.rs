//! What the engine makes of system calls that fail: the process lives, other connections go on,
//! and what failed does again as soon as the system lets it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::options::numbers;
use crate::sys::barrier;
use crate::sys::fault::{Call, Plan};
use crate::sys::thread::spawn;
use crate::{Context, Error, Pull, Push, SocketType, raw};

/// How long to wait for what has to happen. Only a failure takes that long.
const PATIENCE: Duration = Duration::from_secs(30);

const ALWAYS: usize = usize::MAX;

/// What system calls may say, whether or not the one at hand has it in its manual.
const ERRNOS: [Errno; 48] = [
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
    Errno::ADDRINUSE,
    Errno::AFNOSUPPORT,
    Errno::NODEV,
    Errno::PROTONOSUPPORT,
    Errno::PROTOTYPE,
    Errno::NONET,
    Errno::NOTDIR,
    Errno::ISDIR,
    Errno::NAMETOOLONG,
    Errno::NOTEMPTY,
    Errno::ROFS,
];

/// Plays `body` for every number that `call` may fail with, and sees that it did fail with it.
fn with_every_errno(call: Call, body: fn(Call, Errno, &Plan)) {
    for errno in ERRNOS {
        let plan = Plan::install();
        body(call, errno, &plan);
        assert!(plan.injected(call, errno), "{call:?} was not made to fail with {errno:?}");
    }
}

/// A test for each line: what is played for every number that each of the calls may fail with.
macro_rules! failing_calls {
    ($($name:ident: $($call:ident),+ => $body:ident;)*) => {
        $(
            #[test]
            fn $name() {
                $(with_every_errno(Call::$call, $body);)+
            }
        )*

        /// No kind of call is without a line: this does not compile, then.
        const _: fn(Call) = |call| match call {
            $($(Call::$call)|+ => {})*
        };
    };
}

failing_calls! {
    accepting_goes_on_when_it_can: Accept => a_new_connection_waits_for;
    an_accepted_connection_whose_peer_has_no_address_is_made_again:
        PeerAddress => a_new_connection_waits_for;
    connections_that_cannot_be_tuned_are_made_again: SetOption => a_new_connection_waits_for;
    connecting_is_tried_again_when_there_is_no_descriptor: Socket => a_new_connection_waits_for;
    connecting_is_tried_again_when_it_cannot_begin: Connect => a_new_connection_waits_for;
    connecting_is_tried_again_when_it_cannot_end: ConnectResult => a_new_connection_waits_for;
    a_connection_that_cannot_be_watched_is_tried_again: Watch => a_new_connection_waits_for;
    connections_that_cannot_be_let_out_of_sight_are_made: Unwatch => unwatched;
    a_thread_that_cannot_wait_goes_on_when_it_can_and_does_not_spin: Wait => no_wait;
    a_connection_that_cannot_be_read_is_made_again: Receive => a_broken_connection_comes_back;
    a_connection_that_cannot_be_written_is_made_again: Transmit => a_broken_connection_comes_back;
    a_connection_that_cannot_be_watched_for_writing_goes_on: Rewatch => fills_and_drains;
    binding_fails_with_what_the_system_says_and_can_be_tried_again:
        Bind, Listen, LocalAddress => a_refused_bind_can_be_tried_again;
    contexts_and_sockets_that_cannot_be_made_fail_and_can_be_tried_again:
        NewPoll, NewWake => a_refused_socket_can_be_tried_again;
    ends_that_cannot_be_announced_are_ends_all_the_same: Shutdown => unannounced;
    who_cannot_be_identified_is_not_let_in_until_then: PeerCredentials => unidentified;
    whose_groups_cannot_be_read_has_one: ReadProcess => unidentified;
    descriptors_that_cannot_be_taken_over_stay_the_applications: Adopt => not_taken_over;
    calls_that_cannot_wait_fail_and_can_be_made_again: PollDescriptors => no_poll;
    wakes_that_fail_now_and_then_are_not_lost: Ring, Hear => wakes_get_through;
    interfaces_that_cannot_be_listed_are_not_there: Interfaces => no_interfaces;
    a_name_that_no_thread_looks_up_is_looked_up_later: Spawn => a_name_is_looked_up_later;
    a_name_that_cannot_be_looked_up_is_looked_up_again: LookUp => a_name_is_looked_up_later;
    threads_that_cannot_be_scheduled_are_not_started:
        Schedule, Nice, Affinity => unscheduled;
    sockets_work_without_barriers: RegisterBarrier => without_barriers;
    barriers_that_fail_once_they_were_there_do_no_harm: Barrier => without_barriers;
    a_path_that_cannot_be_looked_at_is_not_taken_over_and_its_file_stays:
        LookAtFile => a_file_that_stays_is_taken_over_later;
    a_file_that_cannot_be_removed_is_taken_over_when_it_can:
        RemoveFile => a_file_that_stays_is_taken_over_later;
    a_path_without_a_directory_is_not_bound: MakeDirectory => no_directory;
    a_directory_that_cannot_be_removed_stays: RemoveDirectory => a_directory_stays;
}

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
fn a_new_connection_waits_for(call: Call, errno: Errno, plan: &Plan) {
    let what = format!("{call:?} {errno:?}");
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

fn unwatched(call: Call, errno: Errno, plan: &Plan) {
    let context = Context::new().expect("a context");
    plan.fail(call, errno, ALWAYS);
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

fn a_name_is_looked_up_later(call: Call, errno: Errno, plan: &Plan) {
    let context = Context::new().expect("a context");
    let (pull, endpoint) = bound(&context);
    plan.fail(call, errno, 2);
    let push = connected(&context, &endpoint.replace("127.0.0.1", "localhost"));
    push.send("by name").expect("room");
    let message = pull.as_socket().recv_timeout(PATIENCE);
    assert_eq!(message.unwrap_or_else(|error| panic!("{errno:?}: {error}")), "by name");
    assert_eq!(plan.hits(call), 2);
}

/// A connection that says nothing, once the socket has accepted it.
fn silent(endpoint: &str, monitor: &mut crate::Monitor) -> std::net::TcpStream {
    let address = endpoint.strip_prefix("tcp://").expect("tcp");
    let stream = std::net::TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let accepted = |kind| matches!(kind, crate::EventKind::Accepted(_));
    while !accepted(monitor.next_timeout(PATIENCE).expect("an event").kind) {}
    stream
}

/// Waits until the socket hangs up.
fn is_parted(mut stream: &std::net::TcpStream) {
    let mut greeting = [0; 64];
    while std::io::Read::read(&mut stream, &mut greeting).expect("an end") > 0 {}
}

#[test]
fn unfinished_handshakes_make_room_when_the_system_has_none() {
    for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS] {
        let what = format!("{errno:?}");
        let plan = Plan::install();
        let context = Context::with_io_threads(2).expect("a context");
        let (pull, endpoint) = bound(&context);
        let old = connected(&context, &endpoint);
        passes(&old, &pull, &what);
        let mut monitor = pull.as_socket().monitor().expect("a monitor");
        let strangers = [(); 3].map(|()| silent(&endpoint, &mut monitor));
        let start = Instant::now();
        plan.fail(Call::Accept, errno, ALWAYS);
        let late = connected(&context, &endpoint);
        late.send("late").expect("room");
        strangers.iter().for_each(is_parted);
        plan.wait_hits(Call::Accept, 7);
        // Two calls for each of them, and then there is a pause, since it has not helped.
        let (hits, took) = (plan.hits(Call::Accept), start.elapsed());
        assert!(took > Duration::from_millis(200), "{what}: they go slowly, not within {took:?}");
        assert!(hits < 7 + took.as_millis() as usize / 20, "{what}: {hits} calls in {took:?}");
        passes(&old, &pull, &what);
        assert_eq!(pull.as_socket().incident_counts().limited_system, 3, "{what}");
        plan.heal();
        let message = pull.as_socket().recv_timeout(PATIENCE);
        assert_eq!(message.unwrap_or_else(|error| panic!("{what}: {error}")), "late");
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

fn no_wait(call: Call, errno: Errno, plan: &Plan) {
    let what = format!("{errno:?}");
    let context = Context::new().expect("a context");
    let (pull, endpoint) = bound(&context);
    let push = connected(&context, &endpoint);
    passes(&push, &pull, &what);
    let start = Instant::now();
    plan.fail(call, errno, ALWAYS);
    push.send("meanwhile").expect("room");
    plan.wait_hits(call, 3);
    let (hits, took) = (plan.hits(call), start.elapsed());
    // A round per pause, and a few for what was to do. A signal is over with the call.
    let signal = errno == Errno::INTR;
    assert!(signal || hits < 10 + took.as_millis() as usize, "{what}: {hits} rounds in {took:?}");
    plan.heal();
    let message = pull.as_socket().recv_timeout(PATIENCE);
    assert_eq!(message.unwrap_or_else(|error| panic!("{what}: {error}")), "meanwhile");
    passes(&push, &pull, &what);
}

/// A connection that breaks since `call` fails once comes back, and another one does not notice.
fn a_broken_connection_comes_back(call: Call, errno: Errno, plan: &Plan) {
    let what = format!("{call:?} {errno:?}");
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

/// Whether the kernel says that it lacks memory, which says nothing about the connection.
fn needs_memory(errno: Errno) -> bool {
    matches!(errno, Errno::NOMEM | Errno::NOSPC)
}

/// Fills a connection, so that both sides have to be watched for other things than before while
/// `call` fails. What is lost is lost with its connection, and not for a lack of memory.
fn fills_and_drains(call: Call, errno: Errno, plan: &Plan) {
    let context = Context::new().expect("a context");
    let (pull, endpoint) = bound(&context);
    pull.as_socket().set_recv_hwm(10).expect("a mark");
    let push = connected(&context, &endpoint);
    passes(&push, &pull, "first");
    plan.fail(call, errno, 4);
    let mut sent = 0_u32;
    // Enough for all that the kernel takes, and then some.
    let mut body = vec![0; 100_000];
    while plan.hits(call) == 0 {
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
    // What comes over a second connection need not come behind the rest of the first.
    if needs_memory(errno) {
        // The kernel lacks memory, the connection lacks nothing.
        assert_eq!(came, (0..sent).collect::<Vec<_>>(), "{errno:?}");
    }
}

fn a_refused_bind_can_be_tried_again(call: Call, errno: Errno, plan: &Plan) {
    let what = format!("{call:?} {errno:?}");
    let number = Err(errno.raw_os_error());
    let context = Context::new().expect("a context");
    let pull = context.pull().expect("a socket");
    plan.fail(call, errno, 1);
    let refused = pull.bind("tcp://127.0.0.1:*").map_err(|error| error.errno());
    assert_eq!(refused, number, "{what}");
    pull.bind("tcp://127.0.0.1:*").expect("a port, this time");
    let endpoint = pull.last_endpoint().expect("an endpoint");
    if !matches!(call, Call::SetOption | Call::LocalAddress) {
        plan.fail(call, errno, 1);
        let refused = pull.bind("ipc://*").map_err(|error| error.errno());
        assert_eq!(refused, number, "{what}");
        pull.bind("ipc://*").expect("a path, this time");
    }
    passes(&connected(&context, &endpoint), &pull, &what);
}

#[test]
fn binding_fails_for_want_of_a_descriptor_that_is_as_it_should() {
    with_every_errno(Call::Socket, a_refused_bind_can_be_tried_again);
    with_every_errno(Call::SetOption, a_refused_bind_can_be_tried_again);
}

fn a_refused_socket_can_be_tried_again(call: Call, errno: Errno, plan: &Plan) {
    let what = format!("{call:?} {errno:?}");
    let os = Some(Error::Os(errno.raw_os_error()));
    let context = Context::with_io_threads(2).expect("a context");
    plan.fail(call, errno, 1);
    assert_eq!(context.socket(SocketType::Pull).err(), os, "{what}");
    let (pull, endpoint) = bound(&context);
    passes(&connected(&context, &endpoint), &pull, &what);
}

#[test]
fn sockets_whose_threads_cannot_be_made_fail_and_can_be_tried_again() {
    with_every_errno(Call::Watch, a_refused_socket_can_be_tried_again);
    with_every_errno(Call::Spawn, a_refused_socket_can_be_tried_again);
}

#[test]
fn contexts_and_calls_without_a_descriptor_fail_and_can_be_tried_again() {
    with_every_errno(Call::NewWake, |call, errno, plan| {
        let os = Some(Error::Os(errno.raw_os_error()));
        plan.fail(call, errno, 1);
        assert_eq!(Context::new().err(), os);
        let context = Context::new().expect("a context");
        let (pull, endpoint) = bound(&context);
        plan.fail(call, errno, 1);
        assert_eq!(pull.as_socket().recv_timeout(Duration::from_millis(1)).err(), os);
        passes(&connected(&context, &endpoint), &pull, &format!("{errno:?}"));
    });
}

fn unannounced(call: Call, errno: Errno, plan: &Plan) {
    let what = format!("{errno:?}");
    let context = Context::new().expect("a context");
    let (pull, endpoint) = bound(&context);
    let push = connected(&context, &endpoint);
    passes(&push, &pull, &what);
    plan.fail(call, errno, ALWAYS);
    push.as_socket().disconnect(&endpoint).expect("it is connected");
    plan.wait_hits(call, 1);
    push.connect(&endpoint).expect("it can be connected again");
    passes_again(&push, &pull, &what);
    // A connection that cannot be written has to be ended, too.
    plan.fail(Call::Transmit, Errno::PIPE, 1);
    passes_again(&push, &pull, "again");
}

fn unidentified(call: Call, errno: Errno, plan: &Plan) {
    let what = format!("{errno:?}");
    let context = Context::new().expect("a context");
    let pull = context.pull().expect("a socket");
    let group = rustix::process::getegid().as_raw().cast_signed();
    let filter = numbers::IPC_FILTER_GID;
    pull.as_socket().set_option(filter, &group.to_ne_bytes()).expect("an option");
    pull.bind("ipc://*").expect("a path");
    let endpoint = pull.last_endpoint().expect("an endpoint");
    plan.fail(call, errno, 3);
    let push = connected(&context, &endpoint);
    push.send(what.as_str()).expect("room");
    // Without the list of its groups a peer still has the one that it runs as.
    plan.wait_hits(call, if call == Call::ReadProcess { 1 } else { 3 });
    passes_again(&push, &pull, &what);
}

fn not_taken_over(call: Call, errno: Errno, plan: &Plan) {
    let context = Context::new().expect("a context");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("tcp://{}", listener.local_addr().expect("an address"));
    let fd = std::os::fd::IntoRawFd::into_raw_fd(listener);
    let pull = context.pull().expect("a socket");
    let option = numbers::USE_FD;
    pull.as_socket().set_option(option, &fd.to_ne_bytes()).expect("an option");
    plan.fail(call, errno, 1);
    let refused = pull.bind(&endpoint).map_err(|error| error.errno());
    assert_eq!(refused, Err(errno.raw_os_error()));
    pull.bind(&endpoint).expect("the descriptor, this time");
    passes(&connected(&context, &endpoint), &pull, &format!("{errno:?}"));
}

fn no_poll(call: Call, errno: Errno, plan: &Plan) {
    let what = format!("{errno:?}");
    let context = Context::new().expect("a context");
    let (pull, endpoint) = bound(&context);
    let push = connected(&context, &endpoint);
    passes(&push, &pull, &what);
    let failure = match errno {
        Errno::INTR => Error::Interrupted,
        other => Error::Os(other.raw_os_error()),
    };
    plan.fail(call, errno, 1);
    let waited = pull.as_socket().recv_timeout(Duration::from_secs(10));
    assert_eq!(waited.err(), Some(failure.clone()), "recv");
    plan.fail(call, errno, 1);
    let mut poller = crate::Poller::new();
    poller.add(&pull, crate::Poller::IN);
    assert_eq!(poller.wait(Some(Duration::from_secs(10))), Err(failure), "poll");
    passes(&push, &pull, &what);
}

/// Nobody repeats a wake-up: the call that fails has to be made again where it was made.
fn wakes_get_through(call: Call, errno: Errno, plan: &Plan) {
    let context = Context::new().expect("a context");
    let (pull, endpoint) = bound(&context);
    let push = connected(&context, &endpoint);
    plan.fail(call, errno, 20);
    let start = Instant::now();
    while plan.hits(call) == 0 {
        passes(&push, &pull, &format!("{call:?} {errno:?}"));
        assert!(start.elapsed() < PATIENCE, "nobody is woken by {call:?}");
    }
    passes(&push, &pull, &format!("{call:?} {errno:?}"));
}

fn no_interfaces(call: Call, errno: Errno, plan: &Plan) {
    let context = Context::new().expect("a context");
    let pull = context.pull().expect("a socket");
    plan.fail(call, errno, 1);
    assert_eq!(pull.bind("tcp://lo:*"), Err(Error::NoSuchDevice));
    // The number that a scope stands for is asked for otherwise.
    pull.as_socket().set_ipv6(true).expect("an option");
    plan.fail(call, errno, 2);
    assert_eq!(pull.bind("tcp://[::1%lo]:*"), Err(Error::NoSuchDevice));
    assert!(plan.hits(call) > 0, "{errno:?}");
    plan.heal();
    pull.as_socket().set_ipv6(false).expect("an option");
    pull.bind("tcp://lo:*").expect("a port, this time");
    let endpoint = pull.last_endpoint().expect("an endpoint");
    passes(&connected(&context, &endpoint), &pull, &format!("{errno:?}"));
}

/// A pair of sockets of the raw interface whose threads are scheduled as `set` says, which fails.
fn unscheduled(call: Call, errno: Errno, plan: &Plan) {
    let what = format!("{call:?} {errno:?}");
    let context = raw::Context::new().expect("a context");
    let (option, value, undo) = match call {
        Call::Schedule => (numbers::THREAD_SCHED_POLICY, libc::SCHED_BATCH, None),
        // The highest nice value takes a privilege that we may not have.
        Call::Nice => (numbers::THREAD_PRIORITY, 1, Some((numbers::THREAD_PRIORITY, 0))),
        // Nor need this processor be ours.
        _ => (numbers::THREAD_AFFINITY_CPU_ADD, 0, Some((numbers::THREAD_AFFINITY_CPU_REMOVE, 0))),
    };
    context.set(option, value).expect("an option");
    plan.fail(call, errno, 1);
    let refused = context.socket(PULL).map(drop);
    assert_eq!(refused, Err(Error::Os(errno.raw_os_error())), "{what}");
    if let Some((option, value)) = undo {
        context.set(option, value).expect("an option");
    }
    let (pull, push) = raw_pair(&context);
    push.send_bytes(b"scheduled", 0).expect("room");
    receives(&pull, b"scheduled", &what);
}

const PULL: i32 = 7;
const PUSH: i32 = 8;

fn raw_pair(context: &raw::Context) -> (raw::Socket, raw::Socket) {
    let pull = context.socket(PULL).expect("a socket");
    let push = context.socket(PUSH).expect("a socket");
    pull.bind("inproc://pair").expect("a name");
    push.connect("inproc://pair").expect("a peer");
    (pull, push)
}

fn receives(pull: &raw::Socket, expected: &[u8], what: &str) {
    let mut part = raw::Part::new();
    pull.recv(&mut part, 0).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(part.as_slice(), expected, "{what}");
}

/// Threads take turns with a socket that each has used for long enough to get it for itself.
fn without_barriers(call: Call, errno: Errno, plan: &Plan) {
    if !barrier::available() {
        // There is nothing to fail: say so to the plan, which wants to see it.
        plan.fail(call, errno, 1);
        assert!(crate::sys::fault::check(call).is_err());
        return;
    }
    let what = format!("{call:?} {errno:?}");
    let context = raw::Context::new().expect("a context");
    let (pull, push) = raw_pair(&context);
    plan.fail(call, errno, ALWAYS);
    let uses = |push: raw::Socket| {
        move || (0..100).for_each(|_| push.send_bytes(b"turn", 0).map(drop).expect("room"))
    };
    uses(push.clone())();
    let other = spawn("other".to_owned(), uses(push.clone())).expect("a thread");
    other.join().expect("no panic");
    uses(push)();
    (0..300).for_each(|_| receives(&pull, b"turn", &what));
}

/// Paths of local sockets in a directory that goes with its test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let name = format!("aught-faults-{}-{}", std::process::id(), super::next_id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("a directory");
        Self(path)
    }

    fn endpoint(&self, name: &str) -> String {
        format!("ipc://{}", self.0.join(name).display())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn a_file_that_stays_is_taken_over_later(call: Call, errno: Errno, plan: &Plan) {
    let what = format!("{call:?} {errno:?}");
    let directory = Directory::new();
    let context = Context::new().expect("a context");
    let (pull, other) = (context.pull().expect("a socket"), context.pull().expect("a socket"));
    let endpoint = directory.endpoint("taken");
    pull.bind(&endpoint).expect("a path");
    plan.fail(call, errno, 1);
    let refused = other.bind(&endpoint).map_err(|error| error.errno());
    assert_eq!(refused, Err(libc::EADDRINUSE), "{what}");
    passes(&connected(&context, &endpoint), &pull, &what);

    // A file that is not known to be ours, or cannot be removed, does not keep anybody out.
    plan.fail(call, errno, ALWAYS);
    let endpoint = directory.endpoint("left");
    other.bind(&endpoint).expect("a path");
    other.as_socket().unbind(&endpoint).expect("it is bound");
    plan.wait_hits(call, 1);
    plan.heal();
    assert!(directory.0.join("left").exists(), "{what}");
    other.bind(&endpoint).expect("the path is taken over");
    passes(&connected(&context, &endpoint), &other, &what);
}

fn no_directory(call: Call, errno: Errno, plan: &Plan) {
    let context = Context::new().expect("a context");
    let pull = context.pull().expect("a socket");
    plan.fail(call, errno, 1);
    let bound = pull.bind("ipc://*").map_err(|error| error.errno());
    // Somebody has a directory of that name: there are other names.
    let expected = if errno == Errno::EXIST { Ok(()) } else { Err(errno.raw_os_error()) };
    assert_eq!(bound, expected, "{errno:?}");
    pull.bind("ipc://*").expect("a path, this time");
    let endpoint = pull.last_endpoint().expect("an endpoint");
    passes(&connected(&context, &endpoint), &pull, &format!("{errno:?}"));
}

fn a_directory_stays(call: Call, errno: Errno, plan: &Plan) {
    let context = Context::new().expect("a context");
    let pull = context.pull().expect("a socket");
    plan.fail(call, errno, 1);
    pull.bind("ipc://*").expect("a path");
    let endpoint = pull.last_endpoint().expect("an endpoint");
    pull.as_socket().unbind(&endpoint).expect("it is bound");
    plan.wait_hits(call, 1);
    let path = PathBuf::from(endpoint.trim_start_matches("ipc://"));
    std::fs::remove_dir(path.parent().expect("its directory")).expect("it is there and empty");
    pull.bind("ipc://*").expect("another path");
    let endpoint = pull.last_endpoint().expect("an endpoint");
    passes(&connected(&context, &endpoint), &pull, &format!("{errno:?}"));
}
