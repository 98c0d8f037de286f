//! Every valid pair of socket types between our library and libzmq, and the conversation that a
//! pair of parties holds.

use crate::party::Party;
use crate::security::Security;
use crate::workshop::{Maker, Workshop};
use crate::{Job, Options};
use std::time::Duration;

/// How long to wait for what has to happen: hundreds of parties may be starting at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a pair of socket types talks: `left` begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pairing {
    pub(crate) left: &'static str,
    pub(crate) right: &'static str,
    /// What the left side does: `ask` or `send`.
    act: &'static str,
    /// Further arguments of the left and of the right side.
    extra: (&'static str, &'static str),
}

const fn pairing(
    left: &'static str,
    right: &'static str,
    act: &'static str,
    extra: (&'static str, &'static str),
) -> Pairing {
    Pairing { left, right, act, extra }
}

const TOPICS: (&str, &str) = ("topics=1", "topics=1");

/// RFC 28, 29, 30 and 31: which socket types may talk; and STREAM, which talks to itself here.
pub(crate) const PAIRINGS: [Pairing; 14] = [
    pairing("PAIR", "PAIR", "ask", ("", "")),
    pairing("REQ", "REP", "ask", ("", "")),
    pairing("REQ", "ROUTER", "ask", ("", "")),
    pairing("DEALER", "REP", "ask", ("envelope=1", "")),
    pairing("DEALER", "DEALER", "ask", ("", "")),
    pairing("DEALER", "ROUTER", "ask", ("", "")),
    pairing("ROUTER", "ROUTER", "ask", ("peer_id=right", "own_id=right")),
    pairing("ROUTER", "DEALER", "ask", ("peer_id=right", "own_id=right")),
    pairing("PUSH", "PULL", "send", ("", "")),
    pairing("PUB", "SUB", "send", TOPICS),
    pairing("PUB", "XSUB", "send", TOPICS),
    pairing("XPUB", "SUB", "send", TOPICS),
    pairing("XPUB", "XSUB", "send", TOPICS),
    pairing("STREAM", "STREAM", "ask", ("", "")),
];

/// How much a pair says, and how long it stays silent in between.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) count: u32,
    pub(crate) rounds: u32,
    pub(crate) gap_ms: u32,
}

impl Pace {
    /// The paces that the options ask for, with the word for them in a test's line.
    pub(crate) fn all(options: &Options) -> Vec<(&'static str, Self)> {
        if options.long {
            // Past any handshake timer (30 s) and many heartbeats.
            return vec![
                (", idle 40 s", Self { count: 20, rounds: 2, gap_ms: 40_000 }),
                (", busy 40 s", Self { count: 10, rounds: 400, gap_ms: 100 }),
            ];
        }
        let count = if options.quick { 40 } else { 200 };
        vec![("", Self { count, rounds: 2, gap_ms: 300 })]
    }

    fn arguments(self) -> String {
        format!("count={} rounds={} gap_ms={}", self.count, self.rounds, self.gap_ms)
    }

    fn patience(self) -> Duration {
        Duration::from_millis(u64::from(self.gap_ms) * u64::from(self.rounds)) + PATIENCE
    }
}

/// A pair of parties over one endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Meeting {
    pub(crate) pairing: Pairing,
    pub(crate) makers: (Maker, Maker),
    pub(crate) left_binds: bool,
    pub(crate) transport: &'static str,
    pub(crate) parts: u32,
    pub(crate) pace: Pace,
    /// Milliseconds, 0 for none. Both sides send them.
    pub(crate) heartbeat_ms: u32,
    /// NULL without more where there is none.
    pub(crate) security: Option<Security>,
}

/// The jobs of the whole matrix.
pub(crate) fn jobs(options: &Options) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (word, pace) in Pace::all(options) {
        for pairing in PAIRINGS {
            for transport in ["tcp", "ipc"] {
                for parts in [1, 3] {
                    let plain = transport == "tcp" && parts == 1;
                    // Time is what `--long` is about: the other combinations add nothing to it.
                    if !plain && (options.long || pairing.left == "STREAM") {
                        continue;
                    }
                    for makers in [(Maker::Ours, Maker::Reference), (Maker::Reference, Maker::Ours)]
                    {
                        for left_binds in [true, false] {
                            let meeting = Meeting {
                                pairing,
                                makers,
                                left_binds,
                                transport,
                                parts,
                                pace,
                                heartbeat_ms: if pairing.left == "STREAM" { 0 } else { 100 },
                                security: None,
                            };
                            jobs.push(meeting.job(word));
                        }
                    }
                }
            }
        }
    }
    jobs
}

impl Meeting {
    /// The test of this meeting; `word` ends its line.
    pub(crate) fn job(self, word: &str) -> Job {
        let side = |maker: Maker, kind: &str, binds: bool| {
            format!("{} {kind} {}", maker.name(), if binds { "binds" } else { "connects" })
        };
        let left = side(self.makers.0, self.pairing.left, self.left_binds);
        let right = side(self.makers.1, self.pairing.right, !self.left_binds);
        let parts = if self.parts > 1 { "multipart" } else { "single" };
        let security = self.security.map_or(String::new(), |it| format!(", {}", it.words()));
        Job {
            name: format!("{left} - {right}, {}, {parts}{security}{word}", self.transport),
            run: Box::new(move |workshop| self.hold(workshop)),
        }
    }

    fn arguments(&self, left: bool, endpoint: &str) -> Vec<String> {
        let pairing = &self.pairing;
        let (kind, extra) =
            if left { (pairing.left, pairing.extra.0) } else { (pairing.right, pairing.extra.1) };
        let act = match (left, pairing.act) {
            (true, act) => act,
            (false, "ask") => "answer",
            (false, _) => "receive",
        };
        let method = if left == self.left_binds { "bind" } else { "connect" };
        let text = format!(
            "{kind} {method} {endpoint} act={act} parts={} heartbeat_ms={} {} {extra}",
            self.parts,
            self.heartbeat_ms,
            self.pace.arguments(),
        );
        let words = text.split_whitespace().map(String::from);
        words.chain(self.security.into_iter().flat_map(|it| it.arguments(left))).collect()
    }

    /// Starts both parties, the one that binds first: left, with more arguments, and right.
    ///
    /// # Errors
    /// When one cannot be started, or cannot bind.
    pub(crate) fn start(
        &self,
        workshop: &Workshop,
        left_more: &[&str],
    ) -> Result<(Party, Party), String> {
        let endpoint = workshop.endpoint(self.transport)?;
        let start = |left: bool| {
            let maker = if left { self.makers.0 } else { self.makers.1 };
            let mut arguments = self.arguments(left, &endpoint);
            if left {
                arguments.extend(left_more.iter().copied().map(String::from));
            }
            Party::start(workshop, maker, &arguments)
        };
        let mut binder = start(self.left_binds)?;
        binder.expect("BOUND", PATIENCE)?;
        let connector = start(!self.left_binds)?;
        Ok(if self.left_binds { (binder, connector) } else { (connector, binder) })
    }

    /// Starts both parties, sees every message counted, and ends both.
    fn hold(&self, workshop: &Workshop) -> Result<String, String> {
        let (mut left, mut right) = self.start(workshop, &[])?;
        if self.pairing.extra.0 == TOPICS.0 {
            right.expect("SYNCED", PATIENCE)?;
            left.say("go")?;
        }
        let sending = self.pairing.act == "send";
        let (counter, other) =
            if sending { (&mut right, &mut left) } else { (&mut left, &mut right) };
        let counted = counter
            .expect("DONE", self.pace.patience())
            .map_err(|problem| format!("{problem}{}", other.complaint()))?;
        let (connector, binder) = if self.left_binds { (right, left) } else { (left, right) };
        let (connector, binder) = (connector.end()?, binder.end()?);
        let lost = connector.lost;
        let total = self.pace.count * self.pace.rounds;
        let total = if self.pairing.extra.0 == TOPICS.0 { total / 2 } else { total };
        if counted.parse() != Ok(total) {
            return Err(format!("{counted} messages of {total}"));
        }
        if lost > 0 {
            return Err(format!("the connection was lost {lost} times"));
        }
        if let Some(asked) = connector.asked.or(binder.asked).filter(|asked| *asked != 1) {
            return Err(format!("the ZAP handler was asked {asked} times"));
        }
        Ok(format!("{counted} messages"))
    }
}
