//! A client of AMQP that hears arbitrary frames in answer to what it asks for.

/// Reads `data` as what a server sent.
pub fn run(data: &[u8]) {
    crate::amqp_link::run(wharf_amqp::engine::Role::Initiator, data);
}
