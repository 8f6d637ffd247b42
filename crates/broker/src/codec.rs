//! The encoding of records and snapshots: base-128 integers (least significant group first) and
//! length-prefixed bytes. Described in `docs/design/records.md`.

use std::fmt;

/// Appends to a buffer.
pub(crate) trait Put {
    fn put_int(&mut self, value: u64);
    fn put_bytes(&mut self, bytes: &[u8]);
    fn put_str(&mut self, text: &str) {
        self.put_bytes(text.as_bytes());
    }
    fn put_option(&mut self, text: Option<&str>) {
        self.put_optional_bytes(text.map(str::as_bytes));
    }
    fn put_optional_bytes(&mut self, bytes: Option<&[u8]>) {
        self.put_flag(bytes.is_some());
        if let Some(bytes) = bytes {
            self.put_bytes(bytes);
        }
    }
    fn put_flag(&mut self, flag: bool) {
        self.put_int(u64::from(flag));
    }
}

impl Put for Vec<u8> {
    fn put_int(&mut self, mut value: u64) {
        loop {
            let group = (value & 0x7f) as u8;
            value >>= 7;
            if value == 0 {
                self.push(group);
                return;
            }
            self.push(group | 0x80);
        }
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        self.put_int(bytes.len() as u64);
        self.extend_from_slice(bytes);
    }
}

/// What was read is not what was written: the journal is damaged or of another version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Malformed {
    /// What could not be read.
    pub(crate) what: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed {}", self.what)
    }
}

/// Reads what [`Put`] wrote.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    read_bytes: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, read_bytes: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Bytes read so far.
    pub(crate) fn position(&self) -> usize {
        self.read_bytes
    }

    pub(crate) fn take(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(Malformed { what })?;
        self.rest = rest;
        self.read_bytes = self.read_bytes.saturating_add(len);
        Ok(head)
    }

    pub(crate) fn int(&mut self, what: &'static str) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let &byte = self.take(1, what)?.first().ok_or(Malformed { what })?;
            let group = u64::from(byte & 0x7f);
            value |= group.checked_shl(shift).ok_or(Malformed { what })?;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed { what })
    }

    pub(crate) fn int32(&mut self, what: &'static str) -> Result<u32, Malformed> {
        u32::try_from(self.int(what)?).map_err(|_| Malformed { what })
    }

    pub(crate) fn len(&mut self, what: &'static str) -> Result<usize, Malformed> {
        let len = usize::try_from(self.int(what)?).map_err(|_| Malformed { what })?;
        // Whatever is counted takes at least one byte, so a count past the end is a lie.
        if len > self.rest.len() { Err(Malformed { what }) } else { Ok(len) }
    }

    pub(crate) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], Malformed> {
        let len = self.len(what)?;
        self.take(len, what)
    }

    pub(crate) fn string(&mut self, what: &'static str) -> Result<String, Malformed> {
        let bytes = self.bytes(what)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Malformed { what })
    }

    pub(crate) fn option(&mut self, what: &'static str) -> Result<Option<String>, Malformed> {
        if self.flag(what)? { self.string(what).map(Some) } else { Ok(None) }
    }

    pub(crate) fn optional_bytes(
        &mut self,
        what: &'static str,
    ) -> Result<Option<&'a [u8]>, Malformed> {
        if self.flag(what)? { self.bytes(what).map(Some) } else { Ok(None) }
    }

    pub(crate) fn flag(&mut self, what: &'static str) -> Result<bool, Malformed> {
        match self.int(what)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed { what }),
        }
    }
}
