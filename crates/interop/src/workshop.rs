//! What the tests share: compiled programs, a directory per library, endpoints nobody else uses.

use crate::Options;
use std::fs;
use std::net::{TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

/// Who plays a part in a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Maker {
    /// The library to judge.
    Ours,
    /// The libzmq given as the reference.
    Reference,
    /// JeroMQ, a Java implementation of ZMTP 2.0.
    JeroMq,
    /// The crate `zeromq`.
    ZeroMqCrate,
    /// The crate `rzmq`.
    Rzmq,
    /// The crate `omq-tokio`.
    Omq,
}

impl Maker {
    /// The name in the tests' lines.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Reference => "libzmq",
            Self::JeroMq => "jeromq",
            Self::ZeroMqCrate => "zeromq-crate",
            Self::Rzmq => "rzmq",
            Self::Omq => "omq-tokio",
        }
    }
}

/// The place where the tests happen.
pub(crate) struct Workshop {
    directory: PathBuf,
    next_port: AtomicU16,
    /// Keeps other runs of this program off the ports that are taken one after the other.
    _port_claim: UdpSocket,
    next_path: AtomicUsize,
    java: OnceLock<Result<(), String>>,
    peers: OnceLock<Result<PathBuf, String>>,
}

const JEROMQ: &str = "/usr/share/java/jeromq.jar";

impl Workshop {
    /// Compiles the C program.
    ///
    /// # Errors
    /// What went wrong, when a library is missing or the compiler fails.
    pub(crate) fn new(options: &Options) -> Result<Self, String> {
        let pid = std::process::id();
        let directory = std::env::temp_dir().join(format!("aught-interop-{pid}"));
        let (port_claim, first_port) = claim_ports()?;
        let workshop = Self {
            directory,
            _port_claim: port_claim,
            next_port: AtomicU16::new(first_port),
            next_path: AtomicUsize::new(0),
            java: OnceLock::new(),
            peers: OnceLock::new(),
        };
        for (maker, library) in
            [(Maker::Ours, &options.ours), (Maker::Reference, &options.reference)]
        {
            // A copy: the library may be built anew while the tests run.
            let place = workshop.directory.join(maker.name());
            fs::create_dir_all(&place)
                .and_then(|()| fs::copy(library, place.join("libzmq.so.5")))
                .map_err(|error| format!("{}: {error}", library.display()))?;
        }
        workshop.compile_party()?;
        Ok(workshop)
    }

    fn compile_party(&self) -> Result<(), String> {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let mut command = Command::new(compiler);
        command
            .args(["-O1", "-g", "-std=gnu11", "-I"])
            .arg(package.join("../libzmq/include"))
            .arg("-o")
            .arg(self.directory.join("party"))
            .arg(package.join("c/party.c"))
            .arg(package.join("c/security.c"))
            .arg("-pthread")
            .arg(self.directory.join("libzmq/libzmq.so.5"));
        finish(command)
    }

    fn compile_java(&self) -> Result<(), String> {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new("javac");
        command
            .args(["-cp", JEROMQ, "-d"])
            .arg(&self.directory)
            .arg(package.join("java/Party.java"));
        finish(command)
    }

    /// Has cargo build the nested workspace of peers; its programs' directory.
    fn build_peers() -> Result<PathBuf, String> {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let target = std::env::var_os("AUGHT_PEERS_TARGET_DIR")
            .map_or_else(|| package.join("../../../target/interop-peers"), PathBuf::from);
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .args(["build", "--quiet", "--release", "--locked", "--manifest-path"])
            .arg(package.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(&target);
        finish(command)?;
        Ok(target.join("release"))
    }

    /// A command that runs the maker's party, before its arguments.
    ///
    /// # Errors
    /// What went wrong when its program cannot be built.
    pub(crate) fn command(&self, maker: Maker) -> Result<Command, String> {
        let peer = |name: &str| {
            let directory = self.peers.get_or_init(Self::build_peers).clone()?;
            Ok(Command::new(directory.join(name)))
        };
        match maker {
            Maker::Ours | Maker::Reference => {
                let mut command = Command::new(self.directory.join("party"));
                command.env("LD_LIBRARY_PATH", self.directory.join(maker.name()));
                Ok(command)
            }
            Maker::JeroMq => {
                self.java.get_or_init(|| self.compile_java()).clone()?;
                let mut command = Command::new("java");
                let class_path = format!("{JEROMQ}:{}", self.directory.display());
                command.args(["-XX:TieredStopAtLevel=1", "-Xmx128m", "-cp", &class_path, "Party"]);
                Ok(command)
            }
            Maker::ZeroMqCrate => peer("zeromq-party"),
            Maker::Rzmq => peer("rzmq-party"),
            Maker::Omq => peer("omq-party"),
        }
    }

    /// An endpoint that nothing is bound to.
    ///
    /// # Errors
    /// When no port is free.
    pub(crate) fn endpoint(&self, transport: &str) -> Result<String, String> {
        if transport == "ipc" {
            let number = self.next_path.fetch_add(1, Ordering::Relaxed);
            return Ok(format!(
                "ipc://{}",
                self.directory.join(format!("{number}.sock")).display()
            ));
        }
        for _ in 0..1000 {
            let port = self.next_port.fetch_add(1, Ordering::Relaxed);
            // Trying to bind it would hold it in every process that is just being started.
            if TcpStream::connect(("127.0.0.1", port)).is_err() {
                return Ok(format!("tcp://127.0.0.1:{port}"));
            }
        }
        Err("no free port".into())
    }
}

/// A block of tcp ports for this run, below the range from which the kernel takes ports for
/// connections. Whoever holds the udp port of the first one has the block.
fn claim_ports() -> Result<(UdpSocket, u16), String> {
    let start = std::process::id() % 11;
    let blocks = (0..11).filter_map(|i| u16::try_from(10_000 + (start + i) % 11 * 2000).ok());
    blocks
        .filter_map(|port| Some((UdpSocket::bind(("127.0.0.1", port)).ok()?, port)))
        .next()
        .ok_or_else(|| "too many runs at a time: no ports".into())
}

fn finish(mut command: Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(());
    }
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{}: {problem}", command.get_program().display()))
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What stays behind in the temporary directory is small and harmless.
        let _ = fs::remove_dir_all(&self.directory);
    }
}
