//! What the kernel knows of the server: processor time and resident memory.

use std::fs;
use std::io;

/// A process that is being measured.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    /// Nanoseconds that all its threads have spent on a processor.
    pub fn cpu_ns(self) -> io::Result<u64> {
        let mut total = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.0))? {
            // The first of three numbers; a thread that just ended counts as 0.
            let text = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            let on_cpu =
                text.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
            total += on_cpu.unwrap_or(0);
        }
        Ok(total)
    }

    /// Resident memory in bytes. Sockets' buffers are the kernel's and not in it.
    pub fn resident_bytes(self) -> io::Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.map(|kib| kib * 1024).ok_or_else(|| io::Error::other("no VmRSS"))
    }
}
