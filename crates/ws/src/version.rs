//! The protocol versions this crate speaks, as named by `Sec-WebSocket-Version`.

use std::fmt;

/// One version of the protocol on the wire.
///
/// The version is fixed by the opening handshake; no later octet repeats it, so the connection
/// carries it for its whole life (HYBI-005).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// RFC 6455, header value 13.
    #[default]
    Rfc6455,
    /// Drafts -08 to -12, header value 8.
    Draft8,
    /// Draft -07, header value 7.
    Draft7,
    /// Draft -06, header value 6: the whole client frame is masked, its opcodes are its own.
    Draft6,
}

impl Version {
    /// Every version, newest first.
    pub const ALL: [Version; 4] =
        [Version::Rfc6455, Version::Draft8, Version::Draft7, Version::Draft6];

    /// The number in `Sec-WebSocket-Version`.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Version::Rfc6455 => 13,
            Version::Draft8 => 8,
            Version::Draft7 => 7,
            Version::Draft6 => 6,
        }
    }

    /// The number in `Sec-WebSocket-Version`, as it is written.
    #[must_use]
    pub const fn header_value(self) -> &'static str {
        match self {
            Version::Rfc6455 => "13",
            Version::Draft8 => "8",
            Version::Draft7 => "7",
            Version::Draft6 => "6",
        }
    }

    /// The version of a number; `None` for versions that are not spoken here.
    ///
    /// WS-RG-04, HYBI-003: 9 to 12 are reserved and were never sent, because drafts -09 to -12 say 8.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Version> {
        match number {
            13 => Some(Version::Rfc6455),
            8 => Some(Version::Draft8),
            7 => Some(Version::Draft7),
            6 => Some(Version::Draft6),
            _ => None,
        }
    }

    /// Whether this is one of the interim drafts rather than the RFC.
    #[must_use]
    pub const fn is_interim(self) -> bool {
        !matches!(self, Version::Rfc6455)
    }

    const fn bit(self) -> u8 {
        match self {
            Version::Rfc6455 => 1,
            Version::Draft8 => 2,
            Version::Draft7 => 4,
            Version::Draft6 => 8,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.header_value())
    }
}

/// A set of versions. The default holds RFC 6455 alone (HYBI-101).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Versions(u8);

impl Versions {
    /// No version at all.
    pub const NONE: Versions = Versions(0);

    /// Only RFC 6455.
    pub const RFC6455: Versions = Versions(Version::Rfc6455.bit());

    /// RFC 6455 and the interim versions 8, 7 and 6.
    pub const WITH_INTERIM: Versions =
        Versions::RFC6455.with(Version::Draft8).with(Version::Draft7).with(Version::Draft6);

    /// This set and `version`.
    #[must_use]
    pub const fn with(self, version: Version) -> Versions {
        Versions(self.0 | version.bit())
    }

    /// This set without `version`.
    #[must_use]
    pub const fn without(self, version: Version) -> Versions {
        Versions(self.0 & !version.bit())
    }

    /// Whether `version` is in the set.
    #[must_use]
    pub const fn contains(self, version: Version) -> bool {
        self.0 & version.bit() != 0
    }

    /// The versions of the set, newest first.
    pub fn iter(self) -> impl Iterator<Item = Version> {
        Version::ALL.into_iter().filter(move |version| self.contains(*version))
    }
}

impl Default for Versions {
    fn default() -> Self {
        Versions::RFC6455
    }
}

impl fmt::Debug for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Display for Versions {
    /// As in `Sec-WebSocket-Version`: `13, 8, 7, 6`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, version) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            f.write_str(version.header_value())?;
        }
        Ok(())
    }
}
