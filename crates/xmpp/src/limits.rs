//! What a peer may make this side read or keep, each bound with the reason for its size.

/// The smallest bound of a stanza that a server may have (RFC 6120, section 13.12).
// XWS-A07
pub const STANZA_SIZE_MIN_BYTES: usize = 10_000;

/// Longest part of an address, in octets (RFC 7622, section 3.1).
pub const ADDRESS_PART_MAX_BYTES: usize = 1023;

/// Longest address: three parts and two separators.
pub const ADDRESS_MAX_BYTES: usize = 3071;

/// Longest identifier of a managed stream that is looked up (XEP-0198, section 5).
pub const STREAM_ID_MAX_BYTES: usize = 4000;

/// Octets of output that wait before nothing more should be read: whoever asks and does not listen
/// is not answered without end.
pub const PENDING_MAX_BYTES: usize = 256 << 10;

// XWS-095: RFC 6120, section 13.12.
/// Bounds of one XML document, which is one WebSocket message. They are looked at before anything
/// is kept: what is over one of them has cost only the reading.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct XmlLimits {
    /// Octets of a message.
    pub size_max_bytes: usize,
    /// Elements within elements. What people send is some ten deep; who works on a tree below
    /// this one may recurse.
    pub depth_max: usize,
    /// Attributes of one element, declarations of namespaces among them.
    pub attribute_count_max: usize,
    /// Namespaces declared at one place of the document. Each is looked at for each prefix.
    pub namespace_count_max: usize,
}

impl XmlLimits {
    /// Documents of our own making.
    pub const NONE: XmlLimits = XmlLimits {
        size_max_bytes: usize::MAX,
        depth_max: usize::MAX,
        attribute_count_max: usize::MAX,
        namespace_count_max: usize::MAX,
    };
}

impl Default for XmlLimits {
    fn default() -> Self {
        XmlLimits {
            size_max_bytes: 256 << 10,
            depth_max: 64,
            attribute_count_max: 64,
            namespace_count_max: 32,
        }
    }
}

/// Bounds of one stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Messages of a client that has logged in, or of a server.
    pub xml: XmlLimits,
    /// Octets of a message before the login: an exchange of SCRAM takes less than half of it.
    pub login_size_max_bytes: usize,
    /// Octets kept while the caller thinks about a question; nothing is read meanwhile, and a
    /// client may have sent ahead. Before the login it is [`Limits::login_size_max_bytes`].
    pub kept_max_bytes: usize,
    /// Logins that may fail on one stream (RFC 6120, section 6.4.5, asks for 2 to 5).
    pub login_failures_max: u32,
    /// Resources that may be refused on one stream (RFC 6120, section 7.7.3, asks for 5 to 10).
    pub bind_failures_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            xml: XmlLimits::default(),
            login_size_max_bytes: STANZA_SIZE_MIN_BYTES,
            kept_max_bytes: 1 << 20,
            login_failures_max: 3,
            bind_failures_max: 5,
        }
    }
}
