//! Every key, once: its name, what it means, and why it is as it is.

/// One key of the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// `section.name`, or `section[].name` for the entries of a list.
    pub(crate) name: &'static str,
    /// What it means.
    pub(crate) doc: &'static str,
}

const fn key(name: &'static str, doc: &'static str) -> Key {
    Key { name, doc }
}

/// In the order of the reference page.
pub(crate) const KEYS: &[Key] = &[
    key(
        "listen.address",
        "Address and port to listen on. Port 0 takes a free one, which is printed. Loopback unless \
         you say otherwise.",
    ),
    key(
        "listen.connections_max",
        "Connections at once. What comes after is closed at once, before it costs memory.",
    ),
    key(
        "listen.connections_per_ip_max",
        "Connections at once from one IP address (for IPv6: from one /64 network). Lower it when \
         clients connect directly, not through a proxy.",
    ),
    key(
        "listen.handshake_timeout_ms",
        "Time from accepting a socket to the end of its request head, TLS included.",
    ),
    key(
        "listen.hosts",
        "Virtual hosts, in lower case, without ports. Addresses and sessions of one are unknown to \
         the others. A request for any other name belongs to the first.",
    ),
    key(
        "tls.certificate_file",
        "PEM file with the certificate chain, leaf first. With it, the listener speaks TLS only. \
         Read again on SIGHUP; a bad file leaves the old certificate in use.",
    ),
    key("tls.key_file", "PEM file with the private key (PKCS#8, PKCS#1 or SEC1)."),
    key(
        "acme[].domains",
        "Names that an authority is asked to certify over ACME (RFC 8555), instead of the two files of \
         [tls]. One [[acme]] entry at most. The authority looks for a proof at port 443 of each name \
         (tls-alpn-01), which must lead to listen.address. Renewed when a third of its time is left; \
         kept below data.directory.",
    ),
    key(
        "acme[].terms_of_service_agreed",
        "true, once somebody has read and agreed to the authority's terms.",
    ),
    key("acme[].directory_url", "The authority; Let's Encrypt if not given."),
    key("acme[].contact", "E-mail address for the authority. Empty: none."),
    key(
        "acme[].ca_file",
        "PEM file with an authority that directory_url's server may be certified by, besides those of \
         the system.",
    ),
    key(
        "proxy_protocol[].from",
        "IP address, or network such as \"10.0.0.0/8\", of proxies that say first, by the PROXY protocol \
         (version 1 or 2), for which client they have come; on every listener, before TLS. A connection \
         of theirs without it is closed. Nobody else is asked or believed.",
    ),
    key(
        "http.head_size_max_bytes",
        "Largest request head. A larger one, or one of more than 100 fields, is answered with 431.",
    ),
    key(
        "http.idle_timeout_ms",
        "Time from one plain request to the next, and for taking an answer. It does not concern \
         WebSockets.",
    ),
    key(
        "http.public_url",
        "URL of the WebSocket as clients reach it, such as wss://chat.example.com/ws: what XMPP \
         clients are told under /.well-known/host-meta. Empty: the name that a request uses, ws or \
         wss as the request came.",
    ),
    key(
        "http.trusted_proxies",
        "IP addresses, or networks such as \"10.0.0.0/8\", of proxies in front of Wharf. Of them, and \
         of nobody else, it is believed how a client came to them: Forwarded, X-Forwarded-Proto, \
         X-Forwarded-Host. They are trusted to encrypt what they say is encrypted.",
    ),
    key(
        "websocket.origins",
        "Origins of web pages that may connect, such as [\"https://app.example.com\"]. Empty: pages of \
         the host that is connected to. [\"*\"]: every page. Clients that send no Origin are not \
         web pages, and always may.",
    ),
    key(
        "websocket.message_size_max_bytes",
        "Largest WebSocket message, measured after inflating. A larger one closes the connection \
         with 1009.",
    ),
    key(
        "websocket.compression",
        "Whether permessage-deflate is negotiated when a client offers it.",
    ),
    key(
        "websocket.interim_versions",
        "Whether the interim WebSocket versions 6, 7 and 8 are spoken beside version 13.",
    ),
    key(
        "websocket.ping_interval_ms",
        "Silence of a client after which it is sent a ping. 0 sends none.",
    ),
    key(
        "websocket.pong_timeout_ms",
        "Time for the pong. Then the connection is given up; its session waits for the client to \
         return.",
    ),
    key("websocket.close_timeout_ms", "Time for a client to answer a Close."),
    key(
        "mbws.close_ends",
        "normal: a WebSocket closed with 1000 or without a code ends the MBWS connection, any other \
         end leaves it for recovery. any: every closing handshake ends it, by the letter of the \
         draft.",
    ),
    key(
        "mbws.close_acknowledges",
        "Whether a normal close counts as acknowledgement of everything sent, as the draft allows. \
         Otherwise what was not acknowledged goes back to its address.",
    ),
    key(
        "amqp.listen_address",
        "Address and port for AMQP 1.0 straight on TCP, such as 127.0.0.1:5672, for clients without \
         a WebSocket. Empty: none.",
    ),
    key(
        "amqp.tls_listen_address",
        "The same on TLS (amqps), such as 0.0.0.0:5671, with the certificate of [tls]. Empty: none.",
    ),
    key(
        "amqp.no_sasl_user",
        "Name of the user that connections without a SASL layer act as, on these two listeners. \
         Empty: a SASL layer is demanded.",
    ),
    key(
        "amqp.idle_time_out_ms",
        "The idle-time-out told to AMQP clients; one that is silent for twice as long is closed. 0: \
         clients may be silent for ever.",
    ),
    key(
        "xmpp.registration",
        "Whether people may make, change and remove their accounts (XEP-0077).",
    ),
    key(
        "xmpp.stanza_size_max_bytes",
        "Longest XMPP stanza. A longer one ends the stream with policy-violation.",
    ),
    key(
        "xmpp.archive_messages_max",
        "Messages kept in the archive of one user (XEP-0313); the oldest go first. 0: no archive.",
    ),
    key(
        "auth.anonymous_user",
        "Name of the user that requests without credentials act as. Empty: they are answered \
         with 401.",
    ),
    key(
        "auth.failures_per_minute_max",
        "Wrong passwords one IP address (for IPv6: one /64 network) may send in a minute before it \
         is answered with 429. Other addresses, and passwords known to be right, are not held up.",
    ),
    key(
        "auth.verifications_concurrent_max",
        "Passwords checked at the same time. Each check takes 19 MiB and some ten milliseconds of \
         one core, on purpose.",
    ),
    key(
        "auth.cache_ttl_ms",
        "How long a verified password is remembered (as a hash under a key made at each start), so \
         that a reconnecting fleet costs no checks. 0 remembers none.",
    ),
    key("data.directory", "Directory of the journal. Made when it is missing."),
    key(
        "data.segment_size_bytes",
        "Size of one segment of the log. Space is given back in whole segments.",
    ),
    key(
        "session.retention_ms",
        "How long a session waits for its client to return. Then its unacknowledged deliveries go \
         back to their addresses.",
    ),
    key(
        "shutdown.close_code",
        "WebSocket close code on SIGTERM and SIGINT: 1001 when Wharf goes away, 1012 when it will \
         be back at once.",
    ),
    key(
        "shutdown.drain_timeout_ms",
        "Time for clients to take what is on its way and answer the Close.",
    ),
    key(
        "shutdown.redirect_url",
        "Where clients are sent when Wharf stops, if their protocol has redirects (AMQP): ws://, \
         wss://, amqp:// or amqps:// with host, port and path. Never from an encrypted connection \
         to one that is not. Empty: they are only told that it stops.",
    ),
    key(
        "log.level",
        "error, warn, info, debug or trace; or directives such as \"info,wharf_server::auth=debug\".",
    ),
    key(
        "log.format",
        "auto (text on a terminal, JSON elsewhere), json or text. Logs go to stderr.",
    ),
    key(
        "traces[].url",
        "Where a collector takes traces by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces. Spans \
         are sent of messages with the property traceparent (W3C Trace Context) whose trace is recorded: \
         from when a message came until it was durable, and from each delivery until it was settled. \
         Messages to people are not traced. One [[traces]] entry at most; used after a restart.",
    ),
    key("traces[].service_name", "service.name of these spans; wharf if not given."),
    key(
        "traces[].ca_file",
        "PEM file with an authority that the collector may be certified by, besides those of the system.",
    ),
    key("users[].name", "Login name, without a colon."),
    key(
        "users[].password_verifier",
        "What `wharf passwd hash` prints: an Argon2id PHC string and, after spaces, keys for \
         SCRAM-SHA-1, SCRAM-SHA-256 and SCRAM-SHA-512. Without keys, as older versions printed it, \
         the user logs in with HTTP Basic and PLAIN only. It is a secret: passwords can be guessed \
         from it. Users are kept in the journal: one that leaves this file stays. An empty verifier \
         removes the user and ends its sessions.",
    ),
    key(
        "users[].permissions[].pattern",
        "Address pattern: `*` stands for one level, `**` for any number of them.",
    ),
    key(
        "users[].permissions[].host",
        "Virtual host that the rule is for. Without it, or empty: every one.",
    ),
    key("users[].permissions[].send", "May send to matching addresses."),
    key("users[].permissions[].receive", "May receive from matching addresses."),
    key("users[].permissions[].manage", "May create, change and delete matching addresses."),
    key("policies[].pattern", "Address pattern. The first policy that matches an address applies."),
    key(
        "policies[].kind",
        "queue (each message to one consumer; the default) or topic (each message to every \
         subscription).",
    ),
    key(
        "policies[].deliveries_max",
        "Deliveries before a message goes to the dead-letter address. 0: without end.",
    ),
    key(
        "policies[].dead_letter_address",
        "Where the dead messages of matching addresses go. Empty: nowhere, they are dropped.",
    ),
    key(
        "policies[].ttl_ms",
        "How long a message waits in each queue before it dies, to 100 ms. 0: without end. One that \
         is out to a consumer does not die.",
    ),
    key(
        "policies[].messages_max",
        "Messages in each queue, those that are out among them. 0: without bound.",
    ),
    key("policies[].bytes_max", "Their bodies, in bytes. 0: without bound."),
    key(
        "policies[].overflow",
        "At these bounds: reject (the new message dies, and a sender whose protocol can be told is \
         told) or drop-oldest (the oldest that is not out dies).",
    ),
    key(
        "locations[].host",
        "A virtual host that is served elsewhere: AMQP connections to it are redirected. Either \
         this or addresses.",
    ),
    key(
        "locations[].addresses",
        "Pattern of addresses that are served elsewhere: AMQP links to them are redirected.",
    ),
    key("locations[].url", "Where that is, as in shutdown.redirect_url."),
    key(
        "issuers[].jwks_file",
        "File with the public keys of an issuer (JWK Set, RFC 7517), whose tokens (JWT) let in instead \
         of a password: as Bearer in HTTP, as OAUTHBEARER in AMQP and XMPP. Signatures: RS256, RS384, \
         RS512, PS256, ES256, ES384, EdDSA. The user that a token names must exist here. Read again on \
         SIGHUP.",
    ),
    key(
        "issuers[].jwks_url",
        "The same from where the issuer publishes it: https, or http from this machine. Fetched at the \
         start, every 10 minutes, and when a token names a key that is not known. If it cannot be \
         fetched, the keys before stay in use. Either this or jwks_file.",
    ),
    key(
        "issuers[].ca_file",
        "PEM file with an authority that jwks_url's server may be certified by, besides those of the \
         system.",
    ),
    key(
        "client_certificates[].ca_file",
        "PEM file with the certificate of an authority whose clients need no password: EXTERNAL in AMQP \
         and XMPP, and HTTP without Authorization. Clients without a certificate log in as ever. Needs \
         tls.certificate_file. A new file is used after a restart.",
    ),
    key(
        "client_certificates[].name_from",
        "What in such a certificate is the login name: common-name, or the only alternative name of \
         kind dns, email or uri. The user must exist here.",
    ),
    key("issuers[].issuer", "What `iss` of its tokens must be. Empty: anything."),
    key("issuers[].audience", "What `aud` of its tokens must be or hold. Empty: anything."),
    key(
        "issuers[].user_claim",
        "The claim of its tokens that is the login name; `sub` if not given.",
    ),
];

/// The key of this name, list positions written as `[]`.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether `name` is a section: the beginning of some key.
pub(crate) fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| {
        key.name
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('.') || rest.starts_with('['))
    })
}

/// Every name that may stand where `name` stands: the names beside it.
pub(crate) fn siblings(parent: &str) -> Vec<&'static str> {
    let mut names: Vec<&str> = KEYS
        .iter()
        .filter_map(|key| {
            let rest = if parent.is_empty() {
                key.name
            } else {
                key.name.strip_prefix(parent)?.strip_prefix('.')?
            };
            rest.split(['.', '[']).next()
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
