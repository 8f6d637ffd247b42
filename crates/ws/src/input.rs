//! One burst of received octets.

/// The octets of one read, in the caller's buffer.
///
/// Payloads are unmasked inside this buffer and lent out of it, so a buffer may be shared by all
/// connections of a thread.
#[derive(Debug)]
pub struct Input<'b> {
    rest: &'b mut [u8],
}

impl<'b> Input<'b> {
    /// A burst that is all of `bytes`.
    pub fn new(bytes: &'b mut [u8]) -> Input<'b> {
        Input { rest: bytes }
    }

    /// Nothing read; for events that need no octets, such as those of a timeout.
    #[must_use]
    pub fn empty() -> Input<'b> {
        Input { rest: &mut [] }
    }

    /// Octets not consumed yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rest.len()
    }

    /// Whether all is consumed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The octets not consumed yet; to keep them for later, outside of the shared buffer.
    #[must_use]
    pub fn into_rest(self) -> &'b mut [u8] {
        self.rest
    }

    #[inline]
    pub(crate) fn peek(&self) -> &[u8] {
        self.rest
    }

    /// The next `count` octets, or all that is left if that is less.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> &'b mut [u8] {
        let rest = std::mem::take(&mut self.rest);
        let count = count.min(rest.len());
        match rest.split_at_mut_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                taken
            }
            None => &mut [],
        }
    }

    pub(crate) fn discard(&mut self) {
        self.rest = &mut [];
    }
}
