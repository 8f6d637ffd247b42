//! The two kinds of frame, and what a string's length counts.

/// The kind of the WebSocket message that carries a frame.
// MBWS-002, MBWS-003
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A UTF-8 text message: integers are decimal digits and a space.
    Text,
    /// A binary message: integers are base-128.
    Binary,
}

impl Kind {
    /// Octets of the shortest form of an integer.
    // MBWS-A16
    pub(crate) fn shortest_len(self, value: u64) -> usize {
        let len = match self {
            Kind::Text => value.checked_ilog10().unwrap_or(0).saturating_add(2),
            Kind::Binary => value.checked_ilog2().unwrap_or(0).saturating_div(7).saturating_add(1),
        };
        usize::try_from(len).unwrap_or(usize::MAX)
    }
}

/// What the length of a string counts. The draft says "characters" beside a rule of octets, so an
/// endpoint can be told to read it otherwise; all three agree for ASCII.
// MBWS-A01
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LengthUnit {
    /// Unicode scalar values: the letter of the draft.
    #[default]
    CodePoints,
    /// Octets of UTF-8.
    Octets,
    /// UTF-16 code units: what `String.length` gives in a browser.
    Utf16,
}

impl LengthUnit {
    /// The length of `text` in this unit.
    pub fn measure(self, text: &str) -> usize {
        match self {
            LengthUnit::CodePoints => text.chars().count(),
            LengthUnit::Octets => text.len(),
            LengthUnit::Utf16 => text.encode_utf16().count(),
        }
    }
}
