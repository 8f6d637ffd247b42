//! The list that a composite is written as: fields by their place, absent ones null, and those at
//! the end left out (AMQP 1.4).

use super::{DecodeError, Reader, code, write};

/// The fields of a composite, read one after the other.
///
/// Every delivery passes through here, so what is common is inlined, and the place of the reader
/// is kept out of memory: only a copy of it is lent to what may not be inlined.
pub(crate) struct FieldReader<'a> {
    reader: Reader<'a>,
    left: u32,
    /// How many were asked for.
    place: usize,
    /// What the fields are called in errors.
    names: &'static [&'static str],
}

impl<'a> FieldReader<'a> {
    /// Reads the head of the list. The whole list is passed in `reader`.
    #[inline(always)]
    pub(crate) fn new(
        reader: &mut Reader<'a>,
        names: &'static [&'static str],
    ) -> Result<Self, DecodeError> {
        let list = reader.list_compound()?;
        // A composite in a composite is as deep as a list in a list.
        let inside = reader.inside(list.body)?;
        Ok(FieldReader { reader: inside, left: list.count, place: 0, names })
    }

    /// Whether the next field is there; one that is null is passed over.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> bool {
        self.place = self.place.wrapping_add(1);
        if self.left == 0 {
            return false;
        }
        self.left = self.left.wrapping_sub(1);
        !self.reader.take_null()
    }

    /// A copy of the reader, to read one field with.
    #[inline(always)]
    pub(crate) fn lend(&self) -> Reader<'a> {
        self.reader.clone()
    }

    /// Goes on where one field was read.
    #[inline(always)]
    pub(crate) fn resume(&mut self, reader: Reader<'a>) {
        self.reader = reader;
    }

    /// The same error, found in the field that was asked for last.
    #[inline(always)]
    pub(crate) fn blame(&self, error: DecodeError) -> DecodeError {
        blame(error, self.names, self.place)
    }

    /// The field that was asked for last is mandatory.
    #[inline(always)]
    pub(crate) fn absent(&self) -> DecodeError {
        blame(DecodeError::field("absent, and mandatory"), self.names, self.place)
    }

    /// A field that may be absent, for composites that are read by hand.
    pub(crate) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if !self.next() {
            return Ok(None);
        }
        read(&mut self.reader).map(Some).map_err(|error| self.blame(error))
    }

    /// A field that must be there, for composites that are read by hand.
    pub(crate) fn mandatory<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        self.optional(read)?.ok_or_else(|| self.absent())
    }

    /// No field is left. What was used up of the limits, `outer` has used up.
    #[inline(always)]
    pub(crate) fn finish(self, outer: &mut Reader<'a>) -> Result<(), DecodeError> {
        outer.empty_left = self.reader.empty_left;
        if self.left > 0 {
            return Err(DecodeError::field("more fields than there are"));
        }
        if !self.reader.is_empty() {
            return Err(DecodeError::encoding("octets after the last field"));
        }
        Ok(())
    }
}

/// It is handed what it needs, for a reader that is lent to it would be kept in memory.
#[cold]
#[inline(never)]
fn blame(error: DecodeError, names: &'static [&'static str], place: usize) -> DecodeError {
    let name = names.get(place.wrapping_sub(1));
    error.within(name.copied().unwrap_or_default())
}

/// The fields of a composite, written one after the other.
pub(crate) struct FieldWriter<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    count: usize,
    /// Absent fields since the last that was there. They are written before the next that is.
    absent: u8,
}

/// No composite has more fields than an attach.
const NULLS: [u8; 14] = [code::NULL; 14];

impl<'o> FieldWriter<'o> {
    /// Appends the descriptor and begins the list.
    #[inline]
    pub(crate) fn new(out: &'o mut Vec<u8>, code: u8) -> Self {
        let start = write::begin_described_list(out, code);
        FieldWriter { out, start, count: 0, absent: 0 }
    }

    #[inline]
    fn skip(&mut self) {
        self.absent = self.absent.saturating_add(1);
    }

    #[inline]
    fn present(&mut self) -> &mut Vec<u8> {
        if self.absent > 0 {
            let nulls = NULLS.get(..usize::from(self.absent)).unwrap_or(&NULLS);
            self.out.extend_from_slice(nulls);
            self.count = self.count.saturating_add(nulls.len());
            self.absent = 0;
        }
        self.count = self.count.saturating_add(1);
        self.out
    }

    /// A field that must be there.
    #[inline]
    pub(crate) fn mandatory<T>(&mut self, field: &T, write: impl FnOnce(&mut Vec<u8>, &T)) {
        write(self.present(), field);
    }

    /// A field that may be absent.
    #[inline]
    pub(crate) fn optional<T>(&mut self, field: &Option<T>, write: impl FnOnce(&mut Vec<u8>, &T)) {
        match field {
            Some(value) => write(self.present(), value),
            None => self.skip(),
        }
    }

    /// A field with a default, which is not written.
    #[inline]
    pub(crate) fn default<T: PartialEq>(
        &mut self,
        field: &T,
        write: impl FnOnce(&mut Vec<u8>, &T),
        default: T,
    ) {
        if *field == default { self.skip() } else { write(self.present(), field) }
    }

    /// A list or map that is not written when it is empty.
    #[inline]
    pub(crate) fn unless_empty<T>(
        &mut self,
        field: &Vec<T>,
        write: impl FnOnce(&mut Vec<u8>, &Vec<T>),
    ) {
        if field.is_empty() { self.skip() } else { write(self.present(), field) }
    }

    /// Fills in the head of the list.
    #[inline]
    pub(crate) fn finish(self) {
        if self.count == 0 {
            self.out.truncate(self.start);
            self.out.push(code::LIST_0);
        } else {
            write::finish_compound(self.out, self.start, self.count, code::LIST_32);
        }
    }
}
