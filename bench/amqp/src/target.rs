//! Where the broker is, and who logs in.

use crate::Failure;

/// A URL of a broker.
#[derive(Clone, Debug)]
pub struct Target {
    /// Over a WebSocket, not straight on TCP.
    pub websocket: bool,
    /// Host and port.
    pub authority: String,
    /// The path of the WebSocket.
    pub path: String,
    /// Who logs in.
    pub user: String,
    /// With what.
    pub password: String,
}

impl std::str::FromStr for Target {
    type Err = Failure;

    fn from_str(url: &str) -> Result<Self, Failure> {
        let (scheme, rest) = url.split_once("://").ok_or("a URL has a scheme")?;
        let websocket = match scheme {
            "amqp" => false,
            "ws" => true,
            _ => return Err(format!("{scheme}: expected amqp or ws").into()),
        };
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, authority) = place.rsplit_once('@').unwrap_or(("", place));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let authority = match authority.rsplit_once(':') {
            Some(_) => authority.to_owned(),
            None => format!("{authority}:{}", if websocket { 80 } else { 5672 }),
        };
        Ok(Self {
            websocket,
            authority,
            path: format!("/{path}"),
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }
}
