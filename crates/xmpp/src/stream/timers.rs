//! Deadlines and delays of a stream.
//!
//! What is done for each message sets flags; the clock is looked at when a timer fires. A timer
//! that is wanted begins with the next `handle_timeout`, which `poll_timeout` asks for at once.

use std::time::{Duration, Instant};

/// When `handle_timeout` is due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Due {
    /// At once: a timer has begun and must learn the time.
    Now,
    /// At this time.
    At(Instant),
}

#[derive(Clone, Copy, Debug, Default)]
enum Timer {
    #[default]
    Off,
    Wanted(Duration),
    Running(Instant),
}

impl Timer {
    fn due(self) -> Option<Due> {
        match self {
            Self::Off => None,
            Self::Wanted(_) => Some(Due::Now),
            Self::Running(at) => Some(Due::At(at)),
        }
    }

    /// Begins if wanted; says whether it fired, and is off then.
    fn tick(&mut self, now: Instant) -> bool {
        match *self {
            Self::Off => false,
            Self::Wanted(delay) => {
                *self = now.checked_add(delay).map_or(Self::Off, Self::Running);
                false
            }
            Self::Running(at) if at <= now => {
                *self = Self::Off;
                true
            }
            Self::Running(_) => false,
        }
    }

    fn want(&mut self, delay: Duration) {
        if matches!(self, Self::Off) {
            *self = Self::Wanted(delay);
        }
    }
}

/// What fired.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Fired {
    /// The stage has lasted too long.
    pub(crate) stage: bool,
    /// Nothing came for some time: ask whether the peer is there.
    pub(crate) ping: bool,
    /// It was asked, and nothing came.
    pub(crate) gone: bool,
    /// Stanzas were sent some time ago: ask for their acknowledgement.
    pub(crate) request: bool,
    /// The peer asked for an acknowledgement some time ago: give what there is.
    pub(crate) answer: bool,
}

/// How long a peer may be silent.
#[derive(Clone, Copy, Debug)]
struct Watch {
    after: Duration,
    timeout: Duration,
}

/// The timers of one stream.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    stage: Timer,
    silence: Timer,
    request: Timer,
    answer: Timer,
    watch: Option<Watch>,
    /// Something came since `silence` began.
    pub(crate) heard: bool,
    pinged: bool,
}

impl Timers {
    /// The stage may last so long.
    pub(crate) fn begin_stage(&mut self, longest: Duration) {
        self.stage = Timer::Wanted(longest);
    }

    pub(crate) fn end_stage(&mut self) {
        self.stage = Timer::Off;
    }

    /// The peer is asked after so long a silence, and given so long for an answer.
    pub(crate) fn watch(&mut self, after: Duration, timeout: Duration) {
        self.watch = Some(Watch { after, timeout });
        self.silence = Timer::Wanted(after);
    }

    pub(crate) fn request_within(&mut self, delay: Duration) {
        self.request.want(delay);
    }

    pub(crate) fn answer_within(&mut self, delay: Duration) {
        self.answer.want(delay);
    }

    pub(crate) fn stop_answer(&mut self) {
        self.answer = Timer::Off;
    }

    /// All but that of the stage.
    pub(crate) fn stop(&mut self) {
        (self.silence, self.request, self.answer) = (Timer::Off, Timer::Off, Timer::Off);
        self.watch = None;
    }

    pub(crate) fn tick(&mut self, now: Instant) -> Fired {
        let mut fired = Fired {
            stage: self.stage.tick(now),
            request: self.request.tick(now),
            answer: self.answer.tick(now),
            ..Fired::default()
        };
        if self.silence.tick(now)
            && let Some(watch) = self.watch
        {
            let heard = std::mem::take(&mut self.heard);
            let (silent, pinged) = (!heard, std::mem::take(&mut self.pinged));
            fired.gone = silent && pinged;
            fired.ping = silent && !pinged;
            self.pinged = fired.ping;
            self.silence.want(if fired.ping { watch.timeout } else { watch.after });
            self.silence.tick(now);
        }
        fired
    }

    pub(crate) fn due(&self) -> Option<Due> {
        let due = [self.stage.due(), self.silence.due(), self.request.due(), self.answer.due()];
        due.into_iter().flatten().reduce(|a, b| match (a, b) {
            (Due::At(a), Due::At(b)) => Due::At(a.min(b)),
            _ => Due::Now,
        })
    }
}
