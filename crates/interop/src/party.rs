//! A process that plays one side of a test, and the conversation with it over its pipes.

use crate::workshop::{Maker, Workshop};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long a process may take to end once its standard input has.
const GOODBYE: Duration = Duration::from_secs(15);

/// What a party said when it ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Farewell {
    /// The connections it had lost, if it counts them.
    pub(crate) lost: u64,
    /// How often its ZAP handler was asked, if it has one.
    pub(crate) asked: Option<u64>,
    /// Whether it told of a handshake that succeeded.
    pub(crate) admitted: bool,
}

/// A running party. Dropping it kills the process.
pub(crate) struct Party {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    /// Lines read while waiting for another one.
    early: Vec<String>,
}

impl Party {
    /// Starts a party of `maker`; `arguments` is the part after the program's name.
    ///
    /// # Errors
    /// When its program cannot be built or started.
    pub(crate) fn start(
        workshop: &Workshop,
        maker: Maker,
        arguments: &[String],
    ) -> Result<Self, String> {
        let name = format!("{} {}", maker.name(), arguments.first().map_or("", String::as_str));
        let mut child = workshop
            .command(maker)?
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{name}: {error}"))?;
        let (said, lines) = channel();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let complaints = said.clone();
        std::thread::spawn(move || {
            for line in stdout.into_iter().flat_map(|out| BufReader::new(out).lines()) {
                if line.is_ok_and(|line| said.send(line).is_err()) {
                    break;
                }
            }
        });
        std::thread::spawn(move || {
            let mut text = String::new();
            if let Some(mut stderr) = stderr {
                // Text that is no UTF-8 is still drained, which is what matters.
                let _ = stderr.read_to_string(&mut text);
            }
            if !text.is_empty() {
                // Nobody listens to a party whose test is over.
                let _ = complaints.send(format!("STDERR {}", text.trim().replace('\n', " / ")));
            }
        });
        let input = child.stdin.take();
        Ok(Self { name, child, input, lines, early: Vec::new() })
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line that starts with `word` and returns what follows.
    ///
    /// # Errors
    /// When the party fails, ends or says nothing of the kind in time.
    pub(crate) fn expect(&mut self, word: &str, within: Duration) -> Result<String, String> {
        let matches = |line: &str| {
            let rest = line.strip_prefix(word)?;
            (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim().to_owned())
        };
        if let Some(at) = self.early.iter().position(|line| matches(line).is_some()) {
            return Ok(matches(&self.early.remove(at)).unwrap_or_default());
        }
        let deadline = Instant::now() + within;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => match matches(&line) {
                    Some(rest) => return Ok(rest),
                    None if line.starts_with("FAILED") => {
                        return Err(format!("{}: {line}", self.name));
                    }
                    None => self.early.push(line),
                },
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!(
                        "{}: no {word} within {within:?}{}",
                        self.name,
                        self.remarks()
                    ));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self
                        .child
                        .wait()
                        .map_or_else(|error| error.to_string(), |status| status.to_string());
                    return Err(format!(
                        "{}: ended before {word}: {status}{}",
                        self.name,
                        self.remarks()
                    ));
                }
            }
        }
    }

    /// What this side has to say when the other one has failed.
    pub(crate) fn complaint(&mut self) -> String {
        self.early.extend(self.lines.try_iter());
        format!("; {}{}", self.name, self.remarks())
    }

    fn remarks(&self) -> String {
        self.early.iter().map(|line| format!("; {line}")).collect()
    }

    /// Says a line to the party.
    ///
    /// # Errors
    /// When it does not listen any more.
    pub(crate) fn say(&mut self, line: &str) -> Result<(), String> {
        let input = self.input.as_mut().ok_or("already told to end")?;
        // In one write: the party takes whatever it can read for the whole line.
        input
            .write_all(format!("{line}\n").as_bytes())
            .map_err(|error| format!("{}: {error}{}", self.name, self.remarks()))
    }

    /// Whether the process still runs.
    pub(crate) fn is_up(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Has the party close its socket and context, which must work; what it said in the end.
    ///
    /// # Errors
    /// When it does not end, or ends with another exit code than 0.
    pub(crate) fn end(mut self) -> Result<Farewell, String> {
        self.input = None;
        let deadline = Instant::now() + GOODBYE;
        // Both pipes close when the process ends.
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.early.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("{}: does not end within {GOODBYE:?}", self.name));
                }
            }
        }
        let status = self.child.wait().map_err(|error| format!("{}: {error}", self.name))?;
        if !status.success() {
            return Err(format!("{}: {status}{}", self.name, self.remarks()));
        }
        let number = |word: &str| {
            let said = self.early.iter().find_map(|line| line.strip_prefix(word));
            said.and_then(|said| said.parse().ok())
        };
        Ok(Farewell {
            lost: number("LOST ").unwrap_or(0),
            asked: number("ASKED "),
            admitted: self.early.iter().any(|line| line == "EVENT SUCCEEDED"),
        })
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
