//! The binary syntax: base-128 integers and one-octet frame ids (section 4).

use crate::Violation;
use crate::integer::Integer;

pub(crate) const CONNECT: &[u8] = b"\x01";
pub(crate) const ACKNOWLEDGE: &[u8] = b"\x02";
pub(crate) const MESSAGE: &[u8] = b"\x03";

/// Most octets of an integer: seven bits each, so 2^56-1 at most.
// MBWS-105
const OCTETS_MAX: usize = 8;

/// Reads an integer and gives what follows. Non-minimal forms are read (MBWS-A16).
pub(crate) fn read_integer(octets: &[u8]) -> Result<(u64, &[u8]), Violation> {
    let mut value = 0u64;
    let mut rest = octets;
    for at in 0..OCTETS_MAX {
        let (octet, after) = rest.split_first().ok_or(Violation::Truncated)?;
        rest = after;
        let shift = u32::try_from(at.saturating_mul(7)).unwrap_or(u32::MAX);
        value |= u64::from(octet & 0x7f).checked_shl(shift).unwrap_or(0);
        if octet & 0x80 == 0 {
            return Ok((value, rest));
        }
    }
    Err(Violation::NumberTooLarge)
}

/// The shortest form of `value`, which is at most [`crate::NUMBER_MAX`].
pub(crate) fn integer(mut value: u64) -> Integer {
    let mut octets = Integer::default();
    loop {
        let group = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            octets.push(group);
            return octets;
        }
        octets.push(group | 0x80);
    }
}
