//! UTF-8, checked at once or as it arrives (WS-U8-01).

/// The octets cannot be, or begin, UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Invalid;

/// Checks a whole text.
#[inline]
pub(crate) fn check(bytes: &[u8]) -> Result<(), Invalid> {
    // WS-U8-03: overlong forms, surrogates and numbers past 10FFFF are refused by the library.
    simdutf8::basic::from_utf8(bytes).map(drop).map_err(|_| Invalid)
}

/// Checks a text that arrives in pieces; a code point may be split between them.
///
/// WS-U8-04: an octet that no continuation can make right is reported with the piece it is in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Validator {
    /// A valid but unfinished sequence at the end of what has been seen.
    pending: [u8; 4],
    pending_bytes: u8,
}

impl Validator {
    /// Takes the next piece.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<(), Invalid> {
        while self.pending_bytes > 0 {
            let Some((next, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            self.extend_pending(*next)?;
        }
        match simdutf8::compat::from_utf8(bytes) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_some() => Err(Invalid),
            Err(error) => {
                let tail = bytes.get(error.valid_up_to()..).unwrap_or_default();
                tail.iter().try_for_each(|octet| self.extend_pending(*octet))
            }
        }
    }

    /// Ends the text, and begins the next.
    pub(crate) fn finish(&mut self) -> Result<(), Invalid> {
        if self.pending_bytes == 0 { Ok(()) } else { Err(Invalid) }
    }

    fn extend_pending(&mut self, octet: u8) -> Result<(), Invalid> {
        let used = usize::from(self.pending_bytes);
        let Some(place) = self.pending.get_mut(used) else { return Err(Invalid) };
        *place = octet;
        let used = used.saturating_add(1);
        match std::str::from_utf8(self.pending.get(..used).unwrap_or_default()) {
            Ok(_) => self.pending_bytes = 0,
            Err(error) if error.error_len().is_some() => return Err(Invalid),
            Err(_) => self.pending_bytes = self.pending_bytes.saturating_add(1),
        }
        Ok(())
    }
}

/// The text with every bad sequence read as U+FFFD (HYBI-080).
pub(crate) fn repair(bytes: Vec<u8>) -> Vec<u8> {
    match String::from_utf8(bytes) {
        Ok(text) => text.into_bytes(),
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned().into_bytes(),
    }
}
