//! Addresses as an operator sees them; declaring and deleting them.

use crate::output::Refusal;
use crate::policy::{AddressKind, DYNAMIC_PREFIX, SYSTEM_PREFIX};
use crate::record::{AddressId, Record};
use crate::shard::Shard;
use crate::shard::route::{is_reserved, is_valid_name};
use crate::state::Address;
use std::ops::Bound;
use std::sync::Arc;

/// An address and what is in it now.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AddressView {
    /// The virtual host.
    pub host: String,
    /// Its name.
    pub name: String,
    /// Whether each message goes to every subscription.
    pub is_topic: bool,
    /// Whether a client made it for as long as it needs it.
    pub is_dynamic: bool,
    /// Subscriptions of a topic; 0 for a queue.
    pub subscriptions: u64,
    /// Messages that wait for a consumer, in all queues of the address.
    pub messages_ready: u64,
    /// Messages that are out to a session.
    pub messages_out: u64,
    /// Bodies of both, in bytes.
    pub messages_bytes: u64,
    /// Consumers.
    pub consumers: u64,
}

/// What lists of addresses are sorted by.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AddressCounts {
    /// As in [`AddressView`].
    pub is_topic: bool,
    /// As in [`AddressView`].
    pub messages_ready: u64,
    /// As in [`AddressView`].
    pub messages_out: u64,
    /// As in [`AddressView`].
    pub messages_bytes: u64,
    /// As in [`AddressView`].
    pub consumers: u64,
}

impl Shard {
    /// Every virtual host with an address, in order.
    pub fn host_names(&self) -> impl Iterator<Item = &str> + '_ {
        self.state.names.keys().map(String::as_str)
    }

    /// Addresses of a host in the order of their names, behind `after`. Those of people and
    /// the broker's own topics are not among them. Each costs as much as it has queues: who wants all of them takes them in parts.
    pub fn addresses_after<'a>(
        &'a self,
        host: &str,
        after: Option<&str>,
    ) -> impl Iterator<Item = &'a str> + use<'a> {
        self.known_after(host, after).map(|(name, _)| name.as_ref())
    }

    /// The same with what is in each: far cheaper than a view of each.
    pub fn counts_after<'a>(
        &'a self,
        host: &str,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a Arc<str>, AddressCounts)> + use<'a> {
        self.known_after(host, after).map(|(name, address)| (name, self.counts_of(address)))
    }

    fn known_after<'a>(
        &'a self,
        host: &str,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Address)> + use<'a> {
        let behind = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let names = self.state.names.get(host).map(|names| names.range::<str, _>(behind));
        let names = names.into_iter().flatten();
        let named = names.filter_map(|(name, id)| Some((name, self.state.addresses.get(id)?)));
        let is_own = |name: &str| name.starts_with(SYSTEM_PREFIX);
        named.filter(move |(name, address)| !address.is_mailbox() && !is_own(name))
    }

    fn counts_of(&self, address: &Address) -> AddressCounts {
        let is_topic = address.kind == AddressKind::Topic;
        let mut counts = AddressCounts { is_topic, ..AddressCounts::default() };
        for queue in address.queues.iter().filter_map(|id| self.state.queues.get(id)) {
            let (all, out) = (queue.len() as u64, queue.out_len() as u64);
            let ready = all.saturating_sub(out);
            counts.messages_ready = counts.messages_ready.saturating_add(ready);
            counts.messages_out = counts.messages_out.saturating_add(out);
            counts.messages_bytes = counts.messages_bytes.saturating_add(queue.bytes());
            let consumers = queue.consumers().len() as u64;
            counts.consumers = counts.consumers.saturating_add(consumers);
        }
        counts
    }

    /// One address.
    #[must_use]
    pub fn address_view(&self, host: &str, name: &str) -> Option<AddressView> {
        let address = self.known_address(host, name)?.1;
        let AddressCounts { is_topic, messages_ready, messages_out, messages_bytes, consumers } =
            self.counts_of(address);
        Some(AddressView {
            host: address.host.clone(),
            name: address.name.to_string(),
            is_topic,
            is_dynamic: address.dynamic.is_some(),
            subscriptions: if is_topic { address.queues.len() as u64 } else { 0 },
            messages_ready,
            messages_out,
            messages_bytes,
            consumers,
        })
    }

    /// An address that is no person's.
    pub(super) fn known_address(&self, host: &str, name: &str) -> Option<(AddressId, &Address)> {
        let id = self.state.find_address(host, name)?;
        let address = self.state.addresses.get(&id).filter(|address| !address.is_mailbox())?;
        Some((id, address))
    }

    /// Makes an address; tells whether it is new. Without a kind its policy says what it becomes.
    ///
    /// # Errors
    /// The name cannot be had, or the address is of another kind.
    pub fn declare_address(
        &mut self,
        host: &str,
        name: &str,
        kind: Option<AddressKind>,
    ) -> Result<bool, Refusal> {
        // A dynamic one is made by a link alone, which it goes with.
        if !is_valid_name(name) || is_reserved(name) || name.starts_with(DYNAMIC_PREFIX) {
            return Err(Refusal::InvalidAddress);
        }
        if let Some((_, known)) = self.known_address(host, name) {
            let same = kind.is_none_or(|kind| kind == known.kind);
            return if same { Ok(false) } else { Err(Refusal::WrongKind) };
        }
        let kind = kind.unwrap_or_else(|| self.policies.of(name).kind);
        let (host, name) = (host.to_owned(), name.to_owned());
        self.record(&Record::Address { host, name, kind, dynamic: None });
        Ok(true)
    }

    /// Deletes an address with what is in it and not out; its consumers and senders are told. What
    /// is out may still be accepted. Tells whether there was one.
    pub fn delete_address(&mut self, host: &str, name: &str) -> bool {
        let found = self.known_address(host, name).map(|(id, _)| id);
        if let Some(id) = found {
            self.delete(id);
        }
        found.is_some()
    }
}
