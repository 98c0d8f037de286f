//! The options of contexts (zmq_ctx_set(3)). Those of sockets are in the parent.

use std::collections::BTreeSet;
use std::time::Duration;

use super::extension::{self, Unauthenticated};
use super::table::numbers;
use super::value::{terminated, text, write_int};
use super::{OptionError, Options};

/// What `ZMQ_SOCKET_LIMIT` reports: the most that `ZMQ_MAX_SOCKETS` is meant to be set to.
const SOCKET_LIMIT: i32 = 65_535;

/// How the I/O threads are to be scheduled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scheduling {
    /// A policy of sched_setscheduler(2); `None` leaves it as it is.
    pub(crate) policy: Option<i32>,
    /// A priority in that policy; `None` leaves it as it is.
    pub(crate) priority: Option<i32>,
    /// The processors to run on; none means all.
    pub(crate) processors: BTreeSet<u32>,
}

/// The options of a context.
#[derive(Clone, Debug)]
pub(crate) struct ContextOptions {
    /// How many I/O threads there are.
    pub(crate) io_threads: i32,
    /// How many sockets there may be.
    pub(crate) max_sockets: i32,
    /// The longest message in bytes. Kept to be read: like the reference, nobody enforces it.
    pub(crate) max_message_size: i32,
    /// What `ZMQ_IPV6` is for new sockets.
    pub(crate) ipv6: bool,
    /// Whether new sockets linger. If not, their linger time starts at zero.
    pub(crate) blocky: bool,
    /// Whether small messages that arrive share memory with their neighbours, which is faster,
    /// and keeps all of it as long as any of them is kept. Concerns sockets that are made later.
    pub(crate) zero_copy: bool,
    /// What the I/O threads are started with.
    pub(crate) scheduling: Scheduling,
    /// What becomes of sockets that are bound without authentication.
    pub(crate) unauthenticated: Unauthenticated,
    name_prefix: String,
}

impl Default for ContextOptions {
    fn default() -> Self {
        Self {
            io_threads: 1,
            max_sockets: 1023,
            max_message_size: i32::MAX,
            ipv6: false,
            blocky: true,
            zero_copy: true,
            scheduling: Scheduling::default(),
            unauthenticated: Unauthenticated::default(),
            name_prefix: String::new(),
        }
    }
}

/// The environment variable with the policy of contexts that set none themselves.
const POLICY: &str = "AUGHT_UNAUTHENTICATED";

impl ContextOptions {
    /// The defaults, where the environment does not say otherwise.
    pub(crate) fn from_environment() -> Self {
        let unauthenticated = match std::env::var_os(POLICY) {
            Some(text) => Unauthenticated::from_text(&text.to_string_lossy()),
            None => Unauthenticated::default(),
        };
        Self { unauthenticated, ..Self::default() }
    }

    /// Changes an option. Most only concern what is made later.
    pub(crate) fn set(&mut self, option: i32, value: i32) -> Result<(), OptionError> {
        // The one option that takes negative numbers.
        if option == numbers::THREAD_NAME_PREFIX {
            self.name_prefix = value.to_string();
            return Ok(());
        }
        if value < 0 {
            return Err(OptionError::OutOfRange);
        }
        match option {
            numbers::IO_THREADS => self.io_threads = value,
            numbers::MAX_SOCKETS if value == 0 => return Err(OptionError::OutOfRange),
            numbers::MAX_SOCKETS => self.max_sockets = value,
            numbers::THREAD_PRIORITY => self.scheduling.priority = Some(value),
            numbers::THREAD_SCHED_POLICY => self.scheduling.policy = Some(value),
            numbers::THREAD_AFFINITY_CPU_ADD => {
                self.scheduling.processors.insert(value.cast_unsigned());
            }
            numbers::THREAD_AFFINITY_CPU_REMOVE => {
                if !self.scheduling.processors.remove(&value.cast_unsigned()) {
                    return Err(OptionError::OutOfRange);
                }
            }
            numbers::MAX_MSGSZ => self.max_message_size = value,
            numbers::ZERO_COPY_RECV => self.zero_copy = value != 0,
            numbers::IPV6 => self.ipv6 = value != 0,
            numbers::BLOCKY => self.blocky = value != 0,
            extension::numbers::UNAUTHENTICATED => {
                self.unauthenticated =
                    Unauthenticated::from_number(value).ok_or(OptionError::OutOfRange)?;
            }
            numbers::MSG_T_SIZE => return Err(OptionError::ReadOnly),
            _ => return Err(OptionError::Unknown),
        }
        Ok(())
    }

    /// Reads an option.
    pub(crate) fn get(&self, option: i32) -> Result<i32, OptionError> {
        Ok(match option {
            numbers::IO_THREADS => self.io_threads,
            numbers::MAX_SOCKETS => self.max_sockets,
            numbers::SOCKET_LIMIT => SOCKET_LIMIT,
            // The default is -1: only `errno` tells it from a failure.
            numbers::THREAD_SCHED_POLICY => self.scheduling.policy.unwrap_or(-1),
            numbers::MAX_MSGSZ => self.max_message_size,
            numbers::MSG_T_SIZE => 64,
            numbers::THREAD_NAME_PREFIX if self.name_prefix.is_empty() => 0,
            numbers::THREAD_NAME_PREFIX => {
                self.name_prefix.parse().map_err(|_| OptionError::OutOfRange)?
            }
            numbers::ZERO_COPY_RECV => i32::from(self.zero_copy),
            numbers::IPV6 => i32::from(self.ipv6),
            numbers::BLOCKY => i32::from(self.blocky),
            extension::numbers::UNAUTHENTICATED => self.unauthenticated.number(),
            _ => return Err(OptionError::Unknown),
        })
    }

    /// Changes an option whose value may be a string (zmq_ctx_set_ext(3)).
    pub(crate) fn set_ext(&mut self, option: i32, value: &[u8]) -> Result<(), OptionError> {
        if option != numbers::THREAD_NAME_PREFIX {
            let bytes = value.try_into().map_err(|_| OptionError::WrongSize)?;
            return self.set(option, i32::from_ne_bytes(bytes));
        }
        text(value)?.clone_into(&mut self.name_prefix);
        Ok(())
    }

    /// Reads an option whose value may be a string (zmq_ctx_get_ext(3)).
    pub(crate) fn get_ext(&self, option: i32, out: &mut [u8]) -> Result<usize, OptionError> {
        if option == numbers::THREAD_NAME_PREFIX {
            return terminated(&self.name_prefix).write(out);
        }
        write_int(self.get(option)?, out)
    }

    /// The name of an I/O thread: visible in `top -H` and debuggers, and cut there at 15 bytes.
    pub(crate) fn thread_name(&self, index: u32) -> String {
        if self.name_prefix.is_empty() {
            format!("ZMQbg/IO/{index}")
        } else {
            format!("{}/ZMQbg/IO/{index}", self.name_prefix.replace('\0', ""))
        }
    }

    /// Gives a new socket the defaults that its context has set.
    pub(crate) fn apply_to(&self, options: &mut Options) {
        options.ipv6 = self.ipv6;
        options.zero_copy = self.zero_copy;
        if !self.blocky {
            options.linger = Some(Duration::ZERO);
        }
    }
}
