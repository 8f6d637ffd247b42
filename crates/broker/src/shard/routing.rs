//! Other ways for messages, as an operator lays them: an address that stands for another, or for
//! several.

use super::Shard;
use std::collections::BTreeMap;

/// Messages for an address go to others instead. What they are for is not looked at again: a target
/// is an address and no name of another way.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Detour {
    /// The virtual host.
    pub host: String,
    /// The address that senders use. They need permission for it, and not for the targets.
    pub address: String,
    /// Where its messages go. With one target, whoever receives from the address receives from the
    /// target.
    pub to: Vec<String>,
}

/// All detours.
#[derive(Debug, Default)]
pub(super) struct Detours(BTreeMap<String, BTreeMap<String, Vec<String>>>);

impl Detours {
    /// Where messages for an address go instead.
    pub(super) fn of(&self, host: &str, address: &str) -> Option<&[String]> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(host)?.get(address).map(Vec::as_slice)
    }

    /// What an address is another name of; itself, if it is none.
    pub(super) fn alias<'a>(&'a self, host: &str, address: &'a str) -> &'a str {
        match self.of(host, address) {
            Some([target]) => target,
            _ => address,
        }
    }
}

impl Shard {
    /// Detours instead of those before.
    pub fn set_detours(&mut self, detours: Vec<Detour>) {
        let mut all = Detours::default();
        for Detour { host, address, to } in detours {
            all.0.entry(host).or_default().insert(address, to);
        }
        self.detours = all;
        self.state.routes_version = self.state.routes_version.wrapping_add(1);
    }
}
