//! One connection of the broker in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use wharf_amqp::codec::Composite;
use wharf_amqp::engine::{
    AttachAnswer, Config, Connection, Due, Event, Framing, Input, LinkId, OutgoingDelivery,
    Role as Side, SaslPolicy, Transferred,
};
use wharf_amqp::messaging::{AnnotationKey, BodyKind, Header, Sections, TargetArchetype};
use wharf_amqp::performative::{Attach, Open, Role, SenderSettleMode};
use wharf_amqp::sasl_frame::Code;
use wharf_amqp::tag::Tag;
use wharf_amqp::value::Value;
use wharf_sasl::server::{Answer, Exchange, Question, Settings, Step};
use wharf_sasl::{Mechanism, Nonce, ScramKeys};

use super::{State, Stored};

pub(super) struct Face {
    engine: Connection,
    exchange: Option<Exchange>,
    producers: BTreeMap<LinkId, String>,
    consumers: BTreeMap<LinkId, Consumer>,
    /// Deliveries without an outcome, by cookie.
    unsettled: BTreeMap<u64, (String, u32, Vec<u8>)>,
    cookies: u64,
    pub(super) broken: bool,
    left: bool,
    clean: bool,
}

struct Consumer {
    address: String,
    limit: u64,
    sent: u64,
    settled: bool,
}

impl Face {
    pub(super) fn new(framing: Framing, state: &State) -> Self {
        let mechanisms = state.mechanisms.iter().map(|&name| name.to_owned()).collect();
        let config = Config {
            sasl: SaslPolicy::Required(mechanisms),
            message_size_max_bytes: 64 << 20,
            ..Config::new(Side::Acceptor, framing)
        };
        Face {
            engine: Connection::new(Arc::new(config)),
            exchange: None,
            producers: BTreeMap::new(),
            consumers: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            cookies: 0,
            broken: false,
            left: false,
            clean: false,
        }
    }

    pub(super) fn transmit(&mut self) -> Option<Vec<u8>> {
        while self.engine.poll_timeout() == Some(Due::Now) {
            self.engine.handle_timeout(Instant::now());
        }
        let mut unit = Vec::new();
        (self.engine.poll_transmit(&mut unit, 64 << 10) > 0).then_some(unit)
    }

    pub(super) fn is_over(&self) -> bool {
        self.engine.is_over()
    }

    /// What was not settled goes back.
    pub(super) fn leave(&mut self, state: &mut State) {
        if !std::mem::replace(&mut self.left, true) {
            state.closes += usize::from(self.clean);
            for (address, count, payload) in std::mem::take(&mut self.unsettled).into_values().rev()
            {
                state.queues.entry(address).or_default().push_front((count + 1, payload));
            }
        }
    }

    pub(super) fn handle(&mut self, state: &mut State, mut input: Input<'_>) {
        while let Some(event) = self.engine.poll_event(&mut input) {
            self.handle_event(state, event);
            if self.broken {
                return;
            }
        }
    }

    fn handle_event(&mut self, state: &mut State, event: Event<'_>) {
        match event {
            Event::SaslInit(init) => {
                let mechanism = Mechanism::from_name(&init.mechanism).unwrap();
                state.logins.push((init.mechanism, init.hostname));
                let settings = Settings::new(Nonce::from_seed(&[9; 32]), [7; 32]);
                let mut exchange = Exchange::new(mechanism, settings);
                let step = exchange.step(init.initial_response.as_deref());
                self.exchange = Some(exchange);
                self.go_on(step);
            }
            Event::SaslResponse(response) => {
                let step = self.exchange.as_mut().unwrap().step(Some(&response));
                self.go_on(step);
            }
            Event::Opened(open) => {
                state.opens.push(*open);
                self.engine.open(Open::new("peer")).unwrap();
                if let Some(error) = &state.close_with {
                    self.engine.close(Some(error.clone())).unwrap();
                }
            }
            Event::Attaching(link, attach) => self.attach(state, link, &attach),
            Event::Transferred(transferred) => self.take(state, &transferred),
            Event::Credit(link, credit) => {
                self.consumers.get_mut(&link).unwrap().limit = credit.limit;
            }
            Event::Outcome(outcome) => {
                for cookie in outcome.first..=outcome.last {
                    if let Some((address, ..)) = self.unsettled.remove(&cookie) {
                        state.outcomes.push((address, outcome.state.clone().unwrap()));
                    }
                }
            }
            Event::Detached { link, .. } => {
                self.consumers.remove(&link);
                self.producers.remove(&link);
            }
            Event::Closed(closed) => self.clean = closed.clean && closed.error.is_none(),
            Event::Begun(..) | Event::Ended { .. } | Event::Unsent { .. } | Event::Drained(_) => {}
            other => panic!("{other:?}"),
        }
    }

    fn go_on(&mut self, mut step: Step) {
        loop {
            match step {
                Step::Challenge(challenge) => {
                    return self.engine.sasl_challenge(challenge).unwrap();
                }
                Step::Ask(question) => {
                    step = self.exchange.as_mut().unwrap().answer(answer(question)).unwrap();
                }
                Step::Done(done) => {
                    return self.engine.sasl_outcome(Code::Ok, done.additional).unwrap();
                }
                Step::Failed(_) => return self.engine.sasl_outcome(Code::Auth, None).unwrap(),
            }
        }
    }

    fn attach(&mut self, state: &mut State, link: LinkId, attach: &Attach) {
        state.attaches.push(attach.clone());
        let address = match (attach.role, &attach.target, &attach.source) {
            (Role::Sender, Some(TargetArchetype::Target(target)), _) => target.address.clone(),
            (Role::Receiver, _, Some(source)) => source.address.clone(),
            other => panic!("{other:?}"),
        };
        let address = address.unwrap();
        if let Some(error) = state.refuse.get(&address) {
            return self.engine.refuse_attach(link, attach, error.clone()).unwrap();
        }
        let answer = AttachAnswer {
            source: attach.source.clone(),
            target: attach.target.clone(),
            message_size_max_bytes: state.message_size_max_bytes,
            ..AttachAnswer::default()
        };
        self.engine.accept_attach(link, answer).unwrap();
        if attach.role == Role::Sender {
            self.engine.grant(link, state.credit, false).unwrap();
            self.producers.insert(link, address);
        } else {
            let settled = attach.snd_settle_mode == SenderSettleMode::Settled;
            self.consumers.insert(link, Consumer { address, limit: 0, sent: 0, settled });
        }
    }

    fn take(&mut self, state: &mut State, transferred: &Transferred<'_>) {
        if let Some(dice) = &mut state.accidents
            && dice.below(40) == 0
        {
            // Some before the message is stored, some after.
            self.broken = true;
            if dice.below(2) == 0 {
                return;
            }
        }
        let address = self.producers[&transferred.link].clone();
        let payload = transferred.payload.to_vec();
        let sections = Sections::scan(&payload).unwrap();
        let annotations = sections.decode_message_annotations(&payload).unwrap();
        let again = AnnotationKey::from("x-opt-wharf-sent-again");
        let body = sections.body.unwrap();
        let body = match body.kind {
            BodyKind::Value => body.value(&payload).unwrap().as_str().unwrap().to_owned(),
            _ => String::from_utf8(body.data(&payload).next().unwrap().unwrap().to_vec()).unwrap(),
        };
        state.stored.push(Stored {
            address: address.clone(),
            body,
            again: annotations.contains(&(again, Value::Bool(true))),
            settled: transferred.settled,
        });
        state.queues.entry(address).or_default().push_back((0, payload));
        if let Some(outcome) = state.outcome.clone().filter(|_| !transferred.settled) {
            let (session, id) = (transferred.link.session, transferred.delivery_id);
            self.engine.dispose(session, id, id, true, outcome).unwrap();
        }
        if self.engine.credit(transferred.link) <= state.credit / 2 && state.outcome.is_some() {
            self.engine.grant(transferred.link, state.credit, false).unwrap();
        }
    }

    /// Hands out what there is, as far as consumers want it.
    pub(super) fn dispatch(&mut self, state: &mut State) {
        for (link, consumer) in &mut self.consumers {
            let queue = state.queues.entry(consumer.address.clone()).or_default();
            while consumer.sent < consumer.limit
                && let Some((count, message)) = queue.pop_front()
            {
                self.cookies += 1;
                let delivery = OutgoingDelivery {
                    cookie: self.cookies,
                    tag: Tag::from(self.cookies),
                    message_format: 0,
                    settled: consumer.settled,
                    payload: [Bytes::from(counted(count, &message)), Bytes::new()],
                };
                self.engine.deliver(*link, delivery).unwrap();
                consumer.sent += 1;
                if !consumer.settled {
                    let kept = (consumer.address.clone(), count, message);
                    self.unsettled.insert(self.cookies, kept);
                }
            }
        }
    }
}

/// The message with its count of failed attempts.
fn counted(count: u32, message: &[u8]) -> Vec<u8> {
    let sections = Sections::scan(message).unwrap();
    let header = sections.decode_header(message).unwrap().unwrap_or_default();
    let rest = sections.header.map_or(0, |span| span.end);
    let mut out = Vec::new();
    Header { delivery_count: count, ..header }.encode(&mut out);
    out.extend_from_slice(&message[rest..]);
    out
}

/// The user database: `ada` with the password `secret`, and anybody else as a guest.
fn answer(question: Question) -> Answer {
    match question {
        Question::Password { user, password } if (&*user, password.as_str()) == ADA => {
            Answer::Is { user }
        }
        Question::ScramKeys { user, hash } if user == ADA.0 => {
            Answer::Keys(ScramKeys::derive(hash, ADA.1, b"salt of a test", 4096).unwrap())
        }
        Question::Anonymous { .. } => Answer::Is { user: "guest".to_owned() },
        _ => Answer::Refused,
    }
}

const ADA: (&str, &str) = ("ada", "secret");
