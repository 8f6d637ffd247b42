//! The Message frame: addresses, then content.

use crate::cursor::{Cursor, within};
use crate::frame::{FrameIds, push_integer, push_string};
use crate::integer::Integer;
use crate::{Bound, Content, Kind, LengthUnit, Limits, Violation};

/// A message as received.
// MBWS-070, MBWS-103, MBWS-115
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Where it goes to or, at a client, the one address it comes from.
    pub addresses: Addresses<'a>,
    /// Content type, properties and body.
    pub content: Content<'a>,
}

impl<'a> Message<'a> {
    /// Reads what follows the frame id.
    pub(crate) fn read(mut cursor: Cursor<'a>, limits: &Limits) -> Result<Self, Violation> {
        let whole = cursor.rest().len();
        let addresses = Addresses::read(&mut cursor, limits)?;
        let content = Content::read(cursor, limits.property_count_max)?;
        let header = whole.saturating_sub(content.body().len());
        within(header, limits.header_size_max_bytes, Bound::HeaderSize)?;
        Ok(Message { addresses, content })
    }
}

/// The address list of a message, read anew at each walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses<'a> {
    /// At the first entry. The list is valid, so the walk ends by its count.
    first: Cursor<'a>,
    count: usize,
}

impl<'a> Addresses<'a> {
    fn read(cursor: &mut Cursor<'a>, limits: &Limits) -> Result<Self, Violation> {
        let count = cursor.bounded_count(1, limits.address_count_max, Bound::AddressCount)?;
        let first = *cursor;
        for _ in 0..count {
            let address = cursor.string()?;
            within(address.len(), limits.address_size_max_bytes, Bound::AddressSize)?;
        }
        Ok(Addresses { first, count })
    }

    /// Entries, empty ones included.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Every entry, empty ones included.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut cursor = self.first;
        (0..self.count).map_while(move |_| cursor.string().ok())
    }

    /// The entries that name something: none is the same as an empty list (MBWS-A19).
    // MBWS-072
    pub fn destinations(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.iter().filter(|address| !address.is_empty())
    }
}

/// Appends a Message frame up to its content; the content follows as it is.
// MBWS-071
pub fn encode_message_header(kind: Kind, unit: LengthUnit, addresses: &[&str], out: &mut Vec<u8>) {
    out.extend_from_slice(FrameIds::of(kind).message);
    push_integer(Integer::of_len(kind, addresses.len()), out);
    for address in addresses {
        push_string(kind, unit, address, out);
    }
}
