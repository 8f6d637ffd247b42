//! AMQP 1.0 on the broker: what links ask of a session, and how a session's events become
//! transfers and dispositions. The engine knows the protocol, the shard the messages; this is the
//! mapping between the two.
//!
//! | module | what it owns |
//! |---|---|
//! | `login` | the SASL exchange, and the questions it has |
//! | `termini` | what an attach asks for, what it is answered, and refusals as error conditions |
//! | `links` | the links of the connection, by the engine's name and by the broker's |
//! | `redirect` | what is served elsewhere, and who can be sent there |
//! | `receiving` | messages from the client: credit, sequences, outcomes |
//! | `sending` | messages to the client: credit, deliveries, the client's outcomes |
//!
//! A connection is one volatile session of the broker: what is not settled when it ends goes back
//! with its count raised.

mod links;
mod login;
mod receiving;
mod redirect;
mod sending;
mod termini;

use crate::config::Config;
use crate::ending::{Close, Ending, earlier};
use crate::face::Caller;
use crate::limits::ANSWERS_MAX_BYTES;
use crate::request::Requests;
use links::Links;
pub(crate) use login::{Ended, Login};
use receiving::Receiving;
use redirect::Redirects;
use sending::Sending;
use std::sync::Arc;
use std::time::Instant;
use wharf_amqp::condition::{Condition, Error};
use wharf_amqp::engine::{
    By, Closed, Config as EngineConfig, Connection, Due as EngineDue, Event, Framing, Input, Role,
    SaslPolicy,
};
use wharf_amqp::performative::Open;
use wharf_amqp::value::Value;
use wharf_broker::{Command, SessionKey, SessionKind};
use wharf_sasl::server::{Answer, Question};
use wharf_ws::Due;

/// Subprotocol of the WebSocket binding (WSB-005, WSB-A01).
pub(crate) const SUBPROTOCOL: &str = "amqp";

/// Whether a subprotocol is AMQP: case matters (WSB-005, WSB-A01, WSB-A02).
pub(crate) fn is_subprotocol(name: &str) -> bool {
    name == SUBPROTOCOL
}

/// Capabilities of this container.
const OFFERED_CAPABILITIES: [&str; 1] = ["ANONYMOUS-RELAY"];

/// The broker's side of one AMQP connection.
#[derive(Debug)]
pub(crate) struct Face {
    config: Arc<Config>,
    engine: Connection,
    caller: Caller,
    /// The peer's container.
    container: String,
    login: Login,
    redirects: Redirects,
    links: Links,
    receiving: Receiving,
    sending: Sending,
    ending: Ending,
    /// The close code asked for by `drain`.
    drained: Option<u16>,
    scratch: Vec<u8>,
}

impl Face {
    pub(crate) fn new(
        config: Arc<Config>,
        framing: Framing,
        caller: Caller,
        mut login: Login,
    ) -> Self {
        let mechanisms: Vec<String> =
            login.mechanisms().iter().map(|mechanism| mechanism.name().to_owned()).collect();
        // WSB-020: whoever is known already may leave the SASL layer out.
        let sasl = match (&caller.user, mechanisms.is_empty()) {
            (None, _) => SaslPolicy::Required(mechanisms),
            (Some(_), true) => SaslPolicy::Absent,
            (Some(_), false) => SaslPolicy::Offered(mechanisms),
        };
        login.known(caller.user.as_deref());
        let engine = EngineConfig {
            sasl,
            max_frame_size_bytes: config.amqp.frame_size_max_bytes,
            channel_max: config.amqp.sessions_max.saturating_sub(1),
            handle_max: config.amqp.links_per_session_max.saturating_sub(1),
            idle_time_out: config.amqp.idle_time_out,
            message_size_max_bytes: config.message_size_max_bytes as u64,
            open_timeout: config.amqp.open_timeout,
            close_timeout: config.close_timeout,
            ..EngineConfig::new(Role::Acceptor, framing)
        };
        Self {
            config,
            engine: Connection::new(Arc::new(engine)),
            redirects: Redirects::new(caller.secure),
            caller,
            container: String::new(),
            login,
            links: Links::default(),
            receiving: Receiving::default(),
            sending: Sending::default(),
            ending: Ending::No,
            drained: None,
            scratch: Vec::new(),
        }
    }

    /// The payload of one binary message, or a burst of a stream.
    pub(crate) fn handle_input(&mut self, mut input: Input<'_>, commands: &mut Requests) {
        while let Some(event) = self.engine.poll_event(&mut input) {
            self.handle(event, commands);
        }
    }

    /// The burst of input is over: its memory is given back.
    pub(crate) fn end_burst(&mut self) {
        self.receiving.end_burst();
    }

    /// What the shard says.
    pub(crate) fn handle_event(&mut self, event: wharf_broker::Event, commands: &mut Requests) {
        use wharf_broker::Event as Said;
        match event {
            Said::Taken { up_to } => self.taken(up_to),
            Said::Declined { seq, reason } => self.receiving.declined(seq, reason),
            Said::Deliver(delivery) => self.deliver(delivery, commands),
            Said::Drained { consumer, .. } => self.drained(consumer),
            Said::Settled { first, last } => self.settled(first, last),
            Said::Consuming { consumer, address } => self.granted(consumer, address, commands),
            Said::Resolved { consumer, .. } | Said::Created { consumer } => {
                self.resolved(consumer);
            }
            Said::Refused { consumer, refusal, .. } => self.refused(consumer, refusal, commands),
            Said::Gone { consumer, .. } => self.gone(consumer),
            Said::Revoked => {
                let error = error(Condition::UnauthorizedAccess, "the user was removed");
                let _ = self.engine.close(Some(error));
            }
            Said::Opened
            | Said::Attached(_)
            | Said::Unknown
            | Said::Transmit { .. }
            | Said::TakenOver
            | Said::Ended => {}
        }
        self.handle_input(Input::empty(), commands);
    }

    /// What the login wants to know of the user database.
    pub(crate) fn poll_question(&mut self) -> Option<Question> {
        self.login.poll_question()
    }

    /// How the login ended, once.
    pub(crate) fn take_login(&mut self) -> Option<Ended> {
        self.login.take_ended()
    }

    /// What the user database says.
    pub(crate) fn handle_answer(&mut self, answer: Answer, commands: &mut Requests) {
        let step = self.login.answer(answer);
        self.go_on(step);
        self.handle_input(Input::empty(), commands);
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, commands: &mut Requests) {
        self.engine.handle_timeout(now);
        self.handle_input(Input::empty(), commands);
        self.ending.tick(now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Due> {
        let engine = self.engine.poll_timeout().map(|due| match due {
            EngineDue::Now => Due::Now,
            EngineDue::At(at) => Due::At(at),
        });
        earlier(engine, self.ending.due())
    }

    /// The transport is gone, however that came.
    pub(crate) fn handle_closed(&mut self, commands: &mut Requests) {
        self.engine.handle_transport_closed();
        self.handle_input(Input::empty(), commands);
        self.ending = Ending::Said;
    }

    /// Ends the connection from this side.
    pub(crate) fn drain(&mut self, code: u16) {
        self.drained = Some(code);
        let elsewhere = self.config.drained_to.as_ref();
        let redirect = elsewhere.and_then(|place| self.redirects.connection(place));
        let error = redirect
            .unwrap_or_else(|| error(Condition::ConnectionForced, "the broker is going away"));
        if self.engine.close(Some(error)).is_err() && !self.engine.is_over() {
            self.ending = Ending::Now(Close { code, reason: "" });
        }
    }

    /// How the transport is to be closed, once everything is sent.
    pub(crate) fn take_close(&mut self) -> Option<Close> {
        if self.engine.has_output() { None } else { self.ending.take() }
    }

    pub(crate) fn wants_input(&self) -> bool {
        self.receiving.has_room() && self.engine.answer_bytes() < ANSWERS_MAX_BYTES
    }

    /// Hands the next unit of output to `send`; false if there is none.
    pub(crate) fn transmit(
        &mut self,
        budget: usize,
        commands: &mut Requests,
        send: impl FnOnce(&[u8]),
    ) -> bool {
        self.scratch.clear();
        let len = self.engine.poll_transmit(&mut self.scratch, budget);
        if len > 0 {
            send(&self.scratch);
        }
        self.handle_input(Input::empty(), commands);
        if len == 0 {
            self.scratch = Vec::new();
            self.browse_on(commands);
        }
        len > 0
    }

    fn handle(&mut self, event: Event<'_>, commands: &mut Requests) {
        match event {
            Event::SaslInit(init) => {
                let step = self.login.begin(&init.mechanism, init.initial_response.as_deref());
                self.go_on(step);
            }
            Event::SaslResponse(response) => {
                let step = self.login.respond(&response);
                self.go_on(step);
            }
            Event::Opened(open) => self.open(&open, commands),
            Event::Attaching(link, attach) => self.attach(link, attach, commands),
            Event::Transferred(transferred) => self.publish(transferred, commands),
            Event::Aborted(link) => self.top_up(link),
            Event::Credit(link, credit) => self.credit(link, credit, commands),
            Event::Outcome(outcome) => self.outcome(outcome, commands),
            Event::Unsent { link, cookie } => self.unsent(link, cookie, commands),
            Event::Detached { link, closed, .. } => self.detached(link, closed, commands),
            Event::Ended { session, .. } => {
                for link in self.links.of_session(session) {
                    self.detached(link, false, commands);
                }
            }
            Event::Closed(closed) => self.closed(&closed, commands),
            // Of links and exchanges begun on this side, which are none.
            Event::SaslMechanisms(_)
            | Event::SaslChallenge(_)
            | Event::SaslOutcome(_)
            | Event::Begun(..)
            | Event::Attached(..)
            | Event::Drained(_) => {}
        }
    }

    fn go_on(&mut self, step: login::Next) {
        match step {
            login::Next::Wait => {}
            login::Next::Challenge(challenge) => {
                let _ = self.engine.sasl_challenge(challenge);
            }
            login::Next::Outcome { code, additional, user } => {
                if user.is_some() {
                    self.caller.user = user;
                }
                let _ = self.engine.sasl_outcome(code, additional);
            }
        }
    }

    // AMQP 2.4.1. The host is the one that the client names, if it is one of ours (WSB-A11).
    fn open(&mut self, open: &Open, commands: &mut Requests) {
        let answer = Open {
            offered_capabilities: OFFERED_CAPABILITIES.map(str::to_owned).to_vec(),
            properties: vec![
                ("product".to_owned(), Value::String("Wharf".to_owned())),
                ("version".to_owned(), Value::String(env!("CARGO_PKG_VERSION").to_owned())),
            ],
            ..Open::new(self.config.amqp.container_id.clone())
        };
        let _ = self.engine.open(answer);
        self.redirects.learn(open);
        let named = open.hostname.as_deref().unwrap_or_default();
        if let Some(error) = self.redirects.host(&self.config.locations, named) {
            let _ = self.engine.close(Some(error));
            return;
        }
        let known = self.config.hosts.iter().find(|host| host.eq_ignore_ascii_case(named));
        if let Some(host) = known {
            self.caller.host.clone_from(host);
        }
        let Some(user) = self.caller.user.clone() else {
            let error = error(Condition::UnauthorizedAccess, "no user");
            let _ = self.engine.close(Some(error));
            return;
        };
        self.container.clone_from(&open.container_id);
        let key = SessionKey {
            host: self.caller.host.clone(),
            user,
            origin: self.caller.origin.clone(),
            name: self.caller.name.clone(),
        };
        commands.push_back(Command::Open { key, kind: SessionKind::Volatile });
    }

    // WSB-080, WSB-081, WSB-A08: AMQP is over; the WebSocket is closed by whoever closed AMQP.
    fn closed(&mut self, closed: &Closed, commands: &mut Requests) {
        commands.push_back(Command::Detach);
        self.ending = match (closed.by, &closed.violation) {
            (By::Peer, _) if closed.clean => Ending::Wait(None),
            (_, Some(_)) => Ending::Now(Close { code: 1002, reason: "AMQP protocol error" }),
            // WSB-A12.
            _ if self.login.has_failed() => {
                Ending::Now(Close { code: 1008, reason: "the login failed" })
            }
            _ => Ending::Now(Close { code: self.drained.unwrap_or(1000), reason: "" }),
        };
    }
}

fn error(condition: Condition, description: impl Into<String>) -> Error {
    Error { condition, description: Some(description.into()), info: Vec::new() }
}
