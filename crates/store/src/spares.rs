//! The pool of files that may become segments, and the thread that fills it.

use crate::error::failure;
use crate::layout::{SPARE_TEMPORARY, spare_name};
use crate::limits::{ZEROING_PIECE_BYTES, ZEROING_SYNC_BYTES};
use crate::medium::{Medium, MediumFile};
use crate::sync::lock;
use std::io::{self, IoSlice};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use wharf_broker::journal::JournalFailure;

/// A file whose every block is written, so that writing it again changes no metadata.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Spare {
    pub(crate) name: String,
    pub(crate) size_bytes: u64,
}

/// The pool. One spare is prepared ahead; recycled segments add to it.
#[derive(Debug)]
pub(crate) struct Spares {
    state: Mutex<State>,
    changed: Condvar,
    spares_max: usize,
}

#[derive(Debug)]
struct State {
    spares: Vec<Spare>,
    /// Size of the spare that is wanted and not there.
    wanted: Option<u64>,
    /// Why the last preparation came to nothing.
    failed: Option<JournalFailure>,
    next_number: u64,
    closed: bool,
}

impl Spares {
    pub(crate) fn new(found: Vec<(u64, Spare)>, spares_max: usize) -> Self {
        let next_number = found.iter().map(|(number, _)| number + 1).max().unwrap_or(1);
        let spares = found.into_iter().map(|(_, spare)| spare).collect();
        let state = State { spares, wanted: None, failed: None, next_number, closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), spares_max }
    }

    /// Asks for a spare to be ready soon, if there is none.
    pub(crate) fn want(&self, size_bytes: u64) {
        let mut state = lock(&self.state);
        if state.spares.is_empty() && state.wanted.is_none() {
            state.failed = None;
            state.wanted = Some(size_bytes);
            self.changed.notify_all();
        }
    }

    /// Takes a spare; waits for one when there is none.
    pub(crate) fn take(&self, size_bytes: u64) -> Result<Spare, JournalFailure> {
        self.want(size_bytes);
        let mut state = lock(&self.state);
        loop {
            if let Some(spare) = state.spares.pop() {
                return Ok(spare);
            }
            if let Some(failed) = state.failed.take() {
                return Err(failed);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A name for a segment that is to be recycled, or `None` when there are spares enough.
    pub(crate) fn name_for_recycled(&self) -> Option<String> {
        let mut state = lock(&self.state);
        (state.spares.len() < self.spares_max).then(|| state.new_name())
    }

    /// Adds a spare.
    pub(crate) fn put(&self, spare: Spare) {
        lock(&self.state).spares.push(spare);
        self.changed.notify_all();
    }

    /// Ends [`Spares::prepare`].
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }

    /// The thread: makes what is wanted, until the pool is closed.
    pub(crate) fn prepare(&self, medium: &dyn Medium) {
        while let Some((size_bytes, name)) = self.next_wish() {
            let made = zeroed(medium, &name, size_bytes);
            let mut state = lock(&self.state);
            state.wanted = None;
            match made {
                Ok(()) => state.spares.push(Spare { name, size_bytes }),
                Err(error) => {
                    let place = format!("{}/{SPARE_TEMPORARY}", medium.label());
                    state.failed = Some(failure("prepare a segment", &place, &error));
                }
            }
            drop(state);
            self.changed.notify_all();
        }
    }

    fn next_wish(&self) -> Option<(u64, String)> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                // Nobody may wait for what will not be made.
                let reason = "the journal is closed".to_owned();
                state.failed = Some(JournalFailure { reason, fenced: false });
                self.changed.notify_all();
                return None;
            }
            if let Some(size_bytes) = state.wanted {
                return Some((size_bytes, state.new_name()));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl State {
    fn new_name(&mut self) -> String {
        let number = self.next_number;
        self.next_number += 1;
        spare_name(number)
    }
}

/// Makes a file of written zeros and gives it its name when it is durable.
fn zeroed(medium: &dyn Medium, name: &str, size_bytes: u64) -> io::Result<()> {
    let made = medium.create(SPARE_TEMPORARY, size_bytes).and_then(|file| {
        write_zeros(file.as_ref(), 0, size_bytes)?;
        medium.rename(SPARE_TEMPORARY, name)?;
        medium.sync_directory()
    });
    if made.is_err() {
        // Gives back the space of what will never be used; the first error is the one to tell.
        let _ = medium.remove(SPARE_TEMPORARY);
    }
    made
}

/// Writes zeros from `start` to `end`, durably.
pub(crate) fn write_zeros(file: &dyn MediumFile, start: u64, end: u64) -> io::Result<()> {
    let zeros = vec![0; ZEROING_PIECE_BYTES.min((end - start) as usize)];
    let mut position = start;
    while position < end {
        let len = zeros.len().min((end - position) as usize);
        file.write_at(position, &mut [IoSlice::new(&zeros[..len])])?;
        position += len as u64;
        if (position - start).is_multiple_of(ZEROING_SYNC_BYTES) {
            file.sync_data()?;
        }
    }
    file.sync_data()
}

/// The pool as the threads share it.
pub(crate) type SharedSpares = Arc<Spares>;
