//! How a user logs in by SASL.

use std::io;

use wharf_sasl::client::{Credentials, Failure, Settings};
use wharf_sasl::{ChannelBinding, Hash, Mechanism, Nonce};

use crate::Error;
use crate::net::Security;

/// The settings of one exchange. A password is shown only where nobody is in between, unless that
/// is allowed.
pub(crate) fn sasl(
    credentials: Credentials,
    security: Security,
    plain_without_tls: bool,
) -> Result<Settings, Error> {
    let Security { encrypted, loopback, exported } = security;
    let plain = encrypted || loopback || plain_without_tls;
    let weakest = if plain { Mechanism::Plain } else { Mechanism::Scram(Hash::Sha1) };
    Ok(Settings {
        weakest,
        channel_binding: exported.map(ChannelBinding::tls_exporter),
        ..Settings::new(credentials, Nonce::from_seed(&seed()?))
    })
}

/// Random octets for one connection.
pub(crate) fn seed() -> Result<[u8; 32], Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Error::from(io::Error::other(error)))?;
    Ok(seed)
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(_) => Error::LoginRefused,
            violation @ Failure::Violation(_) => Error::LoginFailed(violation),
        }
    }
}
