//! Compiles the C program and runs it on one library or the other.

use crate::Options;
use crate::workloads::Workload;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What one run measured, by name, or why it did not.
pub(crate) type Outcome = Result<HashMap<String, f64>, String>;

/// The compiled program and a directory per library in which it is named `libzmq.so.5`.
pub(crate) struct Runner {
    directory: PathBuf,
    ours_env: Vec<(String, String)>,
}

impl Runner {
    /// Compiles the program with `cc` (or `$CC`).
    ///
    /// # Errors
    /// What went wrong, when a library is missing or the compiler fails.
    pub(crate) fn new(options: &Options) -> Result<Self, String> {
        let directory = std::env::temp_dir().join(format!("aught-bench-{}", std::process::id()));
        let runner = Self { directory, ours_env: options.ours_env.clone() };
        for (name, library) in [("reference", &options.reference), ("ours", &options.ours)] {
            let place = runner.directory.join(name);
            let library = fs::canonicalize(library)
                .map_err(|error| format!("{}: {error}", library.display()))?;
            fs::create_dir_all(&place)
                .and_then(|()| std::os::unix::fs::symlink(&library, place.join("libzmq.so.5")))
                .map_err(|error| format!("{}: {error}", place.display()))?;
        }
        runner.compile()?;
        Ok(runner)
    }

    fn compile(&self) -> Result<(), String> {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let mut command = Command::new(&compiler);
        command.args(["-O2", "-std=gnu11", "-Wall", "-pthread", "-I"]);
        command.arg(package.join("../libzmq/include")).arg("-o").arg(self.program());
        for source in ["main.c", "point_to_point.c", "fan_out.c"] {
            command.arg(package.join("c").join(source));
        }
        // Any library with the right soname serves for linking: which is used is decided at run
        // time.
        command.arg(self.directory.join("reference/libzmq.so.5")).arg("-ldl");
        let output =
            command.output().map_err(|error| format!("{}: {error}", compiler.display()))?;
        if output.status.success() {
            Ok(())
        } else {
            Err(format!("cc failed:\n{}", String::from_utf8_lossy(&output.stderr)))
        }
    }

    fn program(&self) -> PathBuf {
        self.directory.join("bench")
    }

    /// One run on the reference.
    pub(crate) fn reference(&self, workload: &Workload, window_ms: u64) -> Outcome {
        self.run(workload, window_ms, "reference", &[])
    }

    /// One run on the library to judge.
    pub(crate) fn ours(&self, workload: &Workload, window_ms: u64) -> Outcome {
        self.run(workload, window_ms, "ours", &self.ours_env)
    }

    fn run(
        &self,
        workload: &Workload,
        window_ms: u64,
        library: &str,
        environment: &[(String, String)],
    ) -> Outcome {
        let place = self.directory.join(library);
        let window_ms = window_ms.max(workload.least_window_ms);
        let output = Command::new(self.program())
            .args(&workload.arguments)
            .arg(format!("window_ms={window_ms}"))
            .env("LD_LIBRARY_PATH", &place)
            .env("TMPDIR", &self.directory)
            .envs(environment.iter().cloned())
            .output()
            .map_err(|error| error.to_string())?;
        let line = String::from_utf8_lossy(&output.stdout);
        let line = line.trim();
        if let Some(problem) = line.strip_prefix("error=") {
            return Err(problem.to_owned());
        }
        if !output.status.success() {
            return Err(format!(
                "{}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            ));
        }
        let expected = format!("library={}", place.join("libzmq.so.5").display());
        if !line.split_whitespace().any(|field| field == expected) {
            return Err(format!("another library was loaded: {line}"));
        }
        Ok(numbers(line))
    }
}

fn numbers(line: &str) -> HashMap<String, f64> {
    line.split_whitespace()
        .filter_map(|field| field.split_once('='))
        .filter_map(|(key, value)| Some((key.to_owned(), value.parse().ok()?)))
        .collect()
}

impl Drop for Runner {
    fn drop(&mut self) {
        // What stays behind in the temporary directory is small and harmless.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_of_numbers_is_read() {
        let numbers = super::numbers("rate=1.5 cpu_ns=20 library=/x/libzmq.so.5");
        assert_eq!(numbers["rate"], 1.5);
        assert_eq!(numbers["cpu_ns"], 20.0);
        assert_eq!(numbers.len(), 2);
    }
}
