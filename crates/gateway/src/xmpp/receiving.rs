//! Stanzas from the client, with their numbers.

use super::Face;
use crate::limits::ARENA_BYTES;
use crate::request::Requests;
use bytes::{Bytes, BytesMut};
use wharf_chat::Command;
use wharf_xmpp::server::Received;
use wharf_xmpp::stanza::{Stanza, StanzaCondition, write_error};

impl Face {
    /// A stanza. Its number is that of XEP-0198, or counts what the session has received.
    pub(super) fn receive(&mut self, received: &Received<'_>, requests: &mut Requests) {
        let seq = received.seq.unwrap_or(self.seq.saturating_add(1));
        self.seq = seq;
        let raw = received.stanza.raw().as_bytes();
        self.untaken.add(seq, raw.len());
        if !self.hand_to_queue(seq, &received.stanza, requests) {
            let stanza = self.keep(raw);
            requests.push_back(Command::Stanza { seq, stanza });
        }
    }

    /// A request for an account, before the login (XEP-0077): some of them, where it is offered.
    pub(super) fn register(&mut self, stanza: &Stanza<'_>, requests: &mut Requests) {
        if self.login.as_mut().is_some_and(|login| login.may_register()) {
            let (host, stanza) = (self.caller.host.clone(), self.keep(stanza.raw().as_bytes()));
            requests.push_back(Command::Register { host, stanza });
            return;
        }
        let error = StanzaCondition::ServiceUnavailable.into();
        let mut answer = Vec::new();
        if write_error(stanza, Some(&self.caller.host), None, &error, &mut answer) {
            // Fails only when the stream is closed, and then nobody listens.
            let _ = self.engine.send(&[&answer]);
        }
    }

    /// The one copy of a stanza between socket and journal.
    pub(super) fn keep(&mut self, octets: &[u8]) -> Bytes {
        if self.arena.capacity() < octets.len() {
            self.arena = BytesMut::with_capacity(octets.len().max(ARENA_BYTES));
        }
        self.arena.extend_from_slice(octets);
        self.arena.split().freeze()
    }
}
