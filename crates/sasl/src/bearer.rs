//! OAUTHBEARER's messages (RFC 7628).

use crate::limits::{STRING_MAX_BYTES, TOKEN_MESSAGE_MAX_BYTES};
use crate::password::Password;
use crate::violation::Violation;

/// What the client answers to a refusal: a lone separator.
pub(crate) const DUMMY: &[u8] = b"\x01";

/// What a client whose token is wrong is told, before the exchange fails (section 3.2.2).
pub(crate) const REFUSAL: &[u8] = br#"{"status":"invalid_token"}"#;

/// The first message (section 3.1).
#[derive(Debug)]
pub(crate) struct Bearer {
    pub(crate) authzid: Option<String>,
    pub(crate) token: Password,
}

impl Bearer {
    pub(crate) fn parse(message: &[u8]) -> Result<Self, Violation> {
        if message.len() > TOKEN_MESSAGE_MAX_BYTES {
            return Err(Violation::MessageTooLong);
        }
        let message = std::str::from_utf8(message).map_err(|_| Violation::InvalidUtf8)?;
        let (header, pairs) = message.split_once('\x01').ok_or(Violation::Bearer)?;
        let authzid = authzid(header)?;
        // Each pair ends with a separator, and so does all of it.
        let pairs = pairs.strip_suffix("\x01\x01").ok_or(Violation::Bearer)?;
        let mut token = None;
        for pair in pairs.split('\x01') {
            let (name, value) = pair.split_once('=').ok_or(Violation::Bearer)?;
            if name == "auth" && token.replace(value).is_some() {
                return Err(Violation::Bearer);
            }
        }
        let (scheme, token) = token.unwrap_or_default().split_once(' ').ok_or(Violation::Bearer)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        let token = token.trim_start_matches(' ');
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || !token.bytes().all(plain) {
            return Err(Violation::Bearer);
        }
        Ok(Self { authzid, token: Password::new(token) })
    }

    pub(crate) fn write(authzid: &str, token: &str) -> Vec<u8> {
        let escaped = authzid.replace('=', "=3D").replace(',', "=2C");
        let header = if authzid.is_empty() { "n,,".to_owned() } else { format!("n,a={escaped},") };
        format!("{header}\x01auth=Bearer {token}\x01\x01").into_bytes()
    }
}

/// The GS2 header: no channel binding, and perhaps an identity.
fn authzid(header: &str) -> Result<Option<String>, Violation> {
    let mut fields = header.split(',');
    let (Some(binding), Some(identity), Some(""), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(Violation::Bearer);
    };
    if !matches!(binding, "n" | "y") {
        return Err(Violation::Bearer);
    }
    if identity.is_empty() {
        return Ok(None);
    }
    let escaped = identity.strip_prefix("a=").ok_or(Violation::Bearer)?;
    let name = escaped.replace("=2C", ",").replace("=3D", "=");
    // An equals sign that is no escape, or nothing at all.
    let escapes = escaped.matches('=').count();
    let proper = escaped.matches("=2C").count().saturating_add(escaped.matches("=3D").count());
    if name.is_empty() || escapes != proper || name.contains('\0') {
        return Err(Violation::AuthorizationIdentity);
    }
    if name.len() > STRING_MAX_BYTES {
        return Err(Violation::StringTooLong);
    }
    Ok(Some(name))
}

#[cfg(test)]
mod tests {
    use super::Bearer;
    use crate::violation::Violation;

    #[test]
    fn the_example_of_the_rfc() {
        let message = b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01\
            auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01";
        let parsed = Bearer::parse(message).unwrap();
        assert_eq!(parsed.authzid.as_deref(), Some("user@example.com"));
        assert_eq!(parsed.token.as_str(), "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
    }

    #[test]
    fn what_is_written_is_read() {
        for authzid in ["", "ada", "a=b,c"] {
            let parsed = Bearer::parse(&Bearer::write(authzid, "a.b-c")).unwrap();
            assert_eq!(parsed.authzid.unwrap_or_default(), authzid);
            assert_eq!(parsed.token.as_str(), "a.b-c");
        }
    }

    #[test]
    fn broken_messages() {
        for wrong in [
            "",
            "n,,",
            "n,,\x01\x01",
            "n,,\x01auth=Bearer a\x01",
            "n,,\x01auth=Basic a\x01\x01",
            "n,,\x01auth=Bearer \x01\x01",
            "n,,\x01auth=Bearer a b\x01\x01",
            "n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01",
            "p=tls-exporter,,\x01auth=Bearer a\x01\x01",
            "n,x,\x01auth=Bearer a\x01\x01",
            "n,,x\x01auth=Bearer a\x01\x01",
        ] {
            assert_eq!(
                Bearer::parse(wrong.as_bytes()).unwrap_err(),
                Violation::Bearer,
                "{wrong:?}"
            );
        }
        for name in ["a=", "a=x=4", "a=\0"] {
            let message = format!("n,{name},\x01auth=Bearer a\x01\x01");
            let error = Bearer::parse(message.as_bytes()).unwrap_err();
            assert_eq!(error, Violation::AuthorizationIdentity, "{name:?}");
        }
        let long = format!("n,,\x01auth=Bearer {}\x01\x01", "a".repeat(9000));
        assert_eq!(Bearer::parse(long.as_bytes()).unwrap_err(), Violation::MessageTooLong);
    }
}
