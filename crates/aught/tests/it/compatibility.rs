//! That COMPATIBILITY.md names every function and describes every option as the options table has
//! it. With `AUGHT_BLESS=1` in the environment, the options are written into the page.

use std::fs;
use std::path::PathBuf;

use crate::house::root;

const BEGIN: &str = "<!-- options: written by `AUGHT_BLESS=1 cargo test -p aught --test it` -->\n";
const END: &str = "<!-- end of options -->\n";

fn page() -> PathBuf {
    root().join("COMPATIBILITY.md")
}

/// One row of `options/table.rs`, as it stands there.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) number: String,
    pub(crate) draft: bool,
    kind: String,
    access: String,
    types: String,
    when: String,
    built: String,
}

/// The rows of the table.
pub(crate) fn rows(source: &str) -> Vec<Row> {
    let table = source.split("\noptions! {").nth(1).expect("the table");
    let table = &table[..table.find("\n}").expect("its end")];
    let code: String = table
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""))
        .collect::<Vec<_>>()
        .join(" ");
    code.split(';')
        .map(str::trim)
        .filter(|row| !row.is_empty())
        .map(|row| {
            let (name, rest) = row.split_once('=').expect("a name and a row");
            let fields = split_fields(rest);
            let [number, status, kind, access, types, when, built] =
                <[String; 7]>::try_from(fields).expect("seven fields");
            Row {
                name: name.trim().to_owned(),
                number,
                draft: status == "draft",
                kind,
                access,
                types,
                when,
                built,
            }
        })
        .collect()
}

/// Splits at commas that are not inside brackets.
fn split_fields(text: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            fields.push(String::new());
        } else if let Some(field) = fields.last_mut() {
            field.push(c);
        }
    }
    fields.iter().map(|field| field.trim().to_owned()).collect()
}

/// The value of `const NAME: ... = VALUE;` in the table's file.
fn constant(source: &str, name: &str) -> Option<String> {
    let start = source.find(&format!("const {name}:"))?;
    let rest = &source[start..];
    let value = &rest[rest.find('=')? + 1..rest.find(';')?];
    Some(value.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn inside(text: &str) -> &str {
    match (text.find('('), text.rfind(')')) {
        (Some(open), Some(close)) => &text[open + 1..close],
        _ => "",
    }
}

/// `2147483647` where the table has names for it, and no underscores in numbers.
fn plain(number: &str) -> String {
    match number.trim() {
        "MAX" | "i32::MAX" => "2147483647".to_owned(),
        "i32::MIN" => "-2147483648".to_owned(),
        "usize::MAX" => "any".to_owned(),
        other => other.replace('_', ""),
    }
}

fn field(kind: &str, name: &str) -> String {
    let rest = kind.split(&format!("{name}:")).nth(1).unwrap_or("");
    plain(rest.split([',', '}']).next().unwrap_or(""))
}

fn describe_kind(source: &str, kind: &str) -> String {
    let kind = match kind {
        "OFF" | "FLAG" => constant(source, kind).expect("a constant"),
        other => other.to_owned(),
    };
    let sizes = |least: &str, most: &str| {
        let (least, most) = (plain(least), plain(most));
        if most == "any" {
            format!("{least} bytes or more")
        } else {
            format!("{least} to {most} bytes")
        }
    };
    if kind.starts_with("int(") {
        let fields = split_fields(inside(&kind));
        return format!(
            "int {} to {}, default {}",
            plain(&fields[0]),
            plain(&fields[1]),
            plain(&fields[2])
        );
    }
    if kind.starts_with("text(") {
        return format!("string, {}", sizes("1", inside(&kind)));
    }
    let variant = kind.trim_start_matches("Kind::").split([' ', '{']).next().unwrap_or("");
    let switch = || if kind.contains("true") { "1" } else { "0" };
    match variant {
        "Switch" => format!("0 or 1, default {}", switch()),
        "Truth" | "Flag" => format!("0 or not, default {}", switch()),
        "Mask" => format!("64 bits, default {}", field(&kind, "default")),
        "Limit" => format!("int64, default {}", field(&kind, "default")),
        "Text" => format!("string, {}", sizes(&field(&kind, "min"), &field(&kind, "max"))),
        "Binary" => sizes(&field(&kind, "min"), &field(&kind, "max")),
        "Key" => "key, 32 bytes or 40 characters".to_owned(),
        "Ids" => "int, added to a list".to_owned(),
        "Texts" => "string, added to a list".to_owned(),
        "Live" => "read off the socket".to_owned(),
        other => panic!("a kind that the page has no words for: {other}"),
    }
}

fn describe_types(source: &str, types: &str) -> String {
    let list = constant(source, types).expect("a list of types");
    let names: Vec<_> = list
        .trim_start_matches("&[")
        .trim_end_matches(']')
        .split(',')
        .map(|name| name.trim().trim_start_matches("SocketType::").to_uppercase())
        .filter(|name| !name.is_empty() && name != "RADIO")
        .collect();
    if names.is_empty() { "all".to_owned() } else { names.join(", ") }
}

fn describe_built(source: &str, built: &str) -> String {
    let reason = || {
        let reason = inside(built);
        let text = constant(source, reason).unwrap_or_else(|| reason.to_owned());
        text.trim_matches('"').to_owned()
    };
    match built.split('(').next().unwrap_or("") {
        "Yes" => "yes".to_owned(),
        "Stored" => format!("kept and read only: {}", reason()),
        "No" => format!("not built in: {}", reason()),
        other => panic!("a status that the page has no words for: {other}"),
    }
}

fn options() -> String {
    let path = root().join("crates/aught/src/options/table.rs");
    let source = fs::read_to_string(path).expect("the table");
    let mut text = String::from(
        "| option | number | value | access | sockets | takes effect | status |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for row in rows(&source) {
        let draft = if row.draft { " (draft)" } else { "" };
        let access = match row.access.as_str() {
            "ReadWrite" => "set, get",
            "Write" => "set",
            "Read" => "get",
            other => panic!("an access that the page has no words for: {other}"),
        };
        let when = match row.when.as_str() {
            "Now" => "at once",
            "Next" => "next",
            "Never" => "-",
            other => panic!("a time that the page has no words for: {other}"),
        };
        text.push_str(&format!(
            "| `ZMQ_{}`{draft} | {} | {} | {access} | {} | {when} | {} |\n",
            row.name,
            row.number,
            describe_kind(&source, &row.kind),
            describe_types(&source, &row.types),
            describe_built(&source, &row.built),
        ));
    }
    text
}

#[test]
fn the_page_describes_every_option_as_the_table_has_it() {
    let page_text = fs::read_to_string(page()).expect("COMPATIBILITY.md");
    let begin = page_text.find(BEGIN).expect("where options begin") + BEGIN.len();
    let end = page_text.find(END).expect("where options end");
    let expected = options();
    if std::env::var_os("AUGHT_BLESS").is_some() {
        let text = format!("{}{expected}{}", &page_text[..begin], &page_text[end..]);
        fs::write(page(), text).expect("COMPATIBILITY.md can be written");
        return;
    }
    assert_eq!(
        &page_text[begin..end],
        expected,
        "run `AUGHT_BLESS=1 cargo test -p aught --test it` to bring COMPATIBILITY.md up to date"
    );
}

#[test]
fn the_page_names_every_function() {
    let page_text = fs::read_to_string(page()).expect("COMPATIBILITY.md");
    let symbols = root().join("crates/libzmq/packaging/symbols.txt");
    let symbols = fs::read_to_string(symbols).expect("the list of symbols");
    for symbol in symbols.lines().map(str::trim).filter(|line| line.starts_with("zmq_")) {
        assert!(page_text.contains(&format!("`{symbol}`")), "{symbol} is missing");
    }
}

/// What is defined in the header, under a prefix.
fn defined(prefix: &str) -> Vec<String> {
    let header = root().join("crates/libzmq/include/zmq.h");
    let header = fs::read_to_string(header).expect("the header");
    let names = header.lines().filter_map(|line| {
        let name = line.trim().strip_prefix("#define ")?.split_whitespace().next()?;
        name.starts_with(prefix).then(|| name.to_owned())
    });
    names.collect()
}

/// Names of one family share their beginning, which the page does not repeat: `ZMQ_EVENT_A`, `_B`.
#[test]
fn the_page_names_every_event_and_error_number() {
    let page_text = fs::read_to_string(page()).expect("COMPATIBILITY.md");
    for family in ["ZMQ_EVENT_", "ZMQ_PROTOCOL_ERROR_"] {
        let names = defined(family);
        assert!(names.len() > 15, "{names:?}");
        for name in names.iter().filter(|name| !name.starts_with("ZMQ_EVENT_ALL")) {
            let short = &name[family.len() - 1..];
            let known = [name.as_str(), short].map(|name| page_text.contains(&format!("`{name}`")));
            assert!(known.contains(&true), "{name} is missing");
        }
    }
    for name in defined("E") {
        assert!(page_text.contains(&format!("`{name}`")), "{name} is missing");
    }
}

#[test]
fn the_page_names_every_context_option() {
    let page_text = fs::read_to_string(page()).expect("COMPATIBILITY.md");
    let table = root().join("crates/aught/src/options/table.rs");
    let table = fs::read_to_string(table).expect("the table");
    let numbers = table.split("pub(crate) mod numbers {").nth(1).expect("the numbers");
    let numbers = &numbers[..numbers.find("\n        }").expect("their end")];
    let mut names = 0;
    for line in numbers.lines().filter_map(|line| line.trim().strip_prefix("pub(crate) const ")) {
        let name = line.split(':').next().expect("a name");
        assert!(page_text.contains(&format!("`ZMQ_{name}`")), "{name} is missing");
        names += 1;
    }
    assert!(names >= 12, "only {names} options");
}
