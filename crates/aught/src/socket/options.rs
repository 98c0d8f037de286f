//! Reading and changing a socket's options. What options there are, with types, ranges and
//! defaults, is in the table of `crate::options`; here is what a change does to a live socket.

use super::core::{SocketCore, State};
use super::drops::Asked;
use super::monitor;
use crate::error::Error;
use crate::options::{Effect, OptionError, numbers, write_bytes, write_int};
use crate::sync::Arc;

impl SocketCore {
    /// zmq_setsockopt(3).
    pub(crate) fn set_option(&self, option: i32, value: &[u8]) -> Result<(), Error> {
        // What is in the mailbox stays there, and the descriptor readable: with the reference, too,
        // an option that is set in between hides no arrival from who watches `ZMQ_FD`.
        let mut state = self.enter()?;
        let result = match state.options.set(option, value) {
            Ok(effect) => self.apply(effect, &mut state),
            Err(error) => Err(error.into()),
        };
        self.reap(&mut state);
        self.leave(state);
        result
    }

    fn apply(&self, effect: Effect, state: &mut State) -> Result<(), Error> {
        match effect {
            Effect::Nothing => {}
            Effect::Marks => {
                let (send, receive) = (state.options.sndhwm, state.options.rcvhwm);
                let ids: Vec<_> = state.pipes.ids().collect();
                for id in ids {
                    if let Some(end) = state.pipes.get_mut(id) {
                        end.set_marks(send, receive);
                    }
                }
                self.publish(&state.options);
            }
            Effect::Linger => self.set_linger(state.options.linger),
            Effect::RoutingId => self.publish(&state.options),
            Effect::Pattern(change) => {
                if let crate::pattern::PatternOption::RouterRaw(raw) = &change {
                    self.set_raw(*raw);
                }
                let State { pattern, pipes, .. } = state;
                pattern
                    .set(change, pipes)
                    .map_err(|_| Error::Invalid("this socket type does not have the option"))?;
            }
        }
        Ok(())
    }

    /// zmq_getsockopt(3). Returns how many bytes of `out` were written.
    pub(crate) fn get_option(&self, option: i32, out: &mut [u8]) -> Result<usize, Error> {
        if let Some(asked) = Asked::of(option) {
            return asked.write(&self.drops()?, out);
        }
        if let Some(result) = self.incidents.read(option, out) {
            self.context.check()?;
            return result;
        }
        if option == numbers::EVENTS {
            let (input, output) = self.ready_now()?;
            return Ok(write_int(i32::from(input) | i32::from(output) << 1, out)?);
        }
        let state = self.enter()?;
        if let (numbers::ROUTING_ID, Some(id)) = (option, state.pattern.routing_id()) {
            let result = write_bytes(id, out);
            self.leave(state);
            return Ok(result?);
        }
        let result = match state.options.get(option, out) {
            Err(OptionError::Live) => self.get_live(option, out, &state),
            other => other.map_err(Error::from),
        };
        self.leave(state);
        result
    }

    fn get_live(&self, option: i32, out: &mut [u8], state: &State) -> Result<usize, Error> {
        let written = match option {
            numbers::RCVMORE => write_int(i32::from(state.more_in), out),
            numbers::TYPE => write_int(self.kind().code(), out),
            numbers::FD => {
                let fd = self.descriptor_within(state)?;
                write_int(fd, out)
            }
            numbers::LAST_ENDPOINT => {
                let mut text = state.endpoints.last().as_bytes().to_vec();
                text.push(0);
                write_bytes(&text, out)
            }
            numbers::THREAD_SAFE => {
                write_int(i32::from(crate::pattern::is_thread_safe(self.kind())), out)
            }
            numbers::TOPICS_COUNT => match state.pattern.topics() {
                Some(count) => write_int(i32::try_from(count).unwrap_or(i32::MAX), out),
                None => return Err(Error::Invalid("this socket type has no topics")),
            },
            _ => return Err(Error::Invalid("the option cannot be read")),
        };
        Ok(written?)
    }

    /// zmq_socket_monitor(3): tells of events at an inproc endpoint, or stops (`None`).
    pub(crate) fn set_monitor(
        &self,
        endpoint: Option<&str>,
        events: u64,
        version: i32,
        kind: i32,
    ) -> Result<(), Error> {
        let Some(endpoint) = endpoint else {
            self.monitor.stop();
            return Ok(());
        };
        if version != 1 {
            return Err(Error::Invalid("only version 1 of the event format is built in"));
        }
        if kind != zmtp::SocketType::Pair.code() {
            return Err(Error::Invalid("events of version 1 travel over a PAIR"));
        }
        if !endpoint.starts_with("inproc://") {
            return Err(if endpoint.contains("://") {
                Error::UnknownTransport
            } else {
                Error::Invalid("a monitor's endpoint is an inproc:// name")
            });
        }
        let wanted = monitor::wanted(events);
        self.monitor.start(&Arc::clone(&self.context), endpoint, wanted)
    }
}
