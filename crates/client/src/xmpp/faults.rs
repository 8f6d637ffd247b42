//! Why a stream or a login ended, and whether the next one could be better.

use wharf_xmpp::client::LoginFailure;
use wharf_xmpp::stream::{Closed, Violation};

use crate::Error;

/// Why a login failed.
pub(super) fn login(failure: LoginFailure) -> Error {
    match failure {
        LoginFailure::Refused { condition, .. } => match condition.as_str() {
            // RFC 6120 6.5.11.
            "temporary-auth-failure" => Error::LoginUnavailable,
            _ => Error::LoginRefused,
        },
        LoginFailure::NoMechanism => Error::NoMechanism { offered: Vec::new() },
        LoginFailure::Exchange(failure) => failure.into(),
        LoginFailure::Settings(misuse) => Error::Credentials(misuse),
    }
}

/// Why a stream ended, if it did not end with its WebSocket alone.
pub(super) fn stream(closed: Closed) -> Option<Error> {
    let Closed { error, violation, see_other_uri, clean, .. } = closed;
    match violation {
        Some(Violation::Silent | Violation::TooSlow) => return Some(Error::Timeout),
        Some(violation) => return Some(Error::Xmpp(violation.to_string())),
        None => {}
    }
    let told = |condition: &str, description| Error::ConnectionClosed {
        condition: condition.to_owned(),
        description,
    };
    match error {
        Some(error) => Some(told(error.condition.name(), error.text.unwrap_or_default())),
        None if see_other_uri.is_some() => Some(told("", "it is elsewhere".to_owned())),
        None => clean.then(|| told("", String::new())),
    }
}
