//! The server's side of a stream.
//!
//! How it is driven is told by [`stream`](crate::stream).
//!
//! # What the caller decides
//! - [`Event::Opening`]: whether the host is served here, and what a login may be made of.
//! - [`Event::Question`]: what the user database says.
//! - [`Event::Bind`], [`Event::Resume`], [`Event::Enable`]: which resource, which session.
//! - [`Event::Stanza`]: what becomes of a stanza. On a managed stream each has a number, and
//!   [`Connection::acknowledge`] tells that responsibility was taken; the engine says so to the
//!   client when it asks. Stanzas for the client get numbers in [`Connection::send`]; keeping them
//!   until [`Event::Handled`] is the caller's business.
//!
//! Everything else is done here: headers and features, the exchanges of SASL in both profiles, the
//! order of things, errors, closing. Pings and the empty request for a session are answered here
//! on streams that are not managed; on managed ones every stanza has a place in the caller's
//! ledger, so they come as stanzas like any other.
//!
//! | module | what it owns |
//! |---|---|
//! | `connection` | the stages of a stream, what is done with each element, its end |
//! | `opening` | headers, hosts, redirects |
//! | `features` | what is offered at each stage |
//! | `login` | SASL in both profiles (RFC 6120 section 6, XEP-0388) |
//! | `inline` | what comes with a login of the second profile (XEP-0386, XEP-0198) |
//! | `binding` | resources (RFC 6120 section 7) |
//! | `managing` | acknowledgements and resumption (XEP-0198) |
//! | `flow` | stanzas |

mod binding;
mod config;
mod connection;
mod event;
mod features;
mod flow;
mod inline;
mod login;
mod managing;
mod opening;

pub use config::{Config, Offer};
pub use connection::Connection;
pub use event::{
    Authenticated, BindRequest, EnableRequest, Event, Received, ResumeRequest, UserAgent,
};
pub use managing::Enabled;
