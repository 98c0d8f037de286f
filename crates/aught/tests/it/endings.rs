//! How sockets and contexts end: in any order, in time, with what was sent delivered.

use std::time::Duration;

use aught::{Context, Error, Poller, SocketType};

use crate::support::{EVERYWHERE, Elsewhere, bind, recv};

#[test]
fn contexts_and_sockets_are_dropped_in_any_order() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let (push, pull) = (context.push().unwrap(), context.pull().unwrap());
        push.connect(&bind(&pull, place)).unwrap();
        drop(context);
        push.send("still works").unwrap();
        assert_eq!(recv(&pull), "still works");
        let ended = Elsewhere::start(move || {
            drop(pull);
            drop(push);
        });
        ended.result();

        let context = Context::new().unwrap();
        let (push, pull) = (context.push().unwrap(), context.pull().unwrap());
        push.connect(&bind(&pull, place)).unwrap();
        let ended = Elsewhere::start(move || {
            drop(push);
            drop(pull);
            drop(context);
        });
        ended.result();
    }
}

#[test]
fn what_was_sent_arrives_after_the_sender_is_gone() {
    for place in ["tcp://127.0.0.1:*", "ipc://*"] {
        let receiving = Context::new().unwrap();
        let pull = receiving.pull().unwrap();
        let endpoint = bind(&pull, place);
        let sender = Elsewhere::start(move || {
            let context = Context::new().unwrap();
            let push = context.push().unwrap();
            push.connect(&endpoint).unwrap();
            for number in 0..500 {
                push.send(number.to_string()).unwrap();
            }
        });
        sender.result();
        for number in 0..500 {
            assert_eq!(recv(&pull), number.to_string().as_str());
        }
    }
}

#[test]
fn lingering_ends_with_its_time() {
    // A port that nobody listens on: bound, and let go of.
    let probe = Context::new().unwrap();
    let pull = probe.pull().unwrap();
    let endpoint = bind(&pull, "tcp://127.0.0.1:*");
    drop(pull);
    for linger in [Duration::ZERO, Duration::from_millis(50)] {
        let endpoint = endpoint.clone();
        let ended = Elsewhere::start(move || {
            let context = Context::new().unwrap();
            let push = context.push().unwrap();
            push.set_linger(Some(linger)).unwrap();
            push.connect(&endpoint).unwrap();
            push.send("never taken").unwrap();
        });
        ended.result();
    }
}

#[test]
fn shutting_down_wakes_everybody() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let pull = context.pull().unwrap();
        let push = context.push().unwrap();
        let sub = context.subscriber().unwrap();
        bind(&pull, place);
        let receiver = Elsewhere::start(move || pull.recv().unwrap_err());
        let sender =
            Elsewhere::start(move || push.send("nobody").map_err(Error::from).unwrap_err());
        let poller = Elsewhere::start(move || {
            let mut poller = Poller::new();
            poller.add(sub.as_socket(), Poller::IN);
            poller.wait(None).unwrap_err()
        });
        assert!(receiver.goes_on() && sender.goes_on() && poller.goes_on());
        context.shutdown();
        assert_eq!(receiver.result(), Error::Terminated);
        assert_eq!(sender.result(), Error::Terminated);
        assert_eq!(poller.result(), Error::Terminated);
        assert_eq!(context.socket(SocketType::Pair).unwrap_err(), Error::Terminated);
        Elsewhere::start(move || drop(context)).result();
    }
}

#[test]
fn calls_after_shutting_down_fail_and_dropping_works() {
    let context = Context::new().unwrap();
    let pair = context.pair().unwrap();
    bind(&pair, "inproc://over");
    context.shutdown();
    context.shutdown();
    assert_eq!(pair.recv().unwrap_err(), Error::Terminated);
    assert_eq!(*pair.try_send("x").unwrap_err().error(), Error::Terminated);
    assert_eq!(pair.bind("inproc://more").unwrap_err(), Error::Terminated);
    assert_eq!(pair.connect("inproc://over").unwrap_err(), Error::Terminated);
    Elsewhere::start(move || drop((context, pair))).result();
}

#[test]
fn contexts_with_many_io_threads_or_none_work() {
    let context = Context::with_io_threads(4).unwrap();
    let pull = context.pull().unwrap();
    let endpoint = bind(&pull, "tcp://127.0.0.1:*");
    let pushers: Vec<_> = (0..8).map(|_| context.push().unwrap()).collect();
    for push in &pushers {
        push.connect(&endpoint).unwrap();
        push.send("x").unwrap();
    }
    for _ in &pushers {
        recv(&pull);
    }

    let context = Context::with_io_threads(0).unwrap();
    let (push, pull) = (context.push().unwrap(), context.pull().unwrap());
    push.connect(&bind(&pull, "inproc://alone")).unwrap();
    push.send("no thread needed").unwrap();
    assert_eq!(recv(&pull), "no thread needed");
    assert_eq!(pull.bind("tcp://127.0.0.1:*").unwrap_err(), Error::NoIoThread);
}

#[test]
fn a_thousand_contexts_come_and_go() {
    let done = Elsewhere::start(|| {
        for round in 0..1000 {
            let context = Context::new().unwrap();
            let (a, b) = (context.pair().unwrap(), context.pair().unwrap());
            b.connect(&bind(&a, "inproc://short")).unwrap();
            a.send(round.to_string()).unwrap();
            assert_eq!(recv(&b), round.to_string().as_str());
        }
    });
    done.result();
}

#[test]
fn a_port_is_free_once_its_socket_is_dropped() {
    let context = Context::new().unwrap();
    let first = context.rep().unwrap();
    let endpoint = bind(&first, "tcp://127.0.0.1:*");
    for _ in 0..20 {
        let socket = context.rep().unwrap();
        assert_eq!(socket.bind(&endpoint).unwrap_err(), Error::AddressInUse);
    }
    first.as_socket().unbind(&endpoint).unwrap();
    let second = context.rep().unwrap();
    second.bind(&endpoint).unwrap();
}
