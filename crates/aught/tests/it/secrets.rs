//! That secrets are compared in constant time and in no other way, by reading the tree. That it is
//! constant is tested in `constant_time`; how many octets are compared, beside the comparison
//! (`zap/secret.rs`, `zap/rules.rs`).

use crate::house::{check, has_word, sources};

/// The crates whose code is read.
const CRATES: [&str; 4] =
    ["crates/zmtp/src", "crates/aught/src", "crates/libzmq/src", "crates/aught-cli/src"];

/// The files that compare in constant time, and what.
const COMPARING: &[(&str, &str)] = &[
    ("crates/zmtp/src/curve.rs", "secret keys"),
    ("crates/zmtp/src/mechanism/curve/boxes.rs", "tags of boxes; shared secrets of bad keys"),
    ("crates/zmtp/src/mechanism/curve/server.rs", "what boxes of HELLO and cookies hold"),
    ("crates/zmtp/src/zap.rs", "passwords"),
];

/// What secrets are called. In the mechanisms, these are also the tags that boxes are opened by.
const SECRETS: [&str; 4] = ["password", "secret", "signature", "cookie"];

/// Types with a password in them that can be compared, and why that does no harm.
const COMPARABLE: &[(&str, &str)] = &[
    ("crates/zmtp/src/connection/event.rs", "credentials: tests look at what was shown"),
    ("crates/zmtp/src/connection/config.rs", "our own settings: no peer has a say in them"),
];

#[test]
fn what_compares_in_constant_time_is_known() {
    let mut found = Vec::new();
    for directory in CRATES {
        for source in sources(directory) {
            if !source.is_test() && has_word(&source.code(), "ct_eq") {
                found.push(source.name);
            }
        }
    }
    found.sort();
    let expected: Vec<_> = COMPARING.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, expected);
}

/// The operands of each `==` and `!=` of a line, as far as they are written without a space.
fn operands(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for operator in [" == ", " != "] {
        for (at, _) in line.match_indices(operator) {
            let (before, after) = (&line[..at], &line[at + operator.len()..]);
            found.extend(before.split_whitespace().next_back());
            found.extend(after.split_whitespace().next());
        }
    }
    found
}

/// Whether an operand is a secret, and not its length or a constant.
fn is_secret(operand: &str, words: &[&str]) -> bool {
    let names = operand.split(|c: char| !c.is_alphanumeric() && c != '_');
    let last = names.clone().rfind(|name| !name.is_empty()).unwrap_or_default();
    let harmless = ["len", "is_empty", "is_none", "is_some"].contains(&last);
    !harmless && names.flat_map(|name| name.split('_')).any(|word| words.contains(&word))
}

#[test]
fn secrets_are_not_compared_by_operators() {
    let mut broken = Vec::new();
    for directory in CRATES {
        for source in sources(directory).into_iter().filter(|source| !source.is_test()) {
            let mut words = SECRETS.to_vec();
            if source.name.contains("/mechanism/") {
                words.push("tag");
            }
            for line in source.code().lines() {
                if operands(line).into_iter().any(|operand| is_secret(operand, &words)) {
                    broken.push(format!("{}: {}", source.name, line.trim()));
                }
            }
        }
    }
    check(&broken);
}

#[test]
fn what_holds_secrets_cannot_be_compared() {
    let mut broken = Vec::new();
    let mut excused = COMPARABLE.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    for directory in CRATES {
        for source in sources(directory).into_iter().filter(|source| !source.is_test()) {
            let code = source.code();
            for derived in code.split("#[derive(").skip(1) {
                let (traits, rest) = derived.split_once(")]").expect("the end of a derive");
                let item = rest.split("\n}").next().unwrap_or_default();
                // Keys are of types of their own, which compare in constant time.
                let secret = item.lines().any(|line| {
                    let (name, kind) = line.split_once(": ").unwrap_or_default();
                    let octets = kind.contains("u8") || kind.contains("String");
                    octets && is_secret(name, &SECRETS)
                });
                if !secret || !has_word(traits, "PartialEq") {
                    continue;
                }
                let before = excused.len();
                excused.retain(|name| *name != source.name);
                if excused.len() == before {
                    broken.push(format!("{}: {}", source.name, item.trim()));
                }
            }
        }
    }
    broken.extend(excused.iter().map(|name| format!("{name} needs no excuse")));
    check(&broken);
}

#[test]
fn comparisons_are_recognised() {
    for (line, expected) in [
        ("if password == expected {", true),
        ("if self.secret_key != other {", true),
        ("one == keys.secret()", true),
        ("if password.len() == 3 {", false),
        ("if secrets == other", false),
        ("tag == 1", false),
        ("let password = other;", false),
    ] {
        let found = operands(line).into_iter().any(|operand| is_secret(operand, &SECRETS));
        assert_eq!(found, expected, "{line}");
    }
}
