//! Tells those who listen to the topics of the broker's own, `$wharf/…`, what has happened: once a
//! second, in JSON of the management API's shapes. While nobody listens, nothing is done.

use crate::log::LINES;
use crate::manage::{broker, connections};
use crate::net::registry::Change;
use crate::node::Node;
use crate::recent::{News, Recent};
use serde::Serialize;
use std::time::Duration;
use wharf_api::shapes::{ConnectionEvent, Missed};
use wharf_broker::{Audience, Shard, SystemTopic, Timestamp};
use wharf_gateway::Readable;

/// How often.
const EVERY: Duration = Duration::from_secs(1);

/// What was told so far.
#[derive(Debug, Default)]
pub(crate) struct Announcer {
    audience: Audience,
    /// Whether it was looked who listens.
    looked: bool,
    next_at: Timestamp,
    connections_from: u64,
    audit_from: u64,
    logs_from: u64,
}

impl Announcer {
    /// When there is something to do again, if there is anybody to tell it.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.audience.is_any().then_some(self.next_at)
    }

    /// Looks who listens, and tells them what is new if it is time.
    pub(crate) fn work(&mut self, node: &Node, shard: &mut Shard, now: Timestamp) {
        let audience = shard.audience();
        if !self.looked {
            // Sessions of before the start hear what was written since.
            self.looked = true;
            self.audience = audience;
            node.connections.watch(audience.of(SystemTopic::Connections));
        }
        if audience != self.audience {
            self.greet(node, audience, now);
        }
        let every_ms = u64::try_from(EVERY.as_millis()).unwrap_or(u64::MAX);
        // A clock that was set back makes nobody wait.
        let is_due = now >= self.next_at || now.plus_ms(every_ms) < self.next_at;
        if !audience.is_any() || !is_due {
            return;
        }
        self.next_at = now.plus_ms(every_ms);
        self.tell(node, shard);
    }

    /// The process ends: what was not told yet is told now.
    pub(crate) fn end(&mut self, node: &Node, shard: &mut Shard) {
        if self.audience.is_any() {
            self.tell(node, shard);
        }
    }

    /// Others listen now: who is new hears of what comes, not of what was.
    fn greet(&mut self, node: &Node, audience: Audience, now: Timestamp) {
        let is_new = |topic| audience.of(topic) && !self.audience.of(topic);
        if is_new(SystemTopic::Connections) {
            self.connections_from = node.connections.changes().end();
        }
        if is_new(SystemTopic::Audit) {
            self.audit_from = node.audit.entries().end();
        }
        if is_new(SystemTopic::Logs) {
            self.logs_from = LINES.end();
        }
        if SystemTopic::ALL.into_iter().any(is_new) {
            self.next_at = now;
        }
        self.audience = audience;
        node.connections.watch(audience.of(SystemTopic::Connections));
    }

    fn tell(&mut self, node: &Node, shard: &mut Shard) {
        if self.audience.of(SystemTopic::Overview) {
            let overview = broker::overview_of(node, &shard.statistics());
            announce(shard, SystemTopic::Overview, &overview);
        }
        if self.audience.of(SystemTopic::Connections) {
            let news = node.connections.changes().take_from(&mut self.connections_from);
            let News { entries, missed } = news;
            let shown = |change| connection_event(shard, change);
            let entries = entries.into_iter().map(shown).collect();
            tell_news(shard, SystemTopic::Connections, News { entries, missed });
        }
        if self.audience.of(SystemTopic::Audit) {
            tell_new(shard, SystemTopic::Audit, node.audit.entries(), &mut self.audit_from);
        }
        if self.audience.of(SystemTopic::Logs) {
            tell_new(shard, SystemTopic::Logs, &LINES, &mut self.logs_from);
        }
    }
}

fn connection_event(shard: &Shard, change: Change) -> ConnectionEvent {
    let Change { at_ms, kind, entry } = change;
    let session = shard.session_of(entry.0.id);
    ConnectionEvent { at_ms, change: kind, connection: connections::shown(entry, session) }
}

fn tell_new<T: Clone + Serialize>(
    shard: &mut Shard,
    topic: SystemTopic,
    recent: &Recent<T>,
    from: &mut u64,
) {
    tell_news(shard, topic, recent.take_from(from));
}

fn tell_news<T: Serialize>(shard: &mut Shard, topic: SystemTopic, news: News<T>) {
    let News { entries, missed } = news;
    if missed > 0 {
        announce(shard, topic, &Missed { missed });
    }
    for entry in entries {
        announce(shard, topic, &entry);
    }
}

fn announce(shard: &mut Shard, topic: SystemTopic, what: &impl Serialize) {
    // The API's shapes are written without fail, and JSON is text.
    let Ok(body) = serde_json::to_vec(what) else { return };
    let content_type = "application/json".to_owned();
    let readable = Readable { is_text: true, content_type, properties: Vec::new(), body };
    if let Some(message) = readable.into_message() {
        shard.announce(topic, &message);
    }
}
