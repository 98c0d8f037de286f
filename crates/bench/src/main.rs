//! Measures one libzmq against another through the C interface and prints a Markdown table.
//!
//! The arguments and the order of events live here; the workloads, their running and the report
//! have files of their own. What the roles of a workload do is in `c/`.

mod report;
mod runner;
mod workloads;

use report::{Comparison, Report};
use runner::Runner;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: aught-bench [OPTIONS]

Compares two shared objects with libzmq's C interface, in interleaved pairs.

  --reference SO   the library to compare with
                   [default: /usr/lib/x86_64-linux-gnu/libzmq.so.5]
  --ours SO        the library to judge [default: target/release/libzmq.so]
  --only NAME      only workloads whose name contains NAME (repeatable)
  --pairs N        pairs of runs per workload [default: 5; 3 with --quick]
  --window MS      measured milliseconds of a run [default: 1000; 250 with --quick]
  --quick          short runs, and no workload that needs long ones
  --ours-env K=V   set in the processes of the library to judge (repeatable)
  --write          put the table into BENCHMARKS.md, between its markers
  --list           print the names of the workloads and stop
  --help           print this text

Exit code: 0 when every workload ran on both libraries, 1 otherwise, 2 for a wrong argument.
";

/// What the command line asked for.
pub(crate) struct Options {
    reference: PathBuf,
    ours: PathBuf,
    only: Vec<String>,
    pairs: Option<usize>,
    window_ms: Option<u64>,
    quick: bool,
    ours_env: Vec<(String, String)>,
    write: bool,
    list: bool,
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
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            complain(&problem);
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        reference: "/usr/lib/x86_64-linux-gnu/libzmq.so.5".into(),
        ours: "target/release/libzmq.so".into(),
        only: Vec::new(),
        pairs: None,
        window_ms: None,
        quick: false,
        ours_env: Vec::new(),
        write: false,
        list: false,
    };
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--reference" => options.reference = value()?.into(),
            "--ours" => options.ours = value()?.into(),
            "--only" => options.only.push(value()?),
            "--pairs" => options.pairs = Some(number::<usize>(&value()?)?.max(1)),
            "--window" => options.window_ms = Some(number::<u64>(&value()?)?.max(1)),
            "--ours-env" => {
                let pair = value()?;
                let (key, value) = pair.split_once('=').ok_or("--ours-env needs K=V")?;
                options.ours_env.push((key.into(), value.into()));
            }
            "--quick" => options.quick = true,
            "--write" => options.write = true,
            "--list" => options.list = true,
            "--help" | "-h" => return Ok(None),
            _ => return Err(format!("unknown argument: {name}")),
        }
    }
    Ok(Some(options))
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}

/// Whether every workload ran on both libraries.
fn run(options: &Options) -> Result<bool, String> {
    let wanted = |name: &str| {
        options.only.is_empty() || options.only.iter().any(|only| name.contains(only.as_str()))
    };
    let chosen: Vec<_> = workloads::all()
        .into_iter()
        .filter(|workload| wanted(&workload.name) && !(options.quick && workload.long))
        .collect();
    if options.list {
        chosen.iter().for_each(|workload| say(&format!("{}\n", workload.name)));
        return Ok(true);
    }
    if chosen.is_empty() {
        return Err("no workload has such a name".into());
    }
    let runner = Runner::new(options)?;
    let pairs = options.pairs.unwrap_or(if options.quick { 3 } else { 5 });
    let window_ms = options.window_ms.unwrap_or(if options.quick { 250 } else { 1000 });
    let mut report = Report::new(options, pairs, window_ms);
    for workload in chosen {
        complain(&format!("{} ...", workload.name));
        let mut comparison = Comparison::new(workload);
        for _ in 0..pairs {
            comparison.reference.push(runner.reference(&comparison.workload, window_ms));
            comparison.ours.push(runner.ours(&comparison.workload, window_ms));
        }
        complain(&format!("  {}", comparison.brief()));
        report.comparisons.push(comparison);
    }
    let text = report.markdown();
    say(&text);
    if options.write {
        report::write(&text)?;
    }
    Ok(report.comparisons.iter().all(Comparison::ran))
}

#[expect(clippy::print_stdout, reason = "the table is this program's output")]
fn say(text: &str) {
    print!("{text}");
}

#[expect(clippy::print_stderr, reason = "progress and errors are for whoever runs the program")]
fn complain(text: &str) {
    eprintln!("{text}");
}
