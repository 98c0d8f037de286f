//! Our library with implementations that share no code with libzmq, over tcp.

use crate::matrix::{Meeting, PAIRINGS, Pace, Pairing};
use crate::workshop::Maker;
use crate::{Job, Options};

const MAKERS: [Maker; 4] = [Maker::JeroMq, Maker::ZeroMqCrate, Maker::Rzmq, Maker::Omq];

/// The pairings that all of them support.
const KINDS: [(&str, &str); 4] =
    [("REQ", "REP"), ("PUSH", "PULL"), ("PUB", "SUB"), ("DEALER", "ROUTER")];

/// Those pairings.
pub(crate) fn pairings() -> impl Iterator<Item = Pairing> {
    PAIRINGS.into_iter().filter(|pairing| KINDS.contains(&(pairing.left, pairing.right)))
}

/// The jobs of all implementations.
pub(crate) fn jobs(options: &Options) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (word, pace) in Pace::all(options) {
        for other in MAKERS {
            for pairing in pairings() {
                for parts in [1, 3] {
                    // A connection kept for long is no different for a message of several parts.
                    if options.long && parts > 1 {
                        continue;
                    }
                    for makers in [(Maker::Ours, other), (other, Maker::Ours)] {
                        if parts > 1 && makers.0 == Maker::Rzmq && pairing.left == "REQ" {
                            // rzmq refuses to send a request of several parts.
                            continue;
                        }
                        for left_binds in [true, false] {
                            let meeting = Meeting {
                                pairing,
                                makers,
                                left_binds,
                                transport: "tcp",
                                parts,
                                pace,
                                heartbeat_ms: 0,
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
