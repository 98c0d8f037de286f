//! That `zmq.h` defines the constants of the C interface, all of them and no others, and that the
//! options table has every option under its number. What they are is written down in
//! `crates/libzmq/packaging/constants.txt`, as the functions are in `symbols.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use crate::compatibility::rows;
use crate::house::root;

/// What the header defines besides constants: its guard, and what its declarations are made of.
const OTHERS: &[&str] = &[
    "ZMQ_BUILD_DRAFT_API",
    "ZMQ_CDECL",
    "ZMQ_EXPORT",
    "ZMQ_HAUSNUMERO",
    "ZMQ_H_INCLUDED",
    "ZMQ_MAKE_VERSION",
    "ZMQ_VERSION",
];

struct Constant {
    name: String,
    /// Empty if it is only defined.
    value: String,
    draft: bool,
    /// `socket` or `context` if it is an option of these.
    option: Option<String>,
}

fn constants() -> Vec<Constant> {
    let path = root().join("crates/libzmq/packaging/constants.txt");
    let text = fs::read_to_string(path).expect("the list of constants");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let constants = lines.map(|line| {
        let mut words = line.split(' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_else(|| panic!("a word is missing: {line}"));
        let (name, value, status) = (word(), word(), word());
        assert!(["stable", "draft"].contains(&status.as_str()), "{line}");
        let option = words.next();
        assert!(["socket", "context"].contains(&option.as_deref().unwrap_or("socket")), "{line}");
        let value = if value == "-" { String::new() } else { value };
        Constant { name, value, draft: status == "draft", option }
    });
    constants.collect()
}

/// What the C compiler, which has linked this test, makes of the header's constants.
fn defined(flags: &[&str]) -> BTreeMap<String, String> {
    let output = Command::new("cc")
        .args(["-E", "-dM"])
        .args(flags)
        .arg(root().join("crates/libzmq/include/zmq.h"))
        .output()
        .expect("a C compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let macros: BTreeMap<_, _> = text
        .lines()
        .filter_map(|line| line.strip_prefix("#define ")?.split_once(' '))
        .filter(|(name, _)| name.starts_with("ZMQ_"))
        .map(|(name, value)| (name.split('(').next().unwrap_or(name), value.trim()))
        .collect();
    macros
        .iter()
        .filter(|(name, _)| !OTHERS.contains(name))
        .map(|(name, value)| ((*name).to_owned(), plain(value, &macros)))
        .collect()
}

/// A value as the list has it: numbers in decimals, strings without quotes, names followed.
fn plain(value: &str, macros: &BTreeMap<&str, &str>) -> String {
    let mut value = value.trim_matches(['(', ')', '"']);
    while let Some(named) = macros.get(value) {
        value = named.trim_matches(['(', ')', '"']);
    }
    match value.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).expect("a number").to_string(),
        None => value.to_owned(),
    }
}

fn expected(drafts: bool) -> BTreeMap<String, String> {
    let wanted = constants().into_iter().filter(|constant| drafts || !constant.draft);
    wanted.map(|constant| (constant.name, constant.value)).collect()
}

#[test]
fn the_header_defines_the_constants_and_no_others() {
    assert_eq!(constants().len(), expected(true).len(), "a name stands twice in the list");
    assert_eq!(defined(&[]), expected(false), "the stable interface");
    assert_eq!(defined(&["-DZMQ_BUILD_DRAFT_API"]), expected(true), "with drafts");
}

#[test]
fn the_options_table_has_every_option_and_no_others() {
    let path = root().join("crates/aught/src/options/table.rs");
    let source = fs::read_to_string(path).expect("the table");
    let named: BTreeMap<_, _> = constants()
        .into_iter()
        .filter(|constant| constant.option.as_deref() == Some("socket"))
        .map(|constant| (constant.name, (constant.value, constant.draft)))
        .collect();
    let mut numbers = BTreeSet::new();
    for row in rows(&source) {
        let name = format!("ZMQ_{}", row.name);
        let found = named.get(&name).unwrap_or_else(|| panic!("{name} is no socket option"));
        assert_eq!(found, &(row.number.clone(), row.draft), "{name}");
        assert!(numbers.insert(row.number), "{name} has another row's number");
    }
    // Some options have older names, too, which are only other names for a row's number.
    for (name, (number, _)) in named {
        assert!(numbers.contains(&number), "{name}, {number}, has no row");
    }
}

#[test]
fn context_options_have_the_numbers_of_the_header() {
    let path = root().join("crates/aught/src/options/table.rs");
    let source = fs::read_to_string(path).expect("the table");
    let numbers = source.split("pub(crate) mod numbers {").nth(1).expect("the numbers");
    let numbers = &numbers[..numbers.find("\n        }").expect("their end")];
    let ours: BTreeMap<_, _> = numbers
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub(crate) const "))
        .filter_map(|line| line.trim_end_matches(';').split_once(": i32 = "))
        .map(|(name, number)| (format!("ZMQ_{name}"), number.to_owned()))
        .collect();
    let listed: BTreeMap<_, _> = constants()
        .into_iter()
        .filter(|constant| constant.option.as_deref() == Some("context"))
        .map(|constant| (constant.name, constant.value))
        .collect();
    assert_eq!(ours, listed);
}
