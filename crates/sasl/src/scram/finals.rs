//! The two final messages.

use super::{expect, ignore};
use crate::hash::Hash;
use crate::keys::decode;
use crate::violation::Violation;
use data_encoding::BASE64;

/// `client-final-message`.
#[derive(Debug)]
pub(crate) struct ClientFinal<'a> {
    /// The value of `c=`, still in base64.
    pub(crate) binding: &'a str,
    pub(crate) nonce: &'a str,
    /// `client-final-message-without-proof`: what is signed.
    pub(crate) without_proof: &'a str,
    pub(crate) proof: Vec<u8>,
}

impl<'a> ClientFinal<'a> {
    pub(crate) fn parse(message: &'a str, hash: Hash) -> Result<Self, Violation> {
        let (without_proof, proof) = message.rsplit_once(',').unwrap_or((message, ""));
        let proof = expect(Some(proof), 'p')?;
        let mut fields = without_proof.split(',');
        let binding = expect(fields.next(), 'c')?;
        let nonce = expect(fields.next(), 'r')?;
        ignore(fields)?;
        let proof = read_digest(proof, hash)?;
        Ok(Self { binding, nonce, without_proof, proof })
    }

    pub(crate) fn write_without_proof(binding: &str, nonce: &str) -> String {
        format!("c={binding},r={nonce}")
    }

    pub(crate) fn write(without_proof: &str, proof: &[u8]) -> Vec<u8> {
        format!("{without_proof},p={}", BASE64.encode(proof)).into_bytes()
    }
}

/// `server-final-message`.
#[derive(Debug)]
pub(crate) enum ServerFinal<'a> {
    Signature(Vec<u8>),
    Error(&'a str),
}

impl<'a> ServerFinal<'a> {
    pub(crate) fn parse(message: &'a str, hash: Hash) -> Result<Self, Violation> {
        let mut fields = message.split(',');
        let first = fields.next();
        let parsed = match first.and_then(|field| field.strip_prefix("e=")) {
            Some("") => return Err(Violation::Attribute),
            Some(error) => Self::Error(error),
            None => Self::Signature(read_digest(expect(first, 'v')?, hash)?),
        };
        ignore(fields)?;
        Ok(parsed)
    }

    pub(crate) fn write(signature: &[u8]) -> Vec<u8> {
        format!("v={}", BASE64.encode(signature)).into_bytes()
    }
}

/// A proof or a signature: base64 of exactly one digest.
fn read_digest(text: &str, hash: Hash) -> Result<Vec<u8>, Violation> {
    let octets = decode(text, hash.octets()).filter(|octets| octets.len() == hash.octets());
    octets.ok_or(Violation::ProofEncoding)
}
