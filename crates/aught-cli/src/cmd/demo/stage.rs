//! Starting the participants of a pattern, as processes or as threads, hearing from them, and
//! ending them in time. What they do is in `roles`.
//!
//! A process tells what it does line by line on its standard output, and ends when its standard
//! input does: so it never outlives the demo. A thread uses a channel, and shares a context.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use aught::Context;

use super::note::{Note, Outcome};
use super::roles::{RoleArgs, play};
use crate::args::Transport;
use crate::cmd::Failure;
use crate::format;

/// What the stage hears of a participant. `None`: its process is over.
type Heard = (usize, Option<Note>);

enum Body {
    Process(Child),
    Thread(Option<JoinHandle<()>>),
}

/// A participant.
struct Actor {
    body: Body,
    /// It goes on until it is told to end.
    endless: bool,
    bound: Vec<String>,
    outcome: Option<Outcome>,
    over: bool,
}

/// One pattern being run over one transport.
pub(super) struct Stage {
    transport: Transport,
    deadline: Instant,
    directory: PathBuf,
    names: u32,
    /// What threads share. Taken when the stage is dropped.
    context: Option<Context>,
    actors: Vec<Actor>,
    tell: Sender<Heard>,
    hear: Receiver<Heard>,
    clean: bool,
}

impl Stage {
    pub(super) fn new(transport: Transport, limit: Duration) -> Result<Self, Failure> {
        let (tell, hear) = channel();
        Ok(Self {
            transport,
            deadline: Instant::now() + limit,
            directory: make_directory()?,
            names: 0,
            context: Some(Context::new()?),
            actors: Vec::new(),
            tell,
            hear,
            clean: false,
        })
    }

    /// An endpoint of the stage's transport to bind to, another one each time.
    pub(super) fn anywhere(&mut self) -> String {
        self.names += 1;
        match self.transport {
            Transport::Tcp => "tcp://127.0.0.1:*".to_owned(),
            Transport::Ipc => format!("ipc://{}/{}", self.directory.display(), self.names),
            Transport::Inproc => format!("inproc://{}", self.names),
        }
    }

    /// Starts a participant, and waits until it is bound to what it binds to. Returns its index.
    pub(super) fn start(&mut self, role: RoleArgs) -> Result<usize, Failure> {
        let index = self.actors.len();
        let binds = !role.bind.is_empty();
        let endless = role.role.is_endless();
        let tell = self.tell.clone();
        let body = match (self.transport, &self.context) {
            (Transport::Inproc, Some(context)) => start_thread(index, role, context.clone(), tell)?,
            _ => start_process(index, &role, tell)?,
        };
        let over = matches!(body, Body::Thread(_));
        self.actors.push(Actor { body, endless, bound: Vec::new(), outcome: None, over });
        while binds && self.actors.get(index).is_some_and(|actor| actor.bound.is_empty()) {
            self.listen()?;
        }
        Ok(index)
    }

    /// The endpoint that a participant is bound to, by its order among those that it was given.
    pub(super) fn endpoint(&self, actor: usize, index: usize) -> Result<String, Failure> {
        self.actors
            .get(actor)
            .and_then(|actor| actor.bound.get(index))
            .cloned()
            .ok_or_else(|| format!("participant {actor} is not bound to endpoint {index}").into())
    }

    /// Takes in one note.
    fn listen(&mut self) -> Result<(), Failure> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let (index, note) = self.hear.recv_timeout(left).map_err(|error| match error {
            RecvTimeoutError::Timeout => "the time limit passed, the participants were ended",
            RecvTimeoutError::Disconnected => "nobody is left to be heard",
        })?;
        let Some(actor) = self.actors.get_mut(index) else {
            return Ok(());
        };
        match note {
            Some(Note::Bound(endpoints)) => actor.bound = endpoints,
            Some(Note::Done(outcome)) => {
                actor.outcome = Some(outcome);
                actor.let_go();
            }
            Some(Note::Failed(reason)) => {
                return Err(format!("participant {index} failed: {reason}").into());
            }
            None if actor.outcome.is_none() => {
                return Err(format!("process {index} ended without a result").into());
            }
            None => actor.over = true,
        }
        Ok(())
    }

    fn listen_while(&mut self, waits: impl Fn(&Actor) -> bool) -> Result<(), Failure> {
        while self.actors.iter().any(&waits) {
            self.listen()?;
        }
        Ok(())
    }

    /// Waits for those who end by themselves, ends the others, and says what each one did, in the
    /// order in which they were started.
    pub(super) fn finish(&mut self) -> Result<Vec<Outcome>, Failure> {
        self.listen_while(|actor| actor.outcome.is_none() && !actor.endless)?;
        if let Some(context) = &self.context {
            context.shutdown();
        }
        self.actors.iter_mut().for_each(Actor::let_go);
        self.listen_while(|actor| actor.outcome.is_none() || !actor.over)?;
        for (index, actor) in self.actors.iter_mut().enumerate() {
            match &mut actor.body {
                Body::Process(child) => {
                    let status = child.wait()?;
                    if !status.success() {
                        return Err(format!("process {index} ended with {status}").into());
                    }
                }
                Body::Thread(thread) => {
                    if thread.take().is_some_and(|thread| thread.join().is_err()) {
                        return Err(format!("thread {index} panicked").into());
                    }
                }
            }
        }
        self.clean = true;
        Ok(self.actors.iter().filter_map(|actor| actor.outcome.clone()).collect())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for actor in &mut self.actors {
            if let Body::Process(child) = &mut actor.body {
                // It may be over already.
                let _ = child.kill();
                let _ = child.wait();
            }
        }
        if let Some(context) = self.context.take() {
            context.shutdown();
            if !self.clean {
                // A participant may hang with its sockets open, and the context with it. The
                // demo has to go on and tell about it.
                let _ = std::thread::Builder::new().spawn(move || drop(context));
            }
        }
        let _ = std::fs::remove_dir_all(&self.directory); // at worst it is left behind
    }
}

impl Actor {
    /// Tells a process that it may end.
    fn let_go(&mut self) {
        if let Body::Process(child) = &mut self.body {
            drop(child.stdin.take());
        }
    }
}

/// A new directory for local sockets that only this user can reach.
fn make_directory() -> Result<PathBuf, Failure> {
    use std::os::unix::fs::DirBuilderExt;
    for number in 0..u32::MAX {
        let path = std::env::temp_dir().join(format!("aught-{}-{number}", std::process::id()));
        match std::fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("{}: {error}", path.display()).into()),
        }
    }
    Err("no name is left for a temporary directory".into())
}

fn start_thread(
    index: usize,
    role: RoleArgs,
    context: Context,
    tell: Sender<Heard>,
) -> Result<Body, Failure> {
    let thread = std::thread::Builder::new().name(role.role.name()).spawn(move || {
        // The stage may have given up and gone: then nobody listens, which is fine.
        let outcome = play(&role, &context, &mut |endpoints| {
            let _ = tell.send((index, Some(Note::Bound(endpoints))));
        });
        drop(context);
        let note = outcome.map_or_else(|error| Note::Failed(error.to_string()), Note::Done);
        let _ = tell.send((index, Some(note)));
    })?;
    Ok(Body::Thread(Some(thread)))
}

fn start_process(index: usize, role: &RoleArgs, tell: Sender<Heard>) -> Result<Body, Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("demo-role")
        .args(role.to_arguments())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let out = child.stdout.take().ok_or("a child without a standard output")?;
    let spawned = std::thread::Builder::new().spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if let Some(note) = Note::from_line(&line) {
                let _ = tell.send((index, Some(note))); // as in `start_thread`
            }
        }
        let _ = tell.send((index, None));
    });
    if let Err(error) = spawned {
        let _ = child.kill(); // it was just started
        let _ = child.wait();
        return Err(error.into());
    }
    Ok(Body::Process(child))
}

/// Plays a role in the process that [`start_process`] started.
pub(super) fn play_in_child(role: &RoleArgs) -> Result<ExitCode, Failure> {
    let context = Context::new()?;
    let watched = context.clone();
    let watcher = std::thread::Builder::new().spawn(move || {
        // Whatever comes, only the end counts.
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
        watched.shutdown();
    })?;
    let outcome = play(role, &context, &mut |endpoints| {
        format::say(&Note::Bound(endpoints).to_line());
    });
    let code = if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    let note = outcome.map_or_else(|error| Note::Failed(error.to_string()), Note::Done);
    format::say(&note.to_line());
    // The demo ends our input once it has read the line. The last handle waits until what was
    // sent is on its way.
    if watcher.join().is_err() {
        return Err("the watcher panicked".into());
    }
    drop(context);
    Ok(code)
}
