//! Passes over values without looking into them.

use super::code::{self, Extent};
use super::{DecodeError, Reader};

impl<'a> Reader<'a> {
    /// Passes over the next value, and gives its octets. What a list, a map, an array, a string or
    /// a symbol holds is not looked at.
    pub fn skip_value(&mut self) -> Result<&'a [u8], DecodeError> {
        let before = self.rest();
        // AMQP 1.2: a described value is a descriptor, which is a value, and then a value. So one
        // that is still to come becomes two, however deep they are nested.
        let mut to_come: usize = 1;
        while let Some(left) = to_come.checked_sub(1) {
            let format = self.octet()?;
            if format == code::DESCRIBED {
                to_come = to_come.saturating_add(1);
                continue;
            }
            to_come = left;
            self.skip_data(format)?;
        }
        let len = before.len().saturating_sub(self.rest().len());
        Ok(before.get(..len).unwrap_or_default())
    }

    #[inline]
    fn skip_data(&mut self, format: u8) -> Result<(), DecodeError> {
        let (data, least) = match code::extent(format)?.1 {
            Extent::Fixed(len) => (self.take(len)?, len),
            Extent::One(least) => (self.take_8()?, least),
            Extent::Four(least) => (self.take_32()?, least),
        };
        if data.len() < least {
            return Err(DecodeError::encoding("a compound value without a count"));
        }
        Ok(())
    }
}
