//! What the services bound, each with the reason for its size.

/// Resources of one account at a time: more devices than people have.
pub const RESOURCES_MAX: usize = 64;

/// Contacts of one account.
pub const ROSTER_ITEMS_MAX: usize = 4096;

/// All contacts of one account, as they are kept: a client gets them in one answer.
pub const ROSTER_MAX_BYTES: usize = 1 << 20;

/// Requests for a subscription that wait for one account's answer.
pub const REQUESTS_MAX: usize = 256;

/// Longest presence that is shown to others, and kept as long as it holds.
pub const PRESENCE_MAX_BYTES: usize = 16 << 10;

/// Groups of one contact.
pub const ROSTER_GROUPS_MAX: usize = 32;

/// Longest name of a contact or a group, in bytes.
pub const ROSTER_NAME_MAX_BYTES: usize = 1023;

/// Whom a resource may have sent directed presence to at a time.
pub const DIRECTED_MAX: usize = 512;

/// Addresses one account may block.
pub const BLOCKED_MAX: usize = 4096;

/// Private documents of one account, and their size.
pub const PRIVATE_MAX: usize = 256;

/// Size of one private document or vCard.
pub const DOCUMENT_MAX_BYTES: usize = 128 << 10;

/// Messages of one page of an archive.
pub const PAGE_MAX: usize = 250;

/// Their octets, whatever the page was asked to hold: they are read for one request.
pub const PAGE_MAX_BYTES: usize = 1 << 20;

/// Presence and chat states held back for a client that nobody looks at.
pub const HELD_BACK_MAX: usize = 512;

/// Unfinished commands of administrators (XEP-0050).
pub const ADHOC_SESSIONS_MAX: usize = 256;

/// Longest request for a subscription that is kept as it came: every account may get one from
/// every other.
pub const REQUEST_MAX_BYTES: usize = 4096;
