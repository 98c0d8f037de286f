//! More subscriptions than anybody needs, to publishers whose owners do nothing.

use std::time::Instant;

use aught::SocketType;

use crate::PATIENCE;
use crate::alone::{alone, descriptors, resident, settle, tell};
use crate::honest::Honest;
use crate::stranger::{Stranger, frame};

const TOPICS: usize = 200_000;
const CHANGES: usize = 100_000;

/// What a topic may cost: its text and its place among the others, and its command on the way.
const ALLOWED: usize = 128 * 1024 * 1024;

fn subscriptions() -> Vec<u8> {
    let topics = (0..TOPICS).map(|number| frame(0, format!("\x01topic-{number}").as_bytes()));
    let changes = (0..CHANGES).map(|number| {
        let text = format!("{}change", if number % 2 == 0 { '\x01' } else { '\0' });
        frame(0, text.as_bytes())
    });
    topics.chain(changes).flatten().collect()
}

fn flood(kind: SocketType, place: &str) {
    let mut honest = Honest::new(kind, place);
    let bytes = subscriptions();
    let fds = descriptors();
    let before = resident();
    let mut most = before;
    let mut stranger = Stranger::shaken(&honest.endpoint, kind);
    let start = Instant::now();
    // The owner does nothing, until the stranger finds no more room.
    let mut written = stranger.write(&bytes);
    let idle = written;
    most = most.max(resident());
    let taken = std::thread::spawn(move || {
        while written < bytes.len() {
            assert!(start.elapsed() < PATIENCE, "only {written} bytes are taken");
            written += stranger.write(&bytes[written..]);
        }
        // All has been taken in when the socket hangs up.
        stranger.leave();
    });
    while !taken.is_finished() {
        honest.exchange();
        most = most.max(resident());
    }
    if let Err(panic) = taken.join() {
        std::panic::resume_unwind(panic);
    }
    honest.exchange();
    settle(fds);
    let growth = most - before;
    tell(&format!(
        "figures: flood {kind:?} {place}: {growth} bytes, {idle} written while idle, {:?}",
        start.elapsed()
    ));
    assert!(growth < ALLOWED, "{kind:?} {place}: memory grew by {growth} bytes");
}

#[test]
fn a_pub_withstands_a_flood_of_subscriptions() {
    alone("floods::a_pub_withstands_a_flood_of_subscriptions", || {
        flood(SocketType::Pub, "tcp://127.0.0.1:*");
        flood(SocketType::Pub, "ipc://*");
    });
}

#[test]
fn an_xpub_withstands_a_flood_of_subscriptions() {
    alone("floods::an_xpub_withstands_a_flood_of_subscriptions", || {
        flood(SocketType::Xpub, "tcp://127.0.0.1:*");
        flood(SocketType::Xpub, "ipc://*");
    });
}
