//! The latest lines of the log, in memory.

use crate::recent::Recent;
use std::fmt::{Debug, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use wharf_api::shapes::{LogEntry, LogLevel};

/// Longest value that is remembered of a line; what is longer is cut.
const VALUE_MAX_BYTES: usize = 1024;

/// Lines that were logged, of this process.
pub(crate) static LINES: Recent<LogEntry> = Recent::new();

/// Adds every line to them that the filter lets pass.
pub(super) struct Remember;

impl<S: Subscriber> Layer<S> for Remember {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let at_ms = crate::node::now_ms();
        let level = level_of(*event.metadata().level());
        let mut line = Line(LogEntry { at_ms, level, ..LogEntry::default() });
        event.record(&mut line);
        LINES.add_with(|number| LogEntry { number, ..line.0 });
    }
}

fn level_of(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

struct Line(LogEntry);

impl Line {
    fn note(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.0.message = value,
            "event" => self.0.event = Some(value),
            name => drop(self.0.fields.insert(name.to_owned(), value)),
        }
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        let mut value = value.to_owned();
        cut(&mut value);
        self.note(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = write!(text, "{value:?}");
        cut(&mut text);
        self.note(field, text);
    }
}

fn cut(value: &mut String) {
    value.truncate(value.floor_char_boundary(VALUE_MAX_BYTES));
}

#[cfg(test)]
mod tests {
    use super::{LINES, Remember, VALUE_MAX_BYTES};
    use tracing_subscriber::layer::SubscriberExt;
    use wharf_api::shapes::LogLevel;

    #[test]
    fn a_line_is_remembered_with_its_fields() {
        let subscriber = tracing_subscriber::registry().with(Remember);
        tracing::subscriber::with_default(subscriber, || {
            let long = "ü".repeat(VALUE_MAX_BYTES);
            tracing::warn!(event = "a-test", count = 3, peer = %"here", long, "it {}", "is so");
        });
        let line = LINES.latest(|line| line.event.as_deref() == Some("a-test")).remove(0);
        assert_eq!((line.level, line.message.as_str()), (LogLevel::Warn, "it is so"));
        assert_eq!(line.fields["count"], "3");
        assert_eq!(line.fields["peer"], "here");
        assert_eq!(line.fields["long"].len(), VALUE_MAX_BYTES);
    }
}
