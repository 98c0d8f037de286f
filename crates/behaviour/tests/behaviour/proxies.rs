//! zmq_proxy(3), zmq_proxy_steerable(3) and zmq_device.

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::ptr::null_mut;
use std::time::{Duration, Instant};

/// Sockets that a proxy uses on its thread.
struct Ends(Sock, Sock, Option<Sock>, Option<Sock>);

impl Ends {
    fn run(self) -> Result<i32, Errno> {
        let raw = |socket: &Option<Sock>| socket.as_ref().map_or(null_mut(), Sock::raw);
        let (capture, control) = (raw(&self.2), raw(&self.3));
        Lib::check(match &self.3 {
            None => lib().zmq_proxy(self.0.raw(), self.1.raw(), capture),
            Some(_) => lib().zmq_proxy_steerable(self.0.raw(), self.1.raw(), capture, control),
        })
    }
}

/// Requests and replies pass, until the context goes.
#[test]
fn a_proxy_passes_requests_and_replies() {
    let ctx = Ctx::new();
    let (front, back) = (ctx.plain_socket(ROUTER), ctx.plain_socket(DEALER));
    let endpoints = (front.bind_to(Transport::Tcp), back.bind_to(Transport::Inproc));
    std::thread::scope(|scope| {
        let proxy = scope.spawn(move || Ends(front, back, None, None).run());
        let clients = [ctx.socket(REQ), ctx.socket(REQ)];
        let server = ctx.socket(REP);
        server.connect(&endpoints.1).expect("connect");
        for (index, client) in clients.iter().enumerate() {
            client.connect(&endpoints.0).expect("connect");
            client.send_all(&["question".to_owned(), format!("{index}")]).expect("send");
        }
        for _ in &clients {
            let mut request = server.recv_text();
            request[0] = "answer".to_owned();
            server.send_all(&request).expect("send");
        }
        for (index, client) in clients.iter().enumerate() {
            client.expect_all(&["answer".to_owned(), format!("{index}")]);
        }
        drop((clients, server));
        ctx.shutdown().expect("shutdown");
        assert_eq!(proxy.join().expect("join"), Err(ETERM));
    });
}

/// Subscriptions go up, messages go down.
#[test]
fn a_proxy_passes_subscriptions_and_messages() {
    let ctx = Ctx::new();
    let (front, back) = (ctx.plain_socket(XSUB), ctx.plain_socket(XPUB));
    let endpoints = (front.bind_to(Transport::Inproc), back.bind_to(Transport::Inproc));
    std::thread::scope(|scope| {
        let proxy = scope.spawn(move || Ends(front, back, None, None).run());
        let publisher = ctx.socket(XPUB);
        publisher.connect(&endpoints.0).expect("connect");
        let subscriber = ctx.socket(SUB);
        subscriber.subscribe("t");
        subscriber.connect(&endpoints.1).expect("connect");
        publisher.expect("\x01t");
        publisher.send("x").expect("send");
        publisher.send_all(&["t", "body"]).expect("send");
        subscriber.expect_all(&["t", "body"]);
        drop((publisher, subscriber));
        ctx.shutdown().expect("shutdown");
        assert_eq!(proxy.join().expect("join"), Err(ETERM));
    });
}

/// The capture socket gets what passes, in both directions.
#[test]
fn a_proxy_shows_what_passes_to_its_capture_socket() {
    let ctx = Ctx::new();
    let (front, back) = (ctx.plain_socket(PULL), ctx.plain_socket(PUSH));
    let capture = ctx.plain_socket(PUSH);
    let endpoints = (front.bind_to(Transport::Inproc), back.bind_to(Transport::Inproc));
    let tap = ctx.socket(PULL);
    capture.connect(&tap.bind_to(Transport::Inproc)).expect("connect");
    std::thread::scope(|scope| {
        let proxy = scope.spawn(move || Ends(front, back, Some(capture), None).run());
        let push = ctx.socket(PUSH);
        push.connect(&endpoints.0).expect("connect");
        let pull = ctx.socket(PULL);
        pull.connect(&endpoints.1).expect("connect");
        push.send_all(&["several", "", "parts"]).expect("send");
        pull.expect_all(&["several", "", "parts"]);
        tap.expect_all(&["several", "", "parts"]);
        drop((push, pull, tap));
        ctx.shutdown().expect("shutdown");
        assert_eq!(proxy.join().expect("join"), Err(ETERM));
    });
}

/// zmq_device: the old name.
#[test]
fn a_device_is_a_proxy() {
    let ctx = Ctx::new();
    let (front, back) = (ctx.plain_socket(PULL), ctx.plain_socket(PUSH));
    let endpoints = (front.bind_to(Transport::Inproc), back.bind_to(Transport::Inproc));
    std::thread::scope(|scope| {
        let device = scope.spawn(move || {
            let (front, back) = (front, back);
            Lib::check(lib().zmq_device(STREAMER, front.raw(), back.raw()))
        });
        let push = ctx.socket(PUSH);
        push.connect(&endpoints.0).expect("connect");
        let pull = ctx.socket(PULL);
        pull.connect(&endpoints.1).expect("connect");
        push.send("x").expect("send");
        pull.expect("x");
        drop((push, pull));
        ctx.shutdown().expect("shutdown");
        assert_eq!(device.join().expect("join"), Err(ETERM));
    });
}

/// One socket on both sides: it answers what it is asked.
#[test]
fn a_device_of_one_socket_echoes() {
    let ctx = Ctx::new();
    let both = ctx.plain_socket(REP);
    let endpoint = both.bind_to(Transport::Tcp);
    std::thread::scope(|scope| {
        let device = scope.spawn(move || {
            let both = both;
            Lib::check(lib().zmq_device(QUEUE, both.raw(), both.raw()))
        });
        let socket = ctx.socket(REQ);
        socket.connect(&endpoint).expect("connect");
        for number in ["one", "two", "three"] {
            socket.send(number).expect("send");
            socket.expect(number);
        }
        drop(socket);
        ctx.shutdown().expect("shutdown");
        assert_eq!(device.join().expect("join"), Err(ETERM));
    });
}

#[test]
fn a_proxy_needs_both_sockets() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let lib = lib();
    assert_eq!(Lib::check(lib.zmq_proxy(pull.raw(), null_mut(), null_mut())), Err(EFAULT));
    assert_eq!(Lib::check(lib.zmq_proxy(null_mut(), pull.raw(), null_mut())), Err(EFAULT));
}

/// A PULL and PUSH proxy steered through a PAIR.
fn steered(commands: impl FnOnce(&Sock, &Sock, &Sock)) {
    let ctx = Ctx::new();
    let (front, back) = (ctx.plain_socket(PULL), ctx.plain_socket(PUSH));
    let control = ctx.plain_socket(PAIR);
    let endpoints = (front.bind_to(Transport::Inproc), back.bind_to(Transport::Inproc));
    let steer = ctx.socket(PAIR);
    steer.connect(&control.bind_to(Transport::Inproc)).expect("connect");
    std::thread::scope(|scope| {
        let proxy = scope.spawn(move || Ends(front, back, None, Some(control)).run());
        let push = ctx.socket(PUSH);
        push.connect(&endpoints.0).expect("connect");
        let pull = ctx.socket(PULL);
        pull.connect(&endpoints.1).expect("connect");
        commands(&steer, &push, &pull);
        steer.send("TERMINATE").expect("send");
        assert_eq!(proxy.join().expect("join"), Ok(0));
    });
}

#[test]
fn a_steered_proxy_passes_messages_until_terminated() {
    steered(|_, push, pull| {
        push.send("x").expect("send");
        pull.expect("x");
    });
}

#[test]
fn a_steered_proxy_pauses_and_resumes() {
    steered(|steer, push, pull| {
        push.send("before").expect("send");
        pull.expect("before");
        steer.send("PAUSE").expect("send");
        // The pause has begun once a command after it is answered.
        steer.send("STATISTICS").expect("send");
        assert_eq!(steer.recv_all().expect("statistics").len(), 8);
        push.send("while").expect("send");
        pull.expect_nothing();
        steer.send("RESUME").expect("send");
        pull.expect("while");
    });
}

/// STATISTICS: eight numbers of 64 bits: messages and bytes, received and sent, front and back.
#[test]
fn a_steered_proxy_counts() {
    steered(|steer, push, pull| {
        for _ in 0..3 {
            push.send("12345").expect("send");
            pull.expect("12345");
        }
        steer.send("STATISTICS").expect("send");
        let numbers: Vec<u64> = steer
            .recv_all()
            .expect("statistics")
            .into_iter()
            .map(|part| u64::from_ne_bytes(part.try_into().expect("eight bytes")))
            .collect();
        assert_eq!(numbers, [3, 15, 0, 0, 0, 0, 3, 15]);
    });
}

/// A proxy of two DEALER sockets that hold little, and their endpoints.
fn proxied(test: impl FnOnce(&Ctx, &str, &str)) {
    let ctx = Ctx::new();
    let [front, back] = [DEALER; 2].map(|kind| ctx.plain_socket(kind));
    for socket in [&front, &back] {
        socket.set(SNDHWM, 5).expect("SNDHWM");
        socket.set(RCVHWM, 5).expect("RCVHWM");
    }
    let endpoints = [&front, &back].map(|socket| socket.bind_to(Transport::Inproc));
    std::thread::scope(|scope| {
        let proxy = scope.spawn(move || Ends(front, back, None, None).run());
        test(&ctx, &endpoints[0], &endpoints[1]);
        ctx.shutdown().expect("shutdown");
        assert_eq!(proxy.join().expect("join"), Err(ETERM));
    });
}

/// A side with nobody at its far end does not keep the other direction from going on.
#[test]
fn a_frontend_without_peers_does_not_stop_requests() {
    proxied(|ctx, front, back| {
        let [client, worker] = [DEALER; 2].map(|kind| ctx.socket(kind));
        worker.connect(back).expect("connect");
        // Nobody is there to take these.
        (0..10).for_each(|_| worker.send("reply").expect("send"));
        client.connect(front).expect("connect");
        for number in 0..20 {
            client.send(format!("request {number}")).expect("send");
            worker.expect(format!("request {number}"));
        }
        (0..10).for_each(|_| client.expect("reply"));
    });
}

/// Steers five proxies that are in a state: each answers and ends in less than 100 ms, but for
/// one or two that a busy machine may hold up.
fn steered_in_time(state: fn(&Ctx, &str, &str) -> Vec<Sock>) {
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let ctx = Ctx::new();
            let [front, back, control] = [PULL, PUSH, PAIR].map(|kind| ctx.plain_socket(kind));
            let [front_endpoint, back_endpoint, control_endpoint] =
                [&front, &back, &control].map(|socket| socket.bind_to(Transport::Inproc));
            let steer = ctx.socket(PAIR);
            steer.connect(&control_endpoint).expect("connect");
            std::thread::scope(|scope| {
                let proxy = scope.spawn(move || Ends(front, back, None, Some(control)).run());
                let _others = state(&ctx, &front_endpoint, &back_endpoint);
                let mut longest = Duration::ZERO;
                for command in ["STATISTICS", "PAUSE", "RESUME", "STATISTICS", "PAUSE"] {
                    let start = Instant::now();
                    steer.send(command).expect("send");
                    if command == "STATISTICS" {
                        assert_eq!(steer.recv_all().expect("statistics").len(), 8);
                    }
                    longest = longest.max(start.elapsed());
                }
                let start = Instant::now();
                steer.send("TERMINATE").expect("send");
                assert_eq!(proxy.join().expect("join"), Ok(0));
                longest.max(start.elapsed())
            })
        })
        .collect();
    times.sort();
    assert!(times[2] < Duration::from_millis(100), "{times:?}");
}

fn sender(ctx: &Ctx, front: &str) -> Sock {
    let push = ctx.socket(PUSH);
    push.connect(front).expect("connect");
    push
}

#[test]
fn an_idle_proxy_is_steered_in_time() {
    steered_in_time(|ctx, front, back| {
        let pull = ctx.socket(PULL);
        pull.connect(back).expect("connect");
        vec![sender(ctx, front), pull]
    });
}

#[test]
fn a_proxy_that_nobody_takes_from_is_steered_in_time() {
    steered_in_time(|ctx, front, _| {
        let push = sender(ctx, front);
        push.fill("x", 100_000);
        vec![push]
    });
}

#[test]
fn a_busy_proxy_is_steered_in_time() {
    steered_in_time(|ctx, front, back| {
        let (push, pull) = (sender(ctx, front), ctx.socket(PULL));
        pull.connect(back).expect("connect");
        // They end with the proxy: nothing goes any more, in either.
        push.set(SNDTIMEO, 300).expect("SNDTIMEO");
        pull.set(RCVTIMEO, 300).expect("RCVTIMEO");
        std::thread::spawn(move || while push.send([7; 100]).is_ok() {});
        std::thread::spawn(move || while pull.recv_all().is_ok() {});
        Vec::new()
    });
}
