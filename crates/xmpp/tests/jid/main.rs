//! Addresses: the examples of RFC 7622, and what holds for all of them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also outside #[test]")]

mod escapes;
mod examples;
mod properties;
