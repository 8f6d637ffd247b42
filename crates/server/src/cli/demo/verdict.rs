//! How the demo ends.

use super::Counts;
use crate::cli::exit::{Code, Failure, Outcome};
use crate::cli::target::Speak;
use crate::cli::text::{coloured, grouped};
use std::fmt::Write as _;
use std::time::Duration;

const GREEN: &str = "1;32";
const RED: &str = "1;31";

/// The numbers that matter.
pub(super) struct Verdict {
    sent: u64,
    received: u64,
    faults: [(&'static str, u64); 5],
    /// Repetitions that said so; MBWS has none.
    repeated: Option<u64>,
    cuts: u64,
    kills: u64,
    drains: u64,
    took: Duration,
    failure: Option<String>,
}

impl Verdict {
    pub(super) fn new(counts: &Counts, speak: Speak, cuts: u64, took: Duration) -> Self {
        let tally = &counts.tally;
        Self {
            sent: counts.sent,
            received: tally.received,
            faults: [
                ("lost", tally.lost(counts.sent)),
                ("duplicated", tally.duplicated()),
                ("reordered", tally.reordered),
                ("altered", counts.altered),
                ("unconfirmed", counts.unconfirmed),
            ],
            repeated: (speak == Speak::Amqp).then(|| tally.repeated()),
            cuts,
            kills: counts.kills,
            drains: counts.drains,
            took,
            failure: counts.failure.clone(),
        }
    }

    fn is_good(&self) -> bool {
        self.sent > 0 && self.faults.iter().all(|&(_, count)| count == 0)
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut row = |name: &str, value: u64, sgr: Option<&str>, note: &str| {
            let value = format!("{:>9}", grouped(value));
            let value = sgr.map_or(value.clone(), |sgr| coloured(&value, sgr));
            let line = format!("  {name:<20}{value}   {note}");
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}", line.trim_end());
        };
        row("sent", self.sent, None, "each confirmed as stored");
        row("received", self.received, None, "");
        for (name, count) in self.faults {
            row(name, count, Some(if count == 0 { GREEN } else { RED }), "");
        }
        if let Some(repeated) = self.repeated {
            row("delivered again", repeated, None, "and marked as repetitions");
        }
        row("connections cut", self.cuts, None, "in the middle of what they carried");
        match self.drains {
            0 => row("broker killed", self.kills, None, "kill -9"),
            drains => row("broker drained", drains, None, "and started again"),
        }
        let verdict = match (self.is_good(), self.repeated) {
            (true, None) => coloured("Nothing lost, nothing twice, everything in order.", GREEN),
            (true, Some(_)) => coloured("Nothing lost, and what came twice said so.", GREEN),
            (false, _) => coloured("This should not have happened.", RED),
        };
        if let Some(why) = &self.failure {
            let _ = writeln!(text, "  a client gave up: {why}");
        }
        let _ = write!(text, "\n{verdict} ({:.1} s)\n", self.took.as_secs_f64());
        text
    }

    pub(super) fn outcome(&self) -> Outcome {
        if self.is_good() {
            return Ok(());
        }
        Err(Failure::new(Code::Failed, "messages were lost, repeated, reordered or altered"))
    }
}
