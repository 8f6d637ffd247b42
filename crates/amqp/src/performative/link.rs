//! Attach, flow and detach: the performatives of a link (AMQP 2.7.3, 2.7.4, 2.7.7).

use super::{ReceiverSettleMode, Role, SenderSettleMode};
use crate::codec::composite;
use crate::condition::Error;
use crate::messaging::{DeliveryState, Source, TargetArchetype};
use crate::tag::Tag;
use crate::value::Fields;

/// What is unsettled on a link: delivery tags, each with the state of its delivery if it has one
/// (AMQP 2.6.13).
pub type Unsettled = Vec<(Tag, Option<DeliveryState>)>;

/// Attaches a link to a session (AMQP 2.7.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attach {
    /// The name of the link.
    pub name: String,
    /// The number that stands for the link until it is detached.
    pub handle: u32,
    /// Which end of the link the sender of this is.
    pub role: Role,
    /// When the link's sender settles.
    pub snd_settle_mode: SenderSettleMode,
    /// When the link's receiver settles.
    pub rcv_settle_mode: ReceiverSettleMode,
    /// Where messages come from.
    pub source: Option<Source>,
    /// Where messages go.
    pub target: Option<TargetArchetype>,
    /// What is unsettled of a link that is resumed; absent when it is not resumed.
    pub unsettled: Option<Unsettled>,
    /// Not everything that is unsettled is in `unsettled`.
    pub incomplete_unsettled: bool,
    /// The delivery count of the link's sender; absent at the receiver.
    pub initial_delivery_count: Option<u32>,
    /// The largest message taken, in octets; zero is the same as none.
    pub max_message_size: Option<u64>,
    /// The extensions that the sender of this has.
    pub offered_capabilities: Vec<String>,
    /// The extensions that the sender of this would use.
    pub desired_capabilities: Vec<String>,
    /// Whatever else there is to say about the link.
    pub properties: Fields,
}

impl Attach {
    /// An attach that says nothing but what it must.
    pub fn new(name: impl Into<String>, handle: u32, role: Role) -> Self {
        Attach {
            name: name.into(),
            handle,
            role,
            snd_settle_mode: SenderSettleMode::default(),
            rcv_settle_mode: ReceiverSettleMode::default(),
            source: None,
            target: None,
            unsettled: None,
            incomplete_unsettled: false,
            initial_delivery_count: None,
            max_message_size: None,
            offered_capabilities: Vec::new(),
            desired_capabilities: Vec::new(),
            properties: Fields::new(),
        }
    }
}

composite! {
    Attach, "attach", 0x12, {
        name: mandatory string,
        handle: mandatory uint,
        role: mandatory role,
        snd_settle_mode: default sender_settle_mode (SenderSettleMode::Mixed),
        rcv_settle_mode: default receiver_settle_mode (ReceiverSettleMode::First),
        source: optional source,
        target: optional target,
        unsettled: optional unsettled,
        incomplete_unsettled: default boolean (false),
        initial_delivery_count: optional uint,
        max_message_size: optional ulong,
        offered_capabilities: unless_empty symbols,
        desired_capabilities: unless_empty symbols,
        properties: unless_empty fields,
    }
}

/// The state of a session's windows and, with a handle, of a link's credit (AMQP 2.7.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// The transfer id that is expected next; absent before the peer's begin came.
    pub next_incoming_id: Option<u32>,
    /// How many transfers the sender of this takes now.
    pub incoming_window: u32,
    /// The transfer id that will be sent next.
    pub next_outgoing_id: u32,
    /// How many transfers the sender of this would send now.
    pub outgoing_window: u32,
    /// The link that the rest is about.
    pub handle: Option<u32>,
    /// The delivery count of the link.
    pub delivery_count: Option<u32>,
    /// How many more deliveries the link's receiver takes.
    pub link_credit: Option<u32>,
    /// How many messages the link's sender could send.
    pub available: Option<u32>,
    /// The link's sender uses up its credit, with messages or without.
    pub drain: bool,
    /// The peer answers with its own flow.
    pub echo: bool,
    /// Whatever else there is to say about the link.
    pub properties: Fields,
}

composite! {
    Flow, "flow", 0x13, {
        next_incoming_id: optional uint,
        incoming_window: mandatory uint,
        next_outgoing_id: mandatory uint,
        outgoing_window: mandatory uint,
        handle: optional uint,
        delivery_count: optional uint,
        link_credit: optional uint,
        available: optional uint,
        drain: default boolean (false),
        echo: default boolean (false),
        properties: unless_empty fields,
    }
}

/// Detaches a link from its session (AMQP 2.7.7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detach {
    /// The number of the link.
    pub handle: u32,
    /// The link is over, and not only detached.
    pub closed: bool,
    /// Why, if not because all is done.
    pub error: Option<Error>,
}

composite! {
    Detach, "detach", 0x16, {
        handle: mandatory uint,
        closed: default boolean (false),
        error: optional error,
    }
}
