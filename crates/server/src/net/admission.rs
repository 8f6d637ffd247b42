//! How many may be connected: in all, and from one network.

use super::peer::{Network, network_of};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections, and refuses what is too many before it costs memory.
#[derive(Debug)]
pub(crate) struct Admission {
    total_max: AtomicU32,
    per_network_max: AtomicU32,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    by_network: HashMap<Network, u32>,
}

/// Room for one connection, given back when dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    network: Network,
}

impl Admission {
    pub(crate) fn new(total_max: u32, per_network_max: u32) -> Arc<Self> {
        Arc::new(Self {
            total_max: AtomicU32::new(total_max),
            per_network_max: AtomicU32::new(per_network_max),
            counts: Mutex::default(),
        })
    }

    /// Other limits from now on; nobody who is here has to go.
    pub(crate) fn set_max(&self, total_max: u32, per_network_max: u32) {
        self.total_max.store(total_max, Ordering::Relaxed);
        self.per_network_max.store(per_network_max, Ordering::Relaxed);
    }

    /// Room for a connection from `address`, if there is any. Of a proxy that tells who comes it
    /// does not matter how many it has.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr, is_proxy: bool) -> Option<Admitted> {
        let network = network_of(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let of_network = counts.by_network.get(&network).copied().unwrap_or(0);
        let total_max = self.total_max.load(Ordering::Relaxed) as usize;
        let per_network_max = self.per_network_max.load(Ordering::Relaxed);
        if counts.total >= total_max || (!is_proxy && of_network >= per_network_max) {
            return None;
        }
        counts.total += 1;
        counts.by_network.insert(network, of_network + 1);
        Some(Admitted { admission: Arc::clone(self), network })
    }
}

impl Admitted {
    /// Counts the connection for another network: that of the client behind a proxy. Says whether
    /// there was room for it.
    pub(crate) fn move_to(&mut self, address: IpAddr) -> bool {
        let network = network_of(address);
        let mut counts = self.admission.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let of_network = counts.by_network.get(&network).copied().unwrap_or(0);
        if of_network >= self.admission.per_network_max.load(Ordering::Relaxed) {
            return false;
        }
        counts.by_network.insert(network, of_network + 1);
        counts.forget(std::mem::replace(&mut self.network, network));
        true
    }
}

impl Counts {
    fn forget(&mut self, network: Network) {
        if let Entry::Occupied(mut entry) = self.by_network.entry(network) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut counts = self.admission.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total = counts.total.saturating_sub(1);
        counts.forget(self.network);
    }
}

#[cfg(test)]
mod tests {
    use super::Admission;
    use std::net::{IpAddr, Ipv4Addr};

    fn address(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    #[test]
    fn one_network_cannot_take_every_place() {
        let admission = Admission::new(3, 2);
        let held = [address(1), address(1)].map(|from| admission.admit(from, false).unwrap());
        assert!(admission.admit(address(1), false).is_none(), "two of one network");
        let third = admission.admit(address(2), false).unwrap();
        assert!(admission.admit(address(3), false).is_none(), "three in all");
        drop(third);
        assert!(admission.admit(address(3), false).is_some());
        drop(held);

        // Behind a proxy each client counts for its own network.
        let mut behind = [(); 3].map(|()| admission.admit(address(9), true).unwrap());
        assert!(behind[0].move_to(address(1)) && behind[1].move_to(address(1)));
        assert!(!behind[2].move_to(address(1)), "two of one network");
        assert!(behind[2].move_to(address(2)));
        drop(behind);
        let counts = admission.counts.lock().unwrap();
        assert!(counts.total == 0 && counts.by_network.is_empty(), "nothing is kept");
    }
}
