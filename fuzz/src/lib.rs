//! Every engine against arbitrary input.
//!
//! A target is a function `run(data)` that takes any bytes, turns them into something that could
//! happen, and panics when what comes out may not. libFuzzer calls it from `fuzz_targets/`; the
//! test `tests/corpus.rs` calls it with the inputs in `seeds/`, on the stable toolchain.
//!
//! | target | what may not happen |
//! |---|---|
//! | [`ws_handshake`] | a head read differently when it is cut; an answer that is no HTTP |
//! | [`ws_uri`] | a URI that changes when it is written and read again |
//! | [`ws_server`], [`ws_client`] | events that depend on how the input is cut; events above the limits |
//! | [`ws_roundtrip`] | what comes out is not what went in |
//! | [`amqp_decode`] | a value, a frame or a message that means something else when it is written again |
//! | [`amqp_server`], [`amqp_client`] | events or output that depend on how the input is cut; frames out of order; memory that grows |
//! | [`mbws_decode`] | a frame that means something else in another kind or unit |
//! | [`mbws_server`], [`mbws_client`] | numbers that jump, frames that the other side cannot read |
//! | [`xmpp_xml`] | a message that another reader sees otherwise; a stanza that changes on its way |
//! | [`xmpp_jid`] | an address whose enforced form is not its own |
//! | [`xmpp_server`] | output that is no XML, or comes after the end; numbers that jump |
//! | [`gateway_session`] | a client that stops the broker, or is told something invalid |
//! | [`broker_replay`] | a journal that recovery neither refuses nor understands |
//! | [`store_recovery`] | a damaged log that is read as something that was never written |
//! | [`sim_world`] | a message lost, or received twice |
//!
//! Nowhere a panic, and nowhere an allocation that the input does not warrant.
#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    reason = "a harness owns the clock that it hands to the engines"
)]

pub mod amqp_client;
pub mod amqp_decode;
mod amqp_link;
mod amqp_script;
pub mod amqp_server;
mod amqp_watch;
pub mod broker_replay;
mod cuts;
pub mod gateway_session;
pub mod mbws_client;
pub mod mbws_decode;
mod mbws_script;
pub mod mbws_server;
mod script;
pub mod sim_world;
pub mod store_recovery;
pub mod ws_client;
pub mod ws_handshake;
mod ws_link;
pub mod ws_roundtrip;
pub mod ws_server;
pub mod ws_uri;
pub mod xmpp_jid;
pub mod xmpp_server;
pub mod xmpp_xml;

/// A target: takes any input, panics on a finding.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Target); 18] = [
    ("amqp_client", amqp_client::run),
    ("amqp_decode", amqp_decode::run),
    ("amqp_server", amqp_server::run),
    ("broker_replay", broker_replay::run),
    ("gateway_session", gateway_session::run),
    ("mbws_client", mbws_client::run),
    ("mbws_decode", mbws_decode::run),
    ("mbws_server", mbws_server::run),
    ("sim_world", sim_world::run),
    ("store_recovery", store_recovery::run),
    ("ws_client", ws_client::run),
    ("ws_handshake", ws_handshake::run),
    ("ws_roundtrip", ws_roundtrip::run),
    ("ws_server", ws_server::run),
    ("ws_uri", ws_uri::run),
    ("xmpp_jid", xmpp_jid::run),
    ("xmpp_server", xmpp_server::run),
    ("xmpp_xml", xmpp_xml::run),
];
