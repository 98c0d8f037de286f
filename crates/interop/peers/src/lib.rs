//! What the parties written with other crates have in common: the arguments, the messages and the
//! acts of the contract in `../../c/party.c`. The sockets are in `bin/`.

use std::future::Future;
use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A message: its parts.
pub type Parts = Vec<Vec<u8>>;

/// Whatever a socket of some crate can go wrong with.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A socket of one of the crates.
pub trait Link {
    /// Sends one message.
    fn send(&mut self, message: Parts) -> impl Future<Output = Result<(), Failure>>;
    /// Waits for one message.
    fn receive(&mut self) -> impl Future<Output = Result<Parts, Failure>>;
}

/// The command line.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// REQ, PUB and so on.
    pub kind: String,
    /// Whether to bind; to connect otherwise.
    pub bind: bool,
    /// Where.
    pub endpoint: String,
    act: String,
    count: u64,
    rounds: u64,
    gap_ms: u64,
    parts: usize,
    topics: bool,
    /// The mechanism and who may come in.
    pub security: Security,
}

/// How the connection is secured, as in `../../c/security.c`.
#[derive(Clone, Debug, Default)]
pub struct Security {
    /// `plain` or `curve`; empty for NULL.
    pub mechanism: String,
    /// Whether this side is the security server.
    pub serves: bool,
    /// The name of a PLAIN client.
    pub username: String,
    /// The password of a PLAIN client.
    pub password: String,
    /// The own secret key in Z85.
    pub secret_key: String,
    /// The server's public key in Z85, at a client.
    pub server_key: String,
    /// Who may come in, at a server: `name:password`, or the public key of a client.
    pub allow: String,
    /// How long a handshake may take, in milliseconds; 0 for what the crate likes.
    pub handshake_ms: u64,
    /// The interval of heartbeats in milliseconds, 0 for none.
    pub heartbeat_ms: u64,
}

impl Security {
    /// The name and the password that a PLAIN server lets in.
    ///
    /// # Errors
    /// When the driver gave none.
    pub fn allowed(&self) -> Result<(&str, &str), Failure> {
        Ok(self.allow.split_once(':').ok_or("allow is not name:password")?)
    }
}

impl Arguments {
    /// Reads the command line.
    ///
    /// # Errors
    /// When an argument is missing or no number.
    pub fn read() -> Result<Self, Failure> {
        let mut words = std::env::args().skip(1);
        let mut next = || words.next().ok_or("usage: TYPE bind|connect ENDPOINT KEY=VALUE...");
        let mut arguments = Self {
            kind: next()?,
            bind: next()? == "bind",
            endpoint: next()?,
            act: "answer".into(),
            count: 100,
            rounds: 1,
            gap_ms: 0,
            parts: 1,
            topics: false,
            security: Security::default(),
        };
        let security = &mut arguments.security;
        for word in words {
            match word.split_once('=').ok_or("not KEY=VALUE")? {
                ("act", act) => arguments.act = act.into(),
                ("count", count) => arguments.count = count.parse()?,
                ("rounds", rounds) => arguments.rounds = rounds.parse()?,
                ("gap_ms", gap_ms) => arguments.gap_ms = gap_ms.parse()?,
                ("parts", parts) => arguments.parts = parts.parse()?,
                ("topics", topics) => arguments.topics = topics == "1",
                ("mechanism", mechanism) => security.mechanism = mechanism.into(),
                ("serves", serves) => security.serves = serves == "1",
                ("username", username) => security.username = username.into(),
                ("password", password) => security.password = password.into(),
                ("secret_key", key) => security.secret_key = key.into(),
                ("server_key", key) => security.server_key = key.into(),
                ("allow", allow) => security.allow = allow.into(),
                ("handshake_ms", handshake_ms) => security.handshake_ms = handshake_ms.parse()?,
                ("heartbeat_ms", heartbeat_ms) => security.heartbeat_ms = heartbeat_ms.parse()?,
                _ => {}
            }
        }
        Ok(arguments)
    }
}

/// Says a line to the driver.
pub fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // A driver that is gone ends this process through its standard input.
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

static TOLD: AtomicBool = AtomicBool::new(false);

/// Notes when the driver speaks, and ends the process when it goes.
fn listen() {
    std::thread::spawn(|| {
        for _line in std::io::stdin().lock().lines() {
            TOLD.store(true, Ordering::SeqCst);
        }
        std::process::exit(0);
    });
}

const SIZES: [usize; 8] = [1, 5, 254, 255, 256, 1000, 8192, 70_000];
const SYNC: &[u8] = b"A-sync";

impl Arguments {
    fn message(&self, number: u64) -> Parts {
        (0..self.parts).map(|part| self.part(number, part)).collect()
    }

    fn part(&self, number: u64, part: usize) -> Vec<u8> {
        let start = number as usize + part;
        let size = if part == 1 { 0 } else { SIZES[start % SIZES.len()] };
        let mut data: Vec<u8> = (start..start + size).map(|byte| byte as u8).collect();
        if self.topics && part == 0 {
            data[0] = if number % 2 == 0 { b'A' } else { b'B' };
        }
        data
    }

    fn verify(&self, number: u64, got: &Parts) -> Result<(), Failure> {
        let wanted = self.message(number);
        let sizes = |message: &Parts| message.iter().map(Vec::len).collect::<Vec<_>>();
        if sizes(got) != sizes(&wanted) {
            let (wanted, got) = (sizes(&wanted), sizes(got));
            return Err(format!("message {number}: sizes {wanted:?} became {got:?}").into());
        }
        if *got != wanted {
            return Err(format!("message {number}: other bytes").into());
        }
        Ok(())
    }
}

async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Acts until the driver goes.
///
/// # Errors
/// When the socket fails or a message is not the one that was expected.
pub async fn act(arguments: &Arguments, link: &mut impl Link) -> Result<(), Failure> {
    listen();
    let done = match arguments.act.as_str() {
        "send" => send(arguments, link).await?,
        "receive" => receive(arguments, link).await?,
        "ask" => ask(arguments, link).await?,
        "answer" => loop {
            let message = link.receive().await?;
            link.send(message).await?;
        },
        other => return Err(format!("unknown act: {other}").into()),
    };
    say(&format!("DONE {done}"));
    std::future::pending().await
}

async fn send(arguments: &Arguments, link: &mut impl Link) -> Result<u64, Failure> {
    while arguments.topics && !TOLD.load(Ordering::SeqCst) {
        link.send(vec![SYNC.to_vec()]).await?;
        pause(5).await;
    }
    for round in 0..arguments.rounds {
        for i in 0..arguments.count {
            link.send(arguments.message(round * arguments.count + i)).await?;
        }
        pause(arguments.gap_ms).await;
    }
    Ok(arguments.rounds * arguments.count)
}

async fn receive(arguments: &Arguments, link: &mut impl Link) -> Result<u64, Failure> {
    let (mut verified, mut synced) = (0, false);
    let step = if arguments.topics { 2 } else { 1 };
    for number in (0..arguments.rounds * arguments.count).step_by(step) {
        let message = loop {
            let message = link.receive().await?;
            if !arguments.topics || message != [SYNC] {
                break message;
            }
            if !synced {
                synced = true;
                say("SYNCED");
            }
        };
        arguments.verify(number, &message)?;
        verified += 1;
    }
    Ok(verified)
}

async fn ask(arguments: &Arguments, link: &mut impl Link) -> Result<u64, Failure> {
    for round in 0..arguments.rounds {
        for i in 0..arguments.count {
            let number = round * arguments.count + i;
            link.send(arguments.message(number)).await?;
            let answer = link.receive().await?;
            arguments.verify(number, &answer)?;
        }
        if round + 1 < arguments.rounds {
            pause(arguments.gap_ms).await;
        }
    }
    Ok(arguments.rounds * arguments.count)
}

/// Tells the driver what went wrong; the exit code.
pub fn conclude(outcome: Result<(), Failure>) -> std::process::ExitCode {
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("FAILED {failure}"));
            std::process::ExitCode::FAILURE
        }
    }
}
