//! The header that has come in part.

use crate::header::{self, HEADER_MAX_BYTES, Header, Wire};
use crate::input::Input;
use crate::violation::Violation;

/// Keeps the beginning of a header between two reads.
#[derive(Debug, Default)]
pub(super) struct Intake {
    kept: [u8; HEADER_MAX_BYTES],
    kept_bytes: u8,
}

impl Intake {
    /// Reads the next header; `false` when the input ends before it does.
    #[inline]
    pub(super) fn next_header(
        &mut self,
        wire: Wire,
        input: &mut Input<'_>,
        header: &mut Header,
    ) -> Result<bool, Violation> {
        if self.kept_bytes == 0 {
            let size = header::parse(wire, input.peek(), header)?;
            if size > 0 {
                input.take(size);
                return Ok(true);
            }
        }
        self.complete(wire, input, header)
    }

    /// Octet by octet, because only the header knows how long it is.
    #[cold]
    fn complete(
        &mut self,
        wire: Wire,
        input: &mut Input<'_>,
        header: &mut Header,
    ) -> Result<bool, Violation> {
        while let [octet] = input.take(1) {
            let Some(place) = self.kept.get_mut(usize::from(self.kept_bytes)) else { break };
            *place = *octet;
            self.kept_bytes = self.kept_bytes.saturating_add(1);
            let kept = self.kept.get(..usize::from(self.kept_bytes)).unwrap_or_default();
            if header::parse(wire, kept, header)? > 0 {
                self.kept_bytes = 0;
                return Ok(true);
            }
        }
        Ok(false)
    }
}
