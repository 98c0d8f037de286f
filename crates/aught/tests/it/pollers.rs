//! Waiting for several sockets at once.

use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use aught::{Context, Poller};

use crate::support::{EVERYWHERE, Elsewhere, SOON, bind, recv};

#[test]
fn a_poller_says_which_socket_has_a_message() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let pulls: Vec<_> = (0..3).map(|_| context.pull().unwrap()).collect();
        let mut poller = Poller::new();
        let mut pushes = Vec::new();
        for (number, pull) in pulls.iter().enumerate() {
            assert_eq!(poller.add(pull.as_socket(), Poller::IN), number);
            let push = context.push().unwrap();
            push.connect(&bind(pull, &place.replace("here", &number.to_string()))).unwrap();
            pushes.push(push);
        }
        for number in [1, 0, 2, 2] {
            pushes[number].send(number.to_string()).unwrap();
            assert_eq!(poller.wait(Some(SOON)).unwrap(), 1);
            for index in 0..3 {
                assert_eq!(poller.is_readable(index), index == number);
                assert!(!poller.is_writable(index));
            }
            assert_eq!(recv(&pulls[number]), number.to_string().as_str());
        }
    }
}

#[test]
fn a_poller_says_which_socket_has_room() {
    let context = Context::new().unwrap();
    let (push, pull) = (context.push().unwrap(), context.pull().unwrap());
    let mut poller = Poller::new();
    let index = poller.add(push.as_socket(), Poller::OUT);
    assert_eq!(poller.wait(Some(Duration::ZERO)).unwrap(), 0);
    push.connect(&bind(&pull, "inproc://room")).unwrap();
    assert_eq!(poller.wait(Some(SOON)).unwrap(), 1);
    assert!(poller.is_writable(index) && !poller.is_readable(index));
}

#[test]
fn a_poller_gives_up_after_its_time() {
    let context = Context::new().unwrap();
    let pull = context.pull().unwrap();
    bind(&pull, "tcp://127.0.0.1:*");
    let mut poller = Poller::new();
    poller.add(pull.as_socket(), Poller::IN);
    let time = Duration::from_millis(60);
    let begun = Instant::now();
    assert_eq!(poller.wait(Some(time)).unwrap(), 0);
    assert!(begun.elapsed() >= time);
}

#[test]
fn a_poller_waits_for_descriptors_too() {
    let context = Context::new().unwrap();
    let pull = context.pull().unwrap();
    bind(&pull, "inproc://beside");
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut poller = Poller::new();
    let socket = poller.add(pull.as_socket(), Poller::IN);
    let descriptor = poller.add_descriptor(theirs.as_raw_fd(), Poller::IN);
    let waiting = Elsewhere::start(move || {
        let count = poller.wait(Some(SOON)).unwrap();
        (count, poller.is_readable(socket), poller.is_readable(descriptor))
    });
    assert!(waiting.goes_on());
    ours.write_all(b"x").unwrap();
    assert_eq!(waiting.result(), (1, false, true));
}

#[test]
fn a_poller_wakes_for_a_message_from_another_thread() {
    for place in EVERYWHERE {
        let context = Context::new().unwrap();
        let (push, pull) = (context.push().unwrap(), context.pull().unwrap());
        push.connect(&bind(&pull, place)).unwrap();
        let waiting = Elsewhere::start(move || {
            let mut poller = Poller::new();
            poller.add(pull.as_socket(), Poller::IN);
            poller.wait(None).map(|count| (count, pull.try_recv().unwrap()))
        });
        assert!(waiting.goes_on());
        push.send("now").unwrap();
        let (count, message) = waiting.result().unwrap();
        assert_eq!(count, 1);
        assert_eq!(message, "now");
    }
}

/// More items than a process may have descriptors: a socket or a descriptor that is repeated is
/// waited for once.
#[test]
fn a_poller_may_have_any_number_of_items() {
    const ITEMS: usize = 100_000;
    let context = Context::new().unwrap();
    let (push, pull) = (context.push().unwrap(), context.pull().unwrap());
    push.connect(&bind(&pull, "inproc://often")).unwrap();
    let (near, mut far) = UnixStream::pair().unwrap();
    let mut poller = Poller::new();
    for number in 0..ITEMS {
        match number % 2 {
            0 => poller.add(pull.as_socket(), Poller::IN),
            _ => poller.add_descriptor(near.as_raw_fd(), Poller::IN),
        };
    }
    assert_eq!(poller.wait(Some(Duration::from_millis(1))).unwrap(), 0);
    std::thread::scope(|scope| {
        scope.spawn(|| push.send("x").unwrap());
        // It may come while the items are looked through.
        assert!(poller.wait(Some(SOON)).unwrap() > 0);
    });
    assert_eq!(poller.wait(Some(SOON)).unwrap(), ITEMS / 2);
    assert!(poller.is_readable(0) && poller.is_readable(ITEMS - 2) && !poller.is_readable(1));
    assert_eq!(recv(&pull), "x");
    far.write_all(b"x").unwrap();
    assert_eq!(poller.wait(Some(SOON)).unwrap(), ITEMS / 2);
    assert!(poller.is_readable(1) && poller.is_readable(ITEMS - 1) && !poller.is_readable(0));
}
