//! Addresses: the examples of RFC 7622, and what holds for all of them.

mod escapes;
mod examples;
mod properties;
