//! Faults of other implementations that the matrix steps around. Each is shown here with peers that
//! are not ours as well; when one is gone, its test fails and the step aside can go too.

use crate::Job;
use crate::matrix::{Meeting, PAIRINGS, Pace};
use crate::security::{Mechanism, Security};
use crate::workshop::{Maker, Workshop};
use std::time::Duration;

/// How long a fault may take to show on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(18);

/// A fault of somebody else.
#[derive(Clone, Copy, Debug)]
struct Exception {
    name: &'static str,
    /// Left and right, of which at least one is at fault.
    makers: (Maker, Maker),
    kinds: (&'static str, &'static str),
    mechanism: Mechanism,
    left_serves: bool,
    left_binds: bool,
    shows: Shows,
}

/// How a fault shows at the left side.
#[derive(Clone, Copy, Debug)]
enum Shows {
    /// The connection breaks and comes back, and the ZAP handler is asked again.
    AsksAgain { heartbeat_ms: u32 },
    /// The handshake fails with this event.
    Fails(&'static str),
}

/// A security server of the crate must be bound and its client connected: it takes its part in a
/// mechanism from the side of the connection it is on, not from the options.
const FIXED: &str = "rzmq serves where it binds only";

/// It takes a sealed PING for a protocol error.
const NO_PING: &str = "rzmq drops a CURVE peer that sends heartbeats";

/// A REQ drops the connection when a reply comes if its ZAP handler named a user.
const NAMED: &str = "libzmq REQ drops a peer that ZAP has named";

const DEALING: (&str, &str) = ("DEALER", "ROUTER");
const AGAIN: Shows = Shows::AsksAgain { heartbeat_ms: 0 };
const HEARTBEATS: Shows = Shows::AsksAgain { heartbeat_ms: 100 };

const fn exception(
    name: &'static str,
    makers: (Maker, Maker),
    kinds: (&'static str, &'static str),
    mechanism: Mechanism,
    (left_serves, left_binds): (bool, bool),
    shows: Shows,
) -> Exception {
    Exception { name, makers, kinds, mechanism, left_serves, left_binds, shows }
}

/// With libzmq, and with ours where the same can be seen.
fn exceptions() -> [Exception; 7] {
    let (libzmq, rzmq, ours) = (Maker::Reference, Maker::Rzmq, Maker::Ours);
    let (plain, curve) = (Mechanism::Plain, Mechanism::Curve);
    // EPIPE, and a command that a server sends instead of the client's.
    let (closed, unexpected) = (Shows::Fails("NO_DETAIL 32"), Shows::Fails("PROTOCOL 0x10000001"));
    [
        exception(NAMED, (libzmq, libzmq), ("REQ", "REP"), plain, (true, true), AGAIN),
        exception(NAMED, (libzmq, ours), ("REQ", "REP"), plain, (true, true), AGAIN),
        exception(FIXED, (libzmq, rzmq), DEALING, plain, (false, true), unexpected),
        exception(FIXED, (ours, rzmq), DEALING, plain, (false, true), unexpected),
        exception(FIXED, (libzmq, rzmq), DEALING, curve, (false, true), closed),
        exception(NO_PING, (libzmq, rzmq), DEALING, curve, (true, true), HEARTBEATS),
        exception(NO_PING, (ours, rzmq), DEALING, curve, (true, true), HEARTBEATS),
    ]
}

/// The jobs of all exceptions.
pub(crate) fn jobs() -> Vec<Job> {
    let job = |exception: Exception| Job {
        name: format!(
            "exception: {} ({} {} - {} {})",
            exception.name,
            exception.makers.0.name(),
            exception.kinds.0,
            exception.makers.1.name(),
            exception.kinds.1,
        ),
        run: Box::new(move |workshop| exception.show(workshop)),
    };
    exceptions().into_iter().map(job).collect()
}

impl Exception {
    fn show(&self, workshop: &Workshop) -> Result<String, String> {
        let pairing = PAIRINGS
            .into_iter()
            .find(|pairing| (pairing.left, pairing.right) == self.kinds)
            .ok_or("no such pairing")?;
        let heartbeat_ms = match self.shows {
            Shows::AsksAgain { heartbeat_ms } => heartbeat_ms,
            Shows::Fails(_) => 0,
        };
        let meeting = Meeting {
            pairing,
            makers: self.makers,
            left_binds: self.left_binds,
            transport: "tcp",
            parts: 1,
            pace: Pace { count: 1, rounds: 2, gap_ms: 20_000 },
            heartbeat_ms,
            security: Some(Security {
                mechanism: self.mechanism,
                left_serves: self.left_serves,
                zap: true,
                friend: true,
                named: true,
                handshake_ms: 0,
            }),
        };
        let watches: &[&str] = match self.shows {
            Shows::AsksAgain { .. } => &[],
            // The last of equal arguments counts.
            Shows::Fails(_) => &["act=refused", "refuses=1"],
        };
        let (mut left, _right) = meeting.start(workshop, watches)?;
        match self.shows {
            Shows::AsksAgain { .. } => loop {
                if left.expect("ASKING", PATIENCE)? == "2" {
                    return Ok("asked again".into());
                }
            },
            Shows::Fails(wanted) => {
                let got = left.expect("EVENT", PATIENCE)?;
                if got == wanted { Ok(got) } else { Err(format!("{got} instead of {wanted}")) }
            }
        }
    }
}
