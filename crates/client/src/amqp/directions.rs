//! What redirects and refusals say (AMQP 2.8.14 to 2.8.18, WSB section 3).

use wharf_amqp::condition::{Condition, Error as Told};
use wharf_amqp::engine::{Closed, Violation};

use crate::Error;
use crate::net::{Directions, Place, RedirectFault};

/// Where an error of the broker leads.
pub(super) enum Leads<'a> {
    /// Somewhere else.
    To(Place, Option<&'a str>),
    /// It does not say clearly where.
    Astray(RedirectFault),
    /// It is no redirect.
    Nowhere,
}

/// Reads a redirect of a connection or of a link, seen from `here`.
// WSB-060, WSB-070, WSB-072; WSB-A10: texts may be strings or symbols, a port any number that is
// one.
pub(super) fn leads<'a>(told: &'a Told, here: &Place) -> Leads<'a> {
    if !matches!(told.condition, Condition::ConnectionRedirect | Condition::LinkRedirect) {
        return Leads::Nowhere;
    }
    let value = |name: &str| {
        let found = told.info.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value)
    };
    let text = |name: &str| value(name).and_then(|value| value.as_str());
    let port = match value("port").map(|port| port.as_u64()) {
        None => None,
        Some(number) => match number.and_then(|number| u16::try_from(number).ok()) {
            Some(port) => Some(port),
            None => return Leads::Astray(RedirectFault::Unclear),
        },
    };
    let directions = Directions {
        scheme: text("scheme"),
        hostname: text("hostname"),
        network_host: text("network-host"),
        port,
        path: text("path"),
    };
    match here.directed(&directions) {
        Ok(place) => Leads::To(place, text("address")),
        Err(fault) => Leads::Astray(fault),
    }
}

/// Why a connection ended, from what its engine says.
pub(super) fn connection_closed(closed: &Closed) -> Error {
    match (&closed.violation, &closed.error) {
        (Some(Violation::Idle | Violation::OpenTimeout), _) => Error::Timeout,
        (Some(violation), _) => Error::Amqp(violation.to_string()),
        (None, Some(told)) => Error::ConnectionClosed {
            condition: told.condition.to_string(),
            description: told.description.clone().unwrap_or_default(),
        },
        (None, None) if closed.clean => {
            let (condition, description) = (String::new(), String::new());
            Error::ConnectionClosed { condition, description }
        }
        (None, None) => Error::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    }
}

/// Why a link is gone.
pub(super) fn link_gone(address: &str, told: Option<&Told>) -> Error {
    let description = told.and_then(|told| told.description.clone());
    Error::LinkRefused {
        address: address.to_owned(),
        condition: told.map(|told| told.condition.to_string()).unwrap_or_default(),
        description: description.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wharf_amqp::value::{Fields, Value};

    fn told(condition: Condition, info: &[(&str, Value)]) -> Told {
        let info: Fields =
            info.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Told { info, ..Told::from(condition) }
    }

    /// WSB-A10.
    #[test]
    fn types_are_read_leniently() {
        let here = Place::parse("ws://a/ws").unwrap();
        for (scheme, port) in [
            (Value::from("wss"), Value::Ushort(444)),
            (Value::symbol("wss"), Value::Ulong(444)),
            (Value::symbol("wss"), Value::Int(444)),
        ] {
            let info = [("scheme", scheme), ("port", port), ("address", "x".into())];
            let told = told(Condition::LinkRedirect, &info);
            let Leads::To(place, address) = leads(&told, &here) else { panic!() };
            assert_eq!((place, address), (Place::parse("wss://a:444/ws").unwrap(), Some("x")));
        }
        for port in [Value::Uint(70_000), Value::Uint(0), Value::from("444"), Value::Int(-1)] {
            let told = told(Condition::ConnectionRedirect, &[("port", port)]);
            assert!(matches!(leads(&told, &here), Leads::Astray(RedirectFault::Unclear)));
        }
        let other = told(Condition::NotFound, &[]);
        assert!(matches!(leads(&other, &here), Leads::Nowhere));
    }
}
