//! One connection after its handshake: receiving, sending, closing and time, put together.

use std::time::Instant;

use crate::close::{self, CloseBody, CloseCode, REASON_MAX_BYTES};
use crate::deflate::StreamIn;
use crate::event::{Closed, ClosedBy, Event, MessageKind, Payload};
use crate::handshake::{Agreement, Compression};
use crate::header::Opcode;
use crate::input::Input;
use crate::limits::{CONTROL_FRAME_MAX_BYTES, CONTROL_MAX_BYTES, Config};
use crate::misuse::Misuse;
use crate::recv::{Received, Receiver};
use crate::send::Sender;
use crate::timers::{Due, Expired, Timers};
use crate::violation::Violation;

/// Which side of the connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Masks what it sends, and waits for the server to close the transport.
    Client,
    /// Accepts masked frames only, and closes the transport first.
    Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Our Close is sent or queued, the peer's has not come.
    Closing,
    /// Nothing more is received: both Closes, or a failure.
    Closed,
}

/// Control frames waiting for the next [`Connection::poll_transmit`]; at most one of each kind,
/// so a peer that sends Pings without end costs 125 octets.
#[derive(Debug, Default)]
struct Pending {
    pong: Option<Vec<u8>>,
    ping: Option<Vec<u8>>,
    close: Option<Vec<u8>>,
}

/// A WebSocket connection as a machine without IO. The crate's page shows how it is driven.
#[derive(Debug)]
pub struct Connection {
    role: Role,
    state: State,
    /// The connection was failed; there is no closing handshake to wait for.
    failed: bool,
    /// The transport has nothing more to give.
    finished: bool,
    /// The last event, until it is told.
    closed: Option<Box<Closed>>,
    pending: Pending,
    receiver: Receiver,
    sender: Sender,
    stream: Option<Box<StreamIn>>,
    timers: Timers,
}

impl Connection {
    /// A connection whose handshake ended in `agreement`.
    ///
    /// A client's masking keys are drawn from `seed`, which must come from strong entropy and be
    /// used once (WS-MK-05); a server ignores it.
    #[must_use]
    pub fn new(role: Role, config: &Config, agreement: &Agreement, seed: [u8; 32]) -> Connection {
        let streamed = agreement.compression == Compression::Stream;
        Connection {
            role,
            state: State::Open,
            failed: false,
            finished: false,
            closed: None,
            pending: Pending::default(),
            receiver: Receiver::new(role, config, agreement),
            sender: Sender::new(role, config, agreement, seed),
            stream: streamed.then(|| Box::new(StreamIn::new())),
            timers: Timers::new(config),
        }
    }

    /// The next event in `input`; `None` when all of it is consumed.
    ///
    /// Call it until then before the buffer is used again: the beginning of a frame that is not
    /// complete is kept inside, and [`Self::reclaim`] may bring it back into the buffer.
    #[inline]
    pub fn poll_event<'b>(&mut self, input: &mut Input<'b>) -> Option<Event<'b>> {
        if !input.is_empty() {
            self.timers.heard = true;
        }
        while self.state != State::Closed {
            let received = match &mut self.stream {
                None => self.receiver.poll(input),
                Some(stream) => poll_stream(stream, &mut self.receiver, input),
            };
            match received {
                Ok(Some(Received::Message { kind, payload })) => {
                    return Some(Event::Message { kind, payload });
                }
                Ok(Some(Received::Ping(payload))) => {
                    // WS-CT-02, WS-CT-03, HYBI-049, HYBI-066: the same octets, and only the
                    // latest Ping's.
                    self.pending.pong = Some(payload.to_vec());
                    return Some(Event::Ping(payload));
                }
                // WS-CT-04.
                Ok(Some(Received::Pong(payload))) => return Some(Event::Pong(payload)),
                Ok(Some(Received::Close(body))) => self.handle_close(body),
                Ok(None) => return None,
                Err(violation) => self.fail(violation),
            }
        }
        // WS-CL-05: no further data of the peer is processed.
        input.discard();
        self.closed.take().map(|closed| Event::Closed(*closed))
    }

    /// Moves the beginning of an incomplete frame to the head of `buf` and returns its size in
    /// octets; 0 when there is nothing to gain, or no room for [`Self::reclaimable_bytes`].
    ///
    /// The next [`Input`] must begin with these octets, followed by what is read: the frame is
    /// then completed in place. If nothing is read, hand them in alone, and they are kept again.
    ///
    /// Never required: without it the engine completes the frame on the heap.
    #[must_use = "the next input must begin with so many octets of the buffer"]
    pub fn reclaim(&mut self, buf: &mut [u8]) -> usize {
        if self.reclaimable_bytes() == 0 { 0 } else { self.receiver.reclaim(buf) }
    }

    /// How many octets [`Self::reclaim`] would move now. A driver that reads behind this much room
    /// can reclaim after the read, and so only when there was something to read.
    #[must_use]
    pub fn reclaimable_bytes(&self) -> usize {
        if self.state == State::Closed || self.stream.is_some() {
            return 0;
        }
        self.receiver.reclaimable_bytes()
    }

    /// Appends queued control frames to `out`, at most `budget` octets of them, and returns how
    /// many octets that was. 0: nothing is queued, or `budget` is too small for a whole frame
    /// ([`CONTROL_FRAME_MAX_BYTES`] never is).
    ///
    /// Call it when a burst is used up, and after [`Event::Ping`] to answer every Ping: those that
    /// come before the next call share one Pong, to the last of them (WS-CT-03). Control frames go
    /// between the fragments of a message, never behind them (WS-FG-06).
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>, budget: usize) -> usize {
        let start = out.len();
        let queued = [
            (&mut self.pending.pong, Opcode::Pong),
            (&mut self.pending.ping, Opcode::Ping),
            (&mut self.pending.close, Opcode::Close),
        ];
        for (payload, opcode) in queued {
            let used = out.len().saturating_sub(start);
            let Some(size) = payload.as_ref().map(Vec::len) else { continue };
            let frame = size.saturating_add(CONTROL_FRAME_MAX_BYTES - CONTROL_MAX_BYTES);
            if frame > budget.saturating_sub(used) {
                break;
            }
            self.sender.control(opcode, &payload.take().unwrap_or_default(), out);
        }
        self.receiver.trim();
        self.sender.trim();
        out.len().saturating_sub(start)
    }

    /// Appends one message, gathered from `parts`, to `out`: header, compression if it was agreed
    /// and is worth it, masking if this is a client.
    ///
    /// # Errors
    /// After a Close, inside a fragmented message, and for text that is not UTF-8.
    #[inline]
    pub fn send(
        &mut self,
        kind: MessageKind,
        parts: &[&[u8]],
        out: &mut Vec<u8>,
    ) -> Result<(), Misuse> {
        self.may_send()?;
        self.answer_ping(out);
        self.sender.message(kind, parts, out)
    }

    /// Begins a message whose size is not known yet; [`Self::send_fragment`] carries it on.
    ///
    /// # Errors
    /// After a Close, and inside another fragmented message.
    pub fn begin_message(&mut self, kind: MessageKind) -> Result<(), Misuse> {
        self.may_send()?;
        self.sender.begin(kind)
    }

    /// Appends the next fragment of the message begun, in one frame; the message ends with `last`.
    ///
    /// # Errors
    /// After a Close, without [`Self::begin_message`], and for text that cannot be UTF-8.
    pub fn send_fragment(
        &mut self,
        parts: &[&[u8]],
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Misuse> {
        self.may_send()?;
        self.answer_ping(out);
        self.sender.fragment(parts, last, out)
    }

    /// Queues a Ping (WS-CT-05); it replaces one that is still queued.
    ///
    /// # Errors
    /// After a Close, and for a payload of more than 125 octets.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Misuse> {
        self.may_send()?;
        if payload.len() > CONTROL_MAX_BYTES {
            return Err(Misuse::PingTooLong);
        }
        self.pending.ping = Some(payload.to_vec());
        Ok(())
    }

    /// Begins the closing handshake (WS-CL-01). Servers may whenever they wish; a client should
    /// have a reason (WS-CL-11).
    /// [`CloseCode::NO_CODE`] sends an empty Close.
    ///
    /// Versions 6 to 8 are sent what [`CloseCode::for_version`] makes of the code. Messages of
    /// the peer are still received until its Close comes.
    ///
    /// # Errors
    /// After a Close, for codes this side may not send, and for reasons that do not fit.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Misuse> {
        self.may_send()?;
        let code = Some(code).filter(|code| *code != CloseCode::NO_CODE);
        if let Some(code) = code.filter(|code| !code.may_be_sent_by(self.role)) {
            return Err(Misuse::CloseCode(code.number()));
        }
        // WS-CT-06.
        if reason.len() > REASON_MAX_BYTES || (code.is_none() && !reason.is_empty()) {
            return Err(Misuse::CloseReason);
        }
        self.queue_close(code, reason);
        self.state = State::Closing;
        self.timers.start_close();
        self.timers.stop_keepalive();
        Ok(())
    }

    /// The transport has ended: nothing more will be read.
    pub fn handle_eof(&mut self) {
        if self.state != State::Closed {
            // WS-CL-03, WS-CL-06: without a Close, the code is 1006.
            self.end(ClosedBy::Transport, None);
        }
        self.finish();
    }

    /// Time has come to `now`. Call it once after [`Self::new`], and whenever
    /// [`Self::poll_timeout`] says so; then poll for events and for what is to be sent.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.timers.expire(now) {
            None => {}
            Some(Expired::Ping) => self.pending.ping = Some(Vec::new()),
            Some(Expired::Silence) => {
                self.end(ClosedBy::PongTimeout, None);
                self.finish();
            }
            Some(Expired::Close) => {
                if self.state != State::Closed {
                    self.end(ClosedBy::CloseTimeout, None);
                }
                self.finish();
            }
        }
    }

    /// When [`Self::handle_timeout`] is to be called; `None`: no deadline is running.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Due> {
        self.timers.due()
    }

    /// Whether to close the sending direction of the transport once everything is flushed.
    ///
    /// Go on reading (and handing in what is read, which is discarded) until the peer does the
    /// same or [`Self::is_finished`]: a transport that is closed with unread input may lose the
    /// Close before the peer has seen it.
    ///
    /// WS-CT-09, WS-A02, WS-CL-02: at once for a server, which so keeps the TIME_WAIT; a client waits for
    /// its server, but not forever. HYBI-074: the same in versions 6 to 8.
    #[must_use]
    pub fn should_close_transport(&self) -> bool {
        match self.role {
            Role::Server => self.state == State::Closed,
            Role::Client => self.failed || self.finished,
        }
    }

    /// Whether the transport is of no more use, whatever is still unsent.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether messages can be sent: no Close has gone either way.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Which side this is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// WS-FR-07, WS-CT-08: nothing but control frames after a Close.
    #[inline]
    fn may_send(&self) -> Result<(), Misuse> {
        if self.state == State::Open { Ok(()) } else { Err(Misuse::Closed) }
    }

    /// WS-CT-02: promptly, and so never behind data that came into being later.
    #[inline]
    fn answer_ping(&mut self, out: &mut Vec<u8>) {
        if let Some(payload) = self.pending.pong.take() {
            self.sender.control(Opcode::Pong, &payload, out);
        }
    }

    fn queue_close(&mut self, code: Option<CloseCode>, reason: &str) {
        // HYBI-072.
        let code = code.map(|code| code.for_version(self.receiver.version()));
        self.pending.close = Some(close::body(code, reason));
    }

    fn handle_close(&mut self, body: CloseBody) {
        let by = if self.state == State::Open {
            // WS-CT-07, WS-A04: the code is echoed, the reason need not be.
            self.pending.close = Some(close::body(body.code, ""));
            ClosedBy::Peer
        } else {
            ClosedBy::Us
        };
        self.end(by, Some(body));
        self.timers.start_close();
    }

    /// WS-CL-05: a Close that says why, unless one is on its way already.
    fn fail(&mut self, violation: Violation) {
        if self.state == State::Open {
            self.queue_close(Some(violation.close_code()), "");
        }
        self.failed = true;
        self.end(ClosedBy::Violation(violation), None);
        self.timers.start_close();
    }

    fn end(&mut self, by: ClosedBy, close: Option<CloseBody>) {
        let clean = close.is_some();
        // WS-CL-03, HYBI-075: 1005 for a Close without a code, 1006 for no Close.
        let (code, reason) = match close {
            Some(close) => (close.code.unwrap_or(CloseCode::NO_CODE), close.reason),
            None => (CloseCode::ABNORMAL, String::new()),
        };
        self.state = State::Closed;
        self.receiver.discard();
        self.closed = Some(Box::new(Closed { by, code, reason, clean }));
        self.timers.stop_keepalive();
    }

    fn finish(&mut self) {
        self.finished = true;
        self.timers.stop();
    }
}

/// HYBI-090: takes frames from what the stream inflates to. They are not in the caller's buffer,
/// so nothing is lent.
fn poll_stream<'b>(
    stream: &mut StreamIn,
    receiver: &mut Receiver,
    input: &mut Input<'_>,
) -> Result<Option<Received<'b>>, Violation> {
    loop {
        let mut plain = stream.refill(input)?;
        let mut inner = Input::new(plain.bytes.get_mut(plain.used..).unwrap_or_default());
        let was_empty = inner.is_empty();
        let received = receiver.poll(&mut inner).map(|it| it.map(Received::into_owned));
        let left = inner.len();
        plain.used = plain.bytes.len().saturating_sub(left);
        stream.put_back(plain);
        match received {
            Ok(None) if was_empty && input.is_empty() => return Ok(None),
            Ok(None) => {}
            done => return done,
        }
    }
}

impl Received<'_> {
    fn into_owned<'b>(self) -> Received<'b> {
        let owned = |payload: Payload<'_>| Payload::Owned(payload.into_vec());
        match self {
            Received::Message { kind, payload } => {
                Received::Message { kind, payload: owned(payload) }
            }
            Received::Ping(payload) => Received::Ping(owned(payload)),
            Received::Pong(payload) => Received::Pong(owned(payload)),
            Received::Close(body) => Received::Close(body),
        }
    }
}
