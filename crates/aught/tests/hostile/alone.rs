//! Running a test in a process of its own, and reading what the process uses.

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::PATIENCE;

/// Names the test that a process was started for.
const MARK: &str = "AUGHT_HOSTILE_ALONE";

/// As many descriptors as the tests need: both ends of all connections are in one process.
const DESCRIPTORS: u64 = 8192;

/// Runs `body` in a process of its own. `name` is the test's own path.
pub(crate) fn alone(name: &str, body: impl FnOnce()) {
    if std::env::var(MARK).is_ok_and(|mark| mark == name) {
        let mut limit = getrlimit(Resource::Nofile);
        if limit.current.is_some_and(|current| current < DESCRIPTORS) {
            limit.current = Some(limit.maximum.map_or(DESCRIPTORS, |most| most.min(DESCRIPTORS)));
            setrlimit(Resource::Nofile, limit).expect("no more than the maximum");
        }
        return body();
    }
    let own = std::env::current_exe().expect("the path of this program");
    let output = Command::new(own)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(MARK, name)
        .output()
        .expect("this program starts once more");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{said}\n{complained}", output.status);
    assert!(said.contains("1 passed"), "no test is called {name}:\n{said}");
    for line in complained.lines().filter(|line| line.starts_with("figures:")) {
        tell(line);
    }
}

/// Writes a line of figures for whoever runs with `--nocapture`.
#[expect(clippy::print_stderr, reason = "figures are for whoever asks for them")]
pub(crate) fn tell(line: &str) {
    eprintln!("{line}");
}

/// How much of this process is in memory, in bytes.
pub(crate) fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel counts memory");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its size");
    let kibibytes: usize =
        line.trim().trim_end_matches("kB").trim().parse().expect("a number of kibibytes");
    kibibytes * 1024
}

/// How long this process has kept a processor busy.
pub(crate) fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().expect("a positive time"), time.tv_nsec as u32)
}

/// How many descriptors this process has.
pub(crate) fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("the kernel lists descriptors").count()
}

/// Waits until there are no more descriptors than before.
pub(crate) fn settle(before: usize) {
    let start = Instant::now();
    while descriptors() > before {
        assert!(start.elapsed() < PATIENCE, "{} descriptors stay, not {before}", descriptors());
        std::thread::yield_now();
    }
}
