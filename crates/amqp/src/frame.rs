//! Protocol headers and frame headers (AMQP 2.2, 2.3, 5.3.1).

use crate::codec::DecodeError;

/// Octets of a protocol header (AMQP 2.2).
pub const PROTOCOL_HEADER_BYTES: usize = 8;

/// Octets of a frame header without its extension (AMQP 2.3.1).
pub const FRAME_HEADER_BYTES: usize = 8;

/// What each side says first: a protocol and its version (AMQP 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolHeader {
    /// 0 for AMQP, 2 for TLS, 3 for SASL.
    pub id: u8,
    /// The version.
    pub major: u8,
    /// The version, continued.
    pub minor: u8,
    /// The version, continued.
    pub revision: u8,
}

/// The type of a frame (AMQP 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameType {
    /// A performative and its payload (AMQP 2.3.2).
    Amqp,
    /// One step of a login (AMQP 5.3.1).
    Sasl,
}

/// The header of a frame (AMQP 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Octets of the whole frame, at least as many as its headers.
    pub size: u32,
    /// Where the body begins, in words of four octets, at least 2.
    pub doff: u8,
    /// What the frame is.
    pub frame_type: FrameType,
    /// The channel of an AMQP frame. Says nothing in a SASL frame.
    pub channel: u16,
}

impl ProtocolHeader {
    /// AMQP 1.0.0 (AMQP 2.2).
    pub const AMQP: ProtocolHeader = ProtocolHeader::version_1(0);
    /// TLS before AMQP 1.0.0 (AMQP 5.2).
    pub const TLS: ProtocolHeader = ProtocolHeader::version_1(2);
    /// SASL before AMQP 1.0.0 (AMQP 5.3).
    pub const SASL: ProtocolHeader = ProtocolHeader::version_1(3);

    const fn version_1(id: u8) -> Self {
        ProtocolHeader { id, major: 1, minor: 0, revision: 0 }
    }

    /// Reads a header; `None` if more octets are needed.
    ///
    /// # Errors
    /// As soon as the octets cannot be the beginning of a header.
    pub fn parse(octets: &[u8]) -> Result<Option<ProtocolHeader>, DecodeError> {
        let magic = octets.len().min(MAGIC.len());
        if octets.get(..magic) != MAGIC.get(..magic) {
            return Err(DecodeError::framing("not a protocol header"));
        }
        let Some([_, _, _, _, id, major, minor, revision]) = octets.first_chunk() else {
            return Ok(None);
        };
        Ok(Some(ProtocolHeader { id: *id, major: *major, minor: *minor, revision: *revision }))
    }

    /// The eight octets.
    pub const fn octets(self) -> [u8; PROTOCOL_HEADER_BYTES] {
        let [a, m, q, p] = MAGIC;
        [a, m, q, p, self.id, self.major, self.minor, self.revision]
    }
}

const MAGIC: [u8; 4] = *b"AMQP";

impl FrameType {
    /// The number on the wire.
    pub fn code(self) -> u8 {
        match self {
            FrameType::Amqp => 0,
            FrameType::Sasl => 1,
        }
    }
}

impl FrameHeader {
    /// Reads a header; `None` if more octets are needed. Whether the frame is larger than this side
    /// takes is for the caller to say.
    ///
    /// # Errors
    /// If the frame is malformed (AMQP 2.3.1).
    #[inline]
    pub fn parse(octets: &[u8]) -> Result<Option<FrameHeader>, DecodeError> {
        let Some(&[size_0, size_1, size_2, size_3, doff, code, channel_0, channel_1]) =
            octets.first_chunk::<FRAME_HEADER_BYTES>()
        else {
            return Ok(None);
        };
        let size = u32::from_be_bytes([size_0, size_1, size_2, size_3]);
        let channel = u16::from_be_bytes([channel_0, channel_1]);
        if size < FRAME_HEADER_BYTES_U32 {
            return Err(DecodeError::framing("a frame smaller than its header"));
        }
        if doff < DOFF_MIN {
            return Err(DecodeError::framing("the body of a frame in its header"));
        }
        if u32::from(doff).saturating_mul(4) > size {
            return Err(DecodeError::framing("the body of a frame after its end"));
        }
        let frame_type = match code {
            0 => FrameType::Amqp,
            1 => FrameType::Sasl,
            _ => return Err(DecodeError::framing("a frame of an unknown type")),
        };
        Ok(Some(FrameHeader { size, doff, frame_type, channel }))
    }

    /// Where the body begins, in octets from the beginning of the frame; at most `size`. What is
    /// between the header and the body is ignored (AMQP 2.3.2, 5.3.1).
    #[inline]
    pub fn body_start(&self) -> usize {
        usize::from(self.doff).saturating_mul(4)
    }

    /// Octets of the body, the payload included.
    #[inline]
    pub fn body_len(&self) -> usize {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        size.saturating_sub(self.body_start())
    }
}

const FRAME_HEADER_BYTES_U32: u32 = 8;

/// The header alone is two words (AMQP 2.3.1).
const DOFF_MIN: u8 = 2;

/// Appends an AMQP frame, whose body `body` appends; its size in octets (AMQP 2.3.2).
#[inline]
pub fn put_frame(out: &mut Vec<u8>, channel: u16, body: impl FnOnce(&mut Vec<u8>)) -> usize {
    put(out, FrameType::Amqp, channel, body)
}

/// Appends a SASL frame, whose body `body` appends; its size in octets (AMQP 5.3.1).
pub fn put_sasl_frame(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) -> usize {
    put(out, FrameType::Sasl, 0, body)
}

#[inline]
fn put(
    out: &mut Vec<u8>,
    frame_type: FrameType,
    channel: u16,
    body: impl FnOnce(&mut Vec<u8>),
) -> usize {
    let start = out.len();
    let [channel_0, channel_1] = channel.to_be_bytes();
    out.extend_from_slice(&[0, 0, 0, 0, DOFF_MIN, frame_type.code(), channel_0, channel_1]);
    body(out);
    let len = out.len().saturating_sub(start);
    if let Some(size) = out.get_mut(start..).and_then(|frame| frame.first_chunk_mut()) {
        // No frame comes near 4 GiB: it is in memory, and no peer takes one.
        *size = u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes();
    }
    len
}
