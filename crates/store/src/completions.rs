//! What the threads report and the shard polls: a queue that ends with the first failure.

use crate::sync::lock;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use wharf_broker::journal::{Completion, JournalFailure};

/// Called after completions were queued, from any thread; it must not block.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// The queue. Its length is bounded by what the shard has asked for and not yet been told.
pub(crate) struct Completions {
    state: Mutex<State>,
    wake: Wake,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Completion>,
    failed: bool,
}

impl fmt::Debug for Completions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completions").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Completions {
    pub(crate) fn new(wake: Wake) -> Self {
        Self { state: Mutex::default(), wake }
    }

    /// Reports, and wakes the driver once. After a failure nothing is reported.
    pub(crate) fn report(&self, completions: impl IntoIterator<Item = Completion>) {
        {
            let mut state = lock(&self.state);
            if state.failed {
                return;
            }
            state.queue.extend(completions);
        }
        (self.wake)();
    }

    /// The last report. What was reported before it stays true and is still delivered.
    pub(crate) fn fail(&self, failure: JournalFailure) {
        {
            let mut state = lock(&self.state);
            if state.failed {
                return;
            }
            state.failed = true;
            state.queue.push_back(Completion::Failed(failure));
        }
        (self.wake)();
    }

    pub(crate) fn has_failed(&self) -> bool {
        lock(&self.state).failed
    }

    /// Moves everything that waits into `into`.
    pub(crate) fn drain_into(&self, into: &mut VecDeque<Completion>) {
        into.append(&mut lock(&self.state).queue);
    }
}
