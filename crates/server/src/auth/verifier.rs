//! What is stored instead of a password: Argon2id in the PHC string format.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use std::sync::OnceLock;

/// Makes the verifier of a password, with a new salt.
///
/// # Errors
/// The system gave no randomness.
pub(crate) fn of_password(password: &str) -> Result<String, String> {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|error| error.to_string())
}

/// Whether `password` is the one that `verifier` was made of. Slow on purpose.
pub(crate) fn verify(password: &[u8], verifier: &str) -> bool {
    PasswordHash::new(verifier)
        .is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

/// Whether the text is a verifier that [`verify`] can use.
pub(crate) fn is_verifier(text: &str) -> bool {
    PasswordHash::new(text).is_ok_and(|hash| {
        hash.algorithm.as_str().starts_with("argon2") && hash.salt.is_some() && hash.hash.is_some()
    })
}

/// A verifier that no one knows the password of, to spend the same time on unknown users.
pub(super) fn of_nobody() -> &'static str {
    static NOBODY: OnceLock<String> = OnceLock::new();
    NOBODY.get_or_init(|| of_password(&crate::entropy::password()).unwrap_or_default())
}
