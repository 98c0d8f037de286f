//! A party whose socket is of the crate `zeromq`.

use aught_interop_peers::{Arguments, Failure, Link, Parts, act, conclude, say};
use std::collections::VecDeque;
use std::time::Duration;
use zeromq::prelude::*;
use zeromq::{
    DealerSocket, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket, SubSocket,
    ZmqError, ZmqMessage,
};

/// The crate has a type per kind of socket.
enum ZeroMq {
    Req(ReqSocket),
    Rep(RepSocket),
    Dealer(DealerSocket),
    Router(RouterSocket),
    Push(PushSocket),
    Pull(PullSocket),
    Pub(PubSocket),
    Sub(SubSocket),
}

impl Link for ZeroMq {
    async fn send(&mut self, message: Parts) -> Result<(), Failure> {
        let frames: VecDeque<_> = message.into_iter().map(Into::into).collect();
        let mut message = ZmqMessage::try_from(frames).map_err(|_| "an empty message")?;
        loop {
            let sent = match self {
                Self::Req(socket) => socket.send(message).await,
                Self::Rep(socket) => socket.send(message).await,
                Self::Dealer(socket) => socket.send(message).await,
                Self::Router(socket) => socket.send(message).await,
                Self::Push(socket) => socket.send(message).await,
                Self::Pub(socket) => socket.send(message).await,
                Self::Pull(_) | Self::Sub(_) => return Err("this socket only receives".into()),
            };
            match sent {
                // This crate does not wait for a peer.
                Err(ZmqError::ReturnToSender { message: returned, .. }) => message = returned,
                sent => return Ok(sent?),
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn receive(&mut self) -> Result<Parts, Failure> {
        let message = match self {
            Self::Req(socket) => socket.recv().await?,
            Self::Rep(socket) => socket.recv().await?,
            Self::Dealer(socket) => socket.recv().await?,
            Self::Router(socket) => socket.recv().await?,
            Self::Pull(socket) => socket.recv().await?,
            Self::Sub(socket) => socket.recv().await?,
            Self::Push(_) | Self::Pub(_) => return Err("this socket only sends".into()),
        };
        Ok(message.iter().map(|frame| frame.to_vec()).collect())
    }
}

async fn open<S: Socket>(arguments: &Arguments) -> Result<S, Failure> {
    let mut socket = S::new();
    if arguments.bind {
        socket.bind(&arguments.endpoint).await?;
        say("BOUND");
    } else {
        socket.connect(&arguments.endpoint).await?;
    }
    Ok(socket)
}

async fn run() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    let mut link = match arguments.kind.as_str() {
        "REQ" => ZeroMq::Req(open(&arguments).await?),
        "REP" => ZeroMq::Rep(open(&arguments).await?),
        "DEALER" => ZeroMq::Dealer(open(&arguments).await?),
        "ROUTER" => ZeroMq::Router(open(&arguments).await?),
        "PUSH" => ZeroMq::Push(open(&arguments).await?),
        "PULL" => ZeroMq::Pull(open(&arguments).await?),
        "PUB" => ZeroMq::Pub(open(&arguments).await?),
        "SUB" => {
            let mut socket: SubSocket = open(&arguments).await?;
            socket.subscribe("A").await?;
            ZeroMq::Sub(socket)
        }
        other => return Err(format!("not tested with this crate: {other}").into()),
    };
    act(&arguments, &mut link).await
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    conclude(run().await)
}
