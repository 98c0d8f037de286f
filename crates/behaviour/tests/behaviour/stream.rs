//! STREAM (zmq_socket(3), Native pattern): bytes of plain TCP peers, addressed by routing ids.

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

/// Receives id and data; the id of the connection.
fn frame(stream: &Sock) -> (Vec<u8>, Vec<u8>) {
    let mut parts = stream.recv_all().expect("a message");
    assert_eq!(parts.len(), 2);
    let data = parts.pop().expect("data");
    (parts.pop().expect("an id"), data)
}

/// Collects the data of one connection until it has this many bytes.
fn collect(stream: &Sock, id: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < size {
        let (from, data) = frame(stream);
        assert_eq!(from, id);
        bytes.extend(data);
    }
    bytes
}

#[test]
fn a_stream_talks_to_a_plain_peer() {
    let ctx = Ctx::new();
    let stream = ctx.socket(STREAM);
    let mut peer = raw_connect(&stream.bind_to(Transport::Tcp));
    let (id, data) = frame(&stream);
    assert_eq!((id.len(), id[0]), (5, 0));
    assert_eq!(data, b"", "a new connection shows as an empty message");
    peer.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("write");
    assert_eq!(collect(&stream, &id, 18), b"GET / HTTP/1.0\r\n\r\n");
    stream.send_all(&[&id[..], b"HTTP/1.0 200 OK\r\n\r\n"]).expect("send");
    let mut answer = [0; 19];
    peer.read_exact(&mut answer).expect("read");
    assert_eq!(&answer, b"HTTP/1.0 200 OK\r\n\r\n");
}

/// ZMQ_STREAM_NOTIFY: the end of a connection is an empty message too.
#[test]
fn a_stream_tells_of_disconnections() {
    let ctx = Ctx::new();
    let stream = ctx.socket(STREAM);
    let peer = raw_connect(&stream.bind_to(Transport::Tcp));
    let (id, _) = frame(&stream);
    drop(peer);
    assert_eq!(frame(&stream), (id, Vec::new()));
}

/// ZMQ_STREAM_NOTIFY off: neither is told.
#[test]
fn a_stream_can_be_told_to_keep_quiet() {
    let ctx = Ctx::new();
    let stream = ctx.socket(STREAM);
    stream.set(STREAM_NOTIFY, 0).expect("STREAM_NOTIFY");
    let endpoint = stream.bind_to(Transport::Tcp);
    let mut peer = raw_connect(&endpoint);
    peer.write_all(b"data").expect("write");
    let (id, data) = frame(&stream);
    assert_eq!(data, b"data");
    drop(peer);
    let mut next = raw_connect(&endpoint);
    next.write_all(b"next").expect("write");
    let (other, data) = frame(&stream);
    assert_eq!(data, b"next");
    assert_ne!(id, other);
}

/// zmq_socket(3): sending the id and an empty frame closes the connection.
#[test]
fn an_empty_frame_closes_the_connection() {
    let ctx = Ctx::new();
    let stream = ctx.socket(STREAM);
    let mut peer = raw_connect(&stream.bind_to(Transport::Tcp));
    let (id, _) = frame(&stream);
    stream.send_all(&[&id[..], b"bye"]).expect("send");
    let mut bye = [0; 3];
    peer.read_exact(&mut bye).expect("read");
    stream.send_all(&[&id[..], b""]).expect("send");
    let end = std::thread::spawn(move || peer.read(&mut bye).expect("the end"));
    // The closing may need the socket's own thread.
    Sock::until(|| {
        stream.events();
        end.is_finished().then_some(())
    });
    assert_eq!(end.join().expect("join"), 0);
}

/// zmq_socket(3): EHOSTUNREACH for an id that is not connected.
#[test]
fn an_unknown_id_is_unreachable() {
    let ctx = Ctx::new();
    let stream = ctx.socket(STREAM);
    assert_eq!(stream.send_more("nobody"), Err(EHOSTUNREACH));
}

#[test]
fn a_stream_connects_to_a_plain_server() {
    let ctx = Ctx::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let stream = ctx.socket(STREAM);
    let address = listener.local_addr().expect("address");
    stream.connect(&format!("tcp://{address}")).expect("connect");
    let (mut server, _) = listener.accept().expect("accept");
    server.set_read_timeout(Some(Duration::from_secs(15))).expect("a timeout");
    let (id, data) = frame(&stream);
    assert_eq!(data, b"");
    stream.send_all(&[&id[..], b"hello"]).expect("send");
    let mut bytes = [0; 5];
    server.read_exact(&mut bytes).expect("read");
    assert_eq!(&bytes, b"hello");
    server.write_all(b"back").expect("write");
    assert_eq!(collect(&stream, &id, 4), b"back");
}

/// ZMQ_CONNECT_ROUTING_ID for STREAM.
#[test]
fn a_stream_connection_can_be_named_in_advance() {
    let ctx = Ctx::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let stream = ctx.socket(STREAM);
    stream.set_bytes(CONNECT_ROUTING_ID, b"server").expect("CONNECT_ROUTING_ID");
    let address = listener.local_addr().expect("address");
    stream.connect(&format!("tcp://{address}")).expect("connect");
    stream.send_all(&["server", "hello"]).expect("send");
    let (mut server, _) = listener.accept().expect("accept");
    server.set_read_timeout(Some(Duration::from_secs(15))).expect("a timeout");
    let mut bytes = [0; 5];
    server.read_exact(&mut bytes).expect("read");
    assert_eq!(&bytes, b"hello");
}

#[test]
fn two_streams_talk() {
    let ctx = Ctx::new();
    let server = ctx.socket(STREAM);
    let endpoint = server.bind_to(Transport::Tcp);
    let client = ctx.socket(STREAM);
    client.connect(&endpoint).expect("connect");
    let (to_server, _) = frame(&client);
    let (to_client, _) = frame(&server);
    client.send_all(&[&to_server[..], b"ping"]).expect("send");
    assert_eq!(collect(&server, &to_client, 4), b"ping");
    server.send_all(&[&to_client[..], b"pong"]).expect("send");
    assert_eq!(collect(&client, &to_server, 4), b"pong");
}

/// A large write arrives in pieces, and whole.
#[test]
fn a_large_write_arrives_whole() {
    let ctx = Ctx::new();
    let stream = ctx.socket(STREAM);
    let mut peer = raw_connect(&stream.bind_to(Transport::Tcp));
    let (id, _) = frame(&stream);
    let sent: Vec<u8> = (0..300_000_u32).map(|index| (index >> 5) as u8).collect();
    std::thread::scope(|scope| {
        let bytes = &sent;
        let writer = scope.spawn(move || peer.write_all(bytes).map(|()| peer));
        assert!(collect(&stream, &id, bytes.len()) == *bytes);
        drop(writer.join().expect("join").expect("write"));
    });
}

/// Several connections are told apart.
#[test]
fn connections_are_told_apart() {
    let ctx = Ctx::new();
    let stream = ctx.socket(STREAM);
    let endpoint = stream.bind_to(Transport::Tcp);
    let mut peers = Vec::new();
    for _ in 0..3 {
        let peer = raw_connect(&endpoint);
        let (id, _) = frame(&stream);
        peers.push((peer, id));
    }
    for (index, (peer, id)) in peers.iter_mut().enumerate() {
        stream.send_all(&[&id[..], &[index as u8]]).expect("send");
        let mut byte = [9];
        peer.read_exact(&mut byte).expect("read");
        assert_eq!(usize::from(byte[0]), index);
    }
}

/// Without a peer nothing is there to read, and a send fails rather than waits.
#[test]
fn a_stream_without_a_peer_is_writable() {
    let ctx = Ctx::new();
    let stream = ctx.socket(STREAM);
    assert_eq!(stream.set(STREAM_NOTIFY, 2), Err(EINVAL));
    assert_eq!(stream.poll(POLLIN | POLLOUT, 0), POLLOUT);
    assert_eq!(stream.try_recv(), Err(EAGAIN));
}
