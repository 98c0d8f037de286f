//! Heartbeats (RFC 37, "Connection Heartbeating") as arithmetic on instants that the caller gives.

use std::time::{Duration, Instant};

use crate::command;
use crate::error::{Error, Misbehaved};
use crate::limits::{MAX_PENDING_CONTROL, MAX_PING_CONTEXT};

use super::config::Config;

/// The timers of a connection whose handshake is over.
///
/// `silence_ends` is the one deadline that any octet from the peer lifts. A PING of ours sets it
/// ("If it sends a PING command and does not receive any traffic within some timeout"), and so does
/// a PING of the peer that has a TTL ("and then does not receive any further traffic within that
/// TTL").
#[derive(Debug)]
pub(crate) struct Heartbeat {
    next_ping: Option<Instant>,
    silence_ends: Option<Instant>,
    interval: Duration,
    timeout: Duration,
    ttl: u16,
}

/// A TTL as PING carries it. RFC 37: "measured in tenths of seconds [...] the maximum TTL is 6553.5
/// seconds".
fn deciseconds(ttl: Duration) -> u16 {
    u16::try_from(ttl.as_millis() / 100).unwrap_or(u16::MAX)
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl Heartbeat {
    /// Timers for a connection that sends no PINGs: it has no commands, or is not ready yet.
    pub(crate) fn silent() -> Self {
        Self {
            next_ping: None,
            silence_ends: None,
            interval: Duration::ZERO,
            timeout: Duration::ZERO,
            ttl: 0,
        }
    }

    /// Timers for a connection to a peer that has commands.
    pub(crate) fn start(config: &Config, now: Instant) -> Self {
        let Some(interval) = config.heartbeat_interval.filter(|every| !every.is_zero()) else {
            return Self::silent();
        };
        Self {
            // An instant beyond what the clock can tell never comes.
            next_ping: now.checked_add(interval),
            silence_ends: None,
            interval,
            timeout: config.heartbeat_timeout.unwrap_or(interval),
            ttl: deciseconds(config.heartbeat_ttl),
        }
    }

    /// RFC 37: "a peer SHOULD treat any incoming traffic (not just a PONG reply) as a sign of life."
    #[inline]
    pub(crate) fn heard(&mut self) {
        self.silence_ends = None;
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        earlier(self.next_ping, self.silence_ends)
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Vec<u8>) -> Result<(), Error> {
        if self.silence_ends.is_some_and(|at| at <= now) {
            return Err(Error::HeartbeatTimeout);
        }
        if self.next_ping.is_some_and(|at| at <= now) {
            self.next_ping = now.checked_add(self.interval);
            self.ping(now, out);
        }
        Ok(())
    }

    fn ping(&mut self, now: Instant, out: &mut Vec<u8>) {
        // RFC 37: "a peer should not send more than a small number of PING commands without
        // receiving PONG replies": none at all while earlier octets cannot leave.
        if out.is_empty() {
            command::encode(command::PING, &[&self.ttl.to_be_bytes()], out);
        }
        // The earlier one: neither a PING sent since nor a long TTL of the peer grants more time.
        self.silence_ends = earlier(self.silence_ends, now.checked_add(self.timeout));
    }

    /// Answers a PING of the peer; `data` follows the command's name.
    pub(crate) fn answer(
        &mut self,
        now: Instant,
        data: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let malformed = Misbehaved::Command("PING");
        let (ttl, context) = data.split_first_chunk::<2>().ok_or(malformed)?;
        // RFC 37: the context "MUST not exceed 16 octets".
        if context.len() > MAX_PING_CONTEXT {
            return Err(malformed.into());
        }
        if out.len() > MAX_PENDING_CONTROL {
            return Err(Misbehaved::Flood.into());
        }
        // RFC 37: "it SHALL respond with a PONG command that echoes the ping-context".
        command::encode(command::PONG, &[context], out);
        let ttl = u16::from_be_bytes(*ttl);
        if ttl > 0 {
            let ends = now.checked_add(Duration::from_millis(u64::from(ttl) * 100));
            self.silence_ends = earlier(self.silence_ends, ends);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket_type::SocketType;

    const SECOND: Duration = Duration::from_secs(1);

    fn every_second(timeout: Option<Duration>) -> Config {
        let mut config = Config::new(SocketType::Dealer);
        config.heartbeat_interval = Some(SECOND);
        config.heartbeat_timeout = timeout;
        config.heartbeat_ttl = Duration::from_millis(1_950);
        config
    }

    #[test]
    fn a_ping_is_sent_every_interval_and_silence_after_it_ends_the_connection() {
        let t0 = Instant::now();
        let mut beat = Heartbeat::start(&every_second(Some(3 * SECOND)), t0);
        let mut out = Vec::new();
        for second in 1..=3 {
            let now = t0 + second * SECOND;
            assert_eq!(beat.poll_timeout(), Some(now));
            beat.handle_timeout(now, &mut out).unwrap();
            assert_eq!(out, b"\x04\x07\x04PING\0\x13");
            out.clear();
        }
        let now = t0 + 4 * SECOND;
        assert_eq!(beat.poll_timeout(), Some(now));
        assert_eq!(beat.handle_timeout(now, &mut out), Err(Error::HeartbeatTimeout));
    }

    #[test]
    fn any_octet_is_life() {
        let t0 = Instant::now();
        let mut beat = Heartbeat::start(&every_second(None), t0);
        let mut out = Vec::new();
        for second in 1..=100 {
            beat.handle_timeout(t0 + second * SECOND, &mut out).unwrap();
            out.clear();
            beat.heard();
        }
    }

    #[test]
    fn pings_do_not_pile_up_when_nothing_leaves() {
        let t0 = Instant::now();
        let mut beat = Heartbeat::start(&every_second(None), t0);
        let mut out = Vec::new();
        for second in 1..=100 {
            beat.handle_timeout(t0 + second * SECOND, &mut out).unwrap();
            beat.heard();
        }
        assert_eq!(out, b"\x04\x07\x04PING\0\x13");
    }

    #[test]
    fn a_ttl_of_the_peer_counts_without_heartbeats_of_our_own() {
        let t0 = Instant::now();
        let mut beat = Heartbeat::silent();
        let mut out = Vec::new();
        beat.answer(t0, b"\0\x0actx", &mut out).unwrap();
        assert_eq!(out, b"\x04\x08\x04PONGctx");
        assert_eq!(beat.poll_timeout(), Some(t0 + SECOND));
        beat.handle_timeout(t0 + SECOND / 2, &mut out).unwrap();
        assert_eq!(beat.handle_timeout(t0 + SECOND, &mut out), Err(Error::HeartbeatTimeout));
        beat.heard();
        assert_eq!(beat.poll_timeout(), None);
    }

    #[test]
    fn a_long_ttl_of_the_peer_does_not_stretch_our_own_timeout() {
        let t0 = Instant::now();
        let mut beat = Heartbeat::start(&every_second(None), t0);
        let mut out = Vec::new();
        beat.answer(t0, b"\xff\xff", &mut out).unwrap();
        beat.handle_timeout(t0 + SECOND, &mut out).unwrap();
        let verdict = beat.handle_timeout(t0 + 2 * SECOND, &mut out);
        assert_eq!(verdict, Err(Error::HeartbeatTimeout));
    }

    #[test]
    fn a_ping_without_ttl_asks_for_nothing_but_a_pong() {
        let mut beat = Heartbeat::silent();
        let mut out = Vec::new();
        beat.answer(Instant::now(), b"\0\0", &mut out).unwrap();
        assert_eq!(out, b"\x04\x05\x04PONG");
        assert_eq!(beat.poll_timeout(), None);
    }

    #[test]
    fn malformed_pings_and_floods_are_refused() {
        let now = Instant::now();
        let mut beat = Heartbeat::silent();
        let mut out = Vec::new();
        beat.answer(now, &[0; 18], &mut out).unwrap();
        for bad in [&[][..], &[0], &[0; 19]] {
            let verdict = beat.answer(now, bad, &mut out);
            assert_eq!(verdict, Err(Misbehaved::Command("PING").into()));
        }
        let flood = (0..10_000).find_map(|_| beat.answer(now, &[0; 18], &mut out).err());
        assert_eq!(flood, Some(Misbehaved::Flood.into()));
        assert!(out.len() < MAX_PENDING_CONTROL + 100);
    }

    #[test]
    fn times_to_live_are_clamped() {
        assert_eq!(deciseconds(Duration::ZERO), 0);
        assert_eq!(deciseconds(Duration::from_millis(199)), 1);
        assert_eq!(deciseconds(Duration::from_millis(6_553_500)), 65535);
        assert_eq!(deciseconds(Duration::MAX), 65535);
    }

    #[test]
    fn an_interval_beyond_the_clock_never_comes() {
        let mut config = every_second(None);
        config.heartbeat_interval = Some(Duration::MAX);
        assert_eq!(Heartbeat::start(&config, Instant::now()).poll_timeout(), None);
    }
}
