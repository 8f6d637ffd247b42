//! The task of a client that has one WebSocket at a time: a session, a pause, the next session.

use std::task::{Context, Poll};

use tokio::time::{Instant, sleep};
use wharf_ws::tokio::{Handler, Opened, serve};
use wharf_ws::{Closed, ClosedBy};

use crate::net::{BoxStream, Carrier, Outage, Place, Security, Trail, Transport, dice};
use crate::{Error, Options, State};

/// What outlives a WebSocket: the protocol's connection, and everybody who waits for it.
pub(crate) trait Conversation: Send {
    /// The conversation on one WebSocket.
    type Session<'c>: Handler + Unpin + Send
    where
        Self: 'c;

    /// A WebSocket is open.
    ///
    /// # Errors
    /// Nothing can be said on it.
    fn session(&mut self, security: Security) -> Result<Self::Session<'_>, Error>;

    /// Whether the session that ended got something done.
    fn take_progress(&mut self) -> bool;

    /// The session is over. `Ok` says why, if it is worth another.
    fn session_lost(&mut self, closed: Closed) -> Result<Error, Error>;

    /// Where the broker has sent the client when the session ended.
    fn take_redirect(&mut self) -> Option<String> {
        None
    }

    fn set_state(&self, state: State);

    /// What the application does while there is no session. Ready when a close is due.
    fn poll_without_session(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// The client has ended.
    fn end(self, why: Error);
}

/// One client.
pub(crate) struct Driver<C> {
    options: Options,
    way: Way,
    core: C,
    outage: Outage,
}

/// The way to the broker.
pub(crate) struct Way {
    transport: Transport,
    /// Where the options say.
    origin: Place,
    /// Where it is now.
    place: Place,
    trail: Trail,
}

/// A WebSocket, and what is known of the way that it takes.
pub(crate) type Reached = (Opened<BoxStream>, Security);

impl Way {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let (transport, origin) = Transport::new(options)?;
        let (place, trail) = (origin.clone(), Trail::new(options.follow_less_secure));
        Ok(Way { transport, origin, place, trail })
    }

    /// The name of the place that the options say; an IPv6 address in brackets.
    pub(crate) fn hostname(&self) -> &str {
        self.origin.hostname()
    }

    /// Opens a session.
    pub(crate) async fn open(&self) -> Result<Reached, Error> {
        let reached = self.transport.open(self.place.clone(), self.trail.clone()).await?;
        match reached.carrier {
            Carrier::WebSocket(opened) => Ok((opened, reached.security)),
            // Not reached: the place is one of a WebSocket.
            Carrier::Stream(_) => Err(Error::Subprotocol),
        }
    }

    /// The broker says where to go on.
    // XWS-060, XWS-061.
    fn send_to(&mut self, url: &str) -> Result<(), Error> {
        let next = self.place.located(url).map_err(Error::Redirect)?;
        self.trail.follow((&self.place, ""), (&next, "")).map_err(Error::Redirect)?;
        self.place = next;
        Ok(())
    }

    /// The next attempt is made where the first one was.
    fn return_to_origin(&mut self) {
        self.place = self.origin.clone();
        self.trail.forget();
    }
}

impl<C: Conversation> Driver<C> {
    pub(crate) fn new(options: Options, way: Way, core: C) -> Self {
        let outage = Outage::new(options.retry);
        Driver { options, way, core, outage }
    }

    /// Runs the client to its end, beginning with a session that is open.
    pub(crate) async fn run(mut self, first: Reached) {
        let config = self.options.socket();
        let mut reached = first;
        let why = loop {
            let (opened, security) = reached;
            let session = match self.core.session(security) {
                Ok(session) => session,
                Err(end) => break end,
            };
            let began = Instant::now();
            let closed = serve(opened, &config, session).await;
            let useful = self.core.take_progress();
            self.outage.session_lost(began.elapsed(), useful, Instant::now());
            if useful {
                self.way.trail.forget();
            }
            let because = match self.core.session_lost(closed) {
                Ok(because) => because,
                Err(end) => break end,
            };
            match self.go_on(because).await {
                Ok(next) => reached = next,
                Err(end) => break end,
            }
        };
        self.core.end(why);
    }

    /// Opens the next session: at once where the broker has sent us, else after pauses.
    async fn go_on(&mut self, because: Error) -> Result<Reached, Error> {
        let because = match self.core.take_redirect() {
            None => because,
            Some(url) => {
                self.way.send_to(&url)?;
                match self.way.open().await {
                    Ok(reached) => return Ok(reached),
                    Err(error) if error.is_passing() => error,
                    Err(error) => return Err(error),
                }
            }
        };
        self.recover(because).await
    }

    async fn recover(&mut self, mut because: Error) -> Result<Reached, Error> {
        loop {
            let failed = self.outage.attempts();
            let Some(pause) = self.outage.next_pause(dice(), Instant::now()) else {
                return Err(because);
            };
            self.core.set_state(State::Recovering { failed, because });
            let (core, way) = (&mut self.core, &self.way);
            let attempt = async {
                sleep(pause).await;
                way.open().await
            };
            let opened = tokio::select! {
                opened = attempt => opened,
                () = std::future::poll_fn(|cx| core.poll_without_session(cx)) => {
                    return Err(Error::Closed);
                }
            };
            because = match opened {
                Ok(opened) => return Ok(opened),
                Err(error) if error.is_passing() => error,
                Err(error) => return Err(error),
            };
            self.way.return_to_origin();
        }
    }
}

/// Why a WebSocket was lost; `Err` if the next one would be too.
pub(crate) fn lost_because(closed: Closed) -> Result<Error, Error> {
    match closed.by {
        ClosedBy::Us => Err(Error::Closed),
        ClosedBy::Violation(_) => Err(Error::Protocol("invalid WebSocket frames")),
        ClosedBy::Peer => {
            let code = closed.code.number();
            let rejected = Error::Rejected { code, reason: closed.reason };
            // MBWS-A09: what a restart or an overload says leaves the connection alone. To
            // anything else the same answer would come again.
            let passing = matches!(code, 1001 | 1006 | 1011 | 1012 | 1013 | 1014);
            if passing { Ok(rejected) } else { Err(rejected) }
        }
        ClosedBy::Transport => Ok(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()),
        ClosedBy::CloseTimeout | ClosedBy::PongTimeout => Ok(Error::Timeout),
    }
}
