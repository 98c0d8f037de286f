//! Running a test in a process of its own, with a limit to how long it may take, and reading
//! what the process uses.

use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

/// Names the test that a process was started for.
const MARK: &str = "AUGHT_ALONE";

/// How long a test may take at most. It only has to end a hang.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs `body` in a process of its own. `name` is the test's own path.
pub(crate) fn alone(name: &str, body: impl FnOnce()) {
    if std::env::var(MARK).is_ok_and(|mark| mark == name) {
        let guard = watchdog();
        body();
        drop(guard);
        return;
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

/// Ends the process when it takes too long, unless what this returns is dropped before.
#[expect(clippy::disallowed_methods, reason = "a process that hangs cannot be unwound")]
fn watchdog() -> mpsc::Sender<()> {
    let (guard, dropped) = mpsc::channel();
    let limit = if std::env::var_os("AUGHT_ENDURANCE").is_some() { LIMIT * 20 } else { LIMIT };
    std::thread::spawn(move || {
        if dropped.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
            tell("the test hangs");
            std::process::exit(101);
        }
    });
    guard
}

/// How much of this process is in memory, in bytes.
pub(crate) fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel counts memory");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its size");
    let kibibytes: usize =
        line.trim().trim_end_matches("kB").trim().parse().expect("a number of kibibytes");
    kibibytes * 1024
}

/// How many descriptors this process has.
pub(crate) fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("the kernel lists descriptors").count()
}

/// How many threads this process has.
pub(crate) fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").expect("the kernel lists threads").count()
}

/// How long this process has kept a processor busy.
pub(crate) fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().expect("a positive time"), time.tv_nsec as u32)
}
