//! Randomness of the operating system: seeds, keys and the first password.

/// Letters and digits that are not mistaken for each other.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// `N` random bytes.
///
/// # Panics
/// When the operating system has no randomness to give: nothing that needs a secret can go on.
#[expect(clippy::expect_used, reason = "there is nothing safe to do without randomness")]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// A password of 100 bits, easy to read out.
pub(crate) fn password() -> String {
    let random: [u8; 20] = bytes();
    random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}
