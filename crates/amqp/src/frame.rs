//! Protocol headers and frame headers (AMQP 2.2, 2.3, 5.3.1).

use crate::codec::{DecodeError, Fault};

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
