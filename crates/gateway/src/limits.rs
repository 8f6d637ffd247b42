//! What one connection may hold, each bound with its reason.

/// Bytes of messages taken from a client and not durable yet; above it nothing more is read from
/// its socket. A few times what one sync of the journal covers.
pub const UNTAKEN_MAX_BYTES: usize = 4 << 20;

/// Messages taken and not durable yet.
pub const UNTAKEN_MAX: usize = 65_536;

/// What a WebSocket message may hold beyond one AMQP message of the largest size: frame headers,
/// performatives, and other frames in the same batch.
pub const AMQP_MESSAGE_OVERHEAD_MAX_BYTES: usize = 1 << 20;

/// What a WebSocket message may hold beyond one XML element of the largest size: what is longer by
/// less than this is refused in the words of XMPP.
pub const XMPP_MESSAGE_OVERHEAD_MAX_BYTES: usize = 64 << 10;

/// Answers that a client has not read: how many there are is up to it, so above this nothing more
/// is read from its socket.
pub const ANSWERS_MAX_BYTES: usize = 256 << 10;

/// What others have sent to a client of XMPP and it has not read, messages aside: how much that is
/// is not up to it, so above this its stream ends. One stanza always passes, however large.
pub const UNREAD_MAX_BYTES: usize = 8 << 20;

/// Addresses an upgrade URL may name.
pub const QUERY_ADDRESSES_MAX: usize = 64;

/// The first room for the bodies of one read burst; more is taken as needed.
pub const ARENA_BYTES: usize = 16 << 10;

/// Pongs kept for one burst of input: more Pings than any honest peer sends at once.
pub const PONGS_MAX_BYTES: usize = 4096;

/// Stanzas after which a client of XMPP is asked what it has received; fewer are asked for after
/// two seconds. Until then they are kept.
pub const ACKNOWLEDGEMENT_EVERY: u64 = 64;
