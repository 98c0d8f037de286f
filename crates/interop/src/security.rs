//! Mechanisms and ZAP: every valid pair of socket types over a secured connection, with libzmq and
//! with the crates that know PLAIN and CURVE. What must not get through is in `refusal.rs`; the
//! conversation of a pair is in `matrix.rs`.

use crate::matrix::{Meeting, PAIRINGS, Pace, Pairing};
use crate::workshop::Maker;
use crate::{Job, Options, exceptions, others, refusal};

/// How a connection is secured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mechanism {
    Null,
    Plain,
    Curve,
}

/// All of them.
pub(crate) const MECHANISMS: [Mechanism; 3] = [Mechanism::Null, Mechanism::Plain, Mechanism::Curve];

/// A pair of keys in Z85, made for this program.
struct Keys {
    public: &'static str,
    secret: &'static str,
}

const SERVER: Keys = Keys {
    public: "^pr?&NE9PcCfznI9(b0+BFbN-uYlSt4AWICksM/k",
    secret: "s$(:9R-^zJsuJb}^&GU>WJV{Hpk5gsz.U>pRu=mU",
};
const FRIEND: Keys = Keys {
    public: "A1iyDLX3lOMY:q#Xr[H/v1B0D%ie9<9duc^n?+Pa",
    secret: "Xe2p$R?v&Y%6sXsu*h%xc.jN4[H%HWz9?T1y#u$W",
};
const STRANGER: Keys = Keys {
    public: "<em)ZivLO9qtXFY(6iyIv2X+h)6Z5>B#Cs.N>MHg",
    secret: "{bAflKP#*SRUnDg3OxIGo6&tqz{nb(:H/+^@?CK.",
};

/// The security of a pair of parties.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Security {
    pub(crate) mechanism: Mechanism,
    /// Whether the left side is the server.
    pub(crate) left_serves: bool,
    /// Whether the server asks a ZAP handler of its process.
    pub(crate) zap: bool,
    /// Whether the client has the credentials that the handler lets in.
    pub(crate) friend: bool,
    /// Whether the handler says who the client is.
    pub(crate) named: bool,
    /// The interval that a handshake may take, in milliseconds; 0 for the default of 30 s.
    pub(crate) handshake_ms: u32,
}

impl Security {
    /// The words for it in a test's line.
    pub(crate) fn words(self) -> String {
        let mechanism = match self.mechanism {
            Mechanism::Null => "NULL",
            Mechanism::Plain => "PLAIN",
            Mechanism::Curve => "CURVE",
        };
        let zap = if self.zap { " with ZAP" } else { "" };
        let server = match (self.mechanism, self.zap) {
            (Mechanism::Null, false) => "",
            _ if self.left_serves => ", left serves",
            _ => ", right serves",
        };
        format!("{mechanism}{zap}{server}")
    }

    /// The arguments of one side.
    pub(crate) fn arguments(self, left: bool) -> Vec<String> {
        let serves = left == self.left_serves;
        let client = if self.friend { FRIEND } else { STRANGER };
        let password = if self.friend { "password=open-sesame" } else { "password=sesame" };
        let mut arguments = match (self.mechanism, serves) {
            (Mechanism::Null, _) => vec!["mechanism=null".into()],
            (Mechanism::Plain, true) => vec!["mechanism=plain".into(), "serves=1".into()],
            (Mechanism::Plain, false) => {
                vec!["mechanism=plain".into(), "username=alibaba".into(), password.into()]
            }
            (Mechanism::Curve, true) => vec![
                "mechanism=curve".into(),
                "serves=1".into(),
                format!("secret_key={}", SERVER.secret),
            ],
            (Mechanism::Curve, false) => vec![
                "mechanism=curve".into(),
                format!("public_key={}", client.public),
                format!("secret_key={}", client.secret),
                format!("server_key={}", SERVER.public),
            ],
        };
        if serves && self.zap {
            arguments.push(match self.mechanism {
                // The credentials of NULL are the address.
                Mechanism::Null if self.friend => "allow=127.0.0.1".into(),
                Mechanism::Null => "allow=192.0.2.1".into(),
                Mechanism::Plain => "allow=alibaba:open-sesame".into(),
                Mechanism::Curve => format!("allow={}", FRIEND.public),
            });
            if !self.named {
                arguments.push("nameless=1".into());
            }
        }
        arguments.push(format!("handshake_ms={}", self.handshake_ms));
        arguments
    }
}

/// A REQ of libzmq 4.3.4 whose ZAP handler names a user takes every reply for a malformed one and
/// drops the connection, whoever the peer is; `exceptions` shows it. Its handler names nobody.
const LOSES_NAMED_PEERS: (Maker, &str) = (Maker::Reference, "REQ");

/// How long parties talk: past the interval of a handshake in any case.
fn pace(options: &Options) -> (&'static str, Pace, u32) {
    if options.long {
        return (", idle 40 s", Pace { count: 20, rounds: 2, gap_ms: 40_000 }, 0);
    }
    ("", Pace { count: 20, rounds: 2, gap_ms: 2500 }, 2000)
}

/// Socket types with a mechanism: all but STREAM, which does not speak ZMTP.
pub(crate) fn pairings() -> impl Iterator<Item = Pairing> {
    PAIRINGS.into_iter().filter(|pairing| pairing.left != "STREAM")
}

/// Whether time is all that a run asks about: then one pair of types stands for all of them, and
/// each mechanism comes once, with ZAP.
fn is_sample(options: &Options) -> bool {
    options.quick && options.long
}

/// Whether a connection is one of those that the options ask for.
fn is_wanted(options: &Options, pairing: Pairing, security: Security) -> bool {
    !is_sample(options) || (security.zap && (pairing.left, pairing.right) == ("DEALER", "ROUTER"))
}

/// Which mechanisms, with and without ZAP, with either side as the server. PLAIN needs a ZAP
/// handler: without one nobody comes in, as `refusal.rs` shows.
fn securities(handshake_ms: u32) -> Vec<Security> {
    let mut all = Vec::new();
    for mechanism in MECHANISMS {
        for zap in [false, true] {
            for left_serves in [true, false] {
                let nobody_serves = mechanism == Mechanism::Null && !zap;
                if (mechanism == Mechanism::Plain && !zap) || (nobody_serves && !left_serves) {
                    continue;
                }
                all.push(Security {
                    mechanism,
                    left_serves,
                    zap,
                    friend: true,
                    named: true,
                    handshake_ms,
                });
            }
        }
    }
    all
}

/// Whether rzmq can take part, and with what. That its server is always the side that is bound, and
/// that it does not know a PING in a CURVE box, is shown in `exceptions.rs`.
fn suits_rzmq(meeting: &mut Meeting, security: Security) -> bool {
    if security.mechanism == Mechanism::Curve {
        meeting.heartbeat_ms = 0;
    }
    if meeting.makers.0 == Maker::Rzmq && meeting.pairing.left == "REQ" {
        // It refuses to send a request of several parts.
        meeting.parts = 1;
    }
    security.left_serves == meeting.left_binds
}

/// The jobs of the matrix, of the crates and of the refusals.
pub(crate) fn jobs(options: &Options) -> Vec<Job> {
    let mut jobs = Vec::new();
    let (word, pace, handshake_ms) = pace(options);
    let meeting = |pairing: Pairing, makers: (Maker, Maker), left_binds, security: Security| {
        let server =
            if security.left_serves { (makers.0, pairing.left) } else { (makers.1, pairing.right) };
        let named = server != LOSES_NAMED_PEERS;
        Meeting {
            pairing,
            makers,
            left_binds,
            transport: "tcp",
            parts: 3,
            pace,
            heartbeat_ms: 100,
            security: Some(Security { named, ..security }),
        }
    };
    for security in securities(handshake_ms) {
        for pairing in pairings() {
            for makers in [(Maker::Ours, Maker::Reference), (Maker::Reference, Maker::Ours)] {
                for left_binds in [true, false] {
                    if is_wanted(options, pairing, security) {
                        jobs.push(meeting(pairing, makers, left_binds, security).job(word));
                    }
                }
            }
        }
    }
    for security in securities(handshake_ms) {
        // PLAIN has a handler always; for CURVE, the crates' servers ask their own means.
        if security.mechanism == Mechanism::Null || !security.zap {
            continue;
        }
        for other in [Maker::Rzmq, Maker::Omq] {
            for pairing in others::pairings() {
                for makers in [(Maker::Ours, other), (other, Maker::Ours)] {
                    for left_binds in [true, false] {
                        let mut meeting = meeting(pairing, makers, left_binds, security);
                        let suits = other != Maker::Rzmq || suits_rzmq(&mut meeting, security);
                        if suits && is_wanted(options, pairing, security) {
                            jobs.push(meeting.job(word));
                        }
                    }
                }
            }
        }
    }
    if !options.long {
        jobs.extend(refusal::jobs());
        jobs.extend(exceptions::jobs());
    }
    jobs
}
