//! Bound resources, by session and by account.

use crate::presence::Availability;
use std::collections::BTreeMap;
use std::sync::Arc;
use wharf_broker::{QueueId, SessionId};
use wharf_xmpp::jid::Jid;

/// One bound resource.
#[derive(Debug)]
pub(crate) struct Resource {
    /// The whole address.
    pub(crate) jid: Jid,
    /// The user in the broker's words.
    pub(crate) user: Arc<str>,
    pub(crate) host: Arc<str>,
    pub(crate) session: SessionId,
    pub(crate) inbox: QueueId,
    /// Name of the installation, if it told one.
    pub(crate) client: Option<String>,
    pub(crate) carbons: bool,
    /// Whether the roster was asked for, so that changes of it are told.
    pub(crate) interested: bool,
    /// What it has said of its presence, and to whom.
    pub(crate) availability: Availability,
}

impl Resource {
    pub(crate) fn bare(&self) -> &str {
        self.jid.bare_str()
    }

    /// The part that tells it from others of the account.
    pub(crate) fn name(&self) -> &str {
        self.jid.resource().unwrap_or_default()
    }
}

/// Everybody who is here.
#[derive(Debug, Default)]
pub(crate) struct People {
    by_session: BTreeMap<SessionId, Resource>,
    /// By address without a resource; in the order of the resources, of which most have one.
    by_account: BTreeMap<Arc<str>, Vec<SessionId>>,
    by_inbox: BTreeMap<QueueId, SessionId>,
}

impl People {
    pub(crate) fn get(&self, session: SessionId) -> Option<&Resource> {
        self.by_session.get(&session)
    }

    pub(crate) fn get_mut(&mut self, session: SessionId) -> Option<&mut Resource> {
        self.by_session.get_mut(&session)
    }

    /// Adds a resource, in the place of one of the same address.
    pub(crate) fn insert(&mut self, resource: Resource) {
        let account = match self.by_account.get_key_value(resource.bare()) {
            Some((account, _)) => Arc::clone(account),
            None => Arc::from(resource.bare()),
        };
        let named = self.by_account.entry(account).or_insert_with(|| Vec::with_capacity(1));
        let by_session = &self.by_session;
        let name = |session: &SessionId| by_session.get(session).map_or("", Resource::name);
        match named.binary_search_by(|session| name(session).cmp(resource.name())) {
            Ok(at) => named.get_mut(at).into_iter().for_each(|known| *known = resource.session),
            Err(at) => named.insert(at, resource.session),
        }
        self.by_inbox.insert(resource.inbox, resource.session);
        self.by_session.insert(resource.session, resource);
    }

    pub(crate) fn remove(&mut self, session: SessionId) -> Option<Resource> {
        let resource = self.by_session.remove(&session)?;
        self.by_inbox.remove(&resource.inbox);
        if let Some(named) = self.by_account.get_mut(resource.bare()) {
            named.retain(|other| *other != session);
            if named.is_empty() {
                self.by_account.remove(resource.bare());
            }
        }
        Some(resource)
    }

    /// The session of a whole address.
    pub(crate) fn find(&self, jid: &Jid) -> Option<SessionId> {
        let name = jid.resource()?;
        self.of(jid.bare_str()).find(|it| it.name() == name).map(|it| it.session)
    }

    /// The session of an inbox.
    pub(crate) fn session_of(&self, inbox: QueueId) -> Option<SessionId> {
        self.by_inbox.get(&inbox).copied()
    }

    /// Every resource of an account, in the order of their names.
    pub(crate) fn of(&self, bare: &str) -> impl Iterator<Item = &Resource> + '_ {
        let named = self.by_account.get(bare).into_iter().flatten();
        named.filter_map(|session| self.by_session.get(session))
    }

    /// Every resource.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Resource> + '_ {
        self.by_session.values()
    }
}
