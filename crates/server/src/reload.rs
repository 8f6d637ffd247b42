//! Reading the settings again: all of it, or nothing. No connection is closed for it.

use crate::auth::issuers;
use crate::config::{self, Config};
use crate::live::{self, Live};
use crate::log::{self, event};
use crate::net::tls::Certificates;
use crate::node::Node;
use crate::notify;
use crate::users;
use std::sync::Arc;
use wharf_api::shapes::Reloaded;
use wharf_broker::{Definition, Input, Permission};

/// Reads the settings from where they were read at the start.
pub(crate) type ReadAgain = Box<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// What is needed for it.
pub(crate) struct Reloader {
    pub(crate) node: Arc<Node>,
    pub(crate) certificates: Option<Arc<Certificates>>,
    pub(crate) read_again: ReadAgain,
}

impl Reloader {
    /// Reads everything again and uses it.
    ///
    /// # Errors
    /// What is wrong, with its place; everything stays as it was.
    pub(crate) async fn reload(&self) -> Result<Reloaded, String> {
        notify::reloading();
        let outcome = self.try_reload().await;
        notify::say(notify::READY);
        match &outcome {
            Ok(Reloaded { changed, needs_restart }) => tracing::info!(
                event = event::RELOADED,
                changed = changed.join(","),
                needs_restart = needs_restart.join(","),
                "settings read again"
            ),
            Err(reason) => tracing::error!(
                event = event::RELOAD_FAILED,
                reason,
                "the settings before stay in use"
            ),
        }
        outcome
    }

    async fn try_reload(&self) -> Result<Reloaded, String> {
        let old = self.node.live().config.clone();
        let new = (self.read_again)()?;
        let needs_restart = live::needs_restart(&old, &new);
        let new = live::merge(&old, new);
        // Everything that can fail is tried before anything is changed.
        let issuers = issuers::load(&new.issuers, &self.node.auth.issuers())?;
        self.reload_certificates(&new.tls)?;
        let changed = live::changed_sections(&old, &new);
        self.node.auth.set_issuers(issuers);
        self.node.auth.set_failures_per_minute_max(new.auth.failures_per_minute_max);
        let listen = &new.listen;
        self.node.admission.set_max(listen.connections_max, listen.connections_per_ip_max);
        log::set_level(&new.log.level);
        let redirects = self.node.rules.redirects();
        self.node.set_live(Live::new(new.clone(), &redirects));
        self.define_users(new).await?;
        let needs_restart = needs_restart.into_iter().map(str::to_owned).collect();
        Ok(Reloaded { changed, needs_restart })
    }

    fn reload_certificates(&self, files: &config::Tls) -> Result<(), String> {
        let Some(certificates) = self.certificates.as_ref().filter(|_| files.is_on()) else {
            return Ok(());
        };
        match certificates.reload(files) {
            Ok(()) => {
                tracing::info!(event = event::TLS_RELOADED, "certificates read again");
                self.node.metrics.certificate(certificates.not_after_s().unwrap_or(0));
                Ok(())
            }
            Err(error) => {
                let reason = format!("tls: {error}");
                tracing::error!(event = event::TLS_RELOAD_FAILED, reason, "the old ones stay");
                Err(reason)
            }
        }
    }

    /// The users of the file as it is now; those that others have made stay. Policies apply anew.
    async fn define_users(&self, config: Config) -> Result<(), String> {
        let put = self.node.change(move |shard, now| {
            let (definitions, _) = users::settle(shard.users(), &config, &[])?;
            let mut put: Vec<(String, String, Vec<Permission>)> = Vec::new();
            let mut removed = Vec::new();
            for definition in definitions {
                match &definition {
                    Definition::PutUser { name, verifier, permissions } => {
                        put.push((name.clone(), verifier.clone(), permissions.clone()));
                    }
                    Definition::RemoveUser { name } => removed.push(name.clone()),
                }
                shard.handle(now, Input::Define(definition));
            }
            Ok::<_, String>((put, removed))
        });
        let answered = put.await.map_err(|_| "the broker does not answer".to_owned())?;
        let (put, removed) = answered?;
        for (name, verifier, permissions) in put {
            self.node.auth.put_user(&name, &verifier, &permissions);
        }
        removed.iter().for_each(|name| self.node.auth.remove_user(name));
        Ok(())
    }
}
