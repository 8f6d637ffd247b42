//! The reader that both syntaxes share: the grammar is one, only integers and frame ids differ.

use crate::{Bound, Kind, LengthUnit, Violation, binary, string, text};

/// A place in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor<'a> {
    kind: Kind,
    unit: LengthUnit,
    rest: &'a [u8],
    /// An integer was read that has a shorter form.
    padded: bool,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(kind: Kind, unit: LengthUnit, octets: &'a [u8]) -> Self {
        Cursor { kind, unit, rest: octets, padded: false }
    }

    /// Whether every integer read since `fresh` was in its shortest form.
    pub(crate) fn is_shortest(&self) -> bool {
        !self.padded
    }

    /// The same place, with nothing read yet.
    pub(crate) fn fresh(self) -> Self {
        Cursor { padded: false, ..self }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn unit(&self) -> LengthUnit {
        self.unit
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Skips `prefix` if the frame goes on with it.
    pub(crate) fn skip(&mut self, prefix: &[u8]) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(crate) fn integer(&mut self) -> Result<u64, Violation> {
        let (value, rest) = match self.kind {
            Kind::Text => text::read_integer(self.rest)?,
            Kind::Binary => binary::read_integer(self.rest)?,
        };
        let len = self.rest.len().saturating_sub(rest.len());
        self.padded |= len > self.kind.shortest_len(value);
        self.rest = rest;
        Ok(value)
    }

    pub(crate) fn string(&mut self) -> Result<&'a str, Violation> {
        let len = self.integer()?;
        let (string, rest) = string::split(self.rest, len, self.unit)?;
        self.rest = rest;
        Ok(string)
    }

    /// Octets preceded by their count; no frame has these, saved state has.
    pub(crate) fn octets(&mut self) -> Result<&'a [u8], Violation> {
        let len = usize::try_from(self.integer()?).map_err(|_| Violation::Truncated)?;
        let (octets, rest) = self.rest.split_at_checked(len).ok_or(Violation::Truncated)?;
        self.rest = rest;
        Ok(octets)
    }

    /// The count of a list whose entries hold `integers` integers each.
    // MBWS-121: a count that the octets present cannot hold ends here, before anything is read.
    pub(crate) fn count(&mut self, integers: usize) -> Result<usize, Violation> {
        let count = usize::try_from(self.integer()?).map_err(|_| Violation::Truncated)?;
        let smallest = match self.kind {
            Kind::Text => integers.saturating_mul(2),
            Kind::Binary => integers,
        };
        if count.saturating_mul(smallest) > self.rest.len() {
            return Err(Violation::Truncated);
        }
        Ok(count)
    }

    /// As [`Cursor::count`], and at most `max`.
    pub(crate) fn bounded_count(
        &mut self,
        integers: usize,
        max: u32,
        bound: Bound,
    ) -> Result<usize, Violation> {
        let count = self.count(integers)?;
        within(count, max, bound)?;
        Ok(count)
    }

    /// The frame ends here.
    pub(crate) fn end(&self) -> Result<(), Violation> {
        if self.rest.is_empty() { Ok(()) } else { Err(Violation::TrailingOctets) }
    }
}

/// Checks one size against its limit.
pub(crate) fn within(size: usize, max: u32, bound: Bound) -> Result<(), Violation> {
    match u32::try_from(size) {
        Ok(size) if size <= max => Ok(()),
        _ => Err(Violation::OverLimit(bound)),
    }
}
