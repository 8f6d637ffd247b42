//! Messages and what happens to them: sections, delivery states, sources and targets (AMQP part 3).

mod body;
mod build;
mod descriptor;
mod header;
mod policy;
mod properties;
mod sections;
mod state;
mod terminus;

pub use body::BodySections;
pub use build::{
    append_application_properties, append_data, append_data_head, append_delivery_annotations,
    append_footer, append_message_annotations, append_sequence, append_text_head, append_value,
};
pub use header::{AnnotationKey, Annotations, Header};
pub use policy::{DistributionMode, LifetimePolicy, TerminusDurability, TerminusExpiryPolicy};
pub use properties::{ApplicationProperties, MessageId, Properties};
pub use sections::{Body, BodyKind, Sections, Span};
pub use state::{DeliveryState, Modified};
pub use terminus::{Coordinator, Source, Target, TargetArchetype};

/// The number of the format of messages that this module reads and writes (AMQP 3.2.16).
pub const MESSAGE_FORMAT: u32 = 0;
