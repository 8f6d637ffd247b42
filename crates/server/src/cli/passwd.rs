//! `wharf passwd`: from a password to what is stored of it.

use super::exit::{Code, Failure, Outcome};
use crate::auth::verifier;
use clap::Subcommand;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
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
        let password = read()?;
        let verifier =
            verifier::of_password(&password).map_err(|error| Failure::new(Code::Failed, error))?;
        super::print(&format!("{verifier}\n"))
    }
}

/// Reads a password from stdin; a terminal does not show it.
pub(super) fn read() -> Result<String, Failure> {
    let silence = std::io::stdin().is_terminal().then(|| {
        prompt("password: ");
        Silence::begin()
    });
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    if silence.is_some() {
        drop(silence);
        prompt("\n");
    }
    read.map_err(|error| Failure::new(Code::Failed, format!("cannot read stdin: {error}")))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::new(Code::Usage, "no password on stdin"));
    }
    Ok(password.to_owned())
}

/// While it lives, the terminal does not show what is typed.
struct Silence(Option<Termios>);

impl Silence {
    fn begin() -> Self {
        let Ok(before) = tcgetattr(std::io::stdin()) else { return Self(None) };
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        // A terminal that cannot be silent shows the password to its user alone.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &quiet);
        Self(Some(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

#[expect(clippy::print_stderr, reason = "a prompt, not output")]
fn prompt(text: &str) {
    eprint!("{text}");
}
