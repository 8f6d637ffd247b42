//! What the shard bounds, each with the reason for its size.

/// Longest address, host, user, session or subscription name in bytes: fits any URN in use, and
/// bounds what an index entry can cost.
pub const NAME_MAX_BYTES: usize = 1024;

/// Most destinations of one message. Each costs one slot; the body is stored once.
pub const DESTINATIONS_MAX: usize = 256;

/// A frame is sealed when it grows past this, even within one batch: bounds the memory held by
/// one commit and the time of one sync.
pub const FRAME_TARGET_BYTES: usize = 1 << 20;

/// Bodies up to this size are copied into the frame's own buffer; larger ones are written from
/// where they are. Below it, one more vectored slice costs more than the copy.
pub const BODY_COPIED_MAX_BYTES: usize = 4096;

/// Most deliveries one session may leave unsettled, whatever credit its consumers ask for.
pub const SESSION_UNSETTLED_MAX: usize = 65_536;

/// Bytes of unsettled deliveries after which a session is sent nothing more. One delivery always
/// passes, however large.
pub const SESSION_UNSETTLED_MAX_BYTES: u64 = 4 << 20;

/// Consumers one session may have.
pub const SESSION_CONSUMERS_MAX: usize = 1024;

/// Credit of a consumer that names none.
pub const CREDIT_DEFAULT: u32 = 1024;

/// Largest credit granted to one consumer.
pub const CREDIT_MAX: u32 = 65_536;

/// Bodies asked of the journal in one fetch.
pub const FETCH_MAX: usize = 1024;

/// What a consumer says when it rejects a message: kept for a person to read, cut off here.
pub const DETAIL_MAX_BYTES: usize = 1024;

/// Annotations a consumer leaves with one message: they stay in memory, unlike its body.
pub const ANNOTATIONS_MAX_BYTES: usize = 8192;

/// Annotations left with all messages of one queue; beyond it a message keeps what it had.
pub const QUEUE_ANNOTATIONS_MAX_BYTES: usize = 16 << 20;

/// Senders and dynamic addresses one session may have.
pub const SESSION_SENDERS_MAX: usize = 1024;

/// Bytes handed to a browser for one `Flow`, each message counted with 256 more. One delivery
/// always passes, however large.
pub const BROWSED_MAX_BYTES: u64 = 1 << 20;

/// Stanzas that are not journaled and not acknowledged, kept for one session.
pub const SESSION_TRANSIENTS_MAX: usize = 1024;

/// Their octets.
pub const SESSION_TRANSIENTS_MAX_BYTES: usize = 1 << 20;

/// Records that nobody waits for are sealed when there are so many bytes of them.
pub const LAZY_MAX_BYTES: usize = 64 << 10;

/// Longest key of a document.
pub const DOCUMENT_KEY_MAX_BYTES: usize = 4096;

/// Largest document: all of them are in memory.
pub const DOCUMENT_MAX_BYTES: usize = 256 << 10;

/// How many deliveries of a session that was lost are held to have something to do with it: the
/// oldest ones, which a consumer works on. What it had only fetched ahead is not to blame.
pub const BLAMED_MAX: usize = 8;

/// How exactly it is known when a message came.
pub const CLOCK_RESOLUTION_MS: u64 = 100;

/// Messages that die of age before others get their turn.
pub const EXPIRED_AT_ONCE_MAX: usize = 4096;

/// What a listener to a topic of the broker's own has waiting: messages, and their bodies in bytes.
pub(crate) const SYSTEM_MESSAGES_MAX: u64 = 10_000;
/// See [`SYSTEM_MESSAGES_MAX`].
pub(crate) const SYSTEM_MESSAGES_MAX_BYTES: u64 = 16 << 20;
