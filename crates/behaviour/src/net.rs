//! Endpoints that no other test uses, and the sockets of the operating system.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The transports that every pattern is checked over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// zmq_inproc(7).
    Inproc,
    /// zmq_ipc(7).
    Ipc,
    /// zmq_tcp(7), on the loopback interface.
    Tcp,
}

/// A word that no other call returned, in this process or in another one running now.
pub fn unique() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("aught-behaviour-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A directory of this process, which goes when the process ends.
pub fn scratch() -> &'static Path {
    static SCRATCH: OnceLock<PathBuf> = OnceLock::new();
    extern "C" fn remove() {
        // At the end of the process there is nobody to tell of a failure.
        let _ = SCRATCH.get().map(std::fs::remove_dir_all);
    }
    SCRATCH.get_or_init(|| {
        let path = std::env::temp_dir().join(unique());
        std::fs::create_dir_all(&path).expect("a scratch directory");
        // SAFETY: the handler is a plain function that does not unwind.
        unsafe { libc::atexit(remove) };
        path
    })
}

impl Transport {
    /// An endpoint to bind to. Only for inproc and ipc it is also the one to connect to.
    pub fn endpoint(self) -> String {
        match self {
            Self::Inproc => format!("inproc://{}", unique()),
            Self::Ipc => format!("ipc://{}", scratch().join(unique()).display()),
            Self::Tcp => "tcp://127.0.0.1:*".to_owned(),
        }
    }
}

/// The port at the end of a tcp endpoint.
///
/// # Panics
/// When the endpoint does not end in a port.
pub fn port_of(endpoint: &str) -> u16 {
    let port = endpoint.rsplit(':').next().and_then(|port| port.parse().ok());
    port.unwrap_or_else(|| panic!("no port in {endpoint}"))
}

/// A plain connection to a bound tcp or ipc endpoint, with 15 s timeouts.
///
/// # Panics
/// When nothing listens there.
pub fn raw_connect(endpoint: &str) -> RawStream {
    let limit = Some(Duration::from_secs(15));
    if let Some(path) = endpoint.strip_prefix("ipc://") {
        let stream = UnixStream::connect(path).expect("connect to the ipc endpoint");
        stream.set_read_timeout(limit).expect("set a timeout");
        stream.set_write_timeout(limit).expect("set a timeout");
        return RawStream(OwnedFd::from(stream).into());
    }
    raw(TcpStream::connect(("127.0.0.1", port_of(endpoint))).expect("connect to the port"))
}

/// The next connection to a listener, with 15 s timeouts.
///
/// # Panics
/// When there is none.
pub fn raw_accept(listener: &TcpListener) -> RawStream {
    raw(listener.accept().expect("a connection").0)
}

fn raw(stream: TcpStream) -> RawStream {
    let limit = Some(Duration::from_secs(15));
    stream.set_read_timeout(limit).expect("set a timeout");
    stream.set_write_timeout(limit).expect("set a timeout");
    RawStream(OwnedFd::from(stream).into())
}

/// A connected stream socket of either family.
pub struct RawStream(std::fs::File);

impl RawStream {
    /// Says that nothing more will be written; what comes can still be read.
    ///
    /// # Panics
    /// When the connection is gone.
    pub fn finish(&self) {
        let fd = std::os::fd::AsRawFd::as_raw_fd(&self.0);
        // SAFETY: a descriptor that lives across the call.
        assert_eq!(unsafe { libc::shutdown(fd, libc::SHUT_WR) }, 0, "shutdown");
    }
}

impl io::Read for RawStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl io::Write for RawStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A tcp port of the loopback interface that nobody listens at, and what keeps it from others.
///
/// # Panics
/// When there is none.
pub fn bound_port() -> (u16, OwnedFd) {
    // SAFETY: plain calls on a new descriptor and an address on the stack, whose size is given.
    unsafe {
        let raw = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        assert!(raw >= 0, "a socket");
        let fd = <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(raw);
        let mut address: libc::sockaddr_in = std::mem::zeroed();
        address.sin_family = libc::AF_INET as libc::sa_family_t;
        address.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
        let mut size = size_of_val(&address) as libc::socklen_t;
        let place = (&raw mut address).cast::<libc::sockaddr>();
        assert_eq!(libc::bind(raw, place, size), 0, "a port");
        assert_eq!(libc::getsockname(raw, place, &raw mut size), 0, "its number");
        (u16::from_be(address.sin_port), fd)
    }
}

/// Whether this machine has an IPv6 loopback address.
pub fn can_ipv6() -> bool {
    TcpListener::bind("[::1]:0").is_ok()
}
