//! Received messages.

use std::collections::VecDeque;

/// One WebSocket message, or nothing.
#[derive(Debug)]
pub struct Input<'a> {
    message: Option<Received<'a>>,
}

/// What a WebSocket message is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Received<'a> {
    Text(&'a [u8]),
    Binary,
}

impl<'a> Input<'a> {
    /// The whole payload of one text message.
    #[must_use]
    pub fn text(payload: &'a [u8]) -> Self {
        Self { message: Some(Received::Text(payload)) }
    }

    /// A binary message, whatever is in it (XWS-010).
    #[must_use]
    pub fn binary() -> Self {
        Self { message: Some(Received::Binary) }
    }

    /// No message; for events that need none.
    #[must_use]
    pub fn empty() -> Self {
        Self { message: None }
    }

    /// Whether the message was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.message.is_none()
    }

    pub(crate) fn take(&mut self) -> Option<Received<'a>> {
        self.message.take()
    }
}

/// Messages that came while an engine waits for an answer of its caller.
#[derive(Debug, Default)]
pub struct Backlog {
    messages: VecDeque<Box<[u8]>>,
    size_bytes: usize,
}

impl Backlog {
    /// Keeps a text message. False if there are then more octets than `size_max_bytes`: tell the
    /// engine with `overflow`, and keep nothing more.
    #[must_use]
    pub fn push(&mut self, payload: &[u8], size_max_bytes: usize) -> bool {
        let size_bytes = self.size_bytes.saturating_add(cost(payload));
        let fits = size_bytes <= size_max_bytes;
        if fits {
            self.size_bytes = size_bytes;
            self.messages.push_back(payload.into());
        }
        fits
    }

    /// The message to be given next.
    #[must_use]
    pub fn pop(&mut self) -> Option<Box<[u8]>> {
        let payload = self.messages.pop_front()?;
        self.size_bytes = self.size_bytes.saturating_sub(cost(&payload));
        if self.messages.is_empty() {
            *self = Self::default();
        }
        Some(payload)
    }

    /// Puts a message back that the engine did not read.
    pub fn put_back(&mut self, payload: Box<[u8]>) {
        self.size_bytes = self.size_bytes.saturating_add(cost(&payload));
        self.messages.push_front(payload);
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

/// An empty message takes memory too.
fn cost(payload: &[u8]) -> usize {
    payload.len().saturating_add(size_of::<Box<[u8]>>())
}
