//! That a panic is caught inside a library which is linked as ours are: the shared object against
//! the C library alone, with the unwinder inside, and the archive by a C compiler (`build.rs`).
//!
//! No entry point panics on purpose, so a stand-in of one function is linked in the same way.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Catches a panic that has come through frames with something to drop.
const LIBRARY: &str = r#"
    struct Dropped<'a>(&'a std::cell::Cell<i32>);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) { self.0.set(self.0.get() + 1); }
    }
    #[inline(never)]
    fn deep(count: &std::cell::Cell<i32>, depth: i32) {
        let _dropped = Dropped(count);
        if depth == 0 { panic!("to be caught") }
        deep(count, depth - 1);
    }
    #[unsafe(no_mangle)]
    pub extern "C" fn caught() -> i32 {
        std::panic::set_hook(Box::new(|_| ()));
        let count = std::cell::Cell::new(0);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| deep(&count, 4)));
        if outcome.is_err() { count.get() } else { -1 }
    }
"#;

const PROGRAM: &str = "int caught(void); int main(void) { return caught() == 5 ? 0 : 1; }\n";

/// Runs a command, which must succeed, and returns what it prints.
fn run(command: &mut Command) -> String {
    let output = command.output().expect("a command that is there");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}{errors}");
    text
}

/// A fresh directory with the sources.
fn sources(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::write(directory.join("library.rs"), LIBRARY).expect("write");
    std::fs::write(directory.join("program.c"), PROGRAM).expect("write");
    directory
}

fn rustc(directory: &Path) -> Command {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(directory).args(["--edition", "2024", "library.rs"]);
    rustc
}

fn cc(directory: &Path) -> Command {
    let mut cc = Command::new("cc");
    cc.current_dir(directory).args(["program.c", "-o", "program"]);
    cc
}

#[test]
fn a_panic_is_caught_in_the_shared_object() {
    let directory = sources("shared");
    let mut build = rustc(&directory);
    build.args(["--crate-type", "cdylib", "-o", "liblibrary.so"]);
    if let Some(unwinder) = option_env!("AUGHT_UNWINDER") {
        build.arg(format!("-Clink-arg=-L{unwinder}"));
    }
    run(&mut build);
    if option_env!("AUGHT_UNWINDER").is_some() {
        let bytes = std::fs::read(directory.join("liblibrary.so")).expect("the library");
        let shared = b"libgcc_s.so.1";
        let needed = bytes.windows(shared.len()).any(|window| window == shared);
        assert!(!needed, "the shared unwinder is needed");
    }
    run(cc(&directory).args(["-L.", "-llibrary"]));
    run(Command::new(directory.join("program")).env("LD_LIBRARY_PATH", &directory));
}

#[test]
fn a_panic_is_caught_in_the_archive() {
    let directory = sources("archive");
    run(rustc(&directory).args(["--crate-type", "staticlib", "-o", "liblibrary.a"]));
    let libraries = ["liblibrary.a", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"];
    run(cc(&directory).args(libraries));
    run(&mut Command::new(directory.join("program")));
    // As a whole program without any shared library, the unwinder is inside as well.
    run(cc(&directory).args(libraries).arg("-static"));
    run(&mut Command::new(directory.join("program")));
}
