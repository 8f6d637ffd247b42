//! The embedded journal: a segmented log with group commit.
//!
//! [`open`] gives a [`wharf_broker::journal::Journal`] in a directory, and what it remembers.
//! A frame is durable (`fdatasync`) before it is reported; whatever arrives while a sync runs
//! shares the next one. What was durable and is no longer what was written is an error that
//! names the place, never a silent end of the log; [`salvage`] is the explicit way on.
//!
//! The bytes are described in `docs/design/storage-format.md`, the reasons in
//! `docs/decisions/0004-segmented-log.md`. [`MemoryJournal`] is the same port without a disk,
//! [`SimulatedMedium`] a disk that loses power.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an adapter: it owns the files and the threads"
)]

mod committer;
mod completions;
mod error;
mod inventory;
mod journal;
mod keeper;
mod layout;
mod limits;
mod medium;
mod memory;
mod reader;
mod recovery;
mod replay;
mod salvage;
mod scan;
mod segments;
mod spares;
mod sync;
mod tail;
mod watermark;

pub use completions::Wake;
pub use error::{Damage, OpenError};
pub use journal::{EmbeddedJournal, Options, open, open_on};
pub use layout::FORMAT_VERSION;
pub use limits::{FRAME_SIZE_MAX_BYTES, SEGMENT_SIZE_MAX_BYTES, SEGMENT_SIZE_MIN_BYTES};
pub use medium::{CrashPlan, Directory, Medium, MediumFile, SimulatedMedium};
pub use memory::{Lane, MemoryJournal};
pub use recovery::{verify, verify_on};
pub use salvage::{SalvageReport, salvage, salvage_on};
