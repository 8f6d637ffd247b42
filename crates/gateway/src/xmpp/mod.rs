//! XMPP on the broker: what a stream asks of the services of XMPP and of queues, and how a
//! session's events become stanzas. The engine knows the protocol, chat knows who is meant; this is
//! the way between them.
//!
//! | module | what it owns |
//! |---|---|
//! | `login` | hosts, redirects, the login and the questions it has |
//! | `binding` | resources, managed streams, resumption: which session a stream has |
//! | `receiving` | stanzas from the client, with their numbers |
//! | `sending` | stanzas for the client, with theirs |
//! | `stored` | messages as the services of XMPP have stored them |
//! | `queues` | queues and topics as addresses of XMPP |
//! | `ending` | how a stream ends, and its WebSocket after it |
//!
//! A bound resource is one session of the broker, and so is a managed stream: the counts of
//! XEP-0198 are the numbers of its ledger.

mod binding;
mod ending;
mod login;
mod queues;
mod receiving;
mod sending;
mod stored;

use crate::config::Config;
use crate::ending::{Close, Ending, earlier};
use crate::face::Caller;
use crate::request::Requests;
use crate::session::Offer;
use crate::untaken::Untaken;
use binding::Asked;
use bytes::BytesMut;
use login::Login;
use queues::{CONSUMER, Queues};
use sending::{Sending, Transmission};
use std::sync::Arc;
use std::time::Instant;
use wharf_broker::Event as Said;
use wharf_chat::Command;
use wharf_sasl::Mechanism;
use wharf_sasl::server::{Answer, Failure, Question};
use wharf_ws::{Due, MessageKind};
use wharf_xmpp::StreamCondition;
use wharf_xmpp::server::{Connection, Event};
use wharf_xmpp::stream::{Backlog, Due as EngineDue, Input};

pub(crate) use wharf_xmpp::SUBPROTOCOL;

/// The broker's side of one stream.
#[derive(Debug)]
pub(crate) struct Face {
    config: Arc<Config>,
    engine: Connection,
    caller: Caller,
    /// Until a resource is bound.
    login: Option<Box<Login>>,
    /// What the shard was asked for the engine, and has not answered.
    asked: Asked,
    /// Messages that came while an answer is due.
    backlog: Backlog,
    /// A binary message came behind them.
    binary_waits: bool,
    /// Number of the last stanza received, on a stream that is not managed.
    seq: u64,
    untaken: Untaken,
    arena: BytesMut,
    sending: Sending,
    /// Of a stream that has to do with queues.
    queues: Option<Box<Queues>>,
    ending: Ending,
    /// The close code asked for by `drain`.
    drained: Option<u16>,
}

impl Face {
    pub(crate) fn new(config: Arc<Config>, caller: Caller, offer: Offer, seed: [u8; 32]) -> Self {
        let stream = Arc::clone(config.xmpp.stream());
        Self {
            engine: Connection::new(stream, caller.secure, seed),
            config,
            caller,
            login: Some(Box::new(Login::new(offer))),
            asked: Asked::Nothing,
            backlog: Backlog::default(),
            binary_waits: false,
            seq: 0,
            untaken: Untaken::default(),
            arena: BytesMut::new(),
            sending: Sending::default(),
            queues: None,
            ending: Ending::No,
            drained: None,
        }
    }

    /// One WebSocket message.
    // XWS-004, XWS-010.
    pub(crate) fn handle_message(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        requests: &mut Requests,
    ) {
        if self.binary_waits {
            return;
        }
        let waits = !self.backlog.is_empty();
        match kind {
            MessageKind::Text if waits || !self.take(Input::text(payload), requests) => {
                let size_max_bytes = self.engine.kept_max_bytes();
                if !self.backlog.push(payload, size_max_bytes) {
                    self.engine.overflow();
                    self.go_on(requests);
                }
            }
            MessageKind::Binary if waits || !self.take(Input::binary(), requests) => {
                self.binary_waits = true;
            }
            MessageKind::Text | MessageKind::Binary => {}
        }
    }

    /// Gives the engine its input. False: it waits for an answer and has not read it.
    fn take(&mut self, mut input: Input<'_>, requests: &mut Requests) -> bool {
        while let Some(event) = self.engine.poll_event(&mut input) {
            self.handle(event, requests);
        }
        input.is_empty()
    }

    /// After everything that was not a message: events, and what was kept meanwhile.
    fn go_on(&mut self, requests: &mut Requests) {
        self.take(Input::empty(), requests);
        while let Some(payload) = self.backlog.pop() {
            if !self.take(Input::text(&payload), requests) {
                return self.backlog.put_back(payload);
            }
        }
        if self.binary_waits {
            self.binary_waits = !self.take(Input::binary(), requests);
        }
    }

    fn handle(&mut self, event: Event<'_>, requests: &mut Requests) {
        match event {
            Event::Opening(header) => self.open(&header),
            Event::Question(question) => self.question(question),
            Event::LoginFailed { mechanism, failure } => self.logged_in(mechanism, Err(failure)),
            Event::Authenticated(authenticated) => self.authenticated(authenticated),
            Event::Bind(request) => self.ask_to_bind(request, requests),
            Event::Enable(request) => self.ask_to_enable(request, requests),
            Event::Resume(request) => self.ask_to_resume(&request, requests),
            Event::Register(stanza) => self.register(&stanza, requests),
            Event::Stanza(received) => self.receive(&received, requests),
            Event::Handled { up_to } => requests.push_back(Command::Handled { up_to }),
            Event::Active(active) => requests.push_back(Command::Active(active)),
            Event::Closed(closed) => self.closed(&closed, requests),
        }
    }

    /// The burst of input is over: its memory is given back.
    pub(crate) fn end_burst(&mut self) {
        self.arena = BytesMut::new();
        self.untaken.end_burst();
    }

    /// What the shard says.
    pub(crate) fn handle_event(&mut self, said: Said, requests: &mut Requests) {
        match said {
            Said::Deliver(delivery) => return self.deliver(delivery),
            Said::Transmit { seq, before, body, after } => {
                let transmission = Transmission { seq, parts: [before, body, after] };
                return self.transmit_later(transmission, requests);
            }
            Said::Taken { up_to } => {
                self.untaken.settle(up_to);
                self.taken(up_to);
            }
            Said::Opened => self.opened(),
            Said::Attached(ledger) => self.attached(&ledger),
            Said::Unknown => self.unknown(),
            Said::Refused { consumer: CONSUMER, address, refusal } => {
                self.consumer_refused(&address, refusal, requests);
            }
            Said::Refused { .. } => self.refused(),
            Said::Consuming { address, .. } => self.tell_presence(&address, true, requests),
            Said::Gone { address, .. } => self.tell_presence(&address, false, requests),
            // RFC 6120 7.7.2.2.
            Said::TakenOver => self.end_with(StreamCondition::Conflict, "bound by another client"),
            Said::Revoked => self.end_with(StreamCondition::NotAuthorized, "the user was removed"),
            Said::Declined { .. }
            | Said::Drained { .. }
            | Said::Settled { .. }
            | Said::Resolved { .. }
            | Said::Created { .. }
            | Said::Ended => {}
        }
        self.go_on(requests);
    }

    /// What the login wants to know of the user database.
    pub(crate) fn poll_question(&mut self) -> Option<Question> {
        self.login.as_mut()?.poll_question()
    }

    /// What the user database says.
    pub(crate) fn handle_answer(&mut self, answer: Answer, requests: &mut Requests) {
        self.answered(answer);
        self.go_on(requests);
    }

    /// How a login ended, once.
    pub(crate) fn take_login(&mut self) -> Option<(Mechanism, Result<(), Failure>)> {
        self.login.as_mut()?.take_ended()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, requests: &mut Requests) {
        self.engine.handle_timeout(now);
        self.go_on(requests);
        self.ending.tick(now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Due> {
        let engine = self.engine.poll_timeout().map(|due| match due {
            EngineDue::Now => Due::Now,
            EngineDue::At(at) => Due::At(at),
        });
        earlier(engine, self.ending.due())
    }

    /// The WebSocket is gone, however that came.
    // XWS-054, XWS-055.
    pub(crate) fn handle_closed(&mut self, requests: &mut Requests) {
        self.engine.handle_transport_closed();
        self.go_on(requests);
        self.ending = Ending::Said;
    }

    /// How the WebSocket is to be closed, once everything is sent.
    pub(crate) fn take_close(&mut self) -> Option<Close> {
        if self.engine.pending_bytes() > 0 { None } else { self.ending.take() }
    }

    /// Back-pressure: whether more messages may be read.
    pub(crate) fn wants_input(&self) -> bool {
        self.engine.wants_input() && self.untaken.has_room() && self.sending.has_room()
    }
}
