//! The shapes of what operations take and give.

mod addresses;
mod connections;
mod definitions;
mod messages;
mod node;
mod policies;
mod routes;
mod tokens;
mod users;

pub use addresses::{
    Address, AddressDeclaration, Kind, Moved, Moving, Purged, Redriving, Subscription,
};
pub use connections::{Closing, Connection, ConnectionChange, ConnectionEvent, Protocol, Session};
pub use definitions::{AddressDefinition, Applied, Definitions, RabbitDefinitions, UserDefinition};
pub use messages::{Death, Message, Peeked, Publishing};
pub use node::{
    AuditEntry, Check, Configuration, Draining, Health, Host, LogEntry, LogLevel, Missed, Overview,
    Phase, Reloaded, Whoami,
};
pub use policies::{Overflow, Policy, PolicyRule};
pub use routes::{Route, RouteKind, RouteRule};
pub use tokens::{Minted, Minting, Token};
pub use users::{Limits, Permission, User, UserChange, UserPermission};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of a list.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to give as `cursor` for the next part; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}
