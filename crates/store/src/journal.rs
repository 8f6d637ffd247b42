//! The embedded journal: the port of the shard, and the threads behind it.
//!
//! | thread    | does                                                     |
//! |-----------|----------------------------------------------------------|
//! | committer | appends, syncs, reports `Stored`                         |
//! | reader    | answers `fetch`                                          |
//! | keeper    | writes snapshots, recycles segments                      |
//! | zeroer    | prepares the next segment                                |

use crate::committer::{Committer, Ports};
use crate::completions::{Completions, Wake};
use crate::error::OpenError;
use crate::keeper::{Chore, Keeper};
use crate::limits::{PAGE_BYTES, SEGMENT_SIZE_MAX_BYTES, SEGMENT_SIZE_MIN_BYTES};
use crate::medium::{Directory, Medium};
use crate::reader::{Reader, Request};
use crate::recovery::{self, Recovered};
use crate::spares::Spares;
use crate::watermark::Watermark;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, JoinHandle};
use wharf_broker::journal::{
    Completion, Extent, Frame, Journal, JournalFailure, Lsn, Recovery, Slice, Ticket,
};

/// Settings of the embedded journal.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// Length of a segment: a multiple of 4 KiB from 16 KiB to 1 GiB. A larger one is rarer to
    /// change, a smaller one is sooner free again. The first segment of a new log is at most
    /// 4 MiB; a frame that does not fit gets a segment of its own.
    pub segment_size_bytes: u64,
    /// Free segments kept for reuse; more are given back to the file system.
    pub segments_spare_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_size_bytes: 64 << 20, segments_spare_max: 4 }
    }
}

impl Options {
    fn check(&self) -> Result<(), OpenError> {
        let size = self.segment_size_bytes;
        if !(SEGMENT_SIZE_MIN_BYTES..=SEGMENT_SIZE_MAX_BYTES).contains(&size) {
            return Err(OpenError::Options("segment_size_bytes must be from 16 KiB to 1 GiB"));
        }
        if !size.is_multiple_of(PAGE_BYTES) {
            return Err(OpenError::Options("segment_size_bytes must be a multiple of 4 KiB"));
        }
        Ok(())
    }
}

/// A journal in a directory of this machine. Dropping it stores what was committed and returns
/// when the threads have ended.
#[derive(Debug)]
pub struct EmbeddedJournal {
    completions: Arc<Completions>,
    /// Completions taken from the threads and not polled yet.
    ready: VecDeque<Completion>,
    /// The newest frame whose `Stored` was polled.
    told: Lsn,
    senders: Option<Senders>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Senders {
    frames: Sender<Frame>,
    requests: Sender<Request>,
    chores: Sender<Chore>,
}

/// Opens the journal in `directory`, which is created when it is missing and locked for this
/// process. `wake` is called, from other threads, whenever [`Journal::poll`] has something new.
///
/// When this returns, every frame that the [`Recovery`] yields is durable, a torn tail is erased,
/// and the journal takes frames.
///
/// # Errors
/// [`OpenError`]; nothing was changed unless it is an [`OpenError::Io`].
pub fn open(
    directory: &Path,
    options: Options,
    wake: Wake,
) -> Result<(EmbeddedJournal, Recovery), OpenError> {
    options.check()?;
    open_on(Arc::new(Directory::open(directory)?), options, wake)
}

/// Opens the journal on any medium, see [`open`].
///
/// # Errors
/// As [`open`].
pub fn open_on(
    medium: Arc<dyn Medium>,
    options: Options,
    wake: Wake,
) -> Result<(EmbeddedJournal, Recovery), OpenError> {
    options.check()?;
    let recovered = recovery::recover(&medium, options.segments_spare_max)?;
    start(medium, options, wake, recovered)
}

fn start(
    medium: Arc<dyn Medium>,
    options: Options,
    wake: Wake,
    recovered: Recovered,
) -> Result<(EmbeddedJournal, Recovery), OpenError> {
    let Recovered { active, durable, segments, spares, recovery } = recovered;
    let completions = Arc::new(Completions::new(wake));
    let watermark = Arc::new(Watermark::new(durable));
    let segments = Arc::new(segments);
    let spares = Arc::new(Spares::new(spares, options.segments_spare_max));
    let (frames, frames_out) = channel();
    let (requests, requests_out) = channel();
    let (chores, chores_out) = channel();

    let ports = Ports {
        medium: Arc::clone(&medium),
        segments: Arc::clone(&segments),
        spares: Arc::clone(&spares),
        completions: Arc::clone(&completions),
        durable: Arc::clone(&watermark),
        chores: chores.clone(),
    };
    let committer = Committer::new(ports, options.clone(), active, durable);
    let reader = Reader {
        directory: medium.label(),
        segments: Arc::clone(&segments),
        completions: Arc::clone(&completions),
        chores: chores.clone(),
        cache: VecDeque::new(),
    };
    let keeper = Keeper {
        medium: Arc::clone(&medium),
        segments,
        spares: Arc::clone(&spares),
        completions: Arc::clone(&completions),
        durable: watermark,
        segment_size_bytes: options.segment_size_bytes,
        snapshot: recovery.snapshot.as_ref().map(|(lsn, _)| *lsn),
    };
    let label = medium.label();
    let mut journal = EmbeddedJournal {
        completions,
        ready: VecDeque::new(),
        told: durable,
        senders: Some(Senders { frames, requests, chores }),
        threads: Vec::new(),
    };
    // A thread that cannot start drops the journal, and with it the others.
    journal.spawn("wharf-zeroer", &label, {
        let spares = Arc::clone(&spares);
        move || spares.prepare(medium.as_ref())
    })?;
    let spawned = journal
        .spawn("wharf-committer", &label, move || committer.run(&frames_out))
        .and_then(|()| journal.spawn("wharf-reader", &label, move || reader.run(&requests_out)))
        .and_then(|()| journal.spawn("wharf-keeper", &label, move || keeper.run(&chores_out)));
    if spawned.is_err() {
        spares.close();
    }
    spawned.map(|()| (journal, recovery))
}

impl EmbeddedJournal {
    fn spawn(
        &mut self,
        name: &str,
        label: &str,
        run: impl FnOnce() + Send + 'static,
    ) -> Result<(), OpenError> {
        let completions = Arc::clone(&self.completions);
        let guarded = move || {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
            if outcome.is_err() {
                let reason = "a thread of the journal panicked; this is a bug".to_owned();
                completions.fail(JournalFailure { reason, fenced: false });
            }
        };
        let spawned = Builder::new().name(name.to_owned()).spawn(guarded);
        let thread = spawned.map_err(|source| OpenError::Io {
            action: "start a thread of the journal",
            place: label.to_owned(),
            source,
        })?;
        self.threads.push(thread);
        Ok(())
    }
}

impl Journal for EmbeddedJournal {
    fn commit(&mut self, frame: Frame) {
        if let Some(senders) = &self.senders {
            // The thread has ended only after a failure, which poll reports.
            let _ = senders.frames.send(frame);
        }
    }

    fn fetch(&mut self, ticket: Ticket, slices: Vec<Slice>) {
        if let Some(senders) = &self.senders {
            let _ = senders.requests.send(Request::Fetch(ticket, slices));
        }
    }

    fn snapshot(&mut self, lsn: Lsn, state: Vec<u8>) {
        if let Some(senders) = &self.senders {
            let _ = senders.chores.send(Chore::Snapshot(lsn, state));
        }
    }

    fn free(&mut self, extents: Vec<Extent>) {
        if let Some(senders) = &self.senders {
            let _ = senders.requests.send(Request::Free(extents, self.told));
        }
    }

    fn poll(&mut self) -> Option<Completion> {
        if self.ready.is_empty() {
            self.completions.drain_into(&mut self.ready);
        }
        let completion = self.ready.pop_front()?;
        if let Completion::Stored { lsn, .. } = completion {
            self.told = lsn;
        }
        Some(completion)
    }
}

impl Drop for EmbeddedJournal {
    fn drop(&mut self) {
        self.senders = None;
        for thread in self.threads.drain(..) {
            // A panic in it was reported as a failure.
            let _ = thread.join();
        }
    }
}
