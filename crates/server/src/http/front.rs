//! How clients see this server: through a proxy or not, by which name, encrypted or not.

use super::upgrade::header;
use crate::config;
use crate::net::peer::{Peer, Range};
use std::net::IpAddr;
use wharf_ws::handshake::request::Request;

/// The way a client came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Front {
    /// It is encrypted at the client's end.
    pub(super) secure: bool,
    /// The name and port that the client has used, if that can be read.
    pub(super) authority: Option<String>,
}

/// What may be said by whom.
#[derive(Debug)]
pub(crate) struct Fronts {
    /// Our own listener is encrypted.
    tls: bool,
    /// The WebSocket as clients reach it, whatever they ask.
    public_url: Option<String>,
    /// Who may say how a client came.
    proxies: Vec<Range>,
    /// Who says so before anything else.
    introducers: Vec<Range>,
}

impl Fronts {
    /// What does not fit was refused by `config::check`.
    pub(crate) fn new(config: &config::Config) -> Self {
        let public_url = &config.http.public_url;
        let ranges = |texts: &mut dyn Iterator<Item = &String>| {
            texts.filter_map(|one| one.parse().ok()).collect()
        };
        Self {
            tls: config.encrypts(),
            public_url: (!public_url.is_empty()).then(|| public_url.clone()),
            proxies: ranges(&mut config.http.trusted_proxies.iter()),
            introducers: ranges(&mut config.proxy_protocol.iter().map(|it| &it.from)),
        }
    }

    /// Whether who connects from there must say by the PROXY protocol for whom.
    pub(crate) fn speaks_proxy_protocol(&self, peer: IpAddr) -> bool {
        self.introducers.iter().any(|range| range.contains(peer))
    }

    /// How the sender of a request came. Headers of proxies count from proxies alone: anyone can
    /// send them.
    pub(super) fn of(&self, peer: &Peer, request: &Request<'_>) -> Front {
        let secure = self.tls || peer.secure;
        let mut front = Front { secure, authority: request.authority().map(str::to_owned) };
        let peer = peer.address.ip();
        if self.proxies.iter().any(|range| range.contains(peer)) {
            // The proxy in front of us writes last.
            let last =
                |name| header(request, name).last().and_then(|value| str::from_utf8(value).ok());
            let after_comma = |name| last(name)?.rsplit(',').next().map(str::trim);
            let forwarded = last("forwarded").map(Forwarded::read).unwrap_or_default();
            let proto = forwarded.proto.or(after_comma("x-forwarded-proto"));
            let host = forwarded.host.or(after_comma("x-forwarded-host"));
            if let Some(proto) = proto {
                front.secure = ["https", "wss"].iter().any(|one| proto.eq_ignore_ascii_case(one));
            }
            if let Some(host) = host {
                front.authority = Some(host.to_owned());
            }
        }
        front.authority = front.authority.filter(|authority| is_authority(authority));
        front
    }

    /// The URL of the WebSocket, for whoever came so.
    pub(super) fn websocket_url(&self, front: &Front) -> Option<String> {
        if let Some(url) = &self.public_url {
            return Some(url.clone());
        }
        let scheme = if front.secure { "wss" } else { "ws" };
        front.authority.as_ref().map(|authority| format!("{scheme}://{authority}/ws"))
    }
}

/// The last element of `Forwarded` (RFC 7239).
#[derive(Debug, Default, Eq, PartialEq)]
struct Forwarded<'v> {
    proto: Option<&'v str>,
    host: Option<&'v str>,
}

impl<'v> Forwarded<'v> {
    fn read(value: &'v str) -> Self {
        let mut read = Self::default();
        // Names and hosts hold neither of the separators, so quotes need not be looked at before.
        for pair in value.rsplit(',').next().unwrap_or_default().split(';') {
            let Some((name, value)) = pair.split_once('=') else { continue };
            let value = Some(value.trim().trim_matches('"')).filter(|value| !value.is_empty());
            match name.trim().to_ascii_lowercase().as_str() {
                "proto" => read.proto = value,
                "host" => read.host = value,
                _ => {}
            }
        }
        read
    }
}

/// A name or an address, perhaps with a port: what is put into a URL unchanged.
fn is_authority(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    (1..=255).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::{Front, Fronts};
    use crate::config::Config;
    use crate::net::peer::Peer;
    use wharf_ws::handshake::request::{Header, Request};

    type Field = (&'static str, &'static str);

    fn front(headers: &[Field], peer: &str) -> Front {
        let mut config = Config::default();
        config.http.trusted_proxies = vec!["10.0.0.0/8".to_owned()];
        let header = |&(name, value): &Field| Header { name, value: value.as_bytes() };
        let request = Request {
            method: "GET",
            target: "/.well-known/host-meta",
            version_minor: 1,
            headers: headers.iter().map(header).collect(),
        };
        let address = (peer.parse::<std::net::IpAddr>().unwrap(), 1).into();
        let peer = Peer { address, secure: false, binding: None, user: None };
        Fronts::new(&config).of(&peer, &request)
    }

    #[test]
    fn a_proxy_says_how_a_client_came() {
        let host = ("Host", "backend:8080");
        let proto = ("X-Forwarded-Proto", "https");
        let name = ("X-Forwarded-Host", "chat.example");
        let forwarded = "for=1.2.3.4;proto=http, for=x; Proto=https ;host=\"im.example:444\"";
        let all = [host, proto, name, ("Forwarded", forwarded)];
        let check = |headers: &[Field], peer: &str, secure, authority: Option<&str>| {
            let expected = Front { secure, authority: authority.map(str::to_owned) };
            assert_eq!(front(headers, peer), expected, "{headers:?} from {peer}");
        };
        check(&all[..1], "10.1.2.3", false, Some("backend:8080"));
        check(&all[..3], "10.1.2.3", true, Some("chat.example"));
        check(&all, "10.1.2.3", true, Some("im.example:444"));
        // Whoever is no proxy is not believed.
        check(&all, "192.0.2.1", false, Some("backend:8080"));
        check(&[("Host", "a/b?<script>")], "192.0.2.1", false, None);
        check(&[], "10.0.0.1", false, None);
    }

    #[test]
    fn a_public_url_is_for_everyone() {
        let front = front(&[("Host", "im.example")], "192.0.2.1");
        let mut config = Config::default();
        assert_eq!(Fronts::new(&config).websocket_url(&front).unwrap(), "ws://im.example/ws");
        config.http.public_url = "wss://chat.example/ws".to_owned();
        assert_eq!(Fronts::new(&config).websocket_url(&front).unwrap(), "wss://chat.example/ws");
    }
}
