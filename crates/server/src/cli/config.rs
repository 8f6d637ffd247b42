//! `wharf config`: what can be set.

use super::exit::Outcome;
use crate::config::{default_file, reference_page};
use clap::Subcommand;

/// What to print.
#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// A configuration file with every key, its meaning and its default.
    Default,
    /// The reference page (Markdown).
    Reference,
    /// The document that describes the management API (OpenAPI 3.1).
    Openapi,
}

impl Config {
    pub(super) fn run(self) -> Outcome {
        super::print(&match self {
            Self::Default => default_file(),
            Self::Reference => reference_page(),
            Self::Openapi => {
                let document = serde_json::to_string_pretty(&wharf_api::document());
                format!("{}\n", document.unwrap_or_default())
            }
        })
    }
}
