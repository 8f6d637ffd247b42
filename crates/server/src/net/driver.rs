//! Runs one session on one socket.
//!
//! A readable burst is one read, one push of commands to the shard and one write. The buffers
//! belong to the thread, not to the connection: an idle connection holds neither.

use crate::auth::sasl::Channel;
use crate::http::{Accepted, Upgraded};
use crate::mailbox::{Letter, Orders, Outbox};
use crate::metrics::Deliveries;
use crate::net::allowance::{Allowance, Slot};
use crate::net::registry::{Known, Login};
use crate::node::{Node, Open};
use crate::traces::Spans;
use bytes::Bytes;
use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use wharf_broker::{ConnectionId, Event};
use wharf_gateway::{Question, Session};

/// What one read may take.
const READ_MAX_BYTES: usize = 256 << 10;
/// Room before it for the incomplete frame of the read before, so that frames are whole in place.
const HELD_MAX_BYTES: usize = 64 << 10;
/// What one write may send.
const WRITE_MAX_BYTES: usize = 256 << 10;
/// Unsent output above which nothing more is read.
const UNSENT_MAX_BYTES: usize = 64 << 10;
/// Rounds before other connections of this thread get their turn.
const ROUNDS_MAX: usize = 8;
/// How long the peer's own end of the connection is awaited after ours.
const LINGER: Duration = Duration::from_secs(2);

/// Longest name that a client gives its connection.
const TAG_MAX_BYTES: usize = 64;

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers {
        input: vec![0; HELD_MAX_BYTES + READ_MAX_BYTES],
        output: Vec::with_capacity(WRITE_MAX_BYTES),
        letters: Vec::new(),
        events: Vec::new(),
    });
}

/// Scratch memory, empty between two polls.
struct Buffers {
    input: Vec<u8>,
    output: Vec<u8>,
    letters: Vec<Letter>,
    events: Vec<Event>,
}

/// Why a connection ended, as the metrics name it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ending {
    /// The session finished: a closing handshake, whoever began it.
    Closed,
    /// The peer ended the transport without one.
    Eof,
    /// The transport failed.
    Reset,
    /// An administrator has cut it.
    Cut,
}

impl Ending {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Eof => "eof",
            Self::Reset => "reset",
            Self::Cut => "cut",
        }
    }
}

/// One connection; done when the connection is.
pub(crate) struct Driver<S> {
    stream: S,
    session: Box<Session>,
    node: Arc<Node>,
    known: Arc<Known>,
    /// Bytes that came with the upgrade request, to be read first.
    leftover: Bytes,
    /// Output that the socket did not take, and how much of it is gone. Such a peer is slow.
    unsent: Vec<u8>,
    sent: usize,
    timer: Pin<Box<Sleep>>,
    /// When the timer will fire; it may be earlier than needed, never later.
    armed: Option<Instant>,
    lingering: bool,
    /// A SCRAM exchange was begun and has not ended.
    proves: bool,
    /// Who a SCRAM exchange says it is, until it has proved it.
    claimed: Option<Box<str>>,
    /// When the first message was read that is not durable yet.
    publishing: Option<Instant>,
    /// What of it is traced, if anything can be.
    spans: Option<Box<Spans>>,
    _open: Open,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Starts a session on a connection.
    pub(crate) fn start(node: &Arc<Node>, upgraded: Upgraded<S>, peer: SocketAddr) -> Self {
        let Accepted { opening, open, login } = upgraded.accepted;
        let (connection, protocol) = (opening.connection, opening.transport.protocol());
        let outbox = Arc::new(Outbox::default());
        node.mailbox.push(&mut vec![Letter::Arrived(connection, Arc::clone(&outbox))]);
        let known = node.connections.add(Known {
            id: connection,
            protocol,
            peer,
            host: opening.host.as_str().into(),
            secure: opening.secure,
            tag: opening.query.as_deref().and_then(tag_of).map(Into::into),
            opened_at_ms: crate::node::now_ms(),
            outbox: Arc::clone(&outbox),
            allowance: Slot::default(),
        });
        if let Some(login) = login {
            node.log_in(connection, *login, &outbox);
        }
        let session = Session::new(Arc::clone(&node.live().gateway), opening, Instant::now());
        Self {
            stream: upgraded.stream,
            session: Box::new(session),
            node: Arc::clone(node),
            known,
            leftover: or_nothing(upgraded.leftover),
            unsent: Vec::new(),
            sent: 0,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            armed: None,
            lingering: false,
            proves: false,
            claimed: None,
            publishing: None,
            spans: node
                .traces
                .as_ref()
                .map(|traces| Box::new(Spans::new(Arc::clone(traces), protocol))),
            _open: open,
        }
    }

    /// Its number.
    pub(crate) fn connection(&self) -> ConnectionId {
        self.known.id
    }

    /// The name of its protocol.
    pub(crate) fn protocol(&self) -> &'static str {
        self.known.protocol
    }

    /// One round: events, time, input, commands, output. Says whether anything moved.
    fn round(&mut self, buffers: &mut Buffers, cx: &mut Context<'_>) -> Result<bool, Ending> {
        let now = Instant::now();
        let mut moved = self.take_events(buffers, now, cx)?;
        moved |= self.keep_time(now, cx);
        let read = self.read(buffers, now, cx);
        self.ask_questions();
        self.give_commands(buffers);
        moved |= read?;
        moved |= self.write(buffers, cx)?;
        Ok(moved)
    }

    fn take_events(
        &mut self,
        buffers: &mut Buffers,
        now: Instant,
        cx: &Context<'_>,
    ) -> Result<bool, Ending> {
        let Orders { drain, cut, answer } = self.known.outbox.take(&mut buffers.events, cx.waker());
        if cut {
            let ending = self.lost(now, Ending::Cut);
            self.give_commands(buffers);
            return Err(ending);
        }
        let moved = drain.is_some() || answer.is_some() || !buffers.events.is_empty();
        if let Some(answer) = answer {
            self.session.handle_answer(now, answer);
        }
        let mut deliveries = Deliveries::default();
        for event in buffers.events.drain(..) {
            if let Event::Deliver(delivery) = &event {
                deliveries.note(delivery.format);
            }
            if matches!(event, Event::Taken { .. })
                && let Some(at) = self.publishing.take()
            {
                let taken_s = now.saturating_duration_since(at).as_secs_f64();
                self.node.metrics.publish_to_confirm_seconds.observe(taken_s);
            }
            if let Some(spans) = &mut self.spans {
                spans.told(&self.node, &event);
            }
            self.session.handle_event(now, event);
        }
        self.node.metrics.delivered(self.known.protocol, &deliveries);
        if let Some(close_code) = drain {
            self.session.drain(now, close_code);
        }
        Ok(moved)
    }

    fn keep_time(&mut self, now: Instant, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        loop {
            let Some(due) = self.session.poll_timeout() else {
                return moved;
            };
            if due <= now && !moved {
                self.session.handle_timeout(now);
                moved = true;
                continue;
            }
            if self.armed.is_none_or(|armed| due < armed) {
                self.timer.as_mut().reset(due.into());
                self.armed = Some(due);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return moved;
            }
            self.armed = None;
            if moved || due > now {
                // It fired early, for a time that has moved on; or the session is still late.
                // Either way the next round looks again, with a new `now`.
                return true;
            }
        }
    }

    fn read(
        &mut self,
        buffers: &mut Buffers,
        now: Instant,
        cx: &mut Context<'_>,
    ) -> Result<bool, Ending> {
        let unsent = self.unsent.len() - self.sent;
        if unsent > UNSENT_MAX_BYTES
            || !self.session.wants_input()
            || self.node.mailbox.poll_room(cx).is_pending()
        {
            return Ok(false);
        }
        let allowance = self.known.allowance.get();
        let max = match self.read_max(allowance.as_deref(), now, cx) {
            Ok(max) => max,
            Err(moved) => return Ok(moved),
        };
        let len = if self.leftover.is_empty() {
            let mut into = ReadBuf::new(&mut buffers.input[HELD_MAX_BYTES..HELD_MAX_BYTES + max]);
            match Pin::new(&mut self.stream).poll_read(cx, &mut into) {
                Poll::Pending => return Ok(false),
                Poll::Ready(Ok(())) => into.filled().len(),
                Poll::Ready(Err(_)) => return Err(self.lost(now, Ending::Reset)),
            }
        } else {
            let len = self.leftover.len().min(max);
            let first = self.leftover.split_to(len);
            self.leftover = or_nothing(std::mem::take(&mut self.leftover));
            buffers.input[HELD_MAX_BYTES..HELD_MAX_BYTES + len].copy_from_slice(&first);
            len
        };
        if len == 0 {
            return Err(self.lost(now, Ending::Eof));
        }
        // What was held back goes right before what was read.
        let held = self.session.reclaim(&mut buffers.input[..HELD_MAX_BYTES]);
        let start = HELD_MAX_BYTES - held;
        buffers.input.copy_within(..held, start);
        self.session.handle_input(now, &mut buffers.input[start..HELD_MAX_BYTES + len]);
        if let Some(allowance) = allowance {
            allowance.spend(now, len, 0);
        }
        Ok(true)
    }

    /// How many octets may be read now. `Err`: none before the timer fires; whether it has.
    fn read_max(
        &mut self,
        allowance: Option<&Allowance>,
        now: Instant,
        cx: &mut Context<'_>,
    ) -> Result<usize, bool> {
        let Some(allowance) = allowance else { return Ok(READ_MAX_BYTES) };
        let wait = match allowance.next_read(now, READ_MAX_BYTES) {
            Ok(max) => return Ok(max),
            Err(wait) => wait,
        };
        let due = now + wait;
        if self.armed.is_none_or(|armed| due < armed) {
            self.timer.as_mut().reset(due.into());
            self.armed = Some(due);
        }
        let fired = self.timer.as_mut().poll(cx).is_ready();
        if fired {
            self.armed = None;
        }
        Err(fired)
    }

    fn lost(&mut self, now: Instant, ending: Ending) -> Ending {
        self.session.handle_transport_closed(now);
        ending
    }

    /// Checking a password takes time: it is done beside, and the answer comes by the outbox.
    fn ask_questions(&mut self) {
        while let Some(question) = self.session.poll_question() {
            self.proves |= matches!(question, Question::ScramKeys { .. });
            if let Question::ScramKeys { user, .. } = &question {
                self.claimed = Some(user.as_str().into());
            }
            let (node, peer, connection) =
                (Arc::clone(&self.node), self.known.peer.ip(), self.known.id);
            let outbox = Arc::clone(&self.known.outbox);
            tokio::spawn(async move {
                let channel = Channel::default();
                match node.auth.answer(question, channel, peer, Instant::now()).await {
                    Ok((answer, login)) => {
                        if let Some(login) = login {
                            node.log_in(connection, login, &outbox);
                        }
                        outbox.answer(answer);
                    }
                    Err(denied) => {
                        node.metrics.login_failed(denied);
                        outbox.answer(denied.into());
                    }
                }
            });
        }
        if let Some((mechanism, outcome)) = self.session.take_login() {
            self.proves = false;
            if let Some(user) = self.claimed.take().filter(|_| outcome.is_ok()) {
                let login = Login { user: user.into(), ..Login::default() };
                self.node.log_in(self.known.id, login, &self.known.outbox);
            }
            self.node.auth.sasl_ended(mechanism, outcome, self.known.peer.ip());
        }
    }

    fn give_commands(&mut self, buffers: &mut Buffers) {
        let mut messages = 0;
        while let Some(request) = self.session.poll_command() {
            messages += usize::from(request.is_message());
            if let Some(spans) = &mut self.spans {
                spans.asked(&self.node, &request);
            }
            buffers.letters.push(Letter::Request(self.known.id, request));
        }
        if !buffers.letters.is_empty() {
            self.node.mailbox.push(&mut buffers.letters);
        }
        if messages == 0 {
            return;
        }
        self.node.metrics.received(self.known.protocol, messages);
        if self.publishing.is_none() {
            self.publishing = Some(Instant::now());
        }
        if let Some(allowance) = self.known.allowance.get() {
            allowance.spend(Instant::now(), 0, messages);
        }
    }

    fn write(&mut self, buffers: &mut Buffers, cx: &mut Context<'_>) -> Result<bool, Ending> {
        if self.sent < self.unsent.len() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.unsent[self.sent..]) {
                Poll::Pending => return Ok(false),
                Poll::Ready(written) => self.sent += taken(written)?,
            }
            if self.sent == self.unsent.len() {
                // Given back, not kept: most connections are idle most of the time.
                self.unsent = Vec::new();
                self.sent = 0;
                self.node.metrics.slow_consumers.dec();
            }
            return Ok(true);
        }
        buffers.output.clear();
        if self.session.poll_transmit(&mut buffers.output, WRITE_MAX_BYTES) == 0 {
            return match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(Err(_)) => Err(Ending::Reset),
                _ => Ok(false),
            };
        }
        let written = match Pin::new(&mut self.stream).poll_write(cx, &buffers.output) {
            Poll::Pending => 0,
            Poll::Ready(written) => taken(written)?,
        };
        if written < buffers.output.len() {
            self.unsent = buffers.output[written..].to_vec();
            self.node.metrics.slow_consumers.inc();
        }
        Ok(true)
    }

    /// After the session: what is unsent, the end of our side, then the peer's, all within
    /// `LINGER`. Closing at once would make the system reset the connection, and the Close could
    /// be lost on its way; waiting without end would keep a peer that reads nothing.
    // WS-CT-09, WS-CL-02, WS-A02: the server ends the transport, and ends it first.
    fn poll_linger(&mut self, buffers: &mut Buffers, cx: &mut Context<'_>) -> Poll<()> {
        if !self.lingering {
            self.timer.as_mut().reset((Instant::now() + LINGER).into());
            self.lingering = true;
        }
        if self.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        while self.sent < self.unsent.len() {
            let written = Pin::new(&mut self.stream).poll_write(cx, &self.unsent[self.sent..]);
            let Ok(len) = taken(ready!(written)) else { return Poll::Ready(()) };
            self.sent += len;
        }
        if ready!(Pin::new(&mut self.stream).poll_shutdown(cx)).is_err() {
            return Poll::Ready(());
        }
        loop {
            let mut into = ReadBuf::new(&mut buffers.input);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut into)) {
                Ok(()) if !into.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }

    fn run(&mut self, buffers: &mut Buffers, cx: &mut Context<'_>) -> Poll<Ending> {
        for _ in 0..ROUNDS_MAX {
            if self.session.is_finished() {
                return self.poll_linger(buffers, cx).map(|()| Ending::Closed);
            }
            match self.round(buffers, cx) {
                Ok(true) => {}
                Ok(false) if self.session.is_finished() => {}
                Ok(false) => return Poll::Pending,
                Err(ending) => return Poll::Ready(ending),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// An empty slice may still hold the buffer that it was cut from.
fn or_nothing(bytes: Bytes) -> Bytes {
    if bytes.is_empty() { Bytes::new() } else { bytes }
}

fn taken(written: io::Result<usize>) -> Result<usize, Ending> {
    match written {
        Ok(len) if len > 0 => Ok(len),
        _ => Err(Ending::Reset),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Driver<S> {
    type Output = Ending;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ending> {
        let this = self.get_mut();
        BUFFERS.with_borrow_mut(|buffers| {
            // Empty already, unless a session panicked: its events are no one else's.
            buffers.events.clear();
            buffers.letters.clear();
            this.run(buffers, cx)
        })
    }
}

impl<S> Drop for Driver<S> {
    /// However the connection ends, the shard hears of it.
    fn drop(&mut self) {
        if self.proves {
            self.node.auth.sasl_lost(self.known.peer.ip());
        }
        if let Some(spans) = &mut self.spans {
            spans.ended(&self.node.metrics);
        }
        if !self.unsent.is_empty() {
            self.node.metrics.slow_consumers.dec();
        }
        self.node.connections.remove(self.known.id);
        self.node.mailbox.push(&mut vec![Letter::Gone(self.known.id)]);
    }
}

/// What the client calls its connection: `tag=…` in the query of the URL, if it is short and plain.
fn tag_of(query: &str) -> Option<&str> {
    let tag = query.split('&').find_map(|pair| pair.strip_prefix("tag="))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    ((1..=TAG_MAX_BYTES).contains(&tag.len()) && tag.bytes().all(plain)).then_some(tag)
}
