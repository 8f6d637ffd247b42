//! Settings applied to addresses by pattern.

use crate::limits::{SYSTEM_MESSAGES_MAX, SYSTEM_MESSAGES_MAX_BYTES};
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
    /// Where dead messages of a matching address go. Empty: nowhere, they are dropped.
    pub dead_letter_address: String,
    /// How long a message waits in each queue before it dies. 0: without end.
    pub ttl_ms: u64,
    /// Messages in each queue, those that are out among them. 0: without bound.
    pub messages_max: u64,
    /// Their bodies. 0: without bound.
    pub bytes_max: u64,
    /// What happens at these bounds.
    pub overflow: Overflow,
}

/// What happens to messages for a queue that is full.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Overflow {
    /// The new one dies.
    #[default]
    Reject,
    /// The oldest that is not out dies.
    DropOldest,
}

/// Where dead messages go unless a policy says otherwise.
pub const DEAD_LETTER_ADDRESS: &str = "wharf/dead-letter";

/// Addresses of the broker's own begin so, and the areas of its management.
pub const OWN_PREFIX: &str = "wharf/";

/// Where dynamic addresses belong: an address below it is made by `Command::Create` alone, so
/// that a late reply to one that is gone does not bring it back.
pub const DYNAMIC_PREFIX: &str = "wharf/dynamic/";

/// Addresses of people begin so: a service fills their mailboxes, and nobody else consumes them.
pub const PERSON_PREFIX: &str = "xmpp:";

/// What the broker itself tells has topics that begin so: whoever may look into the area of that
/// name may receive from them, and nobody may send to them.
pub const SYSTEM_PREFIX: &str = "$wharf/";

/// A topic of the broker's own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SystemTopic {
    /// How the broker is.
    Overview,
    /// Connections that open and close.
    Connections,
    /// What administrators do.
    Audit,
    /// Lines of the log.
    Logs,
}

impl SystemTopic {
    /// Every one, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Overview, Self::Connections, Self::Audit, Self::Logs];

    /// Its address.
    #[must_use]
    pub fn address(self) -> &'static str {
        match self {
            Self::Overview => "$wharf/overview",
            Self::Connections => "$wharf/connections",
            Self::Audit => "$wharf/audit",
            Self::Logs => "$wharf/logs",
        }
    }

    /// The one of this address.
    pub(crate) fn of(address: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.address() == address)
    }
}

impl Policy {
    /// What applies to topics of the broker's own: a listener that is away for long finds the
    /// newest.
    fn of_system() -> Self {
        Self {
            deliveries_max: 0,
            dead_letter_address: String::new(),
            messages_max: SYSTEM_MESSAGES_MAX,
            bytes_max: SYSTEM_MESSAGES_MAX_BYTES,
            overflow: Overflow::DropOldest,
            ..Self::new("$wharf/**", AddressKind::Topic)
        }
    }

    /// A policy that says what matching addresses are, and else what is said of all: dead letters
    /// after 20 deliveries, and no bounds.
    #[must_use]
    pub fn new(pattern: &str, kind: AddressKind) -> Self {
        Self {
            pattern: pattern.to_owned(),
            kind,
            deliveries_max: 20,
            dead_letter_address: DEAD_LETTER_ADDRESS.to_owned(),
            ttl_ms: 0,
            messages_max: 0,
            bytes_max: 0,
            overflow: Overflow::Reject,
        }
    }

    /// The policies of a shard that was given none: `topic/**` are topics, everything else is a
    /// queue, and a message is dead-lettered after 20 deliveries.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        vec![Self::new("topic/**", AddressKind::Topic), Self::new("**", AddressKind::Queue)]
    }

    fn is_bounded(&self) -> bool {
        self.ttl_ms > 0 || self.messages_max > 0 || self.bytes_max > 0
    }
}

/// The policies of a shard, most specific first: the first match applies.
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    given: Vec<Policy>,
    fallback: Policy,
    system: Policy,
    has_bounds: bool,
}

impl Policies {
    pub(crate) fn new(given: Vec<Policy>) -> Self {
        let has_bounds = given.iter().any(Policy::is_bounded);
        let fallback = Policy::new("**", AddressKind::Queue);
        Self { given, fallback, system: Policy::of_system(), has_bounds }
    }

    pub(crate) fn of(&self, address: &str) -> &Policy {
        if address.starts_with(SYSTEM_PREFIX) {
            return &self.system;
        }
        let matching = |policy: &&Policy| matches_pattern(&policy.pattern, address);
        self.given.iter().find(matching).unwrap_or(&self.fallback)
    }

    /// Whether any of them bounds anything.
    pub(crate) fn has_bounds(&self) -> bool {
        self.has_bounds
    }
}
