//! Transfer and disposition: the performatives of deliveries (AMQP 2.7.5, 2.7.6).

use super::{ReceiverSettleMode, Role};
use crate::codec::composite;
use crate::messaging::DeliveryState;
use crate::tag::Tag;

/// A message or a part of one; its octets follow as payload (AMQP 2.7.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// The number of the link.
    pub handle: u32,
    /// The number of the delivery; may be absent after the first transfer of it.
    pub delivery_id: Option<u32>,
    /// The name of the delivery; may be absent after the first transfer of it.
    pub delivery_tag: Option<Tag>,
    /// How the message is written; may be absent after the first transfer of it.
    pub message_format: Option<u32>,
    /// The sender has settled the delivery. Absent means what an earlier transfer of it said, or
    /// `false`.
    pub settled: Option<bool>,
    /// Another transfer of the same delivery follows.
    pub more: bool,
    /// When the receiver settles this delivery, if it is not as the link says.
    pub rcv_settle_mode: Option<ReceiverSettleMode>,
    /// The state of the delivery at the sender.
    pub state: Option<DeliveryState>,
    /// The delivery is one that was unsettled when the link was attached again.
    pub resume: bool,
    /// The delivery is given up; what came of it is dropped.
    pub aborted: bool,
    /// The answer need not come at once.
    pub batchable: bool,
}

composite! {
    Transfer, "transfer", 0x14, {
        handle: mandatory uint,
        delivery_id: optional uint,
        delivery_tag: optional tag,
        message_format: optional uint,
        settled: optional boolean,
        more: default boolean (false),
        rcv_settle_mode: optional receiver_settle_mode,
        state: optional delivery_state,
        resume: default boolean (false),
        aborted: default boolean (false),
        batchable: default boolean (false),
    }
}

/// The state of deliveries has changed at the sender of this (AMQP 2.7.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disposition {
    /// Whether its sender received the deliveries, or sent them.
    pub role: Role,
    /// The first delivery.
    pub first: u32,
    /// The last delivery, if there is more than one.
    pub last: Option<u32>,
    /// They are settled.
    pub settled: bool,
    /// Their state.
    pub state: Option<DeliveryState>,
    /// The answer need not come at once.
    pub batchable: bool,
}

composite! {
    Disposition, "disposition", 0x15, {
        role: mandatory role,
        first: mandatory uint,
        last: optional uint,
        settled: default boolean (false),
        state: optional delivery_state,
        batchable: default boolean (false),
    }
}
