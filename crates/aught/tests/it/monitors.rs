//! Monitors: what happens to connections, as an iterator.

use std::time::Duration;

use aught::{Context, EventKind, Monitor};

use crate::support::{Elsewhere, SOON, bind};

/// The next event that `wanted` recognises.
fn next(monitor: &mut Monitor, wanted: impl Fn(EventKind) -> bool) -> EventKind {
    loop {
        let event = monitor.next_timeout(SOON).expect("the event comes");
        if wanted(event.kind) {
            return event.kind;
        }
    }
}

#[test]
fn both_ends_hear_of_a_connection_and_of_its_end() {
    for place in ["tcp://127.0.0.1:*", "ipc://*"] {
        let context = Context::new().unwrap();
        let (server, client) = (context.rep().unwrap(), context.req().unwrap());
        let mut at_server = server.as_socket().monitor().unwrap();
        let mut at_client = client.as_socket().monitor().unwrap();
        let endpoint = bind(&server, place);
        let listening = at_server.next_timeout(SOON).unwrap();
        assert!(matches!(listening.kind, EventKind::Listening(fd) if fd >= 0));
        assert_eq!(listening.endpoint, endpoint);

        client.connect(&endpoint).unwrap();
        next(&mut at_client, |kind| matches!(kind, EventKind::Connected(_)));
        next(&mut at_client, |kind| kind == EventKind::HandshakeSucceeded);
        next(&mut at_server, |kind| matches!(kind, EventKind::Accepted(_)));
        next(&mut at_server, |kind| kind == EventKind::HandshakeSucceeded);

        drop(client);
        next(&mut at_server, |kind| matches!(kind, EventKind::Disconnected(_)));
        drop(server);
    }
}

#[test]
fn a_client_that_finds_nobody_tries_again() {
    let context = Context::new().unwrap();
    let scout = context.pull().unwrap();
    let endpoint = bind(&scout, "tcp://127.0.0.1:*");
    scout.as_socket().unbind(&endpoint).unwrap();
    let client = context.push().unwrap();
    client.as_socket().set_reconnect_interval(Some(Duration::from_millis(5))).unwrap();
    let mut monitor = client.as_socket().monitor().unwrap();
    client.connect(&endpoint).unwrap();
    for _ in 0..3 {
        next(&mut monitor, |kind| matches!(kind, EventKind::ConnectRetried(_)));
    }
}

#[test]
fn types_that_do_not_fit_are_parted() {
    let context = Context::new().unwrap();
    let (server, client) = (context.rep().unwrap(), context.publisher().unwrap());
    let mut monitor = server.as_socket().monitor().unwrap();
    client.connect(&bind(&server, "tcp://127.0.0.1:*")).unwrap();
    next(&mut monitor, |kind| matches!(kind, EventKind::Accepted(_)));
    let end = next(&mut monitor, |kind| {
        matches!(kind, EventKind::HandshakeSucceeded | EventKind::Disconnected(_))
    });
    assert!(matches!(end, EventKind::Disconnected(_)));
}

#[test]
fn the_iterator_ends_with_its_socket() {
    let context = Context::new().unwrap();
    let pull = context.pull().unwrap();
    let monitor = pull.as_socket().monitor().unwrap();
    bind(&pull, "tcp://127.0.0.1:*");
    let events = Elsewhere::start(move || monitor.map(|event| event.kind).collect::<Vec<_>>());
    assert!(events.goes_on());
    drop(pull);
    let events = events.result();
    assert!(matches!(events.first(), Some(EventKind::Listening(_))), "{events:?}");
    assert_eq!(events.last(), Some(&EventKind::Stopped), "{events:?}");
}

#[test]
fn a_monitor_ends_with_the_context() {
    let context = Context::new().unwrap();
    let pull = context.pull().unwrap();
    let mut monitor = pull.as_socket().monitor().unwrap();
    let ended = Elsewhere::start(move || while monitor.next().is_some() {});
    assert!(ended.goes_on());
    context.shutdown();
    ended.result();
}

#[test]
fn a_monitor_that_nobody_reads_does_no_harm() {
    let context = Context::new().unwrap();
    let pull = context.pull().unwrap();
    let monitor = pull.as_socket().monitor().unwrap();
    let endpoint = bind(&pull, "tcp://127.0.0.1:*");
    for _ in 0..300 {
        let push = context.push().unwrap();
        push.connect(&endpoint).unwrap();
        push.send("x").unwrap();
        crate::support::recv(&pull);
    }
    drop(monitor);
    let push = context.push().unwrap();
    push.connect(&endpoint).unwrap();
    push.send("still there").unwrap();
    assert_eq!(crate::support::recv(&pull), "still there");
}
