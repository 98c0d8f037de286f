//! REQ and REP.

use super::*;
use PatternOption as Opt;
use SocketType::{Dealer, Rep, Req};

fn requester() -> (Node, Node, Node) {
    let (mut req, mut a, mut b) = (Node::new(Req), Node::new(Dealer), Node::new(Dealer));
    join(&mut req, &mut a);
    join(&mut req, &mut b);
    (req, a, b)
}

#[test]
fn a_req_takes_turns_and_its_reply_from_whom_it_asked() {
    let (mut req, mut a, mut b) = requester();
    assert_eq!(req.recv_part(), Err(RecvError::State));
    req.part("q1", true).unwrap();
    assert_eq!(req.recv_part(), Err(RecvError::State));
    req.part("q2", false).unwrap();
    assert_eq!(req.send(&["no"]), Err(SendError::State));
    assert!(!req.has_out());
    assert_eq!(a.all(), texts(&[&["", "q1", "q2"]]));
    b.send(&["", "from another"]).unwrap();
    assert!(!req.has_in());
    a.send(&["no delimiter", "", "z"]).unwrap();
    a.send(&["no delimiter"]).unwrap();
    a.send(&[""]).unwrap();
    assert!(!req.has_in());
    assert_eq!(req.dropped(Cause::StaleReply), 1);
    assert_eq!(req.dropped(Cause::Malformed), 3);
    a.send(&["", "r1", "r2"]).unwrap();
    assert_eq!(req.recv_part().unwrap(), ("r1".to_owned(), true));
    assert_eq!(req.send(&["midway"]), Err(SendError::State));
    assert_eq!(req.recv().unwrap(), ["r2"]);
    assert_eq!(req.recv_part(), Err(RecvError::State));
    // What was there before the request is no reply.
    b.send(&["", "stale"]).unwrap();
    req.send(&["second"]).unwrap();
    assert_eq!(b.all(), texts(&[&["", "second"]]));
    assert!(!req.has_in());
    b.send(&["", "fresh"]).unwrap();
    assert_eq!(req.all(), texts(&[&["fresh"]]));
    assert_eq!(req.dropped(Cause::StaleReply), 2);
}

#[test]
fn a_req_without_room_keeps_the_request_with_the_caller() {
    let mut req = Node::new(Req);
    req.set(Opt::ReqCorrelate(true));
    assert_eq!(req.send(&["x"]), Err(SendError::Full));
    let mut dealer = Node::new(Dealer);
    join(&mut req, &mut dealer);
    assert!(req.has_out());
    req.send(&["x"]).unwrap();
    assert_eq!(dealer.all()[0].len(), 3);
}

#[test]
fn a_request_whose_peer_goes_can_be_answered_by_others() {
    let (mut req, mut a, mut b) = requester();
    req.send(&["q"]).unwrap();
    assert_eq!(a.all().len(), 1);
    a.close();
    assert!(!req.has_in());
    assert_eq!(req.send(&["again"]), Err(SendError::State));
    b.send(&["", "from the survivor"]).unwrap();
    assert_eq!(req.all(), texts(&[&["from the survivor"]]));
    req.send(&["next"]).unwrap();

    // What was replied before it went counts.
    let (mut req, mut a, _b) = requester();
    req.send(&["q"]).unwrap();
    a.send(&["", "1", "2", "3"]).unwrap();
    a.close();
    assert_eq!(req.recv_part().unwrap(), ("1".to_owned(), true));
    assert_eq!(req.recv().unwrap(), ["2", "3"]);
    assert!(req.has_out());

    // Going in the middle of the request loses it, and the state goes on.
    let mut req = Node::new(Req);
    let mut only = Node::new(Dealer);
    join(&mut req, &mut only);
    req.part("1", true).unwrap();
    only.close();
    req.part("2", true).unwrap();
    req.part("3", false).unwrap();
    assert_eq!(req.recv(), Err(RecvError::Empty));
    assert_eq!(req.send(&["n"]), Err(SendError::State));
    assert_eq!(req.dropped(Cause::PeerGone), 1);
}

#[test]
fn a_relaxed_req_may_ask_again() {
    let (mut req, mut a, mut b) = requester();
    req.set(Opt::ReqRelaxed(true)).set(Opt::ReqCorrelate(true));
    let mut requests = Vec::new();
    for n in 0..4 {
        assert!(req.has_out());
        req.send(&[&format!("m{n}")]).unwrap();
        requests.extend(if n % 2 == 0 { a.all() } else { b.all() });
    }
    for (n, request) in requests.iter().enumerate() {
        assert_eq!(request[1..], ["", &format!("m{n}")]);
    }
    // Numbers are bytes, and not text, so they are copied as they came.
    let mut req = Node::new(Req);
    req.set(Opt::ReqRelaxed(true)).set(Opt::ReqCorrelate(true));
    let (_, mut end) = bare(&mut req, Some(""), Attach::default());
    let mut numbers = Vec::new();
    for n in 0..3 {
        req.send(&[&n.to_string()]).unwrap();
        numbers.push(end.read().unwrap());
        assert_eq!(take(&mut end).len(), 2);
    }
    let mut reply = |number: &Part, parts: &[&str]| {
        end.write(number.clone().with_more(true));
        put(&mut end, parts);
    };
    reply(&numbers[0], &["", "r0"]);
    reply(&Part::from("abcd"), &["", "wrong number"]);
    reply(&Part::new(), &["no number"]);
    reply(&numbers[2], &["no delimiter"]);
    reply(&numbers[2], &[""]);
    assert!(!req.has_in());
    reply(&numbers[2], &["", "r2", "more"]);
    reply(&numbers[1], &["", "r1"]);
    assert_eq!(req.recv_part().unwrap(), ("r2".to_owned(), true));
    req.send(&["in the middle of a reply"]).unwrap();
    assert_eq!(req.recv(), Err(RecvError::Empty));
    assert_eq!(req.dropped(Cause::StaleReply), 4);
    assert_eq!(req.dropped(Cause::Malformed), 2);
}

#[test]
fn a_rep_takes_turns_and_replies_through_the_envelope() {
    let mut rep = Node::new(Rep);
    let mut a = Node::new(Dealer);
    join(&mut rep, &mut a);
    assert_eq!(rep.send(&["early"]), Err(SendError::State));
    a.send(&["no delimiter"]).unwrap();
    a.send(&["none", "here"]).unwrap();
    a.send(&[""]).unwrap();
    assert!(!rep.has_in());
    assert_eq!(rep.dropped(Cause::Malformed), 3);
    a.send(&["", ""]).unwrap();
    assert_eq!(rep.recv().unwrap(), [""]);
    assert_eq!(rep.recv_part(), Err(RecvError::State));
    assert!(!rep.has_in());
    rep.send(&["r"]).unwrap();
    assert_eq!(a.all(), texts(&[&["", "r"]]));
    a.send(&["r1", "r2", "", "b1", "b2"]).unwrap();
    assert_eq!(rep.recv_part().unwrap(), ("b1".to_owned(), true));
    assert_eq!(rep.send(&["early"]), Err(SendError::State));
    assert_eq!(rep.recv().unwrap(), ["b2"]);
    rep.part("x1", true).unwrap();
    assert_eq!(rep.recv_part(), Err(RecvError::State));
    rep.part("x2", false).unwrap();
    assert_eq!(a.all(), texts(&[&["r1", "r2", "", "x1", "x2"]]));
    assert_eq!(rep.send(&["again"]), Err(SendError::State));
}

#[test]
fn a_reply_to_nobody_is_dropped_and_counted() {
    let mut rep = Node::with(Rep, "", 1);
    let (mut a, mut b) = (Node::new(Dealer), Node::with(Dealer, "", 1));
    join(&mut rep, &mut a);
    join(&mut rep, &mut b);
    a.send(&["", "1"]).unwrap();
    a.send(&["", "2"]).unwrap();
    assert_eq!(rep.recv().unwrap(), ["1"]);
    a.close();
    rep.send(&["r1", "r2"]).unwrap();
    assert_eq!(rep.dropped(Cause::NoPeer), 1);
    assert_eq!(rep.recv().unwrap(), ["2"], "sent before it went");
    rep.send(&["r"]).unwrap();
    assert_eq!(rep.dropped(Cause::NoPeer), 2);
    for n in 0..5 {
        b.send(&["", &n.to_string()]).unwrap();
        rep.recv().unwrap();
        rep.send(&[&n.to_string()]).unwrap();
    }
    assert_eq!(b.all(), texts(&[&["", "0"], &["", "1"]]));
    assert_eq!(rep.dropped(Cause::RouterHwm), 3);
    b.send(&["", "q"]).unwrap();
    rep.recv().unwrap();
    rep.part("1", true).unwrap();
    b.close();
    rep.part("2", false).unwrap();
    assert_eq!(rep.dropped(Cause::PeerGone), 1);
    assert_eq!(rep.recv(), Err(RecvError::Empty));
}
