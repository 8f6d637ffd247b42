//! What the engine tells: messages, control frames and the end.

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::close::CloseCode;
use crate::violation::Violation;

/// The type of a message, given by its first frame (WS-FR-08).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8, validated before it is delivered and before it is sent.
    Text,
    /// Any octets.
    Binary,
}

/// The octets of a message or a control frame.
pub enum Payload<'b> {
    /// Unmasked where it was read: no copy, no allocation.
    Borrowed(&'b mut [u8]),
    /// Put together from fragments or reads, or inflated.
    Owned(Vec<u8>),
}

impl Payload<'_> {
    /// The octets on their own; copies only if they were borrowed.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        match self {
            Payload::Borrowed(bytes) => bytes.to_vec(),
            Payload::Owned(bytes) => bytes,
        }
    }

    /// The octets as text. A text message always is; anything else may not be.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(self).ok()
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Payload::Borrowed(bytes) => bytes,
            Payload::Owned(bytes) => bytes,
        }
    }
}

impl DerefMut for Payload<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Payload::Borrowed(bytes) => bytes,
            Payload::Owned(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if matches!(self, Payload::Borrowed(_)) { "borrowed" } else { "owned" };
        write!(f, "{} bytes {place}", self.len())
    }
}

/// What happened on the connection. Nothing comes after [`Event::Closed`].
#[derive(Debug)]
pub enum Event<'b> {
    /// A whole message.
    Message {
        /// Text or binary.
        kind: MessageKind,
        /// Its octets.
        payload: Payload<'b>,
    },
    /// A Ping. The Pong is queued already (WS-CT-02); [`Connection::poll_transmit`] at once, or
    /// the next Ping takes its place.
    ///
    /// [`Connection::poll_transmit`]: crate::Connection::poll_transmit
    Ping(Payload<'b>),
    /// A Pong; nothing needs to be done (WS-CT-04).
    Pong(Payload<'b>),
    /// The end, once.
    Closed(Closed),
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Who ended it and why.
    pub by: ClosedBy,
    /// The code of the peer's Close: 1005 if it had none, 1006 if there was no Close (WS-CL-03).
    pub code: CloseCode,
    /// The reason in the peer's Close, else empty (WS-CL-04). Not for the eyes of end users
    /// (WS-CT-10).
    pub reason: String,
    /// Whether each side sent a Close.
    pub clean: bool,
}

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBy {
    /// We began the closing handshake.
    Us,
    /// The peer began it.
    Peer,
    /// The peer broke the protocol, and was told so.
    Violation(Violation),
    /// The transport ended without a closing handshake (WS-CL-06).
    Transport,
    /// The peer did not answer our Close in time.
    CloseTimeout,
    /// The peer stayed silent although it was pinged.
    PongTimeout,
}
