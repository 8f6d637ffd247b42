//! A connection driven to its end on behalf of a handler.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::tokio::io::{AsyncRead, AsyncWrite};

use super::buffers::Buffers;
use super::link::Link;
use super::open::Opened;
use crate::{CloseCode, Closed, Config, Connection, Event, Input, MessageKind, Misuse, Payload};

/// Stop reading while more than this is unsent, in octets. Above [`super::buffers::READ_BYTES`],
/// so that what echoes a whole burst still needs one write.
const UNSENT_MAX_BYTES: usize = 512 * 1024;

/// What a server does with its connections.
///
/// A closure of the same arguments as [`Handler::message`] is one.
pub trait Handler {
    /// A message came. The payload may be changed where it is, and ends with this call.
    fn message(&mut self, kind: MessageKind, payload: Payload<'_>, out: &mut Outbox<'_>);

    /// Called whenever the connection's task runs, to send what did not come from a message: poll
    /// channels here with `cx`, so that they wake the task. While [`Outbox::unsent_bytes`] is
    /// large, leave it for later: this runs again when it has shrunk.
    fn poll(&mut self, cx: &mut Context<'_>, out: &mut Outbox<'_>) {
        let _ = (cx, out);
    }
}

impl<F: FnMut(MessageKind, Payload<'_>, &mut Outbox<'_>)> Handler for F {
    fn message(&mut self, kind: MessageKind, payload: Payload<'_>, out: &mut Outbox<'_>) {
        self(kind, payload, out);
    }
}

/// Where a handler sends. Everything leaves together, when the burst that was read is used up.
#[derive(Debug)]
pub struct Outbox<'a> {
    conn: &'a mut Connection,
    out: &'a mut Vec<u8>,
    unsent_bytes: usize,
}

impl Outbox<'_> {
    /// Sends one message; see [`Connection::send`].
    ///
    /// # Errors
    /// After a Close, inside a fragmented message, and for text that is not UTF-8.
    #[inline]
    pub fn send(&mut self, kind: MessageKind, payload: &[u8]) -> Result<(), Misuse> {
        self.conn.send(kind, &[payload], self.out)
    }

    /// Sends one message that lies in several places.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_parts(&mut self, kind: MessageKind, parts: &[&[u8]]) -> Result<(), Misuse> {
        self.conn.send(kind, parts, self.out)
    }

    /// Begins a message in fragments; see [`Connection::begin_message`].
    ///
    /// # Errors
    /// After a Close, and inside another fragmented message.
    pub fn begin_message(&mut self, kind: MessageKind) -> Result<(), Misuse> {
        self.conn.begin_message(kind)
    }

    /// Sends the next fragment; see [`Connection::send_fragment`].
    ///
    /// # Errors
    /// After a Close, without a message begun, and for text that cannot be UTF-8.
    pub fn send_fragment(&mut self, payload: &[u8], last: bool) -> Result<(), Misuse> {
        self.conn.send_fragment(&[payload], last, self.out)
    }

    /// Sends a Ping of at most 125 octets.
    ///
    /// # Errors
    /// After a Close, and for a longer payload.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Misuse> {
        self.conn.ping(payload)
    }

    /// Begins the closing handshake; see [`Connection::close`].
    ///
    /// # Errors
    /// After a Close, and for codes or reasons that cannot be sent.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Misuse> {
        self.conn.close(code, reason)
    }

    /// Octets that the transport has not taken yet, these messages included.
    #[must_use]
    pub fn unsent_bytes(&self) -> usize {
        self.unsent_bytes.saturating_add(self.out.len())
    }
}

/// Drives a connection to its end. Resolves to how it ended; dropping it drops the transport.
pub fn serve<S, H>(opened: Opened<S>, config: &Config, handler: H) -> Serve<S, H>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Handler + Unpin,
{
    let (link, unread) = opened.into_link(config);
    Serve { link, unread, closed: None, handler }
}

/// The future of [`serve`].
pub struct Serve<S, H> {
    link: Link<S>,
    /// Input that was read and not looked at, because too much was unsent.
    unread: Vec<u8>,
    closed: Option<Closed>,
    handler: H,
}

impl<S, H> Future for Serve<S, H>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Handler + Unpin,
{
    type Output = Closed;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Closed> {
        let this = self.get_mut();
        Buffers::with(|buffers| this.drive(cx, buffers))
    }
}

impl<S, H> Serve<S, H>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Handler + Unpin,
{
    fn drive(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) -> Poll<Closed> {
        let Buffers { input, output } = buffers;
        loop {
            let (out, unsent_bytes) = (&mut *output, self.link.unsent_bytes());
            self.handler.poll(cx, &mut Outbox { conn: &mut self.link.conn, out, unsent_bytes });
            // After everything that may start a timer.
            self.link.run_timers(cx);
            self.events(cx, Input::empty(), output);
            self.link.conn.poll_transmit(output, usize::MAX);
            self.link.send(cx, output);
            if self.closed.is_some() {
                std::task::ready!(self.link.poll_finish(cx, input));
                // Always there: just seen.
                return self.closed.take().map_or(Poll::Pending, Poll::Ready);
            }
            if self.link.conn.is_finished() {
                // Writing failed: the last event is there to be polled.
                continue;
            }
            if self.link.unsent_bytes() > UNSENT_MAX_BYTES {
                return Poll::Pending;
            }
            if self.unread.is_empty() {
                let count = std::task::ready!(self.link.poll_read(cx, input));
                self.events(cx, Input::new(input.get_mut(..count).unwrap_or_default()), output);
            } else {
                let mut unread = std::mem::take(&mut self.unread);
                self.events(cx, Input::new(&mut unread), output);
            }
        }
    }

    /// Hands `input` to the handler, until it is used up or too much is unsent.
    fn events(&mut self, cx: &mut Context<'_>, mut input: Input<'_>, out: &mut Vec<u8>) {
        while let Some(event) = self.link.conn.poll_event(&mut input) {
            match event {
                Event::Message { kind, payload } => {
                    let unsent_bytes = self.link.unsent_bytes();
                    let conn = &mut self.link.conn;
                    let mut outbox = Outbox { conn, out, unsent_bytes };
                    self.handler.message(kind, payload, &mut outbox);
                }
                Event::Ping(_) => {
                    self.link.conn.poll_transmit(out, usize::MAX);
                }
                Event::Pong(_) => {}
                Event::Closed(closed) => self.closed = Some(closed),
            }
            if out.len().saturating_add(self.link.unsent_bytes()) > UNSENT_MAX_BYTES {
                self.link.conn.poll_transmit(out, usize::MAX);
                self.link.send(cx, out);
                if self.link.unsent_bytes() > UNSENT_MAX_BYTES {
                    self.unread = input.into_rest().to_vec();
                    return;
                }
            }
        }
    }
}

impl<S, H> fmt::Debug for Serve<S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").field("closed", &self.closed).finish_non_exhaustive()
    }
}
