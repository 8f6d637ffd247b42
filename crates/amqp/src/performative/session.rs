//! Begin and end: the performatives of a session (AMQP 2.7.2, 2.7.8).

use crate::codec::composite;
use crate::condition::Error;
use crate::value::Fields;

/// Begins a session (AMQP 2.7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    /// In an answer, the channel that the peer's begin came on.
    pub remote_channel: Option<u16>,
    /// The transfer id of the first transfer that the sender will send.
    pub next_outgoing_id: u32,
    /// How many transfers the sender takes for now.
    pub incoming_window: u32,
    /// How many transfers the sender would send for now.
    pub outgoing_window: u32,
    /// The highest handle that may be used. Without one, 2^32 - 1.
    pub handle_max: u32,
    /// The extensions that the sender has.
    pub offered_capabilities: Vec<String>,
    /// The extensions that the sender would use.
    pub desired_capabilities: Vec<String>,
    /// Whatever else there is to say about the session.
    pub properties: Fields,
}

impl Begin {
    /// A begin with these windows, and nothing else.
    pub fn new(next_outgoing_id: u32, incoming_window: u32, outgoing_window: u32) -> Self {
        Begin {
            remote_channel: None,
            next_outgoing_id,
            incoming_window,
            outgoing_window,
            handle_max: u32::MAX,
            offered_capabilities: Vec::new(),
            desired_capabilities: Vec::new(),
            properties: Fields::new(),
        }
    }
}

composite! {
    Begin, "begin", 0x11, {
        remote_channel: optional ushort,
        next_outgoing_id: mandatory uint,
        incoming_window: mandatory uint,
        outgoing_window: mandatory uint,
        handle_max: default uint (u32::MAX),
        offered_capabilities: unless_empty symbols,
        desired_capabilities: unless_empty symbols,
        properties: unless_empty fields,
    }
}

/// Ends a session (AMQP 2.7.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// Why, if not because all is done.
    pub error: Option<Error>,
}

composite! {
    End, "end", 0x17, {
        error: optional error,
    }
}
