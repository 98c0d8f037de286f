//! A ventilator that deals work out, three workers, and a sink (PUSH, PULL).
//!
//! `cargo run -p aught --example pipeline`

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::thread;

use aught::{Context, Error};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let context = Context::new()?;
    let ventilator = context.push()?;
    ventilator.bind("inproc://work")?;
    let sink = context.pull()?;
    sink.bind("inproc://results")?;

    let mut workers = Vec::new();
    for _ in 0..3 {
        let (work, results) = (context.pull()?, context.push()?);
        work.connect("inproc://work")?;
        results.connect("inproc://results")?;
        workers.push(thread::spawn(move || -> Result<u32, Error> {
            let mut done = 0;
            loop {
                let task = match work.recv() {
                    Err(Error::Terminated) => return Ok(done),
                    other => other?,
                };
                let number: u64 = task.text().parse().map_err(|_| Error::Invalid("a number"))?;
                results.send((number * number).to_string())?;
                done += 1;
            }
        }));
    }

    for number in 1..=100_u64 {
        ventilator.send(number.to_string())?;
    }
    let mut sum = 0;
    for _ in 1..=100 {
        sum += sink.recv()?.text().parse::<u64>()?;
    }
    println!("the squares of 1 to 100 add up to {sum}");

    context.shutdown(); // the workers hear of it as `Error::Terminated`
    for worker in workers {
        println!("a worker did {} tasks", worker.join().map_err(|_| "a worker panicked")??);
    }
    Ok(())
}
