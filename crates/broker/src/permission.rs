//! Who may do what: rules by user and address pattern.

use crate::policy::{OWN_PREFIX, SYSTEM_PREFIX};

/// One rule of a user. A user without a matching rule may do nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Permission {
    /// The virtual host it is for; empty for every one.
    pub host: String,
    /// Address pattern: `*` stands for one level (no `/`), `**` for any number of them.
    pub pattern: String,
    /// May send to matching addresses.
    pub send: bool,
    /// May receive from matching addresses.
    pub receive: bool,
    /// May create, change and delete matching addresses through the management API.
    pub manage: bool,
}

impl Permission {
    /// Everything, everywhere: what an administrator has.
    #[must_use]
    pub fn all() -> Self {
        let (host, pattern) = (String::new(), "**".to_owned());
        Self { host, pattern, send: true, receive: true, manage: true }
    }
}

/// What a command asks to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Right {
    /// Send to an address.
    Send,
    /// Receive from an address.
    Receive,
    /// Create, change or delete an address.
    Manage,
}

/// Whether an area of the broker itself may be looked into; `area` is its address, such as
/// `wharf/overview`. Who may receive everything is a user of messages, not of this: the rule must
/// name what is the broker's own. An area is of no host, so that a rule for one host grants none.
#[must_use]
pub fn may_read_own(rules: &[Permission], area: &str) -> bool {
    let named = |rule: &&Permission| rule.pattern.starts_with(OWN_PREFIX);
    allows(rules, Right::Manage, "", area)
        || rules.iter().filter(named).any(|rule| grants(rule, Right::Receive, "", area))
}

/// Whether any rule grants `right` on `address` of `host`. A topic of the broker's own,
/// `$wharf/overview`, is received from by those who may look into the area `wharf/overview`, and
/// by those with a rule that names it; nobody sends there, and who manages the area may end
/// subscriptions.
#[must_use]
pub fn allows(rules: &[Permission], right: Right, host: &str, address: &str) -> bool {
    if address.starts_with(SYSTEM_PREFIX) {
        let area = address.strip_prefix('$').unwrap_or_default();
        let named = |rule: &&Permission| rule.pattern.starts_with(SYSTEM_PREFIX);
        let granted = rules.iter().filter(named).any(|rule| grants(rule, right, host, address));
        return match right {
            Right::Send => false,
            Right::Receive => granted || may_read_own(rules, area),
            Right::Manage => allows(rules, Right::Manage, "", area),
        };
    }
    rules.iter().any(|rule| grants(rule, right, host, address))
}

fn grants(rule: &Permission, right: Right, host: &str, address: &str) -> bool {
    let granted = match right {
        Right::Send => rule.send,
        Right::Receive => rule.receive,
        Right::Manage => rule.manage,
    };
    let here = rule.host.is_empty() || rule.host == host;
    granted && here && matches_pattern(&rule.pattern, address)
}

/// Whether `address` matches `pattern`. `*` stands for any run of characters but `/`, `**` for
/// any run. Linear space, and time bounded by the product of both lengths.
#[must_use]
pub fn matches_pattern(pattern: &str, address: &str) -> bool {
    if pattern == "**" {
        return true;
    }
    if !pattern.contains('*') {
        return pattern == address;
    }
    // Most patterns are a beginning and `**`.
    let (literal, pattern) = pattern.split_at(pattern.find('*').unwrap_or_default());
    let Some(address) = address.strip_prefix(literal) else { return false };
    if pattern == "**" {
        return true;
    }
    let address = address.as_bytes();
    // reach[i]: the pattern so far matches the first i bytes of the address.
    let mut reach = vec![false; address.len().saturating_add(1)];
    if let Some(start) = reach.first_mut() {
        *start = true;
    }
    let mut rest = pattern.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'*' {
            step_literal(&mut reach, address, byte);
            rest = after;
        } else if let Some((b'*', after)) = after.split_first() {
            spread(&mut reach, address, |_| true);
            rest = after;
        } else {
            spread(&mut reach, address, |byte| byte != b'/');
            rest = after;
        }
    }
    reach.last().copied().unwrap_or(false)
}

fn step_literal(reach: &mut Vec<bool>, address: &[u8], literal: u8) {
    let stepped = reach.iter().zip(address).map(|(&here, &byte)| here && byte == literal);
    *reach = std::iter::once(false).chain(stepped).collect();
}

fn spread(reach: &mut [bool], address: &[u8], passes: impl Fn(u8) -> bool) {
    let mut before = false;
    let bytes = std::iter::once(None).chain(address.iter().copied().map(Some));
    for (here, byte) in reach.iter_mut().zip(bytes) {
        *here |= before && byte.is_some_and(&passes);
        before = *here;
    }
}

#[cfg(test)]
mod tests {
    use super::matches_pattern;

    #[test]
    fn patterns() {
        let table = [
            ("**", "anything/at/all", true),
            ("**", "", true),
            ("*", "one", true),
            ("*", "one/two", false),
            ("orders", "orders", true),
            ("orders", "orders2", false),
            ("orders/*", "orders/eu", true),
            ("orders/*", "orders/eu/1", false),
            ("orders/**", "orders/eu/1", true),
            ("orders/**", "orders", false),
            ("topic/**", "topic/news", true),
            ("*/audit", "eu/audit", true),
            ("*/audit", "eu/x/audit", false),
            ("**/audit", "eu/x/audit", true),
            ("a*c", "abbc", true),
            ("a*c", "ab/c", false),
            ("", "", true),
            ("", "x", false),
        ];
        for (pattern, address, expected) in table {
            assert_eq!(matches_pattern(pattern, address), expected, "{pattern} on {address}");
        }
    }

    #[test]
    fn a_pattern_of_stars_is_not_exponential() {
        let pattern = "*a".repeat(300);
        assert!(!matches_pattern(&pattern, &"a".repeat(1000)[..999].replace('a', "b")));
    }
}
