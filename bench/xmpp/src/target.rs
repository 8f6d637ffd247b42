//! Where the server is, and who logs in.

use crate::Failure;

/// A server, and the accounts that it has for us: `PREFIX0`, `PREFIX1` and so on, with one password.
#[derive(Clone, Debug)]
pub struct Target {
    /// Host and port.
    pub authority: String,
    /// The path of the WebSocket.
    pub path: String,
    /// The domain.
    pub domain: String,
    /// What the names of accounts begin with.
    pub prefix: String,
    /// The password of all of them.
    pub password: String,
}

impl std::str::FromStr for Target {
    type Err = Failure;

    /// `ws://PREFIX:PASSWORD@HOST:PORT/PATH`; the domain is `localhost`.
    fn from_str(url: &str) -> Result<Self, Failure> {
        let rest = url.strip_prefix("ws://").ok_or("a URL begins with ws://")?;
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, authority) = place.rsplit_once('@').ok_or("a URL has a login")?;
        let (prefix, password) = login.split_once(':').ok_or("a login has a password")?;
        Ok(Self {
            authority: authority.to_owned(),
            path: format!("/{path}"),
            domain: "localhost".to_owned(),
            prefix: prefix.to_owned(),
            password: password.to_owned(),
        })
    }
}

impl Target {
    /// The name of an account.
    #[must_use]
    pub fn user(&self, number: usize) -> String {
        format!("{}{number}", self.prefix)
    }

    /// Its address.
    #[must_use]
    pub fn jid(&self, number: usize) -> String {
        format!("{}@{}", self.user(number), self.domain)
    }
}
