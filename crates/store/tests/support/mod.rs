//! A journal with a driver that waits: what every test here needs.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests of an adapter touch the world"
)]

use bytes::Bytes;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use wharf_broker::journal::{
    Completion, Frame, Journal, JournalFailure, Location, Lsn, RecoveredFrame, Recovery, Slice,
    Ticket,
};
use wharf_store::{EmbeddedJournal, Medium, OpenError, Options, Wake, open, open_on};

/// A wake that nobody waits for.
pub(crate) fn no_wake() -> Wake {
    Arc::new(|| {})
}

/// The payload of frame `lsn` in these tests: several chunks, one of them empty, no two frames
/// alike, lengths that straddle alignments.
pub(crate) fn payload(lsn: u64) -> Vec<Bytes> {
    let len = (lsn * 37 % 1500) as usize;
    let body: Vec<u8> = (0..len).map(|i| (i as u64 * 7 + lsn) as u8).collect();
    let body = Bytes::from(body);
    let middle = len / 3;
    let number = Bytes::copy_from_slice(&lsn.to_le_bytes());
    vec![number, body.slice(..middle), Bytes::new(), body.slice(middle..)]
}

/// Frame `lsn`.
pub(crate) fn frame(lsn: u64) -> Frame {
    Frame { lsn: Lsn(lsn), chunks: payload(lsn) }
}

/// All of frame `lsn`, at `location`.
pub(crate) fn whole(lsn: u64, location: Location) -> Slice {
    let len_bytes = payload(lsn).concat().len() as u32;
    Slice { location, lsn: Lsn(lsn), offset_bytes: 0, len_bytes }
}

/// An embedded journal, what it recovered, and a way to wait for it.
pub(crate) struct Driver {
    pub(crate) journal: EmbeddedJournal,
    pub(crate) snapshot: Option<(Lsn, Vec<u8>)>,
    pub(crate) recovered: Vec<RecoveredFrame>,
    woken: Receiver<()>,
}

impl Driver {
    pub(crate) fn open(directory: &Path, options: Options) -> Self {
        let (wake, woken) = wake();
        let opened = open(directory, options, wake).expect("the journal opens");
        Self::new(opened, woken).expect("the journal is whole")
    }

    pub(crate) fn open_on(medium: &(impl Medium + Clone), options: Options) -> Self {
        Self::try_open_on(medium, options).unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    /// A refusal, at once or while replaying, as text.
    pub(crate) fn try_open_on(
        medium: &(impl Medium + Clone),
        options: Options,
    ) -> Result<Self, String> {
        let (wake, woken) = wake();
        let opened = open_on(Arc::new(medium.clone()), options, wake)
            .map_err(|refusal: OpenError| refusal.to_string())?;
        Self::new(opened, woken).map_err(|failure| failure.to_string())
    }

    fn new(
        (journal, recovery): (EmbeddedJournal, Recovery),
        woken: Receiver<()>,
    ) -> Result<Self, JournalFailure> {
        let recovered = recovery.frames.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { journal, snapshot: recovery.snapshot, recovered, woken })
    }

    pub(crate) fn commit(&mut self, lsn: u64) {
        self.journal.commit(frame(lsn));
    }

    /// The next completion; waits for it.
    pub(crate) fn next(&mut self) -> Completion {
        loop {
            if let Some(completion) = self.journal.poll() {
                return completion;
            }
            self.woken.recv().expect("the journal lives");
        }
    }

    /// Commits a frame and waits until it is stored.
    pub(crate) fn store(&mut self, lsn: u64) -> Location {
        self.commit(lsn);
        match self.next() {
            Completion::Stored { lsn: stored, location } => {
                assert_eq!(stored, Lsn(lsn));
                location
            }
            other => panic!("frame {lsn} was to be stored: {other:?}"),
        }
    }

    pub(crate) fn fetch(
        &mut self,
        ticket: u64,
        slices: Vec<Slice>,
    ) -> Result<Vec<Bytes>, JournalFailure> {
        self.journal.fetch(Ticket(ticket), slices);
        match self.next() {
            Completion::Fetched { ticket: answered, bodies } => {
                assert_eq!(answered, Ticket(ticket));
                Ok(bodies)
            }
            Completion::Failed(failure) => Err(failure),
            other => panic!("an answer was due: {other:?}"),
        }
    }

    pub(crate) fn snapshot(&mut self, lsn: u64, state: &[u8]) {
        self.journal.snapshot(Lsn(lsn), state.to_vec());
        match self.next() {
            Completion::Snapshotted { lsn: done } => assert_eq!(done, Lsn(lsn)),
            other => panic!("snapshot {lsn} was due: {other:?}"),
        }
    }
}

fn wake() -> (Wake, Receiver<()>) {
    let (sender, woken) = channel();
    let sender = Mutex::new(sender);
    let wake = move || {
        let _ = sender.lock().expect("the lock").send(());
    };
    (Arc::new(wake), woken)
}
