//! A process that may have few descriptors: it turns nobody away for ever, does not spin, and
//! goes on serving whom it serves.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use aught::{Context, Error, Req};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::PATIENCE;
use crate::alone::{alone, processor_time, tell};

const FEW: u64 = 64;

fn limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(FEW);
    setrlimit(Resource::Nofile, limit).expect("less is always allowed");
}

/// Asks and is answered.
fn served(client: &Req, server: &aught::Rep, what: &str) {
    client.send(what).expect("a server");
    let request = server.as_socket().recv_timeout(PATIENCE);
    assert_eq!(request.unwrap_or_else(|error| panic!("{what}: {error}")), what);
    server.send(what).expect("a client that waits");
    let reply = client.as_socket().recv_timeout(PATIENCE);
    assert_eq!(reply.unwrap_or_else(|error| panic!("{what}: {error}")), what);
}

fn client(context: &Context, endpoint: &str) -> Req {
    let client = context.req().expect("a socket");
    client.set_linger(Some(Duration::ZERO)).expect("a linger time");
    client.connect(endpoint).expect("a connection");
    client
}

/// Takes descriptors until there are none, by connections that the server has to accept.
fn exhaust(address: &str) -> Vec<TcpStream> {
    let mut taken = Vec::new();
    let start = Instant::now();
    // Connections that were accepted take a descriptor here, too, so that this ends when the
    // process is full and some connections wait to be accepted.
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => taken.push(stream),
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
                return taken;
            }
            Err(error) => panic!("{error}"),
        }
        assert!(start.elapsed() < PATIENCE, "descriptors do not end");
    }
}

#[test]
fn a_full_process_serves_on_does_not_spin_and_accepts_again() {
    alone("few_descriptors::a_full_process_serves_on_does_not_spin_and_accepts_again", || {
        limit();
        let context = Context::new().expect("a context");
        let server = context.rep().expect("a socket");
        server.bind("tcp://127.0.0.1:*").expect("a port");
        let endpoint = server.last_endpoint().expect("an endpoint");
        let address = endpoint.strip_prefix("tcp://").expect("tcp");
        let old = client(&context, &endpoint);
        served(&old, &server, "before");
        for round in 0..3 {
            let taken = exhaust(address);
            let wall = Instant::now();
            let busy = processor_time();
            // Nothing arrives; what matters is what the I/O thread does meanwhile.
            let nothing = server.as_socket().recv_timeout(Duration::from_secs(1));
            assert_eq!(nothing.err(), Some(Error::WouldBlock));
            let busy = processor_time() - busy;
            tell(&format!("figures: full for {:?}, busy for {busy:?}", wall.elapsed()));
            assert!(busy < wall.elapsed() / 10, "busy for {busy:?} while full");
            served(&old, &server, "full");
            refuses(&context);
            drop(taken);
            let new = client(&context, &endpoint);
            served(&new, &server, &format!("after {round}"));
            served(&old, &server, "old");
        }
    });
}

/// What needs a descriptor fails with a number, and nothing else breaks.
fn refuses(context: &Context) {
    let full = Some(Error::Os(rustix::io::Errno::MFILE.raw_os_error()));
    assert_eq!(Context::new().err(), full, "a context");
    let socket = context.pull().expect("a socket needs no descriptor until it waits");
    assert_eq!(socket.bind("tcp://127.0.0.1:*").err(), full, "a port");
    assert_eq!(socket.bind("ipc://*").err(), full, "a path");
    assert_eq!(socket.as_socket().descriptor().err(), full, "ZMQ_FD");
    let waits = socket.as_socket().recv_timeout(Duration::from_millis(10));
    assert_eq!(waits.err(), full, "a call that waits");
}

#[test]
fn threads_that_could_not_start_leave_nothing_behind() {
    alone("few_descriptors::threads_that_could_not_start_leave_nothing_behind", || {
        limit();
        let context = Context::with_io_threads(100).expect("a context");
        for _ in 0..10 {
            assert!(context.pull().is_err(), "a hundred threads need more descriptors");
        }
        let alone = Context::new().expect("room for another context");
        let pull = alone.pull().expect("room for another thread");
        pull.bind("tcp://127.0.0.1:*").expect("a port");
    });
}
