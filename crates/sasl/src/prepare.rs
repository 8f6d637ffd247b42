//! When two names, or two passwords, are the same: SASLprep (RFC 4013), which SCRAM demands and
//! PLAIN recommends; and which traces ANONYMOUS may carry (RFC 4505, section 3).

use crate::limits::STRING_MAX_BYTES;
use std::borrow::Cow;
use stringprep::tables;
use unicode_normalization::UnicodeNormalization;

/// What a string is prepared for (RFC 3454, section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// To be looked up or compared: code points that Unicode 3.2 does not assign stay as they are.
    Query,
    /// To be kept, or hashed: such code points are refused, since a later Unicode may change what
    /// they are equal to.
    Stored,
}

/// Prepares a user name or a password. `None`: it holds what is prohibited, nothing is left of it,
/// or it is longer than [`STRING_MAX_BYTES`].
pub fn saslprep(text: &str, purpose: Use) -> Option<Cow<'_, str>> {
    if text.is_empty() || text.len() > STRING_MAX_BYTES {
        return None;
    }
    if text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
        return Some(Cow::Borrowed(text));
    }
    // RFC 4013, sections 2.1 and 2.2.
    let mapped = text.chars().filter(|&c| !tables::commonly_mapped_to_nothing(c));
    let mapped = mapped.map(|c| if tables::non_ascii_space_character(c) { ' ' } else { c });
    let prepared: String = mapped.nfkc().collect();
    // Sections 2.3 to 2.5.
    let unassigned = purpose == Use::Stored && prepared.chars().any(tables::unassigned_code_point);
    let refused = unassigned || prepared.chars().any(is_prohibited) || !is_one_direction(&prepared);
    let fits = (1..=STRING_MAX_BYTES).contains(&prepared.len());
    (fits && !refused).then_some(Cow::Owned(prepared))
}

/// Whether a trace is prepared, with the "trace" profile, as it should be.
pub(crate) fn is_trace(text: &str) -> bool {
    !text.chars().any(is_prohibited_in_text) && is_one_direction(text)
}

/// RFC 4013, section 2.3.
fn is_prohibited(c: char) -> bool {
    is_prohibited_in_text(c)
        || tables::non_ascii_space_character(c)
        || tables::inappropriate_for_canonical_representation(c)
}

/// RFC 4505, section 3. Surrogates (table C.5) are in no `char`.
fn is_prohibited_in_text(c: char) -> bool {
    tables::ascii_control_character(c)
        || tables::non_ascii_control_character(c)
        || tables::private_use(c)
        || tables::non_character_code_point(c)
        || tables::inappropriate_for_plain_text(c)
        || tables::change_display_properties_or_deprecated(c)
        || tables::tagging_character(c)
}

/// RFC 3454, section 6: what holds characters that run from right to left holds no others, and
/// begins and ends with one.
fn is_one_direction(text: &str) -> bool {
    if !text.chars().any(tables::bidi_r_or_al) {
        return true;
    }
    let ends = [text.chars().next(), text.chars().next_back()];
    !text.chars().any(tables::bidi_l) && ends.into_iter().flatten().all(tables::bidi_r_or_al)
}
