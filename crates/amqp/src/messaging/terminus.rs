//! Sources and targets (AMQP 3.5.3, 3.5.4, 4.5.1).

use super::{DeliveryState, DistributionMode, TerminusDurability, TerminusExpiryPolicy};
use crate::codec::{Composite, DecodeError, Reader, composite};
use crate::value::Fields;

/// Where the messages of a link come from (AMQP 3.5.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The address.
    pub address: Option<String>,
    /// What of it survives a restart.
    pub durable: TerminusDurability,
    /// When it begins to expire.
    pub expiry_policy: TerminusExpiryPolicy,
    /// How long it takes to expire, in seconds.
    pub timeout: u32,
    /// The peer makes a node for the link.
    pub dynamic: bool,
    /// What that node is to be like, or is like.
    pub dynamic_node_properties: Fields,
    /// Whether messages are consumed or browsed.
    pub distribution_mode: Option<DistributionMode>,
    /// Which messages go over the link: names, each with a described value or null (AMQP 3.5.8).
    pub filter: Fields,
    /// The outcome of a delivery that is settled without one.
    pub default_outcome: Option<DeliveryState>,
    /// The symbolic descriptors of the outcomes that may be chosen.
    pub outcomes: Vec<String>,
    /// The extensions that the source has, or is to have.
    pub capabilities: Vec<String>,
}

composite! {
    Source, "source", 0x28, {
        address: optional string,
        durable: default terminus_durability (TerminusDurability::None),
        expiry_policy: default terminus_expiry_policy (TerminusExpiryPolicy::SessionEnd),
        timeout: default uint (0),
        dynamic: default boolean (false),
        dynamic_node_properties: unless_empty fields,
        distribution_mode: optional distribution_mode,
        filter: unless_empty fields,
        default_outcome: optional outcome,
        outcomes: unless_empty symbols,
        capabilities: unless_empty symbols,
    }
}

/// Where the messages of a link go (AMQP 3.5.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The address.
    pub address: Option<String>,
    /// What of it survives a restart.
    pub durable: TerminusDurability,
    /// When it begins to expire.
    pub expiry_policy: TerminusExpiryPolicy,
    /// How long it takes to expire, in seconds.
    pub timeout: u32,
    /// The peer makes a node for the link.
    pub dynamic: bool,
    /// What that node is to be like, or is like.
    pub dynamic_node_properties: Fields,
    /// The extensions that the target has, or is to have.
    pub capabilities: Vec<String>,
}

composite! {
    Target, "target", 0x29, {
        address: optional string,
        durable: default terminus_durability (TerminusDurability::None),
        expiry_policy: default terminus_expiry_policy (TerminusExpiryPolicy::SessionEnd),
        timeout: default uint (0),
        dynamic: default boolean (false),
        dynamic_node_properties: unless_empty fields,
        capabilities: unless_empty symbols,
    }
}

/// The target of a link to a coordinator of transactions (AMQP 4.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coordinator {
    /// What the coordinator can do, or is to do: see [`Capability`](crate::transaction::Capability).
    pub capabilities: Vec<String>,
}

composite! {
    Coordinator, "coordinator", 0x30, {
        capabilities: unless_empty symbols,
    }
}

/// What may stand in the field `target` of an attach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetArchetype {
    /// A node (AMQP 3.5.4).
    Target(Target),
    /// A coordinator of transactions (AMQP 4.5.1).
    Coordinator(Coordinator),
}

impl TargetArchetype {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let descriptor = reader.descriptor()?;
        if Target::is_described_by(descriptor) {
            Target::read_list(reader).map(TargetArchetype::Target)
        } else if Coordinator::is_described_by(descriptor) {
            Coordinator::read_list(reader).map(TargetArchetype::Coordinator)
        } else {
            Err(DecodeError::field("not a target"))
        }
    }

    /// Appends it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            TargetArchetype::Target(target) => target.encode(out),
            TargetArchetype::Coordinator(coordinator) => coordinator.encode(out),
        }
    }
}

impl From<Target> for TargetArchetype {
    fn from(target: Target) -> Self {
        TargetArchetype::Target(target)
    }
}

impl From<Coordinator> for TargetArchetype {
    fn from(coordinator: Coordinator) -> Self {
        TargetArchetype::Coordinator(coordinator)
    }
}
