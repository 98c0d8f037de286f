//! Clients that a security server must not let in: no message passes, and both ends say why by a
//! monitor event.

use crate::Job;
use crate::matrix::Pairing;
use crate::party::Party;
use crate::security::{MECHANISMS, Mechanism, Security, pairings};
use crate::workshop::{Maker, Workshop};
use std::time::Duration;

/// How long an event may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server and a client that it must not let in.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    pairing: Pairing,
    makers: (Maker, Maker),
    left_binds: bool,
    security: Security,
}

/// Every pair of socket types, with a handler that denies and, for PLAIN, with none at all.
pub(crate) fn jobs() -> Vec<Job> {
    let mut jobs = Vec::new();
    for mechanism in MECHANISMS {
        for zap in [true, false] {
            if !zap && mechanism != Mechanism::Plain {
                continue;
            }
            for pairing in pairings() {
                for makers in [(Maker::Ours, Maker::Reference), (Maker::Reference, Maker::Ours)] {
                    for (left_serves, left_binds) in
                        [(true, true), (true, false), (false, true), (false, false)]
                    {
                        let friend = !zap;
                        let security = Security {
                            mechanism,
                            left_serves,
                            zap,
                            friend,
                            named: true,
                            handshake_ms: 0,
                        };
                        jobs.push(Refusal { pairing, makers, left_binds, security }.job());
                    }
                }
            }
        }
    }
    jobs
}

impl Refusal {
    fn job(self) -> Job {
        let (left, right) = (self.makers.0.name(), self.makers.1.name());
        let (does, answers) =
            if self.left_binds { ("binds", "connects") } else { ("connects", "binds") };
        let name = format!(
            "{left} {} {does} - {right} {} {answers}, {}, refused",
            self.pairing.left,
            self.pairing.right,
            self.security.words()
        );
        Job { name, run: Box::new(move |workshop| self.hold(workshop)) }
    }

    /// The events that the server's and the client's monitor must tell.
    fn events(&self) -> (&'static str, Option<&'static str>) {
        let (server, client) = if self.security.left_serves {
            (self.makers.0, self.makers.1)
        } else {
            (self.makers.1, self.makers.0)
        };
        match (self.security.mechanism, self.security.zap) {
            // EFAULT: there is nobody to ask. libzmq keeps such a connection open and silent, whoever
            // the client is; ours closes it (EPIPE at the client).
            (_, false) if server == Maker::Reference => ("NO_DETAIL 14", None),
            (_, false) => ("NO_DETAIL 14", Some("NO_DETAIL 32")),
            // libzmq 4.3.4 does not know the ERROR command of RFC 24 in a PLAIN client: it speaks of
            // an unexpected command. Its own server misspells the command, which ours understands.
            (Mechanism::Plain, true) if server == Maker::Ours && client == Maker::Reference => {
                ("AUTH 400", Some("PROTOCOL 0x10000001"))
            }
            _ => ("AUTH 400", Some("AUTH 400")),
        }
    }

    fn hold(&self, workshop: &Workshop) -> Result<String, String> {
        let endpoint = workshop.endpoint("tcp")?;
        let start = |left: bool| {
            let (maker, kind) = if left {
                (self.makers.0, self.pairing.left)
            } else {
                (self.makers.1, self.pairing.right)
            };
            let method = if left == self.left_binds { "bind" } else { "connect" };
            let mut arguments: Vec<String> =
                [kind, method, &endpoint, "act=refused", "refuses=1", "heartbeat_ms=100"]
                    .map(String::from)
                    .into();
            arguments.extend(self.security.arguments(left));
            Party::start(workshop, maker, &arguments)
        };
        let mut binder = start(self.left_binds)?;
        binder.expect("BOUND", PATIENCE)?;
        let connector = start(!self.left_binds)?;
        let (mut server, mut client) = if self.security.left_serves == self.left_binds {
            (binder, connector)
        } else {
            (connector, binder)
        };
        let (at_server, at_client) = self.events();
        expect_event(&mut server, "server", at_server)?;
        if let Some(event) = at_client {
            expect_event(&mut client, "client", event)?;
        }
        let (client, server) = (client.end()?, server.end()?);
        if client.admitted || server.admitted {
            return Err("a handshake succeeded".into());
        }
        if server.asked.is_some_and(|asked| asked == 0) {
            return Err("the ZAP handler was not asked".into());
        }
        Ok(format!("{at_server} and {}", at_client.unwrap_or("silence")))
    }
}

/// The first event must be the right one.
fn expect_event(party: &mut Party, role: &str, wanted: &str) -> Result<(), String> {
    let got = party.expect("EVENT", PATIENCE)?;
    if got == wanted { Ok(()) } else { Err(format!("{role}: {got} instead of {wanted}")) }
}
