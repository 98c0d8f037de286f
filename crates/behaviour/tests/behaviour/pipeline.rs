//! PUSH and PULL (RFC 30, zmq_socket(3)): distribution, collection, and who waits.

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::io::Write;

use crate::peer;

on_transports! {
    /// Messages arrive complete and in order.
    fn messages_arrive_in_order(transport) {
        let ctx = Ctx::new();
        let pull = ctx.socket(PULL);
        let endpoint = pull.bind_to(transport);
        let push = ctx.socket(PUSH);
        push.connect(&endpoint).expect("connect");
        for number in 0..300 {
            push.send(format!("{number}")).expect("send");
        }
        for number in 0..300 {
            pull.expect(format!("{number}"));
        }
    }
}

on_transports! {
    /// RFC 30: each message goes to one peer, round robin.
    fn push_goes_round_its_peers(transport) {
        let ctx = Ctx::new();
        let push = ctx.socket(PUSH);
        let monitor = Monitor::new(&ctx, &push);
        let endpoint = push.bind_to(transport);
        let pulls = [ctx.socket(PULL), ctx.socket(PULL), ctx.socket(PULL)];
        for pull in &pulls {
            pull.connect(&endpoint).expect("connect");
        }
        if transport != Transport::Inproc {
            monitor.wait_peers(3);
        }
        for number in 0..9 {
            push.send(format!("{number}")).expect("send");
        }
        let mut all = Vec::new();
        for pull in &pulls {
            let mut own = Vec::new();
            for _ in 0..3 {
                own.push(pull.recv_text().remove(0).parse::<i32>().expect("a number"));
            }
            assert_eq!([own[1] - own[0], own[2] - own[1]], [3, 3], "one in three");
            all.extend(own);
        }
        all.sort_unstable();
        assert_eq!(all, (0..9).collect::<Vec<_>>());
    }
}

on_transports! {
    /// RFC 30: all parts of a message go to the same peer.
    fn the_parts_of_a_message_stay_together(transport) {
        let ctx = Ctx::new();
        let push = ctx.socket(PUSH);
        let monitor = Monitor::new(&ctx, &push);
        let endpoint = push.bind_to(transport);
        let pulls = [ctx.socket(PULL), ctx.socket(PULL)];
        for pull in &pulls {
            pull.connect(&endpoint).expect("connect");
        }
        if transport != Transport::Inproc {
            monitor.wait_peers(2);
        }
        for number in 0..4 {
            push.send_all(&[format!("{number}"), String::new(), "end".to_owned()]).expect("send");
        }
        for pull in &pulls {
            for _ in 0..2 {
                let parts = pull.recv_text();
                assert_eq!(parts[1..], ["", "end"]);
            }
        }
    }
}

/// RFC 30: a PULL takes from its peers in turn.
#[test]
fn pull_is_fair_to_its_peers() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let endpoint = pull.bind_to(Transport::Inproc);
    let pushes = [ctx.socket(PUSH), ctx.socket(PUSH), ctx.socket(PUSH)];
    for (index, push) in pushes.iter().enumerate() {
        push.connect(&endpoint).expect("connect");
        for _ in 0..10 {
            push.send(format!("{index}")).expect("send");
        }
    }
    for _ in 0..10 {
        let mut turn = [(); 3].map(|()| pull.recv_text().remove(0));
        turn.sort();
        assert_eq!(turn, ["0", "1", "2"]);
    }
}

/// Fairness is per message, not per part.
#[test]
fn pull_never_mixes_the_parts_of_two_peers() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let endpoint = pull.bind_to(Transport::Tcp);
    let pushes = [ctx.socket(PUSH), ctx.socket(PUSH)];
    for (index, push) in pushes.iter().enumerate() {
        push.connect(&endpoint).expect("connect");
        for _ in 0..50 {
            push.send_all(&vec![format!("{index}"); 4]).expect("send");
        }
    }
    for _ in 0..100 {
        let parts = pull.recv_text();
        assert_eq!(parts.len(), 4);
        assert!(parts.iter().all(|part| *part == parts[0]), "{parts:?}");
    }
}

/// zmq_socket(3): a PUSH without a peer blocks; nothing is dropped.
#[test]
fn push_without_a_peer_would_block() {
    let ctx = Ctx::new();
    let push = ctx.socket(PUSH);
    assert_eq!(push.try_send("x"), Err(EAGAIN));
    push.bind_to(Transport::Tcp);
    assert_eq!(push.try_send("x"), Err(EAGAIN));
    assert_eq!(push.poll(POLLOUT, 0), 0);
}

/// A PUSH that connects may send before its peer is there: the connection's queue takes it.
#[test]
fn push_queues_for_a_peer_that_is_not_there_yet() {
    let ctx = Ctx::new();
    let endpoint = Transport::Ipc.endpoint();
    let push = ctx.socket(PUSH);
    push.connect(&endpoint).expect("connect");
    push.send("early").expect("send");
    let pull = ctx.socket(PULL);
    pull.bind(&endpoint).expect("bind");
    pull.expect("early");
}

#[test]
fn push_cannot_receive() {
    let ctx = Ctx::new();
    let push = ctx.socket(PUSH);
    assert_eq!(push.recv(), Err(ENOTSUP));
    assert_eq!(push.poll(POLLIN, 0), 0);
}

#[test]
fn pull_cannot_send() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    assert_eq!(pull.send("x"), Err(ENOTSUP));
    assert_eq!(pull.poll(POLLOUT, 0), 0);
}

/// A send that blocks goes on as soon as a peer connects.
#[test]
fn a_blocked_push_wakes_when_a_peer_connects() {
    let ctx = Ctx::new();
    let push = ctx.socket(PUSH);
    let endpoint = push.bind_to(Transport::Tcp);
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || push.send("at last").map(|()| push));
        let pull = ctx.socket(PULL);
        pull.connect(&endpoint).expect("connect");
        pull.expect("at last");
        drop(sender.join().expect("join").expect("send"));
    });
}

/// A receive that blocks goes on as soon as a message comes.
#[test]
fn a_blocked_pull_wakes_when_a_message_comes() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let endpoint = pull.bind_to(Transport::Inproc);
    std::thread::scope(|scope| {
        let receiver = scope.spawn(move || pull.recv());
        let push = ctx.socket(PUSH);
        push.connect(&endpoint).expect("connect");
        push.send("wake").expect("send");
        assert_eq!(receiver.join().expect("join").expect("recv"), b"wake");
    });
}

on_transports! {
    /// A large message arrives whole.
    fn a_large_message_arrives_whole(transport) {
        let ctx = Ctx::new();
        let pull = ctx.socket(PULL);
        let endpoint = pull.bind_to(transport);
        let push = ctx.socket(PUSH);
        push.connect(&endpoint).expect("connect");
        let large: Vec<u8> = (0..5_000_000_u32).map(|index| ((index * 31) >> 3) as u8).collect();
        push.send(&large).expect("send");
        push.send("after").expect("send");
        assert!(pull.recv().expect("recv") == large);
        pull.expect("after");
    }
}

on_transports! {
    /// Sizes around the limits of short frames and of the library's own buffers.
    fn every_size_of_message_arrives(transport) {
        let ctx = Ctx::new();
        let pull = ctx.socket(PULL);
        let endpoint = pull.bind_to(transport);
        let push = ctx.socket(PUSH);
        push.connect(&endpoint).expect("connect");
        let sizes = [0, 1, 2, 28, 29, 30, 32, 33, 34, 63, 64, 65, 254, 255, 256, 257, 8183, 8184,
            8191, 8192, 8193, 65535, 65536, 65537];
        for size in sizes {
            push.send(vec![size as u8; size]).expect("send");
        }
        for size in sizes {
            assert!(pull.recv().expect("recv") == vec![size as u8; size], "{size} bytes");
        }
    }
}

/// A peer that leaves takes its queue with it; the others go on.
#[test]
fn push_goes_on_with_the_peers_that_stay() {
    let ctx = Ctx::new();
    let push = ctx.socket(PUSH);
    let endpoint = push.bind_to(Transport::Inproc);
    let stays = ctx.socket(PULL);
    stays.connect(&endpoint).expect("connect");
    let leaves = ctx.socket(PULL);
    leaves.connect(&endpoint).expect("connect");
    push.send("1").expect("send");
    push.send("2").expect("send");
    drop(leaves);
    let mut got = 0;
    Sock::until(|| {
        push.send("rest").expect("send");
        got += i32::from(stays.try_recv().is_ok_and(|part| part == b"rest"));
        (got == 10).then_some(())
    });
}

/// All messages to a bound PULL from peers that connect one after another arrive.
#[test]
fn a_pull_serves_peers_that_come_and_go() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let endpoint = pull.bind_to(Transport::Tcp);
    for round in 0..10 {
        let push = ctx.socket(PUSH);
        push.connect(&endpoint).expect("connect");
        push.send(format!("{round}")).expect("send");
        pull.expect(format!("{round}"));
    }
}

/// What comes with the end of a large message does not wait for what comes after it.
#[test]
fn a_small_message_right_behind_a_large_one_arrives() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let mut stream = peer::shaken(&pull.bind_to(Transport::Tcp), "PUSH");
    for size in [9_000, 70_000, 300_000, 2_000_000_usize] {
        let mut bytes = vec![2];
        bytes.extend((size as u64).to_be_bytes());
        bytes.resize(bytes.len() + size, b'x');
        bytes.extend(b"\0\x06behind");
        stream.write_all(&bytes).expect("write");
        assert_eq!(pull.recv().expect("the large one").len(), size);
        pull.expect("behind");
    }
}
