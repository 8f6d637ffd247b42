//! Which of the offered mechanisms to take.

use super::{Credentials, Settings};
use crate::mechanism::Mechanism;

/// The strongest mechanism that the server offers and the settings allow. `None`: there is none,
/// and weaker ones are not tried in its place.
pub fn choose<N: AsRef<str>>(
    offered: impl IntoIterator<Item = N>,
    settings: &Settings,
) -> Option<Mechanism> {
    let known = offered.into_iter().filter_map(|name| Mechanism::from_name(name.as_ref()));
    known.filter(|&mechanism| is_allowed(mechanism, settings)).max()
}

pub(super) fn is_allowed(mechanism: Mechanism, settings: &Settings) -> bool {
    let for_password = matches!(settings.credentials, Credentials::Password { .. });
    match mechanism {
        Mechanism::Anonymous => matches!(settings.credentials, Credentials::Anonymous { .. }),
        Mechanism::OAuthBearer => matches!(settings.credentials, Credentials::Token { .. }),
        Mechanism::External => settings.credentials == Credentials::External,
        Mechanism::Plain | Mechanism::Scram(_) => for_password && mechanism >= settings.weakest,
        // RFC 5802, section 6: who can bind must, where it is offered.
        Mechanism::ScramPlus(_) => {
            for_password && mechanism >= settings.weakest && settings.channel_binding.is_some()
        }
    }
}
