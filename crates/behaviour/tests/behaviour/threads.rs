//! What the options of a context make of its I/O threads (zmq_ctx_set(3)), as /proc shows them:
//! how many, their names, their scheduling, their processors. And what a context's options do to
//! its sockets.

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::sync::atomic::{AtomicI32, Ordering};

/// Four digits that no other test uses, so that names tell whose thread it is.
fn prefix() -> i32 {
    static NEXT: AtomicI32 = AtomicI32::new(1000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A thread of this process.
struct Thread {
    stat: Vec<String>,
    processors: String,
}

impl Thread {
    /// A field of proc_pid_stat(5) by its number there.
    fn field(&self, number: usize) -> i64 {
        self.stat[number - 3].parse().expect("a number")
    }

    fn nice(&self) -> i64 {
        self.field(19)
    }

    fn priority(&self) -> i64 {
        self.field(40)
    }

    fn policy(&self) -> i64 {
        self.field(41)
    }
}

/// The thread with a name, as soon as there is one.
fn named(name: &str) -> Thread {
    Sock::until(|| find(name))
}

fn find(name: &str) -> Option<Thread> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("procfs");
    // Threads of other tests come and go.
    tasks.filter_map(Result::ok).find_map(|task| {
        let read = |file: &str| std::fs::read_to_string(task.path().join(file)).ok();
        if read("comm")?.trim_end() != name {
            return None;
        }
        let stat = read("stat")?;
        let (_, fields) = stat.rsplit_once(')')?;
        let status = read("status")?;
        let processors = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
        Some(Thread {
            stat: fields.split_whitespace().map(str::to_owned).collect(),
            processors: processors.trim().to_owned(),
        })
    })
}

/// A context whose first I/O thread is shown once it looks as it should. (The reference schedules
/// a thread after it has named it, or before.)
fn first_thread(options: &[(i32, i32)], as_it_should: impl Fn(&Thread) -> bool) {
    let ctx = Ctx::new();
    let prefix = prefix();
    ctx.set(THREAD_NAME_PREFIX, prefix).expect("THREAD_NAME_PREFIX");
    for &(option, value) in options {
        ctx.set(option, value).expect("the option");
    }
    let _socket = ctx.socket(PULL);
    let name = format!("{prefix}/ZMQbg/IO/0");
    Sock::until(|| as_it_should(&named(&name)).then_some(()));
}

/// The nice value that threads of this process start with.
fn own_nice() -> i64 {
    // SAFETY: the call only returns a number.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }.into()
}

/// Whether this process may raise the priority of a thread.
fn may_raise() -> bool {
    let probe = std::thread::spawn(|| {
        let [wanted, none] = [1, 0].map(|sched_priority| libc::sched_param { sched_priority });
        // SAFETY: both calls concern this thread, which ends here.
        unsafe {
            libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const wanted) == 0
                && libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const none) == 0
                && libc::setpriority(libc::PRIO_PROCESS, 0, -20) == 0
        }
    });
    probe.join().expect("join")
}

#[test]
fn io_threads_are_counted_and_named() {
    let ctx = Ctx::new();
    let prefix = prefix();
    ctx.set(THREAD_NAME_PREFIX, prefix).expect("THREAD_NAME_PREFIX");
    ctx.set(IO_THREADS, 3).expect("IO_THREADS");
    assert!(find(&format!("{prefix}/ZMQbg/IO/0")).is_none(), "before the first socket");
    let socket = ctx.socket(PULL);
    for index in 0..3 {
        let thread = named(&format!("{prefix}/ZMQbg/IO/{index}"));
        assert_eq!((thread.policy(), thread.nice()), (0, own_nice()));
    }
    assert!(find(&format!("{prefix}/ZMQbg/IO/3")).is_none());
    drop(socket);
    ctx.term().expect("term");
    Sock::until(|| find(&format!("{prefix}/ZMQbg/IO/0")).is_none().then_some(()));
}

#[test]
fn without_a_prefix_the_name_stands_alone() {
    let ctx = Ctx::new();
    let _socket = ctx.socket(PULL);
    named("ZMQbg/IO/0");
}

#[test]
fn the_scheduling_policy_is_applied() {
    first_thread(&[(THREAD_SCHED_POLICY, libc::SCHED_BATCH)], |thread| {
        (thread.policy(), thread.nice()) == (libc::SCHED_BATCH.into(), own_nice())
    });
    first_thread(&[(THREAD_SCHED_POLICY, libc::SCHED_IDLE)], |thread| {
        thread.policy() == libc::SCHED_IDLE.into()
    });
}

#[test]
fn a_real_time_policy_takes_its_priority() {
    if !may_raise() {
        return;
    }
    for policy in [libc::SCHED_FIFO, libc::SCHED_RR] {
        let options = [(THREAD_SCHED_POLICY, policy), (THREAD_PRIORITY, 7)];
        first_thread(&options, |thread| (thread.policy(), thread.priority()) == (policy.into(), 7));
    }
}

/// zmq_ctx_set(3): policies without priorities use the nice value instead.
#[test]
fn a_priority_without_a_real_time_policy_is_the_nice_value() {
    if !may_raise() {
        return;
    }
    // The reference goes 20 steps from where it is, which is the end of the scale or near it.
    let raised = |thread: &Thread| thread.nice() <= own_nice().max(0) - 20;
    first_thread(&[(THREAD_PRIORITY, 5)], |thread| thread.policy() == 0 && raised(thread));
    let batch = [(THREAD_SCHED_POLICY, libc::SCHED_BATCH), (THREAD_PRIORITY, 5)];
    first_thread(&batch, |thread| thread.policy() == libc::SCHED_BATCH.into() && raised(thread));
}

#[test]
fn processors_are_added_and_removed() {
    // What this process may use itself: the first processor of its list.
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let list = list.expect("a list").trim();
    let numbers: Vec<i32> =
        list.split([',', '-']).map(|number| number.parse().expect("a processor")).collect();
    let (one, other) = (numbers[0], numbers[numbers.len() - 1]);
    first_thread(&[(THREAD_AFFINITY_CPU_ADD, one)], |thread| thread.processors == one.to_string());
    if one == other {
        return;
    }
    let moved = [
        (THREAD_AFFINITY_CPU_ADD, one),
        (THREAD_AFFINITY_CPU_ADD, other),
        (THREAD_AFFINITY_CPU_REMOVE, one),
    ];
    first_thread(&moved, |thread| thread.processors == other.to_string());
}

/// ZMQ_BLOCKY: without it, sockets do not linger unless they are told to.
#[test]
fn sockets_of_a_context_that_is_not_blocky_do_not_linger() {
    let ctx = Ctx::new();
    ctx.set(BLOCKY, 0).expect("BLOCKY");
    let socket = ctx.plain_socket(PUSH);
    assert_eq!(socket.get(LINGER), Ok(0));
    let (port, _holder) = bound_port();
    socket.connect(&format!("tcp://127.0.0.1:{port}")).expect("connect");
    socket.send("never sent").expect("send");
    socket.close().expect("close");
    let start = std::time::Instant::now();
    ctx.term().expect("term");
    assert!(start.elapsed().as_secs() < 10);
    let ctx = Ctx::new();
    assert_eq!(ctx.plain_socket(PUSH).get(LINGER), Ok(-1));
}

/// ZMQ_MAX_MSGSZ is kept, and nobody enforces it.
#[test]
fn max_msgsz_does_not_stop_messages() {
    let ctx = Ctx::new();
    ctx.set(MAX_MSGSZ, 10).expect("MAX_MSGSZ");
    for transport in [Transport::Inproc, Transport::Tcp] {
        let [pull, push] = [PULL, PUSH].map(|kind| ctx.socket(kind));
        push.connect(&pull.bind_to(transport)).expect("connect");
        push.send([7; 11]).expect("send");
        pull.expect([7; 11]);
    }
}
