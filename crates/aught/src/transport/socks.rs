//! Connecting through a SOCKS5 proxy (RFC 1928, with the names and passwords of RFC 1929;
//! `ZMQ_SOCKS_PROXY`): where the proxy is, and what is said to it, as bytes in and bytes out.
//! Moving the bytes is the session's.

use std::net::IpAddr;

use rustix::io::Errno;
use zeroize::Zeroizing;

use super::tcp::TcpTarget;
use crate::error::Error;
use crate::options::Options;

const VERSION: u8 = 5;
/// The version of the negotiation that RFC 1929 is about.
const PASSWORD_VERSION: u8 = 1;
const CONNECT: u8 = 1;

const NO_AUTHENTICATION: u8 = 0;
const PASSWORD: u8 = 2;

const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// A TCP endpoint behind a proxy.
#[derive(Clone, Debug)]
pub(crate) struct SocksTarget {
    /// The proxy; `None` if what the option says names nothing to connect to.
    pub(crate) proxy: Option<TcpTarget>,
    greeting: Vec<u8>,
    /// The name and the password, if the proxy is to be told.
    password: Option<Zeroizing<Vec<u8>>>,
    request: Vec<u8>,
}

impl SocksTarget {
    /// `target` through the proxy of `options`. A host name is the proxy's to look up.
    pub(crate) fn new(target: &TcpTarget, options: &Options) -> Result<Self, Error> {
        let password = match options.socks_username.as_slice() {
            [] => None,
            name => Some(with_password(name, &options.socks_password)?),
        };
        let method = if password.is_some() { PASSWORD } else { NO_AUTHENTICATION };
        Ok(Self {
            proxy: proxy(&options.socks_proxy, target),
            greeting: vec![VERSION, 1, method],
            password,
            request: request(target)?,
        })
    }
}

/// Reads `host:port`. The connection to the proxy comes from where `target` says.
fn proxy(text: &[u8], target: &TcpTarget) -> Option<TcpTarget> {
    let text = text.split(|byte| *byte == 0).next()?;
    let (host, port) = std::str::from_utf8(text).ok()?.rsplit_once(':')?;
    let port = port.parse().ok()?;
    (!host.is_empty()).then(|| TcpTarget { host: host.to_owned(), port, source: target.source })
}

fn counted(bytes: &[u8], into: &mut Vec<u8>) -> Result<(), Error> {
    let length = u8::try_from(bytes.len())
        .map_err(|_| Error::Invalid("a SOCKS proxy takes names of at most 255 bytes"))?;
    into.push(length);
    into.extend_from_slice(bytes);
    Ok(())
}

// RFC 1929: VER, ULEN, UNAME, PLEN, PASSWD.
fn with_password(name: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(3 + name.len() + password.len()));
    bytes.push(PASSWORD_VERSION);
    counted(name, &mut bytes)?;
    counted(password, &mut bytes)?;
    Ok(bytes)
}

// RFC 1928, 4: VER, CMD, RSV, ATYP, DST.ADDR, DST.PORT.
fn request(target: &TcpTarget) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![VERSION, CONNECT, 0];
    match target.numeric().map(|address| address.ip()) {
        Some(IpAddr::V4(address)) => {
            bytes.push(IPV4);
            bytes.extend_from_slice(&address.octets());
        }
        Some(IpAddr::V6(address)) => {
            bytes.push(IPV6);
            bytes.extend_from_slice(&address.octets());
        }
        None => {
            bytes.push(NAME);
            counted(target.host.as_bytes(), &mut bytes)?;
        }
    }
    bytes.extend_from_slice(&target.port.to_be_bytes());
    Ok(bytes)
}

/// What the proxy is to answer next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    /// Which of the methods it takes.
    Method,
    /// Whether it knows the name and the password.
    Verdict,
    /// Whether it is connected.
    Reply,
    /// Nothing: from here on, it passes bytes on.
    Nothing,
}

/// One conversation with a proxy.
#[derive(Debug)]
pub(crate) struct Negotiation {
    password: Option<Zeroizing<Vec<u8>>>,
    request: Vec<u8>,
    awaits: Awaits,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
}

impl Negotiation {
    pub(crate) fn new(target: &SocksTarget) -> Self {
        Self {
            password: target.password.clone(),
            request: target.request.clone(),
            awaits: Awaits::Method,
            outgoing: target.greeting.clone(),
            incoming: Vec::new(),
        }
    }

    /// What is to be written to the proxy.
    pub(crate) fn outgoing(&self) -> &[u8] {
        &self.outgoing
    }

    /// Takes note that so much of that was written.
    pub(crate) fn sent(&mut self, count: usize) {
        self.outgoing.drain(..count.min(self.outgoing.len()));
    }

    /// How many bytes of the proxy's are missing, which may be more later. Never reach for more:
    /// they are the peer's behind it. Zero when the peer is there.
    pub(crate) fn missing(&self) -> usize {
        let whole = match self.awaits {
            Awaits::Method | Awaits::Verdict => 2,
            // RFC 1928, 6: VER, REP, RSV, ATYP, BND.ADDR, BND.PORT.
            Awaits::Reply => match (self.incoming.get(3), self.incoming.get(4)) {
                (Some(&IPV4), _) => 4 + 4 + 2,
                (Some(&IPV6), _) => 4 + 16 + 2,
                (Some(&NAME), Some(length)) => 5 + usize::from(*length) + 2,
                // The longest prefix that tells how long the rest is.
                (Some(_), _) => 5,
                (None, _) => 4,
            },
            Awaits::Nothing => 0,
        };
        whole.saturating_sub(self.incoming.len())
    }

    /// Takes in at most as many bytes as are [missing](Self::missing).
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        self.incoming.extend_from_slice(bytes);
        if let (Awaits::Reply, [_, _, _, kind, ..]) = (self.awaits, self.incoming.as_slice())
            && ![IPV4, NAME, IPV6].contains(kind)
        {
            return Err(Errno::PROTO);
        }
        if self.missing() > 0 {
            return Ok(());
        }
        let answer = std::mem::take(&mut self.incoming);
        let [version, verdict, ..] = answer.as_slice() else {
            return Ok(());
        };
        match self.awaits {
            Awaits::Method => self.method(*version, *verdict),
            Awaits::Verdict => match (*version, *verdict) {
                (PASSWORD_VERSION, 0) => {
                    self.ask();
                    Ok(())
                }
                (PASSWORD_VERSION, _) => Err(Errno::ACCESS),
                _ => Err(Errno::PROTO),
            },
            Awaits::Reply => {
                self.awaits = Awaits::Nothing;
                refusal(*version, *verdict)
            }
            Awaits::Nothing => Ok(()),
        }
    }

    fn method(&mut self, version: u8, method: u8) -> Result<(), Errno> {
        match (version, method, self.password.take()) {
            (VERSION, NO_AUTHENTICATION, None) => self.ask(),
            (VERSION, PASSWORD, Some(password)) => {
                self.outgoing.extend_from_slice(&password);
                self.awaits = Awaits::Verdict;
            }
            (VERSION, ..) => return Err(Errno::ACCESS),
            _ => return Err(Errno::PROTO),
        }
        Ok(())
    }

    fn ask(&mut self) {
        self.outgoing.append(&mut self.request);
        self.awaits = Awaits::Reply;
    }
}

/// The replies of RFC 1928, 6, as what a connection of our own would have ended with.
fn refusal(version: u8, reply: u8) -> Result<(), Errno> {
    Err(match (version, reply) {
        (VERSION, 0) => return Ok(()),
        (VERSION, 2) => Errno::ACCESS,
        (VERSION, 3) => Errno::NETUNREACH,
        (VERSION, 4) => Errno::HOSTUNREACH,
        (VERSION, 5) => Errno::CONNREFUSED,
        (VERSION, 6) => Errno::TIMEDOUT,
        (VERSION, 7) => Errno::OPNOTSUPP,
        (VERSION, 8) => Errno::AFNOSUPPORT,
        (VERSION, _) => Errno::CONNABORTED,
        _ => Errno::PROTO,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use zmtp::SocketType;

    /// The longest that one length byte can announce.
    const LONGEST: usize = 255;

    fn target(host: &str) -> TcpTarget {
        TcpTarget { host: host.to_owned(), port: 0x1234, source: None }
    }

    fn options(name: &str, password: &str) -> Options {
        let mut options = Options::new(SocketType::Dealer);
        options.socks_proxy = b"proxy:1080".to_vec();
        options.socks_username = name.into();
        options.socks_password = password.as_bytes().to_vec().into();
        options
    }

    /// Speaks to a proxy that answers with `answers`, so many bytes at a time. Returns what it
    /// was told, and what followed the negotiation.
    fn speak(
        host: &str,
        options: &Options,
        answers: &[u8],
        step: usize,
    ) -> Result<(Vec<u8>, Vec<u8>), Errno> {
        let target = SocksTarget::new(&target(host), options).expect("a target");
        let mut negotiation = Negotiation::new(&target);
        let mut told = Vec::new();
        let mut answers = answers;
        loop {
            let count = negotiation.outgoing().len().min(step);
            told.extend_from_slice(&negotiation.outgoing()[..count]);
            negotiation.sent(count);
            if !negotiation.outgoing().is_empty() {
                continue;
            }
            let count = negotiation.missing().min(step).min(answers.len());
            if count == 0 {
                return Ok((told, answers.to_vec()));
            }
            negotiation.receive(&answers[..count])?;
            answers = &answers[count..];
        }
    }

    #[test]
    fn an_address_is_asked_for_and_nothing_behind_the_answer_is_taken() {
        for step in [1, 2, 3, 100] {
            let answers = b"\x05\0\x05\0\0\x01\x7f\0\0\x01\x04\x38greeting";
            let (told, rest) = speak("10.1.2.3", &options("", "x"), answers, step).expect("done");
            assert_eq!(told, b"\x05\x01\0\x05\x01\0\x01\x0a\x01\x02\x03\x12\x34");
            assert_eq!(rest, b"greeting");
            let answers = b"\x05\0\x05\0\0\x03\x02ab\x04\x38greeting";
            let (told, rest) = speak("[::1]", &options("", ""), answers, step).expect("done");
            let asked = b"\x05\x01\0\x05\x01\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x34";
            assert_eq!(told, asked);
            assert_eq!(rest, b"greeting");
        }
    }

    #[test]
    fn names_are_passed_on_and_passwords_told() {
        let mut answers = b"\x05\x02\x01\0\x05\0\0\x04".to_vec();
        answers.extend_from_slice(&[7; 18]);
        answers.push(9);
        for step in [1, 5, 100] {
            let (told, rest) =
                speak("host.example", &options("me", "pass"), &answers, step).expect("done");
            let asked = b"\x05\x01\x02\x01\x02me\x04pass\x05\x01\0\x03\x0chost.example\x12\x34";
            assert_eq!(told, asked);
            assert_eq!(rest, [9]);
        }
    }

    #[test]
    fn refusals_and_nonsense_end_it() {
        let open = options("", "");
        let refused = |answers: &[u8]| speak("h", &open, answers, 3).expect_err("refused");
        assert_eq!(refused(b"\x05\xff"), Errno::ACCESS);
        assert_eq!(refused(b"\x05\x02"), Errno::ACCESS, "a method that was not offered");
        assert_eq!(refused(b"\x04\0"), Errno::PROTO);
        assert_eq!(refused(b"HTTP/1.1"), Errno::PROTO);
        assert_eq!(refused(b"\x05\0\x05\x05\0\x01\0\0\0\0\0\0"), Errno::CONNREFUSED);
        assert_eq!(refused(b"\x05\0\x05\x01\0\x01\0\0\0\0\0\0"), Errno::CONNABORTED);
        assert_eq!(refused(b"\x05\0\x05\0\0\x02"), Errno::PROTO, "no such kind of address");
        let shy = options("me", "");
        let refused = |answers: &[u8]| speak("h", &shy, answers, 1).expect_err("refused");
        assert_eq!(refused(b"\x05\0"), Errno::ACCESS);
        assert_eq!(refused(b"\x05\x02\x01\x01"), Errno::ACCESS);
        assert_eq!(refused(b"\x05\x02\x05\0"), Errno::PROTO);
    }

    #[test]
    fn what_does_not_fit_is_refused_before_anything_is_said() {
        let long = "x".repeat(LONGEST + 1);
        assert!(SocksTarget::new(&target(&long), &options("", "")).is_err());
        let at_most = "x".repeat(LONGEST);
        assert!(SocksTarget::new(&target(&at_most), &options(&at_most, &at_most)).is_ok());
    }

    #[test]
    fn a_proxy_is_a_host_and_a_port() {
        let parsed =
            |text: &str| proxy(text.as_bytes(), &target("x")).map(|proxy| (proxy.host, proxy.port));
        assert_eq!(parsed("127.0.0.1:1080"), Some(("127.0.0.1".to_owned(), 1080)));
        assert_eq!(parsed("[::1]:9"), Some(("[::1]".to_owned(), 9)));
        for nothing in ["", "host", ":1080", "host:", "host:port", "host:99999"] {
            assert_eq!(parsed(nothing), None, "{nothing}");
        }
    }
}
