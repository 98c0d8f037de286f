//! How long calls wait: time-outs, high-water marks, and who wakes whom.

use std::time::{Duration, Instant};

use aught::{Context, Error};

use crate::support::{EVERYWHERE, Elsewhere, SOON, bind, join, recv};

const SHORT: Duration = Duration::from_millis(60);

#[test]
fn receiving_gives_up_after_its_time() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let pull = context.pull().unwrap();
        bind(&pull, place);
        assert_eq!(pull.try_recv().unwrap_err(), Error::WouldBlock);
        pull.as_socket().set_recv_timeout(Some(SHORT)).unwrap();
        let begun = Instant::now();
        assert_eq!(pull.recv().unwrap_err(), Error::WouldBlock);
        assert!(begun.elapsed() >= SHORT);
        let begun = Instant::now();
        assert_eq!(pull.as_socket().recv_timeout(SHORT).unwrap_err(), Error::WouldBlock);
        assert!(begun.elapsed() >= SHORT);
        pull.as_socket().set_recv_timeout(Some(Duration::ZERO)).unwrap();
        assert_eq!(pull.recv().unwrap_err(), Error::WouldBlock);
    }
}

#[test]
fn sending_gives_up_after_its_time() {
    let context = Context::new().unwrap();
    let push = context.push().unwrap();
    push.as_socket().set_send_timeout(Some(SHORT)).unwrap();
    let begun = Instant::now();
    let error = push.send("nobody is there").unwrap_err();
    assert_eq!(*error.error(), Error::WouldBlock);
    assert!(begun.elapsed() >= SHORT);
    assert!(!push.as_socket().can_send().unwrap());
}

#[test]
fn times_that_are_too_long_are_refused() {
    let context = Context::new().unwrap();
    let push = context.push().unwrap();
    let long = Duration::from_secs(u64::from(u32::MAX));
    assert!(matches!(push.as_socket().set_send_timeout(Some(long)), Err(Error::Invalid(_))));
    assert!(matches!(push.set_linger(Some(long)), Err(Error::Invalid(_))));
}

#[test]
fn a_message_wakes_whoever_waits_for_it() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let pull = context.pull().unwrap();
        let push = context.push().unwrap();
        push.connect(&bind(&pull, place)).unwrap();
        let waiting = Elsewhere::start(move || pull.recv().unwrap());
        assert!(waiting.goes_on());
        push.send("wake up").unwrap();
        assert_eq!(waiting.result(), "wake up");
    }
}

#[test]
fn a_full_pipe_makes_the_sender_wait_for_the_reader() {
    let context = Context::new().unwrap();
    let (push, pull) = (context.push().unwrap(), context.pull().unwrap());
    push.as_socket().set_send_hwm(3).unwrap();
    pull.as_socket().set_recv_hwm(4).unwrap();
    push.connect(&bind(&pull, "inproc://full")).unwrap();
    // Over inproc the two marks make one (zmq_inproc(7)).
    for number in 0..7 {
        push.try_send(number.to_string()).unwrap();
    }
    assert_eq!(*push.try_send("too much").unwrap_err().error(), Error::WouldBlock);
    let sender = Elsewhere::start(move || push.send("7").map(|()| push));
    assert!(sender.goes_on());
    for number in 0..8 {
        assert_eq!(recv(&pull), number.to_string().as_str());
    }
    sender.result().unwrap();
}

#[test]
fn nothing_is_lost_or_reordered_when_marks_are_low() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let (push, pull) = (context.push().unwrap(), context.pull().unwrap());
        push.as_socket().set_send_hwm(2).unwrap();
        pull.as_socket().set_recv_hwm(2).unwrap();
        push.connect(&bind(&pull, place)).unwrap();
        let sender = Elsewhere::start(move || {
            for number in 0..4_000_u32 {
                push.send(number.to_string()).unwrap();
            }
            push
        });
        for number in 0..4_000_u32 {
            assert_eq!(recv(&pull), number.to_string().as_str());
        }
        sender.result();
    }
}

#[test]
fn a_slow_subscriber_loses_messages_and_keeps_order() {
    let context = Context::new().unwrap();
    let publisher = context.publisher().unwrap();
    let subscriber = context.subscriber().unwrap();
    publisher.as_socket().set_send_hwm(5).unwrap();
    subscriber.as_socket().set_recv_hwm(5).unwrap();
    subscriber.subscribe("").unwrap();
    subscriber.connect(&bind(&publisher, "inproc://slow")).unwrap();
    join(&publisher, &subscriber, "x");
    for number in 0..100 {
        publisher.send(number.to_string()).unwrap();
    }
    // Both marks make ten. Some of the room may not have been given back after joining.
    let mut seen = 0;
    while let Ok(message) = subscriber.try_recv() {
        assert_eq!(message, seen.to_string().as_str());
        seen += 1;
    }
    assert!((5..=10).contains(&seen), "{seen}");
    join(&publisher, &subscriber, "again");
}

#[test]
fn several_threads_share_a_socket() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let pull = context.pull().unwrap();
        let push = context.push().unwrap();
        push.connect(&bind(&pull, place)).unwrap();
        let (push, pull) = (std::sync::Arc::new(push), std::sync::Arc::new(pull));
        let senders: Vec<_> = (0..4)
            .map(|_| {
                let push = std::sync::Arc::clone(&push);
                Elsewhere::start(move || (0..500).for_each(|_| push.send("x").unwrap()))
            })
            .collect();
        let receivers: Vec<_> = (0..4)
            .map(|_| {
                let pull = std::sync::Arc::clone(&pull);
                Elsewhere::start(move || (0..500).for_each(|_| drop(pull.recv().unwrap())))
            })
            .collect();
        senders.into_iter().chain(receivers).for_each(Elsewhere::result);
    }
}

#[test]
fn waiting_for_a_time_goes_on_when_another_thread_was_faster() {
    let context = Context::new().unwrap();
    let (push, pull) = (context.push().unwrap(), context.pull().unwrap());
    push.connect(&bind(&pull, "inproc://contended")).unwrap();
    let pull = std::sync::Arc::new(pull);
    let receivers: Vec<_> = (0..4)
        .map(|_| {
            let pull = std::sync::Arc::clone(&pull);
            Elsewhere::start(move || (0..300).for_each(|_| drop(recv(&*pull))))
        })
        .collect();
    for number in 0..1200 {
        push.send(number.to_string()).unwrap();
    }
    receivers.into_iter().for_each(Elsewhere::result);
}

#[test]
fn the_descriptor_tells_of_messages() {
    use aught::Poller;
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let (push, pull) = (context.push().unwrap(), context.pull().unwrap());
        let descriptor = pull.as_socket().descriptor().unwrap();
        push.connect(&bind(&pull, place)).unwrap();
        let mut seen = 0;
        for round in 0..20 {
            push.send("x").unwrap();
            // zmq_getsockopt(3): readable means look, and look until there is nothing.
            let mut poller = Poller::new();
            poller.add_descriptor(descriptor, Poller::IN);
            while seen <= round {
                assert!(poller.wait(Some(SOON)).unwrap() > 0, "the descriptor stays silent");
                while pull.as_socket().can_recv().unwrap() {
                    pull.try_recv().unwrap();
                    seen += 1;
                }
            }
        }
    }
}
