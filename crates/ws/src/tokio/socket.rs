//! A connection with `recv` and `send`.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use ::tokio::io::{AsyncRead, AsyncWrite};

use super::buffers::Buffers;
use super::link::Link;
use super::open::Opened;
use crate::{CloseCode, Closed, Config, Event, Input, MessageKind, Misuse, Payload};

/// How much is read at a time: what lies behind the first message is kept for the connection.
const READ_BYTES: usize = 64 * 1024;

/// Nothing more is read, and so no Ping answered, while more than this is unsent, in octets.
const UNSENT_MAX_BYTES: usize = 64 * 1024;

/// A message on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Any octets.
    Binary(Vec<u8>),
}

impl Message {
    fn new(kind: MessageKind, payload: Payload<'_>) -> Message {
        let bytes = payload.into_vec();
        match kind {
            MessageKind::Binary => Message::Binary(bytes),
            MessageKind::Text => Message::Text(match String::from_utf8(bytes) {
                Ok(text) => text,
                // Never: the engine delivers no text that is not UTF-8.
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            }),
        }
    }

    fn as_parts(&self) -> (MessageKind, &[u8]) {
        match self {
            Message::Text(text) => (MessageKind::Text, text.as_bytes()),
            Message::Binary(bytes) => (MessageKind::Binary, bytes),
        }
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Message {
        Message::Text(text.to_owned())
    }
}

impl From<&[u8]> for Message {
    fn from(bytes: &[u8]) -> Message {
        Message::Binary(bytes.to_owned())
    }
}

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The connection does not allow it; nothing was sent.
    Misuse(Misuse),
    /// The connection ended before everything was sent. [`WebSocket::closed`] tells how, after
    /// [`WebSocket::recv`] has returned `None`.
    Closed,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Misuse(misuse) => misuse.fmt(f),
            SendError::Closed => f.write_str("the connection ended"),
        }
    }
}

impl std::error::Error for SendError {}

impl From<Misuse> for SendError {
    fn from(misuse: Misuse) -> SendError {
        SendError::Misuse(misuse)
    }
}

/// A connection. Every future here may be dropped at any time: nothing received is lost, and a
/// message is sent whole or not at all.
///
/// Pings are answered and deadlines kept while one of its futures is being polled, so keep a
/// [`Self::recv`] waiting.
pub struct WebSocket<S> {
    link: Link<S>,
    /// What was read and not looked at, from `looked` on.
    unread: Vec<u8>,
    looked: usize,
    closed: Option<Closed>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// The connection on a stream whose handshake is done.
    pub fn new(opened: Opened<S>, config: &Config) -> WebSocket<S> {
        let (link, unread) = opened.into_link(config);
        WebSocket { link, unread, looked: 0, closed: None }
    }

    /// The next message; `None` when the connection has ended and the transport is done with.
    ///
    /// What was fed or queued is sent before this waits.
    pub async fn recv(&mut self) -> Option<Message> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// How the connection ended, once [`Self::recv`] has returned `None`.
    #[must_use]
    pub fn closed(&self) -> Option<&Closed> {
        self.closed.as_ref()
    }

    /// Sends a message, and waits until the transport has taken it.
    ///
    /// Answers to many messages at once leave together if they are [fed](Self::feed).
    ///
    /// # Errors
    /// When the connection is closing or ends meanwhile.
    pub async fn send(&mut self, message: Message) -> Result<(), SendError> {
        self.feed(&message)?;
        self.flush().await
    }

    /// Queues a message: it leaves with the next [`Self::flush`], [`Self::send`] or waiting
    /// [`Self::recv`].
    ///
    /// # Errors
    /// When the connection is closing.
    pub fn feed(&mut self, message: &Message) -> Result<(), Misuse> {
        let (kind, payload) = message.as_parts();
        let (conn, unsent) = self.link.unsent_mut();
        conn.send(kind, &[payload], unsent)
    }

    /// Queues a Ping of at most 125 octets.
    ///
    /// # Errors
    /// When the connection is closing, or the payload is longer.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Misuse> {
        self.link.conn.ping(payload)
    }

    /// Waits until the transport has taken everything that is queued.
    ///
    /// # Errors
    /// When the connection ends before.
    pub async fn flush(&mut self) -> Result<(), SendError> {
        poll_fn(|cx| {
            self.link.run_timers(cx);
            self.transmit(cx);
            match self.link.is_flushed() {
                _ if self.link.conn.is_finished() => Poll::Ready(Err(SendError::Closed)),
                true => Poll::Ready(Ok(())),
                false => Poll::Pending,
            }
        })
        .await
    }

    /// Performs the closing handshake. Messages that still come are dropped; to see them, call
    /// [`Self::start_close`] and [`Self::recv`] until `None`.
    ///
    /// # Errors
    /// For codes or reasons that cannot be sent. A connection that is closing already is just
    /// waited for.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Misuse> {
        match self.start_close(code, reason) {
            Ok(()) | Err(Misuse::Closed) => {}
            Err(misuse) => return Err(misuse),
        }
        while self.recv().await.is_some() {}
        Ok(())
    }

    /// Queues a Close; see [`Connection::close`](crate::Connection::close).
    ///
    /// # Errors
    /// When the connection is closing already, and for codes or reasons that cannot be sent.
    pub fn start_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Misuse> {
        self.link.conn.close(code, reason)
    }

    /// [`Self::recv`] for those who write futures by hand.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        loop {
            self.link.run_timers(cx);
            if let Some(message) = self.next_unread() {
                return Poll::Ready(Some(message));
            }
            self.transmit(cx);
            if self.closed.is_some() {
                ready!(Buffers::with(|it| self.link.poll_finish(cx, &mut it.input)));
                return Poll::Ready(None);
            }
            if self.link.conn.is_finished() {
                // Writing failed: the last event is there to be polled.
                continue;
            }
            if self.link.unsent_bytes() > UNSENT_MAX_BYTES {
                return Poll::Pending;
            }
            if let Some(message) = ready!(self.read(cx)) {
                return Poll::Ready(Some(message));
            }
        }
    }

    /// Reads once, and takes the first message from what came; the rest is kept.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        Buffers::with(|buffers| {
            let buf = buffers.input.get_mut(..READ_BYTES).unwrap_or_default();
            let count = ready!(self.link.poll_read(cx, buf));
            let mut input = Input::new(buf.get_mut(..count).unwrap_or_default());
            let message = self.next_message(&mut input);
            self.unread = input.into_rest().to_vec();
            self.looked = 0;
            Poll::Ready(message)
        })
    }

    fn next_unread(&mut self) -> Option<Message> {
        let mut unread = std::mem::take(&mut self.unread);
        let mut input = Input::new(unread.get_mut(self.looked..).unwrap_or_default());
        let message = self.next_message(&mut input);
        let left = input.len();
        if left > 0 {
            self.looked = unread.len().saturating_sub(left);
            self.unread = unread;
        }
        message
    }

    fn next_message(&mut self, input: &mut Input<'_>) -> Option<Message> {
        while let Some(event) = self.link.conn.poll_event(input) {
            match event {
                Event::Message { kind, payload } => return Some(Message::new(kind, payload)),
                Event::Ping(_) => {
                    let (conn, unsent) = self.link.unsent_mut();
                    conn.poll_transmit(unsent, usize::MAX);
                }
                Event::Pong(_) => {}
                Event::Closed(closed) => self.closed = Some(closed),
            }
        }
        None
    }

    fn transmit(&mut self, cx: &mut Context<'_>) {
        let (conn, unsent) = self.link.unsent_mut();
        conn.poll_transmit(unsent, usize::MAX);
        self.link.send(cx, &mut Vec::new());
    }
}

impl<S> fmt::Debug for WebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").field("closed", &self.closed).finish_non_exhaustive()
    }
}
