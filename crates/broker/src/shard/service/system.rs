//! Topics of the broker's own: who listens to them, and telling it something.

use crate::command::Message;
use crate::policy::{AddressKind, SystemTopic};
use crate::record::{QueueId, Record};
use crate::shard::Shard;
use std::borrow::Cow;

/// Which topics of the broker's own somebody listens to, with a connection or without.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Audience([bool; SystemTopic::ALL.len()]);

impl Audience {
    /// Whether anybody listens to a topic.
    #[must_use]
    pub fn of(self, topic: SystemTopic) -> bool {
        SystemTopic::ALL.into_iter().zip(self.0).any(|heard| heard == (topic, true))
    }

    /// Whether anybody listens to any.
    #[must_use]
    pub fn is_any(self) -> bool {
        self.0.contains(&true)
    }
}

impl Shard {
    /// Who listens now. Looked for only after something has come or gone.
    pub fn audience(&mut self) -> Audience {
        let version = self.state.routes_version;
        match self.audience {
            Some((known, audience)) if known == version => audience,
            _ => {
                let heard = SystemTopic::ALL.map(|topic| !self.listeners(topic).is_empty());
                self.audience = Some((version, Audience(heard)));
                Audience(heard)
            }
        }
    }

    /// Tells everybody who listens to a topic, on every host. What waits there is bounded: the
    /// oldest gives way.
    pub fn announce(&mut self, topic: SystemTopic, message: &Message) {
        let queues = self.listeners(topic);
        if queues.is_empty() || self.failed {
            return;
        }
        for queue in &queues {
            self.feeds.mark(*queue);
        }
        self.note_time();
        let Message { format, body } = message;
        let to = Cow::Borrowed(queues.as_slice());
        let record = Record::Publish { queues: to, death: None, format: *format, body };
        self.record_body(&record, Some(body));
        self.cut_to_bounds(&queues);
    }

    fn listeners(&self, topic: SystemTopic) -> Vec<QueueId> {
        let on_hosts = self.state.names.values().filter_map(|names| names.get(topic.address()));
        let addresses = on_hosts.filter_map(|id| self.state.addresses.get(id));
        let addresses = addresses.filter(|address| address.kind == AddressKind::Topic);
        addresses.flat_map(|address| address.queues.iter().copied()).collect()
    }
}
