//! Names of namespaces.

/// `<open/>` and `<close/>` (RFC 7395).
// XWS-018, XWS-096
pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
/// Stanzas between client and server (RFC 6120, section 4.8.3).
pub const CLIENT: &str = "jabber:client";
/// Features and errors of streams (RFC 6120, section 4.8.1).
pub const STREAM: &str = "http://etherx.jabber.org/streams";
/// Conditions of stream errors (RFC 6120, section 4.9.2).
pub const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// Conditions of stanza errors (RFC 6120, section 8.3.2).
pub const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// The first profile of SASL (RFC 6120, section 6).
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// The extensible profile of SASL (XEP-0388).
pub const SASL2: &str = "urn:xmpp:sasl:2";
/// Types of channel binding (XEP-0440).
pub const CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";
/// Resource binding (RFC 6120, section 7).
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// Bind 2 (XEP-0386).
pub const BIND2: &str = "urn:xmpp:bind:0";
/// Sessions, of which nothing is left but the name (RFC 3921, section 3).
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// Stream management (XEP-0198).
pub const SM: &str = "urn:xmpp:sm:3";
/// Client state indication (XEP-0352).
pub const CSI: &str = "urn:xmpp:csi:0";
/// Pings (XEP-0199).
pub const PING: &str = "urn:xmpp:ping";
/// Carbons (XEP-0280).
pub const CARBONS: &str = "urn:xmpp:carbons:2";
/// In-band registration, the request (XEP-0077).
pub const REGISTER: &str = "jabber:iq:register";
/// In-band registration, the feature (XEP-0077).
pub const REGISTER_FEATURE: &str = "http://jabber.org/features/iq-register";
/// TLS inside a stream, which is not offered on a WebSocket (XWS-084).
pub const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
/// The prefix `xml` (Namespaces in XML 1.0, section 3).
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The prefix `xmlns` (Namespaces in XML 1.0, section 3).
pub const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
