//! XPUB and XSUB (RFC 29, zmq_socket(3)): subscriptions as messages, and the options of XPUB.

use aught_behaviour::consts::*;
use aught_behaviour::*;

fn xpub(ctx: &Ctx, transport: Transport) -> (Sock, String) {
    let publisher = ctx.socket(XPUB);
    let endpoint = publisher.bind_to(transport);
    (publisher, endpoint)
}

fn connected(ctx: &Ctx, kind: i32, endpoint: &str) -> Sock {
    let socket = ctx.socket(kind);
    socket.connect(endpoint).expect("connect");
    socket
}

on_transports! {
    /// zmq_socket(3): byte 1 subscribes, byte 0 unsubscribes, the topic follows.
    fn an_xsub_subscribes_by_sending(transport) {
        let ctx = Ctx::new();
        let (publisher, endpoint) = xpub(&ctx, transport);
        let subscriber = connected(&ctx, XSUB, &endpoint);
        subscriber.send("\x01topic").expect("send");
        publisher.expect("\x01topic");
        publisher.send("nothing").expect("send");
        publisher.send_all(&["topic!", "body"]).expect("send");
        subscriber.expect_all(&["topic!", "body"]);
        subscriber.send("\x00topic").expect("send");
        publisher.expect("\x00topic");
        publisher.send("topic").expect("send");
        subscriber.send("\x01end").expect("send");
        publisher.expect("\x01end");
        publisher.send("end").expect("send");
        subscriber.expect("end");
    }
}

on_transports! {
    /// zmq_socket(3): other messages from an XSUB reach the XPUB as they are.
    fn an_xsub_may_send_other_messages(transport) {
        let ctx = Ctx::new();
        let (publisher, endpoint) = xpub(&ctx, transport);
        let subscriber = connected(&ctx, XSUB, &endpoint);
        subscriber.send("hello").expect("send");
        publisher.expect("hello");
        subscriber.send_all(&["several", "parts"]).expect("send");
        publisher.expect_all(&["several", "parts"]);
        subscriber.send("").expect("send");
        publisher.expect("");
    }
}

/// RFC 29: an XSUB does not filter what arrives; its publisher does.
#[test]
fn an_xsub_gets_nothing_without_a_subscription() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = xpub(&ctx, Transport::Inproc);
    let subscriber = connected(&ctx, XSUB, &endpoint);
    subscriber.send("hello").expect("send");
    publisher.expect("hello");
    publisher.send("missed").expect("send");
    subscriber.send("\x01").expect("send");
    publisher.expect("\x01");
    publisher.send("seen").expect("send");
    subscriber.expect("seen");
}

/// ZMQ_XPUB_VERBOSE, off: the application sees a topic's first subscription only.
#[test]
fn xpub_reports_the_first_subscription_and_the_last_unsubscription() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = xpub(&ctx, Transport::Inproc);
    let first = connected(&ctx, XSUB, &endpoint);
    let second = connected(&ctx, XSUB, &endpoint);
    first.send("\x01a").expect("send");
    publisher.expect("\x01a");
    second.send("\x01a").expect("send");
    second.send("\x01b").expect("send");
    publisher.expect("\x01b");
    first.send("\x00a").expect("send");
    second.send("\x00b").expect("send");
    publisher.expect("\x00b");
    second.send("\x00a").expect("send");
    publisher.expect("\x00a");
}

/// ZMQ_XPUB_VERBOSE: every subscription is seen, unsubscriptions as before.
#[test]
fn a_verbose_xpub_reports_every_subscription() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = xpub(&ctx, Transport::Inproc);
    publisher.set(XPUB_VERBOSE, 1).expect("XPUB_VERBOSE");
    let first = connected(&ctx, XSUB, &endpoint);
    let second = connected(&ctx, XSUB, &endpoint);
    first.send("\x01a").expect("send");
    publisher.expect("\x01a");
    second.send("\x01a").expect("send");
    publisher.expect("\x01a");
    first.send("\x00a").expect("send");
    second.send("\x00a").expect("send");
    publisher.expect("\x00a");
    assert_eq!(publisher.try_recv(), Err(EAGAIN));
}

/// ZMQ_XPUB_VERBOSER: every unsubscription is seen too.
#[test]
fn a_more_verbose_xpub_reports_every_unsubscription() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = xpub(&ctx, Transport::Inproc);
    publisher.set(XPUB_VERBOSER, 1).expect("XPUB_VERBOSER");
    let first = connected(&ctx, XSUB, &endpoint);
    let second = connected(&ctx, XSUB, &endpoint);
    first.send("\x01a").expect("send");
    publisher.expect("\x01a");
    second.send("\x01a").expect("send");
    publisher.expect("\x01a");
    first.send("\x00a").expect("send");
    publisher.expect("\x00a");
    second.send("\x00a").expect("send");
    publisher.expect("\x00a");
}

/// ZMQ_XPUB_MANUAL: the application subscribes the peer whose message it received last.
#[test]
fn a_manual_xpub_chooses_the_subscription() {
    let ctx = Ctx::new();
    let publisher = ctx.socket(XPUB);
    publisher.set(XPUB_MANUAL, 1).expect("XPUB_MANUAL");
    let endpoint = publisher.bind_to(Transport::Inproc);
    let subscriber = connected(&ctx, XSUB, &endpoint);
    subscriber.send("\x01asked").expect("send");
    publisher.expect("\x01asked");
    publisher.subscribe("given");
    publisher.send("asked").expect("send");
    publisher.send("given").expect("send");
    subscriber.expect("given");
    subscriber.send("\x00asked").expect("send");
    publisher.expect("\x00asked");
    publisher.unsubscribe("given");
    publisher.send("given").expect("send");
    subscriber.expect_nothing();
}

/// ZMQ_XPUB_MANUAL: each peer has its own.
#[test]
fn a_manual_xpub_serves_each_peer_its_own() {
    let ctx = Ctx::new();
    let publisher = ctx.socket(XPUB);
    publisher.set(XPUB_MANUAL, 1).expect("XPUB_MANUAL");
    let endpoint = publisher.bind_to(Transport::Tcp);
    let subscribers = ["one", "two"].map(|name| {
        let subscriber = connected(&ctx, XSUB, &endpoint);
        subscriber.send(format!("\x01{name}")).expect("send");
        publisher.expect(format!("\x01{name}"));
        publisher.subscribe(format!("for {name}"));
        subscriber
    });
    publisher.send("for two").expect("send");
    publisher.send("for one").expect("send");
    subscribers[0].expect("for one");
    subscribers[1].expect("for two");
}

on_transports! {
    /// ZMQ_XPUB_WELCOME_MSG: a new subscriber gets it first, if it subscribes to its topic.
    fn an_xpub_welcomes_its_subscribers(transport) {
        let ctx = Ctx::new();
        let publisher = ctx.socket(XPUB);
        publisher.set_bytes(XPUB_WELCOME_MSG, b"welcome").expect("XPUB_WELCOME_MSG");
        let endpoint = publisher.bind_to(transport);
        let subscriber = ctx.socket(SUB);
        subscriber.subscribe("w");
        subscriber.connect(&endpoint).expect("connect");
        publisher.expect("\x01w");
        subscriber.expect("welcome");
        publisher.send("while").expect("send");
        subscriber.expect("while");
    }
}

/// An empty welcome is none.
#[test]
fn an_empty_welcome_is_not_sent() {
    let ctx = Ctx::new();
    let publisher = ctx.socket(XPUB);
    publisher.set_bytes(XPUB_WELCOME_MSG, b"welcome").expect("XPUB_WELCOME_MSG");
    publisher.set_bytes(XPUB_WELCOME_MSG, b"").expect("XPUB_WELCOME_MSG");
    let endpoint = publisher.bind_to(Transport::Inproc);
    let subscriber = ctx.socket(SUB);
    subscriber.subscribe("");
    subscriber.connect(&endpoint).expect("connect");
    publisher.expect("\x01");
    publisher.send("first").expect("send");
    subscriber.expect("first");
}

on_transports! {
    /// A PUB takes the options of XPUB, too. It has no way to see that a subscriber is there but
    /// to publish until something arrives.
    fn a_pub_welcomes_its_subscribers(transport) {
        let ctx = Ctx::new();
        let publisher = ctx.socket(PUB);
        publisher.set_bytes(XPUB_WELCOME_MSG, b"welcome").expect("XPUB_WELCOME_MSG");
        let endpoint = publisher.bind_to(transport);
        let subscriber = ctx.socket(SUB);
        subscriber.subscribe("");
        subscriber.connect(&endpoint).expect("connect");
        publish_until(&publisher, "while", || subscriber.try_recv().ok());
        // What came first was the welcome; what comes now was published.
        subscriber.expect("while");
        publisher.set_bytes(XPUB_WELCOME_MSG, b"").expect("XPUB_WELCOME_MSG");
        let later = ctx.socket(SUB);
        later.subscribe("");
        later.connect(&endpoint).expect("connect");
        assert_eq!(publish_until(&publisher, "end", || later.try_recv().ok()), b"end");
    }
}

/// Publishes until `seen` has something to say.
fn publish_until<T>(publisher: &Sock, body: &str, seen: impl Fn() -> Option<T>) -> T {
    Sock::until(|| {
        publisher.send(body).expect("send");
        seen()
    })
}

/// A PUB tells its application nothing, so that nobody is subscribed while it is manual. What
/// was subscribed before stays.
#[test]
fn a_manual_pub_takes_no_subscriptions() {
    let ctx = Ctx::new();
    let publisher = ctx.socket(PUB);
    let endpoint = publisher.bind_to(Transport::Inproc);
    let early = connected(&ctx, XSUB, &endpoint);
    early.send("\x01m").expect("send");
    publish_until(&publisher, "m", || early.try_recv().ok());
    for option in [SUBSCRIBE, UNSUBSCRIBE] {
        assert_eq!(publisher.set_bytes(option, b"m"), Err(EINVAL), "option {option}");
    }
    publisher.set(XPUB_MANUAL, 1).expect("XPUB_MANUAL");
    let late = connected(&ctx, XSUB, &endpoint);
    late.send("\x01m").expect("send");
    publisher.send("m").expect("send");
    // Of nobody in particular: there is no subscriber that the application was told of.
    publisher.subscribe("m");
    publisher.unsubscribe("m");
    publisher.send("m, the end").expect("send");
    Sock::until(|| (early.recv().expect("a message") == b"m, the end").then_some(()));
    late.expect_nothing();
    publisher.set(XPUB_MANUAL, 0).expect("XPUB_MANUAL");
    late.send("\x01m").expect("send");
    assert_eq!(publish_until(&publisher, "m", || late.try_recv().ok()), b"m");
}

/// What a PUB would tell its application more often, it does not tell at all.
#[test]
fn a_verbose_pub_stays_a_pub() {
    let ctx = Ctx::new();
    for option in [XPUB_VERBOSE, XPUB_VERBOSER] {
        let publisher = ctx.socket(PUB);
        publisher.set(option, 1).expect("an option of XPUB");
        let endpoint = publisher.bind_to(Transport::Inproc);
        let subscriber = ctx.socket(SUB);
        subscriber.subscribe("t");
        subscriber.connect(&endpoint).expect("connect");
        publish_until(&publisher, "t", || subscriber.try_recv().ok());
        assert_eq!(publisher.events(), POLLOUT);
        assert_eq!(publisher.try_recv(), Err(ENOTSUP));
    }
}

/// The options of XPUB are refused by the other types.
#[test]
fn the_options_of_xpub_are_its_own() {
    let ctx = Ctx::new();
    for kind in [PAIR, SUB, REQ, REP, DEALER, ROUTER, PULL, PUSH, XSUB, STREAM] {
        let socket = ctx.socket(kind);
        for option in [XPUB_VERBOSE, XPUB_VERBOSER, XPUB_NODROP, XPUB_MANUAL] {
            assert_eq!(socket.set(option, 1), Err(EINVAL), "type {kind}, option {option}");
        }
        assert_eq!(socket.set_bytes(XPUB_WELCOME_MSG, b"x"), Err(EINVAL), "type {kind}");
    }
}

/// RFC 29: subscriptions travel upstream through a chain of XPUB and XSUB, passed on by hand.
#[test]
fn subscriptions_travel_through_a_proxy_of_xsub_and_xpub() {
    let ctx = Ctx::new();
    let (source, upstream) = xpub(&ctx, Transport::Inproc);
    let front = connected(&ctx, XSUB, &upstream);
    let (back, downstream) = xpub(&ctx, Transport::Inproc);
    let subscriber = ctx.socket(SUB);
    subscriber.subscribe("t");
    subscriber.connect(&downstream).expect("connect");
    front.send(back.recv().expect("a subscription")).expect("send");
    source.expect("\x01t");
    source.send_all(&["t", "body"]).expect("send");
    back.send_all(&front.recv_all().expect("a message")).expect("send");
    subscriber.expect_all(&["t", "body"]);
    drop(subscriber);
    front.send(back.recv().expect("an unsubscription")).expect("send");
    source.expect("\x00t");
}

/// An XSUB may subscribe before there is a publisher: the publisher learns of it later.
#[test]
fn an_xsub_may_subscribe_before_it_connects() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = xpub(&ctx, Transport::Tcp);
    let subscriber = ctx.socket(XSUB);
    subscriber.send("\x01early").expect("send");
    subscriber.connect(&endpoint).expect("connect");
    publisher.expect("\x01early");
    publisher.send("early").expect("send");
    subscriber.expect("early");
}

/// The duplicates of one peer are not passed on.
#[test]
fn an_xsub_passes_duplicates_on_once() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = xpub(&ctx, Transport::Inproc);
    let subscriber = connected(&ctx, SUB, &endpoint);
    subscriber.subscribe("a");
    subscriber.subscribe("a");
    subscriber.subscribe("b");
    publisher.expect("\x01a");
    publisher.expect("\x01b");
}

/// The unsubscriptions of a peer that leaves come one by one.
#[test]
fn a_leaving_xsub_takes_all_its_subscriptions_back() {
    let ctx = Ctx::new();
    let (publisher, endpoint) = xpub(&ctx, Transport::Tcp);
    let subscriber = connected(&ctx, XSUB, &endpoint);
    for topic in ["a", "b", "ab"] {
        subscriber.send(format!("\x01{topic}")).expect("send");
        publisher.expect(format!("\x01{topic}"));
    }
    drop(subscriber);
    let mut gone = [(); 3].map(|()| publisher.recv().expect("an unsubscription"));
    gone.sort();
    assert_eq!(gone, [b"\x00a".to_vec(), b"\x00ab".to_vec(), b"\x00b".to_vec()]);
}

/// XPUB and XSUB are always writable.
#[test]
fn xpub_and_xsub_are_always_writable() {
    let ctx = Ctx::new();
    for kind in [XPUB, XSUB] {
        let socket = ctx.socket(kind);
        assert_eq!(socket.poll(POLLIN | POLLOUT, 0), POLLOUT);
        assert_eq!(socket.try_recv(), Err(EAGAIN));
    }
}
