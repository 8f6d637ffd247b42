//! What is in the body of an encoded message (AMQP 3.2.6 to 3.2.8).

use super::Body;
use crate::codec::{DecodeError, Reader};
use crate::value::Value;
use std::iter::FusedIterator;

/// The sections of a body, one after the other. Ends after the first error.
#[derive(Clone, Debug)]
pub struct BodySections<'m, T> {
    reader: Reader<'m>,
    read: fn(&mut Reader<'m>) -> Result<T, DecodeError>,
}

impl Body {
    /// The octets of each section of a body of data (AMQP 3.2.6).
    pub fn data(self, message: &[u8]) -> BodySections<'_, &[u8]> {
        self.sections(message, Reader::binary)
    }

    /// The elements of each section of a body of sequences (AMQP 3.2.7).
    pub fn sequences(self, message: &[u8]) -> BodySections<'_, Vec<Value>> {
        self.sections(message, Reader::list)
    }

    /// The value of a body that is one (AMQP 3.2.8).
    ///
    /// # Errors
    /// If it is not valid.
    pub fn value(self, message: &[u8]) -> Result<Value, DecodeError> {
        Reader::new(self.value_octets(message)?).value()
    }

    /// The encoding of the value of a body that is one (AMQP 3.2.8).
    ///
    /// # Errors
    /// If it is not valid.
    pub fn value_octets(self, message: &[u8]) -> Result<&[u8], DecodeError> {
        let mut reader = Reader::new(self.span.of(message));
        reader.descriptor()?;
        reader.skip_value()
    }

    fn sections<'m, T>(
        self,
        message: &'m [u8],
        read: fn(&mut Reader<'m>) -> Result<T, DecodeError>,
    ) -> BodySections<'m, T> {
        BodySections { reader: Reader::new(self.span.of(message)), read }
    }
}

impl<T> Iterator for BodySections<'_, T> {
    type Item = Result<T, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let section = self.reader.descriptor().and_then(|_| (self.read)(&mut self.reader));
        if section.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(section)
    }
}

impl<T> FusedIterator for BodySections<'_, T> {}
