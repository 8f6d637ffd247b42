//! Addresses as an operator sees them; declaring and deleting them.

use super::queues::QueueView;
use crate::output::Refusal;
use crate::policy::{AddressKind, DYNAMIC_PREFIX};
use crate::record::{AddressId, Record};
use crate::shard::Shard;
use crate::shard::route::{is_reserved, is_valid_name};
use crate::state::Address;
use std::ops::Bound;

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

impl Shard {
    /// Every virtual host with an address, in order.
    pub fn host_names(&self) -> impl Iterator<Item = &str> + '_ {
        self.state.names.keys().map(String::as_str)
    }

    /// Addresses of a host in the order of their names, behind `after`. Those of people are not
    /// among them. Each costs as much as it has queues: who wants all of them takes them in parts.
    pub fn addresses_after<'a>(
        &'a self,
        host: &str,
        after: Option<&str>,
    ) -> impl Iterator<Item = &'a str> + use<'a> {
        let behind = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let names = self.state.names.get(host).map(|names| names.range::<str, _>(behind));
        let names = names.into_iter().flatten();
        let named = names.filter_map(|(name, id)| Some((name, self.state.addresses.get(id)?)));
        named.filter(|(_, address)| !address.is_mailbox()).map(|(name, _)| name.as_ref())
    }

    /// One address.
    #[must_use]
    pub fn address_view(&self, host: &str, name: &str) -> Option<AddressView> {
        let address = self.known_address(host, name)?.1;
        let mut view = AddressView {
            host: address.host.clone(),
            name: address.name.to_string(),
            is_topic: address.kind == AddressKind::Topic,
            is_dynamic: address.dynamic.is_some(),
            ..AddressView::default()
        };
        for queue in address.queues.iter().filter_map(|id| self.queue_view(*id)) {
            let QueueView { messages_ready, messages_out, messages_bytes, consumers, .. } = queue;
            view.subscriptions = view.subscriptions.saturating_add(u64::from(view.is_topic));
            view.messages_ready = view.messages_ready.saturating_add(messages_ready);
            view.messages_out = view.messages_out.saturating_add(messages_out);
            view.messages_bytes = view.messages_bytes.saturating_add(messages_bytes);
            view.consumers = view.consumers.saturating_add(consumers);
        }
        Some(view)
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
