//! What is stored instead of a password, as one line of text:
//!
//! ```text
//! $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH SCRAM-SHA-1$10000:SALT$KEY:KEY SCRAM-SHA-256$… SCRAM-SHA-512$…
//! ```
//!
//! Words with one space between them. The first, in the PHC string format, checks a password that is
//! sent (HTTP Basic, PLAIN). The others, in the form of RFC 5803, are the keys of SCRAM; there may be
//! any of them, or none: older verifiers have none, and neither has a password that SASLprep
//! refuses. Where there are keys, the first word too is made of the prepared password (RFC 4616,
//! section 2), else of the password as it was given.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use std::sync::OnceLock;
use wharf_sasl::{Hash, ScramKeys, Use, saslprep};

/// Makes the verifier of a password, with new salts. Slow on purpose.
///
/// # Errors
/// The system gave no randomness.
pub(crate) fn of_password(password: &str) -> Result<String, String> {
    let Some(prepared) = saslprep(password, Use::Stored) else {
        return argon2_of(password);
    };
    let mut words = vec![argon2_of(&prepared)?];
    for hash in Hash::ALL {
        let keys = ScramKeys::of_password(hash, &prepared, crate::entropy::bytes());
        words.extend(keys.map(|keys| keys.to_text()));
    }
    Ok(words.join(" "))
}

fn argon2_of(password: &str) -> Result<String, String> {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|error| error.to_string())
}

/// Whether `password` is the one that `verifier` was made of. Slow on purpose.
pub(crate) fn verify(password: &[u8], verifier: &str) -> bool {
    let (argon2, keys) = verifier.split_once(' ').unwrap_or((verifier, ""));
    let text = std::str::from_utf8(password).ok().filter(|_| !keys.is_empty());
    let prepared = text.and_then(|text| saslprep(text, Use::Query));
    // What cannot be prepared is wrong, which must take as long as any other wrong password.
    let password = prepared.as_ref().map_or(password, |prepared| prepared.as_bytes());
    PasswordHash::new(argon2)
        .is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

/// Whether `verifier` is all that [`of_password`] would make of `password`.
pub(crate) fn is_current(password: &str, verifier: &str) -> bool {
    let keys = scram_keys(verifier);
    let complete = Hash::ALL.iter().all(|&hash| keys.iter().any(|keys| keys.hash() == hash));
    (complete || saslprep(password, Use::Stored).is_none()) && verify(password.as_bytes(), verifier)
}

/// The keys in the verifier. Words that are none are passed over.
pub(crate) fn scram_keys(verifier: &str) -> Vec<ScramKeys> {
    verifier.split(' ').skip(1).filter_map(ScramKeys::parse).collect()
}

/// Whether the text is a verifier in all its words.
pub(crate) fn is_verifier(text: &str) -> bool {
    let mut words = text.split(' ');
    let argon2 = words.next().unwrap_or_default();
    let sound = PasswordHash::new(argon2).is_ok_and(|hash| {
        hash.algorithm.as_str().starts_with("argon2") && hash.salt.is_some() && hash.hash.is_some()
    });
    sound && words.all(|word| ScramKeys::parse(word).is_some())
}

/// A verifier that no one knows the password of, to spend the same time on unknown users.
pub(super) fn of_nobody() -> &'static str {
    static NOBODY: OnceLock<String> = OnceLock::new();
    NOBODY.get_or_init(|| argon2_of(&crate::entropy::password()).unwrap_or_default())
}
