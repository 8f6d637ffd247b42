//! XMPP on a WebSocket (RFC 7395), with stream management: what is sent is stored once and what is
//! received comes once, over any number of lost connections and restarts of the broker.
//!
//! An address `orders` is `orders@mq.HOST`; `xmpp:alice@example.com` is the person. Whoever
//! receives what comes for its own account is available from then on.
//!
//! | module | what it owns |
//! |---|---|
//! | `conversation` | what outlives a WebSocket: the stream's numbers, and the order of things |
//! | `session` | one WebSocket: engine, timers, output |
//! | `inbound` | what is done with each event |
//! | `outbound` | stanzas that are not acknowledged |
//! | `wishes` | what is to be received, said again on every new stream |
//! | `names`, `stanzas` | addresses and messages in the words of XMPP |
//! | `faults` | why a stream or a login ended |

mod conversation;
mod faults;
mod inbound;
mod names;
mod outbound;
mod session;
mod stanzas;
mod wishes;

use std::future::Future;

use crate::channels::Channels;
use crate::driver::{Driver, Way};
use crate::{Error, Options};
use conversation::Core;

/// Opens the first session; the future runs the client to its end.
pub(crate) async fn start(
    options: Options,
    channels: Channels,
) -> Result<impl Future<Output = ()> + Send, Error> {
    let way = Way::new(&options)?;
    let core = Core::new(&options, way.hostname(), channels);
    let first = way.open().await?;
    Ok(Driver::new(options, way, core).run(first))
}
