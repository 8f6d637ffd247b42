//! `<open/>` and `<close/>` (RFC 7395, section 3.3), with the attributes of stream headers
//! (RFC 6120, section 4.7).

use crate::jid::Jid;
use crate::ns;
use crate::xml::{Element, attribute, element};

/// A version of XMPP (RFC 6120, section 4.7.5).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version {
    /// Raised when an older peer could not go on.
    pub major: u32,
    /// Raised for less.
    pub minor: u32,
}

impl Version {
    /// The version of RFC 6120.
    pub const V1_0: Version = Version { major: 1, minor: 0 };

    /// Two integers, whatever zeros they begin with.
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        Some(Self { major: number(major)?, minor: number(minor)? })
    }
}

/// What `<open/>` says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Header {
    /// The host that is meant; `None` if there is none, or what is there is no address.
    pub to: Option<Jid>,
    /// Who the sender says it is, without a resource. Anyone may say anything.
    pub from: Option<Jid>,
    /// The language of what people are to read.
    pub lang: Option<String>,
    /// Of the stream; said by servers.
    pub id: Option<String>,
    /// Missing from peers of before RFC 3920.
    pub version: Option<Version>,
}

/// Longest language that is remembered: no tag in use is half as long.
const LANG_MAX_BYTES: usize = 64;

impl Header {
    // XWS-017.
    pub(crate) fn read(open: &Element<'_>) -> Self {
        let address = |name| open.attribute(name).and_then(|text| Jid::parse(&text).ok());
        Self {
            to: address("to"),
            from: address("from").map(|jid| jid.bare()),
            lang: open.lang().filter(|lang| is_lang(lang)).map(str::to_owned),
            id: open.attribute("id").map(|id| id.into_owned()),
            version: open.attribute("version").and_then(|text| Version::parse(&text)),
        }
    }
}

/// Letters, digits and hyphens (RFC 5646, section 2.1).
fn is_lang(lang: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=LANG_MAX_BYTES).contains(&lang.len()) && lang.bytes().all(allowed)
}

/// Appends `<open/>` with these attributes.
// XWS-016, XWS-018.
pub(crate) fn write_open(out: &mut Vec<u8>, attributes: &[(&str, Option<&str>)]) {
    let mut all = vec![("xmlns", ns::FRAMING)];
    all.extend(attributes.iter().filter_map(|&(name, value)| Some((name, value?))));
    all.push(("version", "1.0"));
    element(out, "open", &all, |_| {});
}

/// Appends `<close/>`, to the letter as RFC 7395 shows it: there are clients that compare.
// XWS-018, XWS-050, XWS-060.
pub(crate) fn write_close(out: &mut Vec<u8>, see_other_uri: Option<&str>) {
    out.extend_from_slice(b"<close xmlns=\"");
    out.extend_from_slice(ns::FRAMING.as_bytes());
    out.push(b'"');
    if let Some(uri) = see_other_uri {
        attribute(out, "see-other-uri", uri);
    }
    out.extend_from_slice(b" />");
}
