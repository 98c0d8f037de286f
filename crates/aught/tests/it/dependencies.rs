//! That the dependencies are what `deny.toml` allows: licences, sources, names, and versions of one
//! crate. The file is that of `cargo deny`, which takes minutes to build; this takes none. What it
//! does not know is advisories: those need a database from elsewhere.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::house::{check, root};

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The array at `key` of a section of `deny.toml`, comments left out.
fn array(section: &str, key: &str) -> String {
    let text = read("deny.toml");
    let code = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let code = code.collect::<Vec<_>>().join("\n");
    let found = code.split(&format!("[{section}]\n")).nth(1).expect("the section");
    let found = found.split("\n[").next().expect("its text");
    let found = found.split(&format!("{key} = [")).nth(1).expect("the key");
    found.split("\n]").next().and_then(|it| it.split("]\n").next()).expect("its end").to_owned()
}

/// The strings of an array, or those at `crate` of its tables.
fn strings(array: &str) -> Vec<String> {
    let tables = array.contains("crate = \"");
    let rest = array.split(if tables { "crate = \"" } else { "\"" }).skip(1);
    let rest = rest.step_by(if tables { 1 } else { 2 });
    rest.map(|rest| rest.split('"').next().expect("a string").to_owned()).collect()
}

/// Whether one can take all that a licence expression asks for from the list. Cargo's old `/` is
/// an OR.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.replace('/', " OR ");
    if let Some((before, rest)) = expression.split_once('(') {
        let (inner, after) = rest.split_once(')').expect("the end of a parenthesis");
        let inner = if is_allowed(inner, allowed) { &allowed[0] } else { "none" };
        return is_allowed(&format!("{before}{inner}{after}"), allowed);
    }
    expression
        .split(" OR ")
        .any(|either| either.split(" AND ").all(|each| allowed.iter().any(|it| it == each.trim())))
}

/// Every crate of the workspace's lock file with its versions.
fn locked() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for package in read("Cargo.lock").split("[[package]]").skip(1) {
        let field = |name: &str| {
            let rest = package.split(&format!("\n{name} = \"")).nth(1).expect("a field");
            rest.split('"').next().expect("a string").to_owned()
        };
        found.entry(field("name")).or_default().push(field("version"));
    }
    assert!(found.len() > 20, "a lock file of {} crates", found.len());
    found
}

#[test]
fn licences_are_allowed() {
    let allowed = strings(&array("licenses", "allow"));
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--workspace", "--all-features", "--edges", "normal,build,dev"])
        .args(["--prefix", "none", "--format", "{p}|{l}|"])
        .current_dir(root())
        .output()
        .expect("cargo tree");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).expect("UTF-8");
    let mut broken = Vec::new();
    let lines = tree.lines().filter(|line| !line.is_empty());
    for line in lines.clone() {
        let mut fields = line.split('|');
        let (package, licence) = (fields.next(), fields.next().unwrap_or_default());
        if !is_allowed(licence, &allowed) {
            broken.push(format!("{}: {licence:?}", package.unwrap_or_default()));
        }
    }
    assert!(lines.count() > 20, "only this: {tree}");
    check(&broken);
}

#[test]
fn sources_are_allowed() {
    let allowed = strings(&array("sources", "allow-registry"));
    let mut broken = Vec::new();
    // Those of the fuzz targets and of the peers are workspaces of their own.
    for name in ["Cargo.lock", "fuzz/Cargo.lock", "crates/interop/peers/Cargo.lock"] {
        for line in read(name).lines() {
            let Some(source) = line.strip_prefix("source = ") else {
                continue;
            };
            let source = source.trim_matches('"');
            let registry = source.strip_prefix("registry+").unwrap_or_default();
            if !allowed.iter().any(|it| it == registry) {
                broken.push(format!("{name}: {source}"));
            }
        }
    }
    check(&broken);
}

#[test]
fn banned_crates_do_not_come_in() {
    let locked = locked();
    let banned = strings(&array("bans", "deny"));
    assert!(!banned.is_empty());
    let found: Vec<_> = banned.into_iter().filter(|name| locked.contains_key(name)).collect();
    check(&found);
}

#[test]
fn crates_come_in_one_version() {
    let excused = strings(&array("bans", "skip"));
    let mut broken = Vec::new();
    let locked = locked();
    for (name, versions) in &locked {
        let known = |version: &&String| !excused.contains(&format!("{name}@{version}"));
        let versions: Vec<_> = versions.iter().filter(known).collect();
        if versions.len() > 1 {
            broken.push(format!("{name}: {versions:?}"));
        }
    }
    for excuse in excused {
        let (name, version) = excuse.split_once('@').expect("a crate and its version");
        let versions = locked.get(name).cloned().unwrap_or_default();
        if versions.len() < 2 || !versions.iter().any(|it| it == version) {
            broken.push(format!("{excuse} needs no excuse"));
        }
    }
    check(&broken);
}

#[test]
fn versions_are_said() {
    let mut broken = Vec::new();
    let crates = fs::read_dir(root().join("crates")).expect("the crates");
    let crates = crates.map(|it| format!("crates/{}", it.unwrap().file_name().to_str().unwrap()));
    for directory in crates.chain([".".to_owned(), "xtask".to_owned(), "fuzz".to_owned()]) {
        for line in read(&format!("{directory}/Cargo.toml")).lines() {
            let code = line.split('#').next().unwrap_or_default().replace(' ', "");
            if code.ends_with("=\"*\"") || code.contains("version=\"*\"") {
                broken.push(format!("{directory}/Cargo.toml: {line}"));
            }
        }
    }
    check(&broken);
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = ["MIT".to_owned(), "Zlib".to_owned(), "Apache-2.0 WITH LLVM".to_owned()];
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("", false),
        ("MIT OR GPL-3.0", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("MIT AND Zlib", true),
        ("(MIT OR GPL-3.0) AND Zlib", true),
        ("(MIT AND GPL-3.0) OR (GPL-2.0 AND Zlib)", false),
        ("Apache-2.0 WITH LLVM OR GPL-3.0", true),
        ("Apache-2.0", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
