//! What a participant tells the demo, and how that looks as a line of text between processes.

use std::time::Duration;

/// What a participant did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Messages sent, without those that only synchronise.
    pub(super) sent: u64,
    /// Messages received, without those that only synchronise.
    pub(super) received: u64,
    /// From the first message that counts to the last.
    pub(super) time: Duration,
    /// The median and the 99th percentile of the round trips, if it made any.
    pub(super) round_trips: Option<(Duration, Duration)>,
}

/// What a participant tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// It is bound to these endpoints.
    Bound(Vec<String>),
    /// It has done its part.
    Done(Outcome),
    /// It could not do its part.
    Failed(String),
}

impl Note {
    pub(super) fn to_line(&self) -> String {
        match self {
            Self::Bound(endpoints) => format!("bound {}", endpoints.join(" ")),
            Self::Done(outcome) => {
                let (p50, p99) = outcome.round_trips.unwrap_or_default();
                format!(
                    "done {} {} {} {} {}",
                    outcome.sent,
                    outcome.received,
                    outcome.time.as_nanos(),
                    p50.as_nanos(),
                    p99.as_nanos()
                )
            }
            Self::Failed(reason) => format!("failed {}", reason.replace('\n', " ")),
        }
    }

    pub(super) fn from_line(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "bound" => Some(Self::Bound(rest.split_whitespace().map(str::to_owned).collect())),
            "done" => {
                let numbers: Option<Vec<u64>> =
                    rest.split_whitespace().map(|number| number.parse().ok()).collect();
                let [sent, received, time, p50, p99] = numbers?[..] else {
                    return None;
                };
                let round_trips =
                    (p99 > 0).then(|| (Duration::from_nanos(p50), Duration::from_nanos(p99)));
                let time = Duration::from_nanos(time);
                Some(Self::Done(Outcome { sent, received, time, round_trips }))
            }
            "failed" => Some(Self::Failed(rest.to_owned())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_survive_the_way_through_text() {
        let micros = Duration::from_micros;
        let notes = [
            Note::Bound(vec!["tcp://127.0.0.1:1".to_owned(), "ipc:///tmp/a".to_owned()]),
            Note::Done(Outcome { sent: 1, received: 2, time: micros(3), round_trips: None }),
            Note::Done(Outcome { round_trips: Some((micros(4), micros(5))), ..Outcome::default() }),
            Note::Failed("out of luck".to_owned()),
        ];
        for note in notes {
            assert_eq!(Note::from_line(&note.to_line()), Some(note));
        }
        assert_eq!(Note::from_line("done 1 2"), None);
        assert_eq!(Note::from_line("hello"), None);
    }
}
