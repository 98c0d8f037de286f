//! A client that says "Hello" and prints the reply (REQ).
//!
//! `cargo run -p aught --example hello_client [ENDPOINT]`

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use aught::Context;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = std::env::args().nth(1).unwrap_or_else(|| "tcp://127.0.0.1:5555".to_owned());
    let context = Context::new()?;
    let socket = context.req()?;
    socket.connect(&endpoint)?;
    for _ in 0..10 {
        socket.send("Hello")?;
        println!("{}", socket.recv()?.text());
    }
    Ok(())
}
