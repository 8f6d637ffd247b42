//! One connection: the protocol engine, and everybody who waits for it. It outlives the sessions
//! that it is driven on.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::Duration;

use wharf_mbws::client::{Connection, Event, SendRefused};
use wharf_mbws::{Flavour, Kind, Message as Received, MessageSink};
use wharf_ws::tokio::{Handler, Outbox};
use wharf_ws::{CloseCode, Closed, MessageKind, Payload};

use crate::acks::Acks;
use crate::channels::{Channels, Control, Decision, Outgoing, Reply, Ticket, What, Wish};
use crate::closing::Closing;
use crate::delivery::Facts;
use crate::driver::{Conversation, lost_because};
use crate::net::Security;
use crate::{Delivery, Error, Message, State};

/// A message to this address asks the broker for deliveries.
const CONSUME_ADDRESS: &str = "wharf/consume";

/// Messages wait while more octets than this are unsent: the window holds enough to keep the
/// transport busy.
const UNSENT_MAX_BYTES: usize = 256 * 1024;

/// Most deliveries that the application may hold. No broker grants that much credit; this bounds
/// what one that ignores credit can do.
const HELD_MAX: u64 = 1 << 17;

/// A message on its way to the engine.
#[derive(Debug)]
struct Waiting {
    message: Message,
    reply: Option<Reply>,
    /// Part of what the client is, such as a wish to consume: said again on every new connection.
    standing: bool,
}

impl From<Outgoing> for Waiting {
    fn from(outgoing: Outgoing) -> Self {
        let (message, standing) = match outgoing.what {
            What::Message(message) => (message, false),
            What::Consume(wish) => (wish_message(wish), true),
        };
        Waiting { message, reply: Some(outgoing.reply), standing }
    }
}

// MBWS-A25
fn wish_message(wish: Wish) -> Message {
    let mut message = Message::text(CONSUME_ADDRESS, "");
    message = message.with_property("credit", wish.credit.to_string());
    if let Some(subscription) = wish.subscription {
        message = message.with_property("subscription", subscription);
    }
    for address in wish.addresses {
        message = message.with_property("address", address);
    }
    message
}

fn received(kind: Kind, received: &Received<'_>) -> Message {
    let content = &received.content;
    let properties = content.properties().map(|(name, value)| (name.into(), value.into()));
    Message {
        addresses: received.addresses.iter().map(str::to_owned).collect(),
        kind,
        content_type: content.content_type().to_owned(),
        properties: properties.collect(),
        body: content.body().to_vec(),
    }
}

/// A message that the broker has not acknowledged.
#[derive(Debug)]
struct Unacknowledged {
    seq: u64,
    reply: Option<Reply>,
    standing: bool,
}

#[derive(Debug)]
pub(crate) struct Core {
    engine: Connection,
    flavour: Flavour,
    channels: Channels,
    /// Taken from the channel and not accepted by the engine yet.
    waiting: VecDeque<Waiting>,
    unacknowledged: VecDeque<Unacknowledged>,
    standing: Vec<Message>,
    acks: Acks,
    /// Counts connections: deliveries of an earlier one are nobody's business now.
    generation: u64,
    recovered: u64,
    closing: Closing,
    close_timeout: Duration,
    /// Why this side failed the session.
    failure: Option<Error>,
    /// Something new was delivered or acknowledged on this session.
    progress: bool,
}

impl Core {
    pub(crate) fn new(
        options: wharf_mbws::client::Options,
        close_timeout: Duration,
        channels: Channels,
    ) -> Self {
        Core {
            engine: Connection::new(options),
            flavour: options.flavour,
            channels,
            waiting: VecDeque::new(),
            unacknowledged: VecDeque::new(),
            standing: Vec::new(),
            acks: Acks::default(),
            generation: 0,
            recovered: 0,
            closing: Closing::No,
            close_timeout,
            failure: None,
            progress: false,
        }
    }
}

impl Conversation for Core {
    type Session<'c> = Session<'c>;

    fn session(&mut self, _security: Security) -> Result<Session<'_>, Error> {
        Ok(Session { core: self, greeted: false })
    }

    fn take_progress(&mut self) -> bool {
        std::mem::take(&mut self.progress)
    }

    fn session_lost(&mut self, closed: Closed) -> Result<Error, Error> {
        self.engine.session_lost();
        if self.flavour == Flavour::Light {
            // MBWS-064: the connection ends with its session.
            self.forget_deliveries();
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.closing.has_said() {
            return Err(Error::Closed);
        }
        lost_because(closed)
    }

    fn set_state(&self, state: State) {
        self.channels.set_state(state);
    }

    fn end(self, why: Error) {
        let sent = self.unacknowledged.into_iter().filter_map(|waiter| waiter.reply);
        let unsent = self.waiting.into_iter().filter_map(|waiting| waiting.reply);
        self.channels.end(why, sent, unsent);
    }

    fn poll_without_session(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_controls(cx, &mut Nowhere);
        self.closing.poll_due(cx)
    }
}

impl Core {
    fn greet(&mut self, sink: &mut impl MessageSink) {
        // MBWS-040: recover what can be recovered.
        let asked = match self.engine.name() {
            Some(_) => self.engine.reconnect(sink),
            None => self.engine.connect(sink),
        };
        debug_assert_eq!(asked, Ok(()), "a fresh session");
        if self.flavour == Flavour::Light {
            self.begin();
        }
    }

    /// A new connection: it knows nothing of what the client wants.
    fn begin(&mut self) {
        self.forget_deliveries();
        for message in self.standing.drain(..).rev() {
            self.waiting.push_front(Waiting { message, reply: None, standing: true });
        }
        self.set_state(State::Open { recovered: self.recovered });
    }

    /// What the application holds belongs to a connection that is gone.
    fn forget_deliveries(&mut self) {
        self.generation = self.generation.saturating_add(1);
        self.acks = Acks::default();
    }

    fn handle_event(&mut self, event: Event<'_>, sink: &mut Sink<'_, '_>) {
        match event {
            Event::Opened { .. } => self.begin(),
            Event::Resumed { acknowledged, .. } => {
                self.settle(acknowledged);
                self.recovered = self.recovered.saturating_add(1);
                self.set_state(State::Open { recovered: self.recovered });
            }
            Event::Refused { .. } => {
                for waiter in self.unacknowledged.drain(..) {
                    let told = if waiter.standing { Ok(()) } else { Err(Error::Uncertain) };
                    waiter.reply.map(|reply| reply.send(told));
                }
                self.begin();
            }
            Event::Delivered { seq, kind, message } => {
                self.progress = true;
                let generation = self.generation;
                let ticket = Ticket { generation, seq, link: 0, settled: false };
                // Without handles there is nobody to deliver to.
                if let Some(reports) = self.channels.reports.upgrade() {
                    let message = received(kind, &message);
                    let delivery = Delivery::new(message, ticket, Facts::default(), reports);
                    let _ = self.channels.deliveries.send(delivery);
                }
                if seq.saturating_sub(self.acks.up_to()) > HELD_MAX {
                    self.fail(CloseCode::POLICY, "more deliveries than credit", sink);
                }
            }
            Event::Acknowledged { up_to } => self.settle(up_to),
            Event::Repeated { .. } | Event::Ignored => {}
            Event::Violated(violation) => {
                let code = CloseCode::new(violation.close_code());
                self.fail(code, violation.reason(), sink);
            }
        }
    }

    fn fail(&mut self, code: CloseCode, reason: &'static str, sink: &mut Sink<'_, '_>) {
        self.failure.get_or_insert(Error::Protocol(reason));
        // Refused only if a Close is on its way already.
        let _ = sink.0.close(code, reason);
    }

    /// The broker has taken responsibility for everything up to `up_to`.
    fn settle(&mut self, up_to: u64) {
        while let Some(waiter) = self.unacknowledged.pop_front_if(|waiter| waiter.seq <= up_to) {
            self.progress = true;
            waiter.reply.map(|reply| reply.send(Ok(())));
        }
    }

    fn poll_controls(&mut self, cx: &mut Context<'_>, sink: &mut impl MessageSink) {
        let mut close = false;
        while let Poll::Ready(control) = self.channels.controls.poll_recv(cx) {
            match control {
                Some(Control::Decide(ticket, Decision::Accepted))
                    if ticket.generation == self.generation =>
                {
                    self.acks.take(ticket.seq);
                }
                // Of an earlier connection; other outcomes are not given to the application.
                Some(Control::Decide(..)) => {}
                Some(Control::Close) => close = true,
                None => {
                    close = true;
                    break;
                }
            }
        }
        // Once for all of them; the engine knows what is new.
        let told = self.engine.acknowledge(self.acks.up_to(), sink);
        debug_assert_eq!(told, Ok(()), "only deliveries are acknowledged");
        if close {
            self.channels.sends.close();
            self.closing.begin(self.close_timeout);
        }
    }

    /// Hands messages to the engine while it and the transport take them. `true` if no message is
    /// left and none will come.
    fn poll_sends(&mut self, cx: &mut Context<'_>, sink: &mut Sink<'_, '_>) -> bool {
        while self.engine.is_open() && sink.0.unsent_bytes() < UNSENT_MAX_BYTES {
            let next = match self.waiting.pop_front() {
                Some(next) => next,
                None => match self.channels.sends.poll_recv(cx) {
                    Poll::Ready(Some(next)) => Waiting::from(next),
                    Poll::Ready(None) => return true,
                    Poll::Pending => return false,
                },
            };
            if let Some(next) = self.send(next, sink) {
                self.waiting.push_front(next);
                return false;
            }
        }
        false
    }

    /// Hands over one message; gives it back if the window is full.
    fn send(&mut self, next: Waiting, sink: &mut impl MessageSink) -> Option<Waiting> {
        let Message { addresses, kind, content_type, properties, body } = &next.message;
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let properties = properties.iter().map(|(name, value)| (&**name, &**value));
        let sent = self.engine.send(*kind, &addresses, content_type, properties, body, sink);
        let refused = match sent {
            Ok(seq) => {
                let Waiting { message, reply, standing } = next;
                if standing {
                    self.standing.push(message);
                }
                if self.flavour == Flavour::Light {
                    reply.map(|reply| reply.send(Ok(())));
                } else {
                    self.unacknowledged.push_back(Unacknowledged { seq, reply, standing });
                }
                return None;
            }
            Err(SendRefused::WindowFull) => return Some(next),
            Err(SendRefused::NotRepresentable) => Error::NotText,
            Err(SendRefused::NotConnected) => Error::NotConnected,
            Err(SendRefused::SequenceExhausted) => Error::Closed,
        };
        next.reply.map(|reply| reply.send(Err(refused)));
        None
    }

    // MBWS-A10: a normal close forgets what is not acknowledged, so it waits for that.
    fn poll_close(&mut self, cx: &mut Context<'_>, drained: bool, out: &mut Outbox<'_>) {
        let settled = drained && self.unacknowledged.is_empty();
        let draining = matches!(self.closing, Closing::Draining(_));
        if draining && settled || self.closing.poll_due(cx).is_ready() {
            let _ = out.close(CloseCode::NORMAL, "");
            self.closing = Closing::Said;
        }
    }
}

/// Drives a [`Core`] on one WebSocket session.
#[derive(Debug)]
pub(crate) struct Session<'c> {
    core: &'c mut Core,
    greeted: bool,
}

impl Handler for Session<'_> {
    fn message(&mut self, kind: MessageKind, payload: Payload<'_>, out: &mut Outbox<'_>) {
        let kind = match kind {
            MessageKind::Text => Kind::Text,
            MessageKind::Binary => Kind::Binary,
        };
        if self.core.failure.is_none() {
            let mut sink = Sink(out);
            let event = self.core.engine.handle_message(kind, &payload, &mut sink);
            self.core.handle_event(event, &mut sink);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, out: &mut Outbox<'_>) {
        let mut sink = Sink(out);
        if !self.greeted {
            self.greeted = true;
            self.core.greet(&mut sink);
        }
        self.core.poll_controls(cx, &mut sink);
        let drained = self.core.poll_sends(cx, &mut sink);
        self.core.poll_close(cx, drained, out);
    }
}

/// To the transport.
struct Sink<'a, 'o>(&'a mut Outbox<'o>);

impl MessageSink for Sink<'_, '_> {
    fn message(&mut self, kind: Kind, parts: &[&[u8]]) {
        let kind = match kind {
            Kind::Text => MessageKind::Text,
            Kind::Binary => MessageKind::Binary,
        };
        // Refused only after a Close; what matters is in the window.
        let _ = self.0.send_parts(kind, parts);
    }
}

/// While there is no session the engine says nothing.
struct Nowhere;

impl MessageSink for Nowhere {
    fn message(&mut self, _kind: Kind, _parts: &[&[u8]]) {}
}
