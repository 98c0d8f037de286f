//! `aught audit`: what an endpoint tells to whoever connects, and what it lets them do. Here is
//! what is tried in which order, what it says about the endpoint, and how that is printed.

mod attempt;
mod greeting;
mod reach;

use std::process::ExitCode;
use std::time::Duration;

use aught::curve::KeyPair;
use zmtp::{MechanismConfig, SocketType};

use super::Failure;
use crate::args::AuditArgs;
use crate::format;
use attempt::{Attempt, Deed, Outcome, sends};
use greeting::Greeting;

/// How long to look at what a peer does once we are in, and whether it hangs up on a stranger.
const LOOK: Duration = Duration::from_millis(300);

/// The types that a client may call itself.
const TYPES: [SocketType; 11] = [
    SocketType::Dealer,
    SocketType::Req,
    SocketType::Sub,
    SocketType::Push,
    SocketType::Pull,
    SocketType::Pair,
    SocketType::Router,
    SocketType::Rep,
    SocketType::Pub,
    SocketType::Xpub,
    SocketType::Xsub,
];

/// What an endpoint is to somebody whom it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Protected,
    Open,
    /// It fits no type that we have.
    Unknown,
}

/// Looks at an endpoint and prints what there is to see. The exit status is the verdict.
pub(super) fn run(args: &AuditArgs) -> ExitCode {
    match look(args) {
        Ok(Verdict::Protected) => ExitCode::SUCCESS,
        Ok(Verdict::Open) => ExitCode::from(1),
        Ok(Verdict::Unknown) => ExitCode::from(2),
        Err(error) => {
            format::complain(&error.to_string());
            ExitCode::from(2)
        }
    }
}

fn tell(what: &str, value: &str) {
    format::say(&format!("  {what:<12}{value}"));
}

fn look(args: &AuditArgs) -> Result<Verdict, Failure> {
    let greeting = greeting::ask(&args.endpoint, args.timeout)?;
    format::say(&args.endpoint);
    tell("version", &format!("ZMTP {}.{}", greeting.major, greeting.minor));
    if !greeting.has_mechanism() {
        tell("mechanism", "none: this version has none");
        tell("verdict", "open: whoever can connect is a peer");
        return Ok(Verdict::Open);
    }
    tell("mechanism", &greeting.mechanism);
    let is_null = greeting.mechanism == "NULL";
    tell(
        "as server",
        match greeting.as_server {
            true => "yes",
            false if is_null => "no",
            // The bit is there to tell, and libzmq leaves it at zero.
            false => "not said (servers of libzmq do not say it either)",
        },
    );
    let Some((mechanism, who)) = stranger(&greeting, args)? else {
        tell("socket type", "not visible");
        return Ok(closed_mechanism(&greeting, args));
    };
    let mut audit = Audit { args, mechanism, who, kind: None, met: Met::default() };
    if is_null {
        audit.look_without_touching()?;
    }
    audit.try_all_types()?;
    if greeting.mechanism == "PLAIN" && !greeting.as_server && !audit.met.is_settled() {
        // Perhaps it is a client: one that shows its password to whoever says to be the server.
        audit.mechanism = MechanismConfig::PlainServer;
        audit.try_all_types()?;
        if !audit.met.let_in.is_empty() {
            audit.who = "whoever says to be the server";
        }
    }
    Ok(audit.report())
}

/// What somebody without a secret can say in this mechanism, and in words who that is; `None` if
/// nothing.
fn stranger(
    greeting: &Greeting,
    args: &AuditArgs,
) -> Result<Option<(MechanismConfig, &'static str)>, Failure> {
    Ok(match greeting.mechanism.as_str() {
        "NULL" => Some((MechanismConfig::Null, "anybody")),
        "PLAIN" => {
            let username = b"anonymous".to_vec();
            let plain = MechanismConfig::PlainClient { username, password: Vec::new().into() };
            Some((plain, "an unknown user without a password"))
        }
        "CURVE" => match args.server_key {
            Some(server) => {
                let keys = KeyPair::generate()?;
                Some((MechanismConfig::CurveClient { keys, server }, "a client key unknown to it"))
            }
            None => None,
        },
        _ => None,
    })
}

/// The verdict on a mechanism in which a stranger can say nothing.
fn closed_mechanism(greeting: &Greeting, args: &AuditArgs) -> Verdict {
    if greeting.mechanism != "CURVE" {
        tell("stranger", "not tried: the mechanism is unknown to this program");
        tell("verdict", "unknown");
        return Verdict::Unknown;
    }
    tell(
        "stranger",
        "needs the server's public key; --server-key tells whether every client is let in",
    );
    let old = old_peers(args);
    tell("verdict", if old == Verdict::Open { "open to older versions" } else { "protected" });
    old
}

/// Whether peers of versions without mechanisms are turned away.
fn old_peers(args: &AuditArgs) -> Verdict {
    let (text, verdict) = match greeting::lets_old_peers_in(&args.endpoint, LOOK, args.timeout) {
        Ok(Some(true)) => ("LET IN, without any mechanism", Verdict::Open),
        Ok(Some(false)) => ("turned away", Verdict::Protected),
        Ok(None) => ("not let in", Verdict::Protected),
        Err(_) => ("not tried: the peer takes no more connections", Verdict::Protected),
    };
    tell("ZMTP 2.0", text);
    verdict
}

/// What the attempts have shown.
#[derive(Debug, Default)]
struct Met {
    let_in: Vec<(SocketType, Deed)>,
    /// Why not, once for each reason.
    refusals: Vec<String>,
    /// A finished handshake was avoided, and would have succeeded.
    would_be_let_in: bool,
    /// The peer has decided about us, and against us.
    denied: bool,
}

impl Met {
    /// Whether the peer has let us in or told us that it does not.
    fn is_settled(&self) -> bool {
        self.denied || !self.let_in.is_empty()
    }
}

struct Audit<'a> {
    args: &'a AuditArgs,
    mechanism: MechanismConfig,
    /// Who we pretend to be.
    who: &'static str,
    /// The peer's socket type, once it is known.
    kind: Option<SocketType>,
    met: Met,
}

impl Audit<'_> {
    fn attempt(&self, kind: SocketType, passive: bool) -> Result<Outcome, Failure> {
        let attempt = Attempt {
            endpoint: &self.args.endpoint,
            kind,
            mechanism: self.mechanism.clone(),
            timeout: self.args.timeout,
            look: LOOK,
            passive,
            send: self.args.send,
        };
        attempt.make()
    }

    /// With NULL, a peer shows its type before we say anything but our greeting. Its answer comes
    /// at once where nobody has to be asked, so silence is no reason to wait.
    fn look_without_touching(&mut self) -> Result<(), Failure> {
        match self.attempt(SocketType::Dealer, true)? {
            Outcome::Shown(peer) => {
                self.kind = peer.socket_type;
                self.met.would_be_let_in = true;
            }
            Outcome::Misfit(theirs) => {
                self.kind = Some(theirs);
                self.met.would_be_let_in = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// Shakes hands as every type that may fit, until the peer's own type is known.
    fn try_all_types(&mut self) -> Result<(), Failure> {
        if self.args.passive && self.met.would_be_let_in {
            return Ok(());
        }
        for kind in TYPES {
            if self.kind.is_some_and(|theirs| !kind.is_compatible(theirs)) {
                continue;
            }
            let reason = match self.attempt(kind, false)? {
                Outcome::In(peer, deed) => {
                    self.kind = self.kind.or(peer.socket_type);
                    self.met.let_in.push((kind, deed));
                    // One handshake is enough to know; the others would only disturb.
                    if self.args.passive {
                        return Ok(());
                    }
                    continue;
                }
                Outcome::Misfit(theirs) => {
                    self.kind = Some(theirs);
                    continue;
                }
                Outcome::Shown(_) => continue,
                Outcome::Denied(status) => {
                    self.met.denied = true;
                    format!("denied with status {status}")
                }
                Outcome::Refused(reason) => format!("refused: {reason:?}"),
                Outcome::Ended => "the connection is closed".to_owned(),
                Outcome::Silent => "no answer in time".to_owned(),
            };
            let waits = reason.starts_with("no answer");
            let reason = match self.mechanism {
                MechanismConfig::PlainServer => format!("as the server: {reason}"),
                _ => reason,
            };
            if !self.met.refusals.contains(&reason) {
                self.met.refusals.push(reason);
            }
            // What the type has nothing to do with is not asked again.
            if self.met.denied || waits {
                return Ok(());
            }
        }
        Ok(())
    }

    fn report(&self) -> Verdict {
        match self.kind {
            Some(kind) => tell("socket type", kind.name()),
            None => tell("socket type", "not visible"),
        }
        for (kind, deed) in &self.met.let_in {
            tell("stranger", &format!("is let in as {}: {}", kind.name(), describe(*kind, *deed)));
        }
        if self.met.let_in.is_empty() {
            if self.args.passive && self.met.would_be_let_in {
                tell("stranger", "is let in (the peer has shown itself to one; not finished)");
            }
            for reason in &self.met.refusals {
                tell("stranger", &format!("is not let in: {reason}"));
            }
        }
        let passive = self.args.passive && self.met.would_be_let_in;
        if !self.met.let_in.is_empty() || passive {
            tell("verdict", &format!("open: {} is let in", self.who));
            return Verdict::Open;
        }
        if self.met.refusals.is_empty() {
            tell("verdict", "unknown: no type of ours goes with this socket");
            return Verdict::Unknown;
        }
        let old = old_peers(self.args);
        let word = if old == Verdict::Open { "open to older versions" } else { "protected" };
        tell("verdict", &format!("{word}: {} is not let in", self.who));
        old
    }
}

/// What we could do, in words.
fn describe(kind: SocketType, deed: Deed) -> String {
    let mut can = Vec::new();
    if deed.subscribed {
        can.push("subscribed to everything".to_owned());
    }
    if deed.sent {
        can.push(if deed.ended {
            "an empty message ended the connection".to_owned()
        } else {
            "an empty message was taken".to_owned()
        });
    } else if sends(kind) {
        can.push("may send".to_owned());
    }
    match deed.received {
        0 => {}
        1 => can.push("got a message".to_owned()),
        count => can.push(format!("got {count} messages")),
    }
    if deed.ended && !deed.sent {
        can.push("then the peer closed the connection".to_owned());
    }
    if can.is_empty() { "may receive".to_owned() } else { can.join(", ") }
}
