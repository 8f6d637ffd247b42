//! Room on the disk.

use std::path::Path;

/// Bytes that may still be written where a directory is; `None` if that cannot be said.
pub(crate) fn free_bytes(directory: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(directory).ok()?;
    system.f_bavail.checked_mul(system.f_frsize)
}
