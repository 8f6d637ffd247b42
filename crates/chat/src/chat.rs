//! The services together, and the order in which they are asked.

use crate::command::{Answer, Command, Request, RequestId};
use crate::config::Config;
use crate::iq::Services;
use crate::people::People;
use crate::publishing::Publication;
use crate::stored::Names;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use wharf_broker::{ConnectionId, SessionId, Shard, Timestamp, Transient};
use wharf_xmpp::jid::Jid;

/// What one piece of work has at hand.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) now: Timestamp,
    pub(crate) shard: &'a mut Shard,
}

/// The services of XMPP for every host of a shard.
#[derive(Debug)]
pub struct Chat {
    pub(crate) config: Arc<Config>,
    pub(crate) people: People,
    pub(crate) names: Names,
    pub(crate) services: Services,
    /// Users whose names are not what the localparts of their addresses say, by localpart.
    pub(crate) irregular: BTreeMap<Box<str>, Arc<str>>,
    pub(crate) requests: VecDeque<Request>,
    /// Sessions of before the restart that were not resumed since.
    pub(crate) recovered: BTreeSet<SessionId>,
}

impl Chat {
    /// The services as the shard's journal has left them. To be made after the shard was
    /// recovered and before anything else is asked of it; `flush` it then.
    #[must_use]
    pub fn new(config: Config, shard: &mut Shard, now: Timestamp) -> Self {
        let mut chat = Self {
            config: Arc::new(config),
            people: People::default(),
            names: Names::default(),
            services: Services::new(now),
            irregular: BTreeMap::new(),
            requests: VecDeque::new(),
            recovered: BTreeSet::new(),
        };
        chat.recover(&mut Turn { now, shard });
        chat
    }

    /// Does what a connection asks.
    pub fn handle(
        &mut self,
        now: Timestamp,
        shard: &mut Shard,
        connection: ConnectionId,
        command: Command,
    ) {
        let turn = &mut Turn { now, shard };
        match command {
            Command::Bind { resource, key, kind, replaces, carbons } => {
                self.bind(
                    turn,
                    connection,
                    crate::binding::Bind { resource, key, kind, replaces, carbons },
                );
            }
            Command::Enable { key, kind } => self.enable(turn, connection, key, kind),
            Command::Resume { key, handled } => self.resume(turn, connection, &key, handled),
            Command::Stanza { seq, stanza } => self.stanza(turn, connection, seq, &stanza),
            Command::Register { host, stanza } => {
                self.register_stranger(turn, connection, &host, &stanza);
            }
            Command::Tell { stanza } => {
                if let Some(session) = turn.shard.session_of(connection) {
                    turn.shard.transmit(session, Transient::new(stanza));
                }
            }
            Command::Send { seq, people, stanza, rest, unroutable } => {
                let sent = crate::messages::Sent { people, stanza, rest, unroutable };
                self.send(turn, connection, seq, sent);
            }
            Command::Publish { seq, to, message, written, id } => {
                let publication = Publication { seq, to, message, written, id };
                self.publish(turn, connection, publication);
            }
            Command::Handled { up_to } => self.handled(turn, connection, up_to),
            Command::Active(active) => self.active(turn, connection, active),
            Command::End => self.end(turn, connection),
        }
    }

    /// A connection is gone, whether or not it said so.
    pub fn gone(&mut self, now: Timestamp, shard: &mut Shard, connection: ConnectionId) {
        shard.detach_connection(now, connection);
    }

    /// Before every `flush`: what follows from sessions that have ended and users that are removed.
    pub fn settle(&mut self, now: Timestamp, shard: &mut Shard) {
        let turn = &mut Turn { now, shard };
        while let Some((session, key)) = turn.shard.poll_ended() {
            self.leave(turn, session, &key);
        }
        while let Some(user) = turn.shard.poll_removed() {
            self.forget_user(turn, &user);
        }
    }

    /// What the server is asked; answered by `answered`.
    pub fn poll_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    /// How a request has ended.
    pub fn answered(&mut self, now: Timestamp, shard: &mut Shard, id: RequestId, answer: &Answer) {
        self.request_answered(&mut Turn { now, shard }, id, answer);
    }

    /// Whether a domain is one of the hosts.
    pub(crate) fn is_host(&self, domain: &str) -> bool {
        self.config.hosts.iter().any(|host| host == domain)
    }

    /// The user of an address at one of the hosts, if there is one.
    pub(crate) fn user_of(&self, shard: &Shard, jid: &Jid) -> Option<Arc<str>> {
        let local = jid.local().filter(|_| self.is_host(jid.domain()))?;
        if let Some(user) = self.irregular.get(local) {
            return Some(Arc::clone(user));
        }
        let name = wharf_xmpp::jid::unescape_local(local);
        shard.has_user(&name).then(|| Arc::from(name))
    }

    /// Whether an address at one of the hosts is that of a user.
    pub(crate) fn has_account(&self, shard: &Shard, jid: &Jid) -> bool {
        let Some(local) = jid.local().filter(|_| self.is_host(jid.domain())) else { return false };
        self.irregular.contains_key(local)
            || shard.has_user(&wharf_xmpp::jid::unescape_local(local))
    }

    /// Remembers a user whose name is not what its address says.
    pub(crate) fn learn(&mut self, user: &Arc<str>, jid: &Jid) {
        let local = jid.local().unwrap_or_default();
        if *wharf_xmpp::jid::unescape_local(local) != **user {
            self.irregular.insert(local.into(), Arc::clone(user));
        }
    }
}
