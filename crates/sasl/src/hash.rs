//! The hash functions of SCRAM, and the three functions RFC 5802 builds on them.

use hmac::digest::{Digest, common::Key};
use hmac::{Hmac, KeyInit, Mac};
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// A hash function of SCRAM, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hash {
    /// SHA-1, which RFC 5802 demands of everyone.
    Sha1,
    /// SHA-256 (RFC 7677).
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// Every hash, weakest first.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// Length of a digest, and so of every key, proof and signature.
    pub const fn octets(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The iteration count of new keys.
    ///
    /// A login costs the client so many HMACs, and the server nothing. There are clients that
    /// compute them in JavaScript, at some 10,000 a second; to those, more would be no login. Who
    /// steals the keys attacks the cheapest of them, so that no hash has a higher count.
    // docs/decisions/0013-what-a-login-costs-a-client.md
    pub const fn iterations(self) -> u32 {
        match self {
            Self::Sha1 | Self::Sha256 | Self::Sha512 => 10_000,
        }
    }

    /// `H(data)`.
    pub(crate) fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    /// `HMAC(key, parts)`. The key is at most one block of the hash, as every digest is.
    pub(crate) fn mac(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Sha1 => mac::<Hmac<Sha1>>(key, parts),
            Self::Sha256 => mac::<Hmac<Sha256>>(key, parts),
            Self::Sha512 => mac::<Hmac<Sha512>>(key, parts),
        }
    }

    /// `Hi(password, salt, iterations)`: slow on purpose.
    pub(crate) fn stretch(self, password: &[u8], salt: &[u8], iterations: u32) -> Vec<u8> {
        let mut stretched = vec![0; self.octets()];
        let derive = match self {
            Self::Sha1 => pbkdf2_hmac::<Sha1>,
            Self::Sha256 => pbkdf2_hmac::<Sha256>,
            Self::Sha512 => pbkdf2_hmac::<Sha512>,
        };
        derive(password, salt, iterations, &mut stretched);
        stretched
    }
}

/// HMAC fills a short key with zeros itself, so filling it here is the same, and cannot fail.
fn mac<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut block = Key::<M>::default();
    debug_assert!(key.len() <= block.len());
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = <M as KeyInit>::new(&block);
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}
