//! The deadlines of a connection: the peer's silence, our own, and how long a stage may last.
//!
//! The hot path sets flags; the clock is looked at when a timer fires. A timer that is wanted
//! begins with the next `handle_timeout`, which `poll_timeout` asks for at once.

use std::time::{Duration, Instant};

/// Longest silence of ours, as a part of the peer's idle time-out: two thirds of it at the most.
const BEATS_PER_TIME_OUT: u32 = 3;

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
    Running(Instant, Duration),
}

impl Timer {
    fn due(self) -> Option<Due> {
        match self {
            Self::Off => None,
            Self::Wanted(_) => Some(Due::Now),
            Self::Running(at, _) => Some(Due::At(at)),
        }
    }

    /// Begins if wanted; says whether it fired, and then begins again.
    fn tick(&mut self, now: Instant) -> bool {
        match *self {
            Self::Off => false,
            Self::Wanted(period) => {
                *self = Self::start(now, period);
                false
            }
            Self::Running(at, period) if at <= now => {
                *self = Self::start(now, period);
                true
            }
            Self::Running(..) => false,
        }
    }

    fn start(now: Instant, period: Duration) -> Self {
        now.checked_add(period).map_or(Self::Off, |at| Self::Running(at, period))
    }
}

/// What fired.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Fired {
    /// The stage has lasted too long.
    pub(super) stage: bool,
    /// The peer was silent for two whole periods of its time-out.
    pub(super) idle: bool,
    /// Nothing was sent for some time: say something.
    pub(super) beat: bool,
}

/// The timers of one connection.
#[derive(Debug, Default)]
pub(super) struct Timers {
    stage: Timer,
    watch: Timer,
    beat: Timer,
    /// Something came since `watch` fired last; and whether nothing did the time before.
    pub(super) heard: bool,
    silent_before: bool,
    /// Something was sent since `beat` fired last.
    pub(super) spoke: bool,
}

impl Timers {
    /// The stage may last so long.
    pub(super) fn begin_stage(&mut self, longest: Duration) {
        self.stage = Timer::Wanted(longest);
    }

    pub(super) fn end_stage(&mut self) {
        self.stage = Timer::Off;
    }

    // AMQP 2.4.5: the peer is told half of what is tolerated.
    pub(super) fn watch(&mut self, idle_time_out: Duration) {
        self.watch = Timer::Wanted(idle_time_out);
        self.heard = true;
    }

    pub(super) fn beat(&mut self, idle_time_out: Duration) {
        let period = idle_time_out.checked_div(BEATS_PER_TIME_OUT).unwrap_or(idle_time_out);
        self.beat = Timer::Wanted(period);
    }

    pub(super) fn stop_idle(&mut self) {
        self.watch = Timer::Off;
        self.beat = Timer::Off;
    }

    pub(super) fn tick(&mut self, now: Instant) -> Fired {
        let mut fired = Fired { stage: self.stage.tick(now), ..Fired::default() };
        if fired.stage {
            self.stage = Timer::Off;
        }
        if self.watch.tick(now) {
            let silent = !std::mem::take(&mut self.heard);
            fired.idle = silent && self.silent_before;
            self.silent_before = silent;
        }
        if self.beat.tick(now) {
            fired.beat = !std::mem::take(&mut self.spoke);
        }
        fired
    }

    pub(super) fn due(&self) -> Option<Due> {
        let due = [self.stage.due(), self.watch.due(), self.beat.due()];
        due.into_iter().flatten().reduce(|a, b| match (a, b) {
            (Due::At(a), Due::At(b)) => Due::At(a.min(b)),
            _ => Due::Now,
        })
    }
}
