//! Settings applied to addresses by pattern.

use crate::permission::matches_pattern;

/// How an address hands out messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AddressKind {
    /// Each message to one consumer.
    Queue,
    /// Each message to every subscription.
    Topic,
}

/// When a dynamic address goes, with what is in it. Its links are its consumers and senders, its
/// creator among them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lifetime {
    /// When the link that created it is closed (AMQP 3.5.10).
    DeleteOnClose,
    /// When it has no link (AMQP 3.5.11).
    DeleteOnNoLinks,
    /// When the link that created it is closed and it has no message (AMQP 3.5.12).
    DeleteOnNoMessages,
    /// When it has no link and no message (AMQP 3.5.13).
    DeleteOnNoLinksOrMessages,
}

/// The settings of the addresses that match `pattern`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    /// Address pattern, as in [`crate::permission::Permission`].
    pub pattern: String,
    /// What a matching address becomes when it is created by its first use.
    pub kind: AddressKind,
    /// How often a message may be delivered before it is dead-lettered. 0: without end.
    pub deliveries_max: u16,
    /// Where dead messages of a matching address go.
    pub dead_letter_address: String,
}

/// Where dead messages go unless a policy says otherwise.
pub const DEAD_LETTER_ADDRESS: &str = "wharf/dead-letter";

/// Where dynamic addresses belong: an address below it is made by `Command::Create` alone, so
/// that a late reply to one that is gone does not bring it back.
pub const DYNAMIC_PREFIX: &str = "wharf/dynamic/";

/// Addresses of people begin so: a service fills their mailboxes, and nobody else consumes them.
pub const PERSON_PREFIX: &str = "xmpp:";

impl Policy {
    /// The policies of a shard that was given none: `topic/**` are topics, everything else is a
    /// queue, and a message is dead-lettered after 20 deliveries.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        let policy = |pattern: &str, kind| Self {
            pattern: pattern.to_owned(),
            kind,
            deliveries_max: 20,
            dead_letter_address: DEAD_LETTER_ADDRESS.to_owned(),
        };
        vec![policy("topic/**", AddressKind::Topic), policy("**", AddressKind::Queue)]
    }
}

/// The policies of a shard, most specific first: the first match applies.
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    given: Vec<Policy>,
    fallback: Policy,
}

impl Policies {
    pub(crate) fn new(given: Vec<Policy>) -> Self {
        let fallback = Policy {
            pattern: "**".to_owned(),
            kind: AddressKind::Queue,
            deliveries_max: 20,
            dead_letter_address: DEAD_LETTER_ADDRESS.to_owned(),
        };
        Self { given, fallback }
    }

    pub(crate) fn of(&self, address: &str) -> &Policy {
        let matching = |policy: &&Policy| matches_pattern(&policy.pattern, address);
        self.given.iter().find(matching).unwrap_or(&self.fallback)
    }
}
