//! `aught demo`: runs the messaging patterns and counts every message. What each pattern consists
//! of is in `scenes`, what its participants do in `roles`, how they are started, heard and ended
//! in `stage`, and what they tell in `note`.

mod note;
mod roles;
mod scenes;
mod stage;

use std::process::ExitCode;
use std::time::Instant;

pub(crate) use roles::RoleArgs;

use super::Failure;
use crate::args::{DemoArgs, Transport};
use crate::format;
use scenes::{Row, SCENES};
use stage::Stage;

/// Runs the demo. The exit status says whether every message arrived.
pub(super) fn run(args: &DemoArgs) -> Result<ExitCode, Failure> {
    let begun = Instant::now();
    let all = [Transport::Tcp, Transport::Ipc, Transport::Inproc];
    let chosen = if args.transport.is_empty() { &all[..] } else { &args.transport };
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for (name, scene) in SCENES {
        for transport in chosen {
            let result = Stage::new(*transport, args.time_limit)
                .and_then(|mut stage| scene(&mut stage, if args.quick { 1 } else { 10 }));
            match result {
                Ok(row) => rows.push(line(name, *transport, &row)),
                Err(error) => {
                    rows.push(vec![
                        (*name).to_owned(),
                        transport.name().to_owned(),
                        "FAILED".into(),
                    ]);
                    failures.push(format!("{name} over {}: {error}", transport.name()));
                }
            }
        }
    }
    let head = ["pattern", "transport", "processes", "messages", "msg/s", "p50 [us]", "p99 [us]"];
    format::say(&format::table(&head, &rows));
    format::say(&format!(
        "\n{} passed, {} failed, in {:.1} s",
        rows.len() - failures.len(),
        failures.len(),
        begun.elapsed().as_secs_f64()
    ));
    for failure in &failures {
        format::complain(failure);
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(name: &str, transport: Transport, row: &Row) -> Vec<String> {
    let who = if transport == Transport::Inproc { "threads" } else { "processes" };
    let (p50, p99) = match row.round_trips {
        Some((p50, p99)) => (format::micros(p50), format::micros(p99)),
        None => ("-".to_owned(), "-".to_owned()),
    };
    vec![
        name.to_owned(),
        transport.name().to_owned(),
        format!("{} {who}", row.participants),
        format::number(row.messages),
        format::rate(row.messages, row.time),
        p50,
        p99,
    ]
}

/// Plays one role in a process of its own, telling the demo through the standard output.
pub(super) fn role(args: &RoleArgs) -> Result<ExitCode, Failure> {
    stage::play_in_child(args)
}
