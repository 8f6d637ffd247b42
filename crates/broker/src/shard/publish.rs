//! Messages in: routing, dead letters, and the inbound half of the ledger.

use super::Shard;
use crate::command::{ConnectionId, Message, SessionId};
use crate::limits::{DESTINATIONS_MAX, FRAME_TARGET_BYTES, NAME_MAX_BYTES};
use crate::output::{DeathReason, Event};
use crate::permission::{Right, allows};
use crate::policy::AddressKind;
use crate::record::{AddressId, QueueId, Record};
use std::collections::BTreeMap;

/// Addresses below this are the broker's own.
const RESERVED_PREFIX: &str = "wharf/";

/// Inbound sequences taken since the last seal: one record and one answer for each session and
/// frame, however many messages it holds.
#[derive(Debug, Default)]
pub(super) struct Taking {
    by_session: BTreeMap<SessionId, (ConnectionId, u64)>,
}

impl Taking {
    /// The session is gone.
    pub(super) fn forget(&mut self, session: SessionId) {
        self.by_session.remove(&session);
    }
}

/// Where one message goes.
#[derive(Debug, Default)]
struct Route {
    queues: Vec<QueueId>,
    dead: Vec<(DeathReason, String)>,
}

impl Shard {
    pub(super) fn publish(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        seq: u64,
        to: &[String],
        message: Message,
    ) {
        if self.taken(session).checked_add(1) != Some(seq) {
            // A repeat: its effect is there already.
            self.statistics.duplicates_suppressed =
                self.statistics.duplicates_suppressed.saturating_add(1);
            return self.answer_repeat(connection, session, seq);
        }
        let route = self.route(session, to);
        let Message { format, body } = message;
        if !route.queues.is_empty() {
            let queues = route.queues.clone();
            self.record_body(
                &Record::Publish { queues, death: None, format, body: &body },
                Some(&body),
            );
        }
        for (reason, address) in route.dead {
            let to = self.dead_letter_queue(session, &address);
            self.statistics.dead_lettered = self.statistics.dead_lettered.saturating_add(1);
            let queues = vec![to];
            let death = Some((reason, address));
            self.record_body(&Record::Publish { queues, death, format, body: &body }, Some(&body));
            self.feeds.mark(to);
        }
        route.queues.iter().for_each(|queue| self.feeds.mark(*queue));
        self.statistics.published = self.statistics.published.saturating_add(1);
        self.take(connection, session, Some(seq));
        if self.log.open_len_bytes() >= FRAME_TARGET_BYTES {
            self.dispatch_dirty();
            self.seal();
        }
    }

    /// Notes that inbound `seq` is handled; it is recorded in the frame of its effect.
    pub(super) fn take(&mut self, connection: ConnectionId, session: SessionId, seq: Option<u64>) {
        let Some(seq) = seq else { return };
        self.prove(session);
        self.taking.by_session.insert(session, (connection, seq));
    }

    /// Highest inbound sequence handled, recorded or not.
    fn taken(&self, session: SessionId) -> u64 {
        match self.taking.by_session.get(&session) {
            Some((_, seq)) => *seq,
            None => self.state.sessions.get(&session).map_or(0, |session| session.taken),
        }
    }

    fn answer_repeat(&mut self, connection: ConnectionId, session: SessionId, seq: u64) {
        let up_to = self.taken(session);
        if seq <= up_to && !self.taking.by_session.contains_key(&session) {
            self.tell(connection, Event::Taken { up_to });
        }
    }

    /// Puts the inbound half of every ledger into the frame that is about to be sealed.
    pub(super) fn record_takings(&mut self) {
        for (session, (connection, seq)) in std::mem::take(&mut self.taking.by_session) {
            self.record(&Record::Taken { session, seq });
            self.tell(connection, Event::Taken { up_to: seq });
        }
    }

    /// Records what one session has taken, before its ledger is told to anybody.
    pub(super) fn record_taking_of(&mut self, session: SessionId) {
        if let Some((connection, seq)) = self.taking.by_session.remove(&session) {
            self.record(&Record::Taken { session, seq });
            self.tell(connection, Event::Taken { up_to: seq });
        }
    }

    // MBWS-072, MBWS-A19: empty addresses are passed over; what is left of the list is served,
    // and each address that cannot be is dead-lettered for itself.
    fn route(&mut self, session: SessionId, to: &[String]) -> Route {
        let mut route = Route::default();
        let named = to.iter().filter(|address| !address.is_empty());
        for address in named.take(DESTINATIONS_MAX) {
            match self.destination(session, address) {
                Ok(id) => {
                    let queues = self.state.addresses.get(&id).map(|address| &address.queues);
                    for queue in queues.into_iter().flatten() {
                        if !route.queues.contains(queue) {
                            route.queues.push(*queue);
                        }
                    }
                }
                Err(reason) => route.dead.push((reason, address.clone())),
            }
        }
        if to.iter().all(String::is_empty) {
            route.dead.push((DeathReason::NoAddress, String::new()));
        }
        route
    }

    fn destination(&mut self, session: SessionId, name: &str) -> Result<AddressId, DeathReason> {
        if !is_valid_name(name) || name.starts_with(RESERVED_PREFIX) {
            return Err(DeathReason::InvalidAddress);
        }
        if !self.permits(session, Right::Send, name) {
            return Err(DeathReason::NotPermitted);
        }
        Ok(self.find_or_make_address(session, name))
    }

    pub(super) fn permits(&self, session: SessionId, right: Right, address: &str) -> bool {
        let session = self.state.sessions.get(&session);
        let user = session.and_then(|session| self.state.users.get(&session.key.user));
        user.is_some_and(|user| allows(&user.permissions, right, address))
    }

    /// The address of this name on the session's host; made by its policy if it is new.
    pub(super) fn find_or_make_address(&mut self, session: SessionId, name: &str) -> AddressId {
        let session = self.state.sessions.get(&session);
        let host = session.map(|session| session.key.host.as_str()).unwrap_or_default();
        if let Some(id) = self.state.find_address(host, name) {
            return id;
        }
        let kind = self.policies.of(name).kind;
        let (host, name) = (host.to_owned(), name.to_owned());
        self.record(&Record::Address { host, name, kind }).address.unwrap_or_default()
    }

    /// The queue dead letters of `address` go to.
    pub(super) fn dead_letter_queue(&mut self, session: SessionId, address: &str) -> QueueId {
        let host = self.state.sessions.get(&session).map(|session| session.key.host.clone());
        self.dead_letter_queue_of(host.unwrap_or_default(), address)
    }

    pub(super) fn dead_letter_queue_of(&mut self, host: String, address: &str) -> QueueId {
        let name = self.policies.of(address).dead_letter_address.clone();
        let id = match self.state.find_address(&host, &name) {
            Some(id) => id,
            None => {
                let record = Record::Address { host, name, kind: AddressKind::Queue };
                self.record(&record).address.unwrap_or_default()
            }
        };
        let address = self.state.addresses.get(&id);
        address.and_then(|address| address.queues.first().copied()).unwrap_or_default()
    }
}

/// Whether a name may be used: not empty, not too long, no control characters.
pub(super) fn is_valid_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_MAX_BYTES && !name.chars().any(char::is_control)
}
