//! The embedded journal: a segmented log with group commit
