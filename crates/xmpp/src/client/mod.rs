//! The client's side of a stream.
//!
//! How it is driven is told by [`stream`](crate::stream). A connection logs in with the strongest
//! mechanism that both sides have, resumes its earlier stream if it has one, binds a resource if it
//! does not, has the stream managed, and then tells [`Event::Online`]. With a server that has the
//! profiles of XEP-0388 and XEP-0386 all of that is one exchange.
//!
//! On a managed stream the caller keeps what it sends by the number that [`Connection::send`]
//! gives, until [`Event::Handled`]; after a resumption it sends again, in their order, those above
//! [`Online::resumed`], and they get the numbers that they had.
//!
//! | module | what it owns |
//! |---|---|
//! | `connection` | the stages of a stream, what is done with each element, its end |
//! | `login` | features, the choice of a mechanism, SASL in both profiles |
//! | `session` | resources, resumption, managed streams |
//! | `flow` | stanzas |

mod config;
mod connection;
mod event;
mod flow;
mod login;
mod session;

pub use config::{Config, Resumption};
pub use connection::Connection;
pub use event::{Event, LoginFailure, ManagedStream, Online, Received};

/// Whether a client may go where a server sends it: never from an encrypted channel to one that
/// is not.
// XWS-061.
#[must_use]
pub fn may_follow(see_other_uri: &str, secure: bool) -> bool {
    let Some((scheme, _)) = see_other_uri.split_once("://") else { return false };
    let is = |known: &str| scheme.eq_ignore_ascii_case(known);
    is("wss") || is("https") || (!secure && (is("ws") || is("http")))
}
