//! The deadlines of one connection.
//!
//! The clock enters through [`Timers::expire`] alone, so that the path of a message never reads
//! it: what happens meanwhile only marks a timer as due, and the driver comes back with the time.

use std::time::{Duration, Instant};

use crate::limits::Config;

/// When the driver has to call [`Connection::handle_timeout`](crate::Connection::handle_timeout).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// As soon as it can: a timer was started and does not know the time yet.
    Now,
    /// At this instant, unless something else is due earlier by then.
    At(Instant),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    Off,
    Started,
    At(Instant),
}

/// What a timer that ran out asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    /// Send a Ping.
    Ping,
    /// Nothing was heard since the last Ping.
    Silence,
    /// The peer did not close in time.
    Close,
}

#[derive(Debug)]
pub(crate) struct Timers {
    close: Timer,
    keepalive: Timer,
    /// A Ping is out, and `keepalive` runs to the end of the peer's time for an answer.
    pinged: bool,
    /// Something was received since the last look.
    pub(crate) heard: bool,
    close_timeout: Duration,
    ping_interval: Duration,
    pong_timeout: Duration,
}

impl Timers {
    pub(crate) fn new(config: &Config) -> Timers {
        let keepalive = if config.ping_interval.is_some() { Timer::Started } else { Timer::Off };
        Timers {
            close: Timer::Off,
            keepalive,
            pinged: false,
            heard: false,
            close_timeout: config.close_timeout,
            ping_interval: config.ping_interval.unwrap_or_default(),
            pong_timeout: config.pong_timeout,
        }
    }

    /// Our Close is on its way, or both are: from here on the peer has `close_timeout`.
    pub(crate) fn start_close(&mut self) {
        self.close = Timer::Started;
    }

    pub(crate) fn stop(&mut self) {
        (self.close, self.keepalive) = (Timer::Off, Timer::Off);
    }

    pub(crate) fn stop_keepalive(&mut self) {
        self.keepalive = Timer::Off;
    }

    pub(crate) fn due(&self) -> Option<Due> {
        match (self.close, self.keepalive) {
            (Timer::Started, _) | (_, Timer::Started) => Some(Due::Now),
            (Timer::At(close), Timer::At(keepalive)) => Some(Due::At(close.min(keepalive))),
            (Timer::At(at), Timer::Off) | (Timer::Off, Timer::At(at)) => Some(Due::At(at)),
            (Timer::Off, Timer::Off) => None,
        }
    }

    pub(crate) fn expire(&mut self, now: Instant) -> Option<Expired> {
        match self.close {
            Timer::Started => self.close = after(now, self.close_timeout),
            Timer::At(at) if at <= now => {
                self.stop();
                return Some(Expired::Close);
            }
            Timer::At(_) | Timer::Off => {}
        }
        match self.keepalive {
            Timer::Started => self.keepalive = after(now, self.ping_interval),
            Timer::At(at) if at <= now => return self.look(now),
            Timer::At(_) | Timer::Off => {}
        }
        None
    }

    /// Anything that was received is a sign of life, not only a Pong.
    fn look(&mut self, now: Instant) -> Option<Expired> {
        if std::mem::take(&mut self.heard) {
            self.pinged = false;
            self.keepalive = after(now, self.ping_interval);
            return None;
        }
        if self.pinged {
            self.stop();
            return Some(Expired::Silence);
        }
        self.pinged = true;
        self.keepalive = after(now, self.pong_timeout);
        Some(Expired::Ping)
    }
}

/// A timer that is further off than the clock can count never runs out.
fn after(now: Instant, delay: Duration) -> Timer {
    now.checked_add(delay).map_or(Timer::Off, Timer::At)
}
