//! AMQP 1.0, on a WebSocket or on a stream. One task has the connections, the links and the
//! messages of a client.
//!
//! What is unsettled when a connection breaks is sent again on the next, with an annotation that
//! says so: at least once. Links are attached anew; they are not resumed, so what the application
//! makes of a delivery of an earlier link is not told any more.
//!
//! | module | what it owns |
//! |---|---|
//! | `task` | the order of things, and the state of a client |
//! | `requests` | what the application asks for: messages, decisions, a wish to receive |
//! | `events` | what is done with each event of a connection, and with its end |
//! | `attaching` | which link is asked for, and on which connection |
//! | `lane`, `wire`, `login` | one connection: engine and timers, its octets, SASL |
//! | `spot` | where an address is served, and the link to it |
//! | `senders`, `receivers` | messages on their way, and credit for those that come |
//! | `content`, `named` | messages as AMQP sections; properties and values as text |
//! | `directions` | what redirects and refusals say |

mod attaching;
mod content;
mod directions;
mod events;
mod lane;
mod login;
mod named;
mod receivers;
mod requests;
mod senders;
mod spot;
mod task;
mod wire;

use std::future::Future;
use std::io;

use data_encoding::HEXLOWER;
use task::Task;

use crate::channels::Channels;
use crate::net::{Trail, Transport};
use crate::{Error, Options};

/// Opens the first connection; the future runs the client to its end.
pub(crate) async fn start(
    options: Options,
    channels: Channels,
) -> Result<impl Future<Output = ()> + Send, Error> {
    let (transport, place) = Transport::new(&options)?;
    let container = match &options.container {
        Some(name) => name.clone(),
        None => random_name()?,
    };
    let trail = Trail::new(options.follow_less_secure);
    let reached = transport.open(place.clone(), trail).await?;
    Ok(Task::new(options, container, transport, channels, (place, reached)).run())
}

/// A name that no other container has.
fn random_name() -> Result<String, Error> {
    let mut octets = [0; 12];
    getrandom::fill(&mut octets).map_err(|error| Error::from(io::Error::other(error)))?;
    Ok(format!("wharf-client-{}", HEXLOWER.encode(&octets)))
}
