//! Whole nodes on a seed: the real gateway and the real broker over a journal that crashes, a
//! network that splits, delays and cuts, and a clock that is a number. One seed is one history,
//! so a failure is repeated by its seed alone.
//!
//! | module | what it owns |
//! |---|---|
//! | `random` | the only source of chance |
//! | `wire` | one connection's bytes under way in both directions |
//! | `node` | a broker process: sessions, shard, journal; it can be killed and started again |
//! | `client` | an MBWS client with recovery, and what its application sent and received |
//! | `world` | who does what next, and the account at the end |
#![allow(clippy::disallowed_methods, reason = "the clock needs one real instant to count from")]

mod client;
mod node;
mod random;
mod wire;
mod world;

pub use random::Random;
pub use world::{Account, Scenario, World};
