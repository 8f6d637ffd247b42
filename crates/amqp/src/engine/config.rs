//! The settings of one connection.

use std::time::Duration;

/// Which side of the connection this is. Only the first steps differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Opened the transport, and sends the first header.
    Initiator,
    /// Accepted the transport.
    Acceptor,
}

/// What carries the octets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Framing {
    /// A stream, such as TCP or TLS.
    Stream,
    /// Messages that a protocol header must have for itself (WSB-023, WSB-031).
    Messages,
}

/// Whether there is a SASL layer before AMQP (AMQP 5.3).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum SaslPolicy {
    /// None: the AMQP header comes first. An acceptor answers a SASL header with the AMQP one.
    #[default]
    Absent,
    /// An acceptor goes on with either header and offers these mechanisms in a SASL layer; if there
    /// are none, there is no such layer.
    Offered(Vec<String>),
    /// A SASL layer is demanded. An acceptor offers these mechanisms; for an initiator the list is
    /// empty and the mechanism is chosen when the offer has come.
    Required(Vec<String>),
}

/// The settings of one connection; limits are those told to the peer and enforced on it.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which side this is.
    pub role: Role,
    /// What carries the octets.
    pub framing: Framing,
    /// The SASL layer.
    pub sasl: SaslPolicy,
    /// Largest frame accepted, in octets; less than 512 is 512 (AMQP 2.7.1).
    pub max_frame_size_bytes: u32,
    /// Highest channel number accepted: sessions on the connection, less one.
    pub channel_max: u16,
    /// Highest link handle accepted in a session.
    pub handle_max: u32,
    /// The peer is told this value, and is closed after two to three times as long without a word
    /// (AMQP 2.4.5). `None`, or less than a millisecond: it may be silent for ever.
    pub idle_time_out: Option<Duration>,
    /// Transfer frames a session may receive before the next flow; at least 1.
    pub incoming_window_frames: u32,
    /// Largest message accepted, in octets, over all its frames. The parts of unfinished ones may
    /// take four times as much, over all links.
    pub message_size_max_bytes: u64,
    /// Time from the first header to the peer's open.
    pub open_timeout: Duration,
    /// Time for the peer's close after ours.
    pub close_timeout: Duration,
}

impl Config {
    /// The settings a server begins with; a client changes `role`.
    #[must_use]
    pub fn new(role: Role, framing: Framing) -> Self {
        Self {
            role,
            framing,
            sasl: SaslPolicy::Absent,
            max_frame_size_bytes: 64 << 10,
            channel_max: 255,
            handle_max: 1023,
            idle_time_out: Some(Duration::from_secs(60)),
            incoming_window_frames: 8192,
            message_size_max_bytes: 16 << 20,
            open_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
        }
    }
}
