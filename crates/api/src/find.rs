//! Which operation a request is for.

use crate::BASE;
use crate::operations::{Method, OPERATIONS, Operation};

/// An operation, and what its path says.
#[derive(Clone, Debug)]
pub struct Found {
    /// The operation.
    pub operation: &'static Operation,
    /// The values of `{…}` in its path, in order, decoded.
    pub path: Vec<String>,
}

/// Why there is none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Missing {
    /// No operation has this path.
    Path,
    /// Those that have it are of these methods.
    Method(Vec<Method>),
    /// A part of the path is not percent-encoded UTF-8.
    Encoding,
}

/// The operation of a method and a path as it was sent, without its query.
///
/// # Errors
/// There is none.
pub fn find(method: &str, path: &str) -> Result<Found, Missing> {
    let path = path.strip_prefix(BASE).ok_or(Missing::Path)?;
    let mut others = Vec::new();
    for operation in OPERATIONS {
        let Some(values) = values_of(operation.path, path) else { continue };
        if operation.method.name() != method {
            others.push(operation.method);
            continue;
        }
        let decoded: Option<Vec<String>> = values.into_iter().map(decode).collect();
        return Ok(Found { operation, path: decoded.ok_or(Missing::Encoding)? });
    }
    Err(if others.is_empty() { Missing::Path } else { Missing::Method(others) })
}

/// The parts of `path` that stand for `{…}` in `template`, if the rest is the same.
fn values_of<'p>(template: &str, path: &'p str) -> Option<Vec<&'p str>> {
    let mut values = Vec::new();
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(values),
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {
                values.push(given);
            }
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return None,
        }
    }
}

fn decode(part: &str) -> Option<String> {
    let mut out = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok()?;
            // `from_str_radix` takes a sign too.
            let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            out.push(u8::from_str_radix(digits, 16).ok().filter(|_| plain)?);
            rest = after;
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// The path of an operation with these values in the place of `{…}`, encoded.
#[must_use]
pub fn path_of(operation: &Operation, values: &[&str]) -> String {
    let mut values = values.iter();
    let mut path = BASE.to_owned();
    for part in operation.path.split('/').skip(1) {
        path.push('/');
        if part.starts_with('{') {
            encode(values.next().copied().unwrap_or_default(), &mut path);
        } else {
            path.push_str(part);
        }
    }
    path
}

fn encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend([byte >> 4, byte & 15].map(|half| {
                char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase()
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Missing, find, path_of};
    use crate::{Method, Op};

    #[test]
    fn a_path_leads_to_its_operation() {
        let found = find("GET", "/api/v1/addresses/a%2Fb%20%C3%A9").unwrap();
        assert_eq!(found.operation.op, Op::GetAddress);
        assert_eq!(found.path, ["a/b é"]);
        assert_eq!(path_of(found.operation, &["a/b é"]), "/api/v1/addresses/a%2Fb%20%C3%A9");
        assert_eq!(find("GET", "/api/v1/addresses").unwrap().operation.op, Op::ListAddresses);
    }

    #[test]
    fn what_is_not_there_says_why() {
        for path in ["/api/v1", "/api/v1/", "/api/v2/users", "/api/v1/users/", "/api/v1/x"] {
            assert_eq!(find("GET", path).unwrap_err(), Missing::Path, "{path}");
        }
        let post = find("POST", "/api/v1/users/ada").unwrap_err();
        assert_eq!(post, Missing::Method(vec![Method::Get, Method::Put, Method::Delete]));
        for path in ["%", "%4", "%zz", "%+1", "%ff"] {
            let path = format!("/api/v1/users/{path}");
            assert_eq!(find("GET", &path).unwrap_err(), Missing::Encoding, "{path}");
        }
    }
}
