//! Strangers that take all descriptors of the process and stand around. They keep nobody out.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use aught::{Context, SocketType};
use rustix::process::{Resource, getrlimit, setrlimit};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::PATIENCE;
use crate::alone::{alone, descriptors, tell};
use crate::stranger::{Stranger, frame, handshake};

/// How many strangers there are, and how many descriptors are left for them.
const CROWD: usize = 300;
const LEFT: usize = 40;
/// How many honest peers come afterwards, one after the other.
const HONEST: usize = 20;

/// Sockets that are made while there are descriptors, and connected later.
struct Reserve(Vec<Socket>);

impl Reserve {
    fn new(domain: Domain) -> Self {
        let one = |_| Socket::new(domain, Type::STREAM, None).expect("a descriptor");
        Self((0..CROWD + HONEST).map(one).collect())
    }

    fn connect(&mut self, endpoint: &str) -> Stranger {
        let socket = self.0.pop().expect("enough of them");
        if let Some(address) = endpoint.strip_prefix("tcp://") {
            let address: SocketAddr = address.parse().expect("an address");
            socket.connect(&address.into()).expect("a place in the queue");
            Stranger::Tcp(TcpStream::from(socket))
        } else {
            let path = endpoint.strip_prefix("ipc://").expect("tcp or ipc");
            socket.connect(&SockAddr::unix(path).expect("a path")).expect("a place in the queue");
            Stranger::Ipc(UnixStream::from(std::os::fd::OwnedFd::from(socket)))
        }
    }
}

fn strangers_take_all(place: &str, domain: Domain, said: &[u8]) {
    let pull = Context::new().expect("a context").socket(SocketType::Pull).expect("a socket");
    // ZMQ_BACKLOG: this is about those who are let in.
    pull.set_option(19, &4096_i32.to_ne_bytes()).expect("an option");
    pull.bind(place).expect("a place");
    let endpoint = pull.last_endpoint().expect("an endpoint");
    // A call that waits takes a descriptor when it does so first.
    assert!(pull.recv_timeout(Duration::from_millis(1)).is_err());
    let mut reserve = Reserve::new(domain);
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some((descriptors() + LEFT) as u64);
    setrlimit(Resource::Nofile, limit).expect("less is always allowed");

    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        let mut stranger = reserve.connect(&endpoint);
        stranger.write(said);
        crowd.push(stranger);
    }
    for number in 0..HONEST {
        let mut honest = reserve.connect(&endpoint);
        honest.write(&handshake(SocketType::Pull));
        honest.read_handshake();
        let text = format!("message {number}");
        honest.write(&frame(0, text.as_bytes()));
        assert_eq!(pull.recv_timeout(PATIENCE).expect("an honest message"), text.as_str());
        crowd.push(honest);
    }
    let made_way = pull.incident_counts().limited_connections;
    tell(&format!("figures: {made_way} made way for others"));
    assert!(made_way >= (CROWD - LEFT) as u64);
}

#[test]
fn strangers_that_take_all_descriptors_keep_nobody_out() {
    alone("shortage::strangers_that_take_all_descriptors_keep_nobody_out", || {
        strangers_take_all("tcp://127.0.0.1:*", Domain::IPV4, b"");
    });
}

#[test]
fn strangers_that_take_all_descriptors_over_ipc_keep_nobody_out() {
    alone("shortage::strangers_that_take_all_descriptors_over_ipc_keep_nobody_out", || {
        strangers_take_all("ipc://*", Domain::UNIX, &handshake(SocketType::Pull)[..40]);
    });
}
