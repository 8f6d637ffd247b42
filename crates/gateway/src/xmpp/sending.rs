//! Stanzas for the client, with their numbers.

use super::Face;
use super::binding::Asked;
use super::queues::CONSUMER;
use super::stored::Stored;
use crate::request::Requests;
use bytes::Bytes;
use std::collections::VecDeque;
use wharf_broker::{Command, Delivery, Outcome};
use wharf_xmpp::StreamCondition;

/// A stanza that is not kept as a message: presence, requests, answers.
#[derive(Debug)]
pub(super) struct Transmission {
    pub(super) seq: u64,
    /// The stanza in three parts.
    pub(super) parts: [Bytes; 3],
}

/// What waits to be sent.
#[derive(Debug)]
enum Outgoing {
    /// A message, which is kept until it is settled.
    Deliver(Delivery),
    /// Anything else.
    Transmit(Transmission),
}

/// What is on its way to the client.
#[derive(Debug, Default)]
pub(super) struct Sending {
    outgoing: VecDeque<Outgoing>,
    /// On a stream that is not managed: the last delivery that was sent, and the last that was
    /// settled. Nobody will acknowledge it.
    sent: u64,
    settled: u64,
    /// The stream is over.
    stopped: bool,
    scratch: Vec<u8>,
}

impl Sending {
    /// Settles what was sent on a stream that is not managed.
    pub(super) fn settle(&mut self, requests: &mut Requests) {
        if self.sent > self.settled {
            self.settled = self.sent;
            let (first, last) = (0, self.sent);
            let outcome = Outcome::Accepted;
            requests.push_back(Command::Settle { first, last, outcome, confirm: false });
        }
    }

    pub(super) fn stop(&mut self) {
        *self = Self { stopped: true, ..Self::default() };
    }
}

impl Face {
    pub(super) fn deliver(&mut self, delivery: Delivery) {
        // What is delivered before the answer comes belongs to the session that ends with it; it
        // has moved into the next one.
        if matches!(self.asked, Asked::Nothing) && !self.sending.stopped {
            self.sending.outgoing.push_back(Outgoing::Deliver(delivery));
        }
    }

    pub(super) fn transmit_later(&mut self, transmission: Transmission, requests: &mut Requests) {
        let outgoing = Outgoing::Transmit(transmission);
        if !matches!(self.asked, Asked::Nothing) {
            // Of the session before, and so not counted.
            self.hand_over(&outgoing, requests);
        } else if !self.sending.stopped {
            self.sending.outgoing.push_back(outgoing);
        }
    }

    /// Another session begins in the place of this one, and has the messages that were not sent.
    pub(super) fn leave_session(&mut self, requests: &mut Requests) {
        self.sending.settle(requests);
        let sending = std::mem::take(&mut self.sending);
        let rest = sending.outgoing.iter();
        rest.filter(|outgoing| matches!(outgoing, Outgoing::Transmit(_)))
            .for_each(|outgoing| self.hand_over(outgoing, requests));
    }

    /// Hands the next message to `send`; false if there is none.
    // XWS-014: each stanza is a message of its own.
    pub(crate) fn transmit(&mut self, requests: &mut Requests, send: impl FnOnce(&[u8])) -> bool {
        self.sending.scratch.clear();
        while self.engine.poll_transmit(&mut self.sending.scratch) == 0 {
            let Some(outgoing) = self.sending.outgoing.pop_front() else {
                self.sending.settle(requests);
                // An idle stream keeps no memory for what it has sent.
                self.sending.outgoing.shrink_to(0);
                self.sending.scratch = Vec::new();
                return false;
            };
            self.hand_over(&outgoing, requests);
        }
        send(&self.sending.scratch);
        true
    }

    /// Gives the engine a stanza.
    fn hand_over(&mut self, outgoing: &Outgoing, requests: &mut Requests) {
        let (seq, sent) = match outgoing {
            Outgoing::Deliver(delivery) if delivery.consumer == CONSUMER => {
                let stanza = self.queue_stanza(delivery, requests);
                (delivery.seq, self.engine.send(&[&stanza]))
            }
            Outgoing::Deliver(delivery) => {
                let stored = Stored::new(delivery, &self.caller.host);
                (delivery.seq, self.engine.send(&stored.pieces()))
            }
            Outgoing::Transmit(Transmission { seq, parts: [before, body, after] }) => {
                (*seq, self.engine.send(&[before, body, after]))
            }
        };
        match sent {
            // The numbers of the protocol are those of the ledger.
            Ok(Some(number)) if number != seq => {
                let why = "the numbers of stanzas do not fit";
                self.end_with(StreamCondition::InternalServerError, why);
            }
            Ok(None) => self.sending.sent = self.sending.sent.max(seq),
            // Closed meanwhile: what is not acknowledged stays with the session.
            Ok(Some(_)) | Err(_) => {}
        }
    }
}
