//! Finds the end of an HTTP head in a buffer that grows.

use std::fmt;

use super::limits::HeadLimits;

/// Why an HTTP head cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Longer than [`HeadLimits::head_max_bytes`].
    HeadTooLarge,
    /// More header fields than [`HeadLimits::headers_max`].
    TooManyHeaders,
    /// A line that does not end in CR LF, or a CR inside a line.
    LineEnd,
    /// A start line that is not HTTP/1.
    StartLine,
    /// An HTTP version other than 1.0 and 1.1.
    HttpVersion,
    /// A header field whose name or value has octets it must not have, a folded line, or blanks
    /// before the colon.
    HeaderField,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::HeadTooLarge => "the HTTP head is too large",
            Malformed::TooManyHeaders => "too many header fields",
            Malformed::LineEnd => "a line of the HTTP head does not end in CR LF",
            Malformed::StartLine => "the start line is not HTTP",
            Malformed::HttpVersion => "the HTTP version is neither 1.0 nor 1.1",
            Malformed::HeaderField => "a header field is malformed",
        })
    }
}

impl std::error::Error for Malformed {}

impl From<httparse::Error> for Malformed {
    fn from(error: httparse::Error) -> Self {
        match error {
            httparse::Error::HeaderName
            | httparse::Error::HeaderValue
            | httparse::Error::NewLine => Malformed::HeaderField,
            httparse::Error::TooManyHeaders => Malformed::TooManyHeaders,
            httparse::Error::Version => Malformed::HttpVersion,
            httparse::Error::Status | httparse::Error::Token => Malformed::StartLine,
        }
    }
}

/// Remembers how far a growing head was examined, so that no octet is looked at twice however
/// finely the peer cuts it up: a head sent octet by octet costs no more than one sent whole.
#[derive(Clone, Debug)]
pub(crate) struct HeadScan {
    limits: HeadLimits,
    /// Octets known to hold no end of line that has not been dealt with.
    examined: usize,
    /// Where the line being read begins.
    line_start: usize,
    /// Whether a line that is not empty was seen.
    started: bool,
}

impl HeadScan {
    pub(crate) fn new(limits: HeadLimits) -> Self {
        HeadScan { limits, examined: 0, line_start: 0, started: false }
    }

    /// The length of the head with its last empty line, once all of it is in `buffer`.
    ///
    /// `buffer` begins with what it held at the last call. Empty lines before the start line
    /// are skipped (RFC 9112, section 2.2) and count.
    pub(crate) fn find_end(&mut self, buffer: &[u8]) -> Result<Option<usize>, Malformed> {
        let visible = buffer.get(..self.limits.head_max_bytes).unwrap_or(buffer);
        while let Some(offset) =
            visible.get(self.examined..).and_then(|new| new.iter().position(|&o| o == b'\n'))
        {
            let end = self.examined.saturating_add(offset).saturating_add(1);
            let line = visible.get(self.line_start..end).unwrap_or_default();
            let text = line.strip_suffix(b"\r\n").ok_or(Malformed::LineEnd)?;
            if text.contains(&b'\r') {
                return Err(Malformed::LineEnd);
            }
            self.examined = end;
            self.line_start = end;
            match (text.is_empty(), self.started) {
                (true, true) => return Ok(Some(end)),
                (true, false) => {}
                (false, _) => self.started = true,
            }
        }
        self.examined = visible.len();
        if visible.len() < self.limits.head_max_bytes {
            Ok(None)
        } else {
            Err(Malformed::HeadTooLarge)
        }
    }
}
