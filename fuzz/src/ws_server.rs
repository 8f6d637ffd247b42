//! A server that hears an arbitrary stream: all versions, all kinds of compression, any cuts.

/// Reads `data` as what a client sent.
pub fn run(data: &[u8]) {
    crate::ws_link::run(wharf_ws::Role::Server, data);
}
