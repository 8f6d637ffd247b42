//! The two subprotocols that share these frames.

/// Name of MBWS in `Sec-WebSocket-Protocol` (section 3.1).
// MBWS-004
pub const SUBPROTOCOL_FULL: &str = "MBWS.huawei.com";

/// Name of MBLWS in `Sec-WebSocket-Protocol` (section 3.1).
pub const SUBPROTOCOL_LIGHT: &str = "MBLWS.huawei.com";

/// Which of the two subprotocols a connection speaks.
// MBWS-001
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// MBWS: message metadata and connection recovery.
    Full,
    /// MBLWS: message metadata alone; the connection ends with its WebSocket session.
    Light,
}

impl Flavour {
    /// The flavour of an agreed subprotocol; `None` if it is neither.
    // MBWS-A24: exact and case-sensitive; an alias is the listener's to configure.
    pub fn from_subprotocol(name: &str) -> Option<Self> {
        match name {
            SUBPROTOCOL_FULL => Some(Flavour::Full),
            SUBPROTOCOL_LIGHT => Some(Flavour::Light),
            _ => None,
        }
    }

    /// The name to offer or echo in `Sec-WebSocket-Protocol`.
    pub fn subprotocol(self) -> &'static str {
        match self {
            Flavour::Full => SUBPROTOCOL_FULL,
            Flavour::Light => SUBPROTOCOL_LIGHT,
        }
    }
}
