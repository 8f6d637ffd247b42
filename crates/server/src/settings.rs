//! From the configuration to what each engine wants to know.

use crate::config::{self, Config, OverflowRule, PolicyKind};
use std::time::Duration;
use wharf_broker::{AddressKind, Overflow, Permission, Policy};
use wharf_gateway::{CloseEnds, Located, Location, XmppSettings};
use wharf_ws::handshake::{DeflatePolicy, OriginPolicy, server};
use wharf_ws::version::Versions;

/// What a WebSocket handshake must fit.
pub(crate) fn policy(config: &Config) -> server::Policy {
    let websocket = &config.websocket;
    server::Policy {
        versions: if websocket.interim_versions {
            Versions::WITH_INTERIM
        } else {
            Versions::RFC6455
        },
        subprotocols: wharf_gateway::subprotocols().iter().map(|&name| name.to_owned()).collect(),
        require_subprotocol: true,
        deflate: websocket.compression.then(DeflatePolicy::default),
        deflate_stream: websocket.compression && websocket.interim_versions,
        origins: origins(&websocket.origins),
    }
}

fn origins(origins: &[String]) -> OriginPolicy {
    if origins.is_empty() {
        OriginPolicy::SameHost
    } else if origins.iter().any(|origin| origin == "*") {
        OriginPolicy::Any
    } else {
        OriginPolicy::List(origins.to_vec())
    }
}

/// What every session on a connection is told.
pub(crate) fn gateway(config: &Config) -> wharf_gateway::Config {
    let websocket = &config.websocket;
    let optional = |ms: u64| (ms > 0).then(|| Duration::from_millis(ms));
    wharf_gateway::Config {
        hosts: config.listen.hosts.clone(),
        locations: config.locations.iter().filter_map(location).collect(),
        // What does not fit was refused by `config::check`.
        drained_to: config.shutdown.redirect_url.parse().ok(),
        amqp: wharf_gateway::Amqp {
            idle_time_out: optional(config.amqp.idle_time_out_ms),
            open_timeout: Duration::from_millis(config.listen.handshake_timeout_ms),
            ..wharf_gateway::Amqp::default()
        },
        xmpp: wharf_gateway::Xmpp::new(&xmpp(config), &config.listen.hosts),
        message_size_max_bytes: size(websocket.message_size_max_bytes),
        ping_interval: optional(websocket.ping_interval_ms),
        pong_timeout: Duration::from_millis(websocket.pong_timeout_ms),
        close_timeout: Duration::from_millis(websocket.close_timeout_ms),
        close_ends: match config.mbws.close_ends {
            config::CloseEnds::Normal => CloseEnds::Normal,
            config::CloseEnds::Any => CloseEnds::Any,
        },
        close_acknowledges: config.mbws.close_acknowledges,
    }
}

fn xmpp(config: &Config) -> XmppSettings {
    XmppSettings {
        stanza_size_max_bytes: size(config.xmpp.stanza_size_max_bytes),
        login_timeout: Duration::from_millis(config.listen.handshake_timeout_ms),
        resume_max: Duration::from_millis(config.session.retention_ms),
        registration: config.xmpp.registration,
        ..XmppSettings::default()
    }
}

/// What the services of XMPP are told.
pub(crate) fn chat(config: &Config) -> wharf_chat::Config {
    let mut chat = wharf_chat::Config {
        hosts: config.listen.hosts.clone(),
        archive_messages_max: size(config.xmpp.archive_messages_max),
        registration: config.xmpp.registration,
        ..wharf_chat::Config::default()
    };
    chat.xml.size_max_bytes = size(config.xmpp.stanza_size_max_bytes);
    chat
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn location(rule: &config::LocationRule) -> Option<Location> {
    let what = if rule.host.is_empty() {
        Located::Addresses(rule.addresses.clone())
    } else {
        Located::Host(rule.host.clone())
    };
    Some(Location { what, place: rule.url.parse().ok()? })
}

/// What the shard is told.
pub(crate) fn shard(config: &Config) -> wharf_broker::Config {
    let mut shard = wharf_broker::Config {
        session_retention_ms: config.session.retention_ms,
        ..wharf_broker::Config::default()
    };
    let given = config.policies.iter().map(|rule| Policy {
        pattern: rule.pattern.clone(),
        kind: match rule.kind {
            PolicyKind::Queue => AddressKind::Queue,
            PolicyKind::Topic => AddressKind::Topic,
        },
        deliveries_max: rule.deliveries_max,
        dead_letter_address: rule.dead_letter_address.clone(),
        ttl_ms: rule.ttl_ms,
        messages_max: rule.messages_max,
        bytes_max: rule.bytes_max,
        overflow: match rule.overflow {
            OverflowRule::Reject => Overflow::Reject,
            OverflowRule::DropOldest => Overflow::DropOldest,
        },
    });
    // The operator's come first, and what they leave open stays as it is.
    shard.policies = given.chain(std::mem::take(&mut shard.policies)).collect();
    shard
}

/// The rules of a configured user.
pub(crate) fn permissions(user: &config::UserEntry) -> Vec<Permission> {
    let rule = |rule: &config::PermissionRule| Permission {
        host: rule.host.clone(),
        pattern: rule.pattern.clone(),
        send: rule.send,
        receive: rule.receive,
        manage: rule.manage,
    };
    user.permissions.iter().map(rule).collect()
}
