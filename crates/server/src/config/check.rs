//! What the types cannot say: values that do not fit together, or cannot work.

use super::{Config, IssuerEntry, UserEntry};
use crate::auth::verifier;
use crate::net::peer::Range;
use crate::outgoing;
use std::net::SocketAddr;
use wharf_gateway::Place;
use wharf_store::{SEGMENT_SIZE_MAX_BYTES, SEGMENT_SIZE_MIN_BYTES};

/// Everything that is wrong with the values, each with its key.
pub(crate) fn problems(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    check_listeners(config, &mut check);
    check_values(config, &mut check);
    if !config.http.public_url.is_empty() {
        found.extend(public_url_problem(&config.http.public_url));
    }
    let trusted = config.http.trusted_proxies.iter().map(|it| ("http.trusted_proxies", it));
    let speaking = config.proxy_protocol.iter().map(|it| ("proxy_protocol[].from", &it.from));
    for (key, proxy) in trusted.chain(speaking) {
        if proxy.parse::<Range>().is_err() {
            let expected = "expected an IP address, or a network such as 10.0.0.0/8";
            found.push(format!("{key}: `{proxy}`: {expected}"));
        }
    }
    if !config.shutdown.redirect_url.is_empty() {
        found.extend(url_problem("shutdown.redirect_url", &config.shutdown.redirect_url));
    }
    for location in &config.locations {
        found.extend(url_problem("locations[].url", &location.url));
        if location.host.is_empty() == location.addresses.is_empty() {
            found.push("locations: each has either host or addresses".to_owned());
        }
    }
    check_acme(config, &mut found);
    if config.traces.len() > 1 {
        found.push("traces: one entry".to_owned());
    }
    for entry in &config.traces {
        let problem = outgoing::url_problem(&entry.url);
        found.extend(problem.map(|it| format!("traces[].url: {it}")));
    }
    for issuer in &config.issuers {
        found.extend(issuer_problem(issuer));
    }
    for user in &config.users {
        found.extend(user_problem(user));
    }
    found
}

fn check_listeners(config: &Config, check: &mut impl FnMut(bool, &str)) {
    check(
        config.listen.address.parse::<SocketAddr>().is_ok(),
        "listen.address: expected an IP address and a port, such as 127.0.0.1:8080 or [::]:8080",
    );
    let optional = |address: &str| address.is_empty() || address.parse::<SocketAddr>().is_ok();
    check(
        optional(&config.amqp.listen_address),
        "amqp.listen_address: expected an IP address and a port, such as 127.0.0.1:5672",
    );
    check(
        optional(&config.amqp.tls_listen_address),
        "amqp.tls_listen_address: expected an IP address and a port, such as 127.0.0.1:5671",
    );
    check(
        config.amqp.tls_listen_address.is_empty() || config.encrypts(),
        "amqp.tls_listen_address: needs tls.certificate_file and tls.key_file, or [[acme]]",
    );
    check(config.listen.connections_max > 0, "listen.connections_max: must be at least 1");
    check(
        config.listen.connections_per_ip_max > 0,
        "listen.connections_per_ip_max: must be at least 1",
    );
    check(
        config.listen.handshake_timeout_ms > 0,
        "listen.handshake_timeout_ms: must be at least 1",
    );
    check(
        !config.listen.hosts.is_empty() && config.listen.hosts.iter().all(|host| is_host(host)),
        "listen.hosts: at least one name, in lower case, without a port",
    );
    check(
        config.tls.certificate_file.as_os_str().is_empty()
            == config.tls.key_file.as_os_str().is_empty(),
        "tls: certificate_file and key_file come together",
    );
}

fn check_values(config: &Config, check: &mut impl FnMut(bool, &str)) {
    check(
        config.http.head_size_max_bytes >= 8192,
        "http.head_size_max_bytes: must be at least 8192, as browsers send several KiB",
    );
    check(config.http.idle_timeout_ms > 0, "http.idle_timeout_ms: must be at least 1");
    check(
        (125..=1 << 30).contains(&config.websocket.message_size_max_bytes),
        "websocket.message_size_max_bytes: must be between 125 and 1073741824",
    );
    check(
        (10_000..=1 << 24).contains(&config.xmpp.stanza_size_max_bytes),
        "xmpp.stanza_size_max_bytes: must be between 10000 and 16777216",
    );
    check(
        config.auth.verifications_concurrent_max > 0,
        "auth.verifications_concurrent_max: must be at least 1",
    );
    check(!config.data.directory.as_os_str().is_empty(), "data.directory: must not be empty");
    let segment_size = config.data.segment_size_bytes;
    check(
        (SEGMENT_SIZE_MIN_BYTES..=SEGMENT_SIZE_MAX_BYTES).contains(&segment_size)
            && segment_size.is_multiple_of(4096),
        "data.segment_size_bytes: must be a multiple of 4096 from 16384 to 1073741824",
    );
    check(
        matches!(config.shutdown.close_code, 1001 | 1012),
        "shutdown.close_code: must be 1001 (going away) or 1012 (back at once)",
    );
    check(config.session.retention_ms > 0, "session.retention_ms: must be at least 1");
    check(
        tracing_subscriber::EnvFilter::try_new(&config.log.level).is_ok(),
        "log.level: expected error, warn, info, debug, trace or directives",
    );
    for origin in &config.websocket.origins {
        check(
            origin == "*" || origin == "null" || origin.contains("://"),
            &format!("websocket.origins: `{origin}` is not an origin such as https://example.com"),
        );
    }
}

fn url_problem(key: &str, url: &str) -> Option<String> {
    let problem = url.parse::<Place>().err()?;
    Some(format!("{key}: `{url}`: {problem}"))
}

fn check_acme(config: &Config, found: &mut Vec<String>) {
    let Some(entry) = config.acme.first() else { return };
    let mut check = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    check(config.acme.len() == 1, "acme: one entry, with all names in its domains");
    check(!config.tls.is_on(), "acme: either this or tls.certificate_file and tls.key_file");
    let plain = |name: &String| is_host(name) && name.contains('.') && !name.contains([':', '*']);
    check(
        !entry.domains.is_empty() && entry.domains.iter().all(plain),
        "acme[].domains: at least one name such as broker.example.com; no wildcard, no address",
    );
    check(
        entry.terms_of_service_agreed,
        "acme[].terms_of_service_agreed: must be true; the authority's directory names its terms",
    );
    let url = &entry.directory_url;
    let fits = url.starts_with("https://") && outgoing::url_problem(url).is_none();
    check(fits, "acme[].directory_url: expected https://");
}

fn issuer_problem(entry: &IssuerEntry) -> Option<String> {
    let url = &entry.jwks_url;
    if url.is_empty() == entry.jwks_file.as_os_str().is_empty() {
        return Some("issuers: each has either jwks_file or jwks_url".to_owned());
    }
    let plain = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    let here = |it: &str| url.strip_prefix(it).is_some_and(|rest| rest.starts_with([':', '/']));
    if url.is_empty() || url.starts_with("https://") || plain.into_iter().any(here) {
        let problem = (!url.is_empty()).then(|| outgoing::url_problem(url))??;
        return Some(format!("issuers[].jwks_url: {problem}"));
    }
    Some(format!("issuers[].jwks_url: `{url}`: expected https://, or http:// of this machine"))
}

fn public_url_problem(url: &str) -> Option<String> {
    let place = url.parse::<Place>();
    // It is written into XML and JSON as it is.
    let plain = !url.contains(['\'', '"', '<', '>', '&', '\\', ' ']) && url.is_ascii();
    if place.is_ok_and(|place| place.scheme.is_websocket()) && plain {
        return None;
    }
    Some(format!("http.public_url: `{url}`: expected ws:// or wss:// with a host and a path"))
}

fn user_problem(user: &UserEntry) -> Option<String> {
    if user.name.is_empty() || user.name.contains(':') {
        return Some(format!("users: `{}` is not a name (empty, or with a colon)", user.name));
    }
    let kept = &user.password_verifier;
    if !kept.is_empty() && !verifier::is_verifier(kept) {
        return Some(format!(
            "users: the password_verifier of `{}` is not what `wharf passwd hash` prints",
            user.name
        ));
    }
    None
}

fn is_host(name: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-[:]".contains(&byte);
    let port = name.rsplit_once(':').is_some_and(|_| !name.ends_with(']'));
    !name.is_empty() && name.len() <= 255 && name.bytes().all(allowed) && !port
}
