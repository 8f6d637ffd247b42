//! A ration of wrong passwords for each IP address.

use crate::net::peer::{Network, network_of};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);

/// Most networks watched. An attacker with more addresses than this is slowed by the number of
/// concurrent checks alone.
const NETWORKS_MAX: usize = 65_536;

#[derive(Debug)]
pub(super) struct Throttle {
    failures_max: AtomicU32,
    windows: Mutex<HashMap<Network, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Instant,
    /// Checks begun in this window that have not turned out right.
    failures: u32,
}

impl Throttle {
    pub(super) fn new(failures_max: u32) -> Self {
        Self { failures_max: AtomicU32::new(failures_max), windows: Mutex::default() }
    }

    pub(super) fn set_max(&self, failures_max: u32) {
        self.failures_max.store(failures_max, Ordering::Relaxed);
    }

    /// Takes one try before the check, so that tries in parallel count. `Err`: seconds to wait.
    pub(super) fn take(&self, from: IpAddr, now: Instant) -> Result<(), u64> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= NETWORKS_MAX {
            windows.retain(|_, window| now.duration_since(window.began) < WINDOW);
        }
        if windows.len() >= NETWORKS_MAX {
            return Ok(());
        }
        let window = windows.entry(network_of(from)).or_insert(Window { began: now, failures: 0 });
        let age = now.duration_since(window.began);
        if age >= WINDOW {
            *window = Window { began: now, failures: 0 };
        } else if window.failures >= self.failures_max.load(Ordering::Relaxed) {
            return Err((WINDOW - age).as_secs() + 1);
        }
        window.failures += 1;
        Ok(())
    }

    /// The password was right: the try does not count.
    pub(super) fn give_back(&self, from: IpAddr) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.get_mut(&network_of(from)) {
            window.failures = window.failures.saturating_sub(1);
        }
    }
}
