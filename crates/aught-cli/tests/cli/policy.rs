//! What the environment says about sockets without authentication: `AUGHT_UNAUTHENTICATED`.

use std::process::Command;

use crate::Said;

/// Binds a socket to `endpoint` for a moment.
fn pull(policy: Option<&str>, endpoint: &str) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aught"));
    command.args(["pull", "--bind", "--timeout", "0.05", endpoint]);
    match policy {
        Some(policy) => command.env("AUGHT_UNAUTHENTICATED", policy),
        None => command.env_remove("AUGHT_UNAUTHENTICATED"),
    };
    Said::of(&command.output().expect("the command starts"))
}

const REFUSED: &str = "refuses sockets without authentication";
const WARNED: &str = "a PULL socket is bound to tcp://*:* without authentication";

#[test]
fn the_environment_decides_what_becomes_of_open_sockets() {
    for policy in [None, Some("allow"), Some("")] {
        pull(policy, "tcp://*:*").hides(REFUSED).hides(WARNED);
    }
    let warned = pull(Some("warn"), "tcp://*:*").hides(REFUSED);
    assert!(warned.err.contains(WARNED), "{}", warned.err);
    let refused = pull(Some("refuse"), "tcp://*:*").ends(1).hides(WARNED);
    assert!(refused.err.contains(REFUSED), "{}", refused.err);
    // A slip of the pen leaves nobody open.
    let refused = pull(Some("deny"), "tcp://*:*").ends(1);
    assert!(refused.err.contains(REFUSED), "{}", refused.err);
    for policy in ["warn", "refuse"] {
        pull(Some(policy), "tcp://127.0.0.1:*").hides(REFUSED).hides("without authentication");
        pull(Some(policy), "ipc://*").hides(REFUSED).hides("without authentication");
    }
}
