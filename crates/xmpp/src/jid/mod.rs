//! Addresses (RFC 7622): `localpart@domainpart/resourcepart`.
//!
//! A [`Jid`] is always in its one enforced form, so two addresses are the same if their octets are.
//! ASCII is prepared here; for anything else the rules come from libraries: PRECIS (RFC 8264,
//! RFC 8265) for localparts and resourceparts, IDNA2008 for domainparts.
//!
//! | module | what it owns |
//! |---|---|
//! | `domain` | names, IPv4 and IPv6 as domainparts |
//! | `precis` | localparts and resourceparts |
//! | `escape` | characters that localparts have not (XEP-0106) |

mod domain;
mod escape;
mod precis;

pub use escape::{escape_local, unescape_local};

use crate::limits::{ADDRESS_MAX_BYTES, ADDRESS_PART_MAX_BYTES};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// An address in its enforced form.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Jid {
    text: Box<str>,
    /// Where the domainpart begins: 0, or behind the `@`.
    domain: u16,
    /// Where it ends: the length, or the place of the `/`.
    domain_end: u16,
}

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JidFault {
    /// It is longer than any address.
    TooLong,
    /// Not a localpart (RFC 7622, section 3.3).
    Local,
    /// Not a domainpart (RFC 7622, section 3.2).
    Domain,
    /// Not a resourcepart (RFC 7622, section 3.4).
    Resource,
}

impl fmt::Display for JidFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the address is too long",
            Self::Local => "not a localpart",
            Self::Domain => "not a domainpart",
            Self::Resource => "not a resourcepart",
        })
    }
}

impl std::error::Error for JidFault {}

impl Jid {
    /// Reads an address and enforces its form.
    ///
    /// # Errors
    /// It is none.
    // RFC 7622 3.1: separators are looked for before anything is mapped, because mapping may make
    // some. RFC 7622 3.2: first the resourcepart is taken off, then the localpart.
    pub fn parse(text: &str) -> Result<Self, JidFault> {
        if text.len() > ADDRESS_MAX_BYTES {
            return Err(JidFault::TooLong);
        }
        let (address, resource) = match text.split_once('/') {
            Some((address, resource)) => (address, Some(resource)),
            None => (text, None),
        };
        let (local, domain) = match address.split_once('@') {
            Some((local, domain)) => (Some(local), domain),
            None => (None, address),
        };
        Self::from_parts(local, domain, resource)
    }

    /// Puts an address together, and enforces the form of its parts.
    ///
    /// # Errors
    /// A part is none, or is empty.
    pub fn from_parts(
        local: Option<&str>,
        domain: &str,
        resource: Option<&str>,
    ) -> Result<Self, JidFault> {
        let local =
            local.map(|local| bounded(local, precis::local, JidFault::Local)).transpose()?;
        let domain = bounded(domain, domain::domain, JidFault::Domain)?;
        let resource = resource.map(prepare_resource).transpose()?;
        Ok(Self::join(local.as_deref(), &domain, resource.as_deref()))
    }

    /// The address of a user of a host. What localparts cannot hold is escaped (XEP-0106).
    ///
    /// # Errors
    /// The host is no domainpart, or the user's name cannot be a localpart.
    pub fn of_user(user: &str, host: &str) -> Result<Self, JidFault> {
        let local = escape_local(user).ok_or(JidFault::Local)?;
        Self::from_parts(Some(&local), host, None)
    }

    fn join(local: Option<&str>, domain: &str, resource: Option<&str>) -> Self {
        let mut text = String::with_capacity(
            local
                .map_or(0, str::len)
                .saturating_add(domain.len())
                .saturating_add(resource.map_or(0, str::len))
                .saturating_add(2),
        );
        if let Some(local) = local {
            text.push_str(local);
            text.push('@');
        }
        let domain_at = place(text.len());
        text.push_str(domain);
        let domain_end = place(text.len());
        if let Some(resource) = resource {
            text.push('/');
            text.push_str(resource);
        }
        Self { text: text.into_boxed_str(), domain: domain_at, domain_end }
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local(&self) -> Option<&str> {
        let end = usize::from(self.domain).checked_sub(1)?;
        self.text.get(..end)
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.text.get(usize::from(self.domain)..usize::from(self.domain_end)).unwrap_or_default()
    }

    /// The part behind the `/`.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.text.get(usize::from(self.domain_end).saturating_add(1)..)
    }

    /// The address without a resourcepart, as text.
    #[must_use]
    pub fn bare_str(&self) -> &str {
        self.text.get(..usize::from(self.domain_end)).unwrap_or_default()
    }

    /// The address without a resourcepart.
    #[must_use]
    pub fn bare(&self) -> Jid {
        Jid { text: self.bare_str().into(), ..*self }
    }

    /// The domain alone.
    #[must_use]
    pub fn to_domain(&self) -> Jid {
        Self::join(None, self.domain(), None)
    }

    /// Whether there is no resourcepart.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.resource().is_none()
    }

    /// Whether it is a domain alone.
    #[must_use]
    pub fn is_domain(&self) -> bool {
        self.local().is_none() && self.is_bare()
    }

    /// The same entity with another resourcepart.
    ///
    /// # Errors
    /// It is none.
    pub fn with_resource(&self, resource: &str) -> Result<Jid, JidFault> {
        let resource = prepare_resource(resource)?;
        Ok(Self::join(self.local(), self.domain(), Some(&resource)))
    }
}

/// A resourcepart in its enforced form.
///
/// # Errors
/// It is none.
pub fn prepare_resource(text: &str) -> Result<Cow<'_, str>, JidFault> {
    bounded(text, precis::resource, JidFault::Resource)
}

/// The bounds of a part hold before and after it is mapped. Mapping may shorten a part, but by no
/// more than any address needs.
fn bounded<'a>(
    part: &'a str,
    prepare: fn(&'a str) -> Option<Cow<'a, str>>,
    fault: JidFault,
) -> Result<Cow<'a, str>, JidFault> {
    let fits = |part: &str| (1..=ADDRESS_PART_MAX_BYTES).contains(&part.len());
    let prepared = Some(part).filter(|part| !part.is_empty() && part.len() <= ADDRESS_MAX_BYTES);
    prepared.and_then(prepare).filter(|prepared| fits(prepared)).ok_or(fault)
}

/// All places are below the greatest length of an address.
fn place(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

impl FromStr for Jid {
    type Err = JidFault;

    fn from_str(text: &str) -> Result<Self, JidFault> {
        Self::parse(text)
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jid({})", self.text)
    }
}

impl AsRef<str> for Jid {
    fn as_ref(&self) -> &str {
        &self.text
    }
}
