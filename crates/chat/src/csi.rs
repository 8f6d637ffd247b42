//! Clients that nobody looks at (XEP-0352): presence waits until somebody does, or until
//! something comes that does not wait.

use crate::chat::{Chat, Turn};
use crate::limits::HELD_BACK_MAX;
use std::collections::{BTreeMap, BTreeSet};
use wharf_broker::{ConnectionId, QueueId, SessionId, Transient};

/// What is held back.
#[derive(Debug, Default)]
pub(crate) struct Held {
    inactive: BTreeSet<SessionId>,
    /// By session and sender: the newest is all that is worth telling.
    presence: BTreeMap<(SessionId, Box<str>), Transient>,
}

impl Held {
    fn take(&mut self, session: SessionId) -> Vec<Transient> {
        let of_it = |(of, _): &(SessionId, Box<str>), _: &mut Transient| *of == session;
        let from = (session, Box::from(""));
        let to = (SessionId(session.0.saturating_add(1)), Box::from(""));
        self.presence.extract_if(from..to, of_it).map(|(_, transient)| transient).collect()
    }

    pub(crate) fn forget(&mut self, session: SessionId) {
        self.inactive.remove(&session);
        self.take(session);
    }
}

impl Chat {
    pub(crate) fn active(&mut self, turn: &mut Turn<'_>, connection: ConnectionId, active: bool) {
        let Some(session) = turn.shard.session_of(connection) else { return };
        if active {
            self.services.held.inactive.remove(&session);
            self.tell_held(turn, session);
        } else if self.people.get(session).is_some() {
            self.services.held.inactive.insert(session);
        }
    }

    /// Shows presence, now or when somebody looks.
    pub(crate) fn show(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        sender: &str,
        transient: Transient,
    ) {
        let held = &mut self.services.held;
        if !held.inactive.contains(&session) {
            return turn.shard.transmit(session, transient);
        }
        held.presence.insert((session, sender.into()), transient.clone());
        let from = (session, Box::from(""));
        let to = (SessionId(session.0.saturating_add(1)), Box::from(""));
        if held.presence.range(from..to).count() >= HELD_BACK_MAX {
            self.tell_held(turn, session);
        }
    }

    /// Whoever is sent a message is told what was held back first.
    pub(crate) fn flush_held(&mut self, turn: &mut Turn<'_>, inboxes: &[QueueId]) {
        if self.services.held.presence.is_empty() {
            return;
        }
        for inbox in inboxes {
            if let Some(session) = self.people.session_of(*inbox) {
                self.tell_held(turn, session);
            }
        }
    }

    fn tell_held(&mut self, turn: &mut Turn<'_>, session: SessionId) {
        for transient in self.services.held.take(session) {
            turn.shard.transmit(session, transient);
        }
    }
}
