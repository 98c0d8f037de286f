//! STREAM, and ROUTER in raw mode.

use super::*;
use PatternOption as Opt;
use SocketType::{Router, Stream};

const RAW: Attach<'static> = Attach { locally_initiated: false, routing_id: None };

/// Receives a message and gives its id as it is.
fn recv_raw(node: &mut Node) -> (Part, String) {
    assert!(node.has_in());
    let id = node.pattern.recv(&mut node.pipes).unwrap();
    assert!(id.more());
    (id, node.recv_part().unwrap().0)
}

fn send_raw(node: &mut Node, id: &Part, data: &str) -> Result<(), SendError> {
    node.settle();
    node.pattern.send(&mut id.clone().with_more(true), &mut node.pipes)?;
    node.part(data, false)
}

fn accepted(node: &mut Node) -> (Part, PipeEnd) {
    let (_, end) = bare(node, Some(""), RAW);
    let (id, data) = recv_raw(node);
    assert_eq!(data, "", "tells of the connection");
    assert!(id.len() == 5 && id[0] == 0);
    (id, end)
}

#[test]
fn connections_come_talk_and_go() {
    for kind in [Stream, Router] {
        let mut node = Node::new(kind);
        if kind == Router {
            node.set(Opt::RouterRaw(true));
        }
        let (id, mut end) = accepted(&mut node);
        put(&mut end, &["hello"]);
        assert_eq!(recv_raw(&mut node), (id.clone(), "hello".to_owned()));
        send_raw(&mut node, &id, "1").unwrap();
        node.pattern.send(&mut id.clone().with_more(true), &mut node.pipes).unwrap();
        node.part("2", true).unwrap(); // more means nothing here
        let sent: Vec<_> = std::iter::from_fn(|| end.read()).collect();
        assert!(sent.iter().all(|part| !part.more()));
        assert_eq!(sent, ["1", "2"]);
        put(&mut end, &["unread"]);
        drop(end);
        assert_eq!(recv_raw(&mut node), (id.clone(), "unread".to_owned()));
        assert_eq!(recv_raw(&mut node), (id.clone(), String::new()));
        assert!(!node.has_in());
        let after = send_raw(&mut node, &id, "x");
        assert_eq!(after, if kind == Stream { Err(SendError::Unroutable) } else { Ok(()) });
    }
}

#[test]
fn an_empty_message_closes_the_connection_after_what_was_sent() {
    let mut node = Node::new(Stream);
    let (id, mut end) = accepted(&mut node);
    put(&mut end, &["pending"]);
    send_raw(&mut node, &id, "bye").unwrap();
    send_raw(&mut node, &id, "").unwrap();
    assert!(end.is_closed());
    assert_eq!(take(&mut end), [(Kind::Data, "bye".to_owned())]);
    assert_eq!(recv_raw(&mut node), (id.clone(), "pending".to_owned()));
    assert!(!node.has_in(), "who closes knows");
    assert_eq!(send_raw(&mut node, &id, "x"), Err(SendError::Unroutable));
    assert!(node.pipes.is_empty());
}

#[test]
fn notices_can_be_turned_off() {
    let mut node = Node::new(Stream);
    node.set(Opt::StreamNotify(false));
    let (_, mut end) = bare(&mut node, Some(""), RAW);
    assert!(!node.has_in());
    put(&mut end, &["a"]);
    drop(end);
    assert_eq!(recv_raw(&mut node).1, "a");
    assert!(!node.has_in());
}

#[test]
fn a_connection_that_goes_in_the_middle_of_a_message_swallows_it() {
    let mut node = Node::new(Stream);
    let (id, end) = accepted(&mut node);
    node.pattern.send(&mut id.clone().with_more(true), &mut node.pipes).unwrap();
    drop(end);
    assert_eq!(node.part("x", false), Ok(()));
    assert_eq!(recv_raw(&mut node), (id, String::new()));
    assert_eq!(node.dropped(Cause::PeerGone), 1);
}

#[test]
fn connecting_with_an_id_can_send_before_the_peer_is_there() {
    let mut node = Node::new(Stream);
    let how = Attach { locally_initiated: true, routing_id: Some(b"cid") };
    let (_, mut end) = bare(&mut node, None, how);
    node.send(&["cid", "early"]).unwrap();
    assert_eq!(node.pattern.routing_id(), Some(&b"cid"[..]));
    assert!(!node.has_in());
    end.write(Part::peer_change(Arc::default()));
    end.flush();
    assert_eq!(node.recv().unwrap(), ["cid", ""]);
    assert_eq!(take(&mut end), [(Kind::Data, "early".to_owned())]);
    put(&mut end, &["x"]);
    drop(end);
    assert_eq!(node.all(), texts(&[&["cid", "x"], &["cid", ""]]));
    // The connection is made again, on a pipe of its own.
    let (_, _end) = bare(&mut node, Some(""), how);
    assert_eq!(node.all(), texts(&[&["cid", ""]]));
    let (_, twin) = bare(&mut node, Some(""), how);
    assert!(twin.is_closed());
    assert_eq!(node.dropped(Cause::DuplicateId), 1);
    // One that never was there goes without a word.
    let (_, end) = bare(&mut node, None, Attach { routing_id: Some(b"other"), ..how });
    drop(end);
    assert!(!node.has_in());
}

#[test]
fn an_id_alone_is_no_message() {
    let mut node = Node::new(Stream);
    let (id, mut end) = accepted(&mut node);
    assert_eq!(node.part("nobody", true), Err(SendError::Unroutable));
    node.pattern.send(&mut id.clone().with_more(false), &mut node.pipes).unwrap();
    assert_eq!(node.dropped(Cause::Malformed), 1);
    send_raw(&mut node, &id, "x").unwrap();
    assert_eq!(take(&mut end).len(), 1);
}
