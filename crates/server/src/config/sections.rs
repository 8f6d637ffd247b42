//! The settings as a struct. What each key means is said in [`super::keys`].

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Everything that can be set.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where Wharf listens and how many may connect.
    pub listen: Listen,
    /// Certificates.
    pub tls: Tls,
    /// A certificate from an authority, renewed by itself.
    pub acme: Vec<AcmeEntry>,
    /// Who says first for whom it has come.
    pub proxy_protocol: Vec<ProxyProtocol>,
    /// HTTP before the upgrade.
    pub http: Http,
    /// The WebSocket under every protocol.
    pub websocket: WebSocket,
    /// MBWS where its text leaves a choice.
    pub mbws: Mbws,
    /// AMQP, and its listeners without a WebSocket.
    pub amqp: Amqp,
    /// XMPP, and what it keeps for people.
    pub xmpp: Xmpp,
    /// Who may log in, and how often one may fail to.
    pub auth: Auth,
    /// The journal.
    pub data: Data,
    /// What outlives a connection.
    pub session: Session,
    /// How Wharf stops.
    pub shutdown: Shutdown,
    /// What is logged, and how.
    pub log: Log,
    /// Where spans of traced messages go.
    pub traces: Vec<TracesEntry>,
    /// Users that exist from the start.
    pub users: Vec<UserEntry>,
    /// Settings of addresses by pattern; the first match applies.
    pub policies: Vec<PolicyRule>,
    /// What is served elsewhere; the first match applies.
    pub locations: Vec<LocationRule>,
    /// Whose bearer tokens are taken.
    pub issuers: Vec<IssuerEntry>,
    /// Whose certificates of clients are taken.
    pub client_certificates: Vec<ClientCertificates>,
}

/// One `[[client_certificates]]` entry.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificates {
    /// PEM file with the authority's certificate.
    pub ca_file: PathBuf,
    /// What in a certificate is the login name.
    #[serde(default)]
    pub name_from: NameFrom,
}

/// What in a certificate is a login name.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameFrom {
    /// The common name of its subject.
    #[default]
    CommonName,
    /// A DNS name among its alternative names.
    Dns,
    /// An e-mail address there.
    Email,
    /// A URI there.
    Uri,
}

/// Section `[listen]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// Address and port.
    pub address: String,
    /// Connections at once.
    pub connections_max: u32,
    /// Connections at once from one IP address.
    pub connections_per_ip_max: u32,
    /// From accepting the socket to the end of the request head.
    pub handshake_timeout_ms: u64,
    /// Virtual hosts; the first one also takes requests for names that are not listed.
    pub hosts: Vec<String>,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:8080".to_owned(),
            connections_max: 50_000,
            connections_per_ip_max: 16_384,
            handshake_timeout_ms: 10_000,
            hosts: vec!["localhost".to_owned()],
        }
    }
}

/// Section `[tls]`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM file with the certificate chain.
    pub certificate_file: PathBuf,
    /// PEM file with the private key.
    pub key_file: PathBuf,
}

impl Tls {
    /// Whether the certificate is in files.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.certificate_file.as_os_str().is_empty() || !self.key_file.as_os_str().is_empty()
    }
}

impl Config {
    /// Whether the listener speaks TLS.
    #[must_use]
    pub fn encrypts(&self) -> bool {
        self.tls.is_on() || !self.acme.is_empty()
    }
}

/// The `[[acme]]` entry.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AcmeEntry {
    /// Names that the certificate is for.
    pub domains: Vec<String>,
    /// Whether the authority's terms are agreed to.
    pub terms_of_service_agreed: bool,
    /// The authority.
    #[serde(default = "acme_directory_default")]
    pub directory_url: String,
    /// Where the authority can write to.
    #[serde(default)]
    pub contact: String,
    /// PEM file with an authority of that server besides those of the system.
    #[serde(default)]
    pub ca_file: PathBuf,
}

impl AcmeEntry {
    /// For one name, with everything else as by default.
    #[must_use]
    pub fn of(domain: &str) -> Self {
        Self {
            domains: vec![domain.to_owned()],
            terms_of_service_agreed: true,
            directory_url: acme_directory_default(),
            ..Self::default()
        }
    }
}

fn acme_directory_default() -> String {
    "https://acme-v02.api.letsencrypt.org/directory".to_owned()
}

/// One `[[proxy_protocol]]` entry.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyProtocol {
    /// Address or network of proxies.
    pub from: String,
}

/// Section `[http]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Size of a request head.
    pub head_size_max_bytes: u32,
    /// From one request head to the next, or to the end of the connection.
    pub idle_timeout_ms: u64,
    /// The WebSocket as clients reach it.
    pub public_url: String,
    /// Who may say how a client came.
    pub trusted_proxies: Vec<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            head_size_max_bytes: 16 << 10,
            idle_timeout_ms: 30_000,
            public_url: String::new(),
            trusted_proxies: Vec::new(),
        }
    }
}

/// Section `[websocket]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebSocket {
    /// Origins that may connect.
    pub origins: Vec<String>,
    /// Largest message, after inflating.
    pub message_size_max_bytes: u64,
    /// Whether permessage-deflate may be negotiated.
    pub compression: bool,
    /// Whether the interim versions 6, 7 and 8 are spoken.
    pub interim_versions: bool,
    /// Silence after which a ping is sent.
    pub ping_interval_ms: u64,
    /// Time for its pong.
    pub pong_timeout_ms: u64,
    /// Time for the closing handshake.
    pub close_timeout_ms: u64,
}

impl Default for WebSocket {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            message_size_max_bytes: 16 << 20,
            compression: true,
            interim_versions: false,
            ping_interval_ms: 30_000,
            pong_timeout_ms: 20_000,
            close_timeout_ms: 5_000,
        }
    }
}

/// Section `[mbws]`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mbws {
    /// Which closing handshakes end a connection for good.
    pub close_ends: CloseEnds,
    /// Whether a normal close acknowledges everything.
    pub close_acknowledges: bool,
}

/// Which WebSocket closing handshakes end an MBWS connection for good.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CloseEnds {
    /// Code 1000, and no code at all.
    #[default]
    Normal,
    /// Every completed one.
    Any,
}

/// Section `[amqp]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Amqp {
    /// Address and port for AMQP straight on TCP.
    pub listen_address: String,
    /// Address and port for AMQP straight on TLS.
    pub tls_listen_address: String,
    /// The user that a connection without a SASL layer acts as, on those listeners.
    pub no_sasl_user: String,
    /// Silence of a client after which it is suspected.
    pub idle_time_out_ms: u64,
}

impl Default for Amqp {
    fn default() -> Self {
        Self {
            listen_address: String::new(),
            tls_listen_address: String::new(),
            no_sasl_user: String::new(),
            idle_time_out_ms: 60_000,
        }
    }
}

/// Section `[xmpp]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Xmpp {
    /// Whether people may change and remove their accounts.
    pub registration: bool,
    /// Longest stanza.
    pub stanza_size_max_bytes: u64,
    /// Messages kept in the archive of one user.
    pub archive_messages_max: u64,
}

impl Default for Xmpp {
    fn default() -> Self {
        Self { registration: false, stanza_size_max_bytes: 256 << 10, archive_messages_max: 10_000 }
    }
}

/// Section `[auth]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// The user that a request without credentials acts as.
    pub anonymous_user: String,
    /// Wrong passwords one IP address may send in a minute.
    pub failures_per_minute_max: u32,
    /// Passwords checked at once.
    pub verifications_concurrent_max: u32,
    /// How long a verified password is remembered, as a keyed hash.
    pub cache_ttl_ms: u64,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            anonymous_user: String::new(),
            failures_per_minute_max: 20,
            verifications_concurrent_max: 2,
            cache_ttl_ms: 600_000,
        }
    }
}

/// Section `[data]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// Directory of the journal.
    pub directory: PathBuf,
    /// Size of one segment of the log.
    pub segment_size_bytes: u64,
}

impl Default for Data {
    fn default() -> Self {
        Self { directory: PathBuf::from("wharf-data"), segment_size_bytes: 64 << 20 }
    }
}

/// Section `[session]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// How long a session waits for its client to return.
    pub retention_ms: u64,
}

impl Default for Session {
    fn default() -> Self {
        Self { retention_ms: 86_400_000 }
    }
}

/// Section `[shutdown]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shutdown {
    /// WebSocket close code sent to every client.
    pub close_code: u16,
    /// Time for clients to leave, and then for the journal to finish.
    pub drain_timeout_ms: u64,
    /// Where clients are sent whose protocol has redirects.
    pub redirect_url: String,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { close_code: 1001, drain_timeout_ms: 10_000, redirect_url: String::new() }
    }
}

/// Section `[log]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Filter: a level, or directives such as `info,wharf_server::auth=debug`.
    pub level: String,
    /// Form of a line.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Auto }
    }
}

/// Form of a log line.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// The `[[traces]]` entry.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TracesEntry {
    /// Where a collector takes them.
    pub url: String,
    /// What the broker is called there.
    #[serde(default = "service_name_default")]
    pub service_name: String,
    /// PEM file with an authority of the collector besides those of the system.
    #[serde(default)]
    pub ca_file: PathBuf,
}

fn service_name_default() -> String {
    "wharf".to_owned()
}

/// One `[[users]]` entry.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UserEntry {
    /// Login name.
    pub name: String,
    /// What `wharf passwd hash` prints; empty removes the user.
    pub password_verifier: String,
    /// What the user may do; nothing when empty.
    #[serde(default)]
    pub permissions: Vec<PermissionRule>,
}

/// One rule of a user.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PermissionRule {
    /// Virtual host; every one when empty.
    #[serde(default)]
    pub host: String,
    /// Address pattern.
    pub pattern: String,
    /// May send.
    #[serde(default)]
    pub send: bool,
    /// May receive.
    #[serde(default)]
    pub receive: bool,
    /// May create, change and delete.
    #[serde(default)]
    pub manage: bool,
}

/// One `[[policies]]` entry.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// Address pattern.
    pub pattern: String,
    /// What matching addresses are.
    #[serde(default)]
    pub kind: PolicyKind,
    /// Deliveries before a message is dead-lettered; 0 is without end.
    #[serde(default = "deliveries_max_default")]
    pub deliveries_max: u16,
    /// Where dead messages go.
    #[serde(default = "dead_letter_address_default")]
    pub dead_letter_address: String,
    /// How long a message waits before it dies; 0 is without end.
    #[serde(default)]
    pub ttl_ms: u64,
    /// Messages in one queue; 0 is without bound.
    #[serde(default)]
    pub messages_max: u64,
    /// Bodies in one queue; 0 is without bound.
    #[serde(default)]
    pub bytes_max: u64,
    /// What happens at these bounds.
    #[serde(default)]
    pub overflow: OverflowRule,
}

/// What happens to messages for a queue that is full.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OverflowRule {
    /// The new one dies.
    #[default]
    Reject,
    /// The oldest that is not out dies.
    DropOldest,
}

/// One `[[locations]]` entry.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LocationRule {
    /// A virtual host that is elsewhere.
    pub host: String,
    /// Pattern of addresses that are elsewhere.
    pub addresses: String,
    /// Where they are.
    pub url: String,
}

/// One `[[issuers]]` entry.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerEntry {
    /// File with its keys (JWK Set).
    #[serde(default)]
    pub jwks_file: PathBuf,
    /// Where it publishes them.
    #[serde(default)]
    pub jwks_url: String,
    /// PEM file with an authority of that server besides those of the system.
    #[serde(default)]
    pub ca_file: PathBuf,
    /// Its name; anything when empty.
    #[serde(default)]
    pub issuer: String,
    /// Whom its tokens are for; anybody when empty.
    #[serde(default)]
    pub audience: String,
    /// The claim that names the user.
    #[serde(default = "user_claim_default")]
    pub user_claim: String,
}

fn user_claim_default() -> String {
    "sub".to_owned()
}

fn deliveries_max_default() -> u16 {
    20
}

fn dead_letter_address_default() -> String {
    "wharf/dead-letter".to_owned()
}

/// What an address becomes by its first use.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyKind {
    /// Each message to one consumer.
    #[default]
    Queue,
    /// Each message to every subscription.
    Topic,
}
