//! An encoded integer on the stack.

use crate::{Kind, NUMBER_MAX, binary, text};

/// Seventeen digits of 2^56-1 and a space.
const CAPACITY: usize = 18;

/// The octets of one integer, in either syntax: a part of a message under construction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Integer {
    octets: [u8; CAPACITY],
    len: u8,
}

impl Integer {
    /// Encodes `value` for a frame of `kind`; above [`NUMBER_MAX`] nothing can be said, so that is sent.
    pub(crate) fn of(kind: Kind, value: u64) -> Self {
        let value = value.min(NUMBER_MAX);
        match kind {
            Kind::Text => text::integer(value),
            Kind::Binary => binary::integer(value),
        }
    }

    /// Encodes a length or a count.
    pub(crate) fn of_len(kind: Kind, len: usize) -> Self {
        Self::of(kind, u64::try_from(len).unwrap_or(NUMBER_MAX))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }

    pub(crate) fn push(&mut self, octet: u8) {
        if let Some(slot) = self.octets.get_mut(usize::from(self.len)) {
            *slot = octet;
            self.len = self.len.saturating_add(1);
        }
    }

    pub(crate) fn reversed(mut self) -> Self {
        if let Some(used) = self.octets.get_mut(..usize::from(self.len)) {
            used.reverse();
        }
        self
    }
}
