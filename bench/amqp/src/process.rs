//! What a process has used, as the system counts it.

use crate::Failure;

/// What a process has used.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Processor time of all its threads, in seconds.
    pub cpu_s: f64,
    /// Memory that is resident now, in octets.
    pub resident_bytes: u64,
}

impl Usage {
    /// Looks.
    pub fn of(pid: u32) -> Result<Self, Failure> {
        let read = |name: &str| {
            let path = format!("/proc/{pid}/{name}");
            std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))
        };
        let stat = read("stat")?;
        // The name of the program is in brackets and may hold anything.
        let fields: Vec<&str> =
            stat.rsplit_once(')').ok_or("stat")?.1.split_ascii_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|it| it.parse::<u64>().ok()).ok_or("stat");
        let cpu_s =
            (ticks(11)? + ticks(12)?) as f64 / rustix::param::clock_ticks_per_second() as f64;
        let status = read("status")?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|it| it.trim().strip_suffix(" kB")?.trim().parse().ok());
        let resident: u64 = resident.ok_or("VmRSS")?;
        Ok(Self { cpu_s, resident_bytes: resident << 10 })
    }
}
