//! A received message, until the application has said what becomes of it.

use tokio::sync::mpsc::UnboundedSender;

use crate::channels::{Control, Decision, Ticket};
use crate::{Error, Message};

/// A received message. It stays with this client until the application has decided: taken with
/// [`Delivery::ack`], or over AMQP given back or refused. MBWS acknowledges in order, so one that is
/// dropped without a word holds back those after it.
#[derive(Debug)]
pub struct Delivery {
    message: Message,
    ticket: Ticket,
    facts: Facts,
    controls: UnboundedSender<Control>,
}

/// What is known of a delivery beside its message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Whether the protocol has other outcomes than taken.
    pub(crate) outcomes: bool,
    /// Attempts before this one that came to nothing.
    pub(crate) failed_attempts: u32,
    /// Its sender did not know whether it had sent it before.
    pub(crate) sent_again: bool,
}

impl Delivery {
    pub(crate) fn new(
        message: Message,
        ticket: Ticket,
        facts: Facts,
        controls: UnboundedSender<Control>,
    ) -> Self {
        Delivery { message, ticket, facts, controls }
    }

    /// The address it comes from.
    pub fn address(&self) -> &str {
        self.message.addresses.first().map_or("", String::as_str)
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.message.body
    }

    /// Everything that was sent, with the address it comes from.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The number of this delivery on its connection.
    pub fn seq(&self) -> u64 {
        self.ticket.seq
    }

    /// How many times it was delivered before, to whomever, without being taken. AMQP only: MBWS
    /// does not say, and then it is 0.
    pub fn failed_attempts(&self) -> u32 {
        self.facts.failed_attempts
    }

    /// Whether this may be the second time that somebody sees this message: it was delivered before
    /// and not taken, or it is another copy that its sender made because a connection broke. Only
    /// AMQP has such deliveries.
    pub fn may_be_repeated(&self) -> bool {
        self.facts.failed_attempts > 0 || self.facts.sent_again
    }

    /// The application has taken the message: the broker may forget it. Gives the message.
    // MBWS-A11
    pub fn ack(self) -> Message {
        // If the client has ended there is nobody to tell; the broker delivers the message again.
        let _ = self.controls.send(Control::Decide(self.ticket, Decision::Accepted));
        self.message
    }

    /// [`Delivery::ack`], under AMQP's name for it.
    pub fn accept(self) -> Message {
        self.ack()
    }

    /// The application has not looked at the message: it goes back as it was, for whoever wants it.
    ///
    /// # Errors
    /// The protocol has no such outcome: MBWS knows none but taken.
    pub fn release(self) -> Result<Message, Error> {
        self.decide(Decision::Released)
    }

    /// The message is not valid, for this reason: the broker puts it where dead letters go.
    ///
    /// # Errors
    /// As [`Delivery::release`].
    pub fn reject(self, reason: impl Into<String>) -> Result<Message, Error> {
        self.decide(Decision::Rejected(reason.into()))
    }

    /// The message goes back changed: with `failed` this counts as an attempt, with `elsewhere` it
    /// does not come to this client again.
    ///
    /// # Errors
    /// As [`Delivery::release`].
    pub fn modify(self, failed: bool, elsewhere: bool) -> Result<Message, Error> {
        self.decide(Decision::Modified { failed, elsewhere })
    }

    fn decide(self, decision: Decision) -> Result<Message, Error> {
        if !self.facts.outcomes {
            return Err(Error::NotInProtocol("no outcome but acknowledged"));
        }
        let _ = self.controls.send(Control::Decide(self.ticket, decision));
        Ok(self.message)
    }
}
