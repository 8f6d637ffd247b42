//! Redirects, of connections and of links (WSB section 3, AMQP 2.8.16, 2.8.18).

use super::error;
use crate::place::{Located, Location, Place, Scheme};
use wharf_amqp::condition::{Condition, Error};
use wharf_amqp::performative::Open;
use wharf_amqp::value::{Fields, Value};
use wharf_broker::matches_pattern;

/// Property of a client's open: the schemes it can follow.
const REDIRECT_SCHEMES: &str = "redirect-schemes";

/// Where a client may be sent.
#[derive(Debug, Default)]
pub(super) struct Redirects {
    /// The connection is encrypted, and what follows it has to be.
    secure: bool,
    /// The client's own list.
    schemes: Option<Vec<String>>,
}

impl Redirects {
    pub(super) fn new(secure: bool) -> Self {
        Self { secure, schemes: None }
    }

    /// Learns what the client can follow.
    // WSB-050, WSB-A09: an array or a list of symbols or strings, or one of them alone.
    pub(super) fn learn(&mut self, open: &Open) {
        let property = open.properties.iter().find(|(name, _)| name == REDIRECT_SCHEMES);
        self.schemes = property.map(|(_, value)| match value {
            Value::List(values) => values.iter().filter_map(text).collect(),
            Value::Array(array) => array.elements().iter().filter_map(text).collect(),
            one => text(one).into_iter().collect(),
        });
    }

    // WSB-051; WSB-066: never to something less secure.
    fn may_follow(&self, scheme: Scheme) -> bool {
        let listed = self
            .schemes
            .as_ref()
            .is_none_or(|schemes| schemes.iter().any(|one| one == scheme.name()));
        listed && (scheme.is_secure() || !self.secure)
    }

    /// The whole connection belongs elsewhere.
    // WSB-060 to WSB-069.
    pub(super) fn connection(&self, place: &Place) -> Option<Error> {
        let info = self.may_follow(place.scheme).then(|| info_of(place))?;
        Some(Error { info, ..error(Condition::ConnectionRedirect, "served elsewhere") })
    }

    /// The virtual host of a connection is elsewhere: the error to close it with.
    pub(super) fn host(&self, locations: &[Location], host: &str) -> Option<Error> {
        let place = locations.iter().find_map(|location| match &location.what {
            Located::Host(name) if name.eq_ignore_ascii_case(host) => Some(&location.place),
            _ => None,
        })?;
        let elsewhere = || error(Condition::NotFound, "the host is served elsewhere");
        Some(self.connection(place).unwrap_or_else(elsewhere))
    }

    /// An address is elsewhere: the error to refuse its link with.
    // WSB-070 to WSB-072.
    pub(super) fn address(&self, locations: &[Location], address: &str) -> Option<Error> {
        let place = locations.iter().find_map(|location| match &location.what {
            Located::Addresses(pattern) if matches_pattern(pattern, address) => {
                Some(&location.place)
            }
            _ => None,
        })?;
        if !self.may_follow(place.scheme) {
            return Some(error(Condition::NotFound, "the address is served elsewhere"));
        }
        let mut info = info_of(place);
        info.push(("address".to_owned(), Value::String(address.to_owned())));
        Some(Error { info, ..error(Condition::LinkRedirect, "served elsewhere") })
    }
}

// WSB-061 to WSB-064, WSB-067, WSB-A10.
fn info_of(place: &Place) -> Fields {
    let bare = place.host.trim_start_matches('[').trim_end_matches(']');
    let mut info = vec![
        ("hostname".to_owned(), Value::String(place.host.clone())),
        ("network-host".to_owned(), Value::String(bare.to_owned())),
        ("port".to_owned(), Value::Ushort(place.port)),
        ("scheme".to_owned(), Value::String(place.scheme.name().to_owned())),
    ];
    if let Some(path) = &place.path {
        info.push(("path".to_owned(), Value::String(path.clone())));
    }
    info
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Symbol(text) | Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirects(secure: bool, schemes: Option<Value>) -> Redirects {
        let mut open = Open::new("client");
        open.properties =
            schemes.map(|value| (REDIRECT_SCHEMES.to_owned(), value)).into_iter().collect();
        let mut redirects = Redirects::new(secure);
        redirects.learn(&open);
        redirects
    }

    fn located(what: Located, url: &str) -> Vec<Location> {
        vec![Location { what, place: url.parse().unwrap() }]
    }

    /// WSB-050, WSB-051, WSB-066, WSB-A09.
    #[test]
    fn only_where_the_client_can_follow_and_never_to_less_security() {
        let symbol = |text: &str| Value::Symbol(text.to_owned());
        let both = Value::List(vec![symbol("ws"), Value::String("wss".to_owned())]);
        let table = [
            (false, None, "ws://b", true),
            (true, None, "ws://b", false),
            (true, None, "wss://b", true),
            (true, None, "amqp://b", false),
            (false, Some(both.clone()), "ws://b", true),
            (false, Some(both), "amqp://b", false),
            (false, Some(symbol("amqps")), "amqps://b", true),
        ];
        for (secure, schemes, url, expected) in table {
            let redirects = redirects(secure, schemes);
            let error = redirects.connection(&url.parse().unwrap());
            assert_eq!(error.is_some(), expected, "{secure} {url}");
        }
    }

    /// WSB-061 to WSB-064, WSB-067, WSB-070, WSB-071, WSB-072.
    #[test]
    fn a_link_is_told_where_its_address_is() {
        let locations = located(Located::Addresses("eu/**".to_owned()), "wss://b.example/ws");
        let redirects = redirects(false, None);
        assert_eq!(redirects.address(&locations, "us/orders"), None);
        let error = redirects.address(&locations, "eu/orders").unwrap();
        assert_eq!(error.condition, Condition::LinkRedirect);
        let string = |text: &str| Value::String(text.to_owned());
        let expected = [
            ("hostname", string("b.example")),
            ("network-host", string("b.example")),
            ("port", Value::Ushort(443)),
            ("scheme", string("wss")),
            ("path", string("/ws")),
            ("address", string("eu/orders")),
        ];
        let expected: Fields = expected.map(|(name, value)| (name.to_owned(), value)).to_vec();
        assert_eq!(error.info, expected);
    }

    #[test]
    fn a_host_is_elsewhere() {
        let locations = located(Located::Host("eu.example".to_owned()), "ws://b:81");
        let open = redirects(false, None);
        assert_eq!(open.host(&locations, "localhost"), None);
        let error = open.host(&locations, "EU.example").unwrap();
        assert_eq!(error.condition, Condition::ConnectionRedirect);
        let secure = redirects(true, None).host(&locations, "eu.example").unwrap();
        assert_eq!(secure.condition, Condition::NotFound);
    }
}
