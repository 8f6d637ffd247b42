//! The text syntax: decimal integers and frame ids that end with a space (section 4).

use crate::integer::Integer;
use crate::{NUMBER_MAX, Violation};

// MBWS-110
pub(crate) const CONNECT: &[u8] = b"1 ";
pub(crate) const ACKNOWLEDGE: &[u8] = b"2 ";
pub(crate) const MESSAGE: &[u8] = b"3 ";

/// Reads digits and the space that belongs to them, and gives what follows. Leading zeros are
/// read (MBWS-A16).
// MBWS-111
pub(crate) fn read_integer(octets: &[u8]) -> Result<(u64, &[u8]), Violation> {
    let mut value = 0u64;
    let mut rest = octets;
    let mut digits = false;
    loop {
        let (octet, after) = rest.split_first().ok_or(Violation::Truncated)?;
        rest = after;
        match octet {
            b'0'..=b'9' => {
                let digit = u64::from(octet & 0x0f);
                value = value.saturating_mul(10).saturating_add(digit);
                if value > NUMBER_MAX {
                    return Err(Violation::NumberTooLarge);
                }
                digits = true;
            }
            b' ' if digits => return Ok((value, rest)),
            _ => return Err(Violation::NotAnInteger),
        }
    }
}

/// `value` without leading zeros, and its space. At most [`NUMBER_MAX`].
pub(crate) fn integer(mut value: u64) -> Integer {
    let mut reversed = Integer::default();
    reversed.push(b' ');
    loop {
        // A remainder of ten fits four bits.
        reversed.push(b'0' | (value % 10) as u8);
        value /= 10;
        if value == 0 {
            return reversed.reversed();
        }
    }
}
