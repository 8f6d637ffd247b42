//! `deflate-stream` (HYBI-090): everything after the handshake is one raw DEFLATE stream in each
//! direction, frame headers, masking keys and control frames included.

use std::fmt;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::compress::run;
use crate::input::Input;
use crate::limits::STREAM_CHUNK_BYTES;
use crate::violation::Violation;

/// The receiving direction.
pub(crate) struct StreamIn {
    raw: Decompress,
    /// What is inflated and not yet parsed; at most [`STREAM_CHUNK_BYTES`].
    plain: Plain,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Flowing,
    /// The peer ended its stream; it has nothing more to say.
    Ended,
    /// What follows the octets inflated last is not DEFLATE.
    Corrupt,
}

/// Inflated octets, and how many of them are used up.
#[derive(Default)]
pub(crate) struct Plain {
    pub(crate) bytes: Vec<u8>,
    pub(crate) used: usize,
}

impl Plain {
    pub(crate) fn is_used_up(&self) -> bool {
        self.used >= self.bytes.len()
    }
}

impl StreamIn {
    pub(crate) fn new() -> StreamIn {
        // HYBI-091: neither zlib nor gzip around it.
        StreamIn { raw: Decompress::new(false), plain: Plain::default(), state: State::Flowing }
    }

    /// Inflates some more of `input`. Empty: all is consumed and nothing is left inside.
    pub(crate) fn refill(&mut self, input: &mut Input<'_>) -> Result<Plain, Violation> {
        if !self.plain.is_used_up() {
            return Ok(std::mem::take(&mut self.plain));
        }
        match self.state {
            State::Corrupt => return Err(Violation::NotDeflate),
            State::Ended if !input.is_empty() => return Err(Violation::NotDeflate),
            State::Ended => return Ok(Plain::default()),
            State::Flowing => {}
        }
        let mut bytes = std::mem::take(&mut self.plain).bytes;
        bytes.clear();
        bytes.reserve_exact(STREAM_CHUNK_BYTES);
        let before = self.raw.total_in();
        // HYBI-092: any blocks, any flushes; what can be inflated is, at once.
        let status = self.raw.decompress_vec(input.peek(), &mut bytes, FlushDecompress::None);
        let consumed = usize::try_from(self.raw.total_in().saturating_sub(before));
        let taken = input.take(consumed.unwrap_or(usize::MAX)).len();
        match status {
            Ok(_) if taken == 0 && bytes.is_empty() && !input.is_empty() => {
                return Err(Violation::NotDeflate);
            }
            Ok(Status::Ok | Status::BufError) => {}
            Ok(Status::StreamEnd) => self.state = State::Ended,
            // What was inflated before the fault is delivered first.
            Err(_) if bytes.is_empty() => return Err(Violation::NotDeflate),
            Err(_) => self.state = State::Corrupt,
        }
        Ok(Plain { bytes, used: 0 })
    }

    /// Takes back what [`Self::refill`] lent.
    pub(crate) fn put_back(&mut self, plain: Plain) {
        if !plain.is_used_up() {
            self.plain = plain;
        }
    }
}

/// The sending direction.
pub(crate) struct StreamOut {
    raw: Compress,
}

impl StreamOut {
    pub(crate) fn new(level: u8) -> StreamOut {
        let level = Compression::new(u32::from(level.clamp(1, 9)));
        StreamOut { raw: Compress::new(level, false) }
    }

    /// Compresses what `out` holds from `start` on, in its place.
    pub(crate) fn compress_from(&mut self, start: usize, out: &mut Vec<u8>) {
        let plain = out.split_off(start.min(out.len()));
        run(&mut self.raw, &plain, FlushCompress::None, out);
        // HYBI-092: nothing of a message is held back.
        run(&mut self.raw, &[], FlushCompress::Sync, out);
    }
}

impl fmt::Debug for StreamIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamIn").field("state", &self.state).finish_non_exhaustive()
    }
}

impl fmt::Debug for StreamOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamOut").finish_non_exhaustive()
    }
}
