//! PUB, SUB, XPUB and XSUB.

use super::*;
use PatternOption as Opt;
use SocketType::{Pub, Sub, Xpub, Xsub};

fn subscribe(node: &mut Node, topic: &str) {
    node.set(Opt::Subscribe(topic.as_bytes().to_vec()));
}

fn unsubscribe(node: &mut Node, topic: &str) {
    node.set(Opt::Unsubscribe(topic.as_bytes().to_vec()));
}

/// A SUB that wants the given topics.
fn subscriber(topics: &[&str]) -> Node {
    let mut node = Node::new(Sub);
    topics.iter().for_each(|topic| subscribe(&mut node, topic));
    node
}

#[test]
fn messages_go_to_whom_they_match_once_and_whole() {
    let mut publisher = Node::new(Pub);
    let mut a = subscriber(&["A", "AB", ""]);
    let mut b = subscriber(&["AB"]);
    join(&mut publisher, &mut a);
    join(&mut publisher, &mut b);
    publisher.send(&["ABC", "A"]).unwrap();
    publisher.send(&["B", "AB"]).unwrap();
    assert_eq!(a.all(), texts(&[&["ABC", "A"], &["B", "AB"]]));
    assert_eq!(b.all(), texts(&[&["ABC", "A"]]));
    unsubscribe(&mut b, "AB");
    publisher.send(&["ABC"]).unwrap();
    assert_eq!(b.all(), texts(&[]));
}

#[test]
fn subscriptions_are_passed_on_every_time_and_their_ends_once() {
    let mut xpub = Node::new(Xpub);
    xpub.set(Opt::XpubVerbose(true));
    let mut xsub = Node::new(Xsub);
    join(&mut xpub, &mut xsub);
    for message in ["\x01A", "\x01A", "\0A", "\0A", "\0A", "\0B", "\x01", "\0", "hello", "\x02x"] {
        xsub.send(&[message]).unwrap();
    }
    let expected: [&[&str]; 7] =
        [&["\x01A"], &["\x01A"], &["\0A"], &["\x01"], &["\0"], &["hello"], &["\x02x"]];
    assert_eq!(xpub.all(), texts(&expected));
}

#[test]
fn old_subscribers_speak_in_data() {
    let mut xpub = Node::new(Xpub);
    let (_, mut end) = bare(&mut xpub, Some(""), Attach::default());
    let (_, mut other) = bare(&mut xpub, Some(""), Attach::default());
    put(&mut end, &["\x01A"]);
    put(&mut end, &["\x01A"]);
    put(&mut other, &["\x01A"]);
    assert_eq!(xpub.all(), texts(&[&["\x01A"]]));
    xpub.send(&["A1"]).unwrap();
    assert_eq!(take(&mut end), [(Kind::Data, "A1".to_owned())]);
    put(&mut end, &["\0A"]); // once is enough
    assert_eq!(xpub.all(), texts(&[]));
    put(&mut end, &["\0A"]); // the end of what is not there is passed on
    assert_eq!(xpub.all(), texts(&[&["\0A"]]));
    xpub.send(&["A2"]).unwrap();
    assert_eq!(take(&mut end), []);
    assert_eq!(take(&mut other).len(), 2);
}

#[test]
fn a_subscriber_that_goes_unsubscribes_in_byte_order() {
    let mut xpub = Node::new(Xpub);
    let mut a = subscriber(&["Z", "Ab", "A", "", "Abc", "a"]);
    let mut b = subscriber(&["A"]);
    join(&mut xpub, &mut a);
    join(&mut xpub, &mut b);
    assert_eq!(xpub.all().len(), 6);
    a.close();
    assert_eq!(xpub.all(), texts(&[&["\0"], &["\0Ab"], &["\0Abc"], &["\0Z"], &["\0a"]]));
    b.close();
    assert_eq!(xpub.all(), texts(&[&["\0A"]]));
}

#[test]
fn verbose_and_verboser_tell_more() {
    for (option, ends) in [
        (Opt::XpubVerbose(false), vec![0, 0, 1]),
        (Opt::XpubVerbose(true), vec![0, 0, 1]),
        (Opt::XpubVerboser(true), vec![1, 1, 1]),
    ] {
        let subscriptions = if option == Opt::XpubVerbose(false) { 1 } else { 3 };
        let mut xpub = Node::new(Xpub);
        xpub.set(option);
        let mut subs: Vec<_> = (0..3).map(|_| subscriber(&["A"])).collect();
        for sub in &mut subs {
            join(&mut xpub, sub);
        }
        assert_eq!(xpub.all(), vec![text(&["\x01A"]); subscriptions]);
        for (sub, count) in subs.iter_mut().zip(ends) {
            sub.close();
            assert_eq!(xpub.all(), vec![text(&["\0A"]); count]);
        }
    }
}

#[test]
fn manual_subscriptions_are_the_applications() {
    let mut xpub = Node::new(Xpub);
    xpub.set(Opt::XpubManual(true));
    subscribe(&mut xpub, "nobody asked yet");
    let mut c = subscriber(&["A"]);
    let mut d = subscriber(&["B"]);
    d.set(Opt::Subscribe(b"X".to_vec()));
    join(&mut xpub, &mut c);
    join(&mut xpub, &mut d);
    subscribe(&mut c, "XA");
    assert_eq!(xpub.recv().unwrap(), ["\x01A"]);
    subscribe(&mut xpub, "XA");
    xpub.send(&["A0"]).unwrap();
    xpub.send(&["XA0"]).unwrap();
    assert_eq!(c.all(), texts(&[&["XA0"]]));
    assert_eq!(xpub.all(), texts(&[&["\x01XA"], &["\x01B"], &["\x01X"]]));
    subscribe(&mut c, "XA");
    assert_eq!(xpub.all(), texts(&[&["\x01XA"]]), "told again, and of whom");
    unsubscribe(&mut xpub, "XA");
    unsubscribe(&mut xpub, "not there");
    xpub.send(&["XA1"]).unwrap();
    assert_eq!(c.all(), texts(&[]));
    subscribe(&mut c, "A");
    subscribe(&mut d, "A");
    assert_eq!(xpub.all(), texts(&[&["\x01A"], &["\x01A"]]));
    c.close();
    assert_eq!(xpub.all(), texts(&[&["\0A"], &["\0XA"]]));
    d.close();
    assert_eq!(xpub.all(), texts(&[&["\0A"], &["\0B"], &["\0X"]]));
    subscribe(&mut xpub, "the last one is gone");
    xpub.set(Opt::XpubManual(false));
    assert!(xpub.pattern.set(Opt::Subscribe(Vec::new()), &mut xpub.pipes).is_err());
}

#[test]
fn a_welcome_message_comes_first() {
    let mut xpub = Node::new(Xpub);
    xpub.set(Opt::XpubWelcome(b"Whello".to_vec()));
    let mut wants = subscriber(&["W"]);
    join(&mut xpub, &mut wants);
    assert_eq!(wants.all(), texts(&[&["Whello"]]));
    let mut late = subscriber(&[]);
    join(&mut xpub, &mut late);
    assert_eq!(late.all(), texts(&[]), "not asked for");
    xpub.set(Opt::XpubWelcome(Vec::new()));
    let (_, mut end) = bare(&mut xpub, Some(""), Attach::default());
    assert_eq!(take(&mut end), []);
}

#[test]
fn messages_of_subscribers_reach_an_xpub_whole() {
    let mut xpub = Node::new(Xpub);
    let mut xsub = Node::new(Xsub);
    join(&mut xpub, &mut xsub);
    xsub.send(&["u1", "u2", "u3"]).unwrap();
    xsub.send(&["\x01A", "\x01B"]).unwrap();
    xsub.send(&["u", "\x01C"]).unwrap();
    xsub.send(&["\x01D", "u"]).unwrap();
    xsub.send(&[""]).unwrap();
    xsub.send(&["", "x"]).unwrap();
    let expected: [&[&str]; 8] = [
        &["u1", "u2", "u3"],
        &["\x01A"],
        &["\x01B"],
        &["u", "\x01C"],
        &["\x01D"],
        &["u"],
        &[""],
        &["", "x"],
    ];
    assert_eq!(xpub.all(), texts(&expected));
    for topic in ["A", "B", "C", "D", "u"] {
        xpub.send(&[topic]).unwrap();
    }
    assert_eq!(xsub.all(), texts(&[&["A"], &["B"], &["C"], &["D"]]));

    let mut publisher = Node::new(Pub);
    let mut xsub = Node::new(Xsub);
    join(&mut publisher, &mut xsub);
    xsub.send(&["u", "\x01A"]).unwrap();
    xsub.send(&["\x01B", "zz"]).unwrap();
    for topic in ["A", "B", "u"] {
        publisher.send(&[topic]).unwrap();
    }
    assert_eq!(xsub.all(), texts(&[&["A"], &["B"]]));
}

#[test]
fn messages_of_subscribers_wait_in_their_pipes_when_there_are_many() {
    let mut xpub = Node::new(Xpub);
    let mut xsub = Node::with(Xsub, "", 10_000);
    xpub.hwm = 10_000;
    join(&mut xpub, &mut xsub);
    for n in 0..3000 {
        xsub.send(&[&n.to_string()]).unwrap();
        xpub.settle();
    }
    xsub.send(&["\x01A"]).unwrap();
    let mut all = xpub.all();
    assert_eq!(all.pop().unwrap(), ["\x01A"]);
    assert!(all.iter().enumerate().all(|(n, message)| *message == [n.to_string()]));
    assert_eq!(all.len(), 3000);
}

#[test]
fn subscriptions_are_sent_to_every_publisher_and_again_after_a_hiccup() {
    let mut sub = subscriber(&["q", "b", "ba", "b", ""]);
    let (pipe, mut end) = bare(&mut sub, Some(""), Attach::default());
    let wanted = |kind: Kind, topics: &[&str]| -> Vec<_> {
        topics.iter().map(|topic| (kind, (*topic).to_owned())).collect()
    };
    assert_eq!(take(&mut end), wanted(Kind::Subscribe, &["", "b", "ba", "q"]));
    unsubscribe(&mut sub, "b");
    unsubscribe(&mut sub, "nope");
    unsubscribe(&mut sub, "q");
    assert_eq!(take(&mut end), wanted(Kind::Cancel, &["q"]));
    sub.inbox.signal(pipe.token(), Signal::Hiccup);
    sub.settle();
    assert_eq!(take(&mut end)[0], (Kind::Restart, String::new()));
    sub.inbox.signal(pipe.token(), Signal::Hiccup);
    sub.settle();
    assert_eq!(take(&mut end)[1..], wanted(Kind::Subscribe, &["", "b", "ba"]));
    assert_eq!(sub.pattern.topics(), Some(3));
}

#[test]
fn a_sub_drops_what_it_did_not_ask_for() {
    let mut sub = subscriber(&["A"]);
    let (_, mut end) = bare(&mut sub, Some(""), Attach::default());
    put(&mut end, &["B", "A"]);
    put(&mut end, &["A", "B"]);
    put(&mut end, &["C"]);
    assert_eq!(sub.all(), texts(&[&["A", "B"]]));
    assert_eq!(sub.dropped(Cause::Unmatched), 2);
    put(&mut end, &["A1"]);
    assert!(sub.has_in());
    unsubscribe(&mut sub, "A");
    assert_eq!(sub.all(), texts(&[&["A1"]]), "what was promised is given");
    sub.set(Opt::InvertMatching(true));
    put(&mut end, &["anything"]);
    assert_eq!(sub.all(), texts(&[&["anything"]]));
    // An XSUB does not filter.
    let mut xsub = Node::new(Xsub);
    let (_, mut end) = bare(&mut xsub, Some(""), Attach::default());
    put(&mut end, &["B", "A"]);
    assert_eq!(xsub.all(), texts(&[&["B", "A"]]));
}

#[test]
fn matching_can_be_inverted() {
    let mut xpub = Node::new(Xpub);
    xpub.set(Opt::InvertMatching(true));
    let mut a = subscriber(&["A"]);
    let mut b = subscriber(&[]);
    a.set(Opt::InvertMatching(true));
    b.set(Opt::InvertMatching(true));
    join(&mut xpub, &mut a);
    join(&mut xpub, &mut b);
    xpub.send(&["A1"]).unwrap();
    xpub.send(&["B1", "x"]).unwrap();
    assert_eq!(a.all(), texts(&[&["B1", "x"]]));
    assert_eq!(b.all(), texts(&[&["A1"], &["B1", "x"]]));
}

#[test]
fn a_full_subscriber_misses_messages_or_holds_all_up() {
    for nodrop in [false, true] {
        let mut xpub = Node::with(Xpub, "", 1);
        xpub.set(Opt::XpubNodrop(nodrop));
        let mut slow = Node::with(Sub, "", 1);
        subscribe(&mut slow, "");
        let mut other = Node::with(Sub, "", 100);
        subscribe(&mut other, "m1");
        join(&mut xpub, &mut slow);
        join(&mut xpub, &mut other);
        xpub.all();
        let sent = (0..5).filter(|n| xpub.send(&[&format!("m{n}")]).is_ok()).count();
        assert_eq!(sent, if nodrop { 2 } else { 5 });
        assert_eq!(xpub.dropped(Cause::PubHwm), if nodrop { 0 } else { 3 });
        assert_eq!(slow.all(), texts(&[&["m0"], &["m1"]]));
        assert_eq!(other.all(), texts(&[&["m1"]]));
        xpub.send(&["k", "l"]).unwrap();
        assert_eq!(slow.all(), texts(&[&["k", "l"]]));
    }
}

#[test]
fn a_receiver_that_keeps_up_misses_nothing() {
    for (sends, receives) in [(Pub, Sub), (SocketType::Router, SocketType::Dealer)] {
        for hwm in [1, 2, 5, 100] {
            let mut sender = Node::with(sends, "", hwm);
            let mut receiver = Node::with(receives, "R", hwm);
            if receives == Sub {
                subscribe(&mut receiver, "R");
            }
            join(&mut sender, &mut receiver);
            for n in 0..1000 {
                sender.send(&["R", &n.to_string()]).unwrap();
                assert_eq!(receiver.all().len(), 1, "{sends:?} {hwm} {n}");
            }
        }
    }
}

#[test]
fn who_comes_or_goes_in_the_middle_of_a_message_makes_no_difference_to_others() {
    let mut xpub = Node::new(Xpub);
    let mut a = subscriber(&[""]);
    let mut b = subscriber(&[""]);
    join(&mut xpub, &mut a);
    join(&mut xpub, &mut b);
    xpub.part("1", true).unwrap();
    a.close();
    let mut late = subscriber(&[""]);
    join(&mut xpub, &mut late);
    xpub.part("2", true).unwrap();
    xpub.part("3", false).unwrap();
    xpub.send(&["n"]).unwrap();
    assert_eq!(b.all(), texts(&[&["1", "2", "3"], &["n"]]));
    assert_eq!(late.all(), texts(&[&["n"]]));
    assert_eq!(xpub.dropped(Cause::PeerGone), 1);
}

#[test]
fn subscriptions_pass_a_publisher_that_is_full_and_wait_for_the_end_of_a_message() {
    let mut xsub = Node::with(Xsub, "", 1);
    let (pipe, mut end) = bare(&mut xsub, Some(""), Attach::default());
    xsub.send(&["u0"]).unwrap();
    xsub.send(&["u1"]).unwrap();
    xsub.send(&["\x01A"]).unwrap();
    let data = |text: &str| (Kind::Data, text.to_owned());
    assert_eq!(take(&mut end), [data("u0"), (Kind::Subscribe, "A".to_owned())]);
    assert_eq!(xsub.dropped(Cause::PubHwm), 1);
    // The connection is made again within a message, which cannot go on there.
    xsub.part("v0", true).unwrap();
    xsub.inbox.signal(pipe.token(), Signal::Hiccup);
    xsub.part("v1", false).unwrap();
    let restart = (Kind::Restart, String::new());
    assert_eq!(take(&mut end), [restart, (Kind::Subscribe, "A".to_owned())]);
    xsub.send(&["w"]).unwrap();
    assert_eq!(take(&mut end), [data("w")]);
    assert_eq!(xsub.dropped(Cause::PeerGone), 1);
}

#[test]
fn random_subscriptions_agree_with_a_naive_model() {
    let mut random = conservation::Random(42);
    for kind in [Pub, Xpub] {
        let mut publisher = Node::new(kind);
        // Each subscriber with the topics that it asked for, as often as it did.
        let mut subscribers: Vec<(Node, Vec<String>)> = Vec::new();
        let topic = |random: &mut conservation::Random| -> String {
            (0..random.below(4)).map(|_| if random.below(2) == 0 { 'a' } else { 'b' }).collect()
        };
        for step in 0..3000 {
            match random.below(8) {
                0 if subscribers.len() < 12 => {
                    let mut node = Node::new(Sub);
                    join(&mut publisher, &mut node);
                    subscribers.push((node, Vec::new()));
                }
                1 if subscribers.len() > 3 => {
                    let at = random.below(subscribers.len());
                    subscribers.swap_remove(at).0.close();
                }
                2..=4 if !subscribers.is_empty() => {
                    let at = random.below(subscribers.len());
                    let (node, topics) = &mut subscribers[at];
                    let topic = topic(&mut random);
                    if random.below(2) == 0 {
                        subscribe(node, &topic);
                        topics.push(topic);
                    } else {
                        unsubscribe(node, &topic);
                        if let Some(at) = topics.iter().position(|known| *known == topic) {
                            topics.swap_remove(at);
                        }
                    }
                }
                _ => {
                    let message = format!("{}/{step}", topic(&mut random));
                    publisher.send(&[&message]).unwrap();
                    for (node, topics) in &mut subscribers {
                        let wanted = topics.iter().any(|topic| message.starts_with(topic.as_str()));
                        let expected = if wanted { vec![text(&[&message])] } else { Vec::new() };
                        assert_eq!(node.all(), expected, "{topics:?}");
                        assert_eq!(node.drops, HashMap::new(), "filtered where it is sent");
                    }
                }
            }
            publisher.all();
        }
    }
}
