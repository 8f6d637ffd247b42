//! How a stream ends, and its WebSocket after it.

use super::Face;
use crate::ending::{Close, Ending};
use crate::request::Requests;
use wharf_chat::Command;
use wharf_xmpp::stream::Closed;
use wharf_xmpp::{StreamCondition, StreamError};

impl Face {
    /// The stream is over. One that can be resumed leaves its session; the shard hears of the
    /// connection's end anyhow.
    // XWS-042, XWS-052, XWS-053, XWS-054, XWS-055.
    pub(super) fn closed(&mut self, closed: &Closed, requests: &mut Requests) {
        if !closed.resumable {
            requests.push_back(Command::End);
        }
        self.sending.stop();
        self.login = None;
        let code = match (closed.code, self.drained) {
            (1000, Some(code)) => code,
            (code, _) => code,
        };
        self.ending = if closed.peer_ends_transport {
            Ending::Wait(None)
        } else {
            Ending::Now(Close { code, reason: "" })
        };
    }

    /// Closes the stream with an error of ours.
    // XWS-040, XWS-042.
    pub(super) fn end_with(&mut self, condition: StreamCondition, why: &str) {
        // Fails if it is being closed already.
        let _ = self.engine.close(Some(StreamError::new(condition, why)));
    }

    /// The node goes away: elsewhere, if that is known, or for now.
    // XWS-060, RFC 6120 4.9.3.20.
    pub(crate) fn drain(&mut self, code: u16) {
        self.drained = Some(code);
        let place = self.config.drained_to.as_ref();
        match place.and_then(|place| self.uri_of(place)) {
            Some(uri) => {
                let _ = self.engine.redirect(&uri);
            }
            None => self.end_with(StreamCondition::SystemShutdown, "the server is going away"),
        }
    }
}
