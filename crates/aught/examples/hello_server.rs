//! A server that says "World" to everybody who says "Hello" (REP).
//!
//! `cargo run -p aught --example hello_server [ENDPOINT]`

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use aught::Context;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = std::env::args().nth(1).unwrap_or_else(|| "tcp://127.0.0.1:5555".to_owned());
    let context = Context::new()?;
    let socket = context.rep()?;
    socket.bind(&endpoint)?;
    println!("listening at {}", socket.last_endpoint()?);
    loop {
        let request = socket.recv()?;
        println!("received {}", request.text());
        socket.send("World")?;
    }
}
