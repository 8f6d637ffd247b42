//! Cutting a string of a given length off the front of some octets.

use crate::{LengthUnit, Violation};

/// Splits off a string of `len` units. Reads no more octets than `len` characters can have, and
/// allocates nothing.
// MBWS-104, MBWS-112, MBWS-121
pub(crate) fn split(octets: &[u8], len: u64, unit: LengthUnit) -> Result<(&str, &[u8]), Violation> {
    // Every unit takes at least one octet, so a length beyond the frame ends here.
    let len = usize::try_from(len).map_err(|_| Violation::Truncated)?;
    let (candidate, _) = octets.split_at_checked(len).ok_or(Violation::Truncated)?;
    if candidate.is_ascii() {
        // All units agree.
        return split_octets(octets, len);
    }
    match unit {
        LengthUnit::Octets => split_octets(octets, len),
        LengthUnit::CodePoints => split_octets(octets, end(octets, len, |_| 1)?),
        LengthUnit::Utf16 => split_octets(octets, end(octets, len, char::len_utf16)?),
    }
}

fn split_octets(octets: &[u8], end: usize) -> Result<(&str, &[u8]), Violation> {
    let (string, rest) = octets.split_at_checked(end).ok_or(Violation::Truncated)?;
    match std::str::from_utf8(string) {
        Ok(string) => Ok((string, rest)),
        // Valid as far as it goes: the length cuts a character whose octets follow.
        Err(error) if error.error_len().is_none() && starts_mid_character(rest) => {
            Err(Violation::SplitCharacter)
        }
        Err(error) if error.error_len().is_none() && rest.is_empty() => Err(Violation::Truncated),
        Err(_) => Err(Violation::InvalidUtf8),
    }
}

fn starts_mid_character(octets: &[u8]) -> bool {
    octets.first().is_some_and(|octet| octet & 0xc0 == 0x80)
}

/// The octets that the first `len` units take, counting each character by `units`.
fn end(octets: &[u8], len: usize, units: impl Fn(char) -> usize) -> Result<usize, Violation> {
    let longest = len.saturating_mul(4).min(octets.len());
    let prefix = octets.get(..longest).unwrap_or_default();
    let (valid, failure) = valid_prefix(prefix);
    let mut left = len;
    for (at, character) in valid.char_indices() {
        if left == 0 {
            return Ok(at);
        }
        left = left.checked_sub(units(character)).ok_or(Violation::SplitCharacter)?;
    }
    match failure {
        _ if left == 0 => Ok(valid.len()),
        Some(violation) => Err(violation),
        None => Err(Violation::Truncated),
    }
}

/// The characters before the first fault, and the fault. Four octets hold at least one whole
/// character for every one wanted, so an incomplete tail matters only at the end of the frame.
fn valid_prefix(octets: &[u8]) -> (&str, Option<Violation>) {
    match std::str::from_utf8(octets) {
        Ok(all) => (all, None),
        Err(error) => {
            let valid = octets.get(..error.valid_up_to()).unwrap_or_default();
            let violation = match error.error_len() {
                Some(_) => Violation::InvalidUtf8,
                None => Violation::Truncated,
            };
            (std::str::from_utf8(valid).unwrap_or_default(), Some(violation))
        }
    }
}
