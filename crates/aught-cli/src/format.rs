//! How the commands speak to people: numbers, times, tables, messages as lines. The only file
//! that prints.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its user")]

use std::io::Write;
use std::time::Duration;

use aught::Message;

/// Prints a line.
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Prints what went wrong where errors go.
pub(crate) fn complain(line: &str) {
    eprintln!("aught: {line}");
}

/// Prints a message as a line, its parts separated. False when nobody reads any more.
pub(crate) fn message(message: &Message, separator: &str) -> bool {
    let mut line = Vec::new();
    for (index, part) in message.iter().enumerate() {
        if index > 0 {
            line.extend_from_slice(separator.as_bytes());
        }
        line.extend_from_slice(part);
    }
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line).and_then(|()| out.flush()).is_ok()
}

/// A line as a message, cut into parts at the separator.
pub(crate) fn parse_message(line: &str, separator: &str) -> Message {
    if separator.is_empty() {
        return Message::from(line);
    }
    Message::from_parts(line.split(separator))
}

/// A number with its digits in groups of three.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// How many a second, rounded.
pub(crate) fn rate(count: u64, time: Duration) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rounded number for people; float casts saturate"
    )]
    let rate = (count as f64 / time.as_secs_f64().max(1e-9)).round() as u64;
    number(rate)
}

/// A short time in microseconds.
pub(crate) fn micros(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e6)
}

/// A table with a heading, the columns as wide as they need to be. Numbers stand to the right.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .chain(head.get(column).map(|cell| cell.len()))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let mut line = String::new();
        for (index, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            let width = *width;
            if index < 2 {
                line.push_str(&format!("{cell:<width$}  "));
            } else {
                line.push_str(&format!("{cell:>width$}  "));
            }
        }
        line.trim_end().to_owned()
    };
    let head: Vec<_> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let mut text = line(&head);
    text.push('\n');
    text.push_str(&"-".repeat(widths.iter().map(|width| width + 2).sum::<usize>().max(2) - 2));
    for row in rows {
        text.push('\n');
        text.push_str(&line(row));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(number(7), "7");
        assert_eq!(number(1000), "1 000");
        assert_eq!(number(12_345_678), "12 345 678");
        assert_eq!(rate(500, Duration::from_millis(250)), "2 000");
    }

    #[test]
    fn tables_line_up() {
        let rows = vec![
            vec!["a".to_owned(), "tcp".to_owned(), "1".to_owned()],
            vec!["long".to_owned(), "inproc".to_owned(), "1 000".to_owned()],
        ];
        let expected = "what  how     count\n-------------------\n\
                        a     tcp         1\nlong  inproc  1 000";
        assert_eq!(table(&["what", "how", "count"], &rows), expected);
    }

    #[test]
    fn messages_are_cut_into_parts() {
        assert_eq!(parse_message("a\tb", "\t").len(), 2);
        assert_eq!(parse_message("a\tb", "").len(), 1);
    }
}
