//! The client's side of streams: as traces of the protocol, and against the server's side.

#![allow(clippy::disallowed_methods, reason = "an instant to begin with")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also outside #[test]")]

mod login;
mod meet;
mod session;
mod trace;
