//! Domainparts (RFC 7622, section 3.2): names, IPv4 addresses, IPv6 addresses in brackets.

use super::precis::is_identifier;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Longest label of a name in the DNS, and longest name (RFC 1034, section 3.1).
const LABEL_MAX_BYTES: usize = 63;
const NAME_MAX_BYTES: usize = 253;

/// The enforced form of a domainpart; `None` if it is none.
pub(super) fn domain(text: &str) -> Option<Cow<'_, str>> {
    if let Some(literal) = text.strip_prefix('[') {
        return ip_literal(literal.strip_suffix(']')?).map(Cow::Owned);
    }
    // RFC 7622 3.2: one dot at the end is taken off, before anything else is done.
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_ascii() && !has_a_label(text) {
        return is_ascii_name(text).then(|| lowercase(text));
    }
    // RFC 7622 3.2.1: A-labels become U-labels. What is left of ASCII is letters, digits and
    // hyphens.
    let (name, result) =
        Uts46::new().to_unicode(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    result.ok()?;
    let wire = Uts46::new().to_ascii(
        name.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::Check,
        DnsLength::Verify,
    );
    wire.ok()?;
    // The library maps by UTS 46, which knows symbols; RFC 5890 has letters and digits.
    name.split('.').all(is_identifier).then_some(())?;
    Some(Cow::Owned(name.into_owned()))
}

/// `IP-literal` of RFC 6874, without addresses of the future.
fn ip_literal(text: &str) -> Option<String> {
    let (address, zone) = match text.split_once("%25") {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    let address: Ipv6Addr = address.parse().ok()?;
    match zone {
        Some(zone) if is_zone(zone) => Some(format!("[{address}%25{zone}]")),
        Some(_) => None,
        None => Some(format!("[{address}]")),
    }
}

fn is_zone(zone: &str) -> bool {
    let unreserved = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
    !zone.is_empty() && zone.chars().all(unreserved)
}

fn has_a_label(text: &str) -> bool {
    let begins = |label: &str| label.get(..4).is_some_and(|four| four.eq_ignore_ascii_case("xn--"));
    text.split('.').any(begins)
}

fn is_ascii_name(text: &str) -> bool {
    text.len() <= NAME_MAX_BYTES && text.split('.').all(is_label) && !is_mistaken_ipv4(text)
}

/// A label of letters, digits and hyphens (RFC 5890, section 2.3.1), and no hyphens where only
/// A-labels have them.
fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=LABEL_MAX_BYTES).contains(&label.len())
        && label.bytes().all(allowed)
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.get(2..4) != Some("--")
}

/// Digits and dots alone are an IPv4 address, or nothing.
fn is_mistaken_ipv4(text: &str) -> bool {
    let is_numeric = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_numeric && text.contains('.') && text.parse::<Ipv4Addr>().is_err()
}

fn lowercase(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}
