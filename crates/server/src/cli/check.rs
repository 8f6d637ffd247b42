//! `wharf check`: would it start?

use super::exit::{Code, Failure, Outcome};
use super::serve::Settings;
use crate::net::tls::Certificates;
use clap::Args;

/// Arguments of `wharf check`.
#[derive(Args, Debug)]
pub(super) struct Check {
    #[command(flatten)]
    settings: Settings,
}

impl Check {
    pub(super) fn run(self) -> Outcome {
        let config = self.settings.load()?;
        if config.tls.is_on() {
            Certificates::load(&config.tls, &config.client_certificates)
                .map_err(|error| Failure::new(Code::Config, format!("tls: {error}")))?;
        }
        let of = match self.settings.file() {
            Some(file) => file.display().to_string(),
            None => "the configuration".to_owned(),
        };
        super::print(&format!("{of} is fine\n"))
    }
}
