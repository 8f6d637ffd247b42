//! Which broker a client verb talks to, and as whom.

use super::exit::{Code, Failure};
use clap::{Args, ValueEnum};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use wharf_client::{Protocol, Tls};

/// Arguments of every verb that is a client.
#[derive(Args, Clone)]
pub(super) struct Target {
    /// The broker; or environment WHARF_URL. ws, wss, amqp or amqps; or xmpp: and a domain, which is
    /// asked by HTTPS where its WebSocket is.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// What to speak; without it, mbws to ws and wss, amqp to amqp and amqps, xmpp to xmpp.
    #[arg(long, value_name = "PROTOCOL")]
    protocol: Option<Speak>,
    /// XMPP: the domain of the service, if it is not the host of the URL.
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Login name; or environment WHARF_USER, or part of the URL. The password comes from
    /// --password-file, environment WHARF_PASSWORD, or the URL.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// File whose first line is the password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Trust the certificates in this PEM file, and no others.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Trust any certificate: whoever is in between can read and change everything.
    #[arg(long, conflicts_with = "ca_file")]
    insecure: bool,
    /// Give up after so many seconds (exit code 124).
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

/// A protocol, as the command line has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Speak {
    /// MBWS: stored once and received once, whatever breaks.
    Mbws,
    /// AMQP 1.0: at least once, and what may be a repetition says so.
    Amqp,
    /// XMPP: stored once and received once, like MBWS; `xmpp:NAME@HOST` is a person.
    Xmpp,
}

impl From<Speak> for Protocol {
    fn from(speak: Speak) -> Self {
        match speak {
            Speak::Mbws => Self::Mbws,
            Speak::Amqp => Self::Amqp,
            Speak::Xmpp => Self::Xmpp,
        }
    }
}

impl fmt::Display for Speak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mbws => "mbws",
            Self::Amqp => "amqp",
            Self::Xmpp => "xmpp",
        })
    }
}

/// Where `wharf serve` listens unless it is told otherwise.
const URL_DEFAULT: &str = "ws://127.0.0.1:8080/ws";

/// A broker, and a login if there is one.
#[derive(Clone)]
pub(super) struct Resolved {
    /// Without userinfo.
    pub(super) url: String,
    pub(super) speak: Speak,
    pub(super) host: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) tls: Tls,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").finish_non_exhaustive()
    }
}

impl Target {
    /// How long the verb may take.
    pub(super) fn timeout(&self) -> Option<Duration> {
        self.timeout.map(Duration::from_secs)
    }

    /// Puts the pieces together: arguments before the URL's own, the environment last.
    pub(super) fn resolve(&self) -> Result<Resolved, Failure> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let url = self.url.clone().or_else(|| variable("WHARF_URL"));
        let (url, of_url) =
            split_userinfo(url.as_deref().unwrap_or(URL_DEFAULT)).ok_or_else(|| {
                Failure::new(
                    Code::Usage,
                    "the URL begins with ws://, wss://, amqp://, amqps:// or xmpp:",
                )
            })?;
        let speak = speak(&url, self.protocol)?;
        let (url_user, url_password) = of_url.unzip();
        let read = |path: &PathBuf| {
            std::fs::read(path)
                .map_err(|error| Failure::new(Code::Failed, format!("{}: {error}", path.display())))
        };
        let tls = match &self.ca_file {
            Some(path) => Tls::Roots(read(path)?),
            None if self.insecure => Tls::Insecure,
            None => Tls::PublicRoots,
        };
        let password_file = self.password_file.as_ref().map(read).transpose()?;
        let password_of_file = password_file.map(|bytes| {
            let text = String::from_utf8_lossy(&bytes);
            text.lines().next().unwrap_or_default().to_owned()
        });
        Ok(Resolved {
            url,
            speak,
            host: self.host.clone(),
            user: self.user.clone().or(url_user).or_else(|| variable("WHARF_USER")),
            password: password_of_file
                .or(url_password.flatten())
                .or_else(|| variable("WHARF_PASSWORD")),
            tls,
        })
    }
}

/// What to speak to a URL.
fn speak(url: &str, asked: Option<Speak>) -> Result<Speak, Failure> {
    let websocket = url.starts_with("ws");
    match asked {
        None | Some(Speak::Xmpp) if url.starts_with("xmpp:") => Ok(Speak::Xmpp),
        Some(asked @ (Speak::Mbws | Speak::Xmpp)) if !websocket => {
            let what = format!("{asked} needs a URL that begins with ws:// or wss://");
            Err(Failure::new(Code::Usage, what))
        }
        Some(Speak::Amqp) if url.starts_with("xmpp:") => {
            Err(Failure::new(Code::Usage, "a URL that begins with xmpp: is for --protocol xmpp"))
        }
        Some(asked) => Ok(asked),
        None if websocket => Ok(Speak::Mbws),
        None => Ok(Speak::Amqp),
    }
}

/// `ws://user:password@host/` without the userinfo, and the userinfo.
type Split = (String, Option<(String, Option<String>)>);

fn split_userinfo(url: &str) -> Option<Split> {
    if let Some(domain) = url.strip_prefix("xmpp:") {
        let (user, domain) = domain.split_once('@').unwrap_or(("", domain));
        let user = (!user.is_empty()).then(|| (decode(user), None));
        return Some((format!("xmpp:{domain}"), user));
    }
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(scheme, "ws" | "wss" | "amqp" | "amqps") {
        return None;
    }
    let authority = rest.split(['/', '?']).next()?;
    let Some((userinfo, host)) = authority.rsplit_once('@') else {
        return Some((url.to_owned(), None));
    };
    let tail = rest.get(authority.len()..)?;
    let userinfo = match userinfo.split_once(':') {
        Some((user, password)) => (decode(user), Some(decode(password))),
        None => (decode(userinfo), None),
    };
    Some((format!("{scheme}://{host}{tail}"), Some(userinfo)))
}

/// Percent-decoding; what is no escape stays as it is.
pub(super) fn decode(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escape = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let octet = escape.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, octet) {
            (b'%', Some(octet)) => {
                decoded.push(octet);
                rest = &after[2..];
            }
            _ => {
                decoded.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Speak, speak, split_userinfo};

    #[test]
    fn userinfo_leaves_the_url() {
        let some = |url: &str, user: &str, password: Option<&str>| {
            Some((url.to_owned(), Some((user.to_owned(), password.map(str::to_owned)))))
        };
        assert_eq!(split_userinfo("ws://a/ws?x=1"), Some(("ws://a/ws?x=1".to_owned(), None)));
        assert_eq!(split_userinfo("wss://u:p@a:1/ws"), some("wss://a:1/ws", "u", Some("p")));
        assert_eq!(split_userinfo("ws://u@a"), some("ws://a", "u", None));
        assert_eq!(split_userinfo("ws://u%40x:p%3a%zz@a/"), some("ws://a/", "u@x", Some("p:%zz")));
        assert_eq!(split_userinfo("amqps://u:p@a:1"), some("amqps://a:1", "u", Some("p")));
        assert_eq!(split_userinfo("xmpp:ada@a"), some("xmpp:a", "ada", None));
        assert_eq!(split_userinfo("xmpp:a:1"), Some(("xmpp:a:1".to_owned(), None)));
        assert_eq!(split_userinfo("http://a"), None);
    }

    #[test]
    fn the_url_says_what_to_speak_unless_one_is_told() {
        let table = [
            ("ws://a", None, Some(Speak::Mbws)),
            ("wss://a", Some(Speak::Amqp), Some(Speak::Amqp)),
            ("amqp://a", None, Some(Speak::Amqp)),
            ("amqps://a", Some(Speak::Amqp), Some(Speak::Amqp)),
            ("amqp://a", Some(Speak::Mbws), None),
            ("wss://a", Some(Speak::Xmpp), Some(Speak::Xmpp)),
            ("amqps://a", Some(Speak::Xmpp), None),
            ("xmpp:a", None, Some(Speak::Xmpp)),
            ("xmpp:a", Some(Speak::Mbws), None),
            ("xmpp:a", Some(Speak::Amqp), None),
        ];
        for (url, asked, expected) in table {
            assert_eq!(speak(url, asked).ok(), expected, "{url}");
        }
    }
}
