//! The three frames, read from the payload of one WebSocket message and written to a buffer.

use crate::cursor::{Cursor, within};
use crate::integer::Integer;
use crate::{Bound, Kind, LengthUnit, Limits, Message, Violation, binary, text};

/// One frame, borrowed from the received payload.
// MBWS-100
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Opens or recovers a connection, or answers that.
    Connect {
        /// The connection name; empty asks for a new connection.
        name: &'a str,
        /// Nothing, CSLR CSLW CSUW, or SSLR.
        numbers: Numbers,
    },
    /// Everything up to this sequence number has been received.
    Acknowledge(u64),
    /// A message with its metadata.
    Message(Message<'a>),
}

/// The sequence numbers of a Connect. No valid Connect has more than three; a longer list is
/// read to its end, but only its length is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    first: [u64; 3],
    count: usize,
}

impl Numbers {
    /// The numbers, if there are at most three.
    pub fn as_slice(&self) -> Option<&[u64]> {
        self.first.get(..self.count)
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.count
    }
}

/// Reads the payload of one WebSocket message. Everything is validated, nothing is allocated.
///
/// # Errors
/// The payload is not a frame of the grammar (section 4), or passes a limit.
pub fn decode<'a>(
    kind: Kind,
    unit: LengthUnit,
    payload: &'a [u8],
    limits: &Limits,
) -> Result<Frame<'a>, Violation> {
    // MBWS-116
    if kind == Kind::Text && std::str::from_utf8(payload).is_err() {
        return Err(Violation::InvalidUtf8);
    }
    let mut cursor = Cursor::new(kind, unit, payload);
    let ids = FrameIds::of(kind);
    if cursor.skip(ids.message) {
        Message::read(cursor, limits).map(Frame::Message)
    } else if cursor.skip(ids.acknowledge) {
        read_acknowledge(cursor)
    } else if cursor.skip(ids.connect) {
        read_connect(cursor, limits)
    } else if payload.is_empty() {
        Err(Violation::Empty)
    } else {
        Err(Violation::UnknownFrame)
    }
}

// MBWS-101, MBWS-113
fn read_connect<'a>(mut cursor: Cursor<'a>, limits: &Limits) -> Result<Frame<'a>, Violation> {
    let name = cursor.string()?;
    within(name.len(), limits.name_size_max_bytes, Bound::NameSize)?;
    let mut numbers = Numbers { first: [0; 3], count: cursor.count(1)? };
    for at in 0..numbers.count {
        let number = cursor.integer()?;
        if let Some(slot) = numbers.first.get_mut(at) {
            *slot = number;
        }
    }
    cursor.end()?;
    Ok(Frame::Connect { name, numbers })
}

// MBWS-102, MBWS-114
fn read_acknowledge(mut cursor: Cursor<'_>) -> Result<Frame<'_>, Violation> {
    let up_to = cursor.integer()?;
    cursor.end()?;
    Ok(Frame::Acknowledge(up_to))
}

/// Appends a Connect frame.
pub fn encode_connect(
    kind: Kind,
    unit: LengthUnit,
    name: &str,
    numbers: &[u64],
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(FrameIds::of(kind).connect);
    push_string(kind, unit, name, out);
    push_integer(Integer::of_len(kind, numbers.len()), out);
    for number in numbers {
        push_integer(Integer::of(kind, *number), out);
    }
}

/// Appends an Acknowledge frame.
pub fn encode_acknowledge(kind: Kind, up_to: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(FrameIds::of(kind).acknowledge);
    push_integer(Integer::of(kind, up_to), out);
}

/// What the frames of one kind begin with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameIds {
    pub(crate) connect: &'static [u8],
    pub(crate) acknowledge: &'static [u8],
    pub(crate) message: &'static [u8],
}

impl FrameIds {
    pub(crate) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text => FrameIds {
                connect: text::CONNECT,
                acknowledge: text::ACKNOWLEDGE,
                message: text::MESSAGE,
            },
            Kind::Binary => FrameIds {
                connect: binary::CONNECT,
                acknowledge: binary::ACKNOWLEDGE,
                message: binary::MESSAGE,
            },
        }
    }
}

pub(crate) fn push_integer(integer: Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(integer.as_bytes());
}

// MBWS-106: an empty string is its length alone.
pub(crate) fn push_string(kind: Kind, unit: LengthUnit, string: &str, out: &mut Vec<u8>) {
    push_integer(Integer::of_len(kind, unit.measure(string)), out);
    out.extend_from_slice(string.as_bytes());
}
