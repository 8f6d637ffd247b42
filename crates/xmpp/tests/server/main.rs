//! The server's side of streams, as traces of the protocol.

#![allow(clippy::disallowed_methods, reason = "an instant to begin with")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also outside #[test]")]

mod binding;
mod closing;
mod flow;
mod framing;
mod hostile;
mod login;
mod login2;
mod managing;
mod opening;
mod scram;
mod timers;
mod trace;
