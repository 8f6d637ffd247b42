//! What is stored instead of a password: enough to check a proof, and to prove oneself, but not to
//! log in anywhere (RFC 5802, section 3).

use crate::hash::Hash;
use crate::limits::SALT_MAX_BYTES;
use crate::mechanism::Mechanism;
use crate::prepare::{Use, saslprep};
use crate::violation::Misuse;
use data_encoding::BASE64;
use std::fmt;
use subtle::ConstantTimeEq;

/// The keys of one user for one hash.
///
/// The text form is that of RFC 5803: `SCRAM-SHA-256$10000:SALT$STOREDKEY:SERVERKEY`, all but the
/// name and the count in base64.
#[derive(Clone)]
pub struct ScramKeys {
    hash: Hash,
    salt: Vec<u8>,
    iterations: u32,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

impl ScramKeys {
    /// Length of the salt of new keys, and of the salts made up for unknown users.
    pub const SALT_OCTETS: usize = 16;

    /// Derives the keys of a password with [`Hash::iterations`]. Slow on purpose. The salt is
    /// random, and new for every user and hash.
    ///
    /// # Errors
    /// SASLprep refuses the password.
    pub fn of_password(
        hash: Hash,
        password: &str,
        salt: [u8; Self::SALT_OCTETS],
    ) -> Result<Self, Misuse> {
        Self::derive(hash, password, &salt, hash.iterations())
    }

    /// Derives the keys of a password with parameters that come from elsewhere.
    ///
    /// # Errors
    /// SASLprep refuses the password, the salt is empty or longer than [`SALT_MAX_BYTES`], or the
    /// iterations are 0.
    pub fn derive(
        hash: Hash,
        password: &str,
        salt: &[u8],
        iterations: u32,
    ) -> Result<Self, Misuse> {
        if salt.is_empty() || salt.len() > SALT_MAX_BYTES || iterations == 0 {
            return Err(Misuse::Parameters);
        }
        // RFC 5802, section 2.2: as a stored string.
        let password = saslprep(password, Use::Stored).ok_or(Misuse::Password)?;
        let salted = SaltedPassword::derive(hash, &password, salt, iterations);
        Ok(Self {
            hash,
            salt: salt.to_vec(),
            iterations,
            stored_key: hash.digest(&salted.client_key),
            server_key: salted.server_key,
        })
    }

    /// Keys for a user that does not exist, the same for every attempt, that no proof fits: nobody
    /// knows the client key that the stored key would be the hash of.
    pub(crate) fn decoy(hash: Hash, key: &[u8; 32], user: &str) -> Self {
        let name = Mechanism::Scram(hash).name().as_bytes();
        let make_up = |what: &[u8]| hash.mac(key, &[what, b"\0", name, b"\0", user.as_bytes()]);
        let mut salt = make_up(b"salt");
        salt.truncate(Self::SALT_OCTETS);
        Self {
            hash,
            salt,
            iterations: hash.iterations(),
            stored_key: make_up(b"stored key"),
            server_key: make_up(b"server key"),
        }
    }

    /// Reads the text form. `None`: it is none, or not of a hash known here.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('$');
        let (name, parameters, keys) = (parts.next()?, parts.next()?, parts.next()?);
        let Some(Mechanism::Scram(hash)) = Mechanism::from_name(name) else { return None };
        let (iterations, salt) = parameters.split_once(':')?;
        let (stored_key, server_key) = keys.split_once(':')?;
        let iterations = positive_number(iterations)?;
        let salt = decode(salt, SALT_MAX_BYTES).filter(|salt| !salt.is_empty())?;
        let key = |text| decode(text, hash.octets()).filter(|key| key.len() == hash.octets());
        let (stored_key, server_key) = (key(stored_key)?, key(server_key)?);
        let keys = Self { hash, salt, iterations, stored_key, server_key };
        parts.next().is_none().then_some(keys)
    }

    /// The text form. It is a secret: who has it can pretend to be the server, and guess passwords.
    pub fn to_text(&self) -> String {
        format!(
            "{}${}:{}${}:{}",
            Mechanism::Scram(self.hash).name(),
            self.iterations,
            BASE64.encode(&self.salt),
            BASE64.encode(&self.stored_key),
            BASE64.encode(&self.server_key),
        )
    }

    /// The hash the keys are for.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The iteration count the keys were made with.
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    pub(crate) fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// Whether the proof shows that the peer knows the password (RFC 5802, section 3).
    pub(crate) fn is_proved_by(&self, proof: &[u8], messages: &[&[u8]]) -> bool {
        let signature = self.hash.mac(&self.stored_key, messages);
        let client_key = xor(proof, &signature);
        let matches = self.hash.digest(&client_key).ct_eq(&self.stored_key);
        proof.len() == self.hash.octets() && bool::from(matches)
    }

    /// What proves to the client that this is the server.
    pub(crate) fn server_signature(&self, messages: &[&[u8]]) -> Vec<u8> {
        self.hash.mac(&self.server_key, messages)
    }
}

impl PartialEq for ScramKeys {
    fn eq(&self, other: &Self) -> bool {
        let secrets =
            self.stored_key.ct_eq(&other.stored_key) & self.server_key.ct_eq(&other.server_key);
        self.hash == other.hash
            && self.salt == other.salt
            && self.iterations == other.iterations
            && bool::from(secrets)
    }
}

impl Eq for ScramKeys {}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramKeys")
            .field("hash", &self.hash)
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

/// The client's half: both keys of a password.
pub(crate) struct SaltedPassword {
    hash: Hash,
    client_key: Vec<u8>,
    server_key: Vec<u8>,
}

impl SaltedPassword {
    /// Of a password that is prepared.
    pub(crate) fn derive(hash: Hash, password: &str, salt: &[u8], iterations: u32) -> Self {
        let salted = hash.stretch(password.as_bytes(), salt, iterations);
        Self {
            hash,
            client_key: hash.mac(&salted, &[b"Client Key"]),
            server_key: hash.mac(&salted, &[b"Server Key"]),
        }
    }

    pub(crate) fn proof(&self, messages: &[&[u8]]) -> Vec<u8> {
        let stored_key = self.hash.digest(&self.client_key);
        xor(&self.client_key, &self.hash.mac(&stored_key, messages))
    }

    pub(crate) fn server_signature(&self, messages: &[&[u8]]) -> Vec<u8> {
        self.hash.mac(&self.server_key, messages)
    }
}

/// `posit-number` of RFC 5802, section 7.
pub(crate) fn positive_number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || text.starts_with('0') {
        return None;
    }
    text.parse().ok()
}

/// Base64 of at most `octets_max` octets, exact to the last bit.
pub(crate) fn decode(text: &str, octets_max: usize) -> Option<Vec<u8>> {
    if text.len() > BASE64.encode_len(octets_max) {
        return None;
    }
    // Padding leaves room for up to two octets more than its length says.
    BASE64.decode(text.as_bytes()).ok().filter(|octets| octets.len() <= octets_max)
}

fn xor(left: &[u8], right: &[u8]) -> Vec<u8> {
    left.iter().zip(right).map(|(left, right)| left ^ right).collect()
}
