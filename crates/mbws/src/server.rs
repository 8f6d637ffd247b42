//! The server's side of one WebSocket session.
//!
//! The engine knows one session; the ledger, which outlives it, is the broker's and is shown to
//! the engine as a [`LedgerView`] when a connection is recovered.

use crate::frame::FrameIds;
use crate::integer::Integer;
use crate::recovery::{Claim, LedgerView, Verdict, judge};
use crate::{
    Flavour, Frame, Kind, LengthUnit, Limits, Message, MessageSink, Misuse, NUMBER_MAX, Violation,
    decode,
};

/// What one received WebSocket message means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The client asks for a new connection: answer with [`Connection::accept_open`].
    // MBWS-010
    Open,
    /// The client asks to go on with a connection: answer with [`Connection::accept_reopen`] if
    /// the ledger allows it, else with [`Connection::refuse`].
    Reopen {
        /// The connection.
        name: &'a str,
        /// What the client still has.
        claim: Claim,
    },
    /// The client sent a message. Acknowledge it when responsibility for it is taken (MBWS-A11),
    /// whether or not it can be delivered (MBWS-035).
    Message {
        /// Its number, which goes on across the sessions of a connection.
        seq: u64,
        /// The kind it was published with, which is the kind to deliver it with (MBWS-A03).
        kind: Kind,
        /// The message.
        message: Message<'a>,
    },
    /// The client has received everything up to this number.
    Acknowledged {
        /// Above every number acknowledged before.
        up_to: u64,
    },
    /// Nothing to do: an acknowledgement that says nothing new, or a frame that MBLWS ignores.
    Ignored,
    /// The client broke the protocol: fail the session with [`Violation::close_code`], feed it
    /// nothing more, and keep the ledger (MBWS-122).
    Violated(Violation),
}

/// The protocol state of one session at the server.
#[derive(Debug)]
pub struct Connection {
    flavour: Flavour,
    unit: LengthUnit,
    /// Of the last Connect: answers and acknowledgements follow it.
    // MBWS-A02
    kind: Kind,
    limits: Limits,
    state: State,
    /// Last message received.
    received: u64,
    /// Last message acknowledged to the client.
    acknowledged: u64,
    /// Last message sent in this session, or resumed after.
    delivered: u64,
    /// Last message ever sent on this connection.
    sent: u64,
    /// Last message the client acknowledged.
    acked: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Nothing was asked yet.
    Fresh,
    /// A new connection was asked for.
    Opening,
    /// An old connection was asked for.
    Reopening {
        name: Box<str>,
        claim: Claim,
    },
    Open,
}

impl Connection {
    /// A session whose upgrade was just accepted. An MBLWS session is open at once.
    // MBWS-063
    pub fn new(flavour: Flavour, unit: LengthUnit, limits: Limits) -> Self {
        Connection {
            flavour,
            unit,
            kind: Kind::Binary,
            limits,
            state: match flavour {
                Flavour::Full => State::Fresh,
                Flavour::Light => State::Open,
            },
            received: 0,
            acknowledged: 0,
            delivered: 0,
            sent: 0,
            acked: 0,
        }
    }

    /// Takes the payload of one WebSocket message.
    pub fn handle_message<'a>(&mut self, kind: Kind, payload: &'a [u8]) -> Event<'a> {
        let frame = match decode(kind, self.unit, payload, &self.limits) {
            Ok(frame) => frame,
            Err(violation) => return Event::Violated(violation),
        };
        match (self.flavour, frame) {
            (_, Frame::Message(message)) => self.handle_sent(kind, message),
            // MBWS-061, MBWS-A21
            (Flavour::Light, _) => Event::Ignored,
            (Flavour::Full, Frame::Acknowledge(up_to)) => self.handle_acknowledge(up_to),
            (Flavour::Full, Frame::Connect { name, numbers }) => {
                // MBWS-A13. So a session holds one connection at most, and a request for a new one
                // finds nothing to clear: MBWS-016, MBWS-A06.
                if self.state != State::Fresh {
                    return Event::Violated(Violation::SecondConnect);
                }
                self.kind = kind;
                if name.is_empty() {
                    // Numbers say nothing here (MBWS-A08).
                    self.state = State::Opening;
                    return Event::Open;
                }
                match Claim::from_numbers(&numbers) {
                    Ok(claim) => {
                        self.state = State::Reopening { name: name.into(), claim };
                        Event::Reopen { name, claim }
                    }
                    Err(violation) => Event::Violated(violation),
                }
            }
        }
    }

    fn handle_sent<'a>(&mut self, kind: Kind, message: Message<'a>) -> Event<'a> {
        // MBWS-017, MBWS-A13
        if self.state != State::Open {
            return Event::Violated(Violation::BeforeConnect);
        }
        if self.received >= NUMBER_MAX {
            return Event::Violated(Violation::SequenceExhausted);
        }
        // MBWS-030, MBWS-031, MBWS-032: messages alone are counted, from 1.
        self.received = self.received.saturating_add(1);
        Event::Message { seq: self.received, kind, message }
    }

    fn handle_acknowledge<'a>(&mut self, up_to: u64) -> Event<'a> {
        if self.state != State::Open {
            return Event::Violated(Violation::BeforeConnect);
        }
        // MBWS-A12. A client may acknowledge what an earlier session brought it.
        if up_to > self.sent {
            return Event::Violated(Violation::AcknowledgedUnsent);
        }
        if up_to <= self.acked {
            return Event::Ignored;
        }
        // MBWS-033, MBWS-034: cumulative.
        self.acked = up_to;
        Event::Acknowledged { up_to }
    }

    /// Answers [`Event::Open`] with the name of a new connection.
    ///
    /// # Errors
    /// Nothing was asked, or the name is empty.
    // MBWS-011
    pub fn accept_open(&mut self, name: &str, sink: &mut impl MessageSink) -> Result<(), Misuse> {
        if self.state != State::Opening {
            return Err(Misuse::NothingAsked);
        }
        self.answer_new(name, sink)
    }

    /// Answers [`Event::Reopen`]: the connection goes on. The caller then delivers again, in
    /// order, every message that it sent after the claim's CSLR, and after these the new ones.
    ///
    /// # Errors
    /// Nothing was asked, or [`judge`] refuses this claim on this ledger.
    // MBWS-046, MBWS-048
    pub fn accept_reopen(
        &mut self,
        ledger: &LedgerView,
        sink: &mut impl MessageSink,
    ) -> Result<(), Misuse> {
        let State::Reopening { name, claim } = &self.state else {
            return Err(Misuse::NothingAsked);
        };
        let Verdict::Resume { sslr, .. } = judge(claim, ledger) else {
            return Err(Misuse::LedgerMismatch);
        };
        // MBWS-A23: what either side has received is acknowledged.
        (self.delivered, self.acked) = (claim.cslr, claim.cslr);
        (self.received, self.acknowledged) = (sslr, sslr);
        self.sent = ledger.sent;
        send_answer(self.kind, self.unit, name, Some(sslr), sink);
        self.state = State::Open;
        Ok(())
    }

    /// Answers [`Event::Reopen`]: a new connection is opened instead, and numbers begin at 1.
    ///
    /// # Errors
    /// Nothing was asked, or `new_name` is empty or the name that was asked for.
    // MBWS-049, MBWS-052
    pub fn refuse(&mut self, new_name: &str, sink: &mut impl MessageSink) -> Result<(), Misuse> {
        match &self.state {
            // MBWS-051: the client sees a refusal by the name alone.
            State::Reopening { name, .. } if **name == *new_name => Err(Misuse::NameNotNew),
            State::Reopening { .. } => self.answer_new(new_name, sink),
            State::Fresh | State::Opening | State::Open => Err(Misuse::NothingAsked),
        }
    }

    fn answer_new(&mut self, name: &str, sink: &mut impl MessageSink) -> Result<(), Misuse> {
        if name.is_empty() {
            return Err(Misuse::NameEmpty);
        }
        send_answer(self.kind, self.unit, name, None, sink);
        self.state = State::Open;
        Ok(())
    }

    /// Acknowledges everything up to one message. Does nothing if that was said before, and never
    /// speaks on an MBLWS session (MBWS-062).
    ///
    /// # Errors
    /// The connection is not open, or no such message was received.
    pub fn acknowledge(&mut self, up_to: u64, sink: &mut impl MessageSink) -> Result<(), Misuse> {
        if self.state != State::Open {
            return Err(Misuse::NotOpen);
        }
        if up_to > self.received {
            return Err(Misuse::AcknowledgedUnreceived);
        }
        if self.flavour == Flavour::Full && up_to > self.acknowledged {
            self.acknowledged = up_to;
            let number = Integer::of(self.kind, up_to);
            sink.message(self.kind, &[FrameIds::of(self.kind).acknowledge, number.as_bytes()]);
        }
        Ok(())
    }

    /// Sends one message from one address and gives its number. `content` is in this kind and in
    /// the unit of this session: [`Content::raw`](crate::Content::raw) as stored, or the result of
    /// [`convert`](crate::convert). A message of several addresses is sent once for each
    /// (MBWS-074).
    ///
    /// # Errors
    /// The connection is not open, or its numbers are used up.
    // MBWS-073
    pub fn deliver(
        &mut self,
        kind: Kind,
        address: &str,
        content: &[u8],
        sink: &mut impl MessageSink,
    ) -> Result<u64, Misuse> {
        if self.state != State::Open {
            return Err(Misuse::NotOpen);
        }
        if self.delivered >= NUMBER_MAX {
            return Err(Misuse::SequenceExhausted);
        }
        self.delivered = self.delivered.saturating_add(1);
        self.sent = self.sent.max(self.delivered);
        let count = Integer::of(kind, 1);
        let len = Integer::of_len(kind, self.unit.measure(address));
        let id = FrameIds::of(kind).message;
        let parts = [id, count.as_bytes(), len.as_bytes(), address.as_bytes(), content];
        sink.message(kind, &parts);
        Ok(self.delivered)
    }

    /// Whether messages may flow.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Which subprotocol this session speaks.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// What string lengths count in this session.
    pub fn unit(&self) -> LengthUnit {
        self.unit
    }

    /// The last message received.
    pub fn received(&self) -> u64 {
        self.received
    }
}

/// A Connect answer: with SSLR if an old connection goes on, without numbers for a new one.
fn send_answer(
    kind: Kind,
    unit: LengthUnit,
    name: &str,
    sslr: Option<u64>,
    sink: &mut impl MessageSink,
) {
    let id = FrameIds::of(kind).connect;
    let len = Integer::of_len(kind, unit.measure(name));
    let count = Integer::of(kind, u64::from(sslr.is_some()));
    let number = sslr.map(|sslr| Integer::of(kind, sslr)).unwrap_or_default();
    let parts = [id, len.as_bytes(), name.as_bytes(), count.as_bytes(), number.as_bytes()];
    sink.message(kind, &parts);
}
