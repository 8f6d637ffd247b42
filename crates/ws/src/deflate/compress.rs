//! Compressing messages.

use std::fmt;

use flate2::{Compress, Compression, FlushCompress};

use super::{FLUSH_TAIL, WINDOW_BITS_MIN};

/// One direction's compressor.
pub(crate) struct Compressor {
    raw: Compress,
    /// WS-PD-11: keep the window from message to message.
    takeover: bool,
}

impl Compressor {
    /// `None`: a window this small cannot be kept, so messages go out uncompressed (WS-PD-13).
    pub(crate) fn new(window_bits: u8, takeover: bool, level: u8) -> Option<Compressor> {
        if window_bits < WINDOW_BITS_MIN {
            return None;
        }
        let level = Compression::new(u32::from(level.clamp(1, 9)));
        let raw = Compress::new_with_window_bits(level, false, window_bits.min(15));
        Some(Compressor { raw, takeover })
    }

    /// Whether nothing would be lost by dropping this between messages.
    pub(crate) fn is_stateless(&self) -> bool {
        !self.takeover
    }

    /// Appends one fragment of a message, compressed (WS-PD-09).
    pub(crate) fn push(&mut self, parts: &[&[u8]], last: bool, out: &mut Vec<u8>) {
        let start = out.len();
        for part in parts {
            run(&mut self.raw, part, FlushCompress::None, out);
        }
        run(&mut self.raw, &[], FlushCompress::Sync, out);
        if !last {
            return;
        }
        let payload = out.get(start..).unwrap_or_default();
        if payload.ends_with(&FLUSH_TAIL) {
            out.truncate(out.len().saturating_sub(FLUSH_TAIL.len()));
        }
        // RFC 7692, section 7.2.3.6: nothing at all is written as the header of an empty block.
        if out.len() == start {
            out.push(0x00);
        }
        if !self.takeover {
            self.raw.reset();
        }
    }
}

/// Compresses `input` and appends what comes out; with a flush, all of it.
pub(super) fn run(raw: &mut Compress, mut input: &[u8], flush: FlushCompress, out: &mut Vec<u8>) {
    loop {
        out.reserve(input.len().max(64));
        let before = (raw.total_in(), out.len());
        // Cannot fail with a valid state; if it does, there is no progress and the loop ends.
        let _ = raw.compress_vec(input, out, flush);
        let consumed = usize::try_from(raw.total_in().saturating_sub(before.0));
        input = input.get(consumed.unwrap_or(usize::MAX)..).unwrap_or_default();
        let stuck = (raw.total_in(), out.len()) == before;
        if stuck || (input.is_empty() && out.len() < out.capacity()) {
            return;
        }
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor").field("takeover", &self.takeover).finish_non_exhaustive()
    }
}
