//! What a peer may make this side read or keep, each bound with the reason for its size.
//!
//! The size of a frame is bounded by the engine; everything here holds within one frame or message.

/// The least that every peer accepts as the size of a frame, in octets, and the most a SASL frame
/// may have (AMQP 2.8.19, 5.3.1).
pub const MIN_MAX_FRAME_SIZE: u32 = 512;

/// Octets of a delivery tag or a transaction id (AMQP 2.8.7, 4.5.4).
pub const TAG_MAX_BYTES: usize = 32;

/// How deep values may be nested in one another. Nothing in the standard goes deeper than six;
/// bodies of messages are not decoded on their way.
pub const NESTING_MAX: u8 = 64;

/// Array elements that take no octets (an array of nulls, say) in one decoded value, all arrays
/// together: the only elements whose count the octets present do not bound.
pub const EMPTY_ELEMENTS_MAX: u32 = 1024;
