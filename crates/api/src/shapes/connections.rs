//! Who is here.

use super::is_false;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The protocol of a connection.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// MBWS or MBLWS.
    #[default]
    Mbws,
    /// AMQP 1.0.
    Amqp,
    /// XMPP.
    Xmpp,
}

/// A connection.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Connection {
    /// Its number.
    pub id: String,
    /// Its protocol.
    pub protocol: Protocol,
    /// Who has logged in; absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The virtual host.
    pub host: String,
    /// Address and port it comes from.
    pub peer: String,
    /// Whether it is encrypted.
    pub secure: bool,
    /// What the client has put into the URL of the WebSocket as `tag`, to find itself again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// When it was opened, in milliseconds since 1970.
    pub opened_at_ms: u64,
    /// Its session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// When it is closed for its login is over, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_expires_at_ms: Option<u64>,
}

/// How a connection shall end.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Closing {
    /// Without a word: the socket is closed, as if the wire were cut.
    #[serde(default, skip_serializing_if = "is_false")]
    pub abrupt: bool,
}

/// A session.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Session {
    /// Its number.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// The virtual host.
    pub host: String,
    /// The origin of the page that opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Whether it outlives its connection.
    pub recoverable: bool,
    /// Its connection; absent while it waits for its client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Until when its client may come back, in milliseconds since 1970, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumable_until_ms: Option<u64>,
    /// Deliveries that are not settled.
    pub deliveries_unsettled: u64,
    /// Their bodies, in bytes.
    pub deliveries_unsettled_bytes: u64,
    /// Consumers.
    pub consumers: u64,
    /// Messages taken from it.
    pub messages_received: u64,
    /// Deliveries made to it.
    pub messages_delivered: u64,
}

/// What has become of a connection.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionChange {
    /// Its user has logged in.
    #[default]
    Opened,
    /// It is over.
    Closed,
}

/// In the topic `$wharf/connections`: a connection has opened or closed.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct ConnectionEvent {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// What has happened.
    pub change: ConnectionChange,
    /// Which connection.
    pub connection: Connection,
}
