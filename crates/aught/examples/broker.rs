//! A broker between clients and servers that come and go (ROUTER, DEALER and a proxy).
//!
//! `cargo run -p aught --example broker [CLIENTS' ENDPOINT [SERVERS' ENDPOINT]]`

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use aught::{Context, proxy};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut endpoints = std::env::args().skip(1);
    let mut next = |default: &str| endpoints.next().unwrap_or_else(|| default.to_owned());
    let context = Context::new()?;
    let clients = context.router()?.into_socket();
    clients.bind(&next("tcp://127.0.0.1:5559"))?;
    let servers = context.dealer()?.into_socket();
    servers.bind(&next("tcp://127.0.0.1:5560"))?;
    println!("clients: REQ to {}", clients.last_endpoint()?);
    println!("servers: REP, connecting to {}", servers.last_endpoint()?);
    Ok(proxy(&clients, &servers, None)?)
}
