//! Messages: whole, of any size, and given back when they cannot be sent.

use aught::{Context, Error, Message, Part};

use crate::support::{EVERYWHERE, bind, recv, texts};

#[test]
fn messages_of_all_shapes_arrive_as_they_were() {
    let sizes = [0, 1, 32, 33, 254, 255, 256, 8191, 8192, 8193, 65_536, 300_000, 5_000_000];
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let (push, pull) = (context.push().unwrap(), context.pull().unwrap());
        push.connect(&bind(&pull, place)).unwrap();
        for size in sizes {
            let body: Vec<u8> = (0..size).map(|n: usize| n.to_le_bytes()[0]).collect();
            push.send(Message::from("head").with(body.clone()).with("").with(body.clone()))
                .unwrap();
            let message = recv(&pull);
            assert_eq!(message.len(), 4);
            assert_eq!((&message[0], &message[2]), (b"head".as_slice(), b"".as_slice()));
            assert!(message[1] == body[..] && message[3] == body[..], "{size} bytes over {place}");
        }
    }
}

#[test]
fn messages_of_many_parts_stay_together() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let pull = context.pull().unwrap();
        let endpoint = bind(&pull, place);
        let pushers: Vec<_> = (0..3).map(|_| context.push().unwrap()).collect();
        for (number, push) in pushers.iter().enumerate() {
            push.connect(&endpoint).unwrap();
            for _ in 0..5 {
                push.send(Message::from_parts(vec![number.to_string(); 500])).unwrap();
            }
        }
        for _ in 0..15 {
            let message = recv(&pull);
            assert_eq!(message.len(), 500);
            assert!(message.iter().all(|part| **part == *message.first()), "parts were mixed");
        }
    }
}

#[test]
fn a_large_body_is_shared_between_threads_and_not_copied() {
    let context = Context::new().unwrap();
    let (push, pull) = (context.push().unwrap(), context.pull().unwrap());
    push.connect(&bind(&pull, "inproc://shared")).unwrap();
    let message = Message::from(vec![7; 1_000_000]);
    let place = message.first().as_ptr();
    push.send(message).unwrap();
    assert_eq!(recv(&pull).first().as_ptr(), place);
}

#[test]
fn a_message_that_cannot_be_sent_comes_back_whole() {
    let context = Context::new().unwrap();
    let push = context.push().unwrap();
    let message = Message::from("one").with("two").with("three");
    let error = push.try_send(message).unwrap_err();
    assert_eq!(*error.error(), Error::WouldBlock);
    let message = error.into_message();
    assert_eq!(texts(&message), ["one", "two", "three"]);

    let pull = context.pull().unwrap();
    push.connect(&bind(&pull, "inproc://later")).unwrap();
    push.send(message).unwrap();
    assert_eq!(texts(&recv(&pull)), ["one", "two", "three"]);
}

#[test]
fn a_request_out_of_turn_comes_back() {
    let context = Context::new().unwrap();
    let (server, client) = (context.rep().unwrap(), context.req().unwrap());
    client.connect(&bind(&server, "inproc://turns")).unwrap();
    assert_eq!(client.recv().unwrap_err(), Error::WrongState);
    assert_eq!(*server.send("early").unwrap_err().error(), Error::WrongState);
    client.send("first").unwrap();
    let error = client.send(Message::from("second").with("part")).unwrap_err();
    assert_eq!(*error.error(), Error::WrongState);
    assert_eq!(texts(&error.into_message()), ["second", "part"]);
    assert_eq!(recv(&server), "first");
}

#[test]
fn a_message_to_nobody_comes_back_if_the_router_insists() {
    let context = Context::new().unwrap();
    let router = context.router().unwrap();
    bind(&router, "inproc://strict");
    router.send(Message::from("nobody").with("dropped")).unwrap();
    router.as_socket().set_router_mandatory(true).unwrap();
    let error = router.send(Message::from("nobody").with("kept")).unwrap_err();
    assert_eq!(*error.error(), Error::Unroutable);
    assert_eq!(texts(&error.into_message()), ["nobody", "kept"]);
}

#[test]
fn a_message_that_fails_after_shutdown_comes_back_whole() {
    let context = Context::new().unwrap();
    let (push, pull) = (context.push().unwrap(), context.pull().unwrap());
    push.connect(&bind(&pull, "inproc://over")).unwrap();
    context.shutdown();
    let error = push.send(Message::from("a").with("b")).unwrap_err();
    assert_eq!(*error.error(), Error::Terminated);
    assert_eq!(texts(&error.into_message()), ["a", "b"]);
}

#[test]
fn messages_compare_and_show_themselves() {
    let single = Message::from("hello");
    assert!(single == "hello" && single == b"hello"[..] && single == *b"hello");
    assert!(Message::from("a").with("b") != "a");
    assert_eq!(Message::from_parts(Vec::<Part>::new()).len(), 1);
    assert_eq!(single.get(1), None);
    assert!(format!("{:?}", single.with("there")).contains("hello"));
}
