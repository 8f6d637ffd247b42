//! How a client connects and how long it tries.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::ClientConfig;
use wharf_mbws::{Flavour, Kind, LengthUnit, WindowLimits};

/// What a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// MBWS or MBLWS, on a WebSocket.
    #[default]
    Mbws,
    /// AMQP 1.0, on a WebSocket or straight on TCP or TLS.
    Amqp,
    /// XMPP, on a WebSocket.
    Xmpp,
}

/// Everything a client is told at its start.
#[derive(Clone)]
pub struct Options {
    /// A `ws` or `wss` URL; for AMQP also `amqp` or `amqps`; for XMPP also `xmpp:` and a domain,
    /// which is asked where its WebSocket is, see [`discover`](crate::discover).
    pub url: String,
    /// What to speak. [`Options::new`] takes it from the URL: `amqp` and `amqps` are AMQP,
    /// `xmpp` is XMPP, the others MBWS unless this is changed.
    pub protocol: Protocol,
    /// User and password. MBWS sends them as HTTP Basic with the upgrade, so that only over `wss`
    /// are they safe. AMQP and XMPP log in with the strongest mechanism that the broker offers, SCRAM
    /// before PLAIN; without them AMQP is EXTERNAL or ANONYMOUS, and XMPP ANONYMOUS.
    pub credentials: Option<(String, String)>,
    /// The origin on whose behalf the client acts. A connection is recovered by the same user and
    /// origin only (MBWS-014).
    // MBWS-005
    pub origin: Option<String>,
    /// Whom to trust, for `wss` and `amqps`.
    pub tls: Tls,
    /// MBWS, or MBLWS without recovery: a message counts as sent when it is handed to the socket.
    pub flavour: Flavour,
    /// What string lengths count; must be what the broker's endpoint counts.
    pub unit: LengthUnit,
    /// What may be sent and not acknowledged, or not settled.
    pub window: WindowLimits,
    /// The longest message to receive, in octets.
    pub message_size_max_bytes: usize,
    /// How long opening a session may take.
    pub connect_timeout: Duration,
    /// MBWS: send a Ping after so much silence, to find out about dead connections. AMQP: the
    /// broker is asked to say something at least this often, and is given up after twice as long.
    /// XMPP: as MBWS, and the stream is asked too.
    pub ping_interval: Duration,
    /// The pauses between attempts.
    pub retry: Retry,
    /// How long [`Client::close`](crate::Client::close) waits for acknowledgements.
    pub close_timeout: Duration,
    /// Redirects may lead from an encrypted connection to one that is not.
    // WSB-066
    pub follow_less_secure: bool,
    /// AMQP: the name of this container. Durable subscriptions belong to it, so it must be the
    /// same each time and nobody else's. Without one, a random name.
    pub container: Option<String>,
    /// XMPP: the domain of the service. Without it that of the URL, and `localhost` for a broker on
    /// this machine.
    pub host: Option<String>,
    /// XMPP: the name of this client among those of its account; without it, a random one. A
    /// second client of the same name ends the first.
    pub resource: Option<String>,
    /// AMQP: messages are sent and received settled. A message counts as sent when it is handed to
    /// the socket, and as received when it has arrived: at most once.
    pub presettled: bool,
    /// AMQP and XMPP: PLAIN may show the password to a broker elsewhere although the connection is not
    /// encrypted. To this machine it always may.
    pub plain_without_tls: bool,
}

/// Whom to trust, for `wss` and `amqps`.
#[derive(Clone, Debug, Default)]
pub enum Tls {
    /// The certificate authorities that browsers trust.
    #[default]
    PublicRoots,
    /// The certificates in this PEM text, and no others.
    Roots(Vec<u8>),
    /// Anybody: whoever is in between can read and change everything. For tests alone.
    Insecure,
    /// As configured.
    Config(Arc<ClientConfig>),
}

/// The pauses before attempts to recover: each is random, between nothing and a bound that doubles
/// with every failure.
// WS-HC-24
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Bound of the first pause. With 5 s a large fleet comes back gently; a person at a terminal
    /// wants less.
    pub first_max: Duration,
    /// Bound of every pause.
    pub max: Duration,
    /// Recovery is given up after so long: the broker forgets sessions too.
    pub give_up_after: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            first_max: Duration::from_secs(5),
            max: Duration::from_secs(60),
            give_up_after: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl Retry {
    /// The longest pause after so many attempts.
    pub(crate) fn bound(&self, attempts: u32) -> Duration {
        let factor = 2u32.checked_pow(attempts).unwrap_or(u32::MAX);
        self.first_max.saturating_mul(factor).min(self.max)
    }
}

impl Options {
    /// The defaults, for one URL.
    pub fn new(url: impl Into<String>) -> Self {
        let url = url.into();
        let scheme = url.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let protocol = match scheme.as_str() {
            "amqp" | "amqps" => Protocol::Amqp,
            "xmpp" => Protocol::Xmpp,
            _ => Protocol::Mbws,
        };
        Options {
            protocol,
            url,
            credentials: None,
            origin: None,
            tls: Tls::default(),
            flavour: Flavour::Full,
            unit: LengthUnit::default(),
            window: WindowLimits::default(),
            message_size_max_bytes: 16 << 20,
            connect_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(20),
            retry: Retry::default(),
            close_timeout: Duration::from_secs(5),
            follow_less_secure: false,
            container: None,
            host: None,
            resource: None,
            presettled: false,
            plain_without_tls: false,
        }
    }

    pub(crate) fn mbws_engine(&self) -> wharf_mbws::client::Options {
        wharf_mbws::client::Options {
            flavour: self.flavour,
            kind: Kind::Binary,
            unit: self.unit,
            window: self.window,
            ..Default::default()
        }
    }

    pub(crate) fn socket(&self) -> wharf_ws::Config {
        wharf_ws::Config {
            frame_size_max_bytes: self.message_size_max_bytes as u64,
            message_size_max_bytes: self.message_size_max_bytes,
            ping_interval: Some(self.ping_interval),
            ..wharf_ws::Config::default()
        }
    }
}

impl fmt::Debug for Options {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.credentials.as_ref().map(|(user, _)| user);
        let mut debug = f.debug_struct("Options");
        debug.field("url", &self.url).field("protocol", &self.protocol).field("user", &user);
        debug.field("origin", &self.origin).field("flavour", &self.flavour);
        debug.field("retry", &self.retry).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_printed() {
        let mut options = Options::new("ws://localhost/ws");
        options.credentials = Some(("alice".into(), "secret".into()));
        let printed = format!("{options:?}");
        assert!(printed.contains("alice") && !printed.contains("secret"));
    }

    #[test]
    fn the_url_says_what_is_spoken() {
        for (url, protocol) in [
            ("ws://a/ws", Protocol::Mbws),
            ("wss://a/ws", Protocol::Mbws),
            ("amqp://a", Protocol::Amqp),
            ("AMQPS://a", Protocol::Amqp),
            ("xmpp:example.com", Protocol::Xmpp),
        ] {
            assert_eq!(Options::new(url).protocol, protocol, "{url}");
        }
    }
}
