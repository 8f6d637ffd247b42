//! The task of one client: a session, a pause, the next session.

use tokio::time::{Instant, sleep};
use wharf_ws::tokio::{Opened, serve};

use super::session::{Core, Session};
use crate::net::{BoxStream, Carrier, Outage, Place, Trail, Transport, dice};
use crate::{Error, Options, State};

pub(crate) struct Driver {
    options: Options,
    way: Way,
    core: Core,
    outage: Outage,
}

/// The way to the broker.
pub(crate) struct Way {
    transport: Transport,
    place: Place,
    follow_less_secure: bool,
}

impl Way {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let (transport, place) = Transport::new(options)?;
        Ok(Way { transport, place, follow_less_secure: options.follow_less_secure })
    }

    /// Opens a session.
    pub(crate) async fn open(&self) -> Result<Opened<BoxStream>, Error> {
        let trail = Trail::new(self.follow_less_secure);
        match self.transport.open(self.place.clone(), trail).await?.carrier {
            Carrier::WebSocket(opened) => Ok(opened),
            // Not reached: the place is one of a WebSocket.
            Carrier::Stream(_) => Err(Error::Subprotocol),
        }
    }
}

impl Driver {
    pub(crate) fn new(options: Options, way: Way, core: Core) -> Self {
        let outage = Outage::new(options.retry);
        Driver { options, way, core, outage }
    }

    /// Runs the client to its end, beginning with a session that is open.
    pub(crate) async fn run(mut self, first: Opened<BoxStream>) {
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
    async fn recover(&mut self, mut because: Error) -> Result<Opened<BoxStream>, Error> {
        loop {
            let failed = self.outage.attempts();
            let Some(pause) = self.outage.next_pause(dice(), Instant::now()) else {
                return Err(because);
            };
            self.core.set_state(State::Recovering { failed, because });
            let attempt = async {
                sleep(pause).await;
                self.way.open().await
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
