//! Where else something is served: what a redirect says (WSB section 3).

use std::fmt;
use std::str::FromStr;

/// How a place is reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// AMQP on TCP.
    Amqp,
    /// AMQP on TLS.
    Amqps,
    /// A WebSocket.
    Ws,
    /// A WebSocket on TLS.
    Wss,
}

impl Scheme {
    const ALL: [Self; 4] = [Self::Amqp, Self::Amqps, Self::Ws, Self::Wss];

    /// Its name in a URL.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Amqp => "amqp",
            Self::Amqps => "amqps",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// Whether it is encrypted.
    #[must_use]
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Amqps | Self::Wss)
    }

    /// Whether it is a WebSocket, and so has a path.
    #[must_use]
    pub fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }

    /// The port where none is named.
    // WSB-091.
    fn port(self) -> u16 {
        match self {
            Self::Amqp => 5672,
            Self::Amqps => 5671,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }
}

/// A place: `scheme://host[:port][/path]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// How it is reached.
    pub scheme: Scheme,
    /// Host name or IP address, an IPv6 address in brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path of the WebSocket, beginning with `/`.
    // WSB-067.
    pub path: Option<String>,
}

/// What is wrong with the URL of a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoPlace;

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected ws://, wss://, amqp:// or amqps:// with a host, perhaps a port, and for \
             WebSockets perhaps a path",
        )
    }
}

impl std::error::Error for NoPlace {}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port, path } = self;
        write!(f, "{}://{host}", scheme.name())?;
        if *port != scheme.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(path.as_deref().unwrap_or_default())
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(url: &str) -> Result<Self, NoPlace> {
        let (scheme, rest) = url.split_once("://").ok_or(NoPlace)?;
        let scheme = Scheme::ALL.into_iter().find(|one| one.name() == scheme).ok_or(NoPlace)?;
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at_checked(at).ok_or(NoPlace)?,
            None => (rest, ""),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| NoPlace)?)
            }
            _ => (authority, scheme.port()),
        };
        let path = Some(path).filter(|path| !path.is_empty()).map(str::to_owned);
        let plain = host.bytes().all(|byte| byte.is_ascii_graphic() && !b"@?#".contains(&byte));
        let path_fits = path.is_none() || scheme.is_websocket();
        if host.is_empty() || !plain || port == 0 || !path_fits {
            return Err(NoPlace);
        }
        Ok(Self { scheme, host: host.to_owned(), port, path })
    }
}

/// What is served elsewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Location {
    /// What it is.
    pub what: Located,
    /// Where it is.
    pub place: Place,
}

/// What can be elsewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Located {
    /// A virtual host, by name.
    Host(String),
    /// The addresses that match a pattern.
    Addresses(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_from_urls() {
        let table = [
            ("ws://a", (Scheme::Ws, "a", 80, None)),
            ("wss://a.example:8443/ws/x", (Scheme::Wss, "a.example", 8443, Some("/ws/x"))),
            ("amqp://[::1]", (Scheme::Amqp, "[::1]", 5672, None)),
            ("amqps://[::1]:99", (Scheme::Amqps, "[::1]", 99, None)),
        ];
        for (url, (scheme, host, port, path)) in table {
            let place: Place = url.parse().unwrap();
            let found = (place.scheme, place.host.as_str(), place.port, place.path.as_deref());
            assert_eq!(found, (scheme, host, port, path), "{url}");
            assert_eq!(place.to_string(), url);
        }
    }

    #[test]
    fn nonsense_is_no_place() {
        for url in [
            "",
            "a",
            "http://a",
            "ws://",
            "ws://:1",
            "ws://a:0",
            "ws://a:x",
            "amqp://a/b",
            "ws://u@a",
        ] {
            assert_eq!(url.parse::<Place>(), Err(NoPlace), "{url}");
        }
    }
}
