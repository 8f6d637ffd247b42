//! SCRAM between the messages: what the server has to remember.

use super::{Failure, Question, Settings};
use crate::binding::ChannelBinding;
use crate::hash::Hash;
use crate::keys::ScramKeys;
use crate::plain::text;
use crate::scram::{ClientFinal, ClientFirst, Flag, ServerFinal, ServerFirst, bound};
use crate::violation::Violation;
use subtle::ConstantTimeEq;

/// The first message is here; the keys are asked for.
#[derive(Debug)]
pub(super) struct Asked {
    hash: Hash,
    first: ClientFirst,
    /// What `c=` has to be.
    binding: String,
}

impl Asked {
    pub(super) fn new(
        hash: Hash,
        plus: bool,
        response: &[u8],
        bindings: &[ChannelBinding],
    ) -> Result<Self, Violation> {
        let first = ClientFirst::parse(text(response)?)?;
        let binding = judge(&first.flag, plus, bindings)?;
        let binding = bound(&first.header, binding);
        Ok(Self { hash, first, binding })
    }

    pub(super) fn hash(&self) -> Hash {
        self.hash
    }

    pub(super) fn question(&self) -> Question {
        Question::ScramKeys { user: self.first.user.clone(), hash: self.hash }
    }

    /// The challenge, which is of the same form whether there is such a user or not. The keys of
    /// nobody are made up in either case, so that it takes the same time.
    pub(super) fn challenge(
        self,
        keys: Option<ScramKeys>,
        settings: &Settings,
    ) -> (Proving, Vec<u8>) {
        let decoy = ScramKeys::decoy(self.hash, &settings.decoy_key, &self.first.user);
        let exists = keys.is_some();
        let keys = keys.unwrap_or(decoy);
        let nonce = format!("{}{}", self.first.nonce, settings.nonce.as_str());
        let server_first = ServerFirst::write(&nonce, keys.salt(), keys.iterations());
        let challenge = server_first.clone().into_bytes();
        let proving =
            Proving { first: self.first, binding: self.binding, exists, keys, nonce, server_first };
        (proving, challenge)
    }
}

/// RFC 5802, section 6: the binding that the flag asks for, if it may.
fn judge<'a>(
    flag: &Flag,
    plus: bool,
    bindings: &'a [ChannelBinding],
) -> Result<Option<&'a ChannelBinding>, Violation> {
    match flag {
        Flag::Bound(_) if !plus => Err(Violation::BindingUnexpected),
        Flag::Bound(name) => {
            let found = bindings.iter().find(|binding| binding.name() == name);
            found.map(Some).ok_or(Violation::BindingUnknown)
        }
        // A client that takes the name of the mechanism for granted and can bind nothing says so,
        // and proves that it was not changed on the way: that is SCRAM without binding.
        Flag::Unable if plus => Ok(None),
        Flag::NotOffered if plus => Err(Violation::BindingMissing),
        Flag::NotOffered if !bindings.is_empty() => Err(Violation::Downgrade),
        Flag::Unable | Flag::NotOffered => Ok(None),
    }
}

/// The challenge is sent; the proof is awaited.
#[derive(Debug)]
pub(super) struct Proving {
    first: ClientFirst,
    binding: String,
    exists: bool,
    keys: ScramKeys,
    /// Both parts.
    nonce: String,
    server_first: String,
}

/// The client knows the password.
pub(super) struct Proved {
    pub(super) user: String,
    pub(super) authzid: Option<String>,
    pub(super) additional: Vec<u8>,
}

impl Proving {
    pub(super) fn prove(self, response: &[u8]) -> Result<Proved, Failure> {
        let last = ClientFinal::parse(text(response)?, self.keys.hash())?;
        if !same(last.binding, &self.binding) {
            return Err(Violation::BindingMismatch.into());
        }
        if !same(last.nonce, &self.nonce) {
            return Err(Violation::NonceMismatch.into());
        }
        let (bare, first) = (self.first.bare.as_bytes(), self.server_first.as_bytes());
        let messages = [bare, b",", first, b",", last.without_proof.as_bytes()];
        let proved = self.keys.is_proved_by(&last.proof, &messages);
        if !(proved & self.exists) {
            return Err(Failure::Denied);
        }
        let signature = self.keys.server_signature(&messages);
        Ok(Proved {
            user: self.first.user,
            authzid: self.first.authzid,
            additional: ServerFinal::write(&signature),
        })
    }
}

fn same(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}
