//! Where a broker is: what a URL, a redirect or a `Location` names.

use std::net::Ipv6Addr;

use wharf_ws::uri::{Uri, UriError};

use super::RedirectFault;

/// How a place is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Ws,
    Wss,
    Amqp,
    Amqps,
}

impl Scheme {
    pub(crate) const ALL: [Self; 4] = [Self::Wss, Self::Amqps, Self::Ws, Self::Amqp];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ws => "ws",
            Self::Wss => "wss",
            Self::Amqp => "amqp",
            Self::Amqps => "amqps",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name().eq_ignore_ascii_case(name))
    }

    pub(crate) fn is_secure(self) -> bool {
        matches!(self, Self::Wss | Self::Amqps)
    }

    pub(crate) fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }

    // WSB-091; AMQP 2.8.19.
    fn port(self) -> u16 {
        match self {
            Self::Ws => 80,
            Self::Wss => 443,
            Self::Amqp => 5672,
            Self::Amqps => 5671,
        }
    }
}

/// A broker, as it is named and as it is reached: a redirect may tell the two apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    scheme: Scheme,
    /// Whom to talk to, in `Host`, TLS, SASL and AMQP's open; and the path.
    named: Uri,
    /// Where TCP goes.
    reached: Uri,
}

/// What a redirect says of a place; what it leaves out is as it was (WSB section 3).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Directions<'a> {
    pub(crate) scheme: Option<&'a str>,
    pub(crate) hostname: Option<&'a str>,
    pub(crate) network_host: Option<&'a str>,
    pub(crate) port: Option<u16>,
    pub(crate) path: Option<&'a str>,
}

impl Place {
    /// The place of a URL: `ws`, `wss`, `amqp` or `amqps`.
    pub(crate) fn parse(url: &str) -> Result<Self, UriError> {
        let (scheme, rest) = url.split_once("://").ok_or(UriError::Scheme)?;
        let scheme = Scheme::from_name(scheme).ok_or(UriError::Scheme)?;
        // One grammar for all; a default port is not one of a WebSocket's.
        let uri = uri(scheme, rest)?;
        let is_port_named = uri.authority() != uri.host();
        let port = if is_port_named { uri.port() } else { scheme.port() };
        if !scheme.is_websocket() && uri.resource_name() != "/" {
            return Err(UriError::Resource);
        }
        Self::new(scheme, uri.host(), uri.host(), port, uri.resource_name())
    }

    fn new(
        scheme: Scheme,
        hostname: &str,
        network_host: &str,
        port: u16,
        path: &str,
    ) -> Result<Self, UriError> {
        let named = uri(scheme, &format!("{hostname}:{port}{path}"))?;
        let reached = uri(scheme, &format!("{network_host}:{port}/"))?;
        Ok(Place { scheme, named, reached })
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.scheme.is_secure()
    }

    /// Whom to talk to; an IPv6 address in brackets.
    pub(crate) fn hostname(&self) -> &str {
        self.named.host()
    }

    /// What the request of a WebSocket names.
    pub(crate) fn named(&self) -> &Uri {
        &self.named
    }

    /// Where TCP goes.
    pub(crate) fn reached(&self) -> &Uri {
        &self.reached
    }

    /// The place that an AMQP redirect leads to from here.
    // WSB-061 to WSB-063, WSB-065, WSB-068, WSB-069.
    pub(crate) fn directed(&self, to: &Directions<'_>) -> Result<Self, RedirectFault> {
        let scheme = match to.scheme {
            None => self.scheme,
            Some(name) => Scheme::from_name(name).ok_or(RedirectFault::Scheme)?,
        };
        let hostname = to.hostname.map(bracketed);
        let network_host = to.network_host.map(bracketed).or_else(|| hostname.clone());
        let is_elsewhere = scheme != self.scheme || network_host.is_some();
        let port = match to.port {
            Some(port) => port,
            None if is_elsewhere => scheme.port(),
            None => self.reached.port(),
        };
        let path = match to.path {
            _ if !scheme.is_websocket() => "/",
            None => self.named.resource_name(),
            // WSB-067.
            Some(path) if path.starts_with('/') => path,
            Some(_) => return Err(RedirectFault::Unclear),
        };
        let hostname = hostname.as_deref().unwrap_or(self.named.host());
        let network_host = network_host.as_deref().unwrap_or(self.reached.host());
        let place = Self::new(scheme, hostname, network_host, port, path);
        place.map_err(|_| RedirectFault::Unclear)
    }

    /// The place that the `Location` of an HTTP redirect names, seen from here (RFC 9110, 10.2.2).
    // WSB-010.
    pub(crate) fn located(&self, location: &str) -> Result<Self, RedirectFault> {
        let location = location.split('#').next().unwrap_or_default();
        let of_url = |scheme: Scheme, rest: &str| {
            let place = Self::parse(&format!("{}://{rest}", scheme.name()));
            place.map_err(|_| RedirectFault::Unclear)
        };
        if let Some(rest) = location.strip_prefix("//") {
            return of_url(self.scheme, rest);
        }
        if let Some((scheme, rest)) = location.split_once("://") {
            let scheme = match scheme.to_ascii_lowercase().as_str() {
                "ws" | "http" => Scheme::Ws,
                "wss" | "https" => Scheme::Wss,
                _ => return Err(RedirectFault::Scheme),
            };
            return of_url(scheme, rest);
        }
        // On the same server.
        let here = self.named.resource_name().split('?').next().unwrap_or_default();
        let folder = here.rfind('/').and_then(|at| here.get(..=at)).unwrap_or("/");
        let path = match location {
            "" => return Err(RedirectFault::Unclear),
            path if path.starts_with('/') => path.to_owned(),
            relative => format!("{folder}{relative}"),
        };
        let (hostname, network_host) = (self.named.host(), self.reached.host());
        Self::new(self.scheme, hostname, network_host, self.reached.port(), &path)
            .map_err(|_| RedirectFault::Unclear)
    }
}

fn uri(scheme: Scheme, rest: &str) -> Result<Uri, UriError> {
    let scheme = if scheme.is_secure() { "wss" } else { "ws" };
    Uri::parse(&format!("{scheme}://{rest}"))
}

/// As a URL has it: an IPv6 address in brackets.
fn bracketed(host: &str) -> String {
    if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Place {
        Place::parse(url).unwrap()
    }

    fn shown(place: &Place) -> String {
        let path = place.named.resource_name();
        let (name, network) = (place.named.host(), place.reached.host());
        format!("{}://{name}@{network}:{}{path}", place.scheme.name(), place.reached.port())
    }

    #[test]
    fn urls_name_places() {
        let table = [
            ("ws://A.example/ws", "ws://a.example@a.example:80/ws"),
            ("wss://a:8443/x?y=1", "wss://a@a:8443/x?y=1"),
            ("amqp://a", "amqp://a@a:5672/"),
            ("amqps://[::1]/", "amqps://[::1]@[::1]:5671/"),
            ("AMQP://a:80", "amqp://a@a:80/"),
        ];
        for (url, expected) in table {
            assert_eq!(shown(&place(url)), expected);
        }
        for (url, error) in [
            ("http://a/", UriError::Scheme),
            ("a", UriError::Scheme),
            ("amqp://a/queue", UriError::Resource),
            ("amqp://", UriError::Host),
            ("amqp://u@a", UriError::UserInfo),
        ] {
            assert_eq!(Place::parse(url), Err(error), "{url}");
        }
    }

    /// WSB-061, WSB-062, WSB-063, WSB-065, WSB-067, WSB-068, WSB-069.
    #[test]
    fn directions_change_what_they_name() {
        let none = Directions::default();
        let table = [
            ("ws://a:81/ws", none, Ok("ws://a@a:81/ws")),
            ("ws://a:81/ws", Directions { hostname: Some("b"), ..none }, Ok("ws://b@b:80/ws")),
            (
                "wss://a/ws",
                Directions {
                    hostname: Some("b"),
                    network_host: Some("::1"),
                    port: Some(9),
                    path: Some("/p"),
                    ..none
                },
                Ok("wss://b@[::1]:9/p"),
            ),
            (
                "amqp://a",
                Directions { scheme: Some("wss"), network_host: Some("n"), ..none },
                Ok("wss://a@n:443/"),
            ),
            (
                "ws://a/ws",
                Directions { scheme: Some("amqp"), path: Some("/ws"), ..none },
                Ok("amqp://a@a:5672/"),
            ),
            ("ws://a/", Directions { path: Some("p"), ..none }, Err(RedirectFault::Unclear)),
            ("ws://a/", Directions { hostname: Some(""), ..none }, Err(RedirectFault::Unclear)),
            ("ws://a/", Directions { port: Some(0), ..none }, Err(RedirectFault::Unclear)),
            ("ws://a/", Directions { scheme: Some("gopher"), ..none }, Err(RedirectFault::Scheme)),
        ];
        for (from, to, expected) in table {
            let found = place(from).directed(&to).map(|place| shown(&place));
            assert_eq!(found, expected.map(str::to_owned), "{from} to {to:?}");
        }
    }

    /// WSB-010.
    #[test]
    fn locations_are_seen_from_here() {
        let here = Place::new(Scheme::Ws, "a", "n", 81, "/x/y?z").unwrap();
        let table = [
            ("wss://b/q", Ok("wss://b@b:443/q")),
            ("http://b:8/q#f", Ok("ws://b@b:8/q")),
            ("//b/q", Ok("ws://b@b:80/q")),
            ("/q?r", Ok("ws://a@n:81/q?r")),
            ("q", Ok("ws://a@n:81/x/q")),
            ("", Err(RedirectFault::Unclear)),
            ("ftp://b/", Err(RedirectFault::Scheme)),
            ("ws://u@b/", Err(RedirectFault::Unclear)),
        ];
        for (location, expected) in table {
            let found = here.located(location).map(|place| shown(&place));
            assert_eq!(found, expected.map(str::to_owned), "{location}");
        }
    }
}
