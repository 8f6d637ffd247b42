//! How a client ends by its application's wish: first what was sent is acknowledged.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// How far that is.
#[derive(Debug)]
pub(crate) enum Closing {
    No,
    /// Wait for acknowledgements, until then.
    Draining(Pin<Box<Sleep>>),
    /// Our word of it is on its way.
    Said,
}

impl Closing {
    /// Begins, unless it has begun. Acknowledgements may take so long.
    pub(crate) fn begin(&mut self, close_timeout: Duration) {
        if matches!(self, Closing::No) {
            *self = Closing::Draining(Box::pin(sleep(close_timeout)));
        }
    }

    pub(crate) fn has_said(&self) -> bool {
        matches!(self, Closing::Said)
    }

    /// Whether it has begun and its time is up.
    pub(crate) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Closing::Draining(deadline) => deadline.as_mut().poll(cx),
            Closing::No | Closing::Said => Poll::Pending,
        }
    }
}
