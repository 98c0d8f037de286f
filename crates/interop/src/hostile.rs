//! Hostile peers: our library serves a libzmq peer while others send it anything but ZMTP. It must
//! stay up, keep its memory bounded, serve the honest peer without long gaps, and still be able to
//! close.

use crate::party::Party;
use crate::raw::{GREETING, Raw, command, frame, handshake, long_header, noise};
use crate::workshop::{Maker, Workshop};
use crate::{Job, Options};
use std::time::Duration;

/// How much the server's memory may grow: 2000 connections at what libzmq takes for one.
const MEMORY_LIMIT: i64 = 128 << 20;
/// How much it may grow by peers that come and go.
const FLAT_LIMIT: i64 = 8 << 20;
/// The longest that the honest peer may wait, on a machine that is busy with the attack, and with
/// whatever else: this tells a peer that is not served from one that is. How long it waited is
/// printed.
const WAIT_LIMIT_MS: f64 = 10_000.0;
const SILENT_PEERS: usize = 2000;

/// A kind of server and how it is seen to serve.
#[derive(Clone, Copy, Debug)]
struct Service {
    kind: &'static str,
    act: &'static str,
    peer: &'static str,
    peer_act: &'static str,
    /// The socket type that a hostile peer claims to get through the handshake; none where that
    /// would rightly take the server's attention (a REQ waits for the one it asked).
    disguise: Option<&'static str>,
}

const fn service(
    kind: &'static str,
    act: &'static str,
    peer: &'static str,
    peer_act: &'static str,
    disguise: Option<&'static str>,
) -> Service {
    Service { kind, act, peer, peer_act, disguise }
}

const SERVICES: [Service; 12] = [
    service("PAIR", "answer", "PAIR", "probe", Some("PAIR")),
    service("REP", "answer", "REQ", "probe", Some("REQ")),
    service("REQ", "probe", "REP", "answer", None),
    service("ROUTER", "answer", "DEALER", "probe", Some("DEALER")),
    service("DEALER", "gauge", "DEALER", "tick", Some("DEALER")),
    service("PULL", "gauge", "PUSH", "tick", Some("PUSH")),
    service("PUSH", "tick", "PULL", "gauge", Some("PULL")),
    service("SUB", "gauge", "PUB", "tick", Some("PUB")),
    service("XSUB", "gauge", "PUB", "tick", Some("PUB")),
    service("PUB", "tick", "SUB", "gauge", Some("SUB")),
    service("XPUB", "xtick", "SUB", "gauge", Some("SUB")),
    service("STREAM", "answer", "STREAM", "probe", None),
];

/// A server of ours, an honest peer of the reference, and what is known of the server's memory.
struct Scene {
    service: Service,
    endpoint: String,
    server: Party,
    peer: Party,
    first_resident: i64,
    growth: i64,
    worst: String,
}

/// The jobs against every kind of server.
pub(crate) fn jobs(options: &Options) -> Vec<Job> {
    let scale = if options.quick { 10 } else { 1 };
    let mut jobs = Vec::new();
    let mut add = |name: String, service: Service, transport, attack: Attack| {
        jobs.push(Job {
            name,
            run: Box::new(move |workshop| {
                let mut scene = Scene::open(workshop, service, transport)?;
                attack(&mut scene, scale)?;
                scene.close()
            }),
        });
    };
    for service in SERVICES {
        for transport in ["tcp", "ipc"] {
            // STREAM is for tcp only.
            if service.kind != "STREAM" || transport == "tcp" {
                let name = format!("hostile bytes to ours {}, {transport}", service.kind);
                add(name, service, transport, assault);
            }
        }
        if ["PUB", "XPUB"].contains(&service.kind) {
            let name = format!("a flood of subscriptions to ours {}, tcp", service.kind);
            add(name, service, "tcp", subscription_flood);
        }
        if ["PULL", "ROUTER", "REP", "DEALER", "XSUB"].contains(&service.kind) {
            let name = format!("messages broken off at ours {}, tcp", service.kind);
            add(name, service, "tcp", broken_messages);
        }
    }
    jobs
}

/// What is done to a scene; the second argument divides how often.
type Attack = fn(&mut Scene, usize) -> Result<(), String>;

impl Scene {
    fn open(workshop: &Workshop, service: Service, transport: &str) -> Result<Self, String> {
        let endpoint = workshop.endpoint(transport)?;
        let start = |maker, kind: &str, method: &str, act: &str| {
            let words = [kind, method, &endpoint, &format!("act={act}")].map(String::from);
            Party::start(workshop, maker, &words)
        };
        let mut server = start(Maker::Ours, service.kind, "bind", service.act)?;
        server.expect("BOUND", Duration::from_secs(30))?;
        let peer = start(Maker::Reference, service.peer, "connect", service.peer_act)?;
        let mut scene = Self {
            service,
            endpoint,
            server,
            peer,
            first_resident: 0,
            growth: 0,
            worst: String::new(),
        };
        scene.meter().expect("SYNCED", Duration::from_secs(30))?;
        scene.first_resident = scene.resident()?;
        Ok(scene)
    }

    /// The party that measures the service.
    fn meter(&mut self) -> &mut Party {
        if ["probe", "gauge"].contains(&self.service.act) {
            &mut self.server
        } else {
            &mut self.peer
        }
    }

    fn resident(&self) -> Result<i64, String> {
        let path = format!("/proc/{}/status", self.server.pid());
        let status = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())
            .map(|kilobytes: i64| kilobytes << 10)
            .ok_or_else(|| "no VmRSS: the server is down".into())
    }

    /// Looks at the server after an attack.
    fn look(&mut self, attack: &str) -> Result<(), String> {
        if !self.server.is_up() {
            let why = self.server.expect("-", Duration::ZERO).err().unwrap_or_default();
            return Err(format!("the server went down by {attack}: {why}"));
        }
        let growth = self.resident()? - self.first_resident;
        if growth > self.growth {
            self.growth = growth;
            self.worst = attack.to_owned();
        }
        if growth > MEMORY_LIMIT {
            return Err(format!("{attack}: memory grew by {} MiB", growth >> 20));
        }
        Ok(())
    }

    fn connect(&self) -> Result<Raw, String> {
        Raw::connect(&self.endpoint)
    }

    /// Ends the honest peer first; the server must have served it and be able to close.
    fn close(mut self) -> Result<String, String> {
        self.look("all")?;
        self.meter().say("stop")?;
        let gauge = self.meter().expect("GAUGE", Duration::from_secs(30))?;
        let (served, wait) = gauge.split_once(' ').ok_or("GAUGE without numbers")?;
        let wait: f64 = wait.parse().map_err(|_| "GAUGE without numbers")?;
        self.peer.end()?;
        self.server.end()?;
        if wait > WAIT_LIMIT_MS {
            return Err(format!("the honest peer waited {wait} ms (served {served} times)"));
        }
        let growth = self.growth as f64 / f64::from(1 << 20);
        Ok(format!(
            "{served} served, longest wait {wait} ms, memory +{growth:.1} MiB {}",
            self.worst
        ))
    }
}

/// Lets the server look at what it was sent before the peers leave.
#[expect(clippy::disallowed_methods, reason = "a hostile peer that stays for a while is the test")]
fn linger() {
    std::thread::sleep(Duration::from_millis(100));
}

/// Everything that is not ZMTP, or not for long, one kind after the other.
fn assault(scene: &mut Scene, _scale: usize) -> Result<(), String> {
    for (name, attack) in [
        ("random bytes", random_bytes as fn(&Scene) -> Result<(), String>),
        ("an HTTP request", http_request),
        ("half a greeting", half_greeting),
        ("half a frame", half_frame),
        ("endless lengths", endless_lengths),
        ("wrong socket types", wrong_types),
        ("malformed commands", malformed_commands),
        ("truncated handshakes", truncated_handshakes),
        ("split handshakes", split_handshakes),
    ] {
        attack(scene).map_err(|problem| format!("{name}: {problem}"))?;
        scene.look(name)?;
    }
    let silent = (0..SILENT_PEERS).map(|_| scene.connect()).collect::<Result<Vec<_>, _>>()?;
    linger();
    scene.look("silent peers")?;
    drop(silent);
    linger();
    scene.look("silent peers that left")
}

/// A crowd of peers that each say the same and stay for a while.
fn crowd(scene: &Scene, size: usize, bytes: &[u8]) -> Result<(), String> {
    let mut peers = Vec::new();
    for _ in 0..size {
        let mut peer = scene.connect()?;
        peer.say(bytes)?;
        peers.push(peer);
    }
    linger();
    Ok(())
}

fn random_bytes(scene: &Scene) -> Result<(), String> {
    for seed in 0..100 {
        // With a plausible beginning, too: of a greeting, and of a whole handshake.
        let mut bytes = handshake(1, scene.service.disguise.unwrap_or("PAIR"));
        bytes.truncate(match seed % 4 {
            0 | 1 => 0,
            2 => 11,
            _ => GREETING,
        });
        bytes.extend(noise(seed, 1 << (seed % 17)));
        scene.connect()?.say(&bytes)?;
    }
    linger();
    Ok(())
}

fn http_request(scene: &Scene) -> Result<(), String> {
    crowd(scene, 50, b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n")
}

fn half_greeting(scene: &Scene) -> Result<(), String> {
    let bytes = handshake(1, "PAIR");
    for length in [1, 9, 10, 11, 12, 32, 63] {
        crowd(scene, 10, &bytes[..length])?;
    }
    Ok(())
}

fn half_frame(scene: &Scene) -> Result<(), String> {
    let Some(disguise) = scene.service.disguise else { return Ok(()) };
    let mut bytes = handshake(1, disguise);
    bytes.extend(long_header(0, 100_000));
    bytes.extend(noise(1, 50_000));
    crowd(scene, 50, &bytes)
}

fn endless_lengths(scene: &Scene) -> Result<(), String> {
    let Some(disguise) = scene.service.disguise else { return Ok(()) };
    for flags in [0x00, 0x01, 0x04] {
        for length in [1 << 40, 1 << 62, (1 << 63) - 1, 1 << 63, u64::MAX - 8, u64::MAX] {
            let mut bytes = handshake(1, disguise);
            bytes.extend(long_header(flags, length));
            bytes.extend(noise(2, 20_000));
            crowd(scene, 5, &bytes)?;
        }
    }
    // The same in place of READY.
    let mut bytes = handshake(1, disguise);
    bytes.truncate(GREETING);
    bytes.extend(long_header(0x04, 1 << 63));
    crowd(scene, 5, &bytes)
}

fn wrong_types(scene: &Scene) -> Result<(), String> {
    let types = SERVICES.iter().map(|service| service.kind);
    for kind in types.chain(["", "NONSENSE", "push", "\0\u{7f}"]) {
        let fits = scene.service.disguise.is_none()
            && (kind == scene.service.peer || ["REP", "ROUTER", "STREAM"].contains(&kind));
        if !fits {
            crowd(scene, 3, &handshake(1, kind))?;
        }
    }
    Ok(())
}

fn malformed_commands(scene: &Scene) -> Result<(), String> {
    let Some(disguise) = scene.service.disguise else { return Ok(()) };
    let greeting = &handshake(1, disguise)[..GREETING];
    let before_ready = [
        b"\x04\x00".to_vec(),                              // no name at all
        b"\x04\x01\xff".to_vec(),                          // a name longer than the frame
        b"\x04\x08\x05READY\x0bS".to_vec(),                // a property that is cut off
        b"\x04\x0b\x05READY\x00\xff\xff\xff\xff".to_vec(), // a value of 4 GiB
        command(b"ERROR", b"\xffshort"),
        command(b"PING", b"\0\0"),
        frame(false, b"a message in place of READY"),
    ];
    for bytes in before_ready {
        crowd(scene, 3, &[greeting, &bytes].concat())?;
    }
    let ready = handshake(1, disguise);
    let after_ready = [
        b"\x04\x00".to_vec(),
        b"\x04\x01\xff".to_vec(),
        b"\xff\x01x".to_vec(),       // reserved flags
        b"\x05\x01x".to_vec(),       // a command with MORE
        command(b"PING", b""),       // without a TTL
        command(b"PING", &[0; 200]), // with too long a context
        command(b"SUBSCRIBE", b""),
        command(b"CANCEL", b"never subscribed"),
        command(b"READY", b""),
        command(b"NONSENSE", b"data"),
    ];
    for bytes in after_ready {
        crowd(scene, 3, &[ready.as_slice(), &bytes].concat())?;
    }
    Ok(())
}

fn truncated_handshakes(scene: &Scene) -> Result<(), String> {
    let bytes = handshake(1, scene.service.disguise.unwrap_or("NONSENSE"));
    for length in 0..bytes.len() {
        scene.connect()?.say(&bytes[..length])?;
        // The other side's first bytes have come and are not read: this connection is reset.
        let mut peer = scene.connect()?;
        peer.say(&bytes[..length])?;
        if length >= GREETING && scene.service.kind != "STREAM" {
            peer.hear(1);
        }
    }
    Ok(())
}

/// A slow but honest handshake, which the server must answer.
fn split_handshakes(scene: &Scene) -> Result<(), String> {
    let Some(disguise) = scene.service.disguise else { return Ok(()) };
    let bytes = handshake(1, disguise);
    let mut peers = Vec::new();
    for at in 1..bytes.len() {
        let mut peer = scene.connect()?;
        peer.say(&bytes[..at])?;
        peers.push((at, peer));
    }
    linger();
    for (at, peer) in &mut peers {
        peer.say(&bytes[*at..])?;
    }
    for (at, peer) in &mut peers {
        // A PAIR has a peer already and refuses any other.
        if !peer.hear_ready() && scene.service.kind != "PAIR" {
            return Err(format!("no answer to a handshake split at byte {at}"));
        }
    }
    // And byte by byte.
    let mut peer = scene.connect()?;
    for byte in &bytes {
        peer.say(&[*byte])?;
    }
    if !peer.hear_ready() && scene.service.kind != "PAIR" {
        return Err("no answer to a handshake byte by byte".into());
    }
    Ok(())
}

/// A million subscriptions of one peer to a thousand topics, as messages (ZMTP 3.0) and as
/// commands (ZMTP 3.1).
fn subscription_flood(scene: &mut Scene, scale: usize) -> Result<(), String> {
    for minor in [0, 1] {
        let mut peer = scene.connect()?;
        peer.say(&handshake(minor, "SUB"))?;
        if !peer.hear_ready() {
            return Err("no answer to the handshake".into());
        }
        let topics = (0..1000).map(|topic| format!("flood-{topic}"));
        let batch: Vec<u8> = topics
            .flat_map(|topic| match minor {
                0 => frame(false, format!("\x01{topic}").as_bytes()),
                _ => command(b"SUBSCRIBE", topic.as_bytes()),
            })
            .collect();
        for _ in 0..500 / scale {
            if !peer.say(&batch)? {
                return Err("the server dropped a peer that subscribes a lot".into());
            }
        }
        linger();
        scene.look("a flood of subscriptions")?;
    }
    Ok(())
}

/// Peers that send the first parts of a message and reset the connection.
fn broken_messages(scene: &mut Scene, scale: usize) -> Result<(), String> {
    let Some(disguise) = scene.service.disguise else { return Ok(()) };
    let mut bytes = handshake(1, disguise);
    for part in 0..20 {
        bytes.extend(frame(true, &noise(part, 250)));
    }
    let rounds = 10_000 / scale;
    let mut early = 0;
    for round in 0..rounds {
        let mut peer = scene.connect()?;
        peer.say(&bytes)?;
        if !peer.hear_ready() {
            return Err(format!("no answer to handshake {round}"));
        }
        if round == rounds / 5 {
            scene.look("broken messages")?;
            early = scene.resident()?;
        }
    }
    linger();
    scene.look("broken messages")?;
    let growth = scene.resident()? - early;
    if growth > FLAT_LIMIT {
        return Err(format!("memory grew by {} MiB after the first fifth", growth >> 20));
    }
    Ok(())
}
