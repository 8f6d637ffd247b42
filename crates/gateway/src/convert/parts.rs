//! A message as kind, content type, properties and body: what MBWS has, and what other protocols
//! are converted by.

use std::borrow::Cow;
use wharf_mbws::{Kind, LengthUnit, Limits, encode_content};

/// Room for an address and for what is said of a dead letter, within the header of an MBWS
/// message.
const RESERVED_BYTES: usize = 4096;

/// Octets that the lengths of a property take at most.
const LENGTHS_BYTES: usize = 16;

/// Names and values, in order.
pub(super) type Pairs = Vec<(String, String)>;

/// A message taken apart.
#[derive(Debug)]
pub(super) struct Parts<'m> {
    pub(super) kind: Kind,
    pub(super) content_type: String,
    pub(super) properties: Pairs,
    pub(super) body: Cow<'m, [u8]>,
}

impl<'m> Parts<'m> {
    /// A message that is not taken apart.
    pub(super) fn whole(kind: Kind, content_type: &str, message: &'m [u8]) -> Self {
        let (content_type, body) = (content_type.to_owned(), Cow::Borrowed(message));
        Self { kind, content_type, properties: Vec::new(), body }
    }

    /// Whether the header is no more than what a client of MBWS reads.
    pub(super) fn fits(&self) -> bool {
        let Limits { property_count_max, header_size_max_bytes, .. } = Limits::default();
        let count = self.properties.len() <= property_count_max as usize;
        let bytes = self.properties.iter().fold(self.content_type.len(), |bytes, (name, value)| {
            bytes
                .saturating_add(name.len())
                .saturating_add(value.len())
                .saturating_add(LENGTHS_BYTES)
        });
        count && bytes.saturating_add(RESERVED_BYTES) <= header_size_max_bytes as usize
    }

    /// As MBWS content, with what is said of a dead letter.
    pub(super) fn encode(&self, unit: LengthUnit, death: &[(&str, &str)]) -> Vec<u8> {
        let own = self.properties.iter().map(|(name, value)| (&**name, &**value));
        let properties: Vec<(&str, &str)> = own.chain(death.iter().copied()).collect();
        let mut out = Vec::with_capacity(self.body.len().saturating_add(64));
        let properties = properties.into_iter();
        // Fails for a text body that is not UTF-8 alone, and that was read as UTF-8.
        let _ =
            encode_content(self.kind, unit, &self.content_type, properties, &self.body, &mut out);
        out
    }
}
