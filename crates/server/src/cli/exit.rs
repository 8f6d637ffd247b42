//! How a verb ends: the exit codes, and the one line on stderr.

use std::fmt;
use std::process::ExitCode;

/// The exit codes. Scripts rely on them; they do not change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Code {
    /// It was tried and did not work out.
    Failed = 1,
    /// What was asked for is not there.
    NotFound = 2,
    /// Some of it was done.
    Partial = 3,
    /// The command line makes no sense.
    Usage = 64,
    /// The broker cannot be reached, or the address to listen on cannot be had.
    Unavailable = 69,
    /// The broker does not let this user do that.
    Denied = 77,
    /// The configuration is wrong.
    Config = 78,
    /// It took longer than allowed.
    Timeout = 124,
}

/// Why a verb did not end well.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: Code,
    /// One line for people.
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl fmt::Display) -> Self {
        Self { code, message: message.to_string() }
    }
}

/// How every verb ends.
pub(crate) type Outcome = Result<(), Failure>;

/// Says on stderr what went wrong, if anything did.
#[expect(clippy::print_stderr, reason = "the one place where a verb's failure is told")]
pub(crate) fn report(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                eprintln!("wharf: {}", failure.message);
            }
            ExitCode::from(failure.code as u8)
        }
    }
}
