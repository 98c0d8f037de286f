//! Measures what a crowd of connections that say nothing, or do not finish their handshake, costs
//! an honest client: the round trips of one that is alone with the server, and of the same one
//! while the crowd stands around, in turns.
//!
//! ```text
//! cargo run --release --package aught --example strangers [-- STRANGERS [ROUNDS [EXCHANGES]]]
//! ```
//!
//! Prints the medians over all rounds, and ends with an error if the 99th percentile grows by a
//! tenth or more. That the client is served at all is tested in `tests/hostile`.

use std::error::Error;
use std::io::Write;
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use aught::curve::KeyPair;
use aught::{AuthRules, Context, Rep, Req};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What the crowd may add to the 99th percentile.
const TOLERATED: f64 = 1.1;

/// Round-trip times of one kind, sorted.
struct Times(Vec<Duration>);

impl Times {
    fn percentile(&self, percent: usize) -> f64 {
        let at = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
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

/// Connections that get as far as each of the beginnings, in turn.
fn crowd(endpoint: &str, count: usize, mechanism: &str) -> Result<Vec<TcpStream>> {
    let address = endpoint.trim_start_matches("tcp://");
    let mut greeting = [0; 64];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[12..12 + mechanism.len()].copy_from_slice(mechanism.as_bytes());
    let half_a_command = [&greeting[..], b"\x04\xc8\x05HELLO\x01\0"].concat();
    let beginnings = [&[][..], &greeting[..20], &greeting, &half_a_command];
    (0..count)
        .map(|number| {
            let mut stream = TcpStream::connect(address)?;
            stream.write_all(beginnings[number % beginnings.len()])?;
            Ok(stream)
        })
        .collect()
}

/// Says how it went for one mechanism, and whether it went well.
fn measure(mechanism: &str, strangers: usize, rounds: usize, times: usize) -> Result<bool> {
    let (server_keys, client_keys) = (KeyPair::generate()?, KeyPair::generate()?);
    let (near, far) = (Context::new()?, Context::new()?);
    let (server, client) = (near.rep()?, far.req()?);
    if mechanism == "CURVE" {
        server.as_socket().set_curve_server(&server_keys)?;
        let rules = AuthRules::new().key(*client_keys.public(), "client");
        server.as_socket().set_authenticator(rules);
        client.as_socket().set_curve_client(&client_keys, server_keys.public())?;
    }
    // ZMQ_BACKLOG
    server.as_socket().set_option(19, &4096_i32.to_ne_bytes())?;
    server.bind("tcp://127.0.0.1:*")?;
    let endpoint = server.last_endpoint()?;
    client.connect(&endpoint)?;
    let serving = std::thread::spawn(move || serve(&server).map_err(|error| error.to_string()));
    exchange(&client, times)?;
    let (mut alone, mut among) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // Whoever is first has an advantage, or not: in turns.
        for crowded in [round % 2 == 0, round % 2 == 1] {
            let crowd = match crowded {
                true => crowd(&endpoint, strangers, mechanism)?,
                false => Vec::new(),
            };
            exchange(&client, times / 10)?; // until all have been let in, or have left
            let found = exchange(&client, times)?;
            drop(crowd);
            if crowded { &mut among } else { &mut alone }.push(found);
            exchange(&client, times / 10)?;
        }
    }
    client.send("end")?;
    client.recv()?;
    serving.join().map_err(|_| "the server panicked")??;
    let of = |times: &[Times], percent| {
        median(times.iter().map(|times| times.percentile(percent)).collect())
    };
    let ratio = of(&among, 99) / of(&alone, 99);
    say(&format!(
        "{mechanism:<6} alone: p50 {:6.1} us, p99 {:6.1} us   among {strangers}: p50 {:6.1} us, \
         p99 {:6.1} us   p99 x {ratio:.2}",
        of(&alone, 50),
        of(&alone, 99),
        of(&among, 50),
        of(&among, 99),
    ));
    Ok(ratio < TOLERATED)
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
    let (strangers, rounds, times) = (number(0, 1000), number(1, 15), number(2, 10_000));
    let mut good = true;
    for mechanism in ["NULL", "CURVE"] {
        good &= measure(mechanism, strangers, rounds, times)?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
