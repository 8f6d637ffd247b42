//! Stanzas: what is read in them, and stanzas out of stanzas.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also outside #[test]")]

mod errors;
mod reading;
mod rewriting;
