//! The redirects that were followed, and which one is one too many.

use std::fmt;

use super::Place;

/// Redirects followed in a row. Who is sent on more often is sent around.
const HOPS_MAX: usize = 5;

/// Why a redirect is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedirectFault {
    /// More than five in a row.
    TooMany,
    /// It leads to where it came from.
    Loop,
    /// It leads from an encrypted connection to one that is not; see
    /// [`Options::follow_less_secure`](crate::Options::follow_less_secure).
    LessSecure,
    /// A scheme that cannot be followed.
    Scheme,
    /// It does not say clearly where to.
    Unclear,
    /// It leads to another host, which the password in the request is not for.
    OtherHost,
}

impl fmt::Display for RedirectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooMany => "too many redirects",
            Self::Loop => "the redirects go round in a circle",
            Self::LessSecure => "a redirect to a connection that is not encrypted",
            Self::Scheme => "a redirect to an unknown scheme",
            Self::Unclear => "a redirect that does not say where to",
            Self::OtherHost => "a redirect to another host",
        })
    }
}

impl std::error::Error for RedirectFault {}

/// The places that one connection or link was sent to, one after another.
#[derive(Clone, Debug)]
pub(crate) struct Trail {
    follow_less_secure: bool,
    /// Each with the address there, where one is asked for.
    visited: Vec<(Place, String)>,
}

impl Trail {
    pub(crate) fn new(follow_less_secure: bool) -> Self {
        Trail { follow_less_secure, visited: Vec::new() }
    }

    /// It was worth going there: what comes next is a new trail.
    pub(crate) fn forget(&mut self) {
        self.visited.clear();
    }

    /// Whether to go on from one place to the next.
    pub(crate) fn follow(
        &mut self,
        (from, from_address): (&Place, &str),
        (to, to_address): (&Place, &str),
    ) -> Result<(), RedirectFault> {
        // WSB-066.
        if from.is_secure() && !to.is_secure() && !self.follow_less_secure {
            return Err(RedirectFault::LessSecure);
        }
        if self.visited.is_empty() {
            self.visited.push((from.clone(), from_address.to_owned()));
        }
        let next = (to.clone(), to_address.to_owned());
        if self.visited.contains(&next) {
            return Err(RedirectFault::Loop);
        }
        if self.visited.len() > HOPS_MAX {
            return Err(RedirectFault::TooMany);
        }
        self.visited.push(next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Place {
        Place::parse(url).unwrap()
    }

    #[test]
    fn five_hops_and_no_circle() {
        let mut trail = Trail::new(false);
        let places: Vec<Place> = (1..=7).map(|port| place(&format!("ws://a:{port}/"))).collect();
        let mut hop = |from: usize, to: usize, address| {
            trail.follow((&places[from], "x"), (&places[to], address))
        };
        assert_eq!(hop(0, 1, "x"), Ok(()));
        assert_eq!(hop(1, 0, "x"), Err(RedirectFault::Loop));
        // The same place under another address is another place.
        assert_eq!(hop(1, 0, "y"), Ok(()));
        for at in 1..4 {
            assert_eq!(hop(at, at + 1, "x"), Ok(()));
        }
        assert_eq!(hop(4, 5, "x"), Err(RedirectFault::TooMany));
        trail.forget();
        assert_eq!(trail.follow((&places[5], "x"), (&places[0], "x")), Ok(()));
    }

    /// WSB-066.
    #[test]
    fn never_to_less_security_unless_told_so() {
        let table = [
            ("wss://a/", "ws://b/", false),
            ("wss://a/", "amqp://b", false),
            ("amqps://a", "ws://b/", false),
            ("amqps://a", "wss://b/", true),
            ("ws://a/", "amqp://b", true),
            ("ws://a/", "wss://b/", true),
        ];
        for (from, to, allowed) in table {
            let follow = |less| Trail::new(less).follow((&place(from), ""), (&place(to), ""));
            assert_eq!(follow(false).is_ok(), allowed, "{from} to {to}");
            assert_eq!(follow(true), Ok(()));
        }
    }
}
