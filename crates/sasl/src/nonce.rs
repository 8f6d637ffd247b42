//! What makes every SCRAM exchange different.

use crate::hash::Hash;
use crate::limits::NONCE_MAX_BYTES;
use data_encoding::BASE64;

/// Random octets that a nonce carries. They are a multiple of three, so base64 needs no padding.
const RANDOM_OCTETS: usize = 18;

/// One side's part of the nonce. It must be different in every exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    /// Draws a nonce from a random seed that is used for nothing else.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let mut random = Hash::Sha256.mac(seed, &[b"SCRAM nonce"]);
        random.truncate(RANDOM_OCTETS);
        Self(BASE64.encode(&random))
    }

    /// A nonce made elsewhere, if it can be sent: printable ASCII without commas.
    pub fn new(text: &str) -> Option<Self> {
        is_nonce(text).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// `printable` of RFC 5802, section 7, within the bound of one side.
pub(crate) fn is_nonce(text: &str) -> bool {
    let printable = |byte: u8| matches!(byte, 0x21..=0x2b | 0x2d..=0x7e);
    (1..=NONCE_MAX_BYTES).contains(&text.len()) && text.bytes().all(printable)
}
