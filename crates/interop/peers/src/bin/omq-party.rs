//! A party whose socket is of the crate `omq-tokio`.

use aught_interop_peers::{Arguments, Failure, Link, Parts, Security, act, conclude, say};
use omq_tokio::{
    CurveKeypair, CurvePublicKey, CurveSecretKey, CurveServerOptions, Message, Options, Socket,
    SocketType,
};
use std::time::Duration;

struct Omq(Socket);

impl Link for Omq {
    async fn send(&mut self, message: Parts) -> Result<(), Failure> {
        self.0.send(Message::multipart(message)).await?;
        Ok(())
    }

    async fn receive(&mut self) -> Result<Parts, Failure> {
        let message = self.0.recv().await?;
        let parts = (0..message.len()).map(|i| message.get(i).unwrap_or_default().to_vec());
        Ok(parts.collect())
    }
}

fn options(security: &Security) -> Result<Options, Failure> {
    let mut options = Options::default();
    if security.handshake_ms > 0 {
        options = options.handshake_timeout(Duration::from_millis(security.handshake_ms));
    }
    if security.heartbeat_ms > 0 {
        options = options
            .heartbeat_interval(Duration::from_millis(security.heartbeat_ms))
            .heartbeat_timeout(Duration::from_secs(10));
    }
    Ok(match (security.mechanism.as_str(), security.serves) {
        ("plain", true) => options.plain_server_credentials([security.allowed()?]),
        ("plain", false) => options.plain_client(&security.username, &security.password),
        ("curve", serves) => {
            let secret = CurveSecretKey::from_z85(&security.secret_key)?;
            let keys = CurveKeypair { public: secret.derive_public(), secret };
            if serves {
                let allowed = CurvePublicKey::from_z85(&security.allow)?;
                let admission = CurveServerOptions::new()
                    .authenticator(move |client| client.public_key == *allowed.as_bytes());
                options.curve_server_with_options(keys, admission)
            } else {
                options.curve_client(keys, CurvePublicKey::from_z85(&security.server_key)?)
            }
        }
        _ => options,
    })
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
        other => return Err(format!("not tested with this crate: {other}").into()),
    };
    let socket = Socket::new(kind, options(&arguments.security)?);
    if kind == SocketType::Sub {
        socket.subscribe(&b"A"[..]).await?;
    }
    if arguments.bind {
        socket.bind(arguments.endpoint.as_str()).await?;
        say("BOUND");
    } else {
        socket.connect(arguments.endpoint.as_str()).await?;
    }
    act(&arguments, &mut Omq(socket)).await
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    conclude(run().await)
}
