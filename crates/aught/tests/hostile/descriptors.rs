//! More silent connections than a server's process may have descriptors. The server is a process
//! of its own: here, whoever is silent would take as many descriptors as whoever serves.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aught::{Context, Req};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::alone::{descriptors, processor_time, tell};
use crate::stranger::Stranger;
use crate::{EXCHANGE, PATIENCE};

/// How many descriptors the server may have.
const FEW: u64 = 64;
/// How many say nothing.
const CROWD: usize = 200;
/// Says to a process that it is the server: how many threads it has, and where it is bound.
const SERVER: &str = "AUGHT_HOSTILE_SERVER";
/// What the server says before its endpoint.
const BOUND: &str = "bound: ";

/// Answers requests until nobody wants it any more, which is when the other process ends it.
fn serve(how: &str) {
    let (threads, endpoint) = how.split_once(' ').expect("two words");
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(FEW);
    setrlimit(Resource::Nofile, limit).expect("less is always allowed");
    let threads = threads.parse().expect("a number");
    let rep = Context::with_io_threads(threads).expect("a context").rep().expect("a socket");
    // ZMQ_BACKLOG: those who come faster than they are let in would wait for a second.
    rep.as_socket().set_option(19, &4096_i32.to_ne_bytes()).expect("an option");
    rep.bind(endpoint).expect("an endpoint");
    let endpoint = rep.last_endpoint().expect("an endpoint");
    let mut out = std::io::stdout();
    writeln!(out, "{BOUND}{endpoint}").and_then(|()| out.flush()).expect("somebody who reads");
    loop {
        let request = rep.recv().expect("a request");
        let reply = if request == "limited" {
            rep.as_socket().incident_counts().limited_system.to_string()
        } else if request == "busy" {
            processor_time().as_micros().to_string()
        } else if request == "descriptors" {
            descriptors().to_string()
        } else {
            "reply".to_owned()
        };
        rep.send(reply.as_str()).expect("somebody who asked");
    }
}

/// The other process, which ends with this.
struct Server {
    child: Child,
    endpoint: String,
}

impl Server {
    fn start(name: &str, how: &str) -> Self {
        let own = std::env::current_exe().expect("the path of this program");
        let mut child = Command::new(own)
            .args(["--exact", name, "--nocapture", "--test-threads=1"])
            .env(SERVER, how)
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts once more");
        let said = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut lines = said.lines().map(|line| line.expect("text"));
        let line = lines.find(|line| line.contains(BOUND)).expect("its endpoint");
        let (_, endpoint) = line.split_once(BOUND).expect("its endpoint");
        Self { child, endpoint: endpoint.to_owned() }
    }

    fn client(&self) -> Req {
        let req = Context::new().expect("a context").req().expect("a socket");
        req.as_socket().set_linger(Some(Duration::ZERO)).expect("an option");
        req.connect(&self.endpoint).expect("a connection to come");
        req
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
        if let Some(path) = self.endpoint.strip_prefix("ipc://") {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn ask(client: &Req, request: &str) -> String {
    client.send(request).expect("room");
    let reply = client.as_socket().recv_timeout(EXCHANGE);
    let reply = reply.unwrap_or_else(|error| panic!("{request}: {error}"));
    String::from_utf8_lossy(reply.first()).into_owned()
}

fn number(client: &Req, request: &str) -> u64 {
    ask(client, request).parse().expect("a number")
}

fn a_crowd_beyond_the_descriptors(name: &str, endpoint: &str) {
    if let Ok(how) = std::env::var(SERVER) {
        return serve(&how);
    }
    // The listener's thread serves the connections itself, or another one does.
    for threads in [1, 2] {
        let server = Server::start(name, &format!("{threads} {endpoint}"));
        let early = server.client();
        assert_eq!(ask(&early, "early"), "reply");
        let crowd: Vec<_> = (0..CROWD).map(|_| Stranger::connect(&server.endpoint)).collect();
        let start = Instant::now();
        for _ in 0..20 {
            assert_eq!(ask(&server.client(), "late"), "reply");
            assert_eq!(ask(&early, "again"), "reply");
        }
        let took = start.elapsed();
        let limited = number(&early, "limited");
        // All of the crowd came before the clients did.
        assert!(limited >= (CROWD as u64) - FEW, "{limited} made room");
        // Nobody comes; what matters is what the server does meanwhile.
        let busy = number(&early, "busy");
        let quiet = Context::new().expect("a context").pull().expect("a socket");
        let start = Instant::now();
        assert!(quiet.as_socket().recv_timeout(Duration::from_millis(500)).is_err());
        let busy = Duration::from_micros(number(&early, "busy") - busy);
        assert!(busy < start.elapsed() / 4, "busy for {busy:?} while full");
        let stay = number(&early, "limited");
        tell(&format!(
            "figures: {endpoint} {threads}: 20 clients in {took:?}, {limited} made room, \
             {} descriptors, busy for {busy:?}",
            number(&early, "descriptors")
        ));
        assert!(stay <= limited + 1, "{} make room for nobody", stay - limited);
        drop(crowd);
        let start = Instant::now();
        while number(&early, "descriptors") > FEW / 2 {
            assert!(start.elapsed() < PATIENCE, "descriptors stay");
        }
        assert_eq!(ask(&server.client(), "after"), "reply");
    }
}

#[test]
fn silent_tcp_connections_do_not_use_up_the_descriptors() {
    let name = "descriptors::silent_tcp_connections_do_not_use_up_the_descriptors";
    a_crowd_beyond_the_descriptors(name, "tcp://127.0.0.1:*");
}

#[test]
fn silent_ipc_connections_do_not_use_up_the_descriptors() {
    let name = "descriptors::silent_ipc_connections_do_not_use_up_the_descriptors";
    a_crowd_beyond_the_descriptors(name, "ipc://*");
}
