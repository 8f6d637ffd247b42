//! MBWS and MBLWS: one session after another, and the connection that outlives them.
//!
//! | module | what it owns |
//! |---|---|
//! | `session` | one connection: the protocol engine and everybody who waits for it |

mod session;

use std::future::Future;

use session::Core;

use crate::channels::Channels;
use crate::driver::{Driver, Way};
use crate::{Error, Options};

/// Opens the first session; the future runs the client to its end.
pub(crate) async fn start(
    options: Options,
    channels: Channels,
) -> Result<impl Future<Output = ()> + Send, Error> {
    let way = Way::new(&options)?;
    let first = way.open().await?;
    let core = Core::new(options.mbws_engine(), options.close_timeout, channels);
    Ok(Driver::new(options, way, core).run(first))
}
