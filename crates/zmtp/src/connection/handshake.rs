//! From the first octet to the last READY with a ZMTP 3.x peer, and the recognition of older peers,
//! whose own handshake is in `legacy`.

use crate::command::{self, Command};
use crate::error::{Error, Incompatible, Misbehaved, printable};
use crate::frame::{self, Framing};
use crate::greeting::{self, OUR_MAJOR, REST_LEN, Rest, SIGNATURE_LEN};
use crate::limits::MAX_REASON;
use crate::mechanism::plain::MISSPELT_ERROR;
use crate::mechanism::{self, Mechanism, Outcome, Progress, Scene};
use crate::version::Version;

use super::config::{Config, MechanismConfig};
use super::event::{Credentials, Verdict};
use super::legacy::{LegacyRoutingId, LegacyType};
use super::state::{Context, State, Step};

/// Our signature is sent, the peer's is awaited.
#[derive(Debug)]
pub(crate) struct Signature;

/// The signatures and our major version are sent, the peer's is awaited.
#[derive(Debug)]
pub(crate) struct Revision;

/// Our greeting is sent whole, the rest of the peer's is awaited.
#[derive(Debug)]
pub(crate) struct Greeting {
    major: u8,
}

/// A command of the mechanism is awaited.
#[derive(Debug)]
pub(crate) struct Security {
    version: Version,
    mechanism: Mechanism,
}

/// The owner's verdict is awaited. Nothing of what the peer goes on to say is looked at.
#[derive(Debug)]
pub(crate) struct Asking {
    version: Version,
    asking: mechanism::Asking,
}

/// The owner's verdict was the last step; the owner has not been told yet.
#[derive(Debug)]
pub(crate) struct Accepted {
    outcome: Box<Outcome>,
}

impl Signature {
    /// Sends what must come first: 10 octets, which every version understands, and not one more,
    /// since a ZMTP 1.0 peer would take the eleventh for its own.
    pub(crate) fn start(cx: &mut Context<'_>) -> State {
        cx.out.extend_from_slice(&greeting::signature(cx.config.routing_id.len()));
        State::Signature(Self)
    }

    pub(crate) fn handle(self, cx: &mut Context<'_>, input: &[u8]) -> Result<Step, Error> {
        // RFC 37: "If this first octet is not %FF, then the other peer is using ZMTP 1.0".
        match input.first() {
            None => return Ok(Step::Wait(State::Signature(self), 1)),
            Some(&first) if first != 0xff => return Self::unversioned(cx),
            Some(_) => {}
        }
        let Some(&tenth) = input.get(SIGNATURE_LEN - 1) else {
            return Ok(Step::Wait(State::Signature(self), SIGNATURE_LEN));
        };
        // RFC 37: "inspect the last octet (the 10th in total). If the least significant bit is 0,
        // then the other peer is using ZMTP 1.0 and has sent us a long length for its identity."
        if tenth & 1 == 0 {
            return Self::unversioned(cx);
        }
        cx.out.push(OUR_MAJOR);
        Ok(Step::Next(SIGNATURE_LEN, State::Revision(Revision)))
    }

    /// RFC 37: "We continue by sending the body of the identity frame", whose header our signature
    /// was. None of the peer's octets is consumed: they are its routing id frame.
    fn unversioned(cx: &mut Context<'_>) -> Result<Step, Error> {
        require_null(cx.config, Version::V1_0)?;
        cx.out.extend_from_slice(&cx.config.routing_id);
        Ok(Step::Next(0, LegacyRoutingId::unversioned()))
    }
}

impl Revision {
    pub(crate) fn handle(self, cx: &mut Context<'_>, input: &[u8]) -> Result<Step, Error> {
        let Some(&revision) = input.first() else {
            return Ok(Step::Wait(State::Revision(self), 1));
        };
        let next = match revision {
            // No specification has a revision 0. libzmq answers it with the framing of ZMTP 1.0,
            // beginning with a whole routing id frame.
            0 => {
                require_null(cx.config, Version::V1_0)?;
                let routing_id = &cx.config.routing_id;
                frame::encode_header(Framing::V1, false, routing_id.len(), cx.out);
                cx.out.extend_from_slice(routing_id);
                LegacyRoutingId::unversioned()
            }
            // RFC 37: "If the peer version number is 1 or 2, the peer is using ZMTP 2.0".
            1 | 2 => {
                require_null(cx.config, Version::V2_0)?;
                LegacyType::start(cx)
            }
            major => {
                let mechanism = &cx.config.mechanism;
                cx.out.extend_from_slice(&greeting::rest(mechanism.name(), mechanism.as_server()));
                State::Greeting(Greeting { major })
            }
        };
        Ok(Step::Next(1, next))
    }
}

/// RFC 37: "If the implementation's security mechanism is anything other than NULL, and it detects a
/// ZMTP 1.0 or 2.0 peer, it MUST immediately close the connection."
///
/// Nor can such a peer be let in or turned away by the owner's decision: with a ZAP domain, libzmq
/// closes these connections, too.
fn require_null(config: &Config, version: Version) -> Result<(), Error> {
    if config.mechanism.is_null() && !config.authenticate {
        Ok(())
    } else {
        Err(Incompatible::Insecure(version).into())
    }
}

impl Greeting {
    pub(crate) fn handle(self, cx: &mut Context<'_>, input: &[u8]) -> Result<Step, Error> {
        let Some(rest) = input.first_chunk::<REST_LEN>() else {
            return Ok(Step::Wait(State::Greeting(self), REST_LEN));
        };
        let rest = Rest::parse(rest);
        let ours = &cx.config.mechanism;
        // RFC 37: "If the mechanism that the peer received does not exactly match the mechanism it
        // sent, it MUST close the connection."
        if rest.mechanism != greeting::mechanism_field(ours.name()) {
            let theirs = greeting::display_mechanism(&rest.mechanism);
            return Err(Incompatible::Mechanism { ours: ours.name(), theirs }.into());
        }
        // RFC 37, "Topology": one side is the server. A peer that says nothing may be either, since
        // libzmq never says so; of two servers, one is lying.
        if ours.as_server() && rest.as_server {
            return Err(Incompatible::TwoServers.into());
        }
        let version = Version { major: self.major, minor: rest.minor };
        let progress = mechanism::start(&mut scene(cx, version))?;
        Ok(follow(REST_LEN, version, progress))
    }
}

fn scene<'a>(cx: &'a mut Context<'_>, version: Version) -> Scene<'a> {
    Scene { config: cx.config, version, out: cx.out }
}

/// The state that follows from what the mechanism did.
fn follow(consumed: usize, version: Version, progress: Progress) -> Step {
    match progress {
        Progress::Await(mechanism) => {
            Step::Next(consumed, State::Security(Security { version, mechanism }))
        }
        Progress::Ask(asking) => Step::Ask(consumed, State::Asking(Asking { version, asking })),
        Progress::Done(outcome) => Step::Ready(consumed, outcome),
    }
}

impl Security {
    /// Whether the peer has a cookie of ours, which is good for a while only.
    pub(super) fn has_cookie_out(&self) -> bool {
        self.mechanism.has_cookie_out()
    }

    pub(crate) fn handle(self, cx: &mut Context<'_>, input: &[u8]) -> Result<Step, Error> {
        let header = match frame::decode_header(Framing::V2, input) {
            None => {
                let wanted = input.len() + 1;
                return Ok(Step::Wait(State::Security(self), wanted));
            }
            Some(header) => header.map_err(Misbehaved::from)?,
        };
        let is_first = self.mechanism.awaits_hello();
        if !header.command {
            let how = if is_first { Misbehaved::MessageForHello } else { Misbehaved::EarlyMessage };
            return Err(how.into());
        }
        let limit = self.mechanism.command_limit();
        if header.body > limit {
            let len = header.body;
            if !is_first {
                return Err(Misbehaved::CommandTooLarge { len, limit }.into());
            }
            // A monitor is told whether it is HELLO that is too large.
            let head = header.header + mechanism::HELLO_HEAD.len();
            return match input.get(header.header..head) {
                None => Ok(Step::Wait(State::Security(self), head)),
                Some(mechanism::HELLO_HEAD) => Err(Misbehaved::HelloTooLarge { len, limit }.into()),
                Some(_) => Err(Misbehaved::UnexpectedCommand.into()),
            };
        }
        let end = header.header + header.body as usize;
        let Some(body) = input.get(header.header..end) else {
            return Ok(Step::Wait(State::Security(self), end));
        };
        let command = name(&cx.config.mechanism, is_first, body)?;
        let progress = self.mechanism.handle(&mut scene(cx, self.version), command);
        match progress {
            Ok(progress) => Ok(follow(end, self.version, progress)),
            Err(error) => {
                explain(&error, cx);
                Err(error)
            }
        }
    }
}

/// Takes the body of a handshake command apart.
fn name<'a>(
    mechanism: &MechanismConfig,
    is_first: bool,
    body: &'a [u8],
) -> Result<Command<'a>, Misbehaved> {
    if let Some(command) = Command::parse(body) {
        return Ok(command);
    }
    if matches!(mechanism, MechanismConfig::PlainClient { .. })
        && let Some(data) = body.strip_prefix(MISSPELT_ERROR)
    {
        return Ok(Command { name: command::ERROR, data });
    }
    // libzmq looks at the characters of names nowhere, and whether there is room for one only where
    // it awaits HELLO.
    let has_room = body
        .split_first()
        .is_some_and(|(&len, rest)| !rest.is_empty() && rest.len() >= usize::from(len));
    let malformed = is_first && !has_room;
    Err(if malformed { Misbehaved::NamelessCommand } else { Misbehaved::NamelessHandshakeCommand })
}

impl Asking {
    /// What the owner needs to decide.
    pub(super) fn credentials(&self) -> Credentials<'_> {
        self.asking.credentials()
    }

    /// Goes on as the owner decides.
    pub(super) fn decide(self, verdict: Verdict, cx: &mut Context<'_>) -> Result<State, Error> {
        match verdict {
            Verdict::Accept => {}
            Verdict::Deny { status } => {
                // RFC 27: 300 is a "temporary error", after which a client may try again: libzmq
                // says nothing then.
                if status != 300 {
                    refuse(&status.to_string(), cx.out);
                }
                return Err(Error::Denied { status });
            }
            Verdict::Drop => return Err(Error::Rejected),
        }
        let progress = self.asking.accept(&mut scene(cx, self.version));
        let step = match progress {
            Ok(progress) => follow(0, self.version, progress),
            Err(error) => {
                explain(&error, cx);
                return Err(error);
            }
        };
        match step {
            Step::Wait(state, _) | Step::Next(_, state) | Step::Ask(_, state) => Ok(state),
            Step::Ready(_, outcome) => Ok(State::Accepted(Accepted { outcome })),
        }
    }
}

impl Accepted {
    pub(crate) fn handle(self) -> Step {
        Step::Ready(0, self.outcome)
    }
}

/// RFC 37: "it SHOULD handle errors by returning an ERROR command, and then disconnecting the
/// peer." With the other mechanisms ERROR says who is not let in and nothing else, as libzmq has it.
fn explain(error: &Error, cx: &mut Context<'_>) {
    if !cx.config.mechanism.is_null() {
        return;
    }
    match error {
        Error::Incompatible(_) => refuse("incompatible-socket-type", cx.out),
        Error::Misbehaved(Misbehaved::Metadata(_)) => refuse("invalid-metadata", cx.out),
        _ => {}
    }
}

/// Appends an ERROR command. Octets outside VCHAR, which its grammar does not allow, are escaped.
pub(crate) fn refuse(reason: &str, out: &mut Vec<u8>) {
    let mut reason = printable(reason.as_bytes()).replace(' ', "-");
    reason.truncate(MAX_REASON);
    command::encode(command::ERROR, &[&[reason.len() as u8], reason.as_bytes()], out);
}
