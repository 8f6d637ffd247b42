//! The settings of every connection.

use crate::limits::ACKNOWLEDGEMENT_EVERY;
use crate::place::{Location, Place};
use std::sync::Arc;
use std::time::Duration;
use wharf_xmpp::limits::{Limits as StreamLimits, STANZA_SIZE_MIN_BYTES, XmlLimits};
use wharf_xmpp::server::Config as StreamConfig;
use wharf_xmpp::stream::Pacing;

/// Which closing handshakes end an MBWS connection for good (MBWS-A09).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum CloseEnds {
    /// Code 1000 and no code at all. Everything else keeps the session for recovery.
    #[default]
    Normal,
    /// Any completed handshake: the letter of the draft.
    Any,
}

/// The settings of AMQP connections.
#[derive(Clone, Debug)]
pub struct Amqp {
    /// The name of this container, told to every peer.
    pub container_id: String,
    /// Largest frame accepted.
    pub frame_size_max_bytes: u32,
    /// Sessions one connection may have at a time.
    pub sessions_max: u16,
    /// Links one session may have at a time.
    pub links_per_session_max: u32,
    /// A peer that is silent for twice this long is closed; it is told this value. `None` never.
    pub idle_time_out: Option<Duration>,
    /// Time from the first octet to the peer's open, its login included.
    pub open_timeout: Duration,
}

impl Default for Amqp {
    fn default() -> Self {
        Self {
            container_id: "wharf".to_owned(),
            frame_size_max_bytes: 64 << 10,
            sessions_max: 256,
            links_per_session_max: 1024,
            idle_time_out: Some(Duration::from_secs(60)),
            open_timeout: Duration::from_secs(10),
        }
    }
}

/// The settings of XMPP connections.
#[derive(Clone, Debug)]
pub struct Xmpp {
    stream: Arc<StreamConfig>,
    resume_max: Duration,
    registration: bool,
}

/// What can be chosen of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct XmppSettings {
    /// Longest stanza in octets.
    pub stanza_size_max_bytes: usize,
    /// Time from the WebSocket's handshake to the first stanza, the login included.
    pub login_timeout: Duration,
    /// Time for the client's `<close/>` after ours.
    pub close_timeout: Duration,
    /// How long a managed stream can be resumed after its connection, as clients are told.
    pub resume_max: Duration,
    /// Whether people may make, change and remove their accounts by themselves (XEP-0077).
    pub registration: bool,
}

impl Default for XmppSettings {
    fn default() -> Self {
        let (limits, pacing) = (StreamLimits::default(), Pacing::default());
        Self {
            stanza_size_max_bytes: limits.xml.size_max_bytes,
            login_timeout: pacing.login_timeout,
            close_timeout: pacing.close_timeout,
            resume_max: Duration::from_secs(24 * 3600),
            registration: false,
        }
    }
}

impl Xmpp {
    /// The settings of the streams to these hosts.
    #[must_use]
    pub fn new(settings: &XmppSettings, hosts: &[String]) -> Self {
        let &XmppSettings { login_timeout, close_timeout, resume_max, registration, .. } = settings;
        // XWS-A07
        let size_max_bytes = settings.stanza_size_max_bytes.max(STANZA_SIZE_MIN_BYTES);
        let limits = StreamLimits::default();
        let xml = XmlLimits { size_max_bytes, ..limits.xml };
        let stream = StreamConfig {
            limits: StreamLimits { xml, ..limits },
            pacing: Pacing {
                login_timeout,
                close_timeout,
                request_after_stanzas: ACKNOWLEDGEMENT_EVERY,
                ..Pacing::default()
            },
            carbons: true,
            features: wharf_chat::stream_features(registration),
            ..StreamConfig::new(hosts.first().cloned().unwrap_or_default())
        };
        Self { stream: Arc::new(stream), resume_max, registration }
    }

    pub(crate) fn registration(&self) -> bool {
        self.registration
    }

    pub(crate) fn stream(&self) -> &Arc<StreamConfig> {
        &self.stream
    }

    pub(crate) fn stanza_size_max_bytes(&self) -> usize {
        self.stream.limits.xml.size_max_bytes
    }

    pub(crate) fn resume_max_secs(&self) -> u32 {
        u32::try_from(self.resume_max.as_secs()).unwrap_or(u32::MAX)
    }
}

impl Default for Xmpp {
    fn default() -> Self {
        Self::new(&XmppSettings::default(), &[])
    }
}

/// The settings of every connection.
#[derive(Clone, Debug)]
pub struct Config {
    /// The virtual hosts, by name; the first is that of whoever names none.
    pub hosts: Vec<String>,
    /// What is served elsewhere; the first that fits applies.
    pub locations: Vec<Location>,
    /// Where clients are sent when this node is drained.
    pub drained_to: Option<Place>,
    /// AMQP.
    pub amqp: Amqp,
    /// XMPP.
    pub xmpp: Xmpp,
    /// Longest message in bytes, inflated.
    pub message_size_max_bytes: usize,
    /// A Ping after so long without input; `None` never.
    pub ping_interval: Option<Duration>,
    /// How long a pinged peer may stay silent.
    pub pong_timeout: Duration,
    /// How long the peer has to answer a Close.
    pub close_timeout: Duration,
    /// Which closing handshakes end an MBWS connection.
    pub close_ends: CloseEnds,
    /// Whether a normal close settles what the client has not acknowledged, as MBWS-025 allows,
    /// instead of giving it back to its addresses (MBWS-A10).
    pub close_acknowledges: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            locations: Vec::new(),
            drained_to: None,
            amqp: Amqp::default(),
            xmpp: Xmpp::default(),
            message_size_max_bytes: 16 << 20,
            ping_interval: Some(Duration::from_secs(30)),
            pong_timeout: Duration::from_secs(20),
            close_timeout: Duration::from_secs(5),
            close_ends: CloseEnds::Normal,
            close_acknowledges: false,
        }
    }
}

impl Config {
    /// `message_size_max_bytes` is that of the WebSocket.
    pub(crate) fn websocket(&self, message_size_max_bytes: usize) -> wharf_ws::Config {
        wharf_ws::Config {
            frame_size_max_bytes: message_size_max_bytes as u64,
            message_size_max_bytes,
            ping_interval: self.ping_interval,
            pong_timeout: self.pong_timeout,
            close_timeout: self.close_timeout,
            ..wharf_ws::Config::default()
        }
    }
}
