//! The engine as traces of the protocol: what the peer sends, what that means, what is sent.
//!
//! A test gives the peer's frames and the caller's commands, and then states everything that came
//! of them, one line for each: `peer>` a frame of the peer, `us<` a frame of the engine, `event` what
//! the caller was told. `show` says how lines are written: fields with their default are left out.

#![allow(clippy::disallowed_methods, reason = "an instant to begin with")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also outside #[test]")]

mod closing;
mod credit;
mod detaching;
mod fragments;
mod headers;
mod links;
mod octets;
mod opening;
mod pair;
mod pair_node;
mod pair_world;
mod sasl;
mod sessions;
mod settlement;
mod show;
mod split;
mod timers;
mod trace;
mod transfers;
