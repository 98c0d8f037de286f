//! [`Message`]: what an application sends and receives as one. Its parts are in `part`.

use std::fmt;
use std::ops::{Deref, Index};

use super::{Part, Peer};

/// A message of one or more parts, delivered whole or not at all.
///
/// Cloning is cheap: bodies over [`MAX_INLINE`](super::MAX_INLINE) bytes are shared.
///
/// ```
/// use aught::Message;
///
/// let single = Message::from("hello");
/// assert_eq!(single.first(), b"hello");
///
/// let multi = Message::from_parts([b"topic".as_slice(), b"body"]);
/// assert_eq!(multi.len(), 2);
/// assert_eq!(&multi[1], b"body");
/// ```
#[derive(Clone, Default)]
pub struct Message {
    // Most messages have one part, which should not cost an allocation of its own.
    head: Part,
    tail: Vec<Part>,
}

impl Message {
    /// A message of one empty part.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A message of the given parts; one empty part if there are none.
    pub fn from_parts<I>(parts: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Part>,
    {
        let mut parts = parts.into_iter().map(Into::into);
        let head = parts.next().unwrap_or_default();
        Self { head, tail: parts.collect() }
    }

    /// Adds a part at the end.
    pub fn push(&mut self, part: impl Into<Part>) {
        self.tail.push(part.into());
    }

    /// The same message with one more part at the end.
    #[must_use]
    pub fn with(mut self, part: impl Into<Part>) -> Self {
        self.push(part);
        self
    }

    /// Who sent the message, if it was received and something is known of its sender.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        self.head.peer().map(AsRef::as_ref)
    }

    /// How many parts the message has; at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a message is never without parts")]
    pub fn len(&self) -> usize {
        1 + self.tail.len()
    }

    /// The first part's bytes, which are all of a single-part message.
    #[must_use]
    pub fn first(&self) -> &[u8] {
        &self.head
    }

    /// The last part's bytes.
    #[must_use]
    pub fn last(&self) -> &[u8] {
        self.tail.last().unwrap_or(&self.head)
    }

    /// A part by its index.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Part> {
        if index == 0 { Some(&self.head) } else { self.tail.get(index - 1) }
    }

    /// The parts in order.
    pub fn iter(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.head).chain(&self.tail)
    }

    /// The parts in order, by value.
    pub fn into_parts(self) -> impl Iterator<Item = Part> {
        std::iter::once(self.head).chain(self.tail)
    }

    /// The first part's text, with what is not UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.head)
    }
}

impl Index<usize> for Message {
    type Output = [u8];

    fn index(&self, index: usize) -> &[u8] {
        if index == 0 { &self.head } else { &self.tail[index - 1] }
    }
}

impl<T: Into<Part>> From<T> for Message {
    fn from(part: T) -> Self {
        Self { head: part.into(), tail: Vec::new() }
    }
}

impl PartialEq<[u8]> for Message {
    fn eq(&self, other: &[u8]) -> bool {
        self.tail.is_empty() && self.head.deref() == other
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Message {
    fn eq(&self, other: &[u8; N]) -> bool {
        *self == other[..]
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Message {
    fn eq(&self, other: &&[u8; N]) -> bool {
        *self == other[..]
    }
}

impl PartialEq<str> for Message {
    fn eq(&self, other: &str) -> bool {
        *self == *other.as_bytes()
    }
}

impl PartialEq<&str> for Message {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Message")?;
        f.debug_list().entries(self.iter()).finish()
    }
}
