//! What each pattern does with messages, over every transport.

use std::io::{Read, Write};
use std::net::TcpStream;

use aught::{Context, Message};

use crate::support::{EVERYWHERE, SOON, bind, join, nothing, recv, texts};

#[test]
fn a_request_gets_its_reply() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let server = context.rep().unwrap();
        let client = context.req().unwrap();
        client.connect(&bind(&server, place)).unwrap();
        for number in 0..50 {
            client.send(format!("request {number}")).unwrap();
            assert_eq!(recv(&server), format!("request {number}").as_str());
            server.send(Message::from("reply").with(number.to_string())).unwrap();
            assert_eq!(texts(&recv(&client)), ["reply".to_owned(), number.to_string()]);
        }
    }
}

#[test]
fn replies_go_to_whoever_asked() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let server = context.rep().unwrap();
        let endpoint = bind(&server, place);
        let clients: Vec<_> = (0..5).map(|_| context.req().unwrap()).collect();
        for (number, client) in clients.iter().enumerate() {
            client.connect(&endpoint).unwrap();
            client.send(number.to_string()).unwrap();
        }
        for _ in &clients {
            let request = recv(&server);
            server.send(format!("for {}", request.text())).unwrap();
        }
        for (number, client) in clients.iter().enumerate() {
            assert_eq!(recv(client), format!("for {number}").as_str());
        }
    }
}

#[test]
fn subscribers_get_what_begins_with_their_prefix() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let publisher = context.publisher().unwrap();
        let endpoint = bind(&publisher, place);
        let fruit = context.subscriber().unwrap();
        let all = context.subscriber().unwrap();
        fruit.subscribe("fruit/").unwrap();
        all.subscribe("").unwrap();
        fruit.connect(&endpoint).unwrap();
        all.connect(&endpoint).unwrap();
        join(&publisher, &fruit, "fruit/");
        join(&publisher, &all, "other");

        for topic in ["fruit/apple", "stone", "fruit", "fruit/pear"] {
            publisher.send(Message::from(topic).with("body")).unwrap();
        }
        publisher.send("fruit/end").unwrap();
        assert_eq!(texts(&recv(&fruit)), ["fruit/apple", "body"]);
        // What was sent in joining `all` reached this one only if its prefix fits, which it does
        // not.
        assert_eq!(texts(&recv(&fruit)), ["fruit/pear", "body"]);
        assert_eq!(recv(&fruit), "fruit/end");
        for expected in ["fruit/apple", "stone", "fruit", "fruit/pear"] {
            assert_eq!(texts(&recv(&all)), [expected, "body"]);
        }

        fruit.unsubscribe("fruit/").unwrap();
        fruit.subscribe("stone").unwrap();
        join(&publisher, &fruit, "stone");
        publisher.send("fruit/kiwi").unwrap();
        publisher.send("stone/end").unwrap();
        assert_eq!(recv(&fruit), "stone/end");
    }
}

#[test]
fn work_is_dealt_out_in_turn() {
    for place in ["tcp://127.0.0.1:*", "ipc://*"] {
        let context = Context::new().unwrap();
        let workers: Vec<_> = (0..3).map(|_| context.pull().unwrap()).collect();
        let push = context.push().unwrap();
        for worker in &workers {
            push.connect(&bind(worker, place)).unwrap();
        }
        for number in 0..9 {
            push.send(number.to_string()).unwrap();
        }
        let mut all = Vec::new();
        for worker in &workers {
            let share: Vec<_> = (0..3).map(|_| recv(worker).text().into_owned()).collect();
            let numbers: Vec<u32> = share.iter().map(|text| text.parse().unwrap()).collect();
            assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 3), "{numbers:?}");
            all.extend(numbers);
        }
        all.sort_unstable();
        assert_eq!(all, (0..9).collect::<Vec<_>>());
    }
}

#[test]
fn a_puller_takes_from_everybody() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let pull = context.pull().unwrap();
        let endpoint = bind(&pull, place);
        let pushers: Vec<_> = (0..4).map(|_| context.push().unwrap()).collect();
        for (number, push) in pushers.iter().enumerate() {
            push.connect(&endpoint).unwrap();
            for _ in 0..10 {
                push.send(number.to_string()).unwrap();
            }
        }
        let mut counts = [0; 4];
        for _ in 0..40 {
            counts[recv(&pull).text().parse::<usize>().unwrap()] += 1;
        }
        assert_eq!(counts, [10; 4]);
    }
}

#[test]
fn a_router_names_its_peers() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let router = context.router().unwrap();
        let endpoint = bind(&router, place);
        let dealers: Vec<_> = ["ann", "bob", "cid"]
            .into_iter()
            .map(|name| {
                let dealer = context.dealer().unwrap();
                dealer.as_socket().set_routing_id(name.as_bytes()).unwrap();
                dealer.connect(&endpoint).unwrap();
                dealer.send(format!("{name} is here")).unwrap();
                dealer
            })
            .collect();
        for _ in &dealers {
            let message = recv(&router);
            assert_eq!(message.len(), 2);
            let name = String::from_utf8_lossy(message.first()).into_owned();
            assert_eq!(&message[1], format!("{name} is here").as_bytes());
        }
        for name in ["cid", "ann", "bob"] {
            router.send(Message::from(name).with("hello").with(name)).unwrap();
        }
        for (dealer, name) in dealers.iter().zip(["ann", "bob", "cid"]) {
            assert_eq!(texts(&recv(dealer)), ["hello", name]);
        }
    }
}

#[test]
fn a_peer_without_a_name_is_given_one() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let router = context.router().unwrap();
        let dealer = context.dealer().unwrap();
        dealer.connect(&bind(&router, place)).unwrap();
        dealer.send("hello").unwrap();
        let message = recv(&router);
        // zmq_socket(3): names that the router makes begin with a zero byte.
        assert_eq!((message.first().len(), message.first()[0]), (5, 0));
        router.send(message).unwrap();
        assert_eq!(recv(&dealer), "hello");
    }
}

#[test]
fn requests_carry_their_envelope() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let router = context.router().unwrap();
        let client = context.req().unwrap();
        client.connect(&bind(&router, place)).unwrap();
        client.send("question").unwrap();
        let request = recv(&router);
        // RFC 28: the address, an empty delimiter, the body.
        assert_eq!((request.len(), request[1].len(), &request[2]), (3, 0, b"question".as_slice()));
        let id = request.first().to_vec();
        router.send(Message::from(id).with("").with("answer")).unwrap();
        assert_eq!(recv(&client), "answer");

        let dealer = context.dealer().unwrap();
        let server = context.rep().unwrap();
        let place = place.replace("here", "there");
        dealer.connect(&bind(&server, &place)).unwrap();
        dealer.send(Message::from("hop").with("").with("question")).unwrap();
        assert_eq!(recv(&server), "question");
        server.send("answer").unwrap();
        assert_eq!(texts(&recv(&dealer)), ["hop", "", "answer"]);
    }
}

#[test]
fn a_pair_talks_both_ways() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let (here, there) = (context.pair().unwrap(), context.pair().unwrap());
        there.connect(&bind(&here, place)).unwrap();
        for number in 0..100 {
            here.send(format!("ping {number}")).unwrap();
            there.send(format!("pong {number}")).unwrap();
        }
        for number in 0..100 {
            assert_eq!(recv(&there), format!("ping {number}").as_str());
            assert_eq!(recv(&here), format!("pong {number}").as_str());
        }
    }
}

#[test]
fn an_xpub_sees_subscriptions_and_messages_from_below() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let xpub = context.xpub().unwrap();
        let xsub = context.xsub().unwrap();
        xsub.connect(&bind(&xpub, place)).unwrap();
        xsub.send("\u{1}news").unwrap();
        assert_eq!(recv(&xpub), "\u{1}news");
        xpub.send("news of today").unwrap();
        assert_eq!(recv(&xsub), "news of today");
        xsub.send("by the way").unwrap();
        assert_eq!(recv(&xpub), "by the way");
        xsub.send("\0news").unwrap();
        assert_eq!(recv(&xpub), "\0news");
        xpub.send("news of tomorrow").unwrap();
        nothing(&xsub);
    }
}

#[test]
fn a_stream_talks_to_plain_tcp() {
    let context = Context::new().unwrap();
    let stream = context.stream().unwrap();
    let endpoint = bind(&stream, "tcp://127.0.0.1:*");
    let mut plain = TcpStream::connect(endpoint.trim_start_matches("tcp://")).unwrap();
    plain.set_read_timeout(Some(SOON)).unwrap();
    let hello = recv(&stream);
    assert_eq!((hello.len(), hello.last()), (2, b"".as_slice()), "somebody connected");
    let id = hello.first().to_vec();

    plain.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let piece = recv(&stream);
        assert_eq!(piece.first(), id);
        request.extend_from_slice(piece.last());
    }
    stream.send(Message::from(id.clone()).with("HTTP/1.0 200 OK\r\n\r\nhello")).unwrap();
    stream.send(Message::from(id).with("")).unwrap();
    let mut response = String::new();
    plain.read_to_string(&mut response).unwrap();
    assert!(response.ends_with("\r\n\r\nhello"), "{response:?}");
}

#[test]
fn sockets_without_a_type_refuse_what_their_type_lacks() {
    let context = Context::new().unwrap();
    let pull = context.pull().unwrap().into_socket();
    assert_eq!(*pull.send("x").unwrap_err().error(), aught::Error::Unsupported);
    let push = context.push().unwrap().into_socket();
    assert_eq!(push.recv().unwrap_err(), aught::Error::Unsupported);
    assert!(matches!(push.subscribe(b"x"), Err(aught::Error::Invalid(_))));
}
