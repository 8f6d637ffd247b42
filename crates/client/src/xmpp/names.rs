//! Addresses of the application as addresses of XMPP (XEP-0106 where characters are not allowed).

use std::net::IpAddr;

use wharf_xmpp::jid::{Jid, escape_local, unescape_local};

use crate::Error;

/// What the address of a person begins with.
const PERSON: &str = "xmpp:";

/// What the domain of queues and topics has before the host.
const QUEUES: &str = "mq.";

/// The names of one host.
#[derive(Clone, Debug)]
pub(super) struct Names {
    host: String,
}

impl Names {
    /// The host that was named, or that of the URL: a broker on this machine is `localhost`.
    pub(super) fn new(named: Option<&str>, hostname: &str) -> Self {
        let number = hostname.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let host = match (named, number) {
            (Some(host), _) => host,
            (None, Ok(number)) if number.is_loopback() => "localhost",
            (None, _) => hostname,
        };
        Names { host: host.to_owned() }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn is_person(address: &str) -> bool {
        address.starts_with(PERSON)
    }

    /// An address in the words of XMPP.
    pub(super) fn jid(&self, address: &str) -> Result<Jid, Error> {
        let jid = match address.strip_prefix(PERSON) {
            Some(person) => Jid::parse(person).ok(),
            None => escape_local(address)
                .and_then(|local| Jid::parse(&format!("{local}@{QUEUES}{}", self.host)).ok()),
        };
        jid.ok_or(Error::NotInProtocol("no such address"))
    }

    /// The queue or topic that a stanza is from.
    pub(super) fn queue(&self, from: &Jid) -> Option<String> {
        let is_ours = from.domain().strip_prefix(QUEUES) == Some(self.host.as_str());
        let local = from.local().filter(|_| is_ours)?;
        Some(unescape_local(local).into_owned())
    }

    /// An account as an address.
    pub(super) fn person(jid: &Jid) -> String {
        format!("{PERSON}{}", jid.bare_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_escaped_and_found_again() {
        let names = Names::new(None, "example.com");
        for (address, jid) in [
            ("orders", "orders@mq.example.com"),
            ("orders/eu", "orders\\2feu@mq.example.com"),
            ("a b@c", "a\\20b\\40c@mq.example.com"),
        ] {
            let found = names.jid(address).unwrap();
            assert_eq!(found.as_str(), jid);
            assert_eq!(names.queue(&found).as_deref(), Some(address));
        }
        let alice = names.jid("xmpp:alice@example.org/phone").unwrap();
        assert_eq!((alice.as_str(), names.queue(&alice)), ("alice@example.org/phone", None));
        assert_eq!(Names::person(&alice), "xmpp:alice@example.org");
        assert!(names.jid("xmpp:@").is_err() && names.jid("").is_err());
    }

    #[test]
    fn the_host_is_that_of_the_url_unless_it_is_named() {
        for (named, hostname, host) in [
            (None, "mq.example.com", "mq.example.com"),
            (None, "127.0.0.1", "localhost"),
            (None, "[::1]", "localhost"),
            (Some("example.com"), "127.0.0.1", "example.com"),
        ] {
            assert_eq!(Names::new(named, hostname).host(), host);
        }
    }
}
