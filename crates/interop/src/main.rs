//! Processes of other implementations against ours: every valid pair of socket types with libzmq,
//! the common pairs with implementations that share no code with it, the same over secured
//! connections, and hostile peers.
//!
//! The arguments, the scheduling and the closing count live here. What a party of a test does is
//! described in `c/party.c`, whose contract the programs in `java/` and `peers/` keep as well.

mod exceptions;
mod hostile;
mod matrix;
mod others;
mod party;
mod raw;
mod refusal;
mod security;
mod workshop;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use workshop::Workshop;

const USAGE: &str = "\
usage: aught-interop [OPTIONS]

  --ours SO        the library to judge [default: target/release/libzmq.so]
  --reference SO   the libzmq to test against [default: /usr/lib/x86_64-linux-gnu/libzmq.so.5]
  --libzmq         test against libzmq: every pair of socket types
  --others         test against JeroMQ and the crates zeromq, rzmq and omq-tokio
  --security       test NULL, PLAIN and CURVE, with and without ZAP, against libzmq, rzmq and
                   omq-tokio, past the handshake interval, and clients that are refused
  --hostile        test against hostile peers
                   [default: --libzmq --others]
  --only TEXT      only the tests whose line contains TEXT (repeatable)
  --quick          fewer messages, and hostile floods of a tenth
  --long           keep each connection for 40 s, half of them busy and half of them idle, the
                   secured ones all idle; with --quick, these are of one pair of socket types
  --jobs N         tests at a time [default: 4; 40 with --security; 300 with --long; 1 for
                   --hostile]
  --list           print the tests' lines and stop
  --help           print this text

Prints one line per test and `N passed, N failed`. Exit code: 0 when none failed, 1 when any did,
2 for a wrong argument.
";

/// What the command line asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) ours: PathBuf,
    pub(crate) reference: PathBuf,
    pub(crate) quick: bool,
    pub(crate) long: bool,
    libzmq: bool,
    others: bool,
    security: bool,
    hostile: bool,
    list: bool,
    only: Vec<String>,
    jobs: Option<usize>,
}

/// What a test does. It returns what it counted, or what went wrong.
pub(crate) type Test = Box<dyn Fn(&Workshop) -> Result<String, String> + Send + Sync>;

/// One test: its line, and what it does.
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) run: Test,
}

fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            say(USAGE);
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            complain(&format!("{problem}\n\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(problem) => {
            complain(&problem);
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        ours: "target/release/libzmq.so".into(),
        reference: "/usr/lib/x86_64-linux-gnu/libzmq.so.5".into(),
        ..Options::default()
    };
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--ours" => options.ours = value()?.into(),
            "--reference" => options.reference = value()?.into(),
            "--only" => options.only.push(value()?),
            "--jobs" => {
                let jobs: usize = value()?.parse().map_err(|_| "--jobs needs a number")?;
                options.jobs = Some(jobs.max(1));
            }
            "--libzmq" => options.libzmq = true,
            "--others" => options.others = true,
            "--security" => options.security = true,
            "--hostile" => options.hostile = true,
            "--quick" => options.quick = true,
            "--long" => options.long = true,
            "--list" => options.list = true,
            "--help" | "-h" => return Ok(None),
            _ => return Err(format!("unknown argument: {name}")),
        }
    }
    if !(options.libzmq || options.others || options.security || options.hostile) {
        options.libzmq = true;
        options.others = true;
    }
    Ok(Some(options))
}

/// How many tests failed.
fn run(options: &Options) -> Result<usize, String> {
    let mut jobs = Vec::new();
    if options.libzmq {
        jobs.extend(matrix::jobs(options));
    }
    if options.others {
        jobs.extend(others::jobs(options));
    }
    if options.security {
        jobs.extend(security::jobs(options));
    }
    if options.hostile {
        jobs.extend(hostile::jobs(options));
    }
    jobs.retain(|job| {
        options.only.is_empty() || options.only.iter().any(|only| job.name.contains(only.as_str()))
    });
    if options.list {
        jobs.iter().for_each(|job| say(&format!("{}\n", job.name)));
        return Ok(0);
    }
    let workshop = Workshop::new(options)?;
    let at_a_time = match options.jobs {
        Some(jobs) => jobs,
        None if options.hostile && !options.quick => 1,
        // All of them: what takes the time is to keep still.
        None if options.long => 300,
        None if options.security => 40,
        None => 4,
    };
    let failed = run_jobs(&jobs, at_a_time, &workshop);
    say(&format!("{} passed, {failed} failed\n", jobs.len() - failed));
    Ok(failed)
}

fn run_jobs(jobs: &[Job], at_a_time: usize, workshop: &Workshop) -> usize {
    let (next, failed, output) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(()));
    std::thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let start = Instant::now();
                    let outcome = (job.run)(workshop);
                    let seconds = start.elapsed().as_secs_f64();
                    let line = match outcome {
                        Ok(counted) => format!("ok   {} ({counted}, {seconds:.1} s)\n", job.name),
                        Err(problem) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            format!("FAIL {} ({seconds:.1} s): {problem}\n", job.name)
                        }
                    };
                    let _turn = output.lock();
                    say(&line);
                }
            });
        }
    });
    failed.into_inner()
}

#[expect(clippy::print_stdout, reason = "the lines are this program's output")]
fn say(text: &str) {
    print!("{text}");
}

#[expect(clippy::print_stderr, reason = "errors are for whoever runs the program")]
fn complain(text: &str) {
    eprintln!("{text}");
}
