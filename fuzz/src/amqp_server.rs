//! A server of AMQP that hears arbitrary frames: any login, any framing, any cuts.

/// Reads `data` as what a client sent.
pub fn run(data: &[u8]) {
    crate::amqp_link::run(wharf_amqp::engine::Role::Acceptor, data);
}
