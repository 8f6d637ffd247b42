//! The newest durable frame, and a way to wait for it.

use crate::sync::lock;
use std::sync::{Condvar, Mutex, PoisonError};
use wharf_broker::journal::Lsn;

/// Rises only.
#[derive(Debug)]
pub(crate) struct Watermark {
    state: Mutex<State>,
    raised: Condvar,
}

#[derive(Debug)]
struct State {
    lsn: Lsn,
    closed: bool,
}

impl Watermark {
    pub(crate) fn new(lsn: Lsn) -> Self {
        Self { state: Mutex::new(State { lsn, closed: false }), raised: Condvar::new() }
    }

    pub(crate) fn raise(&self, lsn: Lsn) {
        lock(&self.state).lsn = lsn;
        self.raised.notify_all();
    }

    /// It will not rise again.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.raised.notify_all();
    }

    /// Waits for `lsn`; `false` when it never comes.
    pub(crate) fn wait_for(&self, lsn: Lsn) -> bool {
        let mut state = lock(&self.state);
        while state.lsn < lsn && !state.closed {
            state = self.raised.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.lsn >= lsn
    }
}
