//! PLAIN's only message (RFC 4616, section 2).

use crate::limits::{MESSAGE_MAX_BYTES, STRING_MAX_BYTES};
use crate::password::Password;
use crate::prepare::{Use, saslprep};
use crate::violation::Violation;

/// What a client says of itself.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) authzid: Option<String>,
    /// Prepared.
    pub(crate) user: String,
    /// As sent.
    pub(crate) password: Password,
}

impl Plain {
    pub(crate) fn parse(message: &[u8]) -> Result<Self, Violation> {
        let message = text(message)?;
        let mut fields = message.split('\0');
        let (Some(authzid), Some(user), Some(password), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(Violation::PlainFields);
        };
        if [authzid, user, password].iter().any(|field| field.len() > STRING_MAX_BYTES) {
            return Err(Violation::StringTooLong);
        }
        if password.is_empty() {
            return Err(Violation::PlainPassword);
        }
        let user = saslprep(user, Use::Query).ok_or(Violation::UserName)?;
        Ok(Self {
            authzid: (!authzid.is_empty()).then(|| authzid.to_owned()),
            user: user.into_owned(),
            password: Password::new(password),
        })
    }

    pub(crate) fn write(authzid: &str, user: &str, password: &str) -> Vec<u8> {
        [authzid, user, password].join("\0").into_bytes()
    }
}

/// A message of any mechanism as text.
pub(crate) fn text(message: &[u8]) -> Result<&str, Violation> {
    if message.len() > MESSAGE_MAX_BYTES {
        return Err(Violation::MessageTooLong);
    }
    std::str::from_utf8(message).map_err(|_| Violation::InvalidUtf8)
}
