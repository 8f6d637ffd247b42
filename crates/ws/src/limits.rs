//! What one connection may cost, and why the bounds are where they are.

use std::time::Duration;

/// Frames up to this size are completed in the caller's buffer (see
/// [`Connection::reclaim`](crate::Connection::reclaim)); longer ones are assembled on the heap,
/// because moving their beginning back and forth costs more than it saves.
pub const RECLAIM_MAX_BYTES: usize = 64 * 1024;

/// The longest payload of a control frame (WS-CT-01).
pub const CONTROL_MAX_BYTES: usize = 125;

/// The longest control frame on the wire, also inside `deflate-stream`: the smallest useful budget
/// of [`Connection::poll_transmit`](crate::Connection::poll_transmit).
pub const CONTROL_FRAME_MAX_BYTES: usize =
    CONTROL_MAX_BYTES + crate::header::HEADER_MAX_BYTES + STREAM_OVERHEAD_BYTES;

/// What `deflate-stream` adds at most to a short frame: two block headers and a flush.
const STREAM_OVERHEAD_BYTES: usize = 16;

/// How much `deflate-stream` inflates before frames are taken from it: the bound on what is
/// inflated and not yet looked at.
pub(crate) const STREAM_CHUNK_BYTES: usize = 16 * 1024;

/// The settings of one connection.
#[derive(Clone, Debug)]
pub struct Config {
    /// The longest frame accepted, in octets on the wire (WS-FR-10). Known from the header, so
    /// nothing is allocated for a longer one. Default 16 MiB.
    pub frame_size_max_bytes: u64,
    /// The longest message accepted, in octets, inflated (WS-FR-10, WS-PD-15). Default 16 MiB.
    pub message_size_max_bytes: usize,
    /// Messages shorter than this are not worth compressing, in octets. Default 64.
    pub compress_min_bytes: usize,
    /// DEFLATE level of sent messages, 1 (fast) to 9 (small). Default 3.
    pub compression_level: u8,
    /// How long the peer has to answer a Close and to close the transport. Default 5 s.
    pub close_timeout: Duration,
    /// Send a Ping when nothing was heard for so long; `None`, the default, never does.
    pub ping_interval: Option<Duration>,
    /// How long a peer that was pinged may stay silent. Default 20 s.
    pub pong_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            frame_size_max_bytes: 16 << 20,
            message_size_max_bytes: 16 << 20,
            compress_min_bytes: 64,
            compression_level: 3,
            close_timeout: Duration::from_secs(5),
            ping_interval: None,
            pong_timeout: Duration::from_secs(20),
        }
    }
}
