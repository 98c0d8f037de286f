//! The commands, one file each, and what several of them share: making a socket from the
//! arguments, and reading messages from them or from the standard input.

mod audit;
pub(crate) mod demo;
mod keygen;
mod publish;
mod pull;
mod push;
mod reply;
mod request;
mod subscribe;
mod version;

use std::io::BufRead;
use std::process::ExitCode;

use aught::{Message, Socket};

use crate::args::{Command, Ends, ReceiveArgs, SendArgs};
use crate::format;

/// Why a command could not do its work, in words.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Does what a command says.
pub(crate) fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Demo(args) => return demo::run(&args),
        Command::DemoRole(args) => return demo::role(&args),
        Command::Version => version::run(),
        Command::Push(args) => push::run(&args)?,
        Command::Pull(args) => pull::run(&args)?,
        Command::Pub(args) => publish::run(&args)?,
        Command::Sub(args) => subscribe::run(&args)?,
        Command::Req(args) => request::run(&args)?,
        Command::Rep(args) => reply::run(&args)?,
        Command::Keygen(args) => keygen::run(&args)?,
        Command::Audit(args) => return Ok(audit::run(&args)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Which side of a connection a socket takes unless told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Bind,
    Connect,
}

/// Binds or connects a socket to the endpoints and sets its time-outs.
fn attach(socket: &Socket, ends: &Ends, usual: Side) -> Result<(), Failure> {
    socket.set_send_timeout(ends.timeout)?;
    socket.set_recv_timeout(ends.timeout)?;
    // Who gives up waiting does not want to wait at the end, either.
    socket.set_linger(ends.timeout)?;
    let side = match (ends.bind, ends.connect) {
        (true, _) => Side::Bind,
        (_, true) => Side::Connect,
        _ => usual,
    };
    for endpoint in &ends.endpoints {
        let done = match side {
            Side::Bind => socket.bind(endpoint),
            Side::Connect => socket.connect(endpoint),
        };
        done.map_err(|error| format!("{endpoint}: {error}"))?;
        if side == Side::Bind && endpoint.contains('*') {
            format::complain(&format!("bound to {}", socket.last_endpoint()?));
        }
    }
    Ok(())
}

/// Hands each message of the arguments, or else each line of the standard input, to `each`.
fn for_each_message(
    args: &SendArgs,
    mut each: impl FnMut(Message) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if !args.message.is_empty() {
        return args
            .message
            .iter()
            .try_for_each(|text| each(format::parse_message(text, &args.separator)));
    }
    for line in std::io::stdin().lock().lines() {
        each(format::parse_message(&line?, &args.separator))?;
    }
    Ok(())
}

/// Prints messages as they come, as many as asked for; `answer` sees each.
fn print_messages(
    socket: &Socket,
    args: &ReceiveArgs,
    mut answer: impl FnMut(Message) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut seen = 0;
    while args.count.is_none_or(|count| seen < count) {
        let message = match socket.recv() {
            Ok(message) => message,
            Err(aught::Error::Interrupted) => continue,
            Err(error) => return Err(error.into()),
        };
        if !format::message(&message, &args.separator) {
            return Ok(());
        }
        answer(message)?;
        seen += 1;
    }
    Ok(())
}
