//! What a peer can do wrong, and the one place that says what it is told.

use std::fmt;

use crate::close::CloseCode;

/// A fault of the peer. The connection is failed with it (WS-CL-05).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit is set that no agreed extension defines (WS-FR-02).
    ReservedBits,
    /// An opcode that means nothing (WS-FR-03).
    ReservedOpcode(u8),
    /// A length in a longer form than needed (WS-FR-04).
    LengthNotMinimal,
    /// The top bit of a 64-bit length is set (WS-FR-05).
    LengthTopBit,
    /// A client's frame is not masked (WS-MK-02).
    Unmasked,
    /// A server's frame is masked (WS-MK-04).
    Masked,
    /// A control frame of more than 125 octets (WS-CT-01).
    ControlTooLong,
    /// A control frame without FIN (WS-CT-01).
    ControlFragmented,
    /// A continuation of nothing (WS-FG-03).
    NothingToContinue,
    /// A new message before the last one ended (WS-FG-03).
    MessageInterleaved,
    /// A Close whose body is one octet (WS-CT-06).
    CloseBodyOneOctet,
    /// A Close with a code that is never sent (WS-CL-10).
    CloseCode(u16),
    /// A Close whose reason is not UTF-8 (WS-U8-02).
    CloseReasonNotUtf8,
    /// A text message that is not UTF-8 (WS-U8-01).
    TextNotUtf8,
    /// A frame above the limit (WS-FR-10).
    FrameTooBig,
    /// A message above the limit, counted inflated (WS-FR-10, WS-PD-15).
    MessageTooBig,
    /// Compressed data that does not inflate (WS-PD-10, HYBI-090).
    NotDeflate,
}

impl Violation {
    /// The code of the Close that answers it, in terms of RFC 6455 (WS-CL-08); versions 6 to 8
    /// are sent what [`CloseCode::for_version`] makes of it.
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Violation::ReservedBits
            | Violation::ReservedOpcode(_)
            | Violation::LengthNotMinimal
            | Violation::LengthTopBit
            | Violation::Unmasked
            | Violation::Masked
            | Violation::ControlTooLong
            | Violation::ControlFragmented
            | Violation::NothingToContinue
            | Violation::MessageInterleaved
            | Violation::CloseBodyOneOctet
            | Violation::CloseCode(_) => CloseCode::PROTOCOL_ERROR,
            Violation::CloseReasonNotUtf8 | Violation::TextNotUtf8 | Violation::NotDeflate => {
                CloseCode::INCONSISTENT_DATA
            }
            Violation::FrameTooBig | Violation::MessageTooBig => CloseCode::TOO_BIG,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Violation::ReservedOpcode(opcode) => return write!(f, "reserved opcode {opcode:#x}"),
            Violation::CloseCode(code) => return write!(f, "close code {code} is never sent"),
            Violation::ReservedBits => "reserved bit set",
            Violation::LengthNotMinimal => "length not in its shortest form",
            Violation::LengthTopBit => "top bit of the length set",
            Violation::Unmasked => "client frame not masked",
            Violation::Masked => "server frame masked",
            Violation::ControlTooLong => "control frame longer than 125 octets",
            Violation::ControlFragmented => "control frame fragmented",
            Violation::NothingToContinue => "continuation without a message",
            Violation::MessageInterleaved => "message inside a fragmented message",
            Violation::CloseBodyOneOctet => "close body of one octet",
            Violation::CloseReasonNotUtf8 => "close reason is not UTF-8",
            Violation::TextNotUtf8 => "text is not UTF-8",
            Violation::FrameTooBig => "frame above the limit",
            Violation::MessageTooBig => "message above the limit",
            Violation::NotDeflate => "compressed data does not inflate",
        };
        f.write_str(text)
    }
}

impl std::error::Error for Violation {}
