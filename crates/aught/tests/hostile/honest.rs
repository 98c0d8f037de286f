//! A socket, and an honest peer in another context that exchanges messages with it.

use std::time::{Duration, Instant};

use aught::{Context, Error, Message, Socket, SocketType};

use crate::EXCHANGE;
use crate::alone::{descriptors, resident, settle, tell};

/// How long to wait for what may have gone to a stranger, before it is sent once more.
const AGAIN: Duration = Duration::from_millis(20);

/// Two sockets that exchange messages. The bound one is what strangers visit.
pub(crate) struct Honest {
    kind: SocketType,
    pub(crate) owner: Socket,
    peer: Socket,
    pub(crate) endpoint: String,
    /// What the peer's STREAM socket calls the owner.
    stream: Vec<u8>,
    exchanges: u32,
    slowest: Duration,
}

impl Honest {
    pub(crate) fn new(kind: SocketType, place: &str) -> Self {
        let contexts = [(); 2].map(|()| Context::new().expect("a context"));
        let owner = contexts[0].socket(kind).expect("a socket");
        let peer = contexts[1].socket(counterpart(kind)).expect("a socket");
        for socket in [&owner, &peer] {
            socket.set_linger(Some(Duration::ZERO)).expect("an option");
            match socket.socket_type() {
                SocketType::Sub => socket.subscribe(b"honest").expect("a subscription"),
                // ZMQ_REQ_CORRELATE and ZMQ_REQ_RELAXED: a stranger may swallow a request, which
                // is then made once more.
                SocketType::Req => {
                    for option in [52, 53] {
                        socket.set_option(option, &1_i32.to_ne_bytes()).expect("an option");
                    }
                }
                _ => {}
            }
        }
        // ZMQ_BACKLOG: those who come faster than they are let in would wait for a second.
        owner.set_option(19, &4096_i32.to_ne_bytes()).expect("an option");
        owner.bind(place).expect("a place");
        let endpoint = owner.last_endpoint().expect("an endpoint");
        peer.connect(&endpoint).expect("a connection");
        let mut stream = Vec::new();
        if kind == SocketType::Stream {
            stream = peer.recv_timeout(EXCHANGE).expect("a connection").first().to_vec();
        }
        if kind == SocketType::Xsub {
            owner.send(b"\x01honest".as_slice()).expect("a subscription");
        }
        let slowest = Duration::ZERO;
        let mut honest = Self { kind, owner, peer, endpoint, stream, exchanges: 0, slowest };
        honest.exchange();
        for socket in [&honest.owner, &honest.peer] {
            // Made when it is first needed, which is not to count as a stranger's.
            socket.descriptor().expect("a descriptor");
        }
        honest
    }

    /// Exchanges a message or two, in the pattern of the socket.
    pub(crate) fn exchange(&mut self) {
        self.exchanges += 1;
        let start = Instant::now();
        let text = format!("honest-{}", self.exchanges);
        let (owner, peer) = (&self.owner, &self.peer);
        // What subscribers miss before they have joined is nobody's fault.
        let joined = self.exchanges > 1;
        match self.kind {
            SocketType::Pub | SocketType::Xpub | SocketType::Push => {
                while joined && owner.try_recv().is_ok() {} // subscriptions of strangers
                let sure = joined && self.kind != SocketType::Push;
                send_and_see(owner, peer, &text, sure);
            }
            SocketType::Sub | SocketType::Xsub => send_and_see(peer, owner, &text, joined),
            SocketType::Pull => send_and_see(peer, owner, &text, true),
            SocketType::Pair => {
                send_and_see(peer, owner, &text, true);
                send_and_see(owner, peer, &text, true);
            }
            SocketType::Dealer => {
                send_and_see(peer, owner, &text, true);
                send_and_see(owner, peer, &text, false); // strangers have their share
            }
            SocketType::Req => self.ask(&text),
            _ => self.be_answered(&text),
        }
        let took = start.elapsed();
        assert!(took < EXCHANGE, "an exchange took {took:?}");
        self.slowest = self.slowest.max(took);
    }

    /// The owner asks, until the request gets to the honest peer and not to a stranger.
    fn ask(&self, text: &str) {
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < EXCHANGE, "{text} is never answered");
            if let Err(failed) = self.owner.try_send(text) {
                assert!(matches!(failed.error(), Error::WouldBlock), "{failed}");
                std::thread::yield_now(); // nobody is connected yet
                continue;
            }
            while let Some(request) = recv(&self.peer, AGAIN) {
                self.peer.send(request).expect("the owner is there");
            }
            while let Some(reply) = recv(&self.owner, AGAIN) {
                if reply == text {
                    return;
                }
            }
        }
    }

    /// The peer asks once, the owner sends back what it gets, whoever it came from.
    fn be_answered(&self, text: &str) {
        let start = Instant::now();
        let request = if self.stream.is_empty() {
            Message::from(text)
        } else {
            Message::from(self.stream.clone()).with(text)
        };
        self.peer.send(request).expect("the owner is there");
        loop {
            assert!(start.elapsed() < EXCHANGE, "{text} never comes");
            let Some(request) = recv(&self.owner, EXCHANGE) else { continue };
            let found = request.iter().any(|part| *part == *text.as_bytes());
            // A stranger may be gone, and an empty part would end its connection.
            let notice = self.kind == SocketType::Stream && !found;
            if !notice && let Err(failed) = self.owner.try_send(request) {
                assert!(!found, "{text} cannot be answered: {failed}");
            }
            if found {
                break;
            }
        }
        let reply = recv(&self.peer, EXCHANGE).expect("a reply");
        assert!(reply.iter().any(|part| *part == *text.as_bytes()), "{text}: {reply:?}");
    }

    /// Lets strangers do something on a thread of their own, and exchanges messages all the
    /// while. In the end, they have left no descriptors and less than `allowed` bytes.
    pub(crate) fn withstand(
        mut self,
        what: &str,
        allowed: usize,
        strangers: impl FnOnce(&str) + Send + 'static,
    ) {
        let fds = descriptors();
        let before = resident();
        let start = Instant::now();
        let endpoint = self.endpoint.clone();
        let visit = std::thread::spawn(move || strangers(&endpoint));
        let mut most = before;
        while !visit.is_finished() {
            self.exchange();
            most = most.max(resident());
            std::thread::park_timeout(Duration::from_millis(1)); // leaves the strangers a turn
        }
        if let Err(panic) = visit.join() {
            std::panic::resume_unwind(panic);
        }
        self.exchange();
        settle(fds);
        self.exchange();
        most = most.max(resident());
        let growth = most - before;
        tell(&format!(
            "figures: {what}: {growth} bytes, {} exchanges, the slowest {:?}, all {:?}",
            self.exchanges,
            self.slowest,
            start.elapsed()
        ));
        assert!(growth < allowed, "{what}: memory grew by {growth} bytes");
    }
}

/// Receives what comes in time.
fn recv(socket: &Socket, time: Duration) -> Option<Message> {
    match socket.recv_timeout(time) {
        Ok(message) => Some(message),
        Err(Error::WouldBlock) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Sends, and receives that and what is before it. What is sure to arrive is sent only once.
fn send_and_see(from: &Socket, to: &Socket, text: &str, sure: bool) {
    let start = Instant::now();
    let mut sent = false;
    while start.elapsed() < EXCHANGE {
        if !sent || !sure {
            sent = from.try_send(text).is_ok(); // or there is no room yet
        }
        while let Some(message) = recv(to, AGAIN) {
            if message == text {
                return;
            }
            assert!(start.elapsed() < EXCHANGE, "{text} does not come, others do");
        }
    }
    panic!("{text} does not come");
}

fn counterpart(kind: SocketType) -> SocketType {
    match kind {
        SocketType::Pub | SocketType::Xpub => SocketType::Sub,
        SocketType::Sub | SocketType::Xsub => SocketType::Pub,
        SocketType::Req => SocketType::Rep,
        SocketType::Rep => SocketType::Req,
        SocketType::Router => SocketType::Dealer,
        SocketType::Push => SocketType::Pull,
        SocketType::Pull => SocketType::Push,
        same => same, // PAIR, DEALER, STREAM
    }
}
