//! PUB and SUB (RFC 29, zmq_socket(3)): topics, counting of subscriptions, who drops.
//!
//! An XPUB stands for the PUB wherever a case must wait for a subscription: it is the same
//! publisher, and it says when one arrives.

use aught_behaviour::consts::*;
use aught_behaviour::*;

/// A publisher that reports subscriptions, and its endpoint.
fn publisher(ctx: &Ctx, transport: Transport) -> (Sock, String) {
    let publisher = ctx.socket(XPUB);
    let endpoint = publisher.bind_to(transport);
    (publisher, endpoint)
}

fn subscriber(ctx: &Ctx, endpoint: &str, prefixes: &[&str]) -> Sock {
    let subscriber = ctx.socket(SUB);
    for prefix in prefixes {
        subscriber.subscribe(prefix);
    }
    subscriber.connect(endpoint).expect("connect");
    subscriber
}

/// Waits for the subscription of a bound subscriber.
///
/// A library may attach a peer that connected only while the socket is in use, so it is used.
fn await_subscription(publisher: &Sock, subscriber: &Sock, expected: &str) {
    let got = Sock::until(|| {
        subscriber.events();
        publisher.try_recv().ok()
    });
    assert_eq!(got, expected.as_bytes());
}

on_transports! {
    /// RFC 29: a subscriber gets the messages that start with its subscription.
    fn a_subscriber_gets_what_its_prefix_matches(transport) {
        let ctx = Ctx::new();
        let (publisher, endpoint) = publisher(&ctx, transport);
        let subscriber = subscriber(&ctx, &endpoint, &["weather"]);
        publisher.expect("\x01weather");
        for text in ["sports", "weathe", "weather", "Weather", "weather.oslo", "a weather"] {
            publisher.send(text).expect("send");
        }
        publisher.send("weather end").expect("send");
        subscriber.expect("weather");
        subscriber.expect("weather.oslo");
        subscriber.expect("weather end");
    }
}

on_transports! {
    /// The same with a real PUB, which can only be waited for by sending until it arrives.
    fn a_pub_reaches_its_subscriber(transport) {
        let ctx = Ctx::new();
        let publisher = ctx.socket(PUB);
        let endpoint = publisher.bind_to(transport);
        let subscriber = subscriber(&ctx, &endpoint, &["a"]);
        Sock::until(|| {
            publisher.send("a sync").expect("send");
            subscriber.try_recv().ok()
        });
        publisher.send("b").expect("send");
        publisher.send_all(&["a end", "", "part"]).expect("send");
        loop {
            let parts = subscriber.recv_text();
            if parts == ["a end", "", "part"] {
                break;
            }
            assert_eq!(parts, ["a sync"]);
        }
    }
}

on_transports! {
    /// RFC 29: the empty subscription matches everything, an empty message among it.
    fn the_empty_subscription_matches_everything(transport) {
        let ctx = Ctx::new();
        let (publisher, endpoint) = publisher(&ctx, transport);
        let subscriber = subscriber(&ctx, &endpoint, &[""]);
        publisher.expect("\x01");
        publisher.send("anything").expect("send");
        publisher.send("").expect("send");
        publisher.send(b"\x00\xff").expect("send");
        subscriber.expect("anything");
        subscriber.expect("");
        subscriber.expect(b"\x00\xff");
    }
}

/// RFC 29: without a subscription nothing is received.
#[test]
fn a_sub_starts_without_subscriptions() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = publisher(&ctx, Transport::Inproc);
    let subscriber = subscriber(&ctx, &endpoint, &[]);
    publisher.send("missed").expect("send");
    subscriber.subscribe("");
    publisher.expect("\x01");
    publisher.send("seen").expect("send");
    subscriber.expect("seen");
}

on_transports! {
    /// RFC 29: every subscriber gets its copy.
    fn every_subscriber_gets_a_copy(transport) {
        let ctx = Ctx::new();
        let (publisher, endpoint) = publisher(&ctx, transport);
        publisher.set(XPUB_VERBOSE, 1).expect("XPUB_VERBOSE");
        let subscribers = [(); 3].map(|()| subscriber(&ctx, &endpoint, &["t"]));
        for _ in &subscribers {
            publisher.expect("\x01t");
        }
        let body = vec![7; 10_000];
        publisher.send_all(&[&b"t"[..], &body]).expect("send");
        for subscriber in &subscribers {
            subscriber.expect_all(&[&b"t"[..], &body]);
        }
    }
}

/// Only the first part is matched.
#[test]
fn the_first_part_is_the_topic() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = publisher(&ctx, Transport::Tcp);
    let subscriber = subscriber(&ctx, &endpoint, &["t"]);
    publisher.expect("\x01t");
    publisher.send_all(&["x", "t"]).expect("send");
    publisher.send_all(&["t", "x"]).expect("send");
    subscriber.expect_all(&["t", "x"]);
    assert_eq!(subscriber.try_recv(), Err(EAGAIN));
}

/// A message that several subscriptions match arrives once.
#[test]
fn overlapping_subscriptions_deliver_once() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = publisher(&ctx, Transport::Tcp);
    let subscriber = subscriber(&ctx, &endpoint, &["", "a", "ab"]);
    let mut seen = [(); 3].map(|()| publisher.recv().expect("a subscription"));
    seen.sort();
    assert_eq!(seen, [b"\x01".to_vec(), b"\x01a".to_vec(), b"\x01ab".to_vec()]);
    publisher.send("abc").expect("send");
    publisher.send("end").expect("send");
    subscriber.expect("abc");
    subscriber.expect("end");
}

/// ZMQ_UNSUBSCRIBE in zmq_setsockopt(3).
#[test]
fn unsubscribing_stops_the_messages() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = publisher(&ctx, Transport::Tcp);
    let subscriber = subscriber(&ctx, &endpoint, &["a", "b"]);
    let mut seen = [(); 2].map(|()| publisher.recv().expect("a subscription"));
    seen.sort();
    assert_eq!(seen, [b"\x01a", b"\x01b"]);
    subscriber.unsubscribe("a");
    publisher.expect("\x00a");
    publisher.send("a").expect("send");
    publisher.send("b").expect("send");
    subscriber.expect("b");
}

/// ZMQ_UNSUBSCRIBE removes one instance of a subscription made more than once.
#[test]
fn a_subscription_made_twice_must_be_taken_back_twice() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = publisher(&ctx, Transport::Inproc);
    let subscriber = subscriber(&ctx, &endpoint, &["a", "a"]);
    publisher.expect("\x01a");
    subscriber.unsubscribe("a");
    publisher.send("a 1").expect("send");
    subscriber.expect("a 1");
    subscriber.unsubscribe("a");
    publisher.expect("\x00a");
    publisher.send("a 2").expect("send");
    subscriber.subscribe("end");
    publisher.expect("\x01end");
    publisher.send("end").expect("send");
    subscriber.expect("end");
}

/// Taking back what was never subscribed is no error and changes nothing.
#[test]
fn unsubscribing_what_was_not_subscribed_is_harmless() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = publisher(&ctx, Transport::Inproc);
    let subscriber = subscriber(&ctx, &endpoint, &["abc"]);
    publisher.expect("\x01abc");
    subscriber.unsubscribe("ab");
    subscriber.unsubscribe("abcd");
    subscriber.unsubscribe("");
    publisher.send("abc").expect("send");
    subscriber.expect("abc");
    assert_eq!(publisher.try_recv(), Err(EAGAIN));
}

/// A longer subscription stays when a shorter one is taken back.
#[test]
fn taking_a_prefix_back_keeps_the_longer_subscription() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = publisher(&ctx, Transport::Inproc);
    let subscriber = subscriber(&ctx, &endpoint, &["a", "ab"]);
    let _ = [(); 2].map(|()| publisher.recv().expect("a subscription"));
    subscriber.unsubscribe("a");
    publisher.expect("\x00a");
    publisher.send("a").expect("send");
    publisher.send("abc").expect("send");
    subscriber.expect("abc");
}

/// Subscriptions are bytes, zero bytes among them.
#[test]
fn subscriptions_are_binary() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = publisher(&ctx, Transport::Tcp);
    let subscriber = ctx.socket(SUB);
    subscriber.subscribe(b"\x00\xfe");
    subscriber.connect(&endpoint).expect("connect");
    publisher.expect(b"\x01\x00\xfe");
    publisher.send(b"\x00").expect("send");
    publisher.send(b"\x00\xfe\x00").expect("send");
    subscriber.expect(b"\x00\xfe\x00");
}

/// A subscription may be far longer than a short frame.
#[test]
fn a_long_subscription_matches() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = publisher(&ctx, Transport::Tcp);
    let topic = "x".repeat(2000);
    let subscriber = subscriber(&ctx, &endpoint, &[&topic]);
    publisher.expect(format!("\x01{topic}"));
    publisher.send(&topic[1..]).expect("send");
    publisher.send(format!("{topic}!")).expect("send");
    subscriber.expect(format!("{topic}!"));
}

/// zmq_socket(3): a PUB never blocks: without subscribers it drops.
#[test]
fn pub_without_a_subscriber_drops() {
    let ctx = Ctx::new();
    let publisher = ctx.socket(PUB);
    for _ in 0..3000 {
        publisher.try_send("into the void").expect("send");
    }
    assert_eq!(publisher.poll(POLLOUT, 0), POLLOUT);
}

#[test]
fn pub_cannot_receive() {
    let ctx = Ctx::new();
    let publisher = ctx.socket(PUB);
    assert_eq!(publisher.recv(), Err(ENOTSUP));
    assert_eq!(publisher.poll(POLLIN, 0), 0);
}

#[test]
fn sub_cannot_send() {
    let ctx = Ctx::new();
    let subscriber = ctx.socket(SUB);
    assert_eq!(subscriber.send("x"), Err(ENOTSUP));
    assert_eq!(subscriber.poll(POLLOUT, 0), 0);
}

/// ZMQ_SUBSCRIBE is for SUB sockets.
#[test]
fn only_a_sub_can_subscribe() {
    let ctx = Ctx::new();
    for kind in [PAIR, PUB, REQ, REP, DEALER, ROUTER, PULL, PUSH, STREAM] {
        let socket = ctx.socket(kind);
        assert_eq!(socket.set_bytes(SUBSCRIBE, b"x"), Err(EINVAL), "type {kind}");
        assert_eq!(socket.set_bytes(UNSUBSCRIBE, b"x"), Err(EINVAL), "type {kind}");
    }
}

/// A SUB reads the publications of all its publishers in turn.
#[test]
fn a_sub_is_fair_to_its_publishers() {
    let ctx = Ctx::new();
    let subscriber = ctx.socket(SUB);
    subscriber.subscribe("");
    let endpoint = subscriber.bind_to(Transport::Inproc);
    let publishers = [ctx.socket(XPUB), ctx.socket(XPUB)];
    for (index, publisher) in publishers.iter().enumerate() {
        publisher.connect(&endpoint).expect("connect");
        await_subscription(publisher, &subscriber, "\x01");
        for _ in 0..5 {
            publisher.send(format!("{index}")).expect("send");
        }
    }
    for _ in 0..5 {
        let mut turn = [(); 2].map(|()| subscriber.recv_text().remove(0));
        turn.sort();
        assert_eq!(turn, ["0", "1"]);
    }
}

on_transports! {
    /// The publisher may be the one that connects.
    fn a_publisher_may_connect_to_a_bound_subscriber(transport) {
        let ctx = Ctx::new();
        let subscriber = ctx.socket(SUB);
        subscriber.subscribe("t");
        let endpoint = subscriber.bind_to(transport);
        let publisher = ctx.socket(XPUB);
        publisher.connect(&endpoint).expect("connect");
        await_subscription(&publisher, &subscriber, "\x01t");
        publisher.send("t").expect("send");
        subscriber.expect("t");
    }
}

/// ZMQ_INVERT_MATCHING: a subscriber gets what its subscriptions do not match.
#[test]
fn invert_matching_delivers_what_does_not_match() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = publisher(&ctx, Transport::Tcp);
    publisher.set(INVERT_MATCHING, 1).expect("INVERT_MATCHING");
    let subscriber = ctx.socket(SUB);
    subscriber.set(INVERT_MATCHING, 1).expect("INVERT_MATCHING");
    subscriber.subscribe("hidden");
    subscriber.connect(&endpoint).expect("connect");
    publisher.expect("\x01hidden");
    publisher.send("hidden one").expect("send");
    publisher.send("shown").expect("send");
    subscriber.expect("shown");
}

/// ZMQ_CONFLATE: only the last message is kept.
#[test]
fn a_conflating_sub_keeps_the_last_message() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = publisher(&ctx, Transport::Inproc);
    let subscriber = ctx.socket(SUB);
    subscriber.set(CONFLATE, 1).expect("CONFLATE");
    subscriber.subscribe("");
    subscriber.connect(&endpoint).expect("connect");
    publisher.expect("\x01");
    for number in 0..100 {
        publisher.send(format!("{number}")).expect("send");
    }
    subscriber.expect("99");
    assert_eq!(subscriber.try_recv(), Err(EAGAIN));
}

/// A subscriber that leaves takes its subscriptions along.
#[test]
fn a_leaving_subscriber_unsubscribes() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = publisher(&ctx, Transport::Tcp);
    let subscriber = subscriber(&ctx, &endpoint, &["t"]);
    publisher.expect("\x01t");
    drop(subscriber);
    publisher.expect("\x00t");
}

/// A SUB on inproc that connects before the publisher binds subscribes once it does.
#[test]
fn a_sub_may_connect_to_inproc_before_the_bind() {
    let ctx = Ctx::new();
    let endpoint = Transport::Inproc.endpoint();
    let subscriber = subscriber(&ctx, &endpoint, &["t"]);
    let publisher = ctx.socket(XPUB);
    publisher.bind(&endpoint).expect("bind");
    publisher.expect("\x01t");
    publisher.send("t").expect("send");
    subscriber.expect("t");
}
