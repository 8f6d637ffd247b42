//! Channel bindings (RFC 5056): what both ends know of the channel, and no one in between.

use std::fmt;

/// One name for the channel under the exchange.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelBinding {
    name: String,
    data: Vec<u8>,
}

impl ChannelBinding {
    /// `tls-exporter` (RFC 9266): 32 octets of exported keying material with the label
    /// `EXPORTER-Channel-Binding` and an empty context. Only for TLS 1.3, or 1.2 with the extended
    /// master secret and without renegotiation.
    pub fn tls_exporter(exported: [u8; 32]) -> Self {
        Self { name: "tls-exporter".to_owned(), data: exported.to_vec() }
    }

    /// Another registered type. `None`: the name is not one (letters, digits, `.` and `-`), or
    /// there is no data.
    pub fn new(name: &str, data: Vec<u8>) -> Option<Self> {
        (is_name(name) && !data.is_empty()).then(|| Self { name: name.to_owned(), data })
    }

    /// The registered name of the type.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }
}

impl fmt::Debug for ChannelBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelBinding").field("name", &self.name).finish_non_exhaustive()
    }
}

/// `cb-name` of RFC 5802, section 7.
pub(crate) fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    !text.is_empty() && text.bytes().all(allowed)
}
