//! That COMPATIBILITY.md gives every function and every monitor event its status as the sources
//! have it, and that the behaviour suite names every stable option and every event: what is on
//! the page was compared with libzmq. With `AUGHT_BLESS=1` in the environment, the tables are
//! written into the page.

use std::fs;
use std::path::{Path, PathBuf};

use crate::house::root;

/// What there is to say of a function beyond whether it works.
const NOTES: &[(&str, &str)] = &[
    ("zmq_poller_fd", "fails with `EINVAL`: only pollers of thread-safe sockets have a descriptor"),
    ("zmq_socket_monitor_versioned", "version 1 and a PAIR; others fail with `EINVAL`"),
    ("zmq_msg_set_routing_id", "kept with the message; for socket types that are not built in"),
    ("zmq_msg_routing_id", "kept with the message; for socket types that are not built in"),
    ("zmq_device", "as `zmq_proxy`, whatever the type of device"),
];

/// Events by their names here, where these differ from those of `zmq.h`.
const EVENTS: &[(&str, &str)] = &[("MONITOR_STOPPED", "STOPPED")];

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text of all Rust files in a directory.
fn sources(directory: &str) -> String {
    let mut text = String::new();
    let mut waiting: Vec<PathBuf> = vec![root().join(directory)];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(
                fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("it").path()),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&read(path));
        }
    }
    text
}

/// The header in front of its draft part, and that part.
fn header() -> (String, String) {
    let text = read("crates/libzmq/include/zmq.h");
    let (stable, draft) = text.split_once("#ifdef ZMQ_BUILD_DRAFT_API").expect("a draft part");
    (stable.to_owned(), draft.to_owned())
}

/// The body of an exported function.
fn body<'a>(sources: &'a str, name: &str) -> &'a str {
    let start = sources.find(&format!("    fn {name}(")).unwrap_or_else(|| panic!("no {name}"));
    let rest = &sources[start..];
    let end = rest.find("\n    }\n").unwrap_or(rest.len());
    &rest[..end]
}

fn functions() -> String {
    let sources = sources("crates/libzmq/src");
    let (stable, _) = header();
    let mut table = String::from("| function | interface | status |\n| --- | --- | --- |\n");
    for name in read("crates/libzmq/packaging/symbols.txt").lines().map(str::trim) {
        if !name.starts_with("zmq_") {
            continue;
        }
        let declared = [format!(" {name}("), format!("*{name}(")];
        let is_stable = declared.iter().any(|text| stable.contains(text));
        let interface = if is_stable { "stable" } else { "draft" };
        let body = body(&sources, name);
        let unsupported = body.trim_end().ends_with("Err(Errno::UNSUPPORTED)");
        assert!(
            unsupported || !body.contains("Errno::UNSUPPORTED"),
            "{name} is unsupported in part: say so in its row"
        );
        let note = NOTES.iter().find(|(known, _)| *known == name).map(|(_, note)| *note);
        let status = match (unsupported, note) {
            (true, _) => "fails with `ENOTSUP`: not built in",
            (false, Some(note)) => note,
            (false, None) => "as the manual says",
        };
        table.push_str(&format!("| `{name}` | {interface} | {status} |\n"));
    }
    table
}

/// The events of the header: their names without their family, and whether they are stable.
fn events() -> Vec<(String, bool)> {
    let (stable, draft) = header();
    let of = |text: &str| -> Vec<String> {
        text.lines()
            .filter_map(|line| line.strip_prefix("#define ZMQ_EVENT_"))
            .filter_map(|rest| rest.split_whitespace().next().map(str::to_owned))
            .filter(|name| !name.starts_with("ALL"))
            .collect()
    };
    let stable = of(&stable).into_iter().map(|name| (name, true));
    stable.chain(of(&draft).into_iter().map(|name| (name, false))).collect()
}

/// Whether something tells of an event.
fn is_told(sources: &str, name: &str) -> bool {
    let ours = EVENTS.iter().find(|(known, _)| *known == name).map_or(name, |(_, ours)| ours);
    let used =
        [format!("monitor::{ours},"), format!("monitor::{ours};"), format!("event: {ours},")];
    used.iter().any(|used| sources.contains(used)) || sources.contains(&format!("monitor::{ours})"))
}

fn event_table() -> String {
    let sources = sources("crates/aught/src");
    let mut table = String::from("| event | interface | status |\n| --- | --- | --- |\n");
    for (name, stable) in events() {
        let interface = if stable { "stable" } else { "draft" };
        let status = match (is_told(&sources, &name), stable) {
            (true, _) => "as the manual says, format version 1",
            (false, true) => "never happens: closing cannot fail here",
            (false, false) => "not built in",
        };
        table.push_str(&format!("| `ZMQ_EVENT_{name}` | {interface} | {status} |\n"));
    }
    table
}

/// Compares a table with the page, or writes it there.
fn check(what: &str, table: &str) {
    let path = root().join("COMPATIBILITY.md");
    let page = read(&path);
    let begin =
        format!("<!-- {what}: written by `AUGHT_BLESS=1 cargo test -p aught --test it` -->\n");
    let end = format!("<!-- end of {what} -->\n");
    let start = page.find(&begin).unwrap_or_else(|| panic!("where {what} begin")) + begin.len();
    let stop = page.find(&end).unwrap_or_else(|| panic!("where {what} end"));
    if std::env::var_os("AUGHT_BLESS").is_some() {
        let text = format!("{}{table}{}", &page[..start], &page[stop..]);
        fs::write(path, text).expect("COMPATIBILITY.md can be written");
        return;
    }
    assert_eq!(
        &page[start..stop],
        table,
        "run `AUGHT_BLESS=1 cargo test -p aught --test it -- --test-threads=1`"
    );
}

#[test]
fn the_page_has_every_function_with_its_status() {
    check("functions", &functions());
}

#[test]
fn the_page_has_every_event_with_its_status() {
    check("events", &event_table());
}

/// Whether a name stands in a text, and not as a piece of a longer one.
fn names(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part)
    })
}

#[test]
fn the_behaviour_suite_has_a_case_for_every_event() {
    let cases = sources("crates/behaviour/tests");
    for (name, _) in events().into_iter().filter(|(_, stable)| *stable) {
        let never = name == "CLOSE_FAILED";
        assert!(never || names(&cases, &format!("EVENT_{name}")), "no case names EVENT_{name}");
    }
}

#[test]
fn the_behaviour_suite_has_a_case_for_every_stable_option() {
    let cases = sources("crates/behaviour/tests");
    let table = read("crates/aught/src/options/table.rs");
    let mut count = 0;
    for line in table.lines().filter(|line| line.contains(", stable, ")) {
        let (name, rest) = line.trim().split_once(" = ").expect("a row");
        let gssapi = name.starts_with("GSSAPI_");
        assert!(gssapi == rest.contains("NO_GSSAPI"), "{name}");
        assert!(gssapi || names(&cases, name), "no case names {name}");
        count += 1;
    }
    assert!(count > 70, "only {count} stable options");
}

#[test]
fn the_behaviour_suite_has_a_case_for_every_stable_function() {
    let mut cases = sources("crates/behaviour/tests");
    cases.push_str(&sources("crates/behaviour/src").replace("    fn zmq_", ""));
    let (stable, _) = header();
    for name in read("crates/libzmq/packaging/symbols.txt").lines().map(str::trim) {
        let declared = [format!(" {name}("), format!("*{name}(")];
        if declared.iter().any(|text| stable.contains(text)) {
            assert!(names(&cases, name), "no case calls {name}");
        }
    }
}
