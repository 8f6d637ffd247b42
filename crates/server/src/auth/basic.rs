//! The `Basic` scheme (RFC 7617), and the `Bearer` scheme (RFC 6750).

use std::fmt;

/// Longest value that is decoded: names and passwords are short.
const VALUE_MAX_BYTES: usize = 4096;

/// A name and a password, as a client sent them.
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: Vec<u8>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Reads the value of an `Authorization` header. `None`: another scheme, or malformed.
pub(super) fn parse(value: &[u8]) -> Option<Credentials> {
    if value.len() > VALUE_MAX_BYTES {
        return None;
    }
    let value = std::str::from_utf8(value).ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = data_encoding::BASE64.decode(encoded.trim().as_bytes()).ok()?;
    let colon = decoded.iter().position(|&byte| byte == b':')?;
    let (user, password) = decoded.split_at(colon);
    let user = std::str::from_utf8(user).ok()?;
    if user.is_empty() || user.chars().any(char::is_control) {
        return None;
    }
    Some(Credentials { user: user.to_owned(), password: password[1..].to_vec() })
}

/// The token of an `Authorization` header of the scheme `Bearer`.
pub(super) fn bearer(value: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
