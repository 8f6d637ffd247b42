//! Frames out of octets, however these were cut; and the units of output.

use super::config::Framing;
use super::violation::Violation;
use crate::frame::{
    FRAME_HEADER_BYTES, FrameHeader, PROTOCOL_HEADER_BYTES, ProtocolHeader, put_frame,
    put_sasl_frame,
};
use crate::limits::MIN_MAX_FRAME_SIZE;
use crate::sasl_frame::SaslFrame;
use std::borrow::Cow;
use std::collections::VecDeque;

/// Octets that were received together.
#[derive(Debug)]
pub struct Input<'a> {
    rest: &'a [u8],
    /// They are a message, and none of it was read yet.
    fresh_message: bool,
}

impl<'a> Input<'a> {
    /// Part of a stream.
    #[must_use]
    pub fn stream(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, fresh_message: false }
    }

    /// The whole payload of one binary WebSocket message.
    #[must_use]
    pub fn message(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, fresh_message: true }
    }

    /// Nothing received; for events that need no octets.
    #[must_use]
    pub fn empty() -> Self {
        Self { rest: &[], fresh_message: false }
    }

    /// Whether all is read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What is left: its length, and whether none of its message was read.
    pub(super) fn left(&self) -> (usize, bool) {
        (self.rest.len(), self.fresh_message)
    }

    pub(super) fn discard(&mut self) {
        self.rest = &[];
        self.fresh_message = false;
    }

    /// Takes out what is left, to be read later.
    pub(super) fn keep(&mut self) -> Option<Kept> {
        let fresh_message = std::mem::take(&mut self.fresh_message);
        let rest = std::mem::take(&mut self.rest);
        let kept = || Kept { bytes: rest.to_vec(), at: 0, fresh_message };
        (fresh_message || !rest.is_empty()).then(kept)
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        self.fresh_message = false;
        let (head, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, &[]));
        self.rest = rest;
        head
    }
}

/// Input that came while nothing may be read.
#[derive(Debug)]
pub(super) struct Kept {
    bytes: Vec<u8>,
    at: usize,
    fresh_message: bool,
}

impl Kept {
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn input(&self) -> Input<'_> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        Input { rest, fresh_message: self.fresh_message }
    }

    /// `left` is what was not read of `input`.
    pub(super) fn left(&mut self, (len, fresh_message): (usize, bool)) {
        self.at = self.bytes.len().saturating_sub(len);
        self.fresh_message = fresh_message;
    }

    pub(super) fn is_read(&self) -> bool {
        self.at >= self.bytes.len() && !self.fresh_message
    }
}

/// One frame as it came.
#[derive(Debug)]
pub(super) struct RawFrame<'a> {
    pub(super) header: FrameHeader,
    /// All of it, with its header.
    octets: Cow<'a, [u8]>,
}

impl<'a> RawFrame<'a> {
    pub(super) fn body(&self) -> &[u8] {
        self.octets.get(self.header.body_start()..).unwrap_or_default()
    }

    /// What follows the first `used` octets of the body.
    pub(super) fn into_payload(self, used: usize) -> Cow<'a, [u8]> {
        let start = self.header.body_start().saturating_add(used);
        match self.octets {
            Cow::Borrowed(octets) => Cow::Borrowed(octets.get(start..).unwrap_or_default()),
            Cow::Owned(mut octets) => {
                octets.drain(..start.min(octets.len()));
                Cow::Owned(octets)
            }
        }
    }
}

/// The beginning of a header or frame that has not come whole.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    held: Vec<u8>,
}

impl Inbound {
    /// The next protocol header; `None` if it is not there yet.
    // WSB-023, WSB-031, WSB-A03, WSB-A06: in a message of its own, or not at all.
    pub(super) fn take_header(
        &mut self,
        input: &mut Input<'_>,
        framing: Framing,
    ) -> Result<Option<ProtocolHeader>, Violation> {
        if framing == Framing::Messages {
            if !input.fresh_message {
                return if input.is_empty() { Ok(None) } else { Err(Violation::HeaderNotAlone) };
            }
            let message = input.take(input.rest.len());
            if message.len() != PROTOCOL_HEADER_BYTES {
                return Err(Violation::HeaderNotAlone);
            }
            return ProtocolHeader::parse(message).map_err(|_| Violation::UnsupportedHeader);
        }
        self.fill(input, PROTOCOL_HEADER_BYTES);
        // What cannot become a header is not waited for.
        let header = ProtocolHeader::parse(&self.held).map_err(|_| Violation::UnsupportedHeader)?;
        if header.is_some() {
            self.held = Vec::new();
        }
        Ok(header)
    }

    /// The next frame of at most `size_max_bytes`; `None` if it is not there yet.
    // WSB-037, WSB-038, WSB-039: frames and messages have nothing to do with each other.
    pub(super) fn take_frame<'a>(
        &mut self,
        input: &mut Input<'a>,
        size_max_bytes: u32,
    ) -> Result<Option<RawFrame<'a>>, Violation> {
        if self.held.is_empty() {
            let Some(header) = header_of(input.rest, size_max_bytes)? else {
                self.fill(input, FRAME_HEADER_BYTES);
                return Ok(None);
            };
            let size = size_of(&header);
            if input.rest.len() >= size {
                return Ok(Some(RawFrame { header, octets: Cow::Borrowed(input.take(size)) }));
            }
            self.fill(input, size);
            return Ok(None);
        }
        self.fill(input, FRAME_HEADER_BYTES);
        let Some(header) = header_of(&self.held, size_max_bytes)? else { return Ok(None) };
        self.fill(input, size_of(&header));
        if self.held.len() < size_of(&header) {
            return Ok(None);
        }
        Ok(Some(RawFrame { header, octets: Cow::Owned(std::mem::take(&mut self.held)) }))
    }

    /// Holds input until there are `len` octets.
    fn fill(&mut self, input: &mut Input<'_>, len: usize) {
        let missing = len.saturating_sub(self.held.len());
        self.held.extend_from_slice(input.take(missing));
    }
}

/// The frame header at the start of `bytes`, judged before anything behind it is waited for.
fn header_of(bytes: &[u8], size_max_bytes: u32) -> Result<Option<FrameHeader>, Violation> {
    let header = FrameHeader::parse(bytes).map_err(|error| Violation::Frame(error.what))?;
    if header.is_some_and(|header| header.size > size_max_bytes) {
        return Err(Violation::Frame("larger than max-frame-size"));
    }
    Ok(header)
}

fn size_of(header: &FrameHeader) -> usize {
    usize::try_from(header.size).unwrap_or(usize::MAX)
}

/// What waits to be sent, ahead of deliveries.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    /// Units that are complete: each header, and the frames before one.
    units: VecDeque<Unit>,
    /// Frames of the unit that is still open.
    frames: Vec<u8>,
    /// AMQP frames given before the AMQP header was: they go behind it.
    behind: Vec<u8>,
    /// The AMQP header was given.
    amqp: bool,
}

#[derive(Debug)]
enum Unit {
    Header([u8; PROTOCOL_HEADER_BYTES]),
    Frames(Vec<u8>),
}

/// Room for a few frames.
const FRAMES_BYTES: usize = 128;

impl Outbound {
    pub(super) fn push_header(&mut self, header: ProtocolHeader) {
        let before = std::mem::take(&mut self.frames);
        if !before.is_empty() {
            self.units.push_back(Unit::Frames(before));
        }
        self.units.push_back(Unit::Header(header.octets()));
        if header == ProtocolHeader::AMQP {
            self.amqp = true;
            self.frames = std::mem::take(&mut self.behind);
        }
    }

    /// Appends an AMQP frame, unless it has more than `size_max_bytes`.
    pub(super) fn frame(
        &mut self,
        channel: u16,
        size_max_bytes: u32,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        let frames = if self.amqp { &mut self.frames } else { &mut self.behind };
        append(frames, size_max_bytes, |out| put_frame(out, channel, write))
    }

    /// Appends a SASL frame, unless it is too large to be one.
    // AMQP 5.3.1: SASL frames have at most 512 octets.
    pub(super) fn sasl_frame(&mut self, frame: &SaslFrame) -> bool {
        append(&mut self.frames, MIN_MAX_FRAME_SIZE, |out| {
            put_sasl_frame(out, |out| frame.encode(out))
        })
    }

    /// Appends the next unit. True: it is complete, nothing may be appended to it.
    pub(super) fn pop(&mut self, out: &mut Vec<u8>) -> bool {
        let unit = self.units.pop_front();
        match &unit {
            Some(Unit::Header(header)) => out.extend_from_slice(header),
            Some(Unit::Frames(frames)) => out.extend_from_slice(frames),
            None => {
                out.extend_from_slice(&self.frames);
                // Given back: most connections are idle most of the time.
                self.frames = Vec::new();
                return false;
            }
        }
        if self.units.is_empty() {
            self.units.shrink_to(0);
        }
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty() && self.frames.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        let units = self.units.iter().map(|unit| match unit {
            Unit::Header(header) => header.len(),
            Unit::Frames(frames) => frames.len(),
        });
        units.fold(self.frames.len(), usize::saturating_add)
    }
}

/// Appends what `put` does, unless that is more than `size_max_bytes`.
fn append(
    frames: &mut Vec<u8>,
    size_max_bytes: u32,
    put: impl FnOnce(&mut Vec<u8>) -> usize,
) -> bool {
    if frames.capacity() == 0 {
        frames.reserve(FRAMES_BYTES);
    }
    let before = frames.len();
    let fits = put(frames) <= usize::try_from(size_max_bytes).unwrap_or(usize::MAX);
    if !fits {
        frames.truncate(before);
    }
    fits
}
