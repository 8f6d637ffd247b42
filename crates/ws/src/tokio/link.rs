//! One transport and the engine on it: unsent octets, deadlines, the end.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ::tokio::time::{Instant, Sleep, sleep_until};

use crate::{Connection, Due};

/// What [`super::serve`] and [`super::WebSocket`] have in common.
#[derive(Debug)]
pub(super) struct Link<S> {
    stream: S,
    pub(super) conn: Connection,
    /// What the transport would not take yet, from `sent` on.
    unsent: Vec<u8>,
    sent: usize,
    /// The stream has octets of its own to flush, as TLS does.
    unflushed: bool,
    shut_down: bool,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link<S> {
    pub(super) fn new(stream: S, conn: Connection) -> Link<S> {
        Link {
            stream,
            conn,
            unsent: Vec::new(),
            sent: 0,
            unflushed: false,
            shut_down: false,
            sleep: None,
        }
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.unsent_bytes() == 0 && !self.unflushed
    }

    pub(super) fn unsent_bytes(&self) -> usize {
        self.unsent.len().saturating_sub(self.sent)
    }

    /// Where to append what shall be sent, when no other buffer is at hand.
    pub(super) fn unsent_mut(&mut self) -> (&mut Connection, &mut Vec<u8>) {
        (&mut self.conn, &mut self.unsent)
    }

    /// Writes `out`, behind what was left of earlier; keeps what the transport does not take, and
    /// then has the task woken when it will. A failed transport is the connection's end.
    pub(super) fn send(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) {
        let result = if self.unsent_bytes() > 0 {
            self.unsent.append(out);
            self.write_unsent(cx)
        } else if out.is_empty() {
            self.flush(cx)
        } else {
            self.write_new(cx, out)
        };
        out.clear();
        if result.is_err() {
            self.conn.handle_eof();
        }
    }

    fn write_unsent(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Some(rest) = self.unsent.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.stream).poll_write(cx, rest)? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(count) => {
                    self.sent = self.sent.saturating_add(count);
                    self.unflushed = true;
                }
                Poll::Pending => {
                    // Costs no more than was sent since the last time.
                    if self.sent > self.unsent.len() / 2 {
                        self.unsent.drain(..self.sent);
                        self.sent = 0;
                    }
                    return Ok(());
                }
            }
        }
        // An idle connection keeps no buffer.
        (self.unsent, self.sent) = (Vec::new(), 0);
        self.flush(cx)
    }

    fn write_new(&mut self, cx: &mut Context<'_>, out: &[u8]) -> io::Result<()> {
        let mut rest = out;
        while !rest.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, rest)? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(count) => {
                    rest = rest.get(count..).unwrap_or_default();
                    self.unflushed = true;
                }
                Poll::Pending => {
                    (self.unsent, self.sent) = (rest.to_vec(), 0);
                    return Ok(());
                }
            }
        }
        self.flush(cx)
    }

    fn flush(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.unflushed && Pin::new(&mut self.stream).poll_flush(cx)?.is_ready() {
            self.unflushed = false;
        }
        Ok(())
    }

    /// Reads once, to `buf` behind room for the beginning of an incomplete frame, and puts that
    /// in front of it. Returns how much of `buf` is input; at the end of the transport, nothing.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<usize> {
        let room = match self.conn.reclaimable_bytes() {
            room if room <= buf.len() / 2 => room,
            _ => 0,
        };
        let mut read = ReadBuf::new(buf.get_mut(room..).unwrap_or_default());
        let result = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read));
        let count = read.filled().len();
        if result.is_err() || count == 0 {
            self.conn.handle_eof();
            return Poll::Ready(0);
        }
        let reclaimed = self.conn.reclaim(buf.get_mut(..room).unwrap_or_default());
        debug_assert_eq!(reclaimed, room, "there is as much as was announced");
        Poll::Ready(room.saturating_add(count))
    }

    /// Fires what is due, and has the task woken for what is not. Works while writing is blocked.
    pub(super) fn run_timers(&mut self, cx: &mut Context<'_>) {
        while let Some(due) = self.conn.poll_timeout() {
            if let Due::At(at) = due {
                let at = Instant::from_std(at);
                let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
                if sleep.deadline() != at {
                    sleep.as_mut().reset(at);
                }
                if sleep.as_mut().poll(cx).is_pending() {
                    return;
                }
            }
            self.conn.handle_timeout(Instant::now().into_std());
        }
        self.sleep = None;
    }

    /// After the last event: sends the rest, closes our direction when the engine says so, and
    /// reads until the peer closes its own or its time is up, so that no reset overtakes our Close.
    pub(super) fn poll_finish(&mut self, cx: &mut Context<'_>, scratch: &mut [u8]) -> Poll<()> {
        while !self.conn.is_finished() {
            if self.is_flushed() && !self.shut_down && self.conn.should_close_transport() {
                // A failure shows again when reading.
                let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
                self.shut_down = true;
            }
            ready!(self.poll_read(cx, scratch));
        }
        Poll::Ready(())
    }
}
