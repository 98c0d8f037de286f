//! PUB and SUB (RFC 29), synchronised: the publisher calls until every subscriber has answered
//! over a socket of its own, and only then publishes what counts. Messages are envelopes: the
//! first part is the topic, the second the body.

use std::time::Instant;

use aught::{Context, Error, Message, Pub, Rep};

use super::{CALL, Outcome, RoleArgs, Tell, body, read_body};
use crate::cmd::Failure;

/// Bodies begin with one of these, then the publisher's number.
const CALLS: u8 = b'c';
const COUNTS: u8 = b'#';
const ENDS: u8 = b'e';

/// Publishes `count` messages on each of its topics in turn. Binds a REP for the subscribers to
/// join in, then the PUB, unless that connects to a forwarder.
pub(super) fn publisher(
    args: &RoleArgs,
    context: &Context,
    tell: Tell<'_>,
) -> Result<Outcome, Failure> {
    let socket = context.publisher()?;
    let join = context.rep()?;
    socket.as_socket().set_send_hwm(0)?;
    if args.connect.is_empty() {
        tell(args.bind_all(&[join.as_socket(), socket.as_socket()])?);
    } else {
        tell(args.bind_all(&[join.as_socket()])?);
        socket.connect(args.to_connect(0)?)?;
    }
    call(args, &socket, &join)?;

    let begun = Instant::now();
    let mut outcome = Outcome::default();
    for sequence in 0..args.count {
        for topic in &args.topic {
            socket.send(message(topic, COUNTS, args.number, sequence))?;
            outcome.sent += 1;
        }
    }
    for topic in &args.topic {
        socket.send(message(topic, ENDS, args.number, args.count))?;
    }
    outcome.time = begun.elapsed();
    Ok(outcome)
}

fn message(topic: &str, sign: u8, number: u64, sequence: u64) -> Message {
    let mut body = body(sign, number);
    body[9..17].copy_from_slice(&sequence.to_be_bytes());
    Message::from(topic).with(&body)
}

/// Calls on all topics until all subscribers have answered.
fn call(args: &RoleArgs, socket: &Pub, join: &Rep) -> Result<(), Failure> {
    let mut joined = 0;
    while joined < args.peers {
        for topic in &args.topic {
            socket.send(message(topic, CALLS, args.number, 0))?;
        }
        match join.as_socket().recv_timeout(CALL) {
            Ok(_) => {
                join.send("go")?;
                joined += 1;
            }
            Err(Error::WouldBlock) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What a subscriber has of one publisher on one topic.
struct Stream {
    topic: Vec<u8>,
    publisher: u64,
    next: u64,
}

/// Takes in what is published on its topics, in order and without gaps, to the end of `peers`
/// streams. Connects a SUB to its first endpoint, and a REQ to one endpoint for each publisher.
pub(super) fn subscriber(args: &RoleArgs, context: &Context) -> Result<Outcome, Failure> {
    let socket = context.subscriber()?;
    socket.as_socket().set_recv_hwm(0)?;
    for topic in &args.topic {
        socket.subscribe(topic)?;
    }
    socket.connect(args.to_connect(0)?)?;

    let mut streams: Vec<Stream> = Vec::new();
    let mut joined = Vec::new();
    let mut outcome = Outcome::default();
    let mut begun = None;
    let mut ended = 0;
    while ended < args.peers {
        let message = socket.recv()?;
        let topic = message.first();
        if message.len() != 2 || !args.topic.iter().any(|t| topic.starts_with(t.as_bytes())) {
            return Err(format!("subscribed to {:?}, got {message:?}", args.topic).into());
        }
        let (sign, publisher) = read_body(message.last())?;
        let sequence = read_body(&message.last()[8..])?.1;
        if sign == CALLS {
            if !joined.contains(&publisher) {
                joined.push(publisher);
                join_in(args, context, publisher)?;
            }
            continue;
        }
        begun.get_or_insert_with(Instant::now);
        let known = streams.iter().position(|s| s.publisher == publisher && s.topic == topic);
        let known = known.unwrap_or_else(|| {
            streams.push(Stream { topic: topic.to_vec(), publisher, next: 0 });
            streams.len() - 1
        });
        let stream = &mut streams[known];
        if sequence != stream.next {
            let wanted = stream.next;
            return Err(
                format!("publisher {publisher}: got {sequence} after {wanted} messages").into()
            );
        }
        if sign == ENDS {
            ended += 1;
        } else {
            stream.next += 1;
            outcome.received += 1;
        }
    }
    outcome.time = begun.map(|begun| begun.elapsed()).unwrap_or_default();
    Ok(outcome)
}

/// Tells a publisher that its call was heard.
fn join_in(args: &RoleArgs, context: &Context, publisher: u64) -> Result<(), Failure> {
    let join = context.req()?;
    join.connect(args.to_connect(usize::try_from(publisher)?.saturating_add(1))?)?;
    join.send("here")?;
    join.recv()?;
    Ok(())
}
