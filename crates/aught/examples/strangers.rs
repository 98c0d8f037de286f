//! Measures what a crowd of connections that say nothing, or do not finish their handshake, costs
//! an honest client: the round trips of one that is alone with the server, and of the same one
//! while the crowd stands around, in turns.
//!
//! ```text
//! cargo run --release --package aught --example strangers [-- STRANGERS [ROUNDS [EXCHANGES]]]
//! ```
//!
//! Each round compares the 99th percentile among the crowd with the one alone, which were measured
//! one right after the other. What counts is the median of these ratios. Whatever else the machine
//! does makes single rounds worthless, so that more are made until it is all but certain that the
//! median is below the bound, or until ROUNDS were made or a mechanism's time is over. Ends with an
//! error if it is all but certain then that the 99th percentile grows by a tenth or more; what is
//! not certain is printed, and is no error of the library's on a machine that does other things.
//!
//! That the client is served at all is tested in `tests/hostile`.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use aught::curve::KeyPair;
use aught::{AuthRules, Context, Rep, Req, Socket};
use rustix::process::{Resource, getrlimit, setrlimit};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What the crowd may make of the 99th percentile.
const TOLERATED: f64 = 1.1;

/// How many rounds are made at least.
const ROUNDS: usize = 8;

/// How long one mechanism may take.
const TIME: Duration = Duration::from_secs(16);

/// How long anything may take that has to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the two sides speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mechanism {
    Null,
    Plain,
    Curve,
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Plain => "PLAIN",
            Self::Curve => "CURVE",
        }
    }

    fn prepare(self, server: &Socket, client: &Socket) -> Result<()> {
        match self {
            Self::Null => {}
            Self::Plain => {
                server.set_plain_server(true)?;
                server.set_authenticator(AuthRules::new().user("client", "secret"));
                client.set_plain_client("client", "secret")?;
            }
            Self::Curve => {
                let (server_keys, client_keys) = (KeyPair::generate()?, KeyPair::generate()?);
                server.set_curve_server(&server_keys)?;
                server.set_authenticator(AuthRules::new().key(*client_keys.public(), "client"));
                client.set_curve_client(&client_keys, server_keys.public())?;
            }
        }
        Ok(())
    }

    /// How far the crowd gets, in turn: nowhere, into the greeting, behind it, into a command.
    fn beginnings(self) -> [Vec<u8>; 4] {
        let mut greeting = [0; 64];
        greeting[0] = 0xff;
        greeting[9] = 0x7f;
        greeting[10] = 3;
        greeting[12..12 + self.name().len()].copy_from_slice(self.name().as_bytes());
        let command: &[u8] = match self {
            Self::Null => b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x03",
            Self::Plain => b"\x04\x13\x05HELLO\x06client\x06sec",
            Self::Curve => b"\x04\xc8\x05HELLO\x01\0",
        };
        let half = [&greeting[..], command].concat();
        [Vec::new(), greeting[..20].to_vec(), greeting.to_vec(), half]
    }
}

/// Round-trip times of one kind, sorted.
struct Times(Vec<Duration>);

impl Times {
    /// In microseconds.
    fn percentile(&self, percent: usize) -> f64 {
        let at = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    }
}

/// On which side of the bound a median is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Unclear,
    Bad,
}

/// The median of what was found, and between which of the values the true one is, all but
/// certainly, whatever the values are distributed like.
struct Median {
    value: f64,
    from: f64,
    to: f64,
}

impl Median {
    fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |at: usize| sorted.get(at).copied().unwrap_or(f64::NAN);
        // Each value is below the true median or not, like a coin: 2.6 deviations on either side
        // are 99 of 100 cases.
        let half = sorted.len() as f64 / 2.0;
        let rank = (half - 1.3 * (sorted.len() as f64).sqrt()).floor().max(0.0) as usize;
        let last = sorted.len().saturating_sub(1);
        Self { value: at(sorted.len() / 2), from: at(rank), to: at(last.saturating_sub(rank)) }
    }

    fn verdict(&self) -> Verdict {
        match (self.to < TOLERATED, self.from < TOLERATED) {
            (true, _) => Verdict::Good,
            (false, true) => Verdict::Unclear,
            (false, false) => Verdict::Bad,
        }
    }
}

/// Answers until it is told to end.
fn serve(server: &Rep) -> Result<()> {
    loop {
        let request = server.recv()?;
        let last = request == "end";
        server.send(request)?;
        if last {
            return Ok(());
        }
    }
}

fn exchange(client: &Req, times: usize) -> Result<Times> {
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let start = Instant::now();
        client.send("request")?;
        client.recv()?;
        taken.push(start.elapsed());
    }
    taken.sort();
    Ok(Times(taken))
}

/// Connections that get as far as each of the beginnings, in turn. All have been let in.
fn crowd(endpoint: &str, count: usize, mechanism: Mechanism) -> Result<Vec<TcpStream>> {
    let address = endpoint.trim_start_matches("tcp://");
    let beginnings = mechanism.beginnings();
    let mut crowd = Vec::with_capacity(count);
    for beginning in beginnings.iter().cycle().take(count) {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(beginning)?;
        crowd.push(stream);
    }
    for stream in &mut crowd {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.read_exact(&mut [0])?; // of the server's greeting
    }
    Ok(crowd)
}

/// How many descriptors this process has.
fn descriptors() -> Result<usize> {
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}

/// Room for both ends of all connections.
fn make_room(strangers: usize) -> Result<()> {
    let needed = 2 * strangers as u64 + 100;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        limit.current = Some(needed);
        setrlimit(Resource::Nofile, limit)
            .map_err(|error| format!("{needed} descriptors are needed: {error}"))?;
    }
    Ok(())
}

/// Says how it went for one mechanism, and whether it went well.
fn measure(mechanism: Mechanism, strangers: usize, rounds: usize, times: usize) -> Result<bool> {
    let (near, far) = (Context::new()?, Context::new()?);
    let (server, client) = (near.rep()?, far.req()?);
    mechanism.prepare(server.as_socket(), client.as_socket())?;
    // ZMQ_BACKLOG, and ZMQ_HANDSHAKE_IVL: the crowd is to stay until it is told to go.
    server.as_socket().set_option(19, &4096_i32.to_ne_bytes())?;
    server.as_socket().set_option(66, &0_i32.to_ne_bytes())?;
    server.bind("tcp://127.0.0.1:*")?;
    let endpoint = server.last_endpoint()?;
    client.connect(&endpoint)?;
    let serving = std::thread::spawn(move || serve(&server).map_err(|error| error.to_string()));
    exchange(&client, times)?;
    let own = descriptors()?;
    let start = Instant::now();
    let (mut alone, mut among, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let ratio = loop {
        // Whoever is first has an advantage, or not: in turns.
        let first = ratios.len() % 2 == 0;
        for crowded in [first, !first] {
            let count = if crowded { strangers } else { 0 };
            let crowd = crowd(&endpoint, count, mechanism)?;
            exchange(&client, times / 10)?;
            let found = exchange(&client, times)?;
            drop(crowd);
            if crowded { &mut among } else { &mut alone }.push(found);
            let left = Instant::now();
            while descriptors()? > own {
                exchange(&client, 10)?;
                if left.elapsed() > PATIENCE {
                    return Err("the server does not let go of who has left".into());
                }
            }
        }
        let last = |times: &[Times]| times.last().map_or(f64::NAN, |times| times.percentile(99));
        ratios.push(last(&among) / last(&alone));
        let ratio = Median::of(&ratios);
        let is_over = ratios.len() >= rounds || start.elapsed() > TIME;
        // Whoever looks often enough finds anything once: only what is good ends this early.
        if is_over || (ratios.len() >= ROUNDS && ratio.verdict() == Verdict::Good) {
            break ratio;
        }
    };
    client.send("end")?;
    client.recv()?;
    serving.join().map_err(|_| "the server panicked")??;
    let of = |times: &[Times], percent| {
        Median::of(&times.iter().map(|times| times.percentile(percent)).collect::<Vec<_>>()).value
    };
    say(&format!(
        "{:<5} alone: p50 {:6.1} us, p99 {:6.1} us   among {strangers}: p50 {:6.1} us, p99 {:6.1} \
         us   p99 x {:.2}, between {:.2} and {:.2} after {} rounds: {:?}",
        mechanism.name(),
        of(&alone, 50),
        of(&alone, 99),
        of(&among, 50),
        of(&among, 99),
        ratio.value,
        ratio.from,
        ratio.to,
        ratios.len(),
        ratio.verdict(),
    ));
    Ok(ratio.verdict() != Verdict::Bad)
}

#[expect(clippy::print_stdout, reason = "the figures are this program's output")]
fn say(line: &str) {
    println!("{line}");
}

fn main() -> Result<ExitCode> {
    let numbers: std::result::Result<Vec<usize>, _> =
        std::env::args().skip(1).map(|text| text.parse()).collect();
    let numbers = numbers.map_err(|_| "usage: strangers [STRANGERS [ROUNDS [EXCHANGES]]]")?;
    let number = |at: usize, otherwise| numbers.get(at).copied().unwrap_or(otherwise).max(1);
    let (strangers, rounds, times) = (number(0, 1000), number(1, 100), number(2, 3000));
    make_room(strangers)?;
    let mut good = true;
    for mechanism in [Mechanism::Null, Mechanism::Plain, Mechanism::Curve] {
        good &= measure(mechanism, strangers, rounds, times)?;
    }
    if !good {
        say("the crowd slows an honest client down by a tenth or more");
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
