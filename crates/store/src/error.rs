//! Why a journal cannot be opened: the place, and what to do about it.

use std::error::Error;
use std::fmt;
use std::io;
use wharf_broker::journal::{JournalFailure, Lsn};

/// Bytes that were durable and are no longer what was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Damage {
    /// The data directory.
    pub directory: String,
    /// The file within it.
    pub file: String,
    /// Where in the file, in bytes from its start.
    pub offset_bytes: u64,
    /// The frame that should be there.
    pub lsn: Lsn,
    /// What is wrong, and how we know that it was right.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { directory, file, offset_bytes, lsn, what } = self;
        write!(
            f,
            "the journal is damaged: {file} at byte {offset_bytes}, frame {lsn}: {what}. \
             Nothing was changed. Restore {directory} from a copy, or keep what is provably good \
             with: wharf salvage --data {directory}"
        )
    }
}

impl From<Damage> for JournalFailure {
    fn from(damage: Damage) -> Self {
        Self { reason: damage.to_string(), fenced: false }
    }
}

/// Why [`crate::open`] refused.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has the directory.
    Locked {
        /// The data directory.
        directory: String,
    },
    /// The system refused an operation.
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or directory.
        place: String,
        /// The system's answer.
        source: io::Error,
    },
    /// Bytes that were durable are damaged or missing.
    Damaged(Damage),
    /// A file was written by a newer version of this program.
    NewerFormat {
        /// The file.
        file: String,
        /// Its format version.
        version: u16,
    },
    /// An option is out of its bounds.
    Options(&'static str),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { directory } => write!(
                f,
                "another process uses the data directory {directory}; stop it, or choose \
                 another directory"
            ),
            Self::Io { action, place, source } => {
                write!(f, "cannot {action}: {place}: {}", describe(source))
            }
            Self::Damaged(damage) => damage.fmt(f),
            Self::NewerFormat { file, version } => write!(
                f,
                "{file} has storage format {version}, this program knows {}; use the newer \
                 program that wrote it",
                crate::layout::FORMAT_VERSION
            ),
            Self::Options(what) => write!(f, "bad storage option: {what}"),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<OpenError> for JournalFailure {
    fn from(error: OpenError) -> Self {
        Self { reason: error.to_string(), fenced: false }
    }
}

impl From<Damage> for OpenError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

/// The system's answer, with the remedy where there is an obvious one.
pub(crate) fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => {
            format!("{error}; the disk is full: free some space, then start again")
        }
        io::ErrorKind::QuotaExceeded => {
            format!("{error}; the disk quota is used up: raise it, then start again")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("{error}; the user that runs the broker must be able to write there")
        }
        _ => error.to_string(),
    }
}

/// The failure that ends a journal.
pub(crate) fn failure(action: &str, place: &str, source: &io::Error) -> JournalFailure {
    let reason = format!("cannot {action}: {place}: {}", describe(source));
    JournalFailure { reason, fenced: false }
}
