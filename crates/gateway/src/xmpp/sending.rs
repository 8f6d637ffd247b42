//! Stanzas for the client, with their numbers.

use super::Face;
use super::binding::Asked;
use super::queues::CONSUMER;
use super::stored::Stored;
use crate::limits::{ANSWERS_MAX_BYTES, UNREAD_MAX_BYTES};
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
    /// Up to here the client's stanzas are taken. What was said of them before is said before.
    Taken(u64),
}

/// What is on its way to the client.
#[derive(Debug, Default)]
pub(super) struct Sending {
    outgoing: VecDeque<Outgoing>,
    /// On a stream that is not managed: the last delivery that was sent, and the last that was
    /// settled. Nobody will acknowledge it.
    sent: u64,
    settled: u64,
    /// Octets of what waits and is no delivery: those are bounded by their session.
    waiting_bytes: usize,
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

    /// Whether what the client has asked for is on its way, so that it may ask for more.
    pub(super) fn has_room(&self) -> bool {
        self.waiting_bytes < ANSWERS_MAX_BYTES
    }

    /// Whether something else must be said first.
    pub(super) fn is_behind(&mut self, up_to: u64) -> bool {
        match self.outgoing.back_mut() {
            None => return false,
            Some(Outgoing::Taken(last)) => *last = up_to,
            Some(_) => self.outgoing.push_back(Outgoing::Taken(up_to)),
        }
        true
    }

    fn push(&mut self, transmission: Transmission) {
        self.waiting_bytes = self.waiting_bytes.saturating_add(transmission.len_bytes());
        self.outgoing.push_back(Outgoing::Transmit(transmission));
    }

    fn pop(&mut self) -> Option<Outgoing> {
        let outgoing = self.outgoing.pop_front()?;
        if let Outgoing::Transmit(transmission) = &outgoing {
            self.waiting_bytes = self.waiting_bytes.saturating_sub(transmission.len_bytes());
        }
        Some(outgoing)
    }
}

impl Transmission {
    fn len_bytes(&self) -> usize {
        self.parts.iter().map(Bytes::len).fold(0, usize::saturating_add)
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

    /// The client's stanzas up to this one are taken.
    // RFC 6120 8.3.1, XEP-0198 4: who knows that a stanza is handled knows that it was refused.
    pub(super) fn taken(&mut self, up_to: u64) {
        if !self.sending.is_behind(up_to) {
            // Fails for what belongs to the session before this one.
            let _ = self.engine.acknowledge(up_to);
        }
    }

    pub(super) fn transmit_later(&mut self, transmission: Transmission, requests: &mut Requests) {
        if !matches!(self.asked, Asked::Nothing) {
            // Of the session before, and so not counted.
            self.hand_over(&Outgoing::Transmit(transmission), requests);
        } else if self.sending.waiting_bytes >= UNREAD_MAX_BYTES {
            // Others go on speaking to a client that reads nothing. A stream that can be resumed
            // is worth resuming.
            self.end_with(StreamCondition::ResourceConstraint, "nothing is read");
            self.sending.stop();
        } else if !self.sending.stopped {
            self.sending.push(transmission);
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
            let Some(outgoing) = self.sending.pop() else {
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
            Outgoing::Taken(up_to) => {
                // Fails for what belongs to the session before this one.
                let _ = self.engine.acknowledge(*up_to);
                return;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Caller;
    use crate::session::Offer;
    use std::sync::Arc;

    /// Bounded whatever others say: first nothing more is read, then the stream ends.
    #[test]
    fn who_reads_nothing_is_not_spoken_to_without_end() {
        let caller = Caller {
            host: "localhost".to_owned(),
            secure: true,
            user: None,
            origin: None,
            name: "unique".to_owned(),
        };
        let mut face = Face::new(Arc::default(), caller, Offer::none(), [1; 32]);
        let mut requests = Requests::default();
        let stanza = Bytes::from(vec![b'x'; 64 << 10]);
        let mut most = 0;
        assert!(face.sending.has_room());
        for _ in 0..1000 {
            let parts = [stanza.clone(), Bytes::new(), Bytes::new()];
            face.transmit_later(Transmission { seq: 0, parts }, &mut requests);
            most = most.max(face.sending.waiting_bytes);
        }
        assert_eq!(most, UNREAD_MAX_BYTES);
        assert!(face.sending.stopped && face.sending.outgoing.is_empty());

        // What is read makes room again.
        let mut sending = Sending::default();
        let parts = [Bytes::from(vec![b'x'; ANSWERS_MAX_BYTES]), Bytes::new(), Bytes::new()];
        sending.push(Transmission { seq: 0, parts });
        assert!(!sending.has_room());
        assert!(sending.pop().is_some() && sending.has_room());
    }
}
