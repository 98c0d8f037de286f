//! Endpoints as text: reading `tcp://`, `ipc://` and `inproc://` with the rules of zmq_bind(3)
//! and zmq_connect(3), and writing them. Syntax only: names and interfaces are looked up by
//! `transport`.

use std::fmt;
use std::path::PathBuf;

use crate::error::Error;

/// The longest path or abstract name of a local socket, with the `@` of the latter, in bytes.
const MAX_LOCAL: usize = 107;

/// Where a socket binds or connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Tcp {
        /// The host and port to connect from; port 0 is any.
        source: Option<(String, u16)>,
        /// A wildcard `*`, a number with or without brackets, an interface (to bind) or a host
        /// name (to connect).
        host: String,
        /// Port 0 is any, to bind.
        port: u16,
    },
    Ipc(IpcAddress),
    Inproc(String),
}

/// Where a local socket lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IpcAddress {
    /// A new path of the library's choice.
    Wildcard,
    Path(PathBuf),
    /// A name in Linux's abstract namespace, without the `@`.
    Abstract(String),
}

/// What an endpoint is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Bind,
    Connect,
}

impl Endpoint {
    /// Reads an endpoint to bind to.
    pub(crate) fn parse_bind(text: &str) -> Result<Self, Error> {
        Self::parse(text, Purpose::Bind)
    }

    /// Reads an endpoint to connect to.
    pub(crate) fn parse_connect(text: &str) -> Result<Self, Error> {
        Self::parse(text, Purpose::Connect)
    }

    /// Reads an endpoint to unbind or disconnect from. If its transport is known, it is only
    /// not there, whatever it looks like.
    pub(crate) fn parse_any(text: &str) -> Result<Self, Error> {
        let (transport, _) = split_transport(text)?;
        match (transport, Self::parse_bind(text)) {
            ("tcp" | "ipc" | "inproc", Err(_)) => {
                Self::parse_connect(text).map_err(|_| Error::NoSuchEndpoint)
            }
            (_, parsed) => parsed,
        }
    }

    fn parse(text: &str, purpose: Purpose) -> Result<Self, Error> {
        let (transport, address) = split_transport(text)?;
        match transport {
            "tcp" => tcp(address, purpose),
            "ipc" => ipc(address, purpose),
            "inproc" => Ok(Self::Inproc(address.to_owned())),
            // None of the socket types that are built in speaks over these.
            "udp" | "pgm" | "epgm" | "norm" => Err(Error::IncompatibleTransport),
            _ => Err(Error::UnknownTransport),
        }
    }
}

fn split_transport(text: &str) -> Result<(&str, &str), Error> {
    text.split_once("://")
        .filter(|(transport, address)| !transport.is_empty() && !address.is_empty())
        .ok_or(Error::Invalid("an endpoint is a transport, :// and an address"))
}

fn tcp(address: &str, purpose: Purpose) -> Result<Endpoint, Error> {
    let (source, target) = match address.split_once(';') {
        Some((source, target)) => (Some(tcp_source(source, purpose)?), target),
        None => (None, address),
    };
    let (host, port) = match purpose {
        Purpose::Bind => bind_target(target)?,
        Purpose::Connect => connect_target(target)?,
    };
    Ok(Endpoint::Tcp { source, host: host.to_owned(), port })
}

fn split_port(address: &str) -> Result<(&str, &str), Error> {
    address
        .rsplit_once(':')
        .filter(|(_, port)| !port.is_empty())
        .ok_or(Error::Invalid("a TCP endpoint needs a port"))
}

fn number(port: &str) -> Result<u16, Error> {
    // Unlike the parser of numbers, no sign.
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::Invalid("a TCP port is a number"));
    }
    port.parse().map_err(|_| Error::Invalid("a TCP port is at most 65535"))
}

fn bind_target(address: &str) -> Result<(&str, u16), Error> {
    let (host, port) = split_port(address)?;
    if host.is_empty() {
        return Err(Error::NoSuchDevice);
    }
    // Programs leave blanks and slashes behind the port, which the reference reads over.
    let port = port.trim_end();
    let port = port.split_once('/').map_or(port, |(port, _)| port);
    let port = if port == "*" { 0 } else { number(port)? };
    Ok((wildcard_host(host), port))
}

fn connect_target(address: &str) -> Result<(&str, u16), Error> {
    let (host, port) = split_port(address)?;
    check_host(host)?;
    Ok((host, number(port)?))
}

/// A wildcard means the same in brackets.
fn wildcard_host(host: &str) -> &str {
    if host == "[*]" { "*" } else { host }
}

fn tcp_source(source: &str, purpose: Purpose) -> Result<(String, u16), Error> {
    let bare = match source.rsplit_once(']') {
        Some((_, rest)) => !rest.contains(':'),
        None => !source.contains(':'),
    };
    if purpose == Purpose::Bind {
        // What to bind to stands behind it: this part is only read.
        let (host, port) = bind_target(source)?;
        return Ok((host.to_owned(), port));
    }
    let (host, port) = if bare { (source, "0") } else { split_port(source)? };
    if host != "*" {
        check_host(host)?;
    } else if port == "*" {
        return Err(Error::Invalid("a source address needs a port or a host"));
    }
    let port = if port == "*" { 0 } else { number(port)? };
    Ok((host.to_owned(), port))
}

/// The characters of host names, addresses and interfaces. Whether there is such a host is not
/// known before connecting.
fn check_host(host: &str) -> Result<(), Error> {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-:%[]".contains(&byte);
    if host.is_empty() || host.starts_with(['-', '.', '%']) || !host.bytes().all(in_name) {
        return Err(Error::Invalid("there can be no host of this name"));
    }
    Ok(())
}

fn ipc(address: &str, purpose: Purpose) -> Result<Endpoint, Error> {
    if address.len() > MAX_LOCAL {
        return Err(Error::Os(libc::ENAMETOOLONG));
    }
    if address.contains('\0') {
        return Err(Error::Invalid("a path has no zero bytes"));
    }
    Ok(Endpoint::Ipc(match address.strip_prefix('@') {
        Some("") => {
            return Err(Error::Invalid("an abstract name has at least one character"));
        }
        Some(name) => IpcAddress::Abstract(name.to_owned()),
        None if address == "*" && purpose == Purpose::Bind => IpcAddress::Wildcard,
        None => IpcAddress::Path(PathBuf::from(address)),
    }))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { source, host, port } => {
                f.write_str("tcp://")?;
                if let Some((host, port)) = source {
                    write!(f, "{host}:{port};")?;
                }
                write!(f, "{host}:{port}")
            }
            Self::Ipc(IpcAddress::Wildcard) => f.write_str("ipc://*"),
            Self::Ipc(IpcAddress::Path(path)) => write!(f, "ipc://{}", path.display()),
            Self::Ipc(IpcAddress::Abstract(name)) => write!(f, "ipc://@{name}"),
            Self::Inproc(name) => write!(f, "inproc://{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str, port: u16) -> Endpoint {
        Endpoint::Tcp { source: None, host: host.to_owned(), port }
    }

    fn errno(result: Result<Endpoint, Error>) -> i32 {
        result.expect_err("not an endpoint").errno()
    }

    #[test]
    fn tcp_endpoints_to_bind_to() {
        for (text, host, port) in [
            ("tcp://*:5555", "*", 5555),
            ("tcp://*:*", "*", 0),
            ("tcp://[*]:*", "*", 0),
            ("tcp://*:0", "*", 0),
            ("tcp://127.0.0.1:65535", "127.0.0.1", 65535),
            ("tcp://127.0.0.1:045", "127.0.0.1", 45),
            ("tcp://lo:*", "lo", 0),
            ("tcp://[::1]:7", "[::1]", 7),
            ("tcp://::1:7", "::1", 7),
            ("tcp://[fe80::1%lo]:*", "[fe80::1%lo]", 0),
            ("tcp://127.0.0.1:7/path", "127.0.0.1", 7),
            ("tcp://127.0.0.1:7 ", "127.0.0.1", 7),
        ] {
            assert_eq!(Endpoint::parse_bind(text), Ok(target(host, port)), "{text}");
        }
    }

    #[test]
    fn malformed_tcp_endpoints_to_bind_to() {
        for text in [
            "tcp://*",
            "tcp://*:",
            "tcp://127.0.0.1",
            "tcp://127.0.0.1:!",
            "tcp://127.0.0.1:65536",
            "tcp://127.0.0.1:abc",
            "tcp://127.0.0.1: 0",
            "tcp://127.0.0.1;127.0.0.1:7",
            "tcp://;127.0.0.1:7",
            "tcp://127.0.0.1:0;",
        ] {
            assert_eq!(errno(Endpoint::parse_bind(text)), libc::EINVAL, "{text}");
        }
        assert_eq!(errno(Endpoint::parse_bind("tcp://:5555")), libc::ENODEV);
    }

    #[test]
    fn tcp_endpoints_to_connect_to() {
        for (text, host, port) in [
            ("tcp://127.0.0.1:0", "127.0.0.1", 0),
            ("tcp://localhost:5555", "localhost", 5555),
            ("tcp://a_b.example:1", "a_b.example", 1),
            ("tcp://[::1]:5555", "[::1]", 5555),
            ("tcp://[fe80::1%eth0]:5555", "[fe80::1%eth0]", 5555),
        ] {
            assert_eq!(Endpoint::parse_connect(text), Ok(target(host, port)), "{text}");
        }
        for text in [
            "tcp://*:5555",
            "tcp://*:*",
            "tcp://127.0.0.1:*",
            "tcp://127.0.0.1",
            "tcp://127.0.0.1:-1",
            "tcp://127.0.0.1:+1",
            "tcp://127.0.0.1:abc",
            "tcp://127.0.0.1:7/path",
            "tcp://127.0.0.1:7 ",
            "tcp://user@127.0.0.1:7",
            "tcp://-x:7",
            "tcp://a b:7",
            "tcp://;127.0.0.1:7",
            "tcp://*:*;127.0.0.1:7",
        ] {
            assert_eq!(errno(Endpoint::parse_connect(text)), libc::EINVAL, "{text}");
        }
    }

    #[test]
    fn sources_to_connect_from() {
        for (text, source) in [
            ("tcp://127.0.0.1:7;example.org:8", ("127.0.0.1", 7)),
            ("tcp://lo:0;example.org:8", ("lo", 0)),
            ("tcp://lo:*;example.org:8", ("lo", 0)),
            ("tcp://*:7;example.org:8", ("*", 7)),
            ("tcp://127.0.0.1;example.org:8", ("127.0.0.1", 0)),
            ("tcp://[::1];example.org:8", ("[::1]", 0)),
            ("tcp://[::1]:7;example.org:8", ("[::1]", 7)),
        ] {
            let expected = Endpoint::Tcp {
                source: Some((source.0.to_owned(), source.1)),
                host: "example.org".to_owned(),
                port: 8,
            };
            assert_eq!(Endpoint::parse_connect(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn local_endpoints() {
        let path = |text: &str| Endpoint::Ipc(IpcAddress::Path(PathBuf::from(text)));
        assert_eq!(Endpoint::parse_bind("ipc:///tmp/x"), Ok(path("/tmp/x")));
        assert_eq!(Endpoint::parse_bind("ipc://x"), Ok(path("x")));
        assert_eq!(Endpoint::parse_bind("ipc://*"), Ok(Endpoint::Ipc(IpcAddress::Wildcard)));
        assert_eq!(Endpoint::parse_connect("ipc://*"), Ok(path("*")));
        let name = Endpoint::Ipc(IpcAddress::Abstract("x".to_owned()));
        assert_eq!(Endpoint::parse_connect("ipc://@x"), Ok(name));
        assert_eq!(errno(Endpoint::parse_bind("ipc://@")), libc::EINVAL);
        let longest = "y".repeat(MAX_LOCAL);
        assert!(Endpoint::parse_bind(&format!("ipc://{longest}")).is_ok());
        assert_eq!(errno(Endpoint::parse_bind(&format!("ipc://{longest}y"))), libc::ENAMETOOLONG);
        assert_eq!(
            errno(Endpoint::parse_connect(&format!("ipc://@{longest}"))),
            libc::ENAMETOOLONG
        );
    }

    #[test]
    fn names_within_the_process() {
        for name in ["a", "*", "/", "#1", &"x".repeat(300)] {
            let expected = Ok(Endpoint::Inproc(name.to_owned()));
            assert_eq!(Endpoint::parse_bind(&format!("inproc://{name}")), expected);
            assert_eq!(Endpoint::parse_connect(&format!("inproc://{name}")), expected);
        }
    }

    #[test]
    fn what_is_no_endpoint() {
        for text in ["", "tcp", "tcp:", "tcp:/", "tcp://", "ipc://", "inproc://", "foo://", "://x"]
        {
            assert_eq!(errno(Endpoint::parse_bind(text)), libc::EINVAL, "{text}");
            assert_eq!(errno(Endpoint::parse_connect(text)), libc::EINVAL, "{text}");
        }
        for text in ["foo://x", "TCP://127.0.0.1:7", " tcp://*:*", "vmci://x", "ws://*:80"] {
            assert_eq!(errno(Endpoint::parse_bind(text)), libc::EPROTONOSUPPORT, "{text}");
            assert_eq!(errno(Endpoint::parse_connect(text)), libc::EPROTONOSUPPORT, "{text}");
        }
        let enocompatproto = 156_384_712 + 52;
        assert_eq!(errno(Endpoint::parse_bind("udp://127.0.0.1:7")), enocompatproto);
    }

    #[test]
    fn endpoints_to_let_go_of() {
        let found = Endpoint::parse_any("tcp://localhost:5555");
        assert_eq!(found, Ok(target("localhost", 5555)));
        for text in ["tcp://127.0.0.1", "tcp://127.0.0.1:!", "ipc://@"] {
            assert_eq!(errno(Endpoint::parse_any(text)), libc::ENOENT, "{text}");
        }
        for text in ["", "abc", "tcp://", "inproc://"] {
            assert_eq!(errno(Endpoint::parse_any(text)), libc::EINVAL, "{text}");
        }
        assert_eq!(errno(Endpoint::parse_any("foo://x")), libc::EPROTONOSUPPORT);
    }

    #[test]
    fn endpoints_are_written_as_they_are_read() {
        for text in ["tcp://127.0.0.1:7", "tcp://lo:0;h:8", "ipc:///x", "ipc://@x", "inproc://x"] {
            assert_eq!(Endpoint::parse_connect(text).map(|e| e.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(
            Endpoint::parse_bind("ipc://*").map(|e| e.to_string()),
            Ok("ipc://*".to_owned())
        );
    }
}
