//! Whatever comes and goes in between: what was accepted is delivered, or counted as dropped, or
//! was still in the pipe of a peer that went.

use super::*;
use PatternOption as Opt;
use SocketType::{Dealer, Pub, Pull, Push, Router, Sub};

/// A small generator of repeatable random numbers.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// Checks that a received message is one that was sent, whole, and in order from its sender:
/// `<sender>/<number>/<part>` for every part.
fn check_whole(message: &[String], last: &mut HashMap<String, usize>) {
    let mut head = message[0].rsplitn(2, '/');
    assert_eq!(head.next(), Some("0"));
    let name = head.next().unwrap();
    for (at, part) in message.iter().enumerate() {
        assert_eq!(*part, format!("{name}/{at}"));
    }
    let (sender, number) = name.split_once('/').unwrap();
    let number: usize = number.parse().unwrap();
    if let Some(before) = last.insert(sender.to_owned(), number) {
        assert!(before < number, "out of order");
    }
}

struct Sender {
    node: Node,
    name: String,
    number: usize,
    /// Parts of the current message that are still to be sent.
    left: usize,
    sent: usize,
}

impl Sender {
    fn new(kind: SocketType, name: &str, hwm: u32) -> Self {
        let node = Node::with(kind, name, hwm);
        Self { node, name: name.to_owned(), number: 0, left: 0, sent: 0 }
    }

    /// Sends one part of the current message, or begins another one.
    fn step(&mut self, random: &mut Random) {
        let (at, parts) = if self.left == 0 {
            (0, 1 + random.below(4))
        } else {
            (self.sent, self.sent + self.left)
        };
        let text = format!("{}/{}/{at}", self.name, self.number);
        match self.node.part(&text, at + 1 < parts) {
            Ok(()) => {
                self.sent = at + 1;
                self.left = parts - self.sent;
                if self.left == 0 {
                    self.number += 1;
                    self.sent = 0;
                }
            }
            Err(error) => {
                assert_eq!(error, SendError::Full);
                assert_eq!(self.left, 0, "only a first part can fail");
            }
        }
    }

    fn finish(&mut self, random: &mut Random) {
        while self.left > 0 {
            self.step(random);
        }
    }
}

#[test]
fn a_pipeline_loses_nothing_while_senders_come_and_go() {
    for (sends, receives) in [(Push, Pull), (Dealer, Dealer), (Dealer, Router)] {
        let mut random = Random(1);
        let mut sink = Node::with(receives, "", 3);
        let mut senders = Vec::new();
        let (mut accepted, mut delivered) = (0, 0);
        let mut last = HashMap::new();
        let mut next_name = 0;
        let mut count = |sink: &mut Node, random: &mut Random, most: usize| {
            for _ in 0..random.below(most) {
                let Ok(mut message) = sink.recv() else { break };
                if receives == Router {
                    message.remove(0);
                }
                check_whole(&message, &mut last);
                delivered += 1;
            }
        };
        for _ in 0..20_000 {
            match random.below(20) {
                0 if senders.len() < 6 => {
                    next_name += 1;
                    let mut sender = Sender::new(sends, &format!("s{next_name}"), 3);
                    join(&mut sink, &mut sender.node);
                    senders.push(sender);
                }
                1 if senders.len() > 2 => {
                    let at = random.below(senders.len());
                    // Also in the middle of a message, which then never was.
                    let mut sender: Sender = senders.swap_remove(at);
                    sender.node.close();
                    accepted += sender.number;
                }
                2..=5 => count(&mut sink, &mut random, 5),
                _ if !senders.is_empty() => {
                    let at = random.below(senders.len());
                    senders[at].step(&mut random);
                }
                _ => {}
            }
        }
        for mut sender in senders {
            sender.finish(&mut random);
            sender.node.close();
            accepted += sender.number;
        }
        while sink.has_in() {
            count(&mut sink, &mut random, 100);
        }
        assert_eq!(accepted, delivered);
        assert!(sink.drops.is_empty());
        assert!(sink.pipes.is_empty());
    }
}

#[test]
fn every_message_to_receivers_that_come_and_go_is_accounted_for() {
    for (sends, receives) in [(Push, Pull), (Dealer, Dealer)] {
        let mut random = Random(2);
        let mut source = Sender::new(sends, "s", 3);
        let mut receivers: Vec<(Node, HashMap<String, usize>)> = Vec::new();
        let (mut delivered, mut left_behind) = (0, 0);
        for _ in 0..20_000 {
            match random.below(20) {
                0 if receivers.len() < 6 => {
                    let mut node = Node::with(receives, "", 3);
                    join(&mut source.node, &mut node);
                    receivers.push((node, HashMap::new()));
                }
                1 if receivers.len() > 1 => {
                    let at = random.below(receivers.len());
                    let (mut node, _) = receivers.swap_remove(at);
                    // What it had and did not read goes with it.
                    left_behind += node.all().len();
                    node.close();
                    source.node.settle();
                }
                2..=5 if !receivers.is_empty() => {
                    let at = random.below(receivers.len());
                    let (node, last) = &mut receivers[at];
                    if let Ok(message) = node.recv() {
                        check_whole(&message, last);
                        delivered += 1;
                    }
                }
                _ => source.step(&mut random),
            }
        }
        source.finish(&mut random);
        for (mut node, mut last) in receivers {
            for message in node.all() {
                check_whole(&message, &mut last);
                delivered += 1;
            }
        }
        let lost = source.node.dropped(Cause::PeerGone) as usize;
        assert!(lost > 0, "the test does not test what it should");
        assert_eq!(source.number, delivered + left_behind + lost);
    }
}

#[test]
fn every_copy_of_a_publication_is_accounted_for() {
    let mut random = Random(3);
    let mut source = Sender::new(Pub, "s", 2);
    let mut receivers: Vec<(Node, HashMap<String, usize>)> = Vec::new();
    let (mut expected, mut delivered) = (0, 0);
    for _ in 0..20_000 {
        match random.below(20) {
            // Between messages, so that it is known who is to get them.
            0 if receivers.len() < 6 && source.left == 0 => {
                let mut node = Node::with(Sub, "", 2);
                node.set(Opt::Subscribe(Vec::new()));
                join(&mut source.node, &mut node);
                source.node.settle();
                receivers.push((node, HashMap::new()));
            }
            1 if receivers.len() > 1 => {
                let at = random.below(receivers.len());
                let (mut node, mut last) = receivers.swap_remove(at);
                for message in node.all() {
                    check_whole(&message, &mut last);
                    delivered += 1;
                }
                node.close();
                source.node.settle();
            }
            2..=4 if !receivers.is_empty() => {
                let at = random.below(receivers.len());
                let (node, last) = &mut receivers[at];
                if let Ok(message) = node.recv() {
                    check_whole(&message, last);
                    delivered += 1;
                }
            }
            _ => {
                expected += if source.left == 0 { receivers.len() } else { 0 };
                source.step(&mut random);
            }
        }
    }
    source.finish(&mut random);
    for (mut node, mut last) in receivers {
        for message in node.all() {
            check_whole(&message, &mut last);
            delivered += 1;
        }
    }
    let full = source.node.dropped(Cause::PubHwm) as usize;
    let gone = source.node.dropped(Cause::PeerGone) as usize;
    assert!(full > 0 && gone > 0);
    assert_eq!(expected, delivered + full + gone);
}

#[test]
fn every_message_of_a_router_is_accounted_for() {
    let mut random = Random(4);
    let mut router = Node::with(Router, "", 2);
    let mut peers: Vec<(String, Node)> = Vec::new();
    let (mut sent, mut delivered, mut left_behind) = (0, 0, 0);
    for step in 0..20_000 {
        match random.below(12) {
            0 if peers.len() < 6 => {
                let name = format!("p{}", random.below(8));
                let mut node = Node::with(Dealer, &name, 2);
                join(&mut router, &mut node);
                node.settle();
                if !node.pipes.is_empty() {
                    peers.push((name, node));
                }
            }
            1 if peers.len() > 1 => {
                let at = random.below(peers.len());
                let (_, mut node) = peers.swap_remove(at);
                left_behind += node.all().len();
                node.close();
            }
            2..=4 if !peers.is_empty() => {
                let at = random.below(peers.len());
                let (name, node) = &mut peers[at];
                if let Ok(message) = node.recv() {
                    assert_eq!(message[0], *name);
                    assert_eq!(message[1], message[2]);
                    delivered += 1;
                }
            }
            _ => {
                let name = format!("p{}", random.below(8));
                let tag = step.to_string();
                router.send(&[&name, &name, &tag, &tag]).unwrap();
                sent += 1;
            }
        }
    }
    for (_, mut node) in peers {
        delivered += node.all().len();
    }
    let full = router.dropped(Cause::RouterHwm) as usize;
    let nobody = router.dropped(Cause::RouterUnroutable) as usize;
    assert!(full > 0 && nobody > 0 && router.dropped(Cause::DuplicateId) > 0);
    assert_eq!(sent, delivered + left_behind + full + nobody);
}
