//! The messages of SCRAM (RFC 5802, section 7), read and written.
//!
//! ```text
//! C: client-first   n,,n=user,r=NONCE            header and bare part
//! S: server-first   r=NONCEnonce,s=SALT,i=COUNT
//! C: client-final   c=HEADER,r=NONCEnonce,p=PROOF
//! S: server-final   v=SIGNATURE
//! ```

mod finals;
mod firsts;

pub(crate) use finals::{ClientFinal, ServerFinal};
pub(crate) use firsts::{ClientFirst, Flag, ServerFirst, bound};

use crate::limits::STRING_MAX_BYTES;
use crate::violation::Violation;
use std::borrow::Cow;

/// The value of the attribute that must come here.
fn expect(field: Option<&str>, name: char) -> Result<&str, Violation> {
    let field = field.unwrap_or_default();
    let value = field.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
    match value {
        Some(value) => Ok(value),
        None if field.starts_with("m=") => Err(Violation::MandatoryExtension),
        None => Err(Violation::AttributeMissing(name)),
    }
}

/// Extensions are checked for their form and ignored (RFC 5802, section 5.1), except the mandatory.
fn ignore<'a>(extensions: impl Iterator<Item = &'a str>) -> Result<(), Violation> {
    for extension in extensions {
        match extension.as_bytes() {
            [b'm', b'=', ..] => return Err(Violation::MandatoryExtension),
            [name, b'=', _, ..] if name.is_ascii_alphabetic() && !extension.contains('\0') => {}
            _ => return Err(Violation::Attribute),
        }
    }
    Ok(())
}

/// Reads a `saslname`.
fn read_name(text: &str) -> Result<Cow<'_, str>, Violation> {
    if text.len() > STRING_MAX_BYTES.saturating_mul(3) {
        return Err(Violation::StringTooLong);
    }
    let mut parts = text.split('=');
    let first = parts.next().unwrap_or_default();
    let mut name = Cow::Borrowed(first);
    for part in parts {
        let (character, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            _ => return Err(Violation::NameEscape),
        };
        name.to_mut().push(character);
        name.to_mut().push_str(rest);
    }
    if name.len() > STRING_MAX_BYTES {
        return Err(Violation::StringTooLong);
    }
    Ok(name)
}

/// Writes a `saslname`.
fn write_name(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}
