//! ROUTER.

use super::*;
use PatternOption as Opt;
use SocketType::{Dealer, Req, Router};

fn dealer(id: &str) -> Node {
    Node::with(Dealer, id, 1000)
}

#[test]
fn messages_carry_who_sent_them_and_go_to_whom_they_name() {
    let mut router = Node::new(Router);
    let (mut a, mut b) = (dealer("A"), dealer("B"));
    join(&mut router, &mut a);
    join(&mut router, &mut b);
    a.send(&["1", "2"]).unwrap();
    b.send(&[""]).unwrap();
    assert_eq!(router.all(), texts(&[&["A", "1", "2"], &["B", ""]]));
    router.send(&["B", "x", "y"]).unwrap();
    router.send(&["A", "z"]).unwrap();
    router.send(&["C", "lost", "too"]).unwrap();
    router.send(&["A"]).unwrap();
    assert_eq!(a.all(), texts(&[&["z"]]));
    assert_eq!(b.all(), texts(&[&["x", "y"]]));
    assert_eq!(router.dropped(Cause::RouterUnroutable), 1);
    assert_eq!(router.dropped(Cause::Malformed), 1);
}

#[test]
fn nameless_peers_get_five_bytes() {
    let mut router = Node::new(Router);
    let mut nodes: Vec<_> = (0..3).map(|_| dealer("")).collect();
    let mut ids = Vec::new();
    for node in &mut nodes {
        node.peer = Arc::new(Peer::new(Vec::new(), Some(Dealer)).with_descriptor(7));
        join(&mut router, node);
        node.send(&["x"]).unwrap();
        let id = router.pattern.recv(&mut router.pipes).unwrap();
        assert!(id.more() && id.len() == 5 && id[0] == 0);
        assert_eq!(id.peer().and_then(|peer| peer.socket_type()), Some(Dealer));
        assert_eq!(router.recv().unwrap(), ["x"]);
        ids.push(u32::from_be_bytes([id[1], id[2], id[3], id[4]]));
    }
    assert_eq!(ids[1], ids[0].wrapping_add(1));
    assert_eq!(ids[2], ids[0].wrapping_add(2));
}

#[test]
fn a_connecting_router_learns_who_is_there_from_a_note() {
    let mut router = Node::new(Router);
    router.set(Opt::RouterMandatory(true));
    let how = Attach { locally_initiated: true, ..Attach::default() };
    let (_, mut end) = bare(&mut router, None, how);
    assert_eq!(router.send(&["S", "x"]), Err(SendError::Unroutable));
    let named = Attach { routing_id: Some(b"early"), ..how };
    let (_, mut early) = bare(&mut router, None, named);
    router.send(&["early", "x"]).unwrap();
    assert_eq!(take(&mut early), [(Kind::Data, "x".to_owned())]);
    end.write(Part::peer_change(Arc::new(Peer::new(b"S".to_vec(), None))));
    put(&mut end, &["hello"]);
    assert_eq!(router.all(), texts(&[&["S", "hello"]]));
    router.send(&["S", "x"]).unwrap();
    assert_eq!(take(&mut end), [(Kind::Data, "x".to_owned())]);
    // The same connection made again stays the same peer, whatever it says.
    end.write(Part::peer_change(Arc::new(Peer::new(b"T".to_vec(), None))));
    put(&mut end, &["again"]);
    assert_eq!(router.all(), texts(&[&["S", "again"]]));
}

#[test]
fn mandatory_tells_what_cannot_be_sent() {
    let mut router = Node::with(Router, "", 1);
    router.set(Opt::RouterMandatory(true));
    assert!(!router.has_out());
    assert_eq!(router.part("D", false), Ok(()), "an id alone is dropped at once");
    assert_eq!(router.part("D", true), Err(SendError::Unroutable));
    let mut peer = Node::with(Dealer, "D", 1);
    join(&mut router, &mut peer);
    assert!(router.has_out());
    router.send(&["D", "0"]).unwrap();
    router.send(&["D", "1"]).unwrap();
    assert!(!router.has_out());
    assert_eq!(router.part("D", true), Err(SendError::Full));
    assert_eq!(peer.all(), texts(&[&["0"], &["1"]]));
    assert!(router.has_out());
    router.send(&["D", "2"]).unwrap();
    assert_eq!(peer.all(), texts(&[&["2"]]));

    let mut router = Node::with(Router, "", 1);
    let mut peer = Node::with(Dealer, "D", 1);
    join(&mut router, &mut peer);
    for n in 0..5 {
        router.send(&["D", &n.to_string()]).unwrap();
    }
    assert_eq!(peer.all(), texts(&[&["0"], &["1"]]));
    assert_eq!(router.dropped(Cause::RouterHwm), 3);
}

#[test]
fn a_peer_that_goes_leaves_its_messages_and_frees_its_id() {
    let mut router = Node::new(Router);
    router.set(Opt::RouterMandatory(true));
    let mut old = dealer("D");
    join(&mut router, &mut old);
    old.send(&["1"]).unwrap();
    old.send(&["2"]).unwrap();
    router.part("D", true).unwrap();
    router.part("begun", true).unwrap();
    old.close();
    router.part("and lost", false).unwrap();
    assert_eq!(router.dropped(Cause::PeerGone), 1);
    let mut id = Part::from("D").with_more(true);
    assert_eq!(router.pattern.send(&mut id, &mut router.pipes), Err(SendError::Unroutable));
    let mut new = dealer("D");
    join(&mut router, &mut new);
    new.send(&["3"]).unwrap();
    let mut all = router.all();
    all.sort();
    assert_eq!(all, texts(&[&["D", "1"], &["D", "2"], &["D", "3"]]));
    router.send(&["D", "x"]).unwrap();
    assert_eq!(new.all(), texts(&[&["x"]]));
}

#[test]
fn a_second_peer_with_the_same_id_is_turned_away() {
    for remote in [true, false] {
        let mut router = Node::new(Router);
        let (mut a, mut b) = (dealer("X"), dealer("X"));
        if remote {
            let peer = Peer::new(b"X".to_vec(), Some(Dealer)).with_descriptor(7);
            b.peer = Arc::new(peer);
        }
        join(&mut router, &mut a);
        join(&mut router, &mut b);
        assert_eq!(router.dropped(Cause::DuplicateId), 1);
        if remote {
            assert_eq!(b.send(&["x"]), Err(SendError::Full), "its pipe is gone");
        } else {
            b.send(&["to nobody"]).unwrap();
            assert_eq!(router.dropped(Cause::DuplicateId), 2);
        }
        a.send(&["a"]).unwrap();
        router.send(&["X", "hi"]).unwrap();
        assert_eq!(router.all(), texts(&[&["X", "a"]]));
        assert_eq!(a.all(), texts(&[&["hi"]]));
        assert_eq!(b.all(), texts(&[]));
        a.close();
        router.settle();
        let mut c = dealer("X");
        join(&mut router, &mut c);
        c.send(&["c"]).unwrap();
        assert_eq!(router.all(), texts(&[&["X", "c"]]));
    }
}

#[test]
fn handover_gives_the_id_to_the_newcomer() {
    let mut router = Node::new(Router);
    router.set(Opt::RouterHandover(true));
    let (mut a, mut b) = (dealer("X"), dealer("X"));
    join(&mut router, &mut a);
    a.send(&["p1", "p2", "p3"]).unwrap();
    a.send(&["unread"]).unwrap();
    assert_eq!(router.recv_part().unwrap(), ("X".to_owned(), true));
    assert_eq!(router.recv_part().unwrap(), ("p1".to_owned(), true));
    router.part("X", true).unwrap();
    join(&mut router, &mut b);
    router.part("lost", false).unwrap();
    assert_eq!(router.recv().unwrap(), ["p2", "p3"], "what was begun is finished");
    b.send(&["b1"]).unwrap();
    assert_eq!(router.all(), texts(&[&["X", "b1"]]));
    router.send(&["X", "hi"]).unwrap();
    assert_eq!(b.all(), texts(&[&["hi"]]));
    assert_eq!(a.all(), texts(&[]));
    a.send(&["to nobody"]).unwrap();
    assert_eq!(router.all(), texts(&[]));
    assert_eq!(router.dropped(Cause::DuplicateId), 2);
    a.close();
    router.send(&["X", "still there"]).unwrap();
    assert_eq!(b.all(), texts(&[&["still there"]]));
    assert_eq!(router.pipes.len(), 1);
}

#[test]
fn a_probe_is_an_empty_message() {
    for kind in [Dealer, Req, Router] {
        let mut router = Node::new(Router);
        let mut node = Node::with(kind, "P", 1000);
        node.set(Opt::ProbeRouter(true));
        join(&mut router, &mut node);
        assert_eq!(router.all(), texts(&[&["P", ""]]));
    }
    let mut req = Node::with(Req, "Q", 1000);
    let mut router = Node::new(Router);
    join(&mut router, &mut req);
    req.send(&["q"]).unwrap();
    assert_eq!(router.all(), texts(&[&["Q", "", "q"]]));
    router.send(&["Q", "", "r"]).unwrap();
    assert_eq!(req.all(), texts(&[&["r"]]));
}
