//! Medians of pairs, the Markdown table and its place in BENCHMARKS.md.

use crate::Options;
use crate::runner::Outcome;
use crate::workloads::{Measure, Workload};
use std::fmt::Write as _;
use std::path::Path;

const BEGIN: &str = "<!-- measurements: begin -->";
const END: &str = "<!-- measurements: end -->";

/// The runs of one workload: the pair `i` is `reference[i]` and `ours[i]`.
pub(crate) struct Comparison {
    pub(crate) workload: Workload,
    pub(crate) reference: Vec<Outcome>,
    pub(crate) ours: Vec<Outcome>,
}

impl Comparison {
    pub(crate) fn new(workload: Workload) -> Self {
        Self { workload, reference: Vec::new(), ours: Vec::new() }
    }

    /// Whether every run of both libraries measured something.
    pub(crate) fn ran(&self) -> bool {
        self.reference.iter().chain(&self.ours).all(Result::is_ok)
    }

    fn key(&self) -> &'static str {
        match self.workload.measure {
            Measure::Rate => "rate",
            Measure::RoundTrip => "p50_us",
            Measure::Memory => "bytes",
        }
    }

    /// The median over pairs of ours divided by the reference.
    fn ratio(&self, key: &str) -> Option<f64> {
        let ratio = |(reference, ours): (&Outcome, &Outcome)| {
            let reference = *reference.as_ref().ok()?.get(key)?;
            let ours = *ours.as_ref().ok()?.get(key)?;
            (reference != 0.0).then(|| ours / reference)
        };
        median(self.reference.iter().zip(&self.ours).filter_map(ratio).collect())
    }

    fn met(&self) -> &'static str {
        match (self.ratio(self.key()), self.workload.measure) {
            (Some(ratio), Measure::Rate) if ratio >= self.workload.goal => "yes",
            (Some(ratio), Measure::RoundTrip | Measure::Memory) if ratio <= self.workload.goal => {
                "yes"
            }
            _ => "no",
        }
    }

    fn problem(&self) -> Option<String> {
        let first = |name, outcomes: &[Outcome]| {
            let mut problems = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
            let problem = problems.next()?;
            Some(format!("{name} failed {} of {}: {problem}", problems.count() + 1, outcomes.len()))
        };
        first("ours", &self.ours).or_else(|| first("the reference", &self.reference))
    }

    /// One line of progress.
    pub(crate) fn brief(&self) -> String {
        let ratio = self.ratio(self.key()).map_or("no ratio".into(), |ratio| format!("{ratio:.2}"));
        match self.problem() {
            Some(problem) => format!("{ratio} ({problem})"),
            None => ratio,
        }
    }

    fn row(&self) -> String {
        let number = |outcomes: &[Outcome], key: &str| {
            median(values(outcomes, key)).map_or("-".to_owned(), |value| human(key, value))
        };
        let ratio = |key: &str| self.ratio(key).map_or("-".into(), |ratio| format!("{ratio:.2}"));
        let key = self.key();
        let mut row = format!(
            "| {} | {} | {} | **{}** | {} | {} |",
            self.workload.name,
            number(&self.reference, key),
            number(&self.ours, key),
            ratio(key),
            self.workload.goal,
            self.met(),
        );
        if self.workload.measure == Measure::RoundTrip {
            let (reference, ours) =
                (number(&self.reference, "p99_us"), number(&self.ours, "p99_us"));
            let _ = write!(row, " {reference} | {ours} | {} |", ratio("p99_us"));
        }
        if self.workload.measure != Measure::Memory {
            let (reference, ours) =
                (number(&self.reference, "cpu_ns"), number(&self.ours, "cpu_ns"));
            let _ = write!(row, " {reference} | {ours} | {} |", ratio("cpu_ns"));
        }
        row
    }
}

fn values(outcomes: &[Outcome], key: &str) -> Vec<f64> {
    outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()?.get(key).copied()).collect()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (middle, odd) = (values.len() / 2, values.len() % 2 == 1);
    let upper = *values.get(middle)?;
    Some(if odd { upper } else { (upper + values.get(middle - 1)?) / 2.0 })
}

fn human(key: &str, value: f64) -> String {
    match key {
        "rate" if value >= 1e6 => format!("{:.2} M/s", value / 1e6),
        "rate" if value >= 1e4 => format!("{:.1} k/s", value / 1e3),
        "rate" => format!("{value:.0} /s"),
        "bytes" => format!("{:.1} KiB", value / 1024.0),
        "cpu_ns" if value >= 1e4 => format!("{:.1} us", value / 1e3),
        "cpu_ns" => format!("{value:.0} ns"),
        _ => format!("{value:.1} us"),
    }
}

/// All comparisons of one run of this program.
pub(crate) struct Report {
    pub(crate) comparisons: Vec<Comparison>,
    heading: String,
}

impl Report {
    pub(crate) fn new(options: &Options, pairs: usize, window_ms: u64) -> Self {
        let quick = if options.quick { " --quick" } else { "" };
        let environment: String = options
            .ours_env
            .iter()
            .map(|(key, value)| format!(" --ours-env {key}={value}"))
            .collect();
        let heading = format!(
            "Machine: {}.\n\nCommand: `cargo run --release -p aught-bench --{quick} --pairs {pairs} \
             --window {window_ms} --reference {} --ours {}{environment}`.\n",
            machine(),
            options.reference.display(),
            options.ours.display(),
        );
        Self { comparisons: Vec::new(), heading }
    }

    /// The machine, the command and a table per kind of measurement.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("{}\n", self.heading);
        let cpu = " CPU per message, reference | aught | CPU ratio |";
        let tables = [
            (
                Measure::Rate,
                "Rates: a higher ratio is better, a lower CPU ratio is better.",
                format!("| workload | reference | aught | ratio | goal >= | met |{cpu}"),
            ),
            (
                Measure::RoundTrip,
                "Round trips (medians): a lower ratio is better.",
                format!(
                    "| workload | reference p50 | aught p50 | ratio | goal <= | met | reference \
                     p99 | aught p99 | p99 ratio |{cpu}"
                ),
            ),
            (
                Measure::Memory,
                "Memory: a lower ratio is better.",
                "| workload | reference | aught | ratio | goal <= | met |".to_owned(),
            ),
        ];
        for (measure, title, header) in tables {
            let mut rows =
                self.comparisons.iter().filter(|one| one.workload.measure == measure).peekable();
            if rows.peek().is_none() {
                continue;
            }
            let columns = header.matches('|').count() - 1;
            let rule = format!("|{}{}", "---|", "---:|".repeat(columns - 1));
            let _ = writeln!(text, "{title}\n\n{header}\n{rule}");
            for row in rows {
                let _ = writeln!(text, "{}", row.row());
            }
            text.push('\n');
        }
        for one in &self.comparisons {
            if let Some(problem) = one.problem() {
                let _ = writeln!(text, "- {}: {problem}", one.workload.name);
            }
        }
        text
    }
}

fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = read("/proc/sys/kernel/osrelease");
    let virtual_machine = if cpuinfo.contains("hypervisor") { ", virtual machine" } else { "" };
    format!("{model}, {cores} cores{virtual_machine}, Linux {}", kernel.trim())
}

/// Puts the text between the markers of BENCHMARKS.md.
///
/// # Errors
/// When the file cannot be read or written, or has lost its markers.
pub(crate) fn write(text: &str) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../BENCHMARKS.md");
    let tell = |error: std::io::Error| format!("{}: {error}", path.display());
    let page = std::fs::read_to_string(&path).map_err(tell)?;
    let page = between_markers(&page, text).ok_or("BENCHMARKS.md has no markers")?;
    std::fs::write(&path, page).map_err(tell)
}

fn between_markers(page: &str, text: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn text_goes_between_the_markers() {
        let page = format!("a\n{BEGIN}\nold\n{END}\nb");
        let new = between_markers(&page, "new\n").expect("markers");
        assert_eq!(new, format!("a\n{BEGIN}\n\nnew\n\n{END}\nb"));
        assert_eq!(between_markers("no markers", "new"), None);
    }
}
