//! `wharf completions`: for the shell.

use super::Cli;
use super::exit::Outcome;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Arguments of `wharf completions`.
#[derive(Args, Debug)]
pub(super) struct Completions {
    /// Which shell.
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "wharf", &mut script);
        super::print(&String::from_utf8_lossy(&script))
    }
}
