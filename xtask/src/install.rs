//! `cargo xtask install`: the C library as other programs expect to find it on disk.
//!
//! Here: the layout of the tree, and the values put into the templates of
//! `crates/libzmq/packaging`. Not here: the header (`crates/libzmq/include`) and the shared
//! object's soname, which the build of `aught-libzmq` sets.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The interface version that the header declares and `zmq_version` reports.
const VERSION: &str = "4.3.6";
/// The number in the soname, which programs record when they are linked.
const SO_MAJOR: &str = "5";
/// The number of the file itself; the soname and the linker's name are links to it.
const SO_VERSION: &str = "5.2.6";

/// What a program must link besides `libzmq.a`.
///
/// As `rustc --print native-static-libs` says, less `-lgcc_s` and `-lc`: the compiler driver
/// adds those itself, and `-lgcc_s` has no static form, so naming it would break `-static`.
const NATIVE_LIBS: &str = "-lutil -lrt -lpthread -lm -ldl";

/// Where to install and what to build.
#[derive(Debug, Default)]
pub(crate) struct Options {
    prefix: PathBuf,
    destdir: Option<PathBuf>,
    profile: String,
    target: Option<String>,
}

impl Options {
    /// Reads `--name value` and `--name=value`; everything else is refused.
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { profile: "release".to_owned(), ..Self::default() };
        while let Some(arg) = args.next() {
            let (name, value) = match arg.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => {
                    let value = args.next().ok_or_else(|| format!("{arg} needs a value"))?;
                    (arg, value)
                }
            };
            match name.as_str() {
                "--prefix" => options.prefix = absolute(&value)?,
                "--destdir" => options.destdir = Some(absolute(&value)?),
                "--profile" => options.profile = value,
                "--target" => options.target = Some(value),
                other => return Err(format!("install does not know {other}")),
            }
        }
        if options.prefix.as_os_str().is_empty() {
            return Err("install needs --prefix DIR".to_owned());
        }
        Ok(options)
    }

    /// The directory that receives the files: the prefix, below the staging directory if any.
    fn root(&self) -> PathBuf {
        match &self.destdir {
            Some(destdir) => destdir.join(self.prefix.strip_prefix("/").unwrap_or(&self.prefix)),
            None => self.prefix.clone(),
        }
    }

    /// Where cargo leaves what it builds for these options.
    fn build_dir(&self, workspace: &Path) -> PathBuf {
        let target_dir = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| workspace.join("target"), |dir| workspace.join(dir));
        let target_dir = match &self.target {
            Some(triple) => target_dir.join(triple),
            None => target_dir,
        };
        // Cargo keeps the old directory name for its development profile.
        target_dir.join(if self.profile == "dev" { "debug" } else { &self.profile })
    }
}

/// Builds the library and writes the tree; returns what to tell the user.
pub(crate) fn run(options: &Options) -> Result<String, String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("xtask lives below the workspace's root")?
        .to_owned();
    build(options, &workspace)?;

    let built = options.build_dir(&workspace);
    let source = workspace.join("crates/libzmq");
    let root = options.root();
    let lib = root.join("lib");
    let include = root.join("include");

    let real_name = format!("libzmq.so.{SO_VERSION}");
    copy(&built.join("libzmq.so"), &lib.join(&real_name))?;
    link(&real_name, &lib.join(format!("libzmq.so.{SO_MAJOR}")))?;
    link(&real_name, &lib.join("libzmq.so"))?;
    copy(&built.join("libzmq.a"), &lib.join("libzmq.a"))?;
    for header in ["zmq.h", "zmq_utils.h"] {
        copy(&source.join("include").join(header), &include.join(header))?;
    }

    let packaging = source.join("packaging");
    for (template, place) in [
        ("libzmq.pc", lib.join("pkgconfig")),
        ("ZeroMQConfig.cmake", lib.join("cmake/ZeroMQ")),
        ("ZeroMQConfigVersion.cmake", lib.join("cmake/ZeroMQ")),
    ] {
        let path = packaging.join(format!("{template}.in"));
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        write(&place.join(template), &fill(&text, pointer_bytes(options))?)?;
    }
    Ok(format!("libzmq {VERSION} is in {}", root.display()))
}

/// Builds the shared object and the archive.
fn build(options: &Options, workspace: &Path) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.current_dir(workspace);
    command.args(["build", "--package", "aught-libzmq", "--lib", "--profile", &options.profile]);
    if let Some(target) = &options.target {
        command.args(["--target", target]);
    }
    let status = command.status().map_err(|e| format!("cannot run cargo: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo build: {status}")) }
}

/// Size of a pointer on the machine built for. Only 32-bit triples name themselves so.
fn pointer_bytes(options: &Options) -> usize {
    match options.target.as_deref().and_then(|triple| triple.split('-').next()) {
        None => size_of::<usize>(),
        Some("i586" | "i686" | "arm" | "armv7" | "thumbv7neon" | "mips" | "powerpc") => 4,
        Some(_) => 8,
    }
}

/// Replaces the `@NAME@` marks of a template; a mark without a value is an error.
fn fill(template: &str, pointer_bytes: usize) -> Result<String, String> {
    let major = VERSION.split('.').next().unwrap_or(VERSION);
    let pointer_bytes = pointer_bytes.to_string();
    let values = [
        ("@VERSION@", VERSION),
        ("@VERSION_MAJOR@", major),
        ("@SO_MAJOR@", SO_MAJOR),
        ("@SO_VERSION@", SO_VERSION),
        ("@NATIVE_LIBS@", NATIVE_LIBS),
        ("@HOMEPAGE@", env!("CARGO_PKG_REPOSITORY")),
        ("@POINTER_BYTES@", &pointer_bytes),
    ];
    let mut text = template.to_owned();
    for (mark, value) in values {
        text = text.replace(mark, value);
    }
    match text.split('@').nth(1) {
        Some(mark) => Err(format!("a template asks for @{mark}@, which has no value")),
        None => Ok(text),
    }
}

fn absolute(path: &str) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|e| format!("'{path}': {e}"))
}

fn parent(path: &Path) -> Result<(), String> {
    let dir = path.parent().ok_or_else(|| format!("{} has no parent", path.display()))?;
    fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))
}

/// Writes through a new file: a program that has the old one mapped keeps it unharmed.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    parent(to)?;
    remove(to)?;
    fs::copy(from, to).map(drop).map_err(|e| format!("{} to {}: {e}", from.display(), to.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    parent(path)?;
    remove(path)?;
    fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(unix)]
fn link(target: &str, path: &Path) -> Result<(), String> {
    parent(path)?;
    remove(path)?;
    std::os::unix::fs::symlink(target, path).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(not(unix))]
fn link(_target: &str, _path: &Path) -> Result<(), String> {
    Err("install lays out Unix trees only".to_owned())
}

fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {e}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options, String> {
        Options::parse(args.iter().map(|arg| (*arg).to_owned()))
    }

    #[test]
    fn a_prefix_is_required_and_may_be_staged() {
        assert!(parse(&[]).is_err());
        assert!(parse(&["--prefix"]).is_err());
        assert!(parse(&["--colour", "red"]).is_err());
        let plain = parse(&["--prefix=/usr"]).unwrap();
        assert_eq!(plain.root(), Path::new("/usr"));
        let staged = parse(&["--prefix", "/usr", "--destdir", "/stage"]).unwrap();
        assert_eq!(staged.root(), Path::new("/stage/usr"));
    }

    #[test]
    fn templates_are_filled_completely() {
        assert_eq!(fill("v@VERSION@ so@SO_MAJOR@", 8).unwrap(), "v4.3.6 so5");
        assert!(fill("@NOBODY@", 8).is_err());
    }

    #[test]
    fn the_header_declares_the_version_that_the_packages_name() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/libzmq/include/zmq.h");
        let header = fs::read_to_string(path).unwrap();
        let number = |name: &str| {
            let line = header.lines().find(|l| l.starts_with(&format!("#define {name} "))).unwrap();
            line.rsplit(' ').next().unwrap().to_owned()
        };
        let declared = ["MAJOR", "MINOR", "PATCH"].map(|p| number(&format!("ZMQ_VERSION_{p}")));
        assert_eq!(declared.join("."), VERSION);
    }

    #[test]
    fn the_cmake_project_agrees_on_file_names_and_libraries() {
        let path = "../crates/libzmq/packaging/CMakeLists.txt";
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        for part in [format!("libzmq.so.{SO_VERSION}"), format!("\"{NATIVE_LIBS}\"")] {
            assert!(text.contains(&part), "{part}");
        }
    }
}
