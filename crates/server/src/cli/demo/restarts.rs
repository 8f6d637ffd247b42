//! The broker of the demo ends, one way or the other, and is started again.

use super::victim::{Directory, Victim};
use super::{Demo, Run};
use crate::cli::exit::Failure;
use std::time::Duration;
use tokio::time::Instant;

/// When and how the broker ends and is started again.
pub(super) struct Restarts {
    every: Duration,
    /// Over which time it is drained; it is killed without.
    drained_over: Option<Duration>,
    password: String,
    next: Instant,
}

impl Restarts {
    pub(super) fn new(demo: &Demo, password: String) -> Self {
        let drains = demo.drain_every > 0;
        let every = Duration::from_millis(if drains { demo.drain_every } else { demo.kill_every });
        let drained_over = drains.then(|| Duration::from_millis(demo.drain_over));
        Self { every, drained_over, password, next: Instant::now() }
    }

    pub(super) fn begin(&mut self) {
        self.next = Instant::now() + self.every;
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        !self.every.is_zero() && now >= self.next
    }

    pub(super) async fn restart(
        &mut self,
        victim: Victim,
        directory: &Directory,
        run: &Run,
    ) -> Result<Victim, Failure> {
        match self.drained_over {
            Some(over) => {
                victim.drain(over, &self.password).await?;
                run.counts().drains += 1;
            }
            None => {
                victim.kill().await;
                run.counts().kills += 1;
            }
        }
        let victim = Victim::start(directory).await?;
        self.begin();
        Ok(victim)
    }
}
