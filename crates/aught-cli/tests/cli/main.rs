//! The command as its users run it: a process with arguments, output and an exit status. What the
//! commands' parts do is tested where they are.

mod audit;
mod keygen;
mod policy;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Runs the command, with nothing to read, and without what the environment says about policies.
fn aught(args: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aught"));
    command.args(args).stdin(Stdio::null()).env_remove("AUGHT_UNAUTHENTICATED");
    Said::of(&command.output().expect("the command starts"))
}

/// What a process said and how it ended.
struct Said {
    status: i32,
    out: String,
    err: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            status: output.status.code().expect("it was not killed"),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// Fails unless the process ended like that.
    fn ends(self, status: i32) -> Self {
        assert_eq!(self.status, status, "out:\n{}err:\n{}", self.out, self.err);
        self
    }

    /// Fails unless a text was printed.
    fn shows(self, text: &str) -> Self {
        assert!(self.out.contains(text), "no {text:?} in:\n{}err:\n{}", self.out, self.err);
        self
    }

    /// Fails if a text was printed.
    fn hides(self, text: &str) -> Self {
        let all = format!("{}{}", self.out, self.err);
        assert!(!all.contains(text), "{text:?} in:\n{all}");
        self
    }

    /// What stands behind `name: ` on a line.
    fn value(&self, name: &str) -> String {
        let line =
            self.out.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name} in:\n{}", self.out)).to_owned()
    }
}

/// A directory that goes with its owner.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("aught-command-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("a new directory");
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a name in UTF-8").to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // the system clears what is left
    }
}
