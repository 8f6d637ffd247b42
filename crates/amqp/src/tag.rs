//! Binary of at most 32 octets, kept inline: delivery tags and transaction ids.

use crate::limits::TAG_MAX_BYTES;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

/// A delivery tag (AMQP 2.8.7) or a transaction id (AMQP 4.5.4): up to 32 octets, without a heap.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Tag {
    len: u8,
    /// Zero beyond `len`, so that equality and hash may look at all of it.
    octets: [u8; TAG_MAX_BYTES],
}

/// A transaction id (AMQP 4.5.4).
pub type TransactionId = Tag;

impl Tag {
    /// The tag of these octets; `None` if there are more than 32.
    #[inline]
    pub fn new(octets: &[u8]) -> Option<Self> {
        let mut tag = Tag { len: u8::try_from(octets.len()).ok()?, ..Tag::default() };
        tag.octets.get_mut(..octets.len())?.copy_from_slice(octets);
        Some(tag)
    }

    /// Its octets.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl From<u32> for Tag {
    /// Four octets, the highest first.
    fn from(number: u32) -> Self {
        Tag::new(&number.to_be_bytes()).unwrap_or_default()
    }
}

impl From<u64> for Tag {
    /// Eight octets, the highest first.
    fn from(number: u64) -> Self {
        Tag::new(&number.to_be_bytes()).unwrap_or_default()
    }
}

impl Deref for Tag {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl AsRef<[u8]> for Tag {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl PartialOrd for Tag {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Tag {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_slice().cmp(other.as_slice())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag(b\"{}\")", self.as_slice().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_holds_up_to_32_octets() {
        assert_eq!(Tag::new(&[7; 32]).unwrap().as_slice(), [7; 32]);
        assert_eq!(Tag::new(&[7; 33]), None);
        assert_eq!(Tag::new(&[7; 300]), None);
        assert_eq!(Tag::new(b"").unwrap(), Tag::default());
    }

    #[test]
    fn tags_are_ordered_as_octets_are() {
        let tag = |octets: &[u8]| Tag::new(octets).unwrap();
        assert!(tag(b"a") < tag(b"b") && tag(b"a") < tag(b"aa") && tag(b"b") > tag(b"aa"));
        assert_ne!(tag(b"a"), tag(b"a\0"));
        assert_eq!(Tag::from(258_u32).as_slice(), [0, 0, 1, 2]);
        assert_eq!(format!("{:?}", tag(b"a\0")), r#"Tag(b"a\x00")"#);
    }
}
