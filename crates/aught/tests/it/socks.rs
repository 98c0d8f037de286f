//! SOCKS proxies that refuse, say nothing or talk nonsense, and what monitors and `ZMQ_RECONNECT_STOP`
//! make of them. Those that do their work are in the behaviour suite; after these, libzmq ends the
//! process.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use aught::{Context, EventKind, Monitor, Socket};

use crate::support::{Elsewhere, SOON, bind, recv};

const SOCKS_PROXY: i32 = 68;
const SOCKS_USERNAME: i32 = 99;
const CONNECT_TIMEOUT: i32 = 79;
const HANDSHAKE_IVL: i32 = 66;
const RECONNECT_STOP: i32 = 109;

/// A proxy that gives these answers, one for each message that it gets, and hangs up.
fn scripted(answers: &'static [&'static [u8]]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            for answer in answers {
                // The client may have had enough.
                let mut told = [0; 600];
                if !matches!(client.read(&mut told), Ok(1..)) || client.write_all(answer).is_err() {
                    break;
                }
            }
        }
    });
    address
}

/// A socket that is to connect through a proxy, and tries again soon.
fn through(context: &Context, proxy: &str) -> (Socket, Monitor) {
    let push = context.push().expect("a socket").into_socket();
    push.set_option(SOCKS_PROXY, proxy.as_bytes()).expect("an option");
    push.set_reconnect_interval(Some(Duration::from_millis(2))).expect("an interval");
    push.set_linger(Some(Duration::ZERO)).expect("a linger time");
    let monitor = push.monitor().expect("a monitor");
    (push, monitor)
}

fn wait_for(monitor: &mut Monitor, wanted: fn(EventKind) -> bool) {
    loop {
        let event = monitor.next_timeout(SOON).expect("an event");
        if wanted(event.kind) {
            return;
        }
        assert!(!matches!(event.kind, EventKind::Connected(_)), "nobody is there: {event:?}");
    }
}

#[test]
fn proxies_that_refuse_or_talk_nonsense_are_tried_again() {
    let scripts: &[&[&[u8]]] = &[
        &[],
        &[b"\x05\xff"],
        &[b"\x04\0"],
        &[b"HTTP/1.1 400 Bad Request\r\n\r\n"],
        &[b"\x05\x02"],
        &[b"\x05\0", b"\x05\x01\0\x01\0\0\0\0\0\0"],
        &[b"\x05\0", b"\x05\x05\0\x01\0\0\0\0\0\0"],
        &[b"\x05\0", b"\x05\0\0\x07"],
        &[b"\x05\0", b"\x05\0\0"],
    ];
    for script in scripts {
        let context = Context::new().expect("a context");
        let (push, mut monitor) = through(&context, &scripted(script));
        push.connect("tcp://127.0.0.1:9").expect("a connection to come");
        for _ in 0..5 {
            wait_for(&mut monitor, |kind| matches!(kind, EventKind::Closed(_)));
            wait_for(&mut monitor, |kind| matches!(kind, EventKind::ConnectRetried(_)));
        }
    }
}

#[test]
fn a_password_that_is_refused_is_told_again() {
    let context = Context::new().expect("a context");
    let (push, mut monitor) = through(&context, &scripted(&[b"\x05\x02", b"\x01\x01"]));
    push.set_option(SOCKS_USERNAME, b"me").expect("an option");
    push.connect("tcp://127.0.0.1:9").expect("a connection to come");
    (0..5).for_each(|_| wait_for(&mut monitor, |kind| matches!(kind, EventKind::Closed(_))));
}

#[test]
fn a_proxy_that_says_nothing_is_given_up_after_the_time_for_it() {
    // It accepts nobody, and so never answers.
    let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = mute.local_addr().expect("an address").to_string();
    for option in [CONNECT_TIMEOUT, HANDSHAKE_IVL] {
        let context = Context::new().expect("a context");
        let (push, mut monitor) = through(&context, &address);
        push.set_option(option, &20_i32.to_ne_bytes()).expect("an option");
        push.connect("tcp://127.0.0.1:9").expect("a connection to come");
        (0..3).for_each(|_| wait_for(&mut monitor, |kind| matches!(kind, EventKind::Closed(_))));
    }
}

/// A proxy's word for a refused connection is as good as the system's.
#[test]
fn a_refusal_by_the_proxy_can_end_the_attempts() {
    let context = Context::new().expect("a context");
    let proxy = scripted(&[b"\x05\0", b"\x05\x05\0\x01\0\0\0\0\0\0"]);
    let (push, mut monitor) = through(&context, &proxy);
    push.set_option(RECONNECT_STOP, &1_i32.to_ne_bytes()).expect("an option");
    push.connect("tcp://127.0.0.1:9").expect("a connection to come");
    wait_for(&mut monitor, |kind| matches!(kind, EventKind::Closed(_)));
    let more = monitor.next_timeout(Duration::from_millis(100));
    assert_eq!(more, Err(aught::Error::WouldBlock));
}

/// Sockets and contexts end in any state of a negotiation.
#[test]
fn sockets_end_while_a_proxy_is_asked() {
    let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxies = [
        mute.local_addr().expect("an address").to_string(),
        scripted(&[]),
        scripted(&[b"\x05\0", b"\x05\0\0"]),
        "nowhere.invalid:1080".to_owned(),
        "nonsense".to_owned(),
    ];
    for proxy in proxies {
        let ended = Elsewhere::start(move || {
            let context = Context::new().expect("a context");
            let (push, _monitor) = through(&context, &proxy);
            push.connect("tcp://127.0.0.1:9").expect("a connection to come");
            push.send("never").expect("room");
            push.connect("tcp://127.0.0.1:10").expect("a connection to come");
            push.disconnect("tcp://127.0.0.1:10").expect("it is connected");
        });
        ended.result();
    }
}

/// `ZMQ_PRIORITY` and `ZMQ_BUSY_POLL` are the descriptor's (socket(7)).
#[test]
fn priorities_and_busy_polling_are_set_on_both_ends() {
    let context = Context::new().expect("a context");
    let (pull, push) = (context.pull().expect("a socket"), context.push().expect("a socket"));
    let mut monitors = [pull.as_socket(), push.as_socket()].map(|socket| {
        for option in [112, 113] {
            socket.set_option(option, &5_i32.to_ne_bytes()).expect("an option");
        }
        socket.monitor().expect("a monitor")
    });
    push.connect(&bind(&pull, "tcp://127.0.0.1:*")).expect("a connection to come");
    push.send("x").expect("room");
    assert_eq!(recv(&pull), "x");
    for monitor in &mut monitors {
        let fd = loop {
            match monitor.next_timeout(SOON).expect("an event").kind {
                EventKind::Accepted(fd) | EventKind::Connected(fd) => break fd,
                _ => {}
            }
        };
        for option in [libc::SO_PRIORITY, libc::SO_BUSY_POLL] {
            assert_eq!(of_system(fd, option), 5);
        }
    }
}

/// getsockopt(2) of a number.
fn of_system(fd: i32, option: i32) -> i32 {
    let mut value = 0_i32;
    let mut size = 4;
    let place = (&raw mut value).cast();
    // SAFETY: writes at most as many bytes as the size says.
    let rc = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, option, place, &raw mut size) };
    assert_eq!(rc, 0, "{}", std::io::Error::last_os_error());
    value
}
