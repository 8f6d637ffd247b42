//! AMQP 1.0 (OASIS Standard, 29 October 2012) as an engine without IO.
//!
//! "AMQP 2.7.5" beside a line is the section of the standard that the line follows.
//!
//! | module | what it owns |
//! |---|---|
//! | [`value`], [`tag`] | any AMQP value; binary of at most 32 octets, kept inline |
//! | [`codec`] | how values and composites are written and read (part 1) |
//! | [`frame`] | protocol headers and frame headers (2.2, 2.3) |
//! | [`performative`], [`condition`] | the nine bodies of AMQP frames, and the errors in them (2.7, 2.8) |
//! | [`messaging`] | sources, targets, delivery states, and the sections of a message (part 3) |
//! | [`transaction`] | what is said to a coordinator (part 4) |
//! | [`sasl_frame`] | the five bodies of SASL frames (5.3) |
//! | [`engine`] | one connection: sessions, links, deliveries, either side of it (part 2) |
//! | [`limits`] | what a peer may make this side read or keep |
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

pub mod codec;
pub mod condition;
pub mod engine;
pub mod frame;
pub mod limits;
pub mod messaging;
pub mod performative;
pub mod sasl_frame;
pub mod tag;
pub mod transaction;
pub mod value;
