//! What the linker has to know about the shared object. Which symbols it exports follows from
//! the sources: those that are not mangled.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libzmq.so.5");
    if let Some(directory) = static_unwinder() {
        println!("cargo:rustc-cdylib-link-arg=-L{}", directory.display());
        // For the test that links in the same way.
        println!("cargo:rustc-env=AUGHT_UNWINDER={}", directory.display());
    }
}

/// The shared object is to need the C library and nothing else. The compiler asks for the
/// unwinder by the name `gcc_s`; a linker script of that name leads it to the static one. Without
/// one on this machine, or when building for another, the shared unwinder is used.
fn static_unwinder() -> Option<PathBuf> {
    if env::var("HOST").ok()? != env::var("TARGET").ok()? {
        return None;
    }
    let found = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output().ok()?;
    let archive = String::from_utf8(found.stdout).ok()?;
    let archive = Path::new(archive.trim());
    if !archive.is_absolute() || !archive.is_file() {
        return None;
    }
    let directory = PathBuf::from(env::var_os("OUT_DIR")?).join("unwinder");
    fs::create_dir_all(&directory).ok()?;
    let script = format!("INPUT({})\n", archive.display());
    fs::write(directory.join("libgcc_s.so"), script).ok()?;
    Some(directory)
}
