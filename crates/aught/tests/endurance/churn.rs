//! Binding, connecting and undoing both, over and over, while peers live and messages flow.

use std::time::{Duration, Instant};

use aught::{Context, Error, Pull, Push};

use crate::PATIENCE;
use crate::alone::{alone, descriptors, tell};

fn fast_push(context: &Context, endpoint: &str) -> Push {
    let push = context.push().expect("a socket");
    push.set_linger(Some(Duration::ZERO)).expect("a linger time");
    push.as_socket().set_reconnect_interval(Some(Duration::from_millis(1))).expect("an interval");
    push.connect(endpoint).expect("a connection");
    push
}

/// A message comes through, from any of the peers.
fn flows(pull: &Pull, peers: &[Push], what: &str) {
    let start = Instant::now();
    loop {
        for peer in peers {
            // A peer that has not come back has no room at some time. What a peer sends before
            // it has noticed that its connection is gone, is lost with that.
            let _ = peer.try_send("still here");
        }
        match pull.as_socket().recv_timeout(Duration::from_millis(2)) {
            Ok(_) => return,
            Err(Error::WouldBlock) if start.elapsed() < PATIENCE => {}
            Err(error) => panic!("{what}: {error} after {:?}", start.elapsed()),
        }
    }
}

/// How often to do it: all of them take half a minute.
const CYCLES: usize = 10_000;

/// Binds and unbinds one endpoint, with peers that are connected to it all the time.
fn rebind(endpoint: &str, cycles: usize) {
    let context = Context::new().expect("a context");
    let pull = context.pull().expect("a socket");
    let peers: Vec<_> = (0..3).map(|_| fast_push(&context, endpoint)).collect();
    let start = Instant::now();
    let mut before = 0;
    for cycle in 0..cycles {
        pull.bind(endpoint).unwrap_or_else(|error| panic!("cycle {cycle}: {error}"));
        flows(&pull, &peers, &format!("cycle {cycle}"));
        pull.as_socket().unbind(endpoint).expect("the endpoint is bound");
        while pull.try_recv().is_ok() {}
        if cycle == cycles / 4 {
            before = descriptors();
        }
    }
    let after = descriptors();
    assert!(after <= before + 16, "{before} descriptors became {after}");
    tell(&format!("figures: {cycles} x {endpoint}: {:?}", start.elapsed()));
}

#[test]
fn a_tcp_port_is_bound_again_and_again() {
    alone("churn::a_tcp_port_is_bound_again_and_again", || {
        // An address of our own: no other test's wildcard takes the port between two cycles.
        let [high, low] = (std::process::id() as u16).to_be_bytes();
        let endpoint = format!("tcp://127.81.{high}.{}:30999", low.max(1));
        rebind(&endpoint, CYCLES);
    });
}

#[test]
fn an_ipc_path_is_bound_again_and_again() {
    alone("churn::an_ipc_path_is_bound_again_and_again", || {
        let path = std::env::temp_dir().join(format!("aught-rebind-{}", std::process::id()));
        rebind(&format!("ipc://{}", path.display()), CYCLES);
        assert!(!path.exists(), "the last unbind removes the file");
    });
}

#[test]
fn an_inproc_name_is_bound_again_and_again() {
    alone("churn::an_inproc_name_is_bound_again_and_again", || {
        let context = Context::new().expect("a context");
        let pull = context.pull().expect("a socket");
        let endpoint = "inproc://again";
        pull.bind(endpoint).expect("a free name");
        let staying = context.push().expect("a socket");
        staying.connect(endpoint).expect("a connection");
        pull.as_socket().unbind(endpoint).expect("the name is bound");
        for cycle in 0..CYCLES {
            let early = context.push().expect("a socket");
            early.connect(endpoint).expect("a connection to come");
            early.send("early").expect("room");
            pull.bind(endpoint).unwrap_or_else(|error| panic!("cycle {cycle}: {error}"));
            let late = context.push().expect("a socket");
            late.connect(endpoint).expect("a connection");
            late.send("late").expect("room");
            staying.send("staying").expect("a connection outlives its name");
            let mut seen: Vec<_> = (0..3)
                .map(|_| {
                    let message = pull.as_socket().recv_timeout(PATIENCE);
                    message
                        .unwrap_or_else(|error| panic!("cycle {cycle}: {error}"))
                        .text()
                        .into_owned()
                })
                .collect();
            seen.sort();
            assert_eq!(seen, ["early", "late", "staying"], "cycle {cycle}");
            pull.as_socket().unbind(endpoint).expect("the name is bound");
        }
    });
}

/// Connects, sends, disconnects: what was sent arrives, since it may linger.
fn reconnect(endpoint: &str, cycles: usize) {
    let context = Context::new().expect("a context");
    let pull = context.pull().expect("a socket");
    pull.bind(endpoint).expect("a free endpoint");
    let endpoint = pull.last_endpoint().expect("an endpoint");
    let push = context.push().expect("a socket");
    let start = Instant::now();
    let mut seen = vec![false; cycles];
    let mut missing = cycles;
    let mut take = |message: &aught::Message| {
        let number: usize = message.text().parse().expect("a number");
        assert!(!std::mem::replace(&mut seen[number], true), "{number} came twice");
    };
    for cycle in 0..cycles {
        push.connect(&endpoint).expect("a connection");
        push.send(cycle.to_string().as_str()).expect("a peer");
        push.as_socket().disconnect(&endpoint).expect("it is connected");
        if cycle % 16 == 15 {
            // Not more than the port numbers of the machine at a time.
            while missing > cycles - cycle + 64 {
                take(&pull.as_socket().recv_timeout(PATIENCE).expect("what was sent arrives"));
                missing -= 1;
            }
        }
    }
    while missing > 0 {
        take(&pull.as_socket().recv_timeout(PATIENCE).expect("what was sent arrives"));
        missing -= 1;
    }
    assert!(descriptors() < 200, "{} descriptors", descriptors());
    tell(&format!("figures: {cycles} connections to {endpoint}: {:?}", start.elapsed()));
}

#[test]
fn what_was_sent_before_a_disconnect_arrives() {
    alone("churn::what_was_sent_before_a_disconnect_arrives", || {
        reconnect("tcp://127.0.0.1:*", CYCLES);
        reconnect("ipc://*", CYCLES);
    });
}
