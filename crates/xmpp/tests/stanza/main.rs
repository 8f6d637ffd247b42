//! Stanzas: what is read in them, and stanzas out of stanzas.

mod errors;
mod reading;
mod rewriting;
