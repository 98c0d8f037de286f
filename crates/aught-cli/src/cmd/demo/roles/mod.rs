//! What the participants of the demo do, by pattern; here are their arguments and what they share.
//! How they are started is in `stage`.

mod pair;
mod pipeline;
mod proxies;
mod publish;
mod request_reply;
mod router;

use std::time::{Duration, Instant};

use aught::{Context, Error, Socket};
use clap::{Args, ValueEnum};

use super::note::Outcome;
use crate::cmd::Failure;

/// Who a participant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Role {
    Requester,
    Replier,
    Broker,
    Publisher,
    Subscriber,
    Forwarder,
    Ventilator,
    Worker,
    Sink,
    Router,
    Dealer,
    Asker,
    Answerer,
}

impl Role {
    /// Whether it goes on until it is told to end.
    pub(super) const fn is_endless(self) -> bool {
        matches!(self, Self::Replier | Self::Broker | Self::Forwarder)
    }

    pub(super) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// A participant's arguments, the same for all roles.
#[derive(Clone, Debug, Args)]
pub(crate) struct RoleArgs {
    /// Who the participant is.
    #[arg(value_enum)]
    pub(super) role: Role,
    /// Endpoints to bind to. What each is for depends on the role.
    #[arg(long)]
    pub(super) bind: Vec<String>,
    /// Endpoints to connect to. What each is for depends on the role.
    #[arg(long)]
    pub(super) connect: Vec<String>,
    /// How many messages it is about.
    #[arg(long, default_value_t = 0)]
    pub(super) count: u64,
    /// How many others it deals with.
    #[arg(long, default_value_t = 0)]
    pub(super) peers: u64,
    /// Its number among its like.
    #[arg(long, default_value_t = 0)]
    pub(super) number: u64,
    /// Topics.
    #[arg(long)]
    pub(super) topic: Vec<String>,
}

impl RoleArgs {
    pub(super) fn new(role: Role) -> Self {
        Self {
            role,
            bind: Vec::new(),
            connect: Vec::new(),
            count: 0,
            peers: 0,
            number: 0,
            topic: Vec::new(),
        }
    }

    pub(super) fn bind(mut self, endpoint: String) -> Self {
        self.bind.push(endpoint);
        self
    }

    pub(super) fn connect(mut self, endpoint: String) -> Self {
        self.connect.push(endpoint);
        self
    }

    pub(super) const fn count(mut self, count: u64) -> Self {
        self.count = count;
        self
    }

    pub(super) const fn peers(mut self, peers: u64) -> Self {
        self.peers = peers;
        self
    }

    pub(super) const fn number(mut self, number: u64) -> Self {
        self.number = number;
        self
    }

    pub(super) fn topics(mut self, topics: &[&str]) -> Self {
        self.topic = topics.iter().map(|topic| (*topic).to_owned()).collect();
        self
    }

    /// The arguments that make another process see the same.
    pub(super) fn to_arguments(&self) -> Vec<String> {
        let mut all = Vec::new();
        if let Some(value) = self.role.to_possible_value() {
            all.push(value.get_name().to_owned());
        }
        all.extend(self.bind.iter().map(|endpoint| format!("--bind={endpoint}")));
        all.extend(self.connect.iter().map(|endpoint| format!("--connect={endpoint}")));
        all.push(format!("--count={}", self.count));
        all.push(format!("--peers={}", self.peers));
        all.push(format!("--number={}", self.number));
        all.extend(self.topic.iter().map(|topic| format!("--topic={topic}")));
        all
    }

    fn to_connect(&self, index: usize) -> Result<&str, Failure> {
        self.connect
            .get(index)
            .map(String::as_str)
            .ok_or_else(|| format!("the role connects to at least {} endpoints", index + 1).into())
    }

    /// Binds the sockets to the endpoints, in order. Returns what they are bound to.
    fn bind_all(&self, sockets: &[&Socket]) -> Result<Vec<String>, Failure> {
        if self.bind.len() != sockets.len() {
            return Err(format!("the role binds to {} endpoints", sockets.len()).into());
        }
        let mut bound = Vec::new();
        for (socket, endpoint) in sockets.iter().zip(&self.bind) {
            socket.bind(endpoint)?;
            bound.push(socket.last_endpoint()?);
        }
        Ok(bound)
    }
}

/// Tells the demo what a participant is bound to.
type Tell<'a> = &'a mut dyn FnMut(Vec<String>);

/// Plays a role to its end.
pub(super) fn play(args: &RoleArgs, context: &Context, tell: Tell<'_>) -> Result<Outcome, Failure> {
    match args.role {
        Role::Requester => request_reply::requester(args, context),
        Role::Replier => request_reply::replier(args, context, tell),
        Role::Broker => proxies::broker(args, context, tell),
        Role::Forwarder => proxies::forwarder(args, context, tell),
        Role::Publisher => publish::publisher(args, context, tell),
        Role::Subscriber => publish::subscriber(args, context),
        Role::Ventilator => pipeline::ventilator(args, context, tell),
        Role::Worker => pipeline::worker(args, context),
        Role::Sink => pipeline::sink(args, context, tell),
        Role::Router => router::router(args, context, tell),
        Role::Dealer => router::dealer(args, context),
        Role::Asker => pair::asker(args, context),
        Role::Answerer => pair::answerer(args, context, tell),
    }
}

/// The body of most messages, in bytes.
const BODY: usize = 64;

/// How long to wait for others to join in before calling them again.
const CALL: Duration = Duration::from_millis(10);

/// A body with a sign and a number at its front.
fn body(sign: u8, number: u64) -> [u8; BODY] {
    let mut body = [b'.'; BODY];
    body[0] = sign;
    body[1..9].copy_from_slice(&number.to_be_bytes());
    body
}

/// Reads what [`body`] wrote.
fn read_body(body: &[u8]) -> Result<(u8, u64), Failure> {
    let (Some(sign), Some(number)) = (body.first(), body.get(1..9)) else {
        return Err(format!("a body of {} bytes is too short", body.len()).into());
    };
    Ok((*sign, u64::from_be_bytes(number.try_into()?)))
}

/// Ends an endless role in order when its context ends.
fn until_terminated(result: Result<(), Failure>) -> Result<(), Failure> {
    match result {
        Err(error)
            if error.downcast_ref::<Error>() == Some(&Error::Terminated)
                || error
                    .downcast_ref::<aught::SendError>()
                    .is_some_and(|error| *error.error() == Error::Terminated) =>
        {
            Ok(())
        }
        other => other,
    }
}

/// The times of round trips.
struct RoundTrips {
    begun: Instant,
    times: Vec<Duration>,
}

impl RoundTrips {
    fn begin(expected: u64) -> Self {
        let expected = usize::try_from(expected).unwrap_or(0);
        Self { begun: Instant::now(), times: Vec::with_capacity(expected) }
    }

    /// Times one round trip.
    fn time(&mut self, trip: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
        let begun = Instant::now();
        trip()?;
        self.times.push(begun.elapsed());
        Ok(())
    }

    /// What they add up to, for as many messages there and back.
    fn outcome(mut self) -> Outcome {
        let time = self.begun.elapsed();
        let count = self.times.len();
        self.times.sort_unstable();
        let at = |percent: usize| self.times.get((count * percent / 100).min(count - 1)).copied();
        let round_trips = if count == 0 { None } else { at(50).zip(at(99)) };
        let messages = u64::try_from(count).unwrap_or(u64::MAX);
        Outcome { sent: messages, received: messages, time, round_trips }
    }
}
