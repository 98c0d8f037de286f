//! That SECURITY.md says what is so: each test that it names is there, and each advisory in its
//! table has one or does not concern what is built in.

use std::fs;

use crate::house::root;

fn page() -> String {
    fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md")
}

/// The tests in a text, each as `` `path/of/file.rs: name` ``.
fn tests(text: &str) -> Vec<(String, String)> {
    let quoted = text.split('`').skip(1).step_by(2);
    let named = quoted.filter_map(|quoted| {
        let (file, name) = quoted.split_once(".rs: ")?;
        Some((format!("{file}.rs"), name.to_owned()))
    });
    named.collect()
}

/// Whether a file has a test of this name: a function that is marked as one, one that a macro
/// makes for each mechanism, or a line in the list of a macro.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.iter().enumerate().any(|(at, line)| {
        let code = line.trim_start();
        if code.strip_prefix("fn ").is_some_and(|rest| rest.starts_with(&format!("{name}("))) {
            let above = lines[..at].iter().rev().map(|line| line.trim());
            let mut attributes = above.take_while(|line| line.starts_with(['#', '/']));
            return code.contains("(mechanism)") || attributes.any(|line| line == "#[test]");
        }
        code.starts_with(&format!("{name} ")) && line.starts_with("    ") && line.ends_with(';')
    })
}

#[test]
fn the_page_names_tests_that_exist() {
    let found = tests(&page());
    assert!(found.len() > 40, "only {} tests are named", found.len());
    let mut missing = Vec::new();
    for (file, name) in found {
        let text = fs::read_to_string(root().join(&file)).unwrap_or_default();
        if !has_test(&text, &name) {
            missing.push(format!("{file}: {name}"));
        }
    }
    assert!(missing.is_empty(), "SECURITY.md names what is not there:\n  {}", missing.join("\n  "));
}

#[test]
fn every_advisory_has_a_test() {
    let page = page();
    let table = page.split("| advisory |").nth(1).expect("the table of advisories");
    let table = table.split("\n\n").next().expect("its end");
    let rows: Vec<_> = table.lines().skip(2).collect();
    assert!(rows.len() > 15, "only {} rows", rows.len());
    for row in &rows {
        let built = !row.contains("not built in");
        assert_eq!(row.matches(" | ").count(), 2, "three columns: {row}");
        assert!(!built || !tests(row).is_empty(), "no test: {row}");
    }
    for advisory in [
        "CVE-2014-7202",
        "CVE-2014-7203",
        "CVE-2014-9721",
        "CVE-2019-6250",
        "CVE-2019-13132",
        "CVE-2020-15166",
        "CVE-2021-20234",
        "CVE-2021-20235",
        "CVE-2021-20236",
        "CVE-2021-20237",
        "CVE-2020-36400",
        "OSV-2020-1655",
        "OSV-2022-478",
    ] {
        let has = |row: &&&str| row.contains(advisory);
        assert!(rows.iter().any(|row| has(&row)), "{advisory} is missing");
    }
}

#[test]
fn tests_are_recognised() {
    let text = "#[test]\nfn one() {}\n\nfn helper() {}\n\ntypes! {\n    two Kind;\n}\n\
                each! {\n    fn three(mechanism) {}\n}\n";
    let known = [("one", true), ("two", true), ("three", true)];
    for (name, expected) in known.into_iter().chain([("helper", false), ("four", false)]) {
        assert_eq!(has_test(text, name), expected, "{name}");
    }
    assert_eq!(tests("a `b/c.rs: d` and `e`, `f.rs`"), [("b/c.rs".to_owned(), "d".to_owned())]);
}
