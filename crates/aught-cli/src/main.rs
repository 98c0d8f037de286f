//! The `aught` command: ZeroMQ from a shell. Here is only the start and the exit status; the
//! arguments are in `args`, each command has a file in `cmd`, how numbers and tables look is in
//! `format`, and how files with keys look is in `certificate`.

mod args;
mod certificate;
mod cmd;
mod format;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cmd::run(args::Args::parse().command) {
        Ok(code) => code,
        Err(error) => {
            format::complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}
