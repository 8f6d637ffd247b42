//! The task of one client: a session, a pause, the next session.

use std::pin::pin;

use tokio::time::{Instant, sleep};
use wharf_ws::tokio::{Opened, serve};

use crate::session::{Core, Session};
use crate::transport::{Stream, Transport};
use crate::{Error, Options, State};

pub(crate) struct Driver {
    options: Options,
    transport: Transport,
    core: Core,
}

impl Driver {
    pub(crate) fn new(options: Options, transport: Transport, core: Core) -> Self {
        Driver { options, transport, core }
    }

    /// Runs the client to its end, beginning with a session that is open.
    pub(crate) async fn run(mut self, first: Opened<Box<dyn Stream>>) {
        let config = self.options.socket();
        let mut opened = first;
        let why = loop {
            let session = Session::new(&mut self.core, self.options.close_timeout);
            let closed = serve(opened, &config, session).await;
            let because = match self.core.session_lost(closed) {
                Ok(because) => because,
                Err(end) => break end,
            };
            match self.recover(because).await {
                Ok(next) => opened = next,
                Err(end) => break end,
            }
        };
        self.core.end(why);
    }

    /// Opens the next session, after pauses.
    async fn recover(&mut self, mut because: Error) -> Result<Opened<Box<dyn Stream>>, Error> {
        let began = Instant::now();
        for failed in 0u32.. {
            self.core.set_state(State::Recovering { failed, because });
            let pause = self.options.retry.delay(failed, dice());
            let attempt = async {
                sleep(pause).await;
                self.transport.open().await
            };
            let opened = tokio::select! {
                opened = pin!(attempt) => opened,
                () = self.core.wait_without_session(self.options.close_timeout) => {
                    return Err(Error::Closed);
                }
            };
            because = match opened {
                Ok(opened) => return Ok(opened),
                Err(error) if error.is_passing() => error,
                Err(error) => return Err(error),
            };
            if began.elapsed() >= self.options.retry.give_up_after {
                break;
            }
        }
        Err(because)
    }
}

/// A random number. A system without entropy gets the whole pause.
fn dice() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX)
}
