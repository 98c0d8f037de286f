//! Endpoints and connections: early, late, lost and found again, many at once.

use std::time::{Duration, Instant};

use aught::{Context, Error};

use crate::support::{EVERYWHERE, Folder, SOON, bind, join, recv};

#[test]
fn connecting_may_come_before_binding() {
    for place in EVERYWHERE {
        let folder = Folder::new();
        let context = Context::new().unwrap();
        // Any address of the kind, free a moment ago.
        let scout = context.pull().unwrap();
        let endpoint = bind(&scout, &folder.endpoint(place));
        scout.as_socket().unbind(&endpoint).unwrap();
        drop(scout);

        let push = context.push().unwrap();
        push.connect(&endpoint).unwrap();
        push.send("early").unwrap();
        let pull = context.pull().unwrap();
        pull.bind(&endpoint).unwrap();
        assert_eq!(recv(&pull), "early");
    }
}

#[test]
fn a_client_finds_its_server_again() {
    for place in ["tcp://127.0.0.1:*", "ipc://*"] {
        let context = Context::new().unwrap();
        let client = context.dealer().unwrap();
        let quick = Some(Duration::from_millis(5));
        client.as_socket().set_reconnect_interval(quick).unwrap();
        let folder = Folder::new();
        let mut endpoint = folder.endpoint(place);
        for round in 0..5 {
            let server = context.router().unwrap();
            let bound = bind(&server, &endpoint);
            if round == 0 {
                client.connect(&bound).unwrap();
            }
            endpoint = bound;
            // What is on its way to a server when that goes is lost, as it must be: ask until one
            // is heard.
            let begun = Instant::now();
            loop {
                assert!(begun.elapsed() < SOON, "round {round}: never connected again");
                client.send(round.to_string()).unwrap();
                match server.as_socket().recv_timeout(Duration::from_millis(20)) {
                    Ok(request) => break server.send(request).unwrap(),
                    Err(Error::WouldBlock) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            while recv(&client) != round.to_string().as_str() {}
            server.set_linger(Some(Duration::ZERO)).unwrap();
        }
        client.set_linger(Some(Duration::ZERO)).unwrap();
    }
}

#[test]
fn a_subscriber_subscribes_again_by_itself() {
    for place in ["tcp://127.0.0.1:*", "ipc://*"] {
        let context = Context::new().unwrap();
        let subscriber = context.subscriber().unwrap();
        let quick = Some(Duration::from_millis(5));
        subscriber.as_socket().set_reconnect_interval(quick).unwrap();
        subscriber.subscribe("news").unwrap();
        let folder = Folder::new();
        let mut endpoint = folder.endpoint(place);
        for round in 0..4 {
            let publisher = context.publisher().unwrap();
            let bound = bind(&publisher, &endpoint);
            if round == 0 {
                subscriber.connect(&bound).unwrap();
            }
            endpoint = bound;
            join(&publisher, &subscriber, &format!("news {round}"));
        }
    }
}

#[test]
fn an_endpoint_can_be_let_go_of() {
    for place in EVERYWHERE {
        let folder = Folder::new();
        let context = Context::new().unwrap();
        let (push, pull) = (context.push().unwrap(), context.pull().unwrap());
        let endpoint = bind(&pull, &folder.endpoint(place));
        push.connect(&endpoint).unwrap();
        push.send("before").unwrap();
        assert_eq!(recv(&pull), "before");
        push.as_socket().disconnect(&endpoint).unwrap();
        assert_eq!(*push.try_send("after").unwrap_err().error(), Error::WouldBlock);
        assert_eq!(push.as_socket().disconnect(&endpoint).unwrap_err(), Error::NoSuchEndpoint);
        pull.as_socket().unbind(&endpoint).unwrap();
        assert_eq!(pull.as_socket().unbind(&endpoint).unwrap_err(), Error::NoSuchEndpoint);
        pull.bind(&endpoint).unwrap();
    }
}

#[test]
fn wrong_endpoints_are_refused_with_a_reason() {
    let context = Context::new().unwrap();
    let pull = context.pull().unwrap();
    for endpoint in ["", "nonsense", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:port"] {
        assert!(matches!(pull.bind(endpoint), Err(Error::Invalid(_))), "bind {endpoint:?}");
        assert!(matches!(pull.connect(endpoint), Err(Error::Invalid(_))), "connect {endpoint:?}");
    }
    assert_eq!(pull.bind("carrier-pigeon://roof").unwrap_err(), Error::UnknownTransport);
    assert_eq!(pull.connect("carrier-pigeon://roof").unwrap_err(), Error::UnknownTransport);
    assert!(pull.connect("tcp://127.0.0.1:*").is_err(), "nobody can connect to any port");
    bind(&pull, "inproc://taken");
    let other = context.pull().unwrap();
    assert_eq!(other.bind("inproc://taken").unwrap_err(), Error::AddressInUse);
}

#[test]
fn wildcards_become_addresses() {
    let context = Context::new().unwrap();
    let pull = context.pull().unwrap();
    let port = |endpoint: &str| endpoint.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    assert!(port(&bind(&pull, "tcp://127.0.0.1:*")) > 0);
    assert!(port(&bind(&pull, "tcp://*:*")) > 0);
    assert!(bind(&pull, "tcp://lo:*").starts_with("tcp://127.0.0.1:"));
    let path = bind(&pull, "ipc://*");
    assert!(std::path::Path::new(path.trim_start_matches("ipc://")).exists());
    drop(pull);
}

#[test]
fn one_socket_serves_several_endpoints() {
    let context = Context::new().unwrap();
    let server = context.rep().unwrap();
    for place in EVERYWHERE {
        let endpoint = bind(&server, place);
        let client = context.req().unwrap();
        client.connect(&endpoint).unwrap();
        client.send(place).unwrap();
        assert_eq!(recv(&server), place);
        server.send("served").unwrap();
        assert_eq!(recv(&client), "served");
    }
}

#[test]
fn a_hundred_sockets_meet_in_one() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let router = context.router().unwrap();
        let endpoint = bind(&router, place);
        let dealers: Vec<_> = (0..100).map(|_| context.dealer().unwrap()).collect();
        for (number, dealer) in dealers.iter().enumerate() {
            dealer.connect(&endpoint).unwrap();
            dealer.send(number.to_string()).unwrap();
        }
        for _ in &dealers {
            let message = recv(&router);
            router.send(message).unwrap();
        }
        for (number, dealer) in dealers.iter().enumerate() {
            assert_eq!(recv(dealer), number.to_string().as_str());
        }
    }
}

#[test]
fn contexts_have_names_of_their_own() {
    let (one, other) = (Context::new().unwrap(), Context::new().unwrap());
    let (here, there) = (one.pair().unwrap(), other.pair().unwrap());
    bind(&here, "inproc://name");
    bind(&there, "inproc://name");
    let friend = other.pair().unwrap();
    friend.connect("inproc://name").unwrap();
    friend.send("to the other one").unwrap();
    assert_eq!(recv(&there), "to the other one");
    assert_eq!(here.try_recv().unwrap_err(), Error::WouldBlock);
}

#[test]
fn contexts_of_one_process_talk_over_the_network() {
    for place in ["tcp://127.0.0.1:*", "ipc://*", "ipc://@"] {
        let (one, other) = (Context::new().unwrap(), Context::new().unwrap());
        let (server, client) = (one.rep().unwrap(), other.req().unwrap());
        let place = match place {
            "ipc://@" => format!("ipc://@aught-test-{}", std::process::id()),
            other => other.to_owned(),
        };
        client.connect(&bind(&server, &place)).unwrap();
        client.send("over the fence").unwrap();
        assert_eq!(recv(&server), "over the fence");
        server.send("back").unwrap();
        assert_eq!(recv(&client), "back");
    }
}
