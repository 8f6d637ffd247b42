//! A shard from what its journal holds.

use super::attach::Attachments;
use super::bounds::Expiries;
use super::feeds::Feeds;
use super::fetch::Fetching;
use super::links::Links;
use super::log::{Log, LogLimits};
use super::outbox::Outbox;
use super::publish::Taking;
use super::route::Routes;
use super::routing::Detours;
use super::service::{Endings, Transients};
use super::{Config, Shard};
use crate::command::{ConsumerId, SessionId, SessionKind};
use crate::journal::{Lsn, Recovery};
use crate::policy::Policies;
use crate::record::{AddressId, Record};
use crate::state::{ReplayError, State};
use crate::stats::Statistics;
use crate::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// Why a shard cannot be built from its journal. It must not serve.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RecoverError {
    /// The journal failed while it was read.
    Journal(String),
    /// A frame is missing.
    Gap {
        /// The frame expected.
        expected: Lsn,
        /// The frame found.
        found: Lsn,
    },
    /// A frame or the snapshot does not say anything that this version understands.
    Content {
        /// The frame; for the snapshot, the last frame it covers.
        lsn: Lsn,
        /// What is wrong.
        what: String,
    },
}

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(reason) => write!(f, "the journal cannot be read: {reason}"),
            Self::Gap { expected, found } => {
                write!(f, "frame {expected} is missing from the journal (found {found})")
            }
            Self::Content { lsn, what } => write!(f, "frame {lsn} cannot be replayed: {what}"),
        }
    }
}

impl std::error::Error for RecoverError {}

impl Shard {
    /// Rebuilds a shard: the snapshot, then every frame after it. Sessions that do not outlive
    /// their connection are ended; the retention of the others begins anew at `now`.
    ///
    /// # Errors
    /// If the journal cannot be read or does not fit together.
    pub fn recover(
        config: Config,
        recovery: Recovery,
        now: Timestamp,
    ) -> Result<Self, RecoverError> {
        let (mut state, covered) = match recovery.snapshot {
            None => (State::default(), Lsn(0)),
            Some((lsn, bytes)) => {
                let malformed = |m: crate::codec::Malformed| content(lsn, m.to_string());
                (State::decode(&bytes).map_err(malformed)?, lsn)
            }
        };
        let mut newest = covered;
        let mut limits = LogLimits {
            frames_in_flight_max: config.frames_in_flight_max,
            snapshot_every_bytes: config.snapshot_every_bytes,
            replayed_bytes: 0,
            newest_extent: None,
        };
        for frame in recovery.frames {
            let frame = frame.map_err(|failure| RecoverError::Journal(failure.reason))?;
            if frame.lsn != newest.next() {
                return Err(RecoverError::Gap { expected: newest.next(), found: frame.lsn });
            }
            newest = frame.lsn;
            state.replay(frame.lsn, &frame.payload).map_err(|error| match error {
                ReplayError::Malformed(malformed) => content(newest, malformed.to_string()),
                ReplayError::Inconsistent(other) => content(newest, other.to_string()),
            })?;
            state.bodies.locate(frame.lsn, frame.location);
            limits.replayed_bytes =
                limits.replayed_bytes.saturating_add(frame.payload.len() as u64);
        }
        // The journal goes on in the extent where it stopped.
        let newest_extent = state.bodies.extents().max_by_key(|(_, used)| used.last_lsn);
        limits.newest_extent = newest_extent.map(|(extent, _)| extent);
        let mut shard = Self {
            policies: Policies::new(config.policies.clone()),
            audience: None,
            detours: Detours::default(),
            now,
            expiries: Expiries::default(),
            sessions_max: BTreeMap::new(),
            state,
            log: Log::new(newest, covered, limits),
            outbox: Outbox::default(),
            attachments: Attachments::default(),
            feeds: Feeds::default(),
            links: Links::default(),
            routes: Routes::default(),
            taking: Taking::default(),
            endings: Endings::default(),
            transients: Transients::default(),
            fetching: Fetching::default(),
            statistics: Statistics::default(),
            journal_requests: VecDeque::new(),
            failed: false,
            config,
        };
        shard.settle_sessions(now);
        shard.watch_all(now);
        Ok(shard)
    }

    fn settle_sessions(&mut self, now: Timestamp) {
        let sessions = &self.state.sessions;
        let (recoverable, volatile): (Vec<_>, Vec<_>) = sessions
            .iter()
            .map(|(id, session)| (*id, session.kind))
            .partition(|(_, kind)| *kind == SessionKind::Recoverable);
        for (session, _) in recoverable {
            self.endings.note_recovered(session);
            self.retain(session, now);
        }
        volatile.into_iter().for_each(|(session, _)| self.end_session(session));
        self.settle_dynamic_addresses();
    }

    /// Those whose creator is gone with the process, and everybody else, go now.
    fn settle_dynamic_addresses(&mut self) {
        let dynamic = self.state.addresses.iter().filter_map(|(id, address)| {
            let dynamic = address.dynamic.filter(|_| !address.is_deleted())?;
            Some((*id, dynamic.owner))
        });
        let dynamic: Vec<(AddressId, (SessionId, ConsumerId))> = dynamic.collect();
        for (id, (session, creator)) in &dynamic {
            if self.state.sessions.contains_key(session) {
                self.links.join(*session, *creator, *id);
            }
        }
        self.state.emptied.clear();
        dynamic.into_iter().for_each(|(id, _)| self.collect(id));
    }

    /// Whether the durable state of both is the same; for tests of recovery.
    #[must_use]
    pub fn same_state(&self, other: &Self) -> bool {
        self.state.encode() == other.state.encode()
    }

    /// A record for tests that look inside a frame.
    #[must_use]
    pub fn describe_frame(payload: &[u8]) -> Vec<String> {
        let mut reader = crate::codec::Reader::new(payload);
        let mut lines = Vec::new();
        while !reader.is_empty() {
            match Record::decode(&mut reader) {
                Ok(record) => lines.push(format!("{record:?}")),
                Err(malformed) => {
                    lines.push(malformed.to_string());
                    break;
                }
            }
        }
        lines
    }
}

fn content(lsn: Lsn, what: String) -> RecoverError {
    RecoverError::Content { lsn, what }
}
