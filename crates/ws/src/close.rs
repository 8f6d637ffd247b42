//! Close codes: what they mean, who may send which, and what they become in versions 6 to 8.

use std::fmt;

use crate::connection::Role;
use crate::utf8;
use crate::version::Version;
use crate::violation::Violation;

/// The longest reason of a Close, in octets (WS-CT-06).
pub const REASON_MAX_BYTES: usize = 123;

/// A close code (RFC 6455, section 7.4; WS-RG-05).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose is fulfilled.
    pub const NORMAL: CloseCode = CloseCode(1000);
    /// 1001: a server goes down, or a user leaves the page.
    pub const GOING_AWAY: CloseCode = CloseCode(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: CloseCode = CloseCode(1002);
    /// 1003: a kind of data that cannot be accepted.
    pub const UNACCEPTABLE: CloseCode = CloseCode(1003);
    /// 1005: local view only, the Close had no code.
    pub const NO_CODE: CloseCode = CloseCode(1005);
    /// 1006: local view only, there was no Close.
    pub const ABNORMAL: CloseCode = CloseCode(1006);
    /// 1007: data that is not what its type says.
    pub const INCONSISTENT_DATA: CloseCode = CloseCode(1007);
    /// 1008: against the rules of this service.
    pub const POLICY: CloseCode = CloseCode(1008);
    /// 1009: too big to process.
    pub const TOO_BIG: CloseCode = CloseCode(1009);
    /// 1010: a client misses an extension in the server's answer.
    pub const EXTENSION_MISSING: CloseCode = CloseCode(1010);
    /// 1011: the server met something unexpected.
    pub const UNEXPECTED: CloseCode = CloseCode(1011);
    /// 1012: the service restarts; reconnect.
    pub const RESTART: CloseCode = CloseCode(1012);
    /// 1013: overloaded; try again later.
    pub const TRY_LATER: CloseCode = CloseCode(1013);
    /// 1014: a gateway got a bad answer.
    pub const BAD_GATEWAY: CloseCode = CloseCode(1014);
    /// 1015: local view only, the TLS handshake failed.
    pub const TLS: CloseCode = CloseCode(1015);

    /// In versions 6 and 7, 1004 says that a message is too large (HYBI-071).
    const DRAFT_TOO_LARGE: CloseCode = CloseCode(1004);

    /// The code with this number; anything goes, because peers send anything.
    #[must_use]
    pub const fn new(number: u16) -> CloseCode {
        CloseCode(number)
    }

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Whether `role` may put this code into a Close of RFC 6455.
    #[must_use]
    pub const fn may_be_sent_by(self, role: Role) -> bool {
        match self.0 {
            // WS-CL-08: only clients miss extensions.
            1010 => matches!(role, Role::Client),
            // WS-CL-07, WS-CL-09: 1004, 1005, 1006 and 1015 are never sent.
            1000..=1003 | 1007..=1014 | 3000..=4999 => true,
            _ => false,
        }
    }

    /// Whether a peer may send this code (WS-CL-10).
    pub(crate) const fn may_be_received(self, version: Version) -> bool {
        match (version, self.0) {
            // WS-A03: reserved and unassigned numbers are protocol errors.
            (Version::Rfc6455, code) => {
                matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
            }
            // HYBI-071, HYBI-075: -08 already keeps 1005 and 1006 off the wire.
            (Version::Draft8, 1005 | 1006) => false,
            // HYBI-072, HYBI-073: unknown codes of the drafts' ranges do not fail.
            (_, code) => matches!(code, 1000..=4999),
        }
    }

    /// What is sent in its place in `version` (HYBI-072): the drafts stop at 1004.
    #[must_use]
    pub const fn for_version(self, version: Version) -> CloseCode {
        if !version.is_interim() {
            return self;
        }
        match self {
            CloseCode::TOO_BIG => CloseCode::DRAFT_TOO_LARGE,
            CloseCode::INCONSISTENT_DATA => CloseCode::UNACCEPTABLE,
            CloseCode::POLICY | CloseCode::EXTENSION_MISSING => CloseCode::PROTOCOL_ERROR,
            CloseCode::UNEXPECTED
            | CloseCode::RESTART
            | CloseCode::TRY_LATER
            | CloseCode::BAD_GATEWAY => CloseCode::GOING_AWAY,
            other => other,
        }
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> u16 {
        code.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The body of a received Close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CloseBody {
    pub(crate) code: Option<CloseCode>,
    pub(crate) reason: String,
}

impl CloseBody {
    /// WS-CT-06, HYBI-070: empty, or a code and a reason in UTF-8.
    pub(crate) fn parse(version: Version, role: Role, body: &[u8]) -> Result<Self, Violation> {
        let Some((code, reason)) = body.split_first_chunk::<2>() else {
            return match body {
                [] => Ok(CloseBody { code: None, reason: String::new() }),
                _ => Err(Violation::CloseBodyOneOctet),
            };
        };
        // HYBI-075: the number is unsigned.
        let code = CloseCode::new(u16::from_be_bytes(*code));
        if !code.may_be_received(version) {
            return Err(Violation::CloseCode(code.number()));
        }
        let lenient = version.is_interim() && role == Role::Client;
        // WS-U8-02; HYBI-080: a client of the drafts reads U+FFFD instead.
        if utf8::check(reason).is_err() && !lenient {
            return Err(Violation::CloseReasonNotUtf8);
        }
        // WS-CL-04: the reason is what follows the code.
        Ok(CloseBody { code: Some(code), reason: String::from_utf8_lossy(reason).into_owned() })
    }
}

/// The body of a Close to send; empty without a code. The reason is cut to what fits.
pub(crate) fn body(code: Option<CloseCode>, reason: &str) -> Vec<u8> {
    let Some(code) = code else { return Vec::new() };
    let fitting = reason.floor_char_boundary(REASON_MAX_BYTES);
    let mut body = code.number().to_be_bytes().to_vec();
    body.extend_from_slice(reason.get(..fitting).unwrap_or_default().as_bytes());
    body
}
