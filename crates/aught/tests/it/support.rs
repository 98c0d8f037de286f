//! What the tests share: transports, endpoints, deadlines, threads that are waited for.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use aught::{Error, Message, Pub, Socket, Sub};

/// When what has to happen counts as never happening.
pub(crate) const SOON: Duration = Duration::from_secs(30);
/// How long to look for what must not happen.
pub(crate) const BRIEF: Duration = Duration::from_millis(100);

/// The wildcard endpoints of all transports.
pub(crate) const EVERYWHERE: [&str; 3] = ["tcp://127.0.0.1:*", "ipc://*", "inproc://here"];

/// A directory of a test's own, for local sockets with a path that lasts.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("aught-it-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("a directory of our own");
        Self(path)
    }

    /// A wildcard endpoint, or one with a path in here instead of `ipc://*`: that path goes when
    /// it is unbound, and its directory with it.
    pub(crate) fn endpoint(&self, place: &str) -> String {
        place.replace("ipc://*", &format!("ipc://{}/socket", self.0.display()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // at worst it is left behind
    }
}

/// Binds, and says where.
pub(crate) fn bind(socket: impl AsRef<Socket>, endpoint: &str) -> String {
    let socket = socket.as_ref();
    socket.bind(endpoint).expect("the endpoint is free");
    socket.last_endpoint().expect("it has an endpoint")
}

/// Receives what has to come.
pub(crate) fn recv(socket: impl AsRef<Socket>) -> Message {
    socket.as_ref().recv_timeout(SOON).expect("a message comes")
}

/// Makes sure that nothing comes.
pub(crate) fn nothing(socket: impl AsRef<Socket>) {
    match socket.as_ref().recv_timeout(BRIEF) {
        Err(Error::WouldBlock) => {}
        other => panic!("nothing should come: {other:?}"),
    }
}

/// The parts of a message as text.
pub(crate) fn texts(message: &Message) -> Vec<String> {
    message.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

/// Publishes until the subscriber has its connection and subscription in place. What is published
/// then has to arrive.
pub(crate) fn join(publisher: &Pub, subscriber: &Sub, topic: &str) {
    let hello = format!("{topic}-hello");
    let begun = std::time::Instant::now();
    loop {
        assert!(begun.elapsed() < SOON, "the subscriber never joined");
        publisher.send(hello.as_str()).expect("a publisher never waits");
        if subscriber.as_ref().recv_timeout(Duration::from_millis(10)).is_ok() {
            break;
        }
    }
    // Whatever hellos are still on the way come before this.
    let marker = format!("{topic}-marker");
    publisher.send(marker.as_str()).expect("a publisher never waits");
    while recv(subscriber) != marker.as_str() {}
}

/// Does something on a thread of its own.
pub(crate) struct Elsewhere<T>(mpsc::Receiver<T>);

impl<T: Send + 'static> Elsewhere<T> {
    pub(crate) fn start(work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (done, result) = mpsc::channel();
        std::thread::spawn(move || {
            // The test may have failed and gone.
            let _ = done.send(work());
        });
        Self(result)
    }

    /// What came of it, which has to come.
    pub(crate) fn result(self) -> T {
        self.0.recv_timeout(SOON).expect("the thread ends in time")
    }

    /// Whether it goes on for a while.
    pub(crate) fn goes_on(&self) -> bool {
        self.0.recv_timeout(BRIEF).is_err()
    }
}
