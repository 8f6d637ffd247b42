//! The two first messages.

use super::{expect, ignore, read_name, write_name};
use crate::binding::{ChannelBinding, is_name};
use crate::keys::{decode, positive_number};
use crate::limits::SALT_MAX_BYTES;
use crate::nonce::is_nonce;
use crate::prepare::{Use, saslprep};
use crate::violation::Violation;
use data_encoding::BASE64;

/// What a client says of channel binding (RFC 5802, section 6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    /// `n`: it cannot bind.
    Unable,
    /// `y`: it could, but believes that the server cannot.
    NotOffered,
    /// `p`: it binds, with this type.
    Bound(String),
}

/// `client-first-message`.
#[derive(Debug)]
pub(crate) struct ClientFirst {
    pub(crate) flag: Flag,
    pub(crate) authzid: Option<String>,
    /// `gs2-header`: flag and identity, with both commas.
    pub(crate) header: String,
    /// `client-first-message-bare`: what is signed.
    pub(crate) bare: String,
    /// Prepared.
    pub(crate) user: String,
    pub(crate) nonce: String,
}

impl ClientFirst {
    pub(crate) fn parse(message: &str) -> Result<Self, Violation> {
        let mut parts = message.splitn(3, ',');
        let flag = match parts.next().unwrap_or_default() {
            "n" => Flag::Unable,
            "y" => Flag::NotOffered,
            other => match other.strip_prefix("p=").filter(|name| is_name(name)) {
                Some(name) => Flag::Bound(name.to_owned()),
                None => return Err(Violation::BindingFlag),
            },
        };
        let (Some(identity), Some(bare)) = (parts.next(), parts.next()) else {
            return Err(Violation::Header);
        };
        let authzid = read_identity(identity)?;
        let header = message.strip_suffix(bare).unwrap_or_default().to_owned();

        let mut fields = bare.split(',');
        let user = read_name(expect(fields.next(), 'n')?)?;
        let nonce = expect(fields.next(), 'r')?;
        if !is_nonce(nonce) {
            return Err(Violation::Nonce);
        }
        ignore(fields)?;
        let user = saslprep(&user, Use::Query).ok_or(Violation::UserName)?.into_owned();
        let (bare, nonce) = (bare.to_owned(), nonce.to_owned());
        Ok(Self { flag, authzid, header, bare, user, nonce })
    }

    /// The header and the bare part of a client's own message.
    pub(crate) fn write(flag: &Flag, authzid: &str, user: &str, nonce: &str) -> (String, String) {
        let flag = match flag {
            Flag::Unable => "n".to_owned(),
            Flag::NotOffered => "y".to_owned(),
            Flag::Bound(name) => format!("p={name}"),
        };
        let identity = match authzid {
            "" => String::new(),
            identity => format!("a={}", write_name(identity)),
        };
        (format!("{flag},{identity},"), format!("n={},r={nonce}", write_name(user)))
    }
}

/// `[authzid]`.
fn read_identity(field: &str) -> Result<Option<String>, Violation> {
    if field.is_empty() {
        return Ok(None);
    }
    let identity = read_name(field.strip_prefix("a=").ok_or(Violation::Header)?)?;
    if identity.is_empty() || identity.contains('\0') {
        return Err(Violation::AuthorizationIdentity);
    }
    Ok(Some(identity.into_owned()))
}

/// `channel-binding` without `c=`: the only value that fits this header on this channel.
pub(crate) fn bound(header: &str, binding: Option<&ChannelBinding>) -> String {
    let data = binding.map(ChannelBinding::data).unwrap_or_default();
    BASE64.encode(&[header.as_bytes(), data].concat())
}

/// `server-first-message`.
#[derive(Debug)]
pub(crate) struct ServerFirst<'a> {
    /// Both parts of the nonce.
    pub(crate) nonce: &'a str,
    pub(crate) salt: Vec<u8>,
    pub(crate) iterations: u32,
}

impl<'a> ServerFirst<'a> {
    /// Reads the answer to a message with the nonce `own`.
    pub(crate) fn parse(message: &'a str, own: &str) -> Result<Self, Violation> {
        let mut fields = message.split(',');
        let nonce = expect(fields.next(), 'r')?;
        let added = nonce.strip_prefix(own).ok_or(Violation::NonceMismatch)?;
        if !is_nonce(added) {
            return Err(Violation::Nonce);
        }
        let salt = decode(expect(fields.next(), 's')?, SALT_MAX_BYTES);
        let salt = salt.filter(|salt| !salt.is_empty()).ok_or(Violation::Salt)?;
        let iterations = positive_number(expect(fields.next(), 'i')?);
        let iterations = iterations.ok_or(Violation::Iterations)?;
        ignore(fields)?;
        Ok(Self { nonce, salt, iterations })
    }

    pub(crate) fn write(nonce: &str, salt: &[u8], iterations: u32) -> String {
        format!("r={nonce},s={},i={iterations}", BASE64.encode(salt))
    }
}
