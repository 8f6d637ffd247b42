//! MBWS and MBLWS: one session after another, and the connection that outlives them.
//!
//! | module | what it owns |
//! |---|---|
//! | `driver` | the task: a session, a pause, the next session |
//! | `session`, `acks` | one connection: the protocol engine and everybody who waits for it |

mod acks;
mod driver;
mod session;

use std::future::Future;

use driver::{Driver, Way};
use session::Core;

use crate::channels::Channels;
use crate::{Error, Options};

/// Opens the first session; the future runs the client to its end.
pub(crate) async fn start(
    options: Options,
    channels: Channels,
) -> Result<impl Future<Output = ()> + Send, Error> {
    let way = Way::new(&options)?;
    let first = way.open().await?;
    let core = Core::new(options.mbws_engine(), channels);
    Ok(Driver::new(options, way, core).run(first))
}
