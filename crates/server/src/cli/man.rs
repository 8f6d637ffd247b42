//! `wharf man`: manual pages, one for each command.

use super::Cli;
use super::exit::{Code, Failure, Outcome};
use clap::{Args, CommandFactory};
use std::path::PathBuf;

/// Arguments of `wharf man`.
#[derive(Args, Debug)]
pub(super) struct Man {
    /// Where to write them; made when it is missing.
    directory: PathBuf,
}

impl Man {
    pub(super) fn run(self) -> Outcome {
        let failed = |error: std::io::Error| {
            Failure::new(Code::Failed, format!("{}: {error}", self.directory.display()))
        };
        std::fs::create_dir_all(&self.directory).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), &self.directory).map_err(failed)
    }
}
