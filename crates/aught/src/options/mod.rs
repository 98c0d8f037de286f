//! The options of sockets and contexts: what the values are kept in, and what a change asks of
//! a live socket. What options there are stands in `table`, the bytes of values are read and
//! written in `value`, the options of contexts are in `context`.

mod context;
mod extension;
mod filter;
mod security;
mod table;
mod value;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::Duration;

use zeroize::{Zeroize, Zeroizing};
use zmtp::SocketType;
use zmtp::limits::{MAX_METADATA, MAX_PROPERTIES};

pub(crate) use context::{ContextOptions, Scheduling};
pub use extension::Unauthenticated;
pub(crate) use extension::{Limits, numbers as extensions};
pub(crate) use filter::{IpNetwork, ProcessFilter, short_ipv4};
pub(crate) use security::{Asks, Security};
pub(crate) use table::numbers;
pub(crate) use value::{write_bytes, write_int};

use crate::error::Error;
use crate::pattern::PatternOption;
use table::{Access, Built, INVERTIBLE, Kind, NO_LINGER};
use value::{Value, terminated, text, until_zero};

/// When attempts to connect end: the bits of `ZMQ_RECONNECT_STOP`.
pub(crate) mod reconnect_stop {
    /// Nobody listens at the endpoint.
    pub(crate) const REFUSED: i32 = 1;
    /// The peer does not shake hands.
    pub(crate) const HANDSHAKE_FAILED: i32 = 2;
    /// The application has disconnected, though something is left to be sent.
    pub(crate) const AFTER_DISCONNECT: i32 = 4;
}

/// Why an option could not be set or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OptionError {
    /// There is no such option.
    Unknown,
    /// The value is too short or too long, or there is no room for it.
    WrongSize,
    /// The value means nothing to this option.
    OutOfRange,
    /// Sockets of this type do not have the option.
    NotForThisType,
    /// The option can only be read.
    ReadOnly,
    /// The option can only be set.
    WriteOnly,
    /// What the option is about is not built in: the reason.
    Unsupported(&'static str),
    /// The value has to be read off the live socket.
    Live,
}

impl From<OptionError> for Error {
    fn from(error: OptionError) -> Self {
        Self::Invalid(match error {
            OptionError::Unknown => "there is no such option",
            OptionError::WrongSize => "the option's value has another size",
            OptionError::OutOfRange => "the option does not take this value",
            OptionError::NotForThisType => "this socket type does not have the option",
            OptionError::ReadOnly => "the option can only be read",
            OptionError::WriteOnly => "the option can only be set",
            OptionError::Unsupported(reason) => reason,
            OptionError::Live => "the option belongs to the live socket",
        })
    }
}

/// What a change asks of the socket whose option it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The value is looked at when it is needed.
    Nothing,
    /// Pipes that exist have other high-water marks now.
    Marks,
    /// The linger time is another.
    Linger,
    /// Peers in this process are told another routing id.
    RoutingId,
    /// The change is for the pattern.
    Pattern(PatternOption),
}

/// The values of a socket's options. Times of `None` mean what -1 or 0 means at the C interface,
/// as said at each.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    kind: SocketType,
    /// The I/O threads for new connections: bit 0 is the first, no bit means all.
    pub(crate) affinity: u64,
    /// Announced to peers; empty means that they make one up.
    pub(crate) routing_id: Vec<u8>,
    /// In bytes; -1 leaves the system's default.
    pub(crate) sndbuf: i32,
    /// In bytes; -1 leaves the system's default.
    pub(crate) rcvbuf: i32,
    /// `None` is for ever.
    pub(crate) linger: Option<Duration>,
    /// `None` is no reconnecting.
    pub(crate) reconnect_ivl: Option<Duration>,
    /// Zero is no growth.
    pub(crate) reconnect_ivl_max: Duration,
    /// `ZMQ_RECONNECT_STOP_*` flags.
    pub(crate) reconnect_stop: i32,
    pub(crate) backlog: i32,
    /// The longest frame that is taken from a peer, in bytes; anything below 0 is no limit, and
    /// is read as it was set.
    maxmsgsize: i64,
    /// In messages; 0 is no limit.
    pub(crate) sndhwm: u32,
    /// In messages; 0 is no limit.
    pub(crate) rcvhwm: u32,
    /// `None` is for ever.
    pub(crate) rcvtimeo: Option<Duration>,
    /// `None` is for ever.
    pub(crate) sndtimeo: Option<Duration>,
    pub(crate) ipv6: bool,
    pub(crate) immediate: bool,
    pub(crate) conflate: bool,
    pub(crate) invert_matching: bool,
    /// `None` is no limit.
    pub(crate) handshake_ivl: Option<Duration>,
    /// `None` is no heartbeats.
    pub(crate) heartbeat_ivl: Option<Duration>,
    /// Whole tenths of a second; zero is none.
    pub(crate) heartbeat_ttl: Duration,
    /// `None` is the heartbeat interval.
    pub(crate) heartbeat_timeout: Option<Duration>,
    /// `None` leaves it to the system.
    pub(crate) connect_timeout: Option<Duration>,
    /// In milliseconds; 0 leaves it to the system.
    pub(crate) tcp_maxrt: i32,
    /// -1 leaves it to the system, 0 is off, 1 is on.
    pub(crate) tcp_keepalive: i32,
    /// -1 leaves it to the system.
    pub(crate) tcp_keepalive_cnt: i32,
    /// In seconds; -1 leaves it to the system.
    pub(crate) tcp_keepalive_idle: i32,
    /// In seconds; -1 leaves it to the system.
    pub(crate) tcp_keepalive_intvl: i32,
    pub(crate) tos: i32,
    /// `SO_PRIORITY`; 0 leaves it as it is.
    pub(crate) priority: i32,
    /// `SO_BUSY_POLL`; 0 leaves it as it is.
    pub(crate) busy_poll: i32,
    /// Empty means any.
    pub(crate) bindtodevice: Vec<u8>,
    /// The SOCKS5 proxy that TCP connections go through, `host:port`; empty means none.
    pub(crate) socks_proxy: Vec<u8>,
    /// Empty means that the proxy is not told who we are.
    pub(crate) socks_username: Vec<u8>,
    pub(crate) socks_password: Zeroizing<Vec<u8>>,
    /// Whether small messages may share memory: the context's `ZMQ_ZERO_COPY_RECV`.
    pub(crate) zero_copy: bool,
    /// A descriptor that listens already, for the next `bind`; -1 makes a new one.
    pub(crate) use_fd: i32,
    /// Networks that may connect; none means all may.
    pub(crate) tcp_accept_filters: Vec<IpNetwork>,
    pub(crate) ipc_filter: ProcessFilter,
    /// What the next connection's peer is called; taken by it.
    pub(crate) connect_routing_id: Option<Vec<u8>>,
    /// The application's own properties, names beginning with `X-`.
    pub(crate) metadata: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) security: Security,
    /// What a bound endpoint takes in.
    pub(crate) limits: Limits,
    stored: Stored,
}

/// Values that are kept for whoever reads them, and concern nothing that is built in.
#[derive(Clone, Debug)]
struct Stored {
    rate: i32,
    recovery_ivl: i32,
    multicast_hops: i32,
    multicast_maxtpdu: i32,
    multicast_loop: bool,
    loopback_fastpath: bool,
}

/// A heartbeat timeout of zero means that the peer is never given up: ten years come close, and
/// can be added to any point in time.
const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl Options {
    /// The defaults for a type of socket.
    pub(crate) fn new(kind: SocketType) -> Self {
        Self {
            kind,
            affinity: 0,
            routing_id: Vec::new(),
            sndbuf: -1,
            rcvbuf: -1,
            linger: NO_LINGER.contains(&kind).then_some(Duration::ZERO),
            reconnect_ivl: Some(Duration::from_millis(100)),
            reconnect_ivl_max: Duration::ZERO,
            reconnect_stop: 0,
            backlog: 100,
            maxmsgsize: -1,
            sndhwm: 1000,
            rcvhwm: 1000,
            rcvtimeo: None,
            sndtimeo: None,
            ipv6: false,
            immediate: false,
            conflate: false,
            invert_matching: false,
            handshake_ivl: Some(Duration::from_secs(30)),
            heartbeat_ivl: None,
            heartbeat_ttl: Duration::ZERO,
            heartbeat_timeout: None,
            connect_timeout: None,
            tcp_maxrt: 0,
            tcp_keepalive: -1,
            tcp_keepalive_cnt: -1,
            tcp_keepalive_idle: -1,
            tcp_keepalive_intvl: -1,
            tos: 0,
            priority: 0,
            busy_poll: 0,
            bindtodevice: Vec::new(),
            socks_proxy: Vec::new(),
            socks_username: Vec::new(),
            socks_password: Zeroizing::default(),
            zero_copy: true,
            use_fd: -1,
            tcp_accept_filters: Vec::new(),
            ipc_filter: ProcessFilter::default(),
            connect_routing_id: None,
            metadata: Vec::new(),
            security: Security::default(),
            limits: Limits::default(),
            stored: Stored {
                rate: 100,
                recovery_ivl: 10_000,
                multicast_hops: 1,
                multicast_maxtpdu: 1500,
                multicast_loop: true,
                loopback_fastpath: false,
            },
        }
    }

    /// Whether an address may connect (`ZMQ_TCP_ACCEPT_FILTER`).
    pub(crate) fn admits_address(&self, address: IpAddr) -> bool {
        self.tcp_accept_filters.is_empty()
            || self.tcp_accept_filters.iter().any(|network| network.contains(address))
    }

    /// The longest frame that is taken from a peer, in bytes; `None` is no limit.
    pub(crate) fn max_frame_size(&self) -> Option<u64> {
        u64::try_from(self.maxmsgsize).ok()
    }

    /// Changes an option (zmq_setsockopt(3)). An empty value stands for none at all, too.
    pub(crate) fn set(&mut self, option: i32, bytes: &[u8]) -> Result<Effect, OptionError> {
        let Some(row) = table::find(option) else {
            return self.limits.set(option, bytes).map(|()| Effect::Nothing);
        };
        if row.access == Access::Read {
            return Err(OptionError::ReadOnly);
        }
        if !row.is_for(self.kind) {
            return Err(OptionError::NotForThisType);
        }
        if let Built::No(reason) = row.built {
            return Err(OptionError::Unsupported(reason));
        }
        if row.kind == Kind::Key {
            self.security.store_key(option, bytes)?;
            return Ok(Effect::Nothing);
        }
        let value = row.kind.read(bytes)?;
        self.store(option, value)
    }

    /// Reads an option (zmq_getsockopt(3)). Returns how many bytes of `out` were written.
    pub(crate) fn get(&self, option: i32, out: &mut [u8]) -> Result<usize, OptionError> {
        let Some(row) = table::find(option) else {
            return self.limits.get(option, out);
        };
        if row.access == Access::Write {
            return Err(OptionError::WriteOnly);
        }
        if !row.is_for(self.kind) {
            return Err(OptionError::NotForThisType);
        }
        match (row.built, row.kind) {
            (Built::No(reason), _) => Err(OptionError::Unsupported(reason)),
            (_, Kind::Live) => self.get_fixed(option, out),
            _ => match self.security.load(option, out) {
                Some(result) => result,
                None => self.load(option).ok_or(OptionError::Unknown)?.write(out),
            },
        }
    }

    /// Of what is read off the live socket, the type is known here.
    fn get_fixed(&self, option: i32, out: &mut [u8]) -> Result<usize, OptionError> {
        match option {
            numbers::TYPE => Value::Int(self.kind.code()).write(out),
            _ => self.security.load(option, out).unwrap_or(Err(OptionError::Live)),
        }
    }
}

/// Pairs of accessors by number for fields of one shape.
macro_rules! by_number {
    ($($get:ident, $get_mut:ident: $shape:ty { $($number:ident => $($field:ident).+,)* })*) => {
        impl Options {$(
            fn $get(&self, option: i32) -> Option<$shape> {
                match option {
                    $(numbers::$number => Some(self.$($field).+),)*
                    _ => None,
                }
            }

            fn $get_mut(&mut self, option: i32) -> Option<&mut $shape> {
                match option {
                    $(numbers::$number => Some(&mut self.$($field).+),)*
                    _ => None,
                }
            }
        )*}
    };
}

by_number! {
    int, int_mut: i32 {
        RATE => stored.rate,
        RECOVERY_IVL => stored.recovery_ivl,
        MULTICAST_HOPS => stored.multicast_hops,
        MULTICAST_MAXTPDU => stored.multicast_maxtpdu,
        SNDBUF => sndbuf,
        RCVBUF => rcvbuf,
        BACKLOG => backlog,
        RECONNECT_STOP => reconnect_stop,
        TCP_MAXRT => tcp_maxrt,
        TCP_KEEPALIVE => tcp_keepalive,
        TCP_KEEPALIVE_CNT => tcp_keepalive_cnt,
        TCP_KEEPALIVE_IDLE => tcp_keepalive_idle,
        TCP_KEEPALIVE_INTVL => tcp_keepalive_intvl,
        TOS => tos,
        PRIORITY => priority,
        BUSY_POLL => busy_poll,
        USE_FD => use_fd,
    }
    mark, mark_mut: u32 {
        SNDHWM => sndhwm,
        RCVHWM => rcvhwm,
    }
    switch, switch_mut: bool {
        IMMEDIATE => immediate,
        IPV6 => ipv6,
        CONFLATE => conflate,
        INVERT_MATCHING => invert_matching,
        MULTICAST_LOOP => stored.multicast_loop,
        LOOPBACK_FASTPATH => stored.loopback_fastpath,
    }
    // -1 is `None`
    wait, wait_mut: Option<Duration> {
        LINGER => linger,
        RCVTIMEO => rcvtimeo,
        SNDTIMEO => sndtimeo,
        RECONNECT_IVL => reconnect_ivl,
    }
    // 0 is `None`
    limit, limit_mut: Option<Duration> {
        HANDSHAKE_IVL => handshake_ivl,
        HEARTBEAT_IVL => heartbeat_ivl,
        CONNECT_TIMEOUT => connect_timeout,
    }
}

impl Options {
    fn store(&mut self, option: i32, value: Value) -> Result<Effect, OptionError> {
        match value {
            Value::Int(value) => self.store_int(option, value),
            Value::Bool(value) => self.store_bool(option, value),
            Value::Mask(value) => {
                self.affinity = value;
                Ok(Effect::Nothing)
            }
            Value::Limit(value) => {
                self.maxmsgsize = value;
                Ok(Effect::Nothing)
            }
            Value::Bytes(bytes) => self.store_bytes(option, bytes),
            Value::Nothing => self.clear(option),
        }
    }

    fn store_int(&mut self, option: i32, value: i32) -> Result<Effect, OptionError> {
        let time = u64::try_from(value).ok().map(Duration::from_millis);
        if let Some(field) = self.int_mut(option) {
            *field = value;
        } else if let Some(field) = self.mark_mut(option) {
            *field = value.unsigned_abs();
            return Ok(Effect::Marks);
        } else if let Some(field) = self.wait_mut(option) {
            *field = time;
            if option == numbers::LINGER {
                return Ok(Effect::Linger);
            }
        } else if let Some(field) = self.limit_mut(option) {
            *field = time.filter(|time| !time.is_zero());
        } else {
            self.store_odd_int(option, value, time)?;
        }
        Ok(Effect::Nothing)
    }

    fn store_odd_int(
        &mut self,
        option: i32,
        value: i32,
        time: Option<Duration>,
    ) -> Result<(), OptionError> {
        match option {
            numbers::RECONNECT_IVL_MAX => self.reconnect_ivl_max = time.unwrap_or_default(),
            numbers::HEARTBEAT_TTL => {
                // RFC 37: the TTL travels in tenths of a second. What is less counts as none.
                let tenths = u64::try_from(value / 100).unwrap_or(0);
                self.heartbeat_ttl = Duration::from_millis(tenths * 100);
            }
            numbers::HEARTBEAT_TIMEOUT => {
                self.heartbeat_timeout = time.map(|time| if time.is_zero() { NEVER } else { time });
            }
            numbers::IPC_FILTER_PID => self.ipc_filter.pids.push(value),
            numbers::IPC_FILTER_UID => self.ipc_filter.uids.push(value.cast_unsigned()),
            numbers::IPC_FILTER_GID => self.ipc_filter.gids.push(value.cast_unsigned()),
            _ => return Err(OptionError::Unknown),
        }
        Ok(())
    }

    fn store_bool(&mut self, option: i32, value: bool) -> Result<Effect, OptionError> {
        if option == numbers::IPV4ONLY {
            self.ipv6 = !value;
            return Ok(Effect::Nothing);
        }
        if self.security.store_bool(option, value).is_some() {
            return Ok(Effect::Nothing);
        }
        if let Some(field) = self.switch_mut(option) {
            *field = value;
            if option == numbers::INVERT_MATCHING && INVERTIBLE.contains(&self.kind) {
                return Ok(Effect::Pattern(PatternOption::InvertMatching(value)));
            }
            return Ok(Effect::Nothing);
        }
        Ok(Effect::Pattern(match option {
            numbers::ROUTER_MANDATORY => PatternOption::RouterMandatory(value),
            numbers::ROUTER_HANDOVER => PatternOption::RouterHandover(value),
            numbers::ROUTER_RAW => PatternOption::RouterRaw(value),
            numbers::PROBE_ROUTER => PatternOption::ProbeRouter(value),
            numbers::REQ_CORRELATE => PatternOption::ReqCorrelate(value),
            numbers::REQ_RELAXED => PatternOption::ReqRelaxed(value),
            numbers::XPUB_VERBOSE => PatternOption::XpubVerbose(value),
            numbers::XPUB_VERBOSER => PatternOption::XpubVerboser(value),
            numbers::XPUB_NODROP => PatternOption::XpubNodrop(value),
            numbers::XPUB_MANUAL => PatternOption::XpubManual(value),
            numbers::STREAM_NOTIFY => PatternOption::StreamNotify(value),
            _ => return Err(OptionError::Unknown),
        }))
    }

    /// Strings that a call without a value resets. As with the reference they are kept as they
    /// are given, zero bytes and all; what they mean is for whoever uses them.
    fn string_mut(&mut self, option: i32) -> Option<&mut Vec<u8>> {
        match option {
            numbers::BINDTODEVICE => Some(&mut self.bindtodevice),
            numbers::SOCKS_PROXY => Some(&mut self.socks_proxy),
            numbers::SOCKS_USERNAME => Some(&mut self.socks_username),
            numbers::SOCKS_PASSWORD => Some(&mut self.socks_password),
            _ => None,
        }
    }

    fn store_bytes(
        &mut self,
        option: i32,
        mut bytes: Zeroizing<Vec<u8>>,
    ) -> Result<Effect, OptionError> {
        if self.security.store_text(option, &bytes).is_some() {
            return Ok(Effect::Nothing);
        }
        if let Some(field) = self.string_mut(option) {
            // A password that has to make room for another one is overwritten first.
            field.zeroize();
            *field = std::mem::take(&mut *bytes);
            return Ok(Effect::Nothing);
        }
        // No secret is among what is left.
        let bytes = std::mem::take(&mut *bytes);
        match option {
            numbers::ROUTING_ID => {
                self.routing_id = bytes;
                return Ok(Effect::RoutingId);
            }
            numbers::CONNECT_ROUTING_ID => self.connect_routing_id = Some(bytes),
            numbers::TCP_ACCEPT_FILTER => {
                let network = IpNetwork::parse(text(&bytes)?, self.ipv6)?;
                self.tcp_accept_filters.push(network);
            }
            numbers::METADATA => self.add_metadata(&bytes)?,
            numbers::SUBSCRIBE => return Ok(Effect::Pattern(PatternOption::Subscribe(bytes))),
            numbers::UNSUBSCRIBE => return Ok(Effect::Pattern(PatternOption::Unsubscribe(bytes))),
            numbers::XPUB_WELCOME_MSG => {
                return Ok(Effect::Pattern(PatternOption::XpubWelcome(bytes)));
            }
            _ => return Err(OptionError::Unknown),
        }
        Ok(Effect::Nothing)
    }

    /// `X-name:value`. Of a name that is given again, the first value counts, as with the
    /// reference. What peers would not read is refused here, where there is somebody to tell.
    fn add_metadata(&mut self, property: &[u8]) -> Result<(), OptionError> {
        let mut halves = property.splitn(2, |byte| *byte == b':');
        let (name, value) = halves.next().zip(halves.next()).ok_or(OptionError::OutOfRange)?;
        if name.len() <= 2 || name.len() > 255 || !name.starts_with(b"X-") || value.is_empty() {
            return Err(OptionError::OutOfRange);
        }
        let (name, value) = (until_zero(name), until_zero(value));
        if self.metadata.iter().any(|(known, _)| known == name) {
            return Ok(());
        }
        let size = |name: &[u8], value: &[u8]| 1 + name.len() + 4 + value.len();
        let known = self.metadata.iter().map(|(name, value)| size(name, value)).sum::<usize>();
        // Two are left for the socket's type and its routing id.
        if known + size(name, value) > MAX_METADATA || self.metadata.len() + 2 >= MAX_PROPERTIES {
            return Err(OptionError::WrongSize);
        }
        self.metadata.push((name.to_vec(), value.to_vec()));
        Ok(())
    }

    fn clear(&mut self, option: i32) -> Result<Effect, OptionError> {
        if self.security.clear(option).is_some() {
            return Ok(Effect::Nothing);
        }
        if let Some(field) = self.string_mut(option) {
            field.clear();
            return Ok(Effect::Nothing);
        }
        match option {
            numbers::TCP_ACCEPT_FILTER => self.tcp_accept_filters.clear(),
            numbers::IPC_FILTER_PID => self.ipc_filter.pids.clear(),
            numbers::IPC_FILTER_UID => self.ipc_filter.uids.clear(),
            numbers::IPC_FILTER_GID => self.ipc_filter.gids.clear(),
            _ => return Err(OptionError::WrongSize),
        }
        Ok(Effect::Nothing)
    }

    fn load(&self, option: i32) -> Option<Value> {
        if let Some(value) = self.int(option) {
            return Some(Value::Int(value));
        }
        if let Some(mark) = self.mark(option) {
            return Some(Value::Int(mark.cast_signed()));
        }
        if let Some(value) = self.switch(option) {
            return Some(Value::Bool(value));
        }
        if let Some(time) = self.wait(option) {
            return Some(Value::Int(time.map_or(-1, millis)));
        }
        if let Some(time) = self.limit(option) {
            return Some(Value::Int(time.map_or(0, millis)));
        }
        Some(match option {
            numbers::AFFINITY => Value::Mask(self.affinity),
            numbers::MAXMSGSIZE => Value::Limit(self.maxmsgsize),
            numbers::IPV4ONLY => Value::Bool(!self.ipv6),
            numbers::RECONNECT_IVL_MAX => Value::Int(millis(self.reconnect_ivl_max)),
            numbers::HEARTBEAT_TTL => Value::Int(millis(self.heartbeat_ttl)),
            numbers::HEARTBEAT_TIMEOUT => Value::Int(match self.heartbeat_timeout {
                None => -1,
                Some(NEVER) => 0,
                Some(time) => millis(time),
            }),
            numbers::ROUTING_ID => Value::Bytes(self.routing_id.clone().into()),
            numbers::BINDTODEVICE => terminated(&self.bindtodevice),
            numbers::SOCKS_PROXY => terminated(&self.socks_proxy),
            numbers::SOCKS_USERNAME => terminated(&self.socks_username),
            numbers::SOCKS_PASSWORD => terminated(&self.socks_password),
            _ => return None,
        })
    }
}

fn millis(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}
