//! The rules of the house that a compiler does not know, checked by reading the tree: imports
//! point down, `unsafe` and the names of socket types stay where they belong, files say what lives
//! in them and stay short. Exceptions are listed here, each with its reason.

use std::fs;
use std::path::{Path, PathBuf};

/// The top of the tree.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A source file: its name from the top of the tree, and its text.
pub(crate) struct Source {
    pub(crate) name: String,
    text: String,
}

impl Source {
    /// The code in front of the tests: no comments, and no contents of strings.
    pub(crate) fn code(&self) -> String {
        let text = match self.text.find("\n#[cfg(test)]\nmod tests {") {
            Some(end) => &self.text[..end],
            None => &self.text,
        };
        text.lines().map(strip).collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn is_test(&self) -> bool {
        self.name.contains("/tests/")
            || self.name.ends_with("/tests.rs")
            || self.name.starts_with("crates/behaviour/")
    }
}

/// A line without its comment and without what is in its string literals.
fn strip(line: &str) -> String {
    let mut code = String::new();
    let mut in_string = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_string => {
                chars.next();
            }
            '"' => in_string = !in_string,
            '/' if !in_string && chars.peek() == Some(&'/') => break,
            _ if in_string => {}
            _ => code.push(c),
        }
    }
    code
}

/// All Rust files below a directory of the tree.
pub(crate) fn sources(directory: &str) -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    let mut waiting = vec![root.join(directory)];
    while let Some(path) = waiting.pop() {
        for entry in fs::read_dir(&path).expect("a directory of the tree") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target" && name != "corpus") {
                    waiting.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).expect("below the top");
                let name = name.to_str().expect("a name in UTF-8").to_owned();
                let text = fs::read_to_string(&path).expect("a source file");
                found.push(Source { name, text });
            }
        }
    }
    assert!(!found.is_empty(), "nothing below {directory}");
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Whether a word stands in code, and not as a piece of a longer one.
pub(crate) fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].ends_with(is_part) && !code[at + word.len()..].starts_with(is_part)
    })
}

/// Fails with what is broken.
pub(crate) fn check(broken: &[String]) {
    assert!(broken.is_empty(), "house rules broken:\n  {}", broken.join("\n  "));
}

/// What the modules of `aught` must not name, from the bottom up. Everything not named here may be
/// used.
const LAYERS: &[(&str, &[&str])] = &[
    ("sync.rs", &["crate::"]),
    ("error.rs", &["crate::engine", "crate::socket", "crate::pattern", "crate::sys"]),
    (
        "sys/",
        &[
            "crate::message",
            "crate::pipe",
            "crate::pattern",
            "crate::options",
            "crate::engine",
            "crate::transport",
            "crate::socket",
            "crate::context",
            "crate::raw",
        ],
    ),
    (
        "message/",
        &[
            "crate::pipe",
            "crate::pattern",
            "crate::options",
            "crate::engine",
            "crate::transport",
            "crate::socket",
            "crate::context",
            "crate::raw",
            "crate::sys",
            "std::time",
            "std::thread",
            "std::net",
            "std::io",
            "std::fs",
            "rustix",
        ],
    ),
    (
        "pipe/",
        &[
            "crate::pattern",
            "crate::options",
            "crate::engine",
            "crate::transport",
            "crate::socket",
            "crate::context",
            "crate::raw",
            "crate::sys",
            "std::time",
            "std::thread",
            "std::net",
            "std::io",
            "std::fs",
            "rustix",
        ],
    ),
    (
        "pattern/",
        &[
            "crate::options",
            "crate::engine",
            "crate::transport",
            "crate::socket",
            "crate::context",
            "crate::raw",
            "crate::sys",
            "crate::endpoint",
            "std::time",
            "std::thread",
            "std::net",
            "std::io",
            "std::fs",
            "rustix",
            "libc",
        ],
    ),
    (
        "options/",
        &[
            "crate::pipe",
            "crate::engine",
            "crate::transport",
            "crate::socket",
            "crate::context",
            "crate::raw",
            "crate::sys",
            "std::thread",
        ],
    ),
    (
        "zap/",
        &[
            "crate::pattern",
            "crate::engine",
            "crate::transport",
            "crate::sys",
            "crate::raw",
            "crate::socket::api",
            "crate::socket::typed",
            "std::thread",
            "std::time",
        ],
    ),
    ("endpoint.rs", &["crate::engine", "crate::socket", "crate::transport", "crate::sys"]),
    (
        "transport/",
        &[
            "crate::pattern",
            "crate::engine",
            "crate::socket",
            "crate::context",
            "crate::raw",
            "std::fs",
            "ToSocketAddrs",
        ],
    ),
    (
        "engine/",
        &[
            "crate::pattern",
            "crate::raw",
            "crate::socket::api",
            "crate::socket::typed",
            "std::fs",
            "ToSocketAddrs",
        ],
    ),
    ("socket/", &["crate::raw", "std::fs", "ToSocketAddrs"]),
];

/// Imports that point up all the same, and why.
const UPWARD: &[(&str, &str, &str)] = &[
    ("transport/inproc.rs", "crate::socket", "in-process names lead to sockets"),
    ("transport/ipc.rs", "crate::engine", "a number that no other name in the process has"),
    ("transport/resolve.rs", "crate::engine", "answers of the resolver go to an I/O thread"),
];

#[test]
fn imports_point_down() {
    let mut broken = Vec::new();
    for source in sources("crates/aught/src") {
        if source.is_test() {
            continue;
        }
        let name = source.name.trim_start_matches("crates/aught/src/");
        let code = source.code();
        let layers = LAYERS.iter().filter(|(layer, _)| name.starts_with(layer));
        for forbidden in layers.flat_map(|(_, forbidden)| *forbidden) {
            let excused = UPWARD.iter().any(|(file, what, _)| file == &name && what == forbidden);
            let found = if forbidden.ends_with("::") {
                code.contains(forbidden)
            } else {
                has_word(&code, forbidden)
            };
            if found && !excused {
                broken.push(format!("{} names {forbidden}", source.name));
            }
        }
    }
    check(&broken);
}

#[test]
fn the_protocol_does_no_io_and_reads_no_clock() {
    let forbidden = [
        "std::net",
        "std::io",
        "std::thread",
        "std::fs",
        "std::os",
        "std::process",
        "rustix",
        "libc",
        "socket2",
        "SystemTime",
    ];
    let mut broken = Vec::new();
    for source in sources("crates/zmtp/src") {
        let code = source.code();
        for word in forbidden {
            if has_word(&code, word) {
                broken.push(format!("{} names {word}", source.name));
            }
        }
        // The simulated world has to begin somewhere.
        if code.contains("Instant::now") && !source.name.contains("/testing/") {
            broken.push(format!("{} reads the clock", source.name));
        }
    }
    let lib = fs::read_to_string(root().join("crates/zmtp/src/lib.rs")).expect("the crate");
    if !lib.contains("#![forbid(unsafe_code)]") {
        broken.push("crates/zmtp/src/lib.rs does not forbid unsafe code".to_owned());
    }
    check(&broken);
}

/// The files that may hold `unsafe`, and what for.
const UNSAFE: &[(&str, &str)] = &[
    ("crates/aught/src/message/storage.rs", "bodies: inline, owned, shared, foreign"),
    ("crates/aught/src/message/storage/arena.rs", "small bodies in shared blocks"),
    ("crates/aught/src/pipe/queue.rs", "the queue between two threads"),
    ("crates/aught/src/pipe/mod.rs", "its ends, each of one thread"),
    ("crates/aught/src/socket/biased.rs", "the lock of a socket"),
    ("crates/aught/src/sys/barrier.rs", "membarrier(2) and the thread's address"),
    ("crates/aught/src/sys/poll.rs", "descriptors that the caller lends"),
    ("crates/aught/src/sys/socket.rs", "descriptors that the caller gives"),
    ("crates/aught/src/sys/thread.rs", "signal masks"),
    ("crates/libzmq/src/abi.rs", "the C functions' entries"),
    ("crates/libzmq/src/handle.rs", "handles that may be stale"),
    ("crates/libzmq/src/msg.rs", "zmq_msg_t"),
    ("crates/libzmq/src/raw.rs", "pointers of C programs"),
];

#[test]
fn unsafe_stays_behind_its_fence() {
    let mut broken = Vec::new();
    for directory in ["crates/aught/src", "crates/libzmq/src", "crates/aught-cli/src", "xtask/src"]
    {
        for source in sources(directory) {
            let fenced = UNSAFE.iter().any(|(name, _)| *name == source.name);
            if !fenced && has_word(&source.code(), "unsafe") {
                broken.push(format!("{} holds unsafe code", source.name));
            }
        }
    }
    for (name, _) in UNSAFE {
        let path = root().join(name);
        let text = fs::read_to_string(path).unwrap_or_default();
        if !has_word(&text, "unsafe") {
            broken.push(format!("{name} is on the list and holds no unsafe code"));
        }
    }
    check(&broken);
}

/// Where a socket type may be named outside `pattern/mod.rs` and the options table, and why.
const TYPES: &[(&str, &[&str], &str)] = &[
    ("socket/typed.rs", &["$kind"], "a Rust type for each socket type"),
    ("socket/monitor.rs", &["Pair"], "events travel over a PAIR"),
    ("socket/options.rs", &["Pair"], "a monitor's socket is a PAIR"),
    ("socket/api.rs", &["Pair"], "a monitor is read from a PAIR"),
    ("socket/core.rs", &["Stream"], "the one type without a protocol from its birth"),
    ("socket/proxy.rs", &["Rep"], "a REP that steers has to be answered"),
    ("engine/session.rs", &["Sub", "Xsub"], "subscriptions of a lost connection are skipped"),
];

#[test]
fn socket_types_are_matched_in_one_place() {
    let mut broken = Vec::new();
    for source in sources("crates/aught/src") {
        let name = source.name.trim_start_matches("crates/aught/src/");
        if source.is_test() || name == "pattern/mod.rs" || name == "options/table.rs" {
            continue;
        }
        let allowed =
            TYPES.iter().find(|(file, ..)| *file == name).map_or(&[][..], |found| found.1);
        let code = source.code();
        // The kernel has socket types, too.
        for (at, _) in
            code.match_indices("SocketType::").filter(|(at, _)| !code[..*at].ends_with("net::"))
        {
            let variant: String = code[at + "SocketType::".len()..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || "$_".contains(*c))
                .collect();
            let is_variant = variant.starts_with(|c: char| c.is_uppercase() || c == '$');
            if is_variant && !allowed.contains(&variant.as_str()) {
                broken.push(format!("{} names SocketType::{variant}", source.name));
            }
        }
    }
    check(&broken);
}

#[test]
fn every_file_says_what_lives_in_it() {
    let mut broken = Vec::new();
    for directory in ["crates", "xtask", "fuzz"] {
        for source in sources(directory) {
            if !source.text.starts_with("//!") {
                broken.push(format!("{} does not open with //!", source.name));
            }
        }
    }
    check(&broken);
}

/// The most lines of a file without its tests.
const LONGEST: usize = 500;

/// Files that are longer, and why.
const LONG: &[(&str, &str)] = &[
    ("crates/aught/src/engine/session.rs", "one state machine, and its picture"),
    ("crates/aught/src/pipe/mod.rs", "both ends of a pipe, which keep one protocol"),
    ("crates/aught/src/options/mod.rs", "one struct with a field for each option"),
    ("crates/aught/src/socket/api.rs", "the documented interface; the work is elsewhere"),
    ("crates/aught/src/socket/core.rs", "one lock and who may wait on it"),
];

#[test]
fn files_stay_short() {
    let mut broken = Vec::new();
    for directory in ["crates", "xtask", "fuzz"] {
        for source in sources(directory) {
            if source.is_test() {
                continue;
            }
            let lines = source.code().lines().count();
            let excused = LONG.iter().any(|(name, _)| *name == source.name);
            if lines > LONGEST && !excused {
                broken.push(format!("{} has {lines} lines", source.name));
            }
        }
    }
    check(&broken);
}

#[test]
fn tests_do_not_sleep() {
    let mut broken = Vec::new();
    for directory in
        ["crates/aught/tests", "crates/aught/src", "crates/zmtp", "crates/behaviour/tests"]
    {
        for source in sources(directory) {
            // Written apart, so that this file does not find itself.
            let sleep = ["thread::", "sleep"].concat();
            if has_word(&source.text, &sleep) {
                broken.push(format!("{} sleeps", source.name));
            }
        }
    }
    check(&broken);
}
