//! The patterns of the demo: who takes part in each, and what each participant must have sent and
//! received in the end. Counts are given per tenth: a full run has ten.

use std::time::Duration;

use super::note::Outcome;
use super::roles::{Role, RoleArgs};
use super::stage::Stage;
use crate::cmd::Failure;

/// One line of the demo's table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) participants: usize,
    /// Messages delivered to those for whom they were meant.
    pub(super) messages: u64,
    pub(super) time: Duration,
    pub(super) round_trips: Option<(Duration, Duration)>,
}

type Scene = fn(&mut Stage, u64) -> Result<Row, Failure>;

/// All patterns, in the order in which they run.
pub(super) const SCENES: &[(&str, Scene)] = &[
    ("request-reply", request_reply),
    ("publish-subscribe", publish_subscribe),
    ("push-pull with kill signal", pipeline),
    ("broker ROUTER/DEALER", broker),
    ("forwarder XSUB/XPUB", forwarder),
    ("ROUTER and four DEALERs", router_dealers),
    ("PAIR", pair),
    ("publisher and ten subscribers", synchronised),
];

fn role(role: Role) -> RoleArgs {
    RoleArgs::new(role)
}

/// Fails unless a participant has sent and received this many messages.
fn expect(outcomes: &[Outcome], who: usize, sent: u64, received: u64) -> Result<(), Failure> {
    let outcome = outcomes.get(who).ok_or("a participant that was never started")?;
    if (outcome.sent, outcome.received) == (sent, received) {
        return Ok(());
    }
    let (was_sent, was_received) = (outcome.sent, outcome.received);
    Err(format!(
        "participant {who} sent {was_sent} of {sent} and received {was_received} of {received}"
    )
    .into())
}

/// What the whole comes to: the messages that the given participants received, in the time of the
/// slowest, and the worst of their round trips.
fn sum(outcomes: &[Outcome], receivers: &[usize]) -> Row {
    let counted = || receivers.iter().filter_map(|index| outcomes.get(*index));
    let trips = || counted().filter_map(|outcome| outcome.round_trips);
    let p50 = trips().map(|(p50, _)| p50).max();
    let p99 = trips().map(|(_, p99)| p99).max();
    Row {
        participants: outcomes.len(),
        messages: counted().map(|outcome| outcome.received).sum(),
        time: counted().map(|outcome| outcome.time).max().unwrap_or_default(),
        round_trips: p50.zip(p99),
    }
}

fn request_reply(stage: &mut Stage, tenths: u64) -> Result<Row, Failure> {
    let count = 400 * tenths;
    let endpoint = stage.anywhere();
    let replier = stage.start(role(Role::Replier).bind(endpoint))?;
    let endpoint = stage.endpoint(replier, 0)?;
    let requester = stage.start(role(Role::Requester).connect(endpoint).count(count))?;
    let outcomes = stage.finish()?;
    expect(&outcomes, replier, count, count)?;
    expect(&outcomes, requester, count, count)?;
    Ok(sum(&outcomes, &[requester]))
}

fn publish_subscribe(stage: &mut Stage, tenths: u64) -> Result<Row, Failure> {
    let count = 10_000 * tenths;
    let topics = ["alpha", "beta", "beta/2"];
    // What each subscribes to, and how many of the topics that lets in.
    let subscriptions: [(&[&str], u64); 4] =
        [(&["alpha"], 1), (&["beta"], 2), (&["beta/"], 1), (&[""], 3)];
    let publisher = role(Role::Publisher).bind(stage.anywhere()).bind(stage.anywhere());
    let publisher = stage.start(publisher.count(count).peers(4).topics(&topics))?;
    let (join, data) = (stage.endpoint(publisher, 0)?, stage.endpoint(publisher, 1)?);
    let mut subscribers = Vec::new();
    for (prefixes, matching) in subscriptions {
        let subscriber = role(Role::Subscriber).topics(prefixes).peers(matching);
        subscribers.push(stage.start(subscriber.connect(data.clone()).connect(join.clone()))?);
    }
    let outcomes = stage.finish()?;
    expect(&outcomes, publisher, count * 3, 0)?;
    for (subscriber, (_, matching)) in subscribers.iter().zip(subscriptions) {
        expect(&outcomes, *subscriber, 0, count * matching)?;
    }
    Ok(sum(&outcomes, &subscribers))
}

fn pipeline(stage: &mut Stage, tenths: u64) -> Result<Row, Failure> {
    const WORKERS: u64 = 4;
    let count = 20_000 * tenths;
    let sink = role(Role::Sink).bind(stage.anywhere()).bind(stage.anywhere());
    let sink = stage.start(sink.count(count).peers(WORKERS))?;
    let ventilator = role(Role::Ventilator).bind(stage.anywhere()).bind(stage.anywhere());
    let ventilator = stage.start(ventilator.count(count).peers(WORKERS))?;
    let mut workers = Vec::new();
    for number in 0..WORKERS {
        let worker = role(Role::Worker)
            .number(number)
            .connect(stage.endpoint(ventilator, 0)?)
            .connect(stage.endpoint(ventilator, 1)?)
            .connect(stage.endpoint(sink, 0)?)
            .connect(stage.endpoint(sink, 1)?);
        workers.push(stage.start(worker)?);
    }
    let outcomes = stage.finish()?;
    expect(&outcomes, sink, 0, count)?;
    expect(&outcomes, ventilator, count, 0)?;
    let done = |of: fn(&Outcome) -> u64| -> u64 {
        workers.iter().filter_map(|worker| outcomes.get(*worker)).map(of).sum()
    };
    if (done(|outcome| outcome.received), done(|outcome| outcome.sent)) != (count, count) {
        return Err("the workers' shares do not add up".into());
    }
    Ok(sum(&outcomes, &[sink]))
}

fn broker(stage: &mut Stage, tenths: u64) -> Result<Row, Failure> {
    let (requesters, repliers, count) = (4, 3, 100 * tenths);
    let broker = role(Role::Broker).bind(stage.anywhere()).bind(stage.anywhere());
    let broker = stage.start(broker)?;
    let mut servers = Vec::new();
    for _ in 0..repliers {
        let endpoint = stage.endpoint(broker, 1)?;
        servers.push(stage.start(role(Role::Replier).connect(endpoint))?);
    }
    let mut clients = Vec::new();
    for _ in 0..requesters {
        let endpoint = stage.endpoint(broker, 0)?;
        clients.push(stage.start(role(Role::Requester).connect(endpoint).count(count))?);
    }
    let outcomes = stage.finish()?;
    for client in &clients {
        expect(&outcomes, *client, count, count)?;
    }
    let served: u64 = servers.iter().filter_map(|i| outcomes.get(*i)).map(|o| o.sent).sum();
    if served != count * requesters {
        return Err(format!("{served} of {} requests were served", count * requesters).into());
    }
    Ok(sum(&outcomes, &clients))
}

fn forwarder(stage: &mut Stage, tenths: u64) -> Result<Row, Failure> {
    let (publishers, subscribers, count) = (2, 3, 5000 * tenths);
    let proxy = role(Role::Forwarder).bind(stage.anywhere()).bind(stage.anywhere());
    let proxy = stage.start(proxy)?;
    let mut sources = Vec::new();
    for number in 0..publishers {
        let source = role(Role::Publisher)
            .bind(stage.anywhere())
            .connect(stage.endpoint(proxy, 0)?)
            .topics(&["wind", "rain"])
            .number(number);
        sources.push(stage.start(source.count(count).peers(subscribers))?);
    }
    let mut sinks = Vec::new();
    for _ in 0..subscribers {
        let mut sink = role(Role::Subscriber).connect(stage.endpoint(proxy, 1)?);
        for source in &sources {
            sink = sink.connect(stage.endpoint(*source, 0)?);
        }
        sinks.push(stage.start(sink.topics(&["wind"]).peers(publishers))?);
    }
    let outcomes = stage.finish()?;
    for source in &sources {
        expect(&outcomes, *source, count * 2, 0)?;
    }
    for sink in &sinks {
        expect(&outcomes, *sink, 0, count * publishers)?;
    }
    Ok(sum(&outcomes, &sinks))
}

fn router_dealers(stage: &mut Stage, tenths: u64) -> Result<Row, Failure> {
    let (dealers, count) = (4, 2500 * tenths);
    let router = role(Role::Router).bind(stage.anywhere()).count(count * dealers);
    let router = stage.start(router)?;
    let mut clients = Vec::new();
    for number in 0..dealers {
        let endpoint = stage.endpoint(router, 0)?;
        let dealer = role(Role::Dealer).connect(endpoint).number(number).count(count);
        clients.push(stage.start(dealer)?);
    }
    let outcomes = stage.finish()?;
    expect(&outcomes, router, count * dealers, count * dealers)?;
    for client in &clients {
        expect(&outcomes, *client, count, count)?;
    }
    Ok(sum(&outcomes, &clients))
}

fn pair(stage: &mut Stage, tenths: u64) -> Result<Row, Failure> {
    let count = 400 * tenths;
    let answerer = role(Role::Answerer).bind(stage.anywhere()).count(count);
    let answerer = stage.start(answerer)?;
    let endpoint = stage.endpoint(answerer, 0)?;
    let asker = stage.start(role(Role::Asker).connect(endpoint).count(count))?;
    let outcomes = stage.finish()?;
    expect(&outcomes, answerer, count, count)?;
    expect(&outcomes, asker, count, count)?;
    Ok(sum(&outcomes, &[asker]))
}

fn synchronised(stage: &mut Stage, tenths: u64) -> Result<Row, Failure> {
    let (subscribers, count) = (10, 10_000 * tenths);
    let publisher = role(Role::Publisher).bind(stage.anywhere()).bind(stage.anywhere());
    let publisher = stage.start(publisher.count(count).peers(subscribers).topics(&["update"]))?;
    let (join, data) = (stage.endpoint(publisher, 0)?, stage.endpoint(publisher, 1)?);
    let mut sinks = Vec::new();
    for _ in 0..subscribers {
        let sink = role(Role::Subscriber).topics(&[""]).peers(1);
        sinks.push(stage.start(sink.connect(data.clone()).connect(join.clone()))?);
    }
    let outcomes = stage.finish()?;
    expect(&outcomes, publisher, count, 0)?;
    for sink in &sinks {
        expect(&outcomes, *sink, 0, count)?;
    }
    Ok(sum(&outcomes, &sinks))
}
