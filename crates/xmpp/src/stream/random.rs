//! Identifiers out of the seed of a connection.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use std::fmt;
use wharf_sasl::Nonce;

/// Draws what cannot be guessed by whoever does not know the seed, and never the same twice.
pub(crate) struct Random {
    seed: [u8; 32],
    drawn: u64,
}

impl Random {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    fn draw(&mut self) -> [u8; 32] {
        self.drawn = self.drawn.wrapping_add(1);
        let mut hash = Sha256::new();
        hash.update(b"wharf-xmpp");
        hash.update(self.seed);
        hash.update(self.drawn.to_be_bytes());
        hash.finalize().into()
    }

    /// 120 bits in letters that any attribute and any resourcepart takes.
    // XWS-034.
    pub(crate) fn token(&mut self) -> String {
        let drawn = self.draw();
        BASE64URL_NOPAD.encode(drawn.get(..15).unwrap_or(&drawn))
    }

    pub(crate) fn nonce(&mut self) -> Nonce {
        Nonce::from_seed(&self.draw())
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Random").finish_non_exhaustive()
    }
}
