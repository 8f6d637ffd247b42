//! The reader of XML: what it refuses, what its view says, and the same as another reader says.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also outside #[test]")]

mod documents;
mod hostile;
mod oracle;
mod views;
mod writing;
