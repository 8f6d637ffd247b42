//! MBWS and MBLWS on the broker: what their frames ask of a session, and how a session's events
//! become frames. The recovery state is the session's ledger, which is durable; this file only
//! shows it to the protocol.

use crate::config::{CloseEnds, Config};
use crate::consume::{CANCEL_ADDRESS, CONSUME_ADDRESS, Query, Unclear, Wish};
use crate::convert::{mbws_content, mbws_format, mbws_stored};
use crate::limits::ARENA_BYTES;
use crate::people::Sender;
use crate::request::Requests;
use crate::untaken::Untaken;
use bytes::{Bytes, BytesMut};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use wharf_broker::{
    Command, ConsumerId, Credit, Delivery, Event, Ledger, Message, Mode, Outcome, SessionKey,
    SessionKind, Unroutable,
};
use wharf_mbws::recovery::{Claim, LedgerView, Verdict, judge};
use wharf_mbws::server::{Connection, Event as Asked};
use wharf_mbws::{Addresses, Flavour, Kind, Limits, MessageSink};

/// Close code for a connection whose session another one has taken over (MBWS-A14). Private, so
/// that a client does not take it for a failure and take the session back.
const TAKEN_OVER: u16 = 4001;

/// The broker's side of one MBWS or MBLWS connection.
#[derive(Debug)]
pub(crate) struct Face {
    engine: Connection,
    /// Key of the session; its name is that of a new connection until an old one is resumed.
    key: SessionKey,
    stage: Stage,
    wish: Wish,
    outgoing: VecDeque<Outgoing>,
    acknowledge: Option<u64>,
    untaken: Untaken,
    /// Destinations of the last message: most go the same way as the one before.
    destinations: Arc<[String]>,
    arena: BytesMut,
    /// Longest message to people.
    stanza_size_max_bytes: usize,
    closing: Closing,
}

/// Why the connection is closed from this side: a close code, and a reason for developers.
type Close = (u16, Cow<'static, str>);

/// Whether the connection is being closed from this side.
#[derive(Debug, Default)]
enum Closing {
    #[default]
    No,
    /// To be said.
    Wanted(Close),
    Said,
}

/// How far the Connect exchange is.
#[derive(Debug, Eq, PartialEq)]
enum Stage {
    /// Nothing was asked yet.
    Fresh,
    /// A new session is being opened.
    Opening { refused: bool },
    /// An old session is being looked up.
    Attaching { claim: Claim },
    /// Messages flow.
    Open,
    /// The client closed the connection for good; the shard has not yet said that it is durable.
    Ending,
    /// The session is not ours any more, or is to be left alone.
    Over,
}

/// What waits for room on the wire.
#[derive(Debug)]
enum Outgoing {
    Opened,
    Refused,
    Reopened(LedgerView),
    Deliver(Delivery),
}

impl Face {
    pub(crate) fn new(
        config: &Config,
        flavour: Flavour,
        key: SessionKey,
        query: Option<&str>,
    ) -> Self {
        let (query, unclear) = match Query::parse(query.unwrap_or_default()) {
            Ok(query) => (query, None),
            Err(unclear) => (Query::default(), Some(unclear)),
        };
        Self {
            engine: Connection::new(flavour, query.unit, Limits::default()),
            key,
            stage: Stage::Fresh,
            wish: query.wish,
            outgoing: VecDeque::new(),
            acknowledge: None,
            untaken: Untaken::default(),
            destinations: Arc::from([]),
            arena: BytesMut::new(),
            stanza_size_max_bytes: config.xmpp.stanza_size_max_bytes(),
            closing: unclear.map_or(Closing::No, |why| Closing::Wanted((1008, Cow::Borrowed(why)))),
        }
    }

    /// MBWS-063: MBLWS begins with the upgrade, without being asked.
    pub(crate) fn start(&mut self, commands: &mut Requests) {
        if self.engine.flavour() == Flavour::Light {
            let key = self.key.clone();
            commands.push_back(Command::Open { key, kind: SessionKind::Volatile });
            self.stage = Stage::Open;
            self.ask_for_wishes(commands);
        }
    }

    /// One WebSocket message.
    pub(crate) fn handle_message(&mut self, kind: Kind, payload: &[u8], commands: &mut Requests) {
        if !self.closing.is_no() || matches!(self.stage, Stage::Ending | Stage::Over) {
            return;
        }
        match self.engine.handle_message(kind, payload) {
            Asked::Open => {
                self.open(false, commands);
            }
            Asked::Reopen { name, claim } => {
                let key = SessionKey { name: name.to_owned(), ..self.key.clone() };
                commands.push_back(Command::Attach { key });
                self.stage = Stage::Attaching { claim };
            }
            Asked::Message { seq, kind, message } => {
                let content = &*mbws_stored(&message.content);
                if message.addresses.iter().any(is_control) {
                    let wish = Wish::from_properties(message.content.properties());
                    let to: Vec<String> = message.addresses.iter().map(str::to_owned).collect();
                    self.control(seq, kind, to, content, wish, commands);
                } else {
                    let to = self.destinations_of(&message.addresses);
                    self.publish(seq, kind, to, content, commands);
                }
            }
            Asked::Acknowledged { up_to } => {
                commands.push_back(settle(up_to));
            }
            // Nothing new, but a sign that the client knows its session.
            Asked::Ignored => commands.push_back(Command::Known),
            // MBWS-120, MBWS-122: the session fails; its ledger stays.
            Asked::Violated(violation) => {
                self.fail(violation.close_code(), Cow::Borrowed(violation.reason()));
            }
        }
    }

    /// What the shard says of the session.
    pub(crate) fn handle_event(&mut self, event: Event, commands: &mut Requests) {
        match (event, &self.stage) {
            (Event::Opened, Stage::Opening { refused }) => {
                let refused = *refused;
                self.outgoing.push_back(if refused { Outgoing::Refused } else { Outgoing::Opened });
                self.stage = Stage::Open;
                self.ask_for_wishes(commands);
            }
            (Event::Attached(ledger), Stage::Attaching { claim }) => {
                let claim = *claim;
                self.judge(&claim, ledger, commands);
            }
            // MBWS-043, MBWS-049: criterion 1 is not met.
            (Event::Unknown, Stage::Attaching { .. }) => self.open(true, commands),
            (Event::Taken { up_to }, Stage::Open) => {
                self.untaken.settle(up_to);
                self.acknowledge = Some(up_to);
            }
            (Event::Deliver(delivery), Stage::Open) => {
                self.outgoing.push_back(Outgoing::Deliver(delivery));
            }
            (Event::Refused { address, refusal, .. }, Stage::Open) => {
                self.fail(1008, Cow::Owned(format!("{refusal}: {address}")));
            }
            (Event::Ended | Event::TakenOver | Event::Revoked, Stage::Ending) => {
                self.stage = Stage::Over;
            }
            (Event::TakenOver, _) => {
                self.stage = Stage::Over;
                self.fail(TAKEN_OVER, Cow::Borrowed("taken over by another connection"));
            }
            (Event::Revoked, _) => {
                self.stage = Stage::Over;
                self.fail(1008, Cow::Borrowed("the user was removed"));
            }
            // The rest is late: it was decided before the session went another way.
            _ => {}
        }
    }

    /// The WebSocket is closed. `normal`: by a handshake that ends the connection for good.
    pub(crate) fn handle_closed(
        &mut self,
        config: &Config,
        clean: bool,
        code: u16,
        commands: &mut Requests,
    ) {
        // MBWS-015, MBWS-A09: 1000, or no code at all. MBWS-020, MBWS-022: anything else leaves
        // the session to be recovered.
        let normal = matches!(code, 1000 | 1005) || config.close_ends == CloseEnds::Any;
        if clean && normal && self.closing.is_no() && self.stage == Stage::Open {
            let unsettled =
                if config.close_acknowledges { Outcome::Accepted } else { Outcome::Failed };
            commands.push_back(Command::End { unsettled });
            self.stage = Stage::Ending;
        } else {
            commands.push_back(Command::Detach);
            self.stage = Stage::Over;
        }
        self.outgoing = VecDeque::new();
    }

    /// Why the connection is to be closed from this side.
    pub(crate) fn take_close(&mut self) -> Option<Close> {
        if !matches!(self.closing, Closing::Wanted(_)) {
            return None;
        }
        match std::mem::replace(&mut self.closing, Closing::Said) {
            Closing::Wanted(close) => Some(close),
            Closing::No | Closing::Said => None,
        }
    }

    /// Back-pressure: whether more messages may be read.
    pub(crate) fn wants_input(&self) -> bool {
        self.untaken.has_room()
    }

    /// Whether the answer to the peer's Close must wait: who has it may forget the connection, so
    /// the broker has forgotten it before (MBWS-015).
    pub(crate) fn holds_close(&self) -> bool {
        self.stage == Stage::Ending
    }

    /// Whether `transmit` has something to send.
    pub(crate) fn has_output(&self) -> bool {
        self.acknowledge.is_some() || !self.outgoing.is_empty()
    }

    /// Sends what waits until `is_full`.
    pub(crate) fn transmit<S: MessageSink>(
        &mut self,
        sink: &mut S,
        is_full: impl Fn(&S) -> bool,
        commands: &mut Requests,
    ) {
        let mut last_delivered = None;
        while !is_full(sink) {
            let Some(outgoing) = self.outgoing.pop_front() else {
                break;
            };
            let sent = match outgoing {
                Outgoing::Opened => self.engine.accept_open(&self.key.name, sink),
                Outgoing::Refused => self.engine.refuse(&self.key.name, sink),
                Outgoing::Reopened(ledger) => self.engine.accept_reopen(&ledger, sink),
                Outgoing::Deliver(delivery) => {
                    last_delivered = Some(delivery.seq);
                    self.deliver(&delivery, sink)
                }
            };
            if sent.is_err() {
                return self.fail(1011, Cow::Borrowed("internal error"));
            }
        }
        if let Some(up_to) = self.acknowledge.take() {
            // MBWS-033, MBWS-035: cumulative, once for all that one frame of the journal holds.
            // Fails only after the session went another way.
            let _ = self.engine.acknowledge(up_to, sink);
        }
        if let Some(last) = last_delivered.filter(|_| self.engine.flavour() == Flavour::Light) {
            // MBWS-064: nobody will acknowledge; what is on the wire is delivered.
            commands.push_back(settle(last));
        }
        if self.outgoing.is_empty() {
            self.outgoing.shrink_to(0);
        }
    }

    /// The burst of input is over: its memory is given back.
    pub(crate) fn end_burst(&mut self) {
        self.arena = BytesMut::new();
        self.untaken.end_burst();
    }

    fn open(&mut self, refused: bool, commands: &mut Requests) {
        let key = self.key.clone();
        commands.push_back(Command::Open { key, kind: SessionKind::Recoverable });
        self.stage = Stage::Opening { refused };
    }

    fn judge(&mut self, claim: &Claim, ledger: Ledger, commands: &mut Requests) {
        let Ledger { taken, settled: acked, sent } = ledger;
        let view = LedgerView { taken, acked, sent };
        match judge(claim, &view) {
            Verdict::Resume { .. } => {
                // MBWS-048: after the answer, so that it is the first thing the client sees.
                self.outgoing.push_back(Outgoing::Reopened(view));
                self.stage = Stage::Open;
                self.untaken.resume(taken);
                commands.push_back(Command::Resume { received: claim.cslr });
                self.ask_for_wishes(commands);
            }
            Verdict::Refuse(_) => {
                // MBWS-A22: the rightful owner cannot go on, so nobody can.
                commands.push_back(Command::End { unsettled: Outcome::Failed });
                self.open(true, commands);
            }
        }
    }

    fn ask_for_wishes(&mut self, commands: &mut Requests) {
        let Wish { addresses, subscription, credit } = std::mem::take(&mut self.wish);
        for address in addresses {
            let subscription = subscription.clone();
            commands.push_back(consume(None, address, subscription, credit));
        }
    }

    fn publish(
        &mut self,
        seq: u64,
        kind: Kind,
        to: Arc<[String]>,
        content: &[u8],
        commands: &mut Requests,
    ) {
        let format = mbws_format(kind, self.engine.unit());
        let body = self.keep(content);
        self.untaken.add(seq, content.len());
        let (message, unroutable) = (Message { format, body }, Unroutable::DeadLetter);
        let sender = Sender {
            user: &self.key.user,
            host: &self.key.host,
            size_max_bytes: self.stanza_size_max_bytes,
        };
        commands.push_back(sender.send(seq, to, message, unroutable));
    }

    /// A message that asks to consume or to stop; like any message it is taken and acknowledged,
    /// and it may go to other addresses as well.
    fn control(
        &mut self,
        seq: u64,
        kind: Kind,
        to: Vec<String>,
        content: &[u8],
        wish: Result<Wish, Unclear>,
        commands: &mut Requests,
    ) {
        let wish = match wish {
            Ok(wish) => wish,
            Err(unclear) => {
                // Taken, so that it is not sent again; the shard dead-letters it.
                self.publish(seq, kind, Arc::from(to), content, commands);
                return self.fail(1008, Cow::Borrowed(unclear));
            }
        };
        let begins = to.iter().any(|address| address == CONSUME_ADDRESS);
        let others: Vec<String> = to.into_iter().filter(|address| !is_control(address)).collect();
        let alone = others.iter().all(String::is_empty);
        let count = wish.addresses.len();
        for (at, address) in (1..).zip(wish.addresses) {
            // The last one carries the number of the message, so that it is taken with it.
            let seq = (alone && at == count).then_some(seq);
            let subscription = wish.subscription.clone();
            commands.push_back(if begins {
                consume(seq, address, subscription, wish.credit)
            } else {
                let consumer = ConsumerId(0);
                Command::Cancel { seq, consumer, address, subscription, forget: false }
            });
        }
        if alone {
            self.untaken.add(seq, content.len());
        } else {
            self.publish(seq, kind, Arc::from(others), content, commands);
        }
    }

    fn deliver(
        &mut self,
        delivery: &Delivery,
        sink: &mut impl MessageSink,
    ) -> Result<(), wharf_mbws::Misuse> {
        let Some((kind, content)) = mbws_content(delivery, self.engine.unit()) else {
            return Err(wharf_mbws::Misuse::LedgerMismatch);
        };
        // MBWS-073: the one address it came from.
        let seq = self.engine.deliver(kind, &delivery.address, &content, sink)?;
        // The numbers of the protocol are those of the ledger.
        if seq == delivery.seq { Ok(()) } else { Err(wharf_mbws::Misuse::LedgerMismatch) }
    }

    fn destinations_of(&mut self, to: &Addresses<'_>) -> Arc<[String]> {
        if !self.destinations.iter().map(String::as_str).eq(to.iter()) {
            self.destinations = to.iter().map(str::to_owned).collect();
        }
        Arc::clone(&self.destinations)
    }

    /// The one copy of a body between socket and journal.
    fn keep(&mut self, content: &[u8]) -> Bytes {
        if self.arena.capacity() < content.len() {
            self.arena = BytesMut::with_capacity(content.len().max(ARENA_BYTES));
        }
        self.arena.extend_from_slice(content);
        self.arena.split().freeze()
    }

    fn fail(&mut self, code: u16, reason: Cow<'static, str>) {
        if self.closing.is_no() {
            self.closing = Closing::Wanted((code, reason));
        }
    }
}

impl Closing {
    fn is_no(&self) -> bool {
        matches!(self, Self::No)
    }
}

fn is_control(address: impl AsRef<str>) -> bool {
    matches!(address.as_ref(), CONSUME_ADDRESS | CANCEL_ADDRESS)
}

/// MBWS has no links: every consumer has the same name, and what it consumes tells them apart.
fn consume(
    seq: Option<u64>,
    address: String,
    subscription: Option<String>,
    credit: u32,
) -> Command {
    Command::Consume {
        seq,
        consumer: ConsumerId(0),
        address,
        subscription,
        kind: None,
        credit: Credit::Window(credit),
        mode: Mode::Move,
    }
}

/// Everything up to `last` has arrived.
fn settle(last: u64) -> Command {
    Command::Settle { first: 0, last, outcome: Outcome::Accepted, confirm: false }
}
