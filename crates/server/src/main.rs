//! The binary `wharf`.
fn main() {}
