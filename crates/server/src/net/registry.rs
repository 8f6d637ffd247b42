//! Every open connection, for those who manage: who it is, and how to end it.

use super::allowance::Slot;
use crate::mailbox::Outbox;
use crate::recent::Recent;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wharf_api::shapes::ConnectionChange;
use wharf_broker::ConnectionId;

/// Why a user may not have one more connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TooMany;

/// One connection.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) id: ConnectionId,
    pub(crate) protocol: &'static str,
    pub(crate) peer: SocketAddr,
    pub(crate) host: Box<str>,
    pub(crate) secure: bool,
    /// What the client calls it.
    pub(crate) tag: Option<Box<str>>,
    pub(crate) opened_at_ms: u64,
    pub(crate) outbox: Arc<Outbox>,
    /// How much its user may send.
    pub(crate) allowance: Slot,
}

/// Who has logged in on a connection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Login {
    pub(crate) user: String,
    /// When the login is over, in milliseconds since 1970.
    pub(crate) expires_at_ms: Option<u64>,
    /// The broker's own token that was used.
    pub(crate) token: Option<String>,
}

/// A connection, and who has logged in on it.
pub(crate) type Entry = (Arc<Known>, Option<Login>);

/// A connection whose user is known has opened or closed.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) at_ms: u64,
    pub(crate) kind: ConnectionChange,
    pub(crate) entry: Entry,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    table: Mutex<Table>,
    changes: Recent<Change>,
    /// Whether changes are noted.
    watched: AtomicBool,
}

#[derive(Debug, Default)]
struct Table {
    by_id: BTreeMap<ConnectionId, Entry>,
    by_user: HashMap<String, usize>,
    /// By the time when the login is over.
    expiring: BTreeMap<(u64, ConnectionId), ()>,
}

impl Table {
    fn count_down(&mut self, user: &str) {
        if let Some(count) = self.by_user.get_mut(user) {
            *count -= 1;
            if *count == 0 {
                self.by_user.remove(user);
            }
        }
    }

    fn forget_login(&mut self, id: ConnectionId, login: &Login) {
        self.count_down(&login.user);
        if let Some(at) = login.expires_at_ms {
            self.expiring.remove(&(at, id));
        }
    }
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes from now on what changes, or nothing more.
    pub(crate) fn watch(&self, watched: bool) {
        self.watched.store(watched, Ordering::Relaxed);
    }

    /// What was noted.
    pub(crate) fn changes(&self) -> &Recent<Change> {
        &self.changes
    }

    fn note(&self, kind: ConnectionChange, entry: &Entry) {
        if self.watched.load(Ordering::Relaxed) {
            let at_ms = crate::node::now_ms();
            self.changes.add(Change { at_ms, kind, entry: entry.clone() });
        }
    }

    pub(crate) fn add(&self, known: Known) -> Arc<Known> {
        let known = Arc::new(known);
        self.lock().by_id.insert(known.id, (Arc::clone(&known), None));
        known
    }

    pub(crate) fn remove(&self, id: ConnectionId) {
        let mut table = self.lock();
        let Some(entry) = table.by_id.remove(&id) else { return };
        if let Some(login) = &entry.1 {
            table.forget_login(id, login);
            self.note(ConnectionChange::Closed, &entry);
        }
    }

    /// Notes who has logged in on a connection, in the place of who was there before.
    /// `connections_max`: how many the user may have; 0 is without limit.
    ///
    /// # Errors
    /// The user has that many already.
    pub(crate) fn log_in(
        &self,
        id: ConnectionId,
        login: Login,
        connections_max: u32,
    ) -> Result<(), TooMany> {
        let mut table = self.lock();
        let before = table.by_id.get_mut(&id).and_then(|(_, login)| login.take());
        let is_new = before.is_none();
        if let Some(before) = before {
            table.forget_login(id, &before);
        }
        let count = table.by_user.get(&login.user).copied().unwrap_or(0);
        if connections_max > 0 && count >= connections_max as usize {
            return Err(TooMany);
        }
        if let Some(entry) = table.by_id.get_mut(&id) {
            entry.1 = Some(login.clone());
            if is_new {
                self.note(ConnectionChange::Opened, entry);
            }
            *table.by_user.entry(login.user).or_default() += 1;
            if let Some(at) = login.expires_at_ms {
                table.expiring.insert((at, id), ());
            }
        }
        Ok(())
    }

    /// One connection.
    pub(crate) fn get(&self, id: ConnectionId) -> Option<Entry> {
        self.lock().by_id.get(&id).cloned()
    }

    /// Connections behind `after` that are wanted, the oldest first: at most so many of them, of
    /// at most so many looked at. The second value is the last one looked at, if there are more.
    pub(crate) fn list(
        &self,
        after: ConnectionId,
        limit: usize,
        looked_at_max: usize,
        wanted: impl Fn(&Known, Option<&Login>) -> bool,
    ) -> (Vec<Entry>, Option<ConnectionId>) {
        let table = self.lock();
        let mut found = Vec::new();
        let mut last = None;
        let behind = (Bound::Excluded(after), Bound::Unbounded);
        for (looked_at, (id, (known, login))) in table.by_id.range(behind).enumerate() {
            if found.len() >= limit || looked_at >= looked_at_max {
                return (found, last);
            }
            if wanted(known, login.as_ref()) {
                found.push((Arc::clone(known), login.clone()));
            }
            last = Some(*id);
        }
        (found, None)
    }

    /// The outboxes of connections whose login is wanted.
    pub(crate) fn outboxes(&self, wanted: impl Fn(&Login) -> bool) -> Vec<Arc<Outbox>> {
        let table = self.lock();
        let of_wanted = |(known, login): &Entry| {
            login.as_ref().is_some_and(&wanted).then(|| Arc::clone(&known.outbox))
        };
        table.by_id.values().filter_map(of_wanted).collect()
    }

    /// Does something for each connection with a login.
    pub(crate) fn each(&self, mut act: impl FnMut(&Known, &Login)) {
        for (known, login) in self.lock().by_id.values() {
            if let Some(login) = login {
                act(known, login);
            }
        }
    }

    /// The outboxes of all connections, the oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Outbox>> {
        self.lock().by_id.values().map(|(known, _)| Arc::clone(&known.outbox)).collect()
    }

    /// The outboxes of connections whose login is over by now. Each is told once.
    pub(crate) fn take_expired(&self, now_ms: u64) -> Vec<Arc<Outbox>> {
        let mut table = self.lock();
        let mut expired = Vec::new();
        while let Some(entry) = table.expiring.first_entry()
            && entry.key().0 <= now_ms
        {
            let ((_, id), ()) = entry.remove_entry();
            if let Some((known, _)) = table.by_id.get(&id) {
                expired.push(Arc::clone(&known.outbox));
            }
        }
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, Login, Registry, TooMany};
    use wharf_broker::ConnectionId;

    fn add(registry: &Registry, id: u64) {
        registry.add(Known {
            id: ConnectionId(id),
            protocol: "mbws",
            peer: "127.0.0.1:1".parse().unwrap(),
            host: "a".into(),
            secure: false,
            tag: None,
            opened_at_ms: 0,
            outbox: std::sync::Arc::default(),
            allowance: super::Slot::default(),
        });
    }

    fn login(user: &str, expires_at_ms: Option<u64>) -> Login {
        Login { user: user.to_owned(), expires_at_ms, token: None }
    }

    #[test]
    fn a_user_has_so_many_connections_and_no_more() {
        let registry = Registry::default();
        (1..=3).for_each(|id| add(&registry, id));
        let log_in = |id, user| registry.log_in(ConnectionId(id), login(user, None), 2);
        assert_eq!((log_in(1, "ada"), log_in(2, "ada")), (Ok(()), Ok(())));
        assert_eq!(log_in(2, "ada"), Ok(()), "the same again");
        assert_eq!(log_in(3, "ada"), Err(TooMany));
        assert_eq!(log_in(3, "bob"), Ok(()));
        registry.remove(ConnectionId(1));
        assert_eq!(log_in(3, "ada"), Ok(()), "in the place of bob");
        assert_eq!(registry.outboxes(|login| login.user == "ada").len(), 2);
        assert_eq!(registry.outboxes(|login| login.user == "bob").len(), 0);
    }

    #[test]
    fn a_login_is_over_once_and_can_be_renewed() {
        let registry = Registry::default();
        (1..=2).for_each(|id| add(&registry, id));
        registry.log_in(ConnectionId(1), login("ada", Some(10)), 0).unwrap();
        registry.log_in(ConnectionId(2), login("ada", Some(10)), 0).unwrap();
        registry.log_in(ConnectionId(2), login("ada", Some(20)), 0).unwrap();
        assert_eq!(registry.take_expired(9).len(), 0);
        assert_eq!(registry.take_expired(10).len(), 1);
        assert_eq!(registry.take_expired(15).len(), 0);
        registry.remove(ConnectionId(2));
        assert_eq!(registry.take_expired(30).len(), 0);
    }

    #[test]
    fn a_list_goes_on_where_it_ended() {
        let registry = Registry::default();
        (1..=5).for_each(|id| add(&registry, id));
        let list = |after, limit, looked_at| {
            let odd = |known: &Known, _: Option<&Login>| known.id.0 % 2 == 1;
            let (found, last) = registry.list(ConnectionId(after), limit, looked_at, odd);
            (found.iter().map(|it| it.0.id.0).collect::<Vec<_>>(), last.map(|id| id.0))
        };
        assert_eq!(list(0, 2, 9), (vec![1, 3], Some(3)));
        assert_eq!(list(3, 2, 9), (vec![5], None));
        assert_eq!(list(0, 9, 2), (vec![1], Some(2)));
    }
}
