//! The seam under the journal: everything it asks of a disk, and nothing more. Production uses
//! [`Directory`]; [`SimulatedMedium`] loses power at will.

mod directory;
mod simulated;

pub use directory::Directory;
pub use simulated::{CrashPlan, SimulatedMedium};

use std::fmt;
use std::io::{self, IoSlice};
use std::sync::Arc;

/// A flat set of named files.
///
/// What the journal relies on is listed in `docs/design/storage-format.md`, "Assumptions about
/// the media". All methods may block; all take `&self` and may be called from any thread.
pub trait Medium: fmt::Debug + Send + Sync + 'static {
    /// What to call this medium in a message to the operator: the path of a directory.
    fn label(&self) -> String;

    /// Names of all files, in any order.
    ///
    /// # Errors
    /// Whatever the medium reports; so for every method here.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Opens an existing file for reading and writing.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    fn open(&self, name: &str) -> io::Result<Arc<dyn MediumFile>>;

    /// Creates a file of `len_bytes` zeros; an existing file of that name is emptied first.
    /// Its name is durable only after [`Medium::sync_directory`].
    ///
    /// # Errors
    /// `StorageFull` among others.
    fn create(&self, name: &str, len_bytes: u64) -> io::Result<Arc<dyn MediumFile>>;

    /// Gives a file another name, replacing what had that name, in one step.
    ///
    /// # Errors
    /// As reported by the medium.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. Open handles go on working.
    ///
    /// # Errors
    /// As reported by the medium.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Returns when every creation, renaming and removal so far is durable.
    ///
    /// # Errors
    /// Final: what was asked for may or may not have happened.
    fn sync_directory(&self) -> io::Result<()>;

    /// A number that nobody who sends messages can guess.
    fn nonce(&self) -> u64;
}

/// One file of a [`Medium`].
pub trait MediumFile: fmt::Debug + Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    /// As reported by the medium; so for every method here.
    fn len_bytes(&self) -> io::Result<u64>;

    /// Fills `into` from `position` on.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file ends before.
    fn read_at(&self, position: u64, into: &mut [u8]) -> io::Result<()>;

    /// Writes all parts, one after the other, from `position` on. The slices are used up.
    ///
    /// # Errors
    /// Final: any part may have been written.
    fn write_at(&self, position: u64, parts: &mut [IoSlice<'_>]) -> io::Result<()>;

    /// Returns when every write so far, and the length, is durable.
    ///
    /// # Errors
    /// Final: never call again in the hope of a better answer, the medium may have forgotten
    /// the writes.
    fn sync_data(&self) -> io::Result<()>;
}
