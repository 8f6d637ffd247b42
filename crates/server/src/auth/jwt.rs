//! Tokens of an issuer: JWT (RFC 7519) signed with RS256, RS384, RS512, PS256, ES256, ES384 or EdDSA,
//! by a key of a JWK Set (RFC 7517). Symmetric keys and `none` are not taken, whatever a token says.
//!
//! The key says which algorithm is right, never the token alone (RFC 8725, section 3.1).

use data_encoding::BASE64URL_NOPAD as BASE64URL;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use serde::Deserialize;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Notify;

/// Longest token that is looked at.
const TOKEN_MAX_BYTES: usize = 16 << 10;

/// How far clocks may be apart.
const LEEWAY_MS: u64 = 60_000;

/// What is wrong with a token whose key is none of the issuer's.
pub(super) const UNKNOWN_KEY: &str = "of an unknown key";

/// What is wrong with a token; never part of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NotValid(pub(crate) &'static str);

/// What a token says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Claims {
    pub(super) user: String,
    pub(super) expires_at_ms: u64,
}

/// Whose tokens are taken.
#[derive(Debug)]
pub(crate) struct Issuer {
    keys: RwLock<Vec<Key>>,
    /// Called when a token names a key that is not among them: there may be newer ones.
    pub(super) missed: Arc<Notify>,
    /// What `iss` must be; anything when empty.
    issuer: String,
    /// What `aud` must hold; anything when empty.
    audience: String,
    /// The claim that is the user's name.
    user_claim: String,
}

#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    material: Material,
}

enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa { .. } => "Rsa",
            Self::P256(_) => "P256",
            Self::P384(_) => "P384",
            Self::Ed25519(_) => "Ed25519",
        })
    }
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

impl Issuer {
    /// From the text of a JWK Set. Keys of other kinds are passed over.
    ///
    /// # Errors
    /// It is none, or holds no key that can be used.
    pub(crate) fn new(
        jwks: &str,
        issuer: &str,
        audience: &str,
        user_claim: &str,
    ) -> Result<Self, String> {
        let known = Self::without_keys(issuer, audience, user_claim);
        known.set_keys(jwks)?;
        Ok(known)
    }

    /// One whose keys are not known yet: it lets nobody in.
    pub(super) fn without_keys(issuer: &str, audience: &str, user_claim: &str) -> Self {
        let [issuer, audience, user_claim] = [issuer, audience, user_claim].map(str::to_owned);
        let (keys, missed) = (RwLock::default(), Arc::default());
        Self { keys, missed, issuer, audience, user_claim }
    }

    /// Other keys from now on.
    ///
    /// # Errors
    /// As for `new`; the keys before stay.
    pub(super) fn set_keys(&self, jwks: &str) -> Result<(), String> {
        let set: Set =
            serde_json::from_str(jwks).map_err(|error| format!("no JWK Set: {error}"))?;
        let keys: Vec<Key> = set.keys.into_iter().filter_map(key).collect();
        if keys.is_empty() {
            return Err("no key that can be used: expected kty RSA, EC (P-256, P-384) or OKP \
                        (Ed25519)"
                .to_owned());
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    pub(super) fn check(&self, token: &str, now_ms: u64) -> Result<Claims, NotValid> {
        if token.len() > TOKEN_MAX_BYTES {
            return Err(NotValid("too long"));
        }
        let mut parts = token.split('.');
        let (Some(head), Some(body), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotValid("not of three parts"));
        };
        let read = |part: &str| BASE64URL.decode(part.as_bytes()).map_err(|_| NotValid("base64"));
        let parsed: Head = serde_json::from_slice(&read(head)?).map_err(|_| NotValid("header"))?;
        if parsed.crit.is_some() {
            return Err(NotValid("critical extension"));
        }
        let signed = &token.as_bytes()[..head.len() + 1 + body.len()];
        let signature = read(signature)?;
        self.verify(&parsed, signed, &signature)?;
        let claims = serde_json::from_slice(&read(body)?).map_err(|_| NotValid("claims"))?;
        self.judge(&claims, now_ms)
    }

    fn verify(&self, head: &Head, signed: &[u8], signature: &[u8]) -> Result<(), NotValid> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let mut fitting =
            keys.iter().filter(|key| head.kid.is_none() || key.id == head.kid).peekable();
        if fitting.peek().is_none() {
            self.missed.notify_one();
            return Err(NotValid(UNKNOWN_KEY));
        }
        let verified = fitting.any(|key| key.verifies(&head.alg, signed, signature));
        if verified { Ok(()) } else { Err(NotValid("signature")) }
    }

    fn judge(&self, claims: &serde_json::Value, now_ms: u64) -> Result<Claims, NotValid> {
        let text = |name: &str| claims.get(name).and_then(serde_json::Value::as_str);
        let time_ms = |name: &str| {
            let seconds = claims.get(name)?.as_f64().filter(|it| it.is_finite() && *it >= 0.0)?;
            Some((seconds * 1000.0) as u64)
        };
        if !self.issuer.is_empty() && text("iss") != Some(&self.issuer) {
            return Err(NotValid("issuer"));
        }
        if !self.audience.is_empty() && !is_for(claims.get("aud"), &self.audience) {
            return Err(NotValid("audience"));
        }
        let expires_at_ms = time_ms("exp").ok_or(NotValid("without an end"))?;
        if now_ms >= expires_at_ms.saturating_add(LEEWAY_MS) {
            return Err(NotValid("over"));
        }
        let begins = ["nbf", "iat"].into_iter().filter_map(time_ms).max().unwrap_or(0);
        if begins > now_ms.saturating_add(LEEWAY_MS) {
            return Err(NotValid("not yet"));
        }
        let user = text(&self.user_claim).filter(|user| !user.is_empty() && user.len() <= 1024);
        let user = user.ok_or(NotValid("without a user"))?.to_owned();
        Ok(Claims { user, expires_at_ms: expires_at_ms.saturating_add(LEEWAY_MS) })
    }
}

fn is_for(audience: Option<&serde_json::Value>, wanted: &str) -> bool {
    match audience {
        Some(serde_json::Value::String(one)) => one == wanted,
        Some(serde_json::Value::Array(all)) => all.iter().any(|one| one.as_str() == Some(wanted)),
        _ => false,
    }
}

fn key(value: serde_json::Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
        return None;
    }
    let read = |text: &str| BASE64URL.decode(text.as_bytes()).ok().filter(|it| !it.is_empty());
    let point = |len: usize| {
        let (x, y) = (read(&jwk.x)?, read(&jwk.y)?);
        (x.len() == len && y.len() == len).then(|| [&[4], &x[..], &y[..]].concat())
    };
    let material = match (jwk.kty.as_str(), jwk.crv.as_str()) {
        ("RSA", _) => Material::Rsa { modulus: read(&jwk.n)?, exponent: read(&jwk.e)? },
        ("EC", "P-256") => Material::P256(point(32)?),
        ("EC", "P-384") => Material::P384(point(48)?),
        ("OKP", "Ed25519") => Material::Ed25519(read(&jwk.x)?),
        _ => return None,
    };
    Some(Key { id: jwk.kid, algorithm: jwk.alg, material })
}

impl Key {
    fn verifies(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
        if self.algorithm.as_deref().is_some_and(|own| own != algorithm) {
            return false;
        }
        let plain = |how: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(how, key).verify(signed, signature).is_ok()
        };
        match (&self.material, algorithm) {
            (Material::Rsa { modulus, exponent }, _) => {
                let how = match algorithm {
                    "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
                    "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
                    "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
                    "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
                    _ => return false,
                };
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(how, signed, signature).is_ok()
            }
            (Material::P256(key), "ES256") => plain(&signature::ECDSA_P256_SHA256_FIXED, key),
            (Material::P384(key), "ES384") => plain(&signature::ECDSA_P384_SHA384_FIXED, key),
            (Material::Ed25519(key), "EdDSA") => plain(&signature::ED25519, key),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
