//! XMPP over WebSocket (RFC 7395) as an engine without IO.
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

pub mod jid;
pub mod limits;
pub mod ns;
pub mod stanza;
mod stream_error;
pub mod xml;

pub use stream_error::{StreamCondition, StreamError};
