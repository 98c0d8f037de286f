//! Project chores, run as `cargo xtask CHORE`.
//!
//! Here: which chores there are and how their arguments are read. Not here: the chores
//! themselves, one module each.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its user")]

mod install;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask install --prefix DIR [--destdir DIR] [--profile NAME] [--target TRIPLE]

install   builds the C library and lays out lib/, include/, pkg-config and CMake files
          under DESTDIR/PREFIX. The tree may be moved afterwards.
            --prefix DIR     where the tree belongs (required)
            --destdir DIR    stage it below DIR instead (default: none)
            --profile NAME   cargo profile to build (default: release)
            --target TRIPLE  build for another machine (default: this one)";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let outcome = match args.next().as_deref() {
        Some("install") => install::Options::parse(args).and_then(|options| install::run(&options)),
        Some("--help" | "-h" | "help") => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Some(other) => Err(format!("no chore is called '{other}'\n{USAGE}")),
        None => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
