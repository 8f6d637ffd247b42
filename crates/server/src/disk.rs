//! Room on the disk.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What a block of `st_blocks` holds, whatever the file system's own are.
const BLOCK_BYTES: u64 = 512;

/// Bytes that may still be written where a directory is; `None` if that cannot be said.
pub(crate) fn free_bytes(directory: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(directory).ok()?;
    system.f_bavail.checked_mul(system.f_frsize)
}

/// Bytes that the files of a directory take; `None` if that cannot be said.
pub(crate) fn used_bytes(directory: &Path) -> Option<u64> {
    let mut sum_bytes = 0_u64;
    for entry in std::fs::read_dir(directory).ok()? {
        let taken = match entry.and_then(|entry| entry.metadata()) {
            Ok(file) => file.blocks().saturating_mul(BLOCK_BYTES),
            // Removed just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(_) => return None,
        };
        sum_bytes = sum_bytes.saturating_add(taken);
    }
    Some(sum_bytes)
}
