//! `wharf passwd`: from a password to what is stored of it.

use super::exit::{Code, Failure, Outcome};
use crate::auth::verifier;
use clap::Subcommand;
use std::io::IsTerminal;

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Passwd {
    /// Read a password from stdin and print its verifier, for `[[users]]` in the configuration.
    Hash,
}

impl Passwd {
    pub(super) fn run(self) -> Outcome {
        let Self::Hash = self;
        if std::io::stdin().is_terminal() {
            prompt("password (it is shown as you type): ");
        }
        let mut line = String::new();
        std::io::stdin()
            .read_line(&mut line)
            .map_err(|error| Failure::new(Code::Failed, format!("cannot read stdin: {error}")))?;
        let password = line.trim_end_matches(['\r', '\n']);
        if password.is_empty() {
            return Err(Failure::new(Code::Usage, "no password on stdin"));
        }
        let verifier =
            verifier::of_password(password).map_err(|error| Failure::new(Code::Failed, error))?;
        super::print(&format!("{verifier}\n"))
    }
}

#[expect(clippy::print_stderr, reason = "a prompt, not output")]
fn prompt(text: &str) {
    eprint!("{text}");
}
