//! `wharf salvage`: what is provably good of a damaged journal.

use super::exit::{Code, Failure, Outcome};
use clap::Args;
use std::path::PathBuf;
use wharf_store::OpenError;

/// Arguments of `wharf salvage`.
#[derive(Args, Debug)]
pub(super) struct Salvage {
    /// Directory of the journal. No broker may be running on it.
    #[arg(long, value_name = "DIRECTORY")]
    data: PathBuf,
}

impl Salvage {
    pub(super) fn run(self) -> Outcome {
        if !self.data.is_dir() {
            let what = format!("{} is no directory", self.data.display());
            return Err(Failure::new(Code::NotFound, what));
        }
        let report = wharf_store::salvage(&self.data).map_err(|error| {
            let code = match error {
                OpenError::Locked { .. } => Code::Unavailable,
                _ => Code::Failed,
            };
            Failure::new(code, error)
        })?;
        super::print(&format!("{report}\n"))
    }
}
