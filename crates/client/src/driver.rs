//! The task of one client: a session, a pause, the next session.

use tokio::time::{Instant, sleep};
use wharf_ws::tokio::{Opened, serve};

use crate::outage::Outage;
use crate::session::{Core, Session};
use crate::transport::{Stream, Transport};
use crate::{Error, Options, State};

pub(crate) struct Driver {
    options: Options,
    transport: Transport,
    core: Core,
    outage: Outage,
}

impl Driver {
    pub(crate) fn new(options: Options, transport: Transport, core: Core) -> Self {
        let outage = Outage::new(options.retry);
        Driver { options, transport, core, outage }
    }

    /// Runs the client to its end, beginning with a session that is open.
    pub(crate) async fn run(mut self, first: Opened<Box<dyn Stream>>) {
        let config = self.options.socket();
        let mut opened = first;
        let why = loop {
            let session = Session::new(&mut self.core, self.options.close_timeout);
            let began = Instant::now();
            let closed = serve(opened, &config, session).await;
            let useful = self.core.take_progress();
            self.outage.session_lost(began.elapsed(), useful, Instant::now());
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
        loop {
            let failed = self.outage.attempts();
            let Some(pause) = self.outage.next_pause(dice(), Instant::now()) else {
                return Err(because);
            };
            self.core.set_state(State::Recovering { failed, because });
            let attempt = async {
                sleep(pause).await;
                self.transport.open().await
            };
            let opened = tokio::select! {
                opened = attempt => opened,
                () = self.core.wait_without_session(self.options.close_timeout) => {
                    return Err(Error::Closed);
                }
            };
            because = match opened {
                Ok(opened) => return Ok(opened),
                Err(error) if error.is_passing() => error,
                Err(error) => return Err(error),
            };
        }
    }
}

/// A random number. A system without entropy gets the whole pause.
fn dice() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX)
}
