//! Open and close: the performatives of a connection (AMQP 2.7.1, 2.7.9).

use crate::codec::composite;
use crate::condition::Error;
use crate::value::Fields;

/// Begins a connection: what the sender can and will do (AMQP 2.7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The name of the sending container.
    pub container_id: String,
    /// The host that the sender wants to talk to.
    pub hostname: Option<String>,
    /// The largest frame that the sender takes, in octets. Without one, 2^32 - 1.
    pub max_frame_size: u32,
    /// The highest channel that may be used. Without one, 65535.
    pub channel_max: u16,
    /// How long the sender waits for a frame before it gives the peer up, in milliseconds; zero is
    /// the same as none.
    pub idle_time_out: Option<u32>,
    /// The languages of texts that the sender can send.
    pub outgoing_locales: Vec<String>,
    /// The languages of texts that the sender wants, the best first.
    pub incoming_locales: Vec<String>,
    /// The extensions that the sender has.
    pub offered_capabilities: Vec<String>,
    /// The extensions that the sender would use.
    pub desired_capabilities: Vec<String>,
    /// Whatever else there is to say about the connection.
    pub properties: Fields,
}

impl Open {
    /// An open that says nothing but the container's name.
    pub fn new(container_id: impl Into<String>) -> Self {
        Open {
            container_id: container_id.into(),
            hostname: None,
            max_frame_size: u32::MAX,
            channel_max: u16::MAX,
            idle_time_out: None,
            outgoing_locales: Vec::new(),
            incoming_locales: Vec::new(),
            offered_capabilities: Vec::new(),
            desired_capabilities: Vec::new(),
            properties: Fields::new(),
        }
    }
}

composite! {
    Open, "open", 0x10, {
        container_id: mandatory string,
        hostname: optional string,
        max_frame_size: default uint (u32::MAX),
        channel_max: default ushort (u16::MAX),
        idle_time_out: optional uint,
        outgoing_locales: unless_empty symbols,
        incoming_locales: unless_empty symbols,
        offered_capabilities: unless_empty symbols,
        desired_capabilities: unless_empty symbols,
        properties: unless_empty fields,
    }
}

/// Ends a connection (AMQP 2.7.9).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Close {
    /// Why, if not because all is done.
    pub error: Option<Error>,
}

composite! {
    Close, "close", 0x18, {
        error: optional error,
    }
}
