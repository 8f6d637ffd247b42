//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept` (RFC 6455, sections 4.1 and 4.2.2).

use data_encoding::BASE64;
use sha1::{Digest, Sha1};

/// The same in versions 6, 7, 8 and 13 (HYBI-004).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A key is 16 octets in base64: 22 characters and two of padding.
const DIGITS: usize = 22;

/// Whether `key` decodes to 16 octets.
///
/// WS-HS-05: no decoding is needed. The four spare bits of the last digit are not looked at,
/// because the RFC's own example key (`AQIDBAUGBwgJCgsMDQ4PEC==`) has one of them set.
pub(crate) fn is_valid(key: &[u8]) -> bool {
    let Some((digits, padding)) = key.split_at_checked(DIGITS) else {
        return false;
    };
    let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    padding == b"==" && digits.iter().all(is_digit)
}

/// The key that 16 random octets make (WS-HC-11).
pub(crate) fn encode(entropy: &[u8; 16]) -> String {
    BASE64.encode(entropy)
}

/// The value of `Sec-WebSocket-Accept` that answers `key`, which is taken as it was written.
#[must_use]
pub fn accept(key: &[u8]) -> String {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    BASE64.encode(&digest)
}
