//! What an AMQP connection's octets travel on: a WebSocket, or a stream.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncReadExt, AsyncWrite};
use wharf_amqp::engine::{Connection, Framing, Input};
use wharf_ws::tokio::{Message, WebSocket};
use wharf_ws::{CloseCode, ClosedBy};

use crate::Error;
use crate::net::{BoxStream, Carrier};

/// Read at a time from a stream.
const READ_BYTES: usize = 64 * 1024;

/// About the most that one WebSocket message carries, or one write.
const UNIT_BYTES: usize = 64 * 1024;

pub(super) struct Wire {
    carrier: Carried,
    /// For the next unit of output, or octets read; kept for its room.
    unit: Vec<u8>,
    spare: Vec<u8>,
}

enum Carried {
    WebSocket(Box<WebSocket<BoxStream>>),
    Stream(Raw),
}

/// A stream, and what it has not taken yet.
struct Raw {
    stream: BoxStream,
    unsent: Vec<u8>,
    sent: usize,
    flushed: bool,
}

/// What was received together.
pub(super) struct Burst {
    octets: Vec<u8>,
    framing: Framing,
}

impl Burst {
    pub(super) fn input(&self) -> Input<'_> {
        match self.framing {
            Framing::Messages => Input::message(&self.octets),
            Framing::Stream => Input::stream(&self.octets),
        }
    }
}

impl Wire {
    pub(super) fn new(carrier: Carrier, config: &wharf_ws::Config) -> Self {
        let carrier = match carrier {
            Carrier::WebSocket(opened) => {
                Carried::WebSocket(Box::new(WebSocket::new(opened, config)))
            }
            Carrier::Stream(stream) => {
                Carried::Stream(Raw { stream, unsent: Vec::new(), sent: 0, flushed: true })
            }
        };
        Wire { carrier, unit: Vec::new(), spare: Vec::new() }
    }

    pub(super) fn framing(&self) -> Framing {
        match self.carrier {
            Carried::WebSocket(_) => Framing::Messages,
            Carried::Stream(_) => Framing::Stream,
        }
    }

    /// The next octets; `None` at the end.
    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Burst>> {
        match &mut self.carrier {
            Carried::WebSocket(socket) => loop {
                match ready!(socket.poll_recv(cx)) {
                    Some(Message::Binary(octets)) => {
                        return Poll::Ready(Some(Burst { octets, framing: Framing::Messages }));
                    }
                    // WSB-036, WSB-A05: the end of it; what still comes is passed over.
                    Some(Message::Text(_)) => {
                        let _ = socket.start_close(CloseCode::UNACCEPTABLE, "AMQP is binary");
                    }
                    None => return Poll::Ready(None),
                }
            },
            Carried::Stream(raw) => {
                let mut octets = std::mem::take(&mut self.spare);
                octets.clear();
                octets.reserve(READ_BYTES);
                let read = pin!(raw.stream.read_buf(&mut octets)).poll(cx);
                match read {
                    Poll::Ready(Ok(1..)) => {
                        Poll::Ready(Some(Burst { octets, framing: Framing::Stream }))
                    }
                    Poll::Ready(_) => Poll::Ready(None),
                    Poll::Pending => {
                        self.spare = octets;
                        Poll::Pending
                    }
                }
            }
        }
    }

    /// The octets of a burst are read: their memory is used again.
    pub(super) fn give_back(&mut self, burst: Burst) {
        if burst.framing == Framing::Stream {
            self.spare = burst.octets;
        }
    }

    /// Sends what the engine has, as far as the transport takes it. Says whether anything was sent.
    // WSB-023, WSB-031, WSB-038: each unit is one message.
    pub(super) fn transmit(&mut self, engine: &mut Connection, cx: &mut Context<'_>) -> bool {
        let mut sent = false;
        while self.poll_flushed(cx) {
            let mut unit = std::mem::take(&mut self.unit);
            unit.clear();
            let len = engine.poll_transmit(&mut unit, UNIT_BYTES);
            if len > 0 {
                unit = self.feed(unit);
            }
            self.unit = unit;
            if len == 0 {
                break;
            }
            sent = true;
        }
        sent
    }

    fn feed(&mut self, unit: Vec<u8>) -> Vec<u8> {
        match &mut self.carrier {
            Carried::WebSocket(socket) => {
                let message = Message::Binary(unit);
                // Refused only after a Close, and then the connection is over.
                let _ = socket.feed(&message);
                match message {
                    Message::Binary(unit) => unit,
                    Message::Text(_) => Vec::new(),
                }
            }
            Carried::Stream(raw) => {
                raw.flushed = false;
                // All before it is sent.
                raw.sent = 0;
                std::mem::replace(&mut raw.unsent, unit)
            }
        }
    }

    /// Whether the transport has taken everything. If not, the task is woken when it may have; an
    /// end shows when reading.
    pub(super) fn poll_flushed(&mut self, cx: &mut Context<'_>) -> bool {
        match &mut self.carrier {
            Carried::WebSocket(socket) => pin!(socket.flush()).poll(cx) == Poll::Ready(Ok(())),
            Carried::Stream(raw) => matches!(raw.poll_flush(cx), Poll::Ready(Ok(()))),
        }
    }

    /// Begins to close the transport.
    // WSB-081
    pub(super) fn start_close(&mut self, code: CloseCode, cx: &mut Context<'_>) {
        match &mut self.carrier {
            // Refused only if a Close is on its way already.
            Carried::WebSocket(socket) => drop(socket.start_close(code, "")),
            Carried::Stream(raw) => {
                let _ = Pin::new(&mut raw.stream).poll_shutdown(cx);
            }
        }
    }

    /// Why the transport ended, if it tells.
    pub(super) fn end(&self) -> Option<Error> {
        let Carried::WebSocket(socket) = &self.carrier else { return None };
        let closed = socket.closed()?;
        match closed.by {
            ClosedBy::Violation(_) => Some(Error::Protocol("invalid WebSocket frames")),
            ClosedBy::Peer => {
                let (code, reason) = (closed.code.number(), closed.reason.clone());
                // WSB-A08: before AMQP's own close it ends the connection. A restart or an overload
                // passes; to anything else the same answer would come again.
                let passing = matches!(code, 1000 | 1001 | 1005 | 1006 | 1011..=1014);
                (!passing).then_some(Error::Rejected { code, reason })
            }
            ClosedBy::CloseTimeout | ClosedBy::PongTimeout => Some(Error::Timeout),
            ClosedBy::Us => Some(Error::Amqp("text instead of AMQP frames".to_owned())),
            ClosedBy::Transport => None,
        }
    }
}

impl Raw {
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.unsent.get(self.sent..).filter(|rest| !rest.is_empty()) {
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent = self.sent.saturating_add(count);
        }
        if !self.flushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.flushed = true;
        }
        Poll::Ready(Ok(()))
    }
}
