//! The arguments of all commands, as `aught --help` shows them. What the commands do with them is
//! in `cmd`.

use std::path::PathBuf;
use std::time::Duration;

use aught::curve::PublicKey;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::cmd::demo::RoleArgs;

/// ZeroMQ from a shell.
#[derive(Debug, Parser)]
#[command(name = "aught", version, about, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the messaging patterns with real processes and threads, count every message, and
    /// print rates and round-trip times. Fails if a message is missing.
    Demo(DemoArgs),
    /// Print the version.
    Version,
    /// Send messages to PULL sockets, dealing them out in turn.
    Push(SendArgs),
    /// Print the messages of PUSH sockets.
    Pull(ReceiveArgs),
    /// Publish messages to SUB sockets, once somebody has subscribed.
    Pub(PublishArgs),
    /// Print the messages of PUB sockets.
    Sub(SubscribeArgs),
    /// Send requests to REP sockets and print the replies.
    Req(SendArgs),
    /// Answer requests of REQ sockets and print them.
    Rep(ReplyArgs),
    /// Make keys for CURVE, write them to files that czmq and pyzmq read too, and read such files.
    Keygen(KeygenArgs),
    /// Find out what somebody without a key or a password can do at an endpoint. Exit status: 0
    /// if nothing, 1 if the endpoint is open, 2 if that cannot be found out.
    Audit(AuditArgs),
    /// One participant of the demo.
    #[command(hide = true)]
    DemoRole(RoleArgs),
}

/// What the demo runs.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct DemoArgs {
    /// A tenth of the messages.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only this transport; can be given more than once. Default: all.
    #[arg(long)]
    pub(crate) transport: Vec<Transport>,
    /// Give each pattern this many seconds, then kill its processes.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30")]
    pub(crate) time_limit: Duration,
}

/// How the demo's participants talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    /// Processes over TCP on the loopback interface.
    Tcp,
    /// Processes over local sockets.
    Ipc,
    /// Threads of one process.
    Inproc,
}

impl Transport {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Ipc => "ipc",
            Self::Inproc => "inproc",
        }
    }
}

/// Where a command's socket is.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Ends {
    /// Endpoints, for example tcp://127.0.0.1:5555, ipc:///tmp/feed.
    #[arg(required = true, value_name = "ENDPOINT")]
    pub(crate) endpoints: Vec<String>,
    /// Bind to the endpoints. Default for pull, pub and rep.
    #[arg(long, conflicts_with = "connect")]
    pub(crate) bind: bool,
    /// Connect to the endpoints. Default for push, sub and req.
    #[arg(long)]
    pub(crate) connect: bool,
    /// Fail when a step takes longer than this many seconds. Default: wait for ever.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
}

/// Where messages to be sent come from.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct SendArgs {
    #[command(flatten)]
    pub(crate) ends: Ends,
    /// A message; can be given more than once. Default: each line of the standard input is one.
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) message: Vec<String>,
    /// What separates the parts of a message. Default: a tab.
    #[arg(long, value_name = "TEXT", default_value = "\t")]
    pub(crate) separator: String,
}

/// How messages that arrive are printed.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ReceiveArgs {
    #[command(flatten)]
    pub(crate) ends: Ends,
    /// Stop after this many messages. Default: never.
    #[arg(short = 'n', long, value_name = "MESSAGES")]
    pub(crate) count: Option<u64>,
    /// What separates the parts of a message. Default: a tab.
    #[arg(long, value_name = "TEXT", default_value = "\t")]
    pub(crate) separator: String,
}

/// What is published.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct PublishArgs {
    #[command(flatten)]
    pub(crate) send: SendArgs,
    /// Wait for this many subscriptions first. What is published before is lost.
    #[arg(long, value_name = "SUBSCRIPTIONS", default_value_t = 1)]
    pub(crate) wait: u64,
}

/// What is subscribed to.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct SubscribeArgs {
    #[command(flatten)]
    pub(crate) receive: ReceiveArgs,
    /// Only messages that begin with this; can be given more than once. Default: all.
    #[arg(short, long, value_name = "PREFIX")]
    pub(crate) topic: Vec<String>,
}

/// What is answered.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ReplyArgs {
    #[command(flatten)]
    pub(crate) receive: ReceiveArgs,
    /// The reply. Default: the request.
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
}

/// Which keys, and where.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct KeygenArgs {
    /// Write NAME.key with the public key, and NAME.key_secret with both.
    #[arg(value_name = "NAME", conflicts_with = "read")]
    pub(crate) name: Option<PathBuf>,
    /// Replace files that are there.
    #[arg(long, requires = "name")]
    pub(crate) force: bool,
    /// Something to be said of the keys in the files; can be given more than once.
    #[arg(long, value_name = "NAME=VALUE", requires = "name")]
    pub(crate) metadata: Vec<String>,
    /// Instead of making keys, print what is in a file: the public key follows from a secret one.
    #[arg(long, value_name = "FILE", conflicts_with = "secret")]
    pub(crate) read: Option<PathBuf>,
    /// Take the secret key of this file, a certificate or 40 characters, and derive the public
    /// one. "-" is the standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret: Option<PathBuf>,
    /// Print the secret key, too.
    #[arg(long)]
    pub(crate) show_secret: bool,
}

/// What is looked at.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct AuditArgs {
    /// tcp://host:port, ipc://path or ipc://@name.
    #[arg(value_name = "ENDPOINT")]
    pub(crate) endpoint: String,
    /// How many seconds the peer may take for each step.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5")]
    pub(crate) timeout: Duration,
    /// Finish no handshake that can be done without. Otherwise the audit becomes a peer for a
    /// moment with each type that fits; a socket that deals out messages may give it some, which
    /// are lost.
    #[arg(long)]
    pub(crate) passive: bool,
    /// Send an empty message where the socket takes some, and see whether it is accepted.
    #[arg(long, conflicts_with = "passive")]
    pub(crate) send: bool,
    /// The public key of a CURVE server, 40 characters: tries a client key that nobody knows.
    #[arg(long, value_name = "KEY", value_parser = public_key, allow_hyphen_values = true)]
    pub(crate) server_key: Option<PublicKey>,
}

/// Reads a public key in Z85.
fn public_key(text: &str) -> Result<PublicKey, String> {
    PublicKey::from_z85(text).ok_or_else(|| "a public key of 40 characters".to_owned())
}

/// Reads a number of seconds, fractions allowed.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn seconds_take_fractions_and_refuse_nonsense() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        assert!(seconds("-1").is_err());
        assert!(seconds("soon").is_err());
    }
}
