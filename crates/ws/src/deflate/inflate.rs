//! Inflating messages, within bounds.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};

use super::{FLUSH_TAIL, WINDOW_BITS_MIN};

/// Why a message did not inflate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Corrupt,
    TooBig,
}

/// One direction's decompressor.
pub(crate) struct Inflater {
    raw: Decompress,
    /// WS-PD-12: keep the window from message to message.
    takeover: bool,
    window_bytes: usize,
    /// The end of all earlier messages, up to twice the window: what [`Self::restart`] needs.
    history: Vec<u8>,
    /// Whether the message has had any octet.
    fed: bool,
}

impl Inflater {
    pub(crate) fn new(window_bits: u8, takeover: bool) -> Inflater {
        let window_bits = window_bits.clamp(WINDOW_BITS_MIN, 15);
        Inflater {
            raw: Decompress::new_with_window_bits(false, window_bits),
            takeover,
            window_bytes: 1 << window_bits,
            history: Vec::new(),
            fed: false,
        }
    }

    /// Whether nothing would be lost by dropping this between messages.
    pub(crate) fn is_stateless(&self) -> bool {
        !self.takeover
    }

    /// Appends what `input` inflates to. `out` holds the message so far, and never more than
    /// `max_bytes` (WS-PD-15).
    pub(crate) fn push(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        max_bytes: usize,
    ) -> Result<(), Fault> {
        self.fed |= !input.is_empty();
        self.run(input, out, max_bytes)
    }

    /// Ends the message.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>, max_bytes: usize) -> Result<(), Fault> {
        // RFC 7692, section 7.2.3.6: even an empty message has an octet.
        if !std::mem::take(&mut self.fed) {
            return Err(Fault::Corrupt);
        }
        // WS-PD-10.
        self.run(&FLUSH_TAIL, out, max_bytes)?;
        if self.takeover {
            self.remember(out);
        } else {
            self.raw.reset(false);
        }
        Ok(())
    }

    fn run(&mut self, mut input: &[u8], out: &mut Vec<u8>, max: usize) -> Result<(), Fault> {
        loop {
            reserve(out, input.len(), max);
            let (consumed, produced) = (self.raw.total_in(), out.len());
            let status = self.raw.decompress_vec(input, out, FlushDecompress::None);
            let consumed = self.raw.total_in().saturating_sub(consumed);
            let consumed = usize::try_from(consumed).unwrap_or(usize::MAX);
            input = input.get(consumed..).unwrap_or_default();
            if out.len() > max {
                out.truncate(max);
                return Err(Fault::TooBig);
            }
            match status {
                Err(_) => return Err(Fault::Corrupt),
                // WS-PD-09: a sender may end a block with BFINAL and go on with the next.
                Ok(Status::StreamEnd) => self.restart(out)?,
                Ok(Status::Ok | Status::BufError) if out.len() == out.capacity() => {}
                Ok(Status::Ok | Status::BufError) if input.is_empty() => return Ok(()),
                Ok(Status::Ok | Status::BufError) => {
                    if consumed == 0 && out.len() == produced {
                        return Err(Fault::Corrupt);
                    }
                }
            }
            if input.is_empty() && matches!(status, Ok(Status::StreamEnd)) {
                return Ok(());
            }
        }
    }

    /// Goes on after a block with BFINAL; later blocks may still refer to everything before it.
    fn restart(&mut self, message: &[u8]) -> Result<(), Fault> {
        self.raw.reset(false);
        let from = message.len().saturating_sub(self.window_bytes);
        let recent = message.get(from..).unwrap_or_default();
        let earlier = self.window_bytes.saturating_sub(recent.len()).min(self.history.len());
        let from = self.history.len().saturating_sub(earlier);
        let mut window = self.history.get(from..).unwrap_or_default().to_vec();
        window.extend_from_slice(recent);
        if window.is_empty() {
            return Ok(());
        }
        self.raw.set_dictionary(&window).map(drop).map_err(|_| Fault::Corrupt)
    }

    fn remember(&mut self, message: &[u8]) {
        let from = message.len().saturating_sub(self.window_bytes);
        let recent = message.get(from..).unwrap_or_default();
        if self.history.len().saturating_add(recent.len()) > self.window_bytes.saturating_mul(2) {
            let excess = self.history.len().saturating_sub(self.window_bytes);
            self.history.drain(..excess);
        }
        self.history.extend_from_slice(recent);
    }
}

/// Makes room for more, twice as much each time but no more than one octet above the limit.
fn reserve(out: &mut Vec<u8>, input_bytes: usize, max_bytes: usize) {
    if out.len() < out.capacity() {
        return;
    }
    let guess = input_bytes.saturating_mul(3).max(out.len()).max(256);
    let room = max_bytes.saturating_add(1).saturating_sub(out.len());
    out.reserve_exact(guess.min(room).max(1));
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").field("window_bytes", &self.window_bytes).finish_non_exhaustive()
    }
}
