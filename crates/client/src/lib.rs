//! Async client of Wharf with automatic recovery
