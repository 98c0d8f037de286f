//! Proxies: between requesters and repliers, publishers and subscribers, pushers and pullers.

use std::time::{Duration, Instant};

use aught::{Context, Error, Message, Socket, proxy, proxy_steerable};

use crate::support::{BRIEF, EVERYWHERE, Elsewhere, bind, nothing, recv, texts};

/// Endpoints for the two sides of a proxy.
fn sides(place: &str) -> (String, String) {
    (place.replace("here", "front"), place.replace("here", "back"))
}

#[test]
fn a_broker_passes_requests_and_replies() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let router = context.router().unwrap().into_socket();
        let dealer = context.dealer().unwrap().into_socket();
        let (front, back) = sides(place);
        let (front, back) = (bind(&router, &front), bind(&dealer, &back));
        let broker = Elsewhere::start(move || proxy(&router, &dealer, None).unwrap_err());

        let servers: Vec<_> = (0..2)
            .map(|_| {
                let server = context.rep().unwrap();
                server.connect(&back).unwrap();
                Elsewhere::start(move || {
                    loop {
                        match server.recv() {
                            Ok(request) => server.send(request.with("served")).unwrap(),
                            Err(error) => return error,
                        }
                    }
                })
            })
            .collect();
        let clients: Vec<_> = (0..3).map(|_| context.req().unwrap()).collect();
        for (number, client) in clients.iter().enumerate() {
            client.connect(&front).unwrap();
            for round in 0..20 {
                client.send(format!("{number}/{round}")).unwrap();
                assert_eq!(texts(&recv(client)), [format!("{number}/{round}"), "served".into()]);
            }
        }
        context.shutdown();
        assert_eq!(broker.result(), Error::Terminated);
        servers.into_iter().for_each(|server| assert_eq!(server.result(), Error::Terminated));
    }
}

#[test]
fn a_forwarder_passes_subscriptions_up_and_messages_down() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let xsub = context.xsub().unwrap().into_socket();
        let xpub = context.xpub().unwrap().into_socket();
        let (front, back) = sides(place);
        let (front, back) = (bind(&xsub, &front), bind(&xpub, &back));
        let forwarder = Elsewhere::start(move || proxy(&xsub, &xpub, None).unwrap_err());

        let publisher = context.xpub().unwrap();
        publisher.connect(&front).unwrap();
        let subscriber = context.subscriber().unwrap();
        subscriber.subscribe("a").unwrap();
        subscriber.connect(&back).unwrap();
        // The subscription has come all the way: from here on nothing is lost.
        assert_eq!(recv(&publisher), "\u{1}a");
        for number in 0..100 {
            publisher.send("b not for you").unwrap();
            publisher.send(Message::from("a").with(number.to_string())).unwrap();
        }
        for number in 0..100 {
            assert_eq!(texts(&recv(&subscriber)), ["a".to_owned(), number.to_string()]);
        }
        context.shutdown();
        assert_eq!(forwarder.result(), Error::Terminated);
    }
}

#[test]
fn a_proxy_shows_everything_to_its_capture_socket() {
    let context = Context::new().unwrap();
    let pull = context.pull().unwrap().into_socket();
    let push = context.push().unwrap().into_socket();
    let capture = context.pair().unwrap().into_socket();
    bind(&pull, "inproc://in");
    bind(&push, "inproc://out");
    bind(&capture, "inproc://capture");
    let proxy = Elsewhere::start(move || proxy(&pull, &push, Some(&capture)).unwrap_err());

    let watcher = context.pair().unwrap();
    watcher.connect("inproc://capture").unwrap();
    let sink = context.pull().unwrap();
    sink.connect("inproc://out").unwrap();
    let source = context.push().unwrap();
    source.connect("inproc://in").unwrap();
    for number in 0..50 {
        source.send(Message::from("part").with(number.to_string())).unwrap();
    }
    for number in 0..50 {
        assert_eq!(texts(&recv(&sink)), ["part".to_owned(), number.to_string()]);
        assert_eq!(texts(&recv(&watcher)), ["part".to_owned(), number.to_string()]);
    }
    context.shutdown();
    assert_eq!(proxy.result(), Error::Terminated);
}

#[test]
fn a_steered_proxy_pauses_resumes_and_ends() {
    let context = Context::new().unwrap();
    let pull = context.pull().unwrap().into_socket();
    let push = context.push().unwrap().into_socket();
    let control = context.rep().unwrap().into_socket();
    bind(&pull, "inproc://in");
    bind(&push, "inproc://out");
    bind(&control, "inproc://control");
    let proxy = Elsewhere::start(move || proxy_steerable(&pull, &push, None, &control));

    let (source, sink) = (context.push().unwrap(), context.pull().unwrap());
    source.connect("inproc://in").unwrap();
    sink.connect("inproc://out").unwrap();
    let steer = context.req().unwrap();
    steer.connect("inproc://control").unwrap();
    let tell = |word: &str| {
        steer.send(word).unwrap();
        recv(&steer)
    };
    source.send("one").unwrap();
    assert_eq!(recv(&sink), "one");
    tell("PAUSE");
    source.send("two").unwrap();
    nothing(&sink);
    tell("RESUME");
    assert_eq!(recv(&sink), "two");
    let statistics = tell("STATISTICS");
    // zmq_proxy_steerable(3): eight numbers of 64 bits; the frontend received two messages.
    assert_eq!(statistics.len(), 8);
    assert_eq!(u64::from_ne_bytes(statistics[0].try_into().unwrap()), 2);
    tell("TERMINATE");
    proxy.result().unwrap();
}

/// Where libzmq's proxy would stop: the way back goes on while the way forth is full.
#[test]
fn a_full_side_does_not_stop_the_other_direction() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let [front, back, client, worker] = [(); 4].map(|()| context.dealer().unwrap());
        for socket in [&front, &back, &client, &worker] {
            socket.as_socket().set_send_hwm(5).unwrap();
            socket.as_socket().set_recv_hwm(5).unwrap();
        }
        let (front_place, back_place) = sides(place);
        client.connect(&bind(&front, &front_place)).unwrap();
        worker.connect(&bind(&back, &back_place)).unwrap();
        // What the worker never takes is not waited for at the end.
        for socket in [&front, &back, &client, &worker] {
            socket.set_linger(Some(Duration::ZERO)).unwrap();
        }
        let (front, back) = (front.into_socket(), back.into_socket());
        let proxy = Elsewhere::start(move || proxy(&front, &back, None).unwrap_err());
        // The worker receives nothing, until there is no room anywhere.
        client.as_socket().set_send_timeout(Some(BRIEF)).unwrap();
        while client.send(vec![7; 100_000]).is_ok() {}
        for number in 0..100 {
            worker.send(number.to_string()).unwrap();
            assert_eq!(recv(&client), number.to_string().as_str());
        }
        context.shutdown();
        assert_eq!(proxy.result(), Error::Terminated);
    }
}

/// A proxy in a state, steered: it answers and ends in time, also where libzmq's would not.
fn steered_in_time(prepare: impl Fn(&Context, &Socket, &Socket) -> (Option<Socket>, Vec<Socket>)) {
    let mut times: Vec<_> = (0..5)
        .map(|_| {
            let context = Context::new().unwrap();
            let front = context.router().unwrap().into_socket();
            let back = context.dealer().unwrap().into_socket();
            bind(&front, "inproc://front");
            bind(&back, "inproc://back");
            let (capture, others) = prepare(&context, &front, &back);
            let control = context.pair().unwrap().into_socket();
            bind(&control, "inproc://control");
            let steer = context.pair().unwrap();
            steer.connect("inproc://control").unwrap();
            let proxy = Elsewhere::start(move || {
                proxy_steerable(&front, &back, capture.as_ref(), &control)
            });
            // What it is to be stuck in has begun when it has been asked something.
            let mut longest = Duration::ZERO;
            for _ in 0..10 {
                let start = Instant::now();
                steer.send("STATISTICS").unwrap();
                assert_eq!(recv(&steer).len(), 8);
                longest = longest.max(start.elapsed());
            }
            let start = Instant::now();
            steer.send("TERMINATE").unwrap();
            proxy.result().unwrap();
            drop(others);
            longest.max(start.elapsed())
        })
        .collect();
    times.sort();
    // A busy machine may hold one or two of them up.
    assert!(times[2] < Duration::from_millis(100), "{times:?}");
}

fn asking(context: &Context) -> Socket {
    let client = context.dealer().unwrap();
    client.connect("inproc://front").unwrap();
    while client.try_send("question").is_ok() {}
    client.into_socket()
}

fn taking(context: &Context) -> Socket {
    let worker = context.dealer().unwrap();
    worker.connect("inproc://back").unwrap();
    worker.into_socket()
}

#[test]
fn a_proxy_whose_capture_is_full_is_steered_in_time() {
    steered_in_time(|context, _, _| {
        // Nobody ever receives what is captured.
        let capture = context.push().unwrap();
        capture.bind("inproc://capture").unwrap();
        (Some(capture.into_socket()), vec![asking(context), taking(context)])
    });
    steered_in_time(|context, _, _| {
        let capture = context.pair().unwrap().into_socket();
        capture.set_send_hwm(3).unwrap();
        let watcher = context.pair().unwrap().into_socket();
        watcher.set_recv_hwm(3).unwrap();
        watcher.connect(&bind(&capture, "inproc://capture")).unwrap();
        (Some(capture), vec![asking(context), taking(context), watcher])
    });
}

#[test]
fn a_proxy_whose_backend_is_full_is_steered_in_time() {
    steered_in_time(|context, _, _| (None, vec![asking(context)]));
    steered_in_time(|context, _, _| (None, vec![asking(context), taking(context)]));
}

/// A reply to one peer that has no room is kept, and does not hold up anything but replies.
#[test]
fn a_proxy_whose_strict_router_has_a_full_peer_is_steered_in_time() {
    steered_in_time(|context, front, _| {
        front.set_router_mandatory(true).unwrap();
        front.set_send_hwm(2).unwrap();
        let client = context.dealer().unwrap();
        client.as_socket().set_recv_hwm(2).unwrap();
        client.connect("inproc://front").unwrap();
        (0..50).for_each(|_| client.send("question").unwrap());
        let server = context.dealer().unwrap();
        server.connect("inproc://back").unwrap();
        let server = Elsewhere::start(move || {
            // As many replies as questions; the client receives none.
            while let Ok(question) = server.as_socket().recv_timeout(BRIEF) {
                server.send(question).unwrap();
            }
        });
        drop(server);
        (None, vec![client.into_socket()])
    });
}

/// Captured copies are complete, also when the watcher is slow.
#[test]
fn a_slow_capture_misses_nothing() {
    let context = Context::new().unwrap();
    let (front, back) = (context.pull().unwrap(), context.push().unwrap());
    let (source, sink) = (context.push().unwrap(), context.pull().unwrap());
    source.connect(&bind(&front, "inproc://in")).unwrap();
    sink.connect(&bind(&back, "inproc://out")).unwrap();
    let (capture, watcher) = (context.pair().unwrap(), context.pair().unwrap());
    capture.as_socket().set_send_hwm(1).unwrap();
    watcher.as_socket().set_recv_hwm(1).unwrap();
    watcher.connect(&bind(&capture, "inproc://capture")).unwrap();
    let (front, back, capture) = (front.into_socket(), back.into_socket(), capture.into_socket());
    let proxy = Elsewhere::start(move || proxy(&front, &back, Some(&capture)).unwrap_err());
    let feeder = Elsewhere::start(move || {
        for number in 0..2000 {
            source.send(Message::from("part").with(number.to_string())).unwrap();
        }
    });
    for number in 0..2000 {
        assert_eq!(texts(&recv(&watcher)), ["part".to_owned(), number.to_string()]);
        assert_eq!(texts(&recv(&sink)), ["part".to_owned(), number.to_string()]);
    }
    feeder.result();
    context.shutdown();
    assert_eq!(proxy.result(), Error::Terminated);
}
