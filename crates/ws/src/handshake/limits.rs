//! What a handshake may cost before the peer is known.

/// Upper bounds on an HTTP head, checked before anything is parsed or kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// From the first octet of the start line to the empty line that ends the head.
    pub head_max_bytes: usize,
    /// Number of header fields; never more than [`HEADERS_MAX`].
    pub headers_max: usize,
}

impl Default for HeadLimits {
    /// 16 KiB and 100 fields: browsers with large cookies fit, floods do not.
    fn default() -> Self {
        HeadLimits { head_max_bytes: 16 * 1024, headers_max: 100 }
    }
}

/// Most header fields that any setting allows; the parser's table of this size is on the stack.
pub const HEADERS_MAX: usize = 128;

/// Longest request target. Longer ones are refused with 414: no address or token needs them.
pub const TARGET_MAX_BYTES: usize = 8 * 1024;

/// Most elements, and most parameters of one element, in a list such as
/// `Sec-WebSocket-Extensions`. Browsers send one or two.
pub const LIST_MAX: usize = 64;

/// Most 1xx responses a client skips before the final one.
pub const INTERIM_RESPONSES_MAX: u8 = 8;

/// Smallest window the DEFLATE compressor can keep to: zlib has no raw window of 256 octets.
pub const COMPRESSOR_WINDOW_BITS_MIN: u8 = 9;
