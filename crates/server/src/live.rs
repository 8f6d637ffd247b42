//! The settings that may change while the broker runs, and what the engines are told of them.
//!
//! A connection keeps the settings that it began with. What is decided once for the process, such as
//! its listeners and its directory, stays what it was at the start: [`needs_restart`] names it.

use crate::config::Config;
use crate::http::front::Fronts;
use crate::settings;
use std::sync::Arc;
use wharf_gateway::Location;
use wharf_ws::handshake::server::Policy;

/// The settings in use.
#[derive(Debug)]
pub(crate) struct Live {
    /// What they are made of.
    pub(crate) config: Config,
    /// What sessions are told.
    pub(crate) gateway: Arc<wharf_gateway::Config>,
    /// What handshakes must fit.
    pub(crate) policy: Policy,
    /// How clients see the broker.
    pub(crate) fronts: Fronts,
}

impl Live {
    /// `redirects`: what is served elsewhere, besides what the configuration says.
    pub(crate) fn new(config: Config, redirects: &[Location]) -> Self {
        let mut gateway = settings::gateway(&config);
        // What an operator says now comes before what a file has said.
        gateway.locations.splice(0..0, redirects.iter().cloned());
        Self {
            gateway: Arc::new(gateway),
            policy: settings::policy(&config),
            fronts: Fronts::new(&config),
            config,
        }
    }
}

/// Keys whose new values are not used before a restart.
pub(crate) fn needs_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let checks = [
        ("listen.address", old.listen.address != new.listen.address),
        ("listen.hosts", old.listen.hosts != new.listen.hosts),
        ("tls.certificate_file", old.tls.is_on() != new.tls.is_on()),
        ("traces", old.traces != new.traces),
        ("acme", old.acme != new.acme),
        ("amqp.listen_address", old.amqp.listen_address != new.amqp.listen_address),
        ("amqp.tls_listen_address", old.amqp.tls_listen_address != new.amqp.tls_listen_address),
        ("client_certificates", old.client_certificates != new.client_certificates),
        ("xmpp", old.xmpp != new.xmpp),
        (
            "auth.verifications_concurrent_max",
            old.auth.verifications_concurrent_max != new.auth.verifications_concurrent_max,
        ),
        ("auth.anonymous_user", old.auth.anonymous_user != new.auth.anonymous_user),
        ("data", old.data != new.data),
        ("log.format", old.log.format != new.log.format),
    ];
    checks.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
}

/// The new settings, but for what needs a restart.
pub(crate) fn merge(old: &Config, new: Config) -> Config {
    let mut merged = new;
    merged.listen.address.clone_from(&old.listen.address);
    merged.listen.hosts.clone_from(&old.listen.hosts);
    if merged.tls.is_on() != old.tls.is_on() {
        merged.tls = old.tls.clone();
    }
    merged.acme.clone_from(&old.acme);
    merged.traces.clone_from(&old.traces);
    merged.amqp.listen_address.clone_from(&old.amqp.listen_address);
    merged.amqp.tls_listen_address.clone_from(&old.amqp.tls_listen_address);
    merged.client_certificates = old.client_certificates.clone();
    merged.xmpp = old.xmpp.clone();
    merged.auth.verifications_concurrent_max = old.auth.verifications_concurrent_max;
    merged.auth.anonymous_user.clone_from(&old.auth.anonymous_user);
    merged.data = old.data.clone();
    merged.log.format = old.log.format;
    merged
}

/// Names of the sections that differ.
pub(crate) fn changed_sections(old: &Config, new: &Config) -> Vec<String> {
    let table = |config: &Config| toml::Table::try_from(config).unwrap_or_default();
    let (old, new) = (table(old), table(new));
    new.iter()
        .filter(|(name, value)| old.get(*name) != Some(value))
        .map(|it| it.0.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{changed_sections, merge, needs_restart};
    use crate::config::Config;

    #[test]
    fn what_needs_a_restart_stays() {
        let old = Config::default();
        let mut new = Config::default();
        new.listen.address = "127.0.0.1:1".to_owned();
        new.session.retention_ms = 1;
        assert_eq!(needs_restart(&old, &new), ["listen.address"]);
        let merged = merge(&old, new);
        assert_eq!(merged.listen, old.listen);
        assert_eq!(merged.session.retention_ms, 1);
        assert_eq!(changed_sections(&old, &merged), ["session"]);
        assert!(needs_restart(&old, &merged).is_empty());
    }
}
