//! A type for each socket type, with only the operations that it has: thin shells around
//! [`Socket`], with what all sockets have in common passed on.

use std::time::Duration;

use super::api::{Context, Socket, SocketType};
use crate::error::{Error, SendError};
use crate::message::Message;

/// What only sockets that send have.
macro_rules! sends {
    ($name:ident) => {
        impl $name {
            /// Sends a message: see [`Socket::send`].
            ///
            /// # Errors
            /// See [`Socket::send`].
            pub fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
                self.0.send(message)
            }

            /// Sends a message if that needs no waiting: see [`Socket::try_send`].
            ///
            /// # Errors
            /// See [`Socket::try_send`].
            pub fn try_send(&self, message: impl Into<Message>) -> Result<(), SendError> {
                self.0.try_send(message)
            }
        }
    };
}

/// What only sockets that receive have.
macro_rules! receives {
    ($name:ident) => {
        impl $name {
            /// Receives a message: see [`Socket::recv`].
            ///
            /// # Errors
            /// See [`Socket::recv`].
            pub fn recv(&self) -> Result<Message, Error> {
                self.0.recv()
            }

            /// Receives a message if there is one: see [`Socket::try_recv`].
            ///
            /// # Errors
            /// See [`Socket::try_recv`].
            pub fn try_recv(&self) -> Result<Message, Error> {
                self.0.try_recv()
            }
        }
    };
}

/// What all sockets have.
macro_rules! socket_type {
    ($(#[$doc:meta])* $name:ident, $kind:ident, $make:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(Socket);

        impl $name {
            /// See [`Socket::bind`].
            ///
            /// # Errors
            /// See [`Socket::bind`].
            pub fn bind(&self, endpoint: &str) -> Result<(), Error> {
                self.0.bind(endpoint)
            }

            /// See [`Socket::connect`].
            ///
            /// # Errors
            /// See [`Socket::connect`].
            pub fn connect(&self, endpoint: &str) -> Result<(), Error> {
                self.0.connect(endpoint)
            }

            /// See [`Socket::last_endpoint`].
            ///
            /// # Errors
            /// See [`Socket::last_endpoint`].
            pub fn last_endpoint(&self) -> Result<String, Error> {
                self.0.last_endpoint()
            }

            /// See [`Socket::set_linger`].
            ///
            /// # Errors
            /// See [`Socket::set_linger`].
            pub fn set_linger(&self, time: Option<Duration>) -> Result<(), Error> {
                self.0.set_linger(time)
            }

            /// The socket without its type, for options, polling and proxies.
            #[must_use]
            pub fn as_socket(&self) -> &Socket {
                &self.0
            }

            /// The socket without its type.
            #[must_use]
            pub fn into_socket(self) -> Socket {
                self.0
            }
        }

        impl AsRef<Socket> for $name {
            fn as_ref(&self) -> &Socket {
                &self.0
            }
        }

        impl Context {
            #[doc = concat!("A [`", stringify!($name), "`] socket.")]
            ///
            /// # Errors
            /// See [`Context::socket`].
            pub fn $make(&self) -> Result<$name, Error> {
                self.socket(SocketType::$kind).map($name)
            }
        }
    };
}

socket_type! {
    /// One of two exclusive peers (RFC 31).
    Pair, Pair, pair
}
sends!(Pair);
receives!(Pair);

socket_type! {
    /// Sends each message to all subscribers that asked for it (RFC 29).
    Pub, Pub, publisher
}
sends!(Pub);

socket_type! {
    /// Receives the messages that it subscribed to (RFC 29).
    Sub, Sub, subscriber
}
receives!(Sub);

socket_type! {
    /// Sends requests and receives their replies, in turn (RFC 28).
    Req, Req, req
}
sends!(Req);
receives!(Req);

socket_type! {
    /// Receives requests and sends their replies, in turn (RFC 28).
    Rep, Rep, rep
}
sends!(Rep);
receives!(Rep);

socket_type! {
    /// Sends to its peers in turn, receives from all fairly (RFC 28).
    Dealer, Dealer, dealer
}
sends!(Dealer);
receives!(Dealer);

socket_type! {
    /// Names the peer in the first part of each message (RFC 28).
    Router, Router, router
}
sends!(Router);
receives!(Router);

socket_type! {
    /// Receives work from its peers fairly (RFC 30).
    Pull, Pull, pull
}
receives!(Pull);

socket_type! {
    /// Deals work out to its peers in turn (RFC 30).
    Push, Push, push
}
sends!(Push);

socket_type! {
    /// A publisher that sees the subscriptions (RFC 29).
    Xpub, Xpub, xpub
}
sends!(Xpub);
receives!(Xpub);

socket_type! {
    /// A subscriber that sends its subscriptions as messages (RFC 29).
    Xsub, Xsub, xsub
}
sends!(Xsub);
receives!(Xsub);

socket_type! {
    /// Exchanges bytes with TCP peers that do not speak ZMTP (zmq_socket(3)).
    Stream, Stream, stream
}
sends!(Stream);
receives!(Stream);

impl Sub {
    /// Lets in messages that begin with `prefix`; an empty one lets in all.
    ///
    /// # Errors
    /// [`Error::Terminated`].
    pub fn subscribe(&self, prefix: impl AsRef<[u8]>) -> Result<(), Error> {
        self.0.subscribe(prefix.as_ref())
    }

    /// Undoes one [`Sub::subscribe`].
    ///
    /// # Errors
    /// [`Error::Invalid`] if there was none.
    pub fn unsubscribe(&self, prefix: impl AsRef<[u8]>) -> Result<(), Error> {
        self.0.unsubscribe(prefix.as_ref())
    }
}
