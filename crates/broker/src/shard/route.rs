//! Where a message goes: names, permissions, policies, and what was found out last time.

use super::Shard;
use crate::command::SessionId;
use crate::limits::{DESTINATIONS_MAX, NAME_MAX_BYTES};
use crate::output::{DeathReason, Refusal};
use crate::permission::Right;
use crate::policy::{
    AddressKind, DEAD_LETTER_ADDRESS, DYNAMIC_PREFIX, OWN_PREFIX, PERSON_PREFIX, SYSTEM_PREFIX,
};
use crate::record::{AddressId, QueueId, Record};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The last route of each session: most messages of one go the same way as the one before.
#[derive(Debug, Default)]
pub(super) struct Routes {
    by_session: BTreeMap<SessionId, Remembered>,
}

#[derive(Debug)]
struct Remembered {
    to: Arc<[String]>,
    queues: Arc<[QueueId]>,
    /// `State::routes_version` when that was so.
    version: u64,
}

impl Routes {
    /// The session is gone, or its connection is.
    pub(super) fn forget(&mut self, session: SessionId) {
        self.by_session.remove(&session);
    }

    fn recall(
        &self,
        session: SessionId,
        to: &Arc<[String]>,
        version: u64,
    ) -> Option<Arc<[QueueId]>> {
        let known = self.by_session.get(&session).filter(|known| known.version == version)?;
        let same = Arc::ptr_eq(&known.to, to) || known.to == *to;
        same.then(|| Arc::clone(&known.queues))
    }
}

/// Where one message goes.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) queues: Arc<[QueueId]>,
    /// Addresses that cannot be served.
    pub(super) dead: Vec<(DeathReason, String)>,
}

impl Shard {
    /// Where a message for `to` goes; addresses that are new are made.
    // MBWS-072, MBWS-A19: empty addresses are passed over; what is left of the list is served,
    // and each address that cannot be is dead-lettered for itself.
    pub(super) fn route(&mut self, session: SessionId, to: &Arc<[String]>) -> Route {
        if let Some(queues) = self.routes.recall(session, to, self.state.routes_version) {
            return Route { queues, dead: Vec::new() };
        }
        let (mut queues, mut dead) = (Vec::new(), Vec::new());
        let named = to.iter().filter(|address| !address.is_empty());
        for address in named.take(DESTINATIONS_MAX) {
            for found in self.destinations(session, address) {
                match found {
                    Ok(id) => {
                        let found = self.state.addresses.get(&id).map(|address| &address.queues);
                        for queue in found.into_iter().flatten() {
                            if !queues.contains(queue) {
                                queues.push(*queue);
                            }
                        }
                    }
                    Err(reason) => dead.push((reason, address.clone())),
                }
            }
        }
        if to.iter().all(String::is_empty) {
            dead.push((DeathReason::NoAddress, String::new()));
        }
        let queues: Arc<[QueueId]> = Arc::from(queues);
        if dead.is_empty() {
            let (to, queues) = (Arc::clone(to), Arc::clone(&queues));
            let remembered = Remembered { to, queues, version: self.state.routes_version };
            self.routes.by_session.insert(session, remembered);
        }
        Route { queues, dead }
    }

    /// Why the first of these addresses that cannot be served cannot; makes nothing.
    pub(super) fn first_unroutable(
        &self,
        session: SessionId,
        to: &[String],
    ) -> Option<DeathReason> {
        if to.iter().all(String::is_empty) {
            return Some(DeathReason::NoAddress);
        }
        let named = to.iter().filter(|address| !address.is_empty()).take(DESTINATIONS_MAX);
        named.map(|address| self.check_destination(session, address)).find_map(Result::err)
    }

    /// The address that a sender has named, or those that an operator sends its messages to.
    fn destinations(
        &mut self,
        session: SessionId,
        name: &str,
    ) -> Vec<Result<AddressId, DeathReason>> {
        let checked = self.check_destination(session, name);
        let targets = self.detours.of(self.host_of(session), name).map(<[String]>::to_vec);
        match (checked, targets) {
            (Err(reason), _) => vec![Err(reason)],
            (Ok((found, kind)), None) => {
                vec![Ok(found.unwrap_or_else(|| self.make_address(session, name, kind)))]
            }
            (Ok(_), Some(targets)) => {
                targets.iter().map(|target| self.target(session, target)).collect()
            }
        }
    }

    /// A target of a detour: who may send to what stands for it need not be permitted more.
    fn target(&mut self, session: SessionId, name: &str) -> Result<AddressId, DeathReason> {
        if !is_valid_name(name) || is_reserved(name) {
            return Err(DeathReason::InvalidAddress);
        }
        let (found, kind) =
            self.look_up(session, name, None).map_err(|_| DeathReason::UnknownAddress)?;
        Ok(found.unwrap_or_else(|| self.make_address(session, name, kind)))
    }

    fn check_destination(
        &self,
        session: SessionId,
        name: &str,
    ) -> Result<(Option<AddressId>, AddressKind), DeathReason> {
        if !is_valid_name(name) || is_reserved(name) {
            return Err(DeathReason::InvalidAddress);
        }
        if !self.permits(session, Right::Send, name) {
            return Err(DeathReason::NotPermitted);
        }
        self.look_up(session, name, None).map_err(|_| DeathReason::UnknownAddress)
    }

    pub(super) fn permits(&self, session: SessionId, right: Right, address: &str) -> bool {
        let key = self.state.sessions.get(&session).map(|session| &session.key);
        key.is_some_and(|key| self.user_permits(&key.user, right, &key.host, address))
    }

    /// The address of this name on the session's host, and what it is; if it is new, what it
    /// would become.
    pub(super) fn look_up(
        &self,
        session: SessionId,
        name: &str,
        wanted: Option<AddressKind>,
    ) -> Result<(Option<AddressId>, AddressKind), Refusal> {
        let id = self.state.find_address(self.host_of(session), name);
        let found = id.and_then(|id| self.state.addresses.get(&id)).map(|address| address.kind);
        let kind = match found {
            Some(kind) => kind,
            None if name.starts_with(DYNAMIC_PREFIX) => return Err(Refusal::UnknownAddress),
            // Dead letters need a queue that is always there.
            None if name == DEAD_LETTER_ADDRESS => AddressKind::Queue,
            // Nobody makes a queue of what is told to all.
            None if name.starts_with(SYSTEM_PREFIX) => AddressKind::Topic,
            None => wanted.unwrap_or_else(|| self.policies.of(name).kind),
        };
        if wanted.is_some_and(|wanted| wanted != kind) {
            return Err(Refusal::WrongKind);
        }
        Ok((id, kind))
    }

    /// A new address on the session's host.
    pub(super) fn make_address(
        &mut self,
        session: SessionId,
        name: &str,
        kind: AddressKind,
    ) -> AddressId {
        let (host, name) = (self.host_of(session).to_owned(), name.to_owned());
        let record = Record::Address { host, name, kind, dynamic: None };
        self.record(&record).address.unwrap_or_default()
    }

    pub(super) fn host_of(&self, session: SessionId) -> &str {
        let session = self.state.sessions.get(&session);
        session.map(|session| session.key.host.as_str()).unwrap_or_default()
    }

    /// The queue dead letters of `address` go to: that of its policy, or if there is none,
    /// because a topic or something of the broker's own has that name, the one that is always there.
    /// `None` where they go nowhere.
    pub(super) fn dead_letter_queue(&mut self, host: &str, address: &str) -> Option<QueueId> {
        let name = self.policies.of(address).dead_letter_address.clone();
        if name.is_empty() {
            return None;
        }
        let is_usable = is_valid_name(&name) && !is_reserved(&name);
        let queue = is_usable.then(|| self.find_or_make_queue(host, &name)).flatten();
        queue.or_else(|| self.find_or_make_queue(host, DEAD_LETTER_ADDRESS))
    }

    fn find_or_make_queue(&mut self, host: &str, name: &str) -> Option<QueueId> {
        let found = self.state.find_address(host, name);
        let id = found.or_else(|| {
            let (host, name, kind) = (host.to_owned(), name.to_owned(), AddressKind::Queue);
            self.record(&Record::Address { host, name, kind, dynamic: None }).address
        })?;
        let address = self.state.addresses.get(&id);
        let address = address.filter(|address| address.kind == AddressKind::Queue)?;
        address.queues.first().copied()
    }
}

/// Whether a name may be used: not empty, not too long, no control characters.
pub(super) fn is_valid_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_MAX_BYTES && !name.chars().any(char::is_control)
}

/// Whether an address is the broker's own.
pub(super) fn is_reserved(name: &str) -> bool {
    let is_ours = name.starts_with(OWN_PREFIX) && !name.starts_with(DYNAMIC_PREFIX);
    is_ours || is_person(name) || name.starts_with(SYSTEM_PREFIX)
}

/// Whether an address is a person's.
pub(super) fn is_person(name: &str) -> bool {
    name.starts_with(PERSON_PREFIX)
}
