//! What a peer may make this side read or keep, each bound with the reason for its size.
//!
//! The size of a whole frame is bounded by the WebSocket layer below.

/// Largest integer of the protocol: eight octets of seven bits. Binary frames cannot carry more,
/// and text frames are held to the same so that both kinds stay equivalent.
// MBWS-105, MBWS-A16
pub const NUMBER_MAX: u64 = (1 << 56) - 1;

/// Bounds of one received frame. More than this is answered with Close 1009.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a connection name. The server's own names are 45 octets.
    pub name_size_max_bytes: u32,
    /// Addresses of one message: each costs the broker one entry.
    pub address_count_max: u32,
    /// Octets of one address: any URN in use fits.
    pub address_size_max_bytes: u32,
    /// Properties of one message.
    pub property_count_max: u32,
    /// Octets of a message between its frame id and its body. Headers are kept in memory, bodies need not be.
    pub header_size_max_bytes: u32,
}

impl Limits {
    /// What a client takes from a server with default limits: a little more than that server
    /// takes itself. A dead letter says why in two properties more, and a header grows when its
    /// lengths are counted in another unit.
    pub fn of_client() -> Limits {
        let default = Limits::default();
        Limits {
            property_count_max: default.property_count_max.saturating_add(16),
            header_size_max_bytes: default.header_size_max_bytes.saturating_add(16 << 10),
            ..default
        }
    }

    /// For frames of our own.
    pub(crate) const NONE: Limits = Limits {
        name_size_max_bytes: u32::MAX,
        address_count_max: u32::MAX,
        address_size_max_bytes: u32::MAX,
        property_count_max: u32::MAX,
        header_size_max_bytes: u32::MAX,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            name_size_max_bytes: 1024,
            address_count_max: 256,
            address_size_max_bytes: 1024,
            property_count_max: 1024,
            header_size_max_bytes: 256 * 1024,
        }
    }
}

/// Bounds of the messages a client keeps until they are acknowledged.
// MBWS-A15
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowLimits {
    /// Messages kept.
    pub messages_max: usize,
    /// Octets kept. One message always fits an empty window, however large.
    pub size_max_bytes: usize,
}

impl Default for WindowLimits {
    /// 4096 messages or 16 MiB: a second of traffic on a slow link, and small beside a browser tab.
    fn default() -> Self {
        WindowLimits { messages_max: 4096, size_max_bytes: 16 << 20 }
    }
}
