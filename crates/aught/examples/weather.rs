//! A publisher of weather reports and a subscriber that only wants one place (PUB, SUB). The
//! topic is the first part of each message.
//!
//! `cargo run -p aught --example weather`

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::thread;

use aught::{Context, Message};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let context = Context::new()?;
    // An XPUB is a PUB that sees who subscribes.
    let publisher = context.xpub()?;
    publisher.bind("tcp://127.0.0.1:*")?;
    let endpoint = publisher.last_endpoint()?;

    let subscriber = context.subscriber()?;
    let reader = thread::spawn(move || -> Result<(), aught::Error> {
        subscriber.subscribe("oslo")?;
        subscriber.connect(&endpoint)?;
        for _ in 0..5 {
            let report = subscriber.recv()?;
            println!("{}: {}", report.text(), String::from_utf8_lossy(report.last()));
        }
        Ok(())
    });

    // What is published before the subscription is there is lost: wait for it.
    publisher.recv()?;
    for number in 0..5 {
        for place in ["lima", "oslo", "pune"] {
            publisher.send(Message::from(place).with(format!("{} degrees", 10 + number)))?;
        }
    }
    reader.join().map_err(|_| "the reader panicked")??;
    Ok(())
}
