//! Messages (zmq_msg_init(3) and its relatives, zmq_msg_send(3), zmq_recv(3), zmq_sendmsg(3)).

use aught_behaviour::consts::*;
use aught_behaviour::*;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// A connected PUSH and PULL.
fn pipe(ctx: &Ctx, transport: Transport) -> (Sock, Sock) {
    let pull = ctx.socket(PULL);
    let push = ctx.socket(PUSH);
    push.connect(&pull.bind_to(transport)).expect("connect");
    (push, pull)
}

#[test]
fn a_new_message_is_empty() {
    let msg = Msg::new();
    assert_eq!(msg.size(), 0);
    assert!(!msg.more());
}

#[test]
fn a_message_has_the_size_it_was_made_with() {
    for size in [0, 1, 29, 30, 33, 34, 64, 1000, 1_000_000] {
        let mut msg = Msg::with(&vec![5; size]);
        assert_eq!(msg.size(), size);
        assert_eq!(msg.bytes(), vec![5; size]);
    }
}

/// The data of a message stays where it is while the message is untouched.
#[test]
fn the_data_of_a_message_stays_where_it_is() {
    for size in [1, 20, 100] {
        let mut msg = Msg::with(&vec![1; size]);
        assert_eq!(msg.data(), msg.data());
        assert!(!msg.data().is_null());
    }
}

/// zmq_msg_copy(3): both hold the content.
#[test]
fn a_copy_has_the_same_content() {
    for size in [0, 5, 33, 34, 5000] {
        let mut source = Msg::with(&vec![7; size]);
        let mut copy = Msg::with(b"replaced");
        copy.copy_from(&mut source).expect("copy");
        assert_eq!(source.bytes(), vec![7; size]);
        assert_eq!(copy.bytes(), vec![7; size]);
    }
}

#[test]
fn a_copy_outlives_its_source() {
    let mut copy = Msg::new();
    {
        let mut source = Msg::with(&[9; 10_000]);
        copy.copy_from(&mut source).expect("copy");
    }
    assert_eq!(copy.bytes(), [9; 10_000]);
}

/// Small contents are copied, so that writing to one does not show in the other.
#[test]
fn copies_of_small_messages_are_apart() {
    let mut source = Msg::with(b"abc");
    let mut copy = Msg::new();
    copy.copy_from(&mut source).expect("copy");
    copy.bytes_mut()[0] = b'X';
    assert_eq!(source.bytes(), b"abc");
    assert_eq!(copy.bytes(), b"Xbc");
}

/// zmq_msg_move(3): the source is empty afterwards.
#[test]
fn a_move_empties_the_source() {
    for size in [5, 5000] {
        let mut source = Msg::with(&vec![7; size]);
        let mut dest = Msg::with(b"replaced");
        dest.move_from(&mut source).expect("move");
        assert_eq!(source.size(), 0);
        assert_eq!(dest.bytes(), vec![7; size]);
    }
}

/// zmq_msg_close(3): EFAULT for a message that is closed.
#[test]
fn a_closed_message_cannot_be_closed_again() {
    let mut msg = Msg::with(b"x");
    msg.close().expect("close");
    assert_eq!(msg.close(), Err(EFAULT));
}

/// Sending one is left out: the reference ends the process.
#[test]
fn a_closed_message_cannot_be_used() {
    let ctx = Ctx::new();
    let (_push, pull) = pipe(&ctx, Transport::Inproc);
    let mut closed = Msg::new();
    closed.close().expect("close");
    assert_eq!(closed.recv(&pull, DONTWAIT), Err(EFAULT));
    let mut other = Msg::new();
    assert_eq!(other.copy_from(&mut closed), Err(EFAULT));
    assert_eq!(other.move_from(&mut closed), Err(EFAULT));
}

/// zmq_msg_send(3): the size is returned and the message is empty afterwards.
#[test]
fn sending_a_message_empties_it() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    for size in [0, 10, 1000] {
        let mut msg = Msg::with(&vec![3; size]);
        assert_eq!(msg.send(&push, 0), Ok(size as i32));
        assert_eq!(msg.size(), 0);
        assert_eq!(msg.recv(&pull, 0), Ok(size as i32));
        assert_eq!(msg.bytes(), vec![3; size]);
    }
}

/// zmq_msg_send(3): a message that could not be sent is still the caller's.
#[test]
fn a_message_that_was_not_sent_is_untouched() {
    let ctx = Ctx::new();
    let push = ctx.socket(PUSH);
    let mut msg = Msg::with(&[4; 500]);
    assert_eq!(msg.send(&push, DONTWAIT), Err(EAGAIN));
    assert_eq!(msg.bytes(), [4; 500]);
}

/// zmq_msg_recv(3): what the message held before is released.
#[test]
fn receiving_replaces_the_content() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    push.send("new").expect("send");
    let freed = Freed::new();
    let mut msg = freed.message(1000);
    msg.recv(&pull, 0).expect("recv");
    assert_eq!(msg.bytes(), b"new");
    assert_eq!(freed.count(), 1);
}

/// zmq_msg_recv(3): a receive that fails leaves a message that can be closed.
#[test]
fn a_failed_receive_leaves_a_message_that_can_be_closed() {
    let ctx = Ctx::new();
    let pull = ctx.socket(PULL);
    let mut msg = Msg::with(b"old");
    assert_eq!(msg.recv(&pull, DONTWAIT), Err(EAGAIN));
    msg.close().expect("close");
}

/// zmq_msg_more(3), ZMQ_RCVMORE.
#[test]
fn more_tells_the_last_part_from_the_others() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Tcp);
    push.send_all(&["a", "b", "c"]).expect("send");
    let mut msg = Msg::new();
    for more in [true, true, false] {
        msg.recv(&pull, 0).expect("recv");
        assert_eq!(msg.more(), more);
        assert_eq!(msg.get(MORE), Ok(i32::from(more)));
        assert_eq!(pull.more(), more);
    }
}

/// A part that was received with others after it does not carry the flag to where it is sent.
#[test]
fn the_flag_of_a_received_part_is_not_sent_on() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    push.send_all(&["a", "b"]).expect("send");
    let mut first = Msg::new();
    first.recv(&pull, 0).expect("recv");
    pull.expect("b");
    first.send(&push, 0).expect("send");
    pull.expect("a");
}

/// zmq_msg_get(3), zmq_msg_set(3).
#[test]
fn unknown_properties_are_refused() {
    let mut msg = Msg::with(b"x");
    assert_eq!(msg.get(-1), Err(EINVAL));
    assert_eq!(msg.get(999), Err(EINVAL));
    for property in [MORE, SHARED, 999] {
        assert_eq!(Lib::check(lib().zmq_msg_set(msg.ptr(), property, 1)), Err(EINVAL));
    }
}

/// ZMQ_SHARED: whether the content is shared with a copy.
#[test]
fn shared_tells_of_copies() {
    let mut source = Msg::with(&[1; 5000]);
    assert_eq!(source.get(SHARED), Ok(0));
    let mut copy = Msg::new();
    copy.copy_from(&mut source).expect("copy");
    assert_eq!(source.get(SHARED), Ok(1));
    assert_eq!(copy.get(SHARED), Ok(1));
}

/// zmq_msg_gets(3): what the peer said of itself, and where it is.
#[test]
fn a_message_from_tcp_has_properties() {
    let ctx = Ctx::new();
    let dealer = ctx.socket(DEALER);
    dealer.set_bytes(ROUTING_ID, b"me").expect("ROUTING_ID");
    let router = ctx.socket(ROUTER);
    dealer.connect(&router.bind_to(Transport::Tcp)).expect("connect");
    dealer.send("x").expect("send");
    let mut msg = Msg::new();
    for _ in 0..2 {
        msg.recv(&router, 0).expect("recv");
    }
    assert_eq!(msg.bytes(), b"x");
    assert_eq!(msg.gets("Socket-Type").as_deref(), Ok("DEALER"));
    assert_eq!(msg.gets("Identity").as_deref(), Ok("me"));
    assert_eq!(msg.gets("Peer-Address").as_deref(), Ok("127.0.0.1"));
    assert_eq!(msg.gets("User-Id"), Err(EINVAL));
    assert_eq!(msg.gets("Nothing"), Err(EINVAL));
}

#[test]
fn a_message_of_ones_own_has_no_properties() {
    let msg = Msg::with(b"x");
    assert_eq!(msg.gets("Socket-Type"), Err(EINVAL));
    assert_eq!(msg.gets("Peer-Address"), Err(EINVAL));
}

/// zmq_recv(3): a message that is too long is cut, and its whole size returned.
#[test]
fn zmq_recv_cuts_and_returns_the_whole_size() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    push.send("0123456789").expect("send");
    push.send("next").expect("send");
    let mut buffer = *b"........";
    let data = buffer.as_mut_ptr().cast();
    assert_eq!(lib().zmq_recv(pull.raw(), data, 4, 0), 10);
    assert_eq!(&buffer, b"0123....");
    let data = buffer.as_mut_ptr().cast();
    assert_eq!(lib().zmq_recv(pull.raw(), data, 8, 0), 4);
    assert_eq!(&buffer, b"next....");
}

/// zmq_recv(3): a buffer of no bytes takes a message away.
#[test]
fn zmq_recv_into_nothing_takes_the_message() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    push.send("gone").expect("send");
    assert_eq!(lib().zmq_recv(pull.raw(), std::ptr::null_mut(), 0, 0), 4);
    assert_eq!(pull.try_recv(), Err(EAGAIN));
}

/// zmq_send(3) returns the number of bytes.
#[test]
fn zmq_send_returns_the_size() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    assert_eq!(push.send_flags("12345", 0), Ok(5));
    assert_eq!(push.send_flags("", SNDMORE), Ok(0));
    assert_eq!(push.send_flags("x", 0), Ok(1));
    pull.expect("12345");
    pull.expect_all(&["", "x"]);
}

/// zmq_send_const(3): the bytes are not copied and not freed.
#[test]
fn constant_data_can_be_sent() {
    static TEXT: &[u8] = b"a text that is longer than what fits into the structure itself";
    let ctx = Ctx::new();
    for transport in [Transport::Inproc, Transport::Tcp] {
        let (push, pull) = pipe(&ctx, transport);
        let sent = lib().zmq_send_const(push.raw(), TEXT.as_ptr().cast(), TEXT.len(), 0);
        assert_eq!(sent, TEXT.len() as i32);
        let sent = lib().zmq_send_const(push.raw(), TEXT.as_ptr().cast(), 6, SNDMORE);
        assert_eq!(sent, 6);
        push.send("end").expect("send");
        pull.expect(TEXT);
        pull.expect_all(&["a text", "end"]);
    }
}

#[test]
fn the_old_names_of_sending_and_receiving_work() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    let mut msg = Msg::with(b"old names");
    assert_eq!(lib().zmq_sendmsg(push.raw(), msg.ptr(), 0), 9);
    assert_eq!(lib().zmq_recvmsg(pull.raw(), msg.ptr(), 0), 9);
    assert_eq!(msg.bytes(), b"old names");
}

/// zmq_sendiov and zmq_recviov: one part for each element, all of one message with ZMQ_SNDMORE.
#[test]
fn vectors_of_parts_can_be_sent_and_received() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    let texts = [&b"one"[..], b"", b"three"];
    let mut out = texts
        .map(|text| libc::iovec { iov_base: text.as_ptr().cast_mut().cast(), iov_len: text.len() });
    assert!(lib().zmq_sendiov(push.raw(), out.as_mut_ptr(), 3, SNDMORE) >= 0);
    let mut back = [(); 5].map(|()| libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 });
    let mut count = 5;
    assert_eq!(lib().zmq_recviov(pull.raw(), back.as_mut_ptr(), &mut count, 0), 3);
    assert_eq!(count, 3);
    for (part, text) in back.iter().zip(texts) {
        assert_eq!(part.iov_len, text.len());
        if part.iov_len > 0 {
            // SAFETY: zmq_recviov allocated this many bytes with malloc.
            let bytes =
                unsafe { std::slice::from_raw_parts(part.iov_base.cast::<u8>(), part.iov_len) };
            assert_eq!(bytes, text);
        }
        // SAFETY: as above, or null; the caller frees it.
        unsafe { libc::free(part.iov_base) };
    }
}

#[test]
fn a_vector_of_no_parts_is_refused() {
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    let mut one = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };
    assert_eq!(Lib::check(lib().zmq_sendiov(push.raw(), &mut one, 0, 0)), Err(EINVAL));
    assert_eq!(Lib::check(lib().zmq_sendiov(push.raw(), std::ptr::null_mut(), 1, 0)), Err(EINVAL));
    let mut count = 0;
    assert_eq!(Lib::check(lib().zmq_recviov(pull.raw(), &mut one, &mut count, 0)), Err(EINVAL));
}

/// Counts the calls of a free function for the messages made from it.
struct Freed(Arc<AtomicUsize>, AtomicUsize);

impl Freed {
    fn new() -> Self {
        Self(Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0))
    }

    /// A message over bytes of its own, all of them 6.
    fn message(&self, size: usize) -> Msg {
        self.1.fetch_add(1, Ordering::SeqCst);
        let data = Box::into_raw(vec![6_u8; size].into_boxed_slice());
        let hint = Box::into_raw(Box::new((data, self.0.clone())));
        Msg::from_data(data.cast(), size, Some(release), hint.cast())
    }

    /// How many messages there were.
    fn made(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn wait_for(&self, count: usize) {
        Sock::until(|| (self.count() >= count).then_some(()));
        assert_eq!(self.count(), count);
    }
}

unsafe extern "C" fn release(data: *mut c_void, hint: *mut c_void) {
    // SAFETY: the hint of Freed::message, given back once.
    let (bytes, count) = *unsafe { Box::from_raw(hint.cast::<(*mut [u8], Arc<AtomicUsize>)>()) };
    assert_eq!(bytes.cast::<c_void>(), data, "the data that was given");
    // SAFETY: the slice of Freed::message, given back once.
    drop(unsafe { Box::from_raw(bytes) });
    count.fetch_add(1, Ordering::SeqCst);
}

/// zmq_msg_init_data(3): the data is not copied.
#[test]
fn given_data_is_used_in_place() {
    let freed = Freed::new();
    let mut msg = freed.message(100);
    assert_eq!(msg.size(), 100);
    assert_eq!(msg.bytes(), [6; 100]);
    assert_eq!(freed.count(), 0);
}

#[test]
fn closing_frees_given_data() {
    let freed = Freed::new();
    let mut msg = freed.message(100);
    msg.close().expect("close");
    assert_eq!(freed.count(), 1);
    drop(msg);
    assert_eq!(freed.count(), 1);
}

#[test]
fn given_data_is_freed_with_its_last_copy() {
    let freed = Freed::new();
    let mut msg = freed.message(100);
    let mut copies = [Msg::new(), Msg::new()];
    for copy in &mut copies {
        copy.copy_from(&mut msg).expect("copy");
    }
    drop(msg);
    assert_eq!(freed.count(), 0);
    let [first, mut second] = copies;
    drop(first);
    assert_eq!(freed.count(), 0);
    assert_eq!(second.bytes(), [6; 100]);
    drop(second);
    assert_eq!(freed.count(), 1);
}

#[test]
fn moving_does_not_free_given_data() {
    let freed = Freed::new();
    let mut msg = freed.message(100);
    let mut dest = Msg::new();
    dest.move_from(&mut msg).expect("move");
    drop(msg);
    assert_eq!(freed.count(), 0);
    drop(dest);
    assert_eq!(freed.count(), 1);
}

/// Copying or moving over a message frees what it held.
#[test]
fn overwriting_frees_given_data() {
    let freed = Freed::new();
    let mut msg = freed.message(100);
    msg.copy_from(&mut Msg::with(b"x")).expect("copy");
    assert_eq!(freed.count(), 1);
    let mut msg = freed.message(100);
    msg.move_from(&mut Msg::with(b"x")).expect("move");
    assert_eq!(freed.count(), 2);
}

on_transports! {
    /// Sent data is freed once, after the last reader is done with it.
    fn sent_data_is_freed_once(transport) {
        for size in [10, 100, 100_000] {
            let freed = Freed::new();
            let ctx = Ctx::new();
            let (push, pull) = pipe(&ctx, transport);
            let mut msg = freed.message(size);
            msg.send(&push, 0).expect("send");
            assert_eq!(pull.recv().expect("recv"), vec![6; size]);
            freed.wait_for(1);
        }
    }
}

/// Data that is published to many is freed once.
#[test]
fn published_data_is_freed_once() {
    let freed = Freed::new();
    let ctx = Ctx::new();
    let publisher = ctx.socket(XPUB);
    publisher.set(XPUB_VERBOSE, 1).expect("XPUB_VERBOSE");
    let endpoints = [Transport::Inproc, Transport::Ipc, Transport::Tcp]
        .map(|transport| publisher.bind_to(transport));
    let subscribers = endpoints.map(|endpoint| {
        let subscriber = ctx.socket(SUB);
        subscriber.subscribe("");
        subscriber.connect(&endpoint).expect("connect");
        publisher.expect("\x01");
        subscriber
    });
    freed.message(5000).send(&publisher, 0).expect("send");
    for subscriber in &subscribers {
        assert_eq!(subscriber.recv().expect("recv"), [6; 5000]);
    }
    freed.wait_for(1);
}

/// What a publisher drops is freed.
#[test]
fn dropped_data_is_freed() {
    let freed = Freed::new();
    let ctx = Ctx::new();
    let publisher = ctx.socket(PUB);
    freed.message(100).send(&publisher, 0).expect("send");
    assert_eq!(freed.count(), 1);
}

/// What was never delivered is freed when the context ends.
#[test]
fn undelivered_data_is_freed() {
    let freed = Freed::new();
    let ctx = Ctx::new();
    {
        let push = ctx.socket(PUSH);
        push.connect(&Transport::Ipc.endpoint()).expect("connect");
        let (waiting, _pull) = pipe(&ctx, Transport::Inproc);
        for _ in 0..3 {
            freed.message(100).send(&push, 0).expect("send");
            freed.message(100).send(&waiting, 0).expect("send");
        }
    }
    ctx.term().expect("term");
    freed.wait_for(6);
}

/// zmq_msg_init_data(3): without a free function the data is left alone.
#[test]
fn data_without_a_free_function_is_left_alone() {
    static DATA: LazyLock<Vec<u8>> = LazyLock::new(|| vec![8; 300]);
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    let data = DATA.as_ptr().cast_mut().cast();
    let mut msg = Msg::from_data(data, DATA.len(), None, std::ptr::null_mut());
    msg.send(&push, 0).expect("send");
    assert_eq!(pull.recv().expect("recv"), *DATA);
}

/// A message may be sent to several sockets by copying it.
#[test]
fn copies_can_be_sent_apart() {
    let ctx = Ctx::new();
    let pipes = [pipe(&ctx, Transport::Inproc), pipe(&ctx, Transport::Tcp)];
    let mut msg = Msg::with(&[2; 3000]);
    for (push, _) in &pipes {
        let mut copy = Msg::new();
        copy.copy_from(&mut msg).expect("copy");
        copy.send(push, 0).expect("send");
    }
    for (_, pull) in &pipes {
        assert_eq!(pull.recv().expect("recv"), [2; 3000]);
    }
    assert_eq!(msg.bytes(), [2; 3000]);
}

/// Sends a message over given data that is refused with an error, and closes it.
#[track_caller]
fn refused(freed: &Freed, socket: &Sock, flags: i32, error: Errno) {
    for size in [0, 1, 100, 100_000] {
        let before = freed.count();
        let mut message = freed.message(size);
        assert_eq!(message.send(socket, flags), Err(error));
        assert_eq!(freed.count(), before, "a message that was not sent is the caller's");
        assert_eq!(message.bytes(), vec![6; size]);
        message.close().expect("close");
        assert_eq!(freed.count(), before + 1);
    }
}

/// Whatever a send fails with, the data is freed once, when the message is closed.
#[test]
fn data_that_was_refused_is_freed_once() {
    let freed = Freed::new();
    let ctx = Ctx::new();
    refused(&freed, &ctx.socket(PUSH), DONTWAIT, EAGAIN);
    refused(&freed, &ctx.socket(PULL), 0, ENOTSUP);
    refused(&freed, &ctx.socket(SUB), 0, ENOTSUP);
    refused(&freed, &ctx.socket(REP), 0, EFSM);
    let router = ctx.socket(ROUTER);
    router.set(ROUTER_MANDATORY, 1).expect("ROUTER_MANDATORY");
    refused(&freed, &router, SNDMORE, EHOSTUNREACH);
    let impatient = ctx.socket(DEALER);
    impatient.set(SNDTIMEO, 1).expect("SNDTIMEO");
    refused(&freed, &impatient, 0, EAGAIN);
    let mut message = freed.message(100);
    let before = freed.count();
    assert_eq!(
        Lib::check(lib().zmq_msg_send(message.ptr(), std::ptr::null_mut(), 0)),
        Err(ENOTSOCK)
    );
    assert_eq!(freed.count(), before);
    drop(message);
    assert_eq!(freed.count(), before + 1);
    ctx.shutdown().expect("shutdown");
    refused(&freed, &router, SNDMORE, ETERM);
}

/// Receiving into a message that holds data frees it, also when the call fails, or not at all.
#[test]
fn data_in_the_way_of_a_receive_is_freed_once() {
    let freed = Freed::new();
    let ctx = Ctx::new();
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    let mut message = freed.message(100);
    assert_eq!(message.recv(&pull, DONTWAIT), Err(EAGAIN));
    push.send("x").expect("send");
    message.recv(&pull, 0).expect("recv");
    assert_eq!(message.bytes(), b"x");
    assert_eq!(freed.count(), 1);
}

/// Messages that nobody is there for, that are too many, and that were cut off in the middle.
#[test]
fn data_that_goes_nowhere_is_freed_once() {
    let freed = Freed::new();
    let ctx = Ctx::new();
    let router = ctx.socket(ROUTER);
    router.send_flags("nobody", SNDMORE).expect("send");
    freed.message(100).send(&router, SNDMORE).expect("send");
    freed.message(100).send(&router, 0).expect("send");
    freed.wait_for(2);
    // A publisher drops what a subscriber has no room for.
    let publisher = ctx.socket(PUB);
    publisher.set(SNDHWM, 1).expect("SNDHWM");
    let subscriber = ctx.socket(SUB);
    subscriber.set(RCVHWM, 1).expect("RCVHWM");
    subscriber.subscribe("");
    subscriber.connect(&publisher.bind_to(Transport::Inproc)).expect("connect");
    Sock::until(|| {
        publisher.send("hello").expect("send");
        subscriber.try_recv().ok()
    });
    for _ in 0..50 {
        freed.message(100).send(&publisher, 0).expect("send");
    }
    subscriber.drain();
    freed.wait_for(52);
    // The first part of a message whose second never comes.
    let (push, pull) = pipe(&ctx, Transport::Inproc);
    freed.message(100).send(&push, SNDMORE).expect("send");
    drop((push, pull));
    freed.wait_for(53);
}

/// Data on its way through a connection that is reset.
#[test]
fn data_that_goes_with_a_connection_is_freed_once() {
    let freed = Freed::new();
    let ctx = Ctx::new();
    let push = ctx.socket(PUSH);
    let endpoint = push.bind_to(Transport::Tcp);
    {
        let peer = crate::peer::shaken(&endpoint, "PULL");
        push.await_writable();
        push.set(SNDTIMEO, 100).expect("SNDTIMEO");
        let mut sent = 0;
        while sent < 300 && freed.message(100_000).send(&push, 0).is_ok() {
            sent += 1;
        }
        drop(peer);
    }
    // Also what was refused at the end, if it was, went with its message. (The reference looks
    // after its connections in calls only.)
    let total = freed.made();
    Sock::until(|| {
        push.poll(POLLOUT, 0);
        (freed.count() == total).then_some(())
    });
}

/// ZMQ_METADATA: properties of one's own, which the peer finds on every message. The first value
/// of a name counts.
#[test]
fn metadata_of_ones_own_reaches_the_peer() {
    for transport in [Transport::Tcp, Transport::Ipc] {
        let ctx = Ctx::new();
        let [server, client] = [DEALER; 2].map(|kind| ctx.socket(kind));
        for property in ["X-hello:world", "X-more:a:b", "X-hello:again", "X-end:1\0"] {
            server.set_bytes(METADATA, property.as_bytes()).expect("METADATA");
        }
        client.connect(&server.bind_to(transport)).expect("connect");
        server.send("from the server").expect("send");
        client.send("from the client").expect("send");
        let mut message = Msg::new();
        message.recv(&client, 0).expect("recv");
        assert_eq!(message.gets("X-hello").as_deref(), Ok("world"));
        assert_eq!(message.gets("X-more").as_deref(), Ok("a:b"));
        assert_eq!(message.gets("X-end").as_deref(), Ok("1"));
        assert_eq!(message.gets("X-other"), Err(EINVAL));
        message.recv(&server, 0).expect("recv");
        assert_eq!(message.gets("X-hello"), Err(EINVAL), "it is the other's");
    }
}

#[test]
fn metadata_is_a_name_and_a_value() {
    let ctx = Ctx::new();
    let socket = ctx.plain_socket(PUSH);
    for wrong in ["", "X-name", "X-name:", "name:value", "x-name:value", ":"] {
        assert_eq!(socket.set_bytes(METADATA, wrong.as_bytes()), Err(EINVAL), "{wrong:?}");
    }
    assert_eq!(socket.get_bytes(METADATA), Err(EINVAL));
}

/// ZMQ_SRCFD: the descriptor that a message came through, open in this process.
#[test]
fn a_message_knows_the_descriptor_that_it_came_through() {
    for transport in [Transport::Tcp, Transport::Ipc] {
        let ctx = Ctx::new();
        let (push, pull) = pipe(&ctx, transport);
        push.send("x").expect("send");
        let mut message = Msg::new();
        message.recv(&pull, 0).expect("recv");
        let fd = message.get(SRCFD).expect("SRCFD");
        // SAFETY: it only asks for flags.
        assert!(fd > 2 && unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0, "{fd}");
    }
}
