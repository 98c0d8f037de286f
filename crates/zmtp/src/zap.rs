//! ZAP (RFC 27), the dialog between whoever lets peers in and the handler that knows them: the
//! frames of a request are written here, and those of a reply read and judged. How they travel to
//! the handler and back is the owner's business.
//!
//! A reply is either a [`Reply`] or an [`InvalidReply`]; there is no third way for a handler to let
//! a peer in.

use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::connection::Credentials;
use crate::metadata;

/// Where the handler is bound, in the process's own transport.
pub const ENDPOINT: &str = "inproc://zeromq.zap.01";

/// RFC 27: "The version frame, which SHALL contain the three octets "1.0"."
const VERSION: &[u8] = b"1.0";

/// Each connection asks once, over a pipe of its own, so that its requests need no telling apart.
const REQUEST_ID: &[u8] = b"1";

/// Frames of a reply: delimiter, version, request id, status code, status text, user id, metadata.
const REPLY_FRAMES: usize = 7;

// The ZMQ_PROTOCOL_ERROR_ZAP_* numbers of zmq_socket_monitor(3).
const ZAP_UNSPECIFIED: u32 = 0x2000_0000;
const ZAP_MALFORMED_REPLY: u32 = 0x2000_0001;
const ZAP_BAD_REQUEST_ID: u32 = 0x2000_0002;
const ZAP_BAD_VERSION: u32 = 0x2000_0003;
const ZAP_INVALID_STATUS_CODE: u32 = 0x2000_0004;
const ZAP_INVALID_METADATA: u32 = 0x2000_0005;

/// What a handler is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Which of the application's sets of rules applies; it may be empty.
    pub domain: &'a [u8],
    /// The peer's IP address as text; empty if it has none.
    pub address: &'a str,
    /// The routing id of the socket that asks. RFC 27 leaves open whose it is; libzmq sends that
    /// of its own socket.
    pub routing_id: &'a [u8],
    /// What the peer has shown.
    pub credentials: Credentials<'a>,
}

impl Request<'_> {
    /// The frames of the request as a DEALER sends it, the empty delimiter first. A password may
    /// be among them: they are overwritten when they are dropped.
    #[must_use]
    pub fn frames(&self) -> Vec<Zeroizing<Vec<u8>>> {
        let mut frames = vec![
            Vec::new(),
            VERSION.to_vec(),
            REQUEST_ID.to_vec(),
            self.domain.to_vec(),
            self.address.as_bytes().to_vec(),
            self.routing_id.to_vec(),
        ];
        match self.credentials {
            Credentials::Null => frames.push(b"NULL".to_vec()),
            Credentials::Plain { username, password } => {
                frames.push(b"PLAIN".to_vec());
                frames.push(username.to_vec());
                frames.push(password.to_vec());
            }
            Credentials::Curve { public_key } => {
                frames.push(b"CURVE".to_vec());
                frames.push(public_key.to_vec());
            }
        }
        frames.into_iter().map(Zeroizing::new).collect()
    }
}

/// What was decided about a peer (RFC 27, "status code").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// 200: the peer is let in.
    Accepted,
    /// 300: nobody could decide now; the peer may try again.
    TemporaryError,
    /// 400: the peer is not let in.
    Denied,
    /// 500: deciding failed.
    InternalError,
}

impl Status {
    /// The three digits as a number.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Accepted => 200,
            Self::TemporaryError => 300,
            Self::Denied => 400,
            Self::InternalError => 500,
        }
    }

    fn read(digits: &[u8]) -> Option<Self> {
        match digits {
            b"200" => Some(Self::Accepted),
            b"300" => Some(Self::TemporaryError),
            b"400" => Some(Self::Denied),
            b"500" => Some(Self::InternalError),
            _ => None,
        }
    }
}

/// What a handler answered, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The decision.
    pub status: Status,
    /// Who the peer is to the application.
    pub user_id: Vec<u8>,
    /// What else the handler says of the peer. No name comes twice.
    pub metadata: Vec<(String, Vec<u8>)>,
}

impl Reply {
    /// Reads a reply as a DEALER receives it, the empty delimiter first.
    ///
    /// # Errors
    /// [`InvalidReply`] for everything that is not to the letter of RFC 27, of which the first
    /// fault found is named.
    pub fn read<F: AsRef<[u8]>>(frames: &[F]) -> Result<Self, InvalidReply> {
        let frames: [&[u8]; REPLY_FRAMES] = frames
            .iter()
            .map(AsRef::as_ref)
            .collect::<Vec<_>>()
            .try_into()
            .map_err(|_| InvalidReply::Frames)?;
        let [delimiter, version, request_id, status, _text, user_id, metadata] = frames;
        if !delimiter.is_empty() {
            return Err(InvalidReply::Delimiter);
        }
        if version != VERSION {
            return Err(InvalidReply::Version);
        }
        // RFC 27: "The reply SHALL echo the request id without modifying it."
        if request_id != REQUEST_ID {
            return Err(InvalidReply::RequestId);
        }
        let status = Status::read(status).ok_or(InvalidReply::Status)?;
        let metadata = metadata::parse_to_the_letter(metadata).ok_or(InvalidReply::Metadata)?;
        Ok(Self { status, user_id: user_id.to_vec(), metadata })
    }
}

/// How a reply is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum InvalidReply {
    /// The first frame is not empty.
    #[error("the reply does not begin with an empty frame")]
    Delimiter,
    /// There are more or fewer frames.
    #[error("the reply has not the seven frames of RFC 27")]
    Frames,
    /// The reply is of another version.
    #[error("the reply is not of version 1.0")]
    Version,
    /// The reply is to another request.
    #[error("the reply has another request id")]
    RequestId,
    /// The status code is none of the four.
    #[error("the status code is unknown")]
    Status,
    /// The metadata does not follow its grammar, or contradicts the socket's type.
    #[error("the metadata is invalid")]
    Metadata,
}

impl InvalidReply {
    /// The `ZMQ_PROTOCOL_ERROR_ZAP_*` number that monitors are told.
    #[must_use]
    pub fn protocol_error_code(self) -> u32 {
        match self {
            Self::Delimiter => ZAP_UNSPECIFIED,
            Self::Frames => ZAP_MALFORMED_REPLY,
            Self::Version => ZAP_BAD_VERSION,
            Self::RequestId => ZAP_BAD_REQUEST_ID,
            Self::Status => ZAP_INVALID_STATUS_CODE,
            Self::Metadata => ZAP_INVALID_METADATA,
        }
    }
}

/// Whether two secrets are the same, in a time that depends on their lengths alone.
#[must_use]
pub fn is_same_secret(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [&[u8]; REPLY_FRAMES] = [b"", b"1.0", b"1", b"200", b"OK", b"joe", b""];

    fn with(at: usize, frame: &'static [u8]) -> Result<Reply, InvalidReply> {
        let mut frames = GOOD;
        frames[at] = frame;
        Reply::read(&frames)
    }

    #[test]
    fn requests_are_as_rfc_27_draws_them() {
        let request = |credentials| Request {
            domain: b"test",
            address: "192.168.55.1",
            routing_id: b"BOB",
            credentials,
        };
        let head = [&b""[..], b"1.0", b"1", b"test", b"192.168.55.1", b"BOB"];
        let expect = |credentials, tail: &[&[u8]]| {
            let expected: Vec<Vec<u8>> =
                head.iter().chain(tail).map(|frame| frame.to_vec()).collect();
            let frames = request(credentials).frames();
            assert!(frames.iter().map(|frame| frame.as_slice()).eq(expected), "{frames:?}");
        };
        expect(Credentials::Null, &[b"NULL"]);
        let (username, password) = (&b"admin"[..], &b"secret"[..]);
        expect(Credentials::Plain { username, password }, &[b"PLAIN", b"admin", b"secret"]);
        let public_key = &[7; 32];
        expect(Credentials::Curve { public_key }, &[b"CURVE", &[7; 32]]);
    }

    #[test]
    fn the_four_status_codes_are_read() {
        for (digits, status) in [
            (b"200", Status::Accepted),
            (b"300", Status::TemporaryError),
            (b"400", Status::Denied),
            (b"500", Status::InternalError),
        ] {
            let reply = with(3, digits).expect("a reply");
            assert_eq!(reply.status, status);
            assert_eq!(reply.status.code().to_string().as_bytes(), digits);
        }
    }

    #[test]
    fn a_reply_names_the_user_and_more() {
        let reply = with(6, b"\x06X-role\0\0\0\x05admin").expect("a reply");
        assert_eq!(reply.user_id, b"joe");
        assert_eq!(reply.metadata, [("X-role".to_owned(), b"admin".to_vec())]);
        assert!(with(5, b"").is_ok(), "a user without a name");
        assert!(with(4, b"").is_ok(), "a status without a text");
    }

    #[test]
    fn every_other_status_is_invalid() {
        for status in [
            &b""[..],
            b"0",
            b"20",
            b"2000",
            b"201",
            b"100",
            b"600",
            b"302",
            b"2 0",
            b"abc",
            b"200\0",
            b" 200",
            b"\xff\xff\xff",
        ] {
            let mut frames = GOOD;
            frames[3] = status;
            assert_eq!(Reply::read(&frames), Err(InvalidReply::Status), "{status:?}");
        }
    }

    #[test]
    fn every_other_number_of_frames_is_malformed() {
        for count in (0..=20).filter(|count| *count != REPLY_FRAMES) {
            let frames: Vec<&[u8]> = GOOD.iter().copied().cycle().take(count).collect();
            assert_eq!(Reply::read(&frames), Err(InvalidReply::Frames), "{count} frames");
        }
    }

    #[test]
    fn each_fault_has_its_number() {
        let code = |at, frame| with(at, frame).expect_err("a fault").protocol_error_code();
        assert_eq!(code(0, b"x"), ZAP_UNSPECIFIED);
        for version in [&b""[..], b"1", b"1.1", b"1.00", b"2.0"] {
            assert_eq!(code(1, version), ZAP_BAD_VERSION);
        }
        for id in [&b""[..], b"0", b"11", b"2"] {
            assert_eq!(code(2, id), ZAP_BAD_REQUEST_ID);
        }
        assert_eq!(code(3, b"no"), ZAP_INVALID_STATUS_CODE);
        for metadata in [
            &b"x"[..],
            b"\x06X-role\0\0\0\x09admin",
            b"\x06X-role\xff\xff\xff\xffadmin",
            b"\0\0\0\0\0",
            b"\x01a\0\0\0\0\x01A\0\0\0\0",
        ] {
            assert_eq!(code(6, metadata), ZAP_INVALID_METADATA);
        }
        assert_eq!(InvalidReply::Frames.protocol_error_code(), ZAP_MALFORMED_REPLY);
    }

    /// libzmq looks at the frames in this order.
    #[test]
    fn the_first_fault_is_the_one_told() {
        let mut frames = [&b"x"[..], b"2.0", b"9", b"no", b"", b"", b"x"];
        let order = [
            InvalidReply::Delimiter,
            InvalidReply::Version,
            InvalidReply::RequestId,
            InvalidReply::Status,
            InvalidReply::Metadata,
        ];
        for (fault, at) in order.into_iter().zip([0, 1, 2, 3, 6]) {
            assert_eq!(Reply::read(&frames), Err(fault));
            frames[at] = GOOD[at];
        }
        assert!(Reply::read(&frames).is_ok());
    }

    #[test]
    fn secrets_are_the_same_or_not() {
        assert!(is_same_secret(b"secret", b"secret"));
        assert!(is_same_secret(b"", b""));
        for other in [&b""[..], b"secre", b"secrets", b"Secret", b"secreT"] {
            assert!(!is_same_secret(b"secret", other));
        }
    }
}
