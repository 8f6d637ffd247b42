//! How a protocol ends its connection, and when it has something to do.

use std::time::{Duration, Instant};
use wharf_ws::Due;

/// How long the peer that closed the protocol first has to close the transport too (WSB-A08,
/// XWS-053).
const TRANSPORT_CLOSE_WAIT: Duration = Duration::from_secs(1);

/// What the transport under a face is to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Close {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

impl Close {
    const NORMAL: Self = Self { code: 1000, reason: "" };
}

/// How the connection ends.
#[derive(Debug, Default)]
pub(crate) enum Ending {
    #[default]
    No,
    /// The transport is closed when everything is sent.
    Now(Close),
    /// The peer closes it, or we do at this time.
    Wait(Option<Instant>),
    Said,
}

impl Ending {
    pub(crate) fn due(&self) -> Option<Due> {
        match self {
            Self::Wait(None) => Some(Due::Now),
            Self::Wait(Some(at)) => Some(Due::At(*at)),
            Self::No | Self::Now(_) | Self::Said => None,
        }
    }

    /// Time passes: who was to close the transport may have taken too long.
    pub(crate) fn tick(&mut self, now: Instant) {
        if let Self::Wait(at) = *self {
            let at = at.or_else(|| now.checked_add(TRANSPORT_CLOSE_WAIT));
            *self = match at {
                Some(at) if at > now => Self::Wait(Some(at)),
                _ => Self::Now(Close::NORMAL),
            };
        }
    }

    /// How the transport is to be closed, once.
    pub(crate) fn take(&mut self) -> Option<Close> {
        match std::mem::replace(self, Self::Said) {
            Self::Now(close) => Some(close),
            other => {
                *self = other;
                None
            }
        }
    }
}

/// The earlier of two times.
pub(crate) fn earlier(one: Option<Due>, other: Option<Due>) -> Option<Due> {
    match (one, other) {
        (Some(Due::At(a)), Some(Due::At(b))) => Some(Due::At(a.min(b))),
        (Some(Due::Now), _) | (_, Some(Due::Now)) => Some(Due::Now),
        (one, other) => one.or(other),
    }
}
