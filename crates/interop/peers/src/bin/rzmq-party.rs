//! A party whose socket is of the crate `rzmq`.

use aught_interop_peers::{Arguments, Failure, Link, Parts, Security, act, conclude, say};
use rzmq::socket::options::{
    AUTO_DELIMITER, CURVE_SECRET_KEY, CURVE_SERVER, CURVE_SERVER_KEY, HANDSHAKE_IVL, HEARTBEAT_IVL,
    HEARTBEAT_TIMEOUT, PLAIN_PASSWORD, PLAIN_SERVER, PLAIN_USERNAME, RCVHWM, SNDHWM, SUBSCRIBE,
};
use rzmq::{Context, Msg, MsgFlags, Socket, SocketType};
use std::time::Duration;

struct Rzmq(Socket, SocketType);

impl Link for Rzmq {
    async fn send(&mut self, message: Parts) -> Result<(), Failure> {
        let last = message.len() - 1;
        let frames = message.into_iter().enumerate().map(|(i, part)| {
            let mut frame = Msg::from_vec(part);
            if i < last {
                frame.set_flags(MsgFlags::MORE);
            }
            frame
        });
        let mut frames: Vec<Msg> = frames.collect();
        match frames.pop() {
            Some(only) if frames.is_empty() => self.0.send(only).await?,
            Some(last) => {
                frames.push(last);
                self.0.send_multipart(frames).await?;
            }
            None => {}
        }
        if self.1 == SocketType::Push {
            // rzmq 0.5.28 lets later messages overtake a large one that waits for the kernel, with
            // any peer. What is tested here is the other side.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<Parts, Failure> {
        let frames = self.0.recv_multipart().await?;
        Ok(frames.iter().map(|frame| frame.data().unwrap_or_default().to_vec()).collect())
    }
}

async fn secure(socket: &Socket, security: &Security) -> Result<(), Failure> {
    if security.handshake_ms > 0 {
        socket.set_option(HANDSHAKE_IVL, i32::try_from(security.handshake_ms)?).await?;
    }
    if security.heartbeat_ms > 0 {
        socket.set_option(HEARTBEAT_IVL, i32::try_from(security.heartbeat_ms)?).await?;
        socket.set_option(HEARTBEAT_TIMEOUT, 10_000).await?;
    }
    match (security.mechanism.as_str(), security.serves) {
        ("plain", serves) => {
            let (username, password) = if serves {
                socket.set_option(PLAIN_SERVER, true).await?;
                security.allowed()?
            } else {
                (security.username.as_str(), security.password.as_str())
            };
            socket.set_option(PLAIN_USERNAME, username).await?;
            socket.set_option(PLAIN_PASSWORD, password).await?;
        }
        // This crate's CURVE server lets every client in.
        ("curve", serves) => {
            socket.set_option(CURVE_SECRET_KEY, security.secret_key.as_str()).await?;
            if serves {
                socket.set_option(CURVE_SERVER, true).await?;
            } else {
                socket.set_option(CURVE_SERVER_KEY, security.server_key.as_str()).await?;
            }
        }
        _ => {}
    }
    Ok(())
}

async fn run() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    let kind = match arguments.kind.as_str() {
        "REQ" => SocketType::Req,
        "REP" => SocketType::Rep,
        "DEALER" => SocketType::Dealer,
        "ROUTER" => SocketType::Router,
        "PUSH" => SocketType::Push,
        "PULL" => SocketType::Pull,
        "PUB" => SocketType::Pub,
        "SUB" => SocketType::Sub,
        other => return Err(format!("not of this crate: {other}").into()),
    };
    let context = Context::new()?;
    let socket = context.socket(kind)?;
    socket.set_option(SNDHWM, 100_000).await?;
    socket.set_option(RCVHWM, 100_000).await?;
    if matches!(kind, SocketType::Dealer | SocketType::Router) {
        // By default this crate adds delimiters that RFC 28 leaves to the application.
        socket.set_option(AUTO_DELIMITER, 0).await?;
    }
    if kind == SocketType::Sub {
        socket.set_option_raw(SUBSCRIBE, b"A").await?;
    }
    secure(&socket, &arguments.security).await?;
    if arguments.bind {
        socket.bind(&arguments.endpoint).await?;
        say("BOUND");
    } else {
        socket.connect(&arguments.endpoint).await?;
    }
    act(&arguments, &mut Rzmq(socket, kind)).await
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    conclude(run().await)
}
