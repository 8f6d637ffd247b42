//! The frame header of every version, read and written (RFC 6455, section 5.2; draft -06,
//! sections 4.2 and 4.3).
//!
//! This is a codec and nothing else: whether a well-formed frame is allowed here and now is
//! decided by the receiver.

use crate::mask;
use crate::version::Version;
use crate::violation::Violation;

/// The longest header: two octets, a 64-bit length and a masking key.
pub(crate) const HEADER_MAX_BYTES: usize = 14;

/// RSV1 as a bit of [`Header::rsv`]; RFC 7692 gives it a meaning (WS-RG-06).
pub(crate) const RSV1: u8 = 0b100;

/// What a frame is; the numbers on the wire differ between versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    #[inline]
    fn from_wire(version: Version, nibble: u8) -> Result<Opcode, Violation> {
        if version == Version::Draft6 {
            return Opcode::from_draft6(nibble);
        }
        // WS-RG-06, HYBI-060: 7, 8 and 13 share their numbers. HYBI-064: an example in the text of
        // version 7 says 4 for text; 1 is meant.
        Ok(match nibble {
            0x0 => Opcode::Continuation,
            0x1 => Opcode::Text,
            0x2 => Opcode::Binary,
            0x8 => Opcode::Close,
            0x9 => Opcode::Ping,
            0xA => Opcode::Pong,
            // WS-FR-03: everything else is reserved.
            _ => return Err(Violation::ReservedOpcode(nibble)),
        })
    }

    /// HYBI-041: version 6 has numbers of its own.
    fn from_draft6(nibble: u8) -> Result<Opcode, Violation> {
        Ok(match nibble {
            0x0 => Opcode::Continuation,
            0x1 => Opcode::Close,
            0x2 => Opcode::Ping,
            0x3 => Opcode::Pong,
            0x4 => Opcode::Text,
            0x5 => Opcode::Binary,
            _ => return Err(Violation::ReservedOpcode(nibble)),
        })
    }

    #[inline]
    const fn to_wire(self, version: Version) -> u8 {
        let (numbered, draft6) = match self {
            Opcode::Continuation => (0x0, 0x0),
            Opcode::Text => (0x1, 0x4),
            Opcode::Binary => (0x2, 0x5),
            Opcode::Close => (0x8, 0x1),
            Opcode::Ping => (0x9, 0x2),
            Opcode::Pong => (0xA, 0x3),
        };
        if matches!(version, Version::Draft6) { draft6 } else { numbered }
    }

    /// HYBI-046: asked of the opcode, because in version 6 no bit tells.
    pub(crate) const fn is_control(self) -> bool {
        matches!(self, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }
}

/// How frames look in one direction of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire {
    pub(crate) version: Version,
    /// Whether these frames are masked: those of a client are, those of a server are not.
    pub(crate) masked: bool,
}

/// A frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) fin: bool,
    /// RSV1 to RSV3, RSV1 highest.
    pub(crate) rsv: u8,
    pub(crate) opcode: Opcode,
    /// The key as it applies to the payload from its first octet on.
    pub(crate) key: Option<[u8; 4]>,
    pub(crate) payload_size_bytes: u64,
}

impl Header {
    /// What [`parse`] writes to.
    pub(crate) const BLANK: Header = Header {
        fin: false,
        rsv: 0,
        opcode: Opcode::Continuation,
        key: None,
        payload_size_bytes: 0,
    };
}

/// Reads one header (WS-FR-01) into `header`, and returns its size in octets; 0: more are needed.
///
/// Faults of the first two octets are found before the rest has come. The header is not returned,
/// because moving its small fields together costs a third of the time of a short message.
#[inline]
pub(crate) fn parse(wire: Wire, bytes: &[u8], header: &mut Header) -> Result<usize, Violation> {
    if wire.masked && wire.version == Version::Draft6 {
        return parse_wholly_masked(bytes, header);
    }
    let [first, second, rest @ ..] = bytes else { return Ok(0) };
    header.opcode = Opcode::from_wire(wire.version, first & 0x0F)?;
    check_mask_bit(wire, second & 0x80 != 0)?;
    let (payload_size_bytes, rest) = match second & 0x7F {
        126 => {
            let Some((size, rest)) = rest.split_first_chunk::<2>() else { return Ok(0) };
            (minimal(wire.version, u64::from(u16::from_be_bytes(*size)), 126)?, rest)
        }
        127 => {
            let Some((size, rest)) = rest.split_first_chunk::<8>() else { return Ok(0) };
            let size = u64::from_be_bytes(*size);
            // WS-FR-05: the top bit is zero.
            if size > u64::MAX >> 1 {
                return Err(Violation::LengthTopBit);
            }
            (minimal(wire.version, size, 1 << 16)?, rest)
        }
        size => (u64::from(size), rest),
    };
    let (key, rest) = if wire.masked {
        let Some((key, rest)) = rest.split_first_chunk::<4>() else { return Ok(0) };
        (Some(*key), rest)
    } else {
        (None, rest)
    };
    header.fin = first & 0x80 != 0;
    header.rsv = first >> 4 & 0b111;
    header.key = key;
    header.payload_size_bytes = payload_size_bytes;
    Ok(bytes.len().saturating_sub(rest.len()))
}

/// HYBI-042, HYBI-043: in version 6 four octets of key come first, and the header is masked too,
/// with one running index over header and payload (HYBI-A02: starting anew in each frame).
#[cold]
fn parse_wholly_masked(bytes: &[u8], header: &mut Header) -> Result<usize, Violation> {
    let Some((key, masked)) = bytes.split_first_chunk::<4>() else { return Ok(0) };
    let mut clear = [0; HEADER_MAX_BYTES];
    let mut seen = 0_usize;
    for (to, from) in clear.iter_mut().zip(masked) {
        *to = *from;
        seen = seen.saturating_add(1);
    }
    mask::apply(*key, &mut clear);
    let clear = clear.get(..seen).unwrap_or_default();
    // HYBI-A03: the length is that of the clear payload; the key does not count.
    let plain = Wire { version: Version::Draft6, masked: false };
    let size = parse(plain, clear, header)?;
    header.key = Some(mask::rotate(*key, size));
    Ok(if size == 0 { 0 } else { size.saturating_add(4) })
}

fn check_mask_bit(wire: Wire, set: bool) -> Result<(), Violation> {
    match (wire.masked, set) {
        // HYBI-040, HYBI-048: the place of MASK is RSV4 in version 6, and zero.
        (_, true) if wire.version == Version::Draft6 => Err(Violation::ReservedBits),
        // WS-MK-02, HYBI-062: a client masks every frame.
        (true, false) => Err(Violation::Unmasked),
        // WS-MK-04, HYBI-063: a server masks none.
        (false, true) => Err(Violation::Masked),
        _ => Ok(()),
    }
}

/// WS-FR-04, WS-A07: lengths are as short as they can be. HYBI-047: nobody said so before
/// version 13.
fn minimal(version: Version, size: u64, at_least: u64) -> Result<u64, Violation> {
    if size < at_least && !version.is_interim() {
        return Err(Violation::LengthNotMinimal);
    }
    Ok(size)
}

/// Appends `header` to `out`; its key, if any, is the one to mask with. Returns the key as it
/// applies to the payload from its first octet on.
#[inline]
pub(crate) fn append(version: Version, header: &Header, out: &mut Vec<u8>) -> Option<[u8; 4]> {
    let first = u8::from(header.fin) << 7 | header.rsv << 4 | header.opcode.to_wire(version);
    match header.key {
        None => append_clear(first, 0, header.payload_size_bytes, out),
        Some(key) if version != Version::Draft6 => {
            append_clear(first, 0x80, header.payload_size_bytes, out);
            out.extend_from_slice(&key);
        }
        Some(key) => {
            // HYBI-042: the key comes first, the header is masked as well, and the payload goes on
            // where the header ended.
            out.extend_from_slice(&key);
            let start = out.len();
            append_clear(first, 0, header.payload_size_bytes, out);
            let masked = out.get_mut(start..).unwrap_or_default();
            mask::apply(key, masked);
            return Some(mask::rotate(key, masked.len()));
        }
    }
    header.key
}

/// WS-FR-04: always the shortest form (HYBI-047: in every version).
#[inline]
fn append_clear(first: u8, mask_bit: u8, payload_size_bytes: u64, out: &mut Vec<u8>) {
    let [a, b, c, d, e, f, g, h] = payload_size_bytes.to_be_bytes();
    match payload_size_bytes {
        0..=125 => out.extend_from_slice(&[first, mask_bit | h]),
        126..=65535 => out.extend_from_slice(&[first, mask_bit | 126, g, h]),
        65536.. => out.extend_from_slice(&[first, mask_bit | 127, a, b, c, d, e, f, g, h]),
    }
}
