//! Finding, building when needed, and loading the library under test, once per process.

use crate::Lib;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The library under test.
///
/// # Panics
/// When it cannot be built, found or loaded, or lacks a stable function.
pub fn lib() -> &'static Lib {
    static LIB: OnceLock<Lib> = OnceLock::new();
    LIB.get_or_init(|| match std::env::var_os("AUGHT_LIBZMQ") {
        Some(path) => load(Path::new(&path)),
        None => load(&build()),
    })
}

fn load(path: &Path) -> Lib {
    // SAFETY: loading a libzmq runs only its initialisers.
    let library = unsafe { libloading::Library::new(path) };
    let library = library.unwrap_or_else(|error| panic!("load {}: {error}", path.display()));
    let table = Lib::resolve(&library);
    // The functions are used until the process ends, so the library is never unloaded.
    let _kept = std::mem::ManuallyDrop::new(library);
    table.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Has cargo build the workspace's shared object next to this test binary.
///
/// A dependency on the package would build its rlib, not reliably the shared object.
fn build() -> PathBuf {
    let exe = std::env::current_exe().expect("the path of the test binary");
    // <target>/<profile>/deps/<binary>
    let profile = exe.parent().and_then(Path::parent).expect("a profile directory");
    let target = profile.parent().expect("a target directory");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "aught-libzmq", "--target-dir"]).arg(target);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    let output = cargo.output().expect("run cargo");
    assert!(
        output.status.success(),
        "cannot build the library under test (set AUGHT_LIBZMQ to the path of a libzmq.so to use \
         another one):\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    target.join(if cfg!(debug_assertions) { "debug" } else { "release" }).join("libzmq.so")
}
