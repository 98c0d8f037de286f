//! PUSH, PULL, PAIR and DEALER: order and wholeness.

use super::*;
use SocketType::{Dealer, Pair, Pull, Push};

fn flat(node: &mut Node) -> Vec<String> {
    node.all().into_iter().flatten().collect()
}

#[test]
fn messages_are_fair_queued_in_the_known_order() {
    let cases: [([usize; 3], [&str; 2]); 3] = [
        ([2, 2, 2], ["a0 b0 c0 a1 b1 c1", "B0 A0 C0 B1 A1 C1"]),
        ([1, 2, 3], ["a0 b0 c0 c1 b1 c2", "B0 A0 C0 B1 C1 C2"]),
        ([3, 1, 2], ["a0 b0 c0 a1 c1 a2", "B0 A0 C0 C1 A1 A2"]),
    ];
    for (counts, [first, again]) in cases {
        let mut pull = Node::new(Pull);
        let mut pushes: Vec<_> = (0..3).map(|_| Node::new(Push)).collect();
        for push in &mut pushes {
            join(&mut pull, push);
        }
        for (names, order, expected) in
            [(["a", "b", "c"], [0, 1, 2], first), (["A", "B", "C"], [1, 0, 2], again)]
        {
            for at in order {
                for k in 0..counts[at] {
                    pushes[at].send(&[&format!("{}{k}", names[at])]).unwrap();
                }
            }
            assert_eq!(flat(&mut pull).join(" "), expected, "{counts:?}");
        }
    }
}

#[test]
fn messages_are_load_balanced_in_the_known_order_up_to_the_marks() {
    let mut push = Node::with(Push, "", 1);
    let mut pulls: Vec<_> = [1, 3, 1].iter().map(|hwm| Node::with(Pull, "", *hwm)).collect();
    for pull in &mut pulls {
        join(&mut push, pull);
    }
    let mut sent = 0;
    while push.send(&[&format!("m{sent}")]).is_ok() {
        sent += 1;
    }
    assert_eq!(sent, 8);
    assert!(!push.has_out());
    let got: Vec<_> = pulls.iter_mut().map(|pull| flat(pull).join(" ")).collect();
    assert_eq!(got, ["m0 m3", "m1 m4 m6 m7", "m2 m5"]);
    for n in 0..7 {
        push.send(&[&format!("n{n}")]).unwrap();
    }
    let got: Vec<_> = pulls.iter_mut().map(|pull| flat(pull).join(" ")).collect();
    assert_eq!(got, ["n0 n3", "n1 n4 n6", "n2 n5"]);
}

#[test]
fn a_peer_that_goes_leaves_the_known_order() {
    // How many peers, which one goes, after how many messages, and what the others get then.
    let cases: [(usize, usize, usize, &[&str]); 5] = [
        (3, 0, 0, &["", "y1", "y0 y2"]),
        (3, 2, 2, &["y0 y2", "y1", ""]),
        (4, 1, 2, &["y1", "", "y0 y3", "y2"]),
        (4, 1, 3, &["y0 y3", "", "y2", "y1"]),
        (4, 2, 1, &["y2", "y0 y3", "", "y1"]),
    ];
    for (count, gone, before, expected) in cases {
        let mut push = Node::new(Push);
        let mut pulls: Vec<_> = (0..count).map(|_| Node::new(Pull)).collect();
        for pull in &mut pulls {
            join(&mut push, pull);
        }
        for _ in 0..before {
            push.send(&["x"]).unwrap();
        }
        pulls.iter_mut().for_each(|pull| assert!(pull.all().len() <= 1));
        pulls[gone].close();
        for n in 0..count {
            push.send(&[&format!("y{n}")]).unwrap();
        }
        let got: Vec<_> = pulls.iter_mut().map(|pull| flat(pull).join(" ")).collect();
        assert_eq!(got, expected, "{count} {gone} {before}");
    }
}

#[test]
fn a_message_whose_peer_goes_in_the_middle_is_swallowed_and_counted() {
    for kind in [Push, Dealer, Pair] {
        let mut sender = Node::new(kind);
        let mut gone = Node::new(if kind == Push { Pull } else { kind });
        join(&mut sender, &mut gone);
        sender.part("1", true).unwrap();
        gone.close();
        sender.part("2", true).unwrap();
        sender.part("3", false).unwrap();
        assert_eq!(sender.send(&["x"]), Err(SendError::Full));
        assert_eq!(sender.dropped(Cause::PeerGone), 1);

        let mut next = Node::new(if kind == Push { Pull } else { kind });
        join(&mut sender, &mut next);
        sender.send(&["a", "b"]).unwrap();
        assert_eq!(next.all(), texts(&[&["a", "b"]]));
    }
}

#[test]
fn what_a_peer_sent_before_it_went_is_received_whole() {
    let mut pull = Node::new(Pull);
    let mut push = Node::new(Push);
    join(&mut pull, &mut push);
    push.send(&["1"]).unwrap();
    push.send(&["2", "3", "4"]).unwrap();
    push.part("lost", true).unwrap();
    push.close();
    assert_eq!(pull.recv().unwrap(), ["1"]);
    assert_eq!(pull.recv_part().unwrap(), ("2".to_owned(), true));
    // The application disconnects in the middle of a message: it still gets the rest.
    pull.close();
    assert_eq!(pull.recv().unwrap(), ["3", "4"]);
    assert_eq!(pull.recv(), Err(RecvError::Empty));
}

#[test]
fn only_one_direction_works_where_there_is_one() {
    let mut push = Node::new(Push);
    assert_eq!(push.send(&["x"]), Err(SendError::Full));
    assert_eq!(push.recv(), Err(RecvError::Unsupported));
    let mut pull = Node::new(Pull);
    assert_eq!(pull.send(&["x"]), Err(SendError::Unsupported));
    assert_eq!(pull.recv(), Err(RecvError::Empty));
    let mut publisher = Node::new(SocketType::Pub);
    assert_eq!(publisher.recv(), Err(RecvError::Unsupported));
    assert_eq!(publisher.send(&["to nobody"]), Ok(()));
    assert_eq!(Node::new(SocketType::Sub).send(&["x"]), Err(SendError::Unsupported));
}

#[test]
fn a_pair_has_one_peer_until_that_one_is_read_to_the_end() {
    let mut pair = Node::new(Pair);
    let mut first = Node::new(Pair);
    join(&mut pair, &mut first);
    let mut second = Node::new(Pair);
    join(&mut pair, &mut second);
    assert_eq!(second.send(&["x"]), Err(SendError::Full), "turned away");
    first.send(&["last"]).unwrap();
    first.close();
    pair.settle();
    let mut third = Node::new(Pair);
    join(&mut pair, &mut third);
    assert_eq!(third.send(&["x"]), Err(SendError::Full), "the first has something left");
    assert_eq!(pair.all(), texts(&[&["last"]]));
    let mut fourth = Node::new(Pair);
    join(&mut pair, &mut fourth);
    fourth.send(&["hello"]).unwrap();
    assert_eq!(pair.all(), texts(&[&["hello"]]));
    pair.send(&["welcome"]).unwrap();
    assert_eq!(fourth.all(), texts(&[&["welcome"]]));
}

#[test]
fn ten_thousand_peers_cost_no_more_than_ten() {
    let mut pull = Node::new(Pull);
    let mut ends: Vec<_> =
        (0..10_000).map(|_| bare(&mut pull, Some(""), Attach::default()).1).collect();
    assert!(pull.all().is_empty());
    // Quadratic work would take minutes here.
    for round in 0..20 {
        for at in (0..ends.len()).step_by(7) {
            put(&mut ends[at], &[&round.to_string()]);
        }
        assert_eq!(pull.all().len(), ends.len().div_ceil(7));
    }
    ends.truncate(10);
    pull.settle();
    assert_eq!(pull.pipes.len(), 10);
}
