//! AMQP 1.0 through a WebSocket. A line of an event begins with the link's name; `#` stands before
//! the id of a delivery.

mod closing;
mod links;
mod login;
mod outcomes;
mod receiving;
mod sending;

use wharf_amqp::messaging::{DeliveryState, Modified, Source};
use wharf_amqp::value::Fields;

const ACCEPTED: DeliveryState = DeliveryState::Accepted;
const RELEASED: DeliveryState = DeliveryState::Released;

fn modified(failed: bool, elsewhere: bool, message_annotations: Fields) -> DeliveryState {
    DeliveryState::Modified(Box::new(Modified {
        delivery_failed: Some(failed),
        undeliverable_here: Some(elsewhere),
        message_annotations,
    }))
}

fn source(address: &str) -> Source {
    Source { address: Some(address.to_owned()), ..Source::default() }
}
