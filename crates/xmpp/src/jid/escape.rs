//! Characters that localparts have not, written with those that they have (XEP-0106).

use std::borrow::Cow;

/// Each disallowed character with its code.
const CODES: [(char, &str); 10] = [
    (' ', "20"),
    ('"', "22"),
    ('&', "26"),
    ('\'', "27"),
    ('/', "2f"),
    (':', "3a"),
    ('<', "3c"),
    ('>', "3e"),
    ('@', "40"),
    ('\\', "5c"),
];

/// Escapes a name, so that it can be a localpart. `None`: it begins or ends with a blank, which
/// an escaped localpart may not.
#[must_use]
pub fn escape_local(text: &str) -> Option<Cow<'_, str>> {
    if text.starts_with(' ') || text.ends_with(' ') {
        return None;
    }
    if !text.contains(|c| code_of(c).is_some()) {
        return Some(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match code_of(c) {
            // A backslash stays, unless it would be taken for the beginning of a code.
            Some(_) if c == '\\' && escaped(text, at).is_none() => out.push(c),
            Some(code) => {
                out.push('\\');
                out.push_str(code);
            }
            None => out.push(c),
        }
    }
    Some(Cow::Owned(out))
}

/// The name that an escaped localpart stands for.
#[must_use]
pub fn unescape_local(local: &str) -> Cow<'_, str> {
    if !local.contains('\\') {
        return Cow::Borrowed(local);
    }
    let mut out = String::with_capacity(local.len());
    let mut chars = local.char_indices();
    while let Some((at, c)) = chars.next() {
        match escaped(local, at) {
            Some(unescaped) if c == '\\' => {
                out.push(unescaped);
                chars.nth(1);
            }
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn code_of(c: char) -> Option<&'static str> {
    CODES.iter().find(|(known, _)| *known == c).map(|(_, code)| *code)
}

/// What is escaped by the code behind the backslash at `at`.
fn escaped(text: &str, at: usize) -> Option<char> {
    let code = text.get(at..)?.strip_prefix('\\')?.get(..2)?;
    CODES.iter().find(|(_, known)| *known == code).map(|(c, _)| *c)
}
