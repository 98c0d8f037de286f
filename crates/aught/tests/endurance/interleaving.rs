//! Random programs of few lines: open, bind, connect, send, monitor, close in any order. However
//! one ends, its context ends in time.

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aught::{Context, Monitor, Socket, SocketType};

use crate::alone::{alone, descriptors, tell, threads};
use crate::times;

const KINDS: [SocketType; 12] = [
    SocketType::Pair,
    SocketType::Pub,
    SocketType::Sub,
    SocketType::Req,
    SocketType::Rep,
    SocketType::Dealer,
    SocketType::Router,
    SocketType::Pull,
    SocketType::Push,
    SocketType::Xpub,
    SocketType::Xsub,
    SocketType::Stream,
];

/// Numbers that a seed repeats (the splitmix64 sequence).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// Peers that are none: one listens and never accepts, one accepts and hangs up.
struct Dead {
    endpoints: Vec<String>,
    _mute: TcpListener,
}

impl Dead {
    fn new() -> Self {
        let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
        let rude = TcpListener::bind("127.0.0.1:0").expect("a port");
        let endpoints = vec![
            format!("tcp://{}", mute.local_addr().expect("an address")),
            format!("tcp://{}", rude.local_addr().expect("an address")),
            "tcp://127.0.0.1:1".to_owned(),
            "tcp://localhost:1".to_owned(),
            "ipc:///nonexistent/aught".to_owned(),
            "inproc://nobody".to_owned(),
        ];
        std::thread::spawn(move || rude.incoming().flatten().for_each(drop::<TcpStream>));
        Self { endpoints, _mute: mute }
    }
}

struct Program {
    random: Random,
    linger: Duration,
    sockets: Vec<Socket>,
    monitors: Vec<Monitor>,
    live: Vec<String>,
    said: Vec<String>,
}

impl Program {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        // Most end at once; some linger a little.
        let linger = Duration::from_millis([0, 0, 0, 0, 0, 0, 0, 30][random.below(8)]);
        Self { random, linger, sockets: vec![], monitors: vec![], live: vec![], said: vec![] }
    }

    /// Runs the program. Returns how long its context took to end.
    fn run(&mut self, dead: &Dead) -> Duration {
        let context = Context::new().expect("a context");
        for _ in 0..3 + self.random.below(20) {
            self.step(&context, dead);
        }
        if self.random.below(4) == 0 {
            context.shutdown();
        }
        let start = Instant::now();
        self.monitors.clear();
        self.sockets.clear();
        drop(context);
        start.elapsed()
    }

    fn step(&mut self, context: &Context, dead: &Dead) {
        let step = self.random.below(16);
        if self.sockets.is_empty() || step < 3 {
            let kind = *self.random.of(&KINDS);
            let socket = context.socket(kind).expect("a socket");
            socket.set_linger(Some(self.linger)).expect("a linger time");
            let every = Duration::from_millis(1 + self.random.below(20) as u64);
            socket.set_reconnect_interval(Some(every)).expect("an interval");
            if kind == SocketType::Sub {
                socket.subscribe(b"").expect("a subscription");
            }
            self.said.push(format!("open {kind:?}"));
            self.sockets.push(socket);
            return;
        }
        let at = self.random.below(self.sockets.len());
        let socket = &self.sockets[at];
        match step {
            3..=5 => {
                let name = format!("inproc://{}", self.random.below(3));
                let endpoint = *self.random.of(&["tcp://127.0.0.1:*", "ipc://*", name.as_str()]);
                self.said.push(format!("{at} bind {endpoint}"));
                if socket.bind(endpoint).is_ok() {
                    self.live.push(socket.last_endpoint().expect("an endpoint"));
                }
            }
            6..=8 => {
                let to_live = !self.live.is_empty() && self.random.below(4) != 0;
                let endpoint = self.random.of(if to_live { &self.live } else { &dead.endpoints });
                self.said.push(format!("{at} connect {endpoint}"));
                // A socket may refuse to connect to itself over inproc, or twice.
                let _ = socket.connect(endpoint);
            }
            9..=12 => {
                self.said.push(format!("{at} send"));
                let size = *self.random.of(&[0, 1, 100, 10_000, 300_000]);
                for _ in 0..1 + self.random.below(5) {
                    // Many a type has no peer or no right to send now.
                    let _ = socket.try_send(vec![7; size]);
                }
            }
            13 => {
                self.said.push(format!("{at} receive"));
                let _ = socket.try_recv();
            }
            14 => {
                self.said.push(format!("{at} monitor"));
                self.monitors.push(socket.monitor().expect("a monitor"));
            }
            _ if self.random.below(2) == 0 => {
                self.said.push(format!("{at} close"));
                drop(self.sockets.swap_remove(at));
            }
            _ => {
                self.said.push(format!("{at} let go"));
                let endpoint = socket.last_endpoint().expect("an endpoint");
                let _ = socket.unbind(&endpoint); // it may have been let go before
            }
        }
    }
}

fn run(seed: u64, dead: &Dead) -> Duration {
    let mut program = Program::new(seed);
    let took = program.run(dead);
    let limit = program.linger + Duration::from_secs(1);
    assert!(
        took < limit,
        "AUGHT_SEED={seed}: ending took {took:?}, linger {:?}: {:#?}",
        program.linger,
        program.said
    );
    took
}

#[test]
fn contexts_end_in_time_whatever_came_before() {
    alone("interleaving::contexts_end_in_time_whatever_came_before", || {
        let dead = Dead::new();
        if let Ok(seed) = std::env::var("AUGHT_SEED") {
            run(seed.parse().expect("a number"), &dead);
            return;
        }
        let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let first = time.expect("a clock after 1970").as_nanos() as u64;
        let count = times(40_000, 100_000);
        let (fds, tasks) = (descriptors(), threads());
        let next = AtomicUsize::new(0);
        let start = Instant::now();
        let longest = std::thread::scope(|scope| {
            let work = || {
                let mut longest = Duration::ZERO;
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return longest;
                    }
                    longest = longest.max(run(first.wrapping_add(index as u64), &dead));
                }
            };
            let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .map(|worker| match worker.join() {
                    Ok(longest) => longest,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .max()
                .unwrap_or_default()
        });
        let (fds_after, tasks_after) = (descriptors(), threads());
        assert!(fds_after <= fds + 8, "{fds} descriptors became {fds_after}");
        assert!(tasks_after <= tasks + 4, "{tasks} threads became {tasks_after}");
        tell(&format!(
            "figures: {count} programs in {:?}, the longest end took {longest:?}",
            start.elapsed()
        ));
    });
}
