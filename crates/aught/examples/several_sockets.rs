//! One thread that serves two sockets, and watches one of them (Poller, Monitor).
//!
//! `cargo run -p aught --example several_sockets`

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::time::Duration;

use aught::{Context, EventKind, Poller};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let context = Context::new()?;
    let tasks = context.pull()?;
    let mut monitor = tasks.as_socket().monitor()?;
    tasks.bind("tcp://127.0.0.1:*")?;
    let news = context.subscriber()?;
    news.subscribe("")?;
    news.bind("inproc://news")?;

    let worker = context.push()?;
    worker.connect(&tasks.last_endpoint()?)?;
    let reporter = context.publisher()?;
    reporter.connect("inproc://news")?;
    worker.send("a task")?;
    reporter.send("something happened")?;

    let mut poller = Poller::new();
    let tasks_index = poller.add(tasks.as_socket(), Poller::IN);
    let news_index = poller.add(news.as_socket(), Poller::IN);
    let mut open = 2;
    while open > 0 && poller.wait(Some(Duration::from_secs(10)))? > 0 {
        if poller.is_readable(tasks_index) {
            println!("task: {}", tasks.recv()?.text());
            open -= 1;
        }
        if poller.is_readable(news_index) {
            println!("news: {}", news.recv()?.text());
            open -= 1;
        }
    }

    loop {
        let event = monitor.next_timeout(Duration::from_secs(10))?;
        println!("{}: {:?}", event.endpoint, event.kind);
        if event.kind == EventKind::HandshakeSucceeded {
            return Ok(());
        }
    }
}
