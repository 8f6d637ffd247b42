//! SASL exchanges as a machine without IO, client and server: ANONYMOUS (RFC 4505), PLAIN
//! (RFC 4616), EXTERNAL (RFC 4422, appendix A), OAUTHBEARER (RFC 7628) and SCRAM with SHA-1, SHA-256 and SHA-512, with and
//! without channel binding (RFC 5802, RFC 7677, RFC 9266).
//!
//! The protocol on top (AMQP, XMPP) names the mechanism and carries the octets; this crate knows
//! neither. No mechanism here has a security layer, so nothing is wrapped afterwards (WSB-021).
//!
//! # Map
//! - [`Mechanism`]: names, and their order of strength.
//! - [`server::Exchange`]: from the client's first message to [`server::Done`]. What only the user
//!   database knows is asked with a [`server::Question`].
//! - [`client::choose`] and [`client::Exchange`]: the other side, which also makes the server prove
//!   itself.
//! - [`ScramKeys`]: what is stored instead of a password.
//! - [`saslprep`]: when two names or passwords are the same.
//! - [`Violation`]: everything the peer can do wrong.
//!
//! Inside: `scram` is the grammar of RFC 5802 in both directions, `plain` that of RFC 4616, `bearer` that
//! of RFC 7628.
//!
//! ```
//! use wharf_sasl::server::{Answer, Exchange, Question, Settings, Step};
//! use wharf_sasl::{Mechanism, Nonce};
//!
//! let settings = Settings::new(Nonce::from_seed(&[0; 32]), [0; 32]);
//! let mut exchange = Exchange::new(Mechanism::Plain, settings);
//! let Step::Ask(question) = exchange.step(Some(b"\0tim\0tanstaaftanstaaf")) else { panic!() };
//! let Question::Password { user, password } = question else { panic!() };
//! assert_eq!((user.as_str(), password.as_str()), ("tim", "tanstaaftanstaaf"));
//!
//! let Step::Done(done) = exchange.answer(Answer::Is { user })? else { panic!() };
//! assert_eq!(done.user, "tim");
//! # Ok::<(), wharf_sasl::Misuse>(())
//! ```
//!
//! # What does not happen
//! No input panics, or makes more than the few kilobytes of [`limits`]. Secrets are in no `Debug`
//! output. An unknown user cannot be told from a wrong password.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

mod bearer;
mod binding;
pub mod client;
mod hash;
mod keys;
pub mod limits;
mod mechanism;
mod nonce;
mod password;
mod plain;
mod prepare;
mod scram;
pub mod server;
mod violation;

pub use binding::ChannelBinding;
pub use hash::Hash;
pub use keys::ScramKeys;
pub use mechanism::Mechanism;
pub use nonce::Nonce;
pub use password::Password;
pub use prepare::{Use, saslprep};
pub use violation::{Misuse, Violation};
