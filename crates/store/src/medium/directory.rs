//! A directory of a file system, locked for one process.

use super::{Medium, MediumFile};
use crate::error::OpenError;
use crate::limits::WRITE_PARTS_MAX;
use std::fs::{File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const LOCK_NAME: &str = "lock";

/// A directory of a file system. The lock is held until this is dropped, or the process dies.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// The directory itself, opened for `fsync`.
    handle: File,
    /// Holds the lock by being open.
    _lock: File,
}

impl Directory {
    /// Opens the directory, creating it when it is missing, and locks it.
    ///
    /// # Errors
    /// [`OpenError::Locked`] when another process has it, [`OpenError::Io`] when it cannot be
    /// created or written.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |action: &'static str| {
            let path = path.to_owned();
            move |source| OpenError::Io { action, place: path.display().to_string(), source }
        };
        if !path.is_dir() {
            std::fs::create_dir_all(path).map_err(failed("create the directory"))?;
            sync_parent(path).map_err(failed("sync the parent of the directory"))?;
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK_NAME))
            .map_err(failed("write in the directory"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Locked { directory: path.display().to_string() });
            }
            Err(TryLockError::Error(source)) => {
                return Err(failed("lock the directory")(source));
            }
        }
        let handle = File::open(path).map_err(failed("open the directory"))?;
        Ok(Self { path: path.to_owned(), handle, _lock: lock })
    }
}

/// Makes the name of a new directory durable.
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent)?.sync_all()
}

impl Medium for Directory {
    fn label(&self) -> String {
        self.path.display().to_string()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_type()?.is_file()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn MediumFile>> {
        let file = OpenOptions::new().read(true).write(true).open(self.path.join(name))?;
        Ok(Arc::new(DiskFile(file)))
    }

    fn create(&self, name: &str, len_bytes: u64) -> io::Result<Arc<dyn MediumFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(self.path.join(name))?;
        file.set_len(len_bytes)?;
        Ok(Arc::new(DiskFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path.join(name))
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.handle.sync_all()
    }

    fn nonce(&self) -> u64 {
        // Keyed from the system's entropy; a new instance is a new key stream position.
        RandomState::new().build_hasher().finish()
    }
}

#[derive(Debug)]
struct DiskFile(File);

impl MediumFile for DiskFile {
    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, position: u64, into: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(into, position)
    }

    fn write_at(&self, mut position: u64, mut parts: &mut [IoSlice<'_>]) -> io::Result<()> {
        while !parts.is_empty() {
            let group = &parts[..parts.len().min(WRITE_PARTS_MAX)];
            match rustix::io::pwritev(&self.0, group, position) {
                Ok(0) if group.iter().all(|part| part.is_empty()) => {
                    let group_len = group.len();
                    parts = &mut parts[group_len..];
                }
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    position += written as u64;
                    IoSlice::advance_slices(&mut parts, written);
                }
                // Nothing was written: the one case where asking again is the contract.
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}
