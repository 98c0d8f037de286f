//! Who lets peers in: the application's own handler behind `inproc://zeromq.zap.01` (RFC 27), asked
//! in `client`, or an [`Authenticator`] within the process, in `authenticator` and `rules`, which
//! compares passwords as `secret` says. Both
//! give a [`Decision`], and what becomes of a connection then is one path, in the engine.
//!
//! The frames of ZAP are read and written in `zmtp::zap`; when somebody is to be asked is in
//! `crate::options`.

pub(crate) mod authenticator;
mod client;
mod gate;
pub(crate) mod rules;
pub(crate) mod secret;

use zmtp::zap::{InvalidReply, Reply, Status};

use crate::options::Asks;

pub(crate) use authenticator::Authenticator;
pub(crate) use client::Exchange;
pub(crate) use gate::Gate;

/// What the application knows its peers by; it comes from nobody else (RFC 27, "user id").
pub(crate) const USER_ID: &str = "User-Id";

/// Properties that messages of a peer carry.
pub(crate) type Properties = Vec<(String, Vec<u8>)>;

/// What was decided about a peer. There is no other way to let one in than `Accept`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is let in, and its messages carry these properties.
    Accept(Properties),
    /// It is not; the status code of RFC 27 says why.
    Deny(Status),
    /// Whoever was asked gave no proper answer.
    Invalid(InvalidReply),
    /// Nobody is there to decide.
    NoHandler,
}

impl Decision {
    /// What a handler's reply means for a socket of a type.
    pub(crate) fn of(reply: Result<Reply, InvalidReply>, kind: zmtp::SocketType) -> Self {
        let reply = match reply {
            Ok(reply) => reply,
            Err(invalid) => return Self::Invalid(invalid),
        };
        // As with the reference, a handler that says what the peer is cannot say otherwise than
        // the peer could.
        let fits = |(name, value): &(String, Vec<u8>)| {
            !name.eq_ignore_ascii_case("Socket-Type")
                || zmtp::SocketType::from_name(value).is_some_and(|peer| kind.is_compatible(peer))
        };
        if !reply.metadata.iter().all(fits) {
            return Self::Invalid(InvalidReply::Metadata);
        }
        if reply.status != Status::Accepted {
            return Self::Deny(reply.status);
        }
        let mut properties = vec![(USER_ID.to_owned(), reply.user_id)];
        properties.extend(reply.metadata);
        Self::Accept(properties)
    }

    /// What it means that no handler is there.
    pub(crate) fn without_handler(asks: Asks) -> Self {
        match asks {
            Asks::Always => Self::NoHandler,
            Asks::IfThere | Asks::Nobody => Self::Accept(Properties::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: Status, metadata: &[(&str, &str)]) -> Result<Reply, InvalidReply> {
        let own = |text: &str| text.as_bytes().to_vec();
        let metadata =
            metadata.iter().map(|(name, value)| ((*name).to_owned(), own(value))).collect();
        Ok(Reply { status, user_id: own("joe"), metadata })
    }

    #[test]
    fn only_an_accepting_reply_accepts() {
        let kind = zmtp::SocketType::from_name(b"DEALER").expect("a type");
        for status in [Status::TemporaryError, Status::Denied, Status::InternalError] {
            assert_eq!(Decision::of(reply(status, &[]), kind), Decision::Deny(status));
        }
        let invalid = InvalidReply::Version;
        assert_eq!(Decision::of(Err(invalid), kind), Decision::Invalid(invalid));
        let accepted = Decision::of(reply(Status::Accepted, &[("X-a", "b")]), kind);
        let properties =
            [(USER_ID, "joe"), ("X-a", "b")].map(|(n, v)| (n.to_owned(), v.as_bytes().to_vec()));
        assert_eq!(accepted, Decision::Accept(properties.to_vec()));
    }

    #[test]
    fn a_type_that_does_not_fit_is_invalid_metadata() {
        let kind = zmtp::SocketType::from_name(b"DEALER").expect("a type");
        let of = |value| Decision::of(reply(Status::Accepted, &[("socket-type", value)]), kind);
        assert!(matches!(of("ROUTER"), Decision::Accept(_)));
        assert_eq!(of("PUB"), Decision::Invalid(InvalidReply::Metadata));
        assert_eq!(of("NONSENSE"), Decision::Invalid(InvalidReply::Metadata));
    }

    #[test]
    fn without_a_handler_only_those_are_let_in_who_need_none() {
        assert_eq!(Decision::without_handler(Asks::Always), Decision::NoHandler);
        for asks in [Asks::IfThere, Asks::Nobody] {
            assert_eq!(Decision::without_handler(asks), Decision::Accept(Vec::new()));
        }
    }
}
