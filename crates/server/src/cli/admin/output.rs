//! How things are printed: tables for people, JSON for programs.

use crate::cli::exit::{Code, Failure, Outcome};
use crate::cli::text::grouped;
use clap::ValueEnum;
use serde_json::Value;

/// Widest column of a table.
const WIDTH_MAX: usize = 60;

/// How to print.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum Form {
    /// A table.
    Table,
    /// One JSON value: an object, or an array.
    Json,
    /// One JSON object a line.
    Jsonl,
}

impl Form {
    pub(super) fn named(name: &str) -> Result<Self, Failure> {
        Self::from_str(name, true)
            .map_err(|_| Failure::new(Code::Usage, "WHARF_OUTPUT: expected table, json or jsonl"))
    }
}

/// A column of a table: its head, and where its value is.
pub(super) type Column = (&'static str, &'static str);

/// Prints one thing.
pub(super) fn one(form: Form, value: &Value, columns: &[Column]) -> Outcome {
    let text = match form {
        Form::Table => {
            let width = columns.iter().map(|(head, _)| head.len()).max().unwrap_or(0);
            let mut text = String::new();
            for (head, pointer) in columns {
                text.push_str(&format!("{head:width$}  {}\n", cell(value, pointer)));
            }
            text
        }
        Form::Json => pretty(value),
        Form::Jsonl => format!("{value}\n"),
    };
    crate::cli::print(&text)
}

/// Prints a list.
pub(super) fn many(form: Form, items: &[Value], columns: &[Column]) -> Outcome {
    let text = match form {
        Form::Table => table(items, columns),
        Form::Json => pretty(&Value::Array(items.to_vec())),
        Form::Jsonl => items.iter().map(|item| format!("{item}\n")).collect(),
    };
    crate::cli::print(&text)
}

fn pretty(value: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(value).unwrap_or_default())
}

fn table(items: &[Value], columns: &[Column]) -> String {
    let mut rows: Vec<Vec<String>> =
        vec![columns.iter().map(|(head, _)| (*head).to_owned()).collect()];
    let cells = |item: &Value| columns.iter().map(|(_, at)| cell(item, at)).collect();
    rows.extend(items.iter().map(cells));
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let numeric: Vec<bool> = columns
        .iter()
        .map(|(_, at)| items.iter().all(|item| lookup(item, at).is_none_or(Value::is_number)))
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            let padding = " ".repeat(widths[at] - cell.chars().count());
            let right = numeric[at] && !items.is_empty();
            let (before, after) = if right { (&*padding, "") } else { ("", &*padding) };
            line.push_str(&format!("{before}{cell}{after}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `a.b`, `a`, or all of it when empty.
fn lookup<'v>(value: &'v Value, at: &str) -> Option<&'v Value> {
    at.split('.').filter(|name| !name.is_empty()).try_fold(value, |value, name| value.get(name))
}

fn cell(value: &Value, at: &str) -> String {
    let text = match lookup(value, at) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
        Some(Value::Number(number)) if is_time(at) => time(number.as_u64().unwrap_or(0)),
        Some(Value::Number(number)) => number.as_u64().map_or(number.to_string(), grouped),
        Some(Value::Array(items)) => items.iter().map(item).collect::<Vec<_>>().join(", "),
        Some(Value::Object(fields)) => fields
            .iter()
            .map(|(name, value)| format!("{name}={}", item(value)))
            .collect::<Vec<_>>()
            .join(" "),
    };
    shown(&text)
}

/// Whether what is there is a moment, in milliseconds since 1970.
fn is_time(at: &str) -> bool {
    at == "at_ms" || at.ends_with("_at_ms") || at.ends_with("_until_ms")
}

/// A thing in a list, in short.
fn item(value: &Value) -> String {
    let Some(pattern) = value.get("pattern").and_then(Value::as_str) else {
        return value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    };
    let rights = ["send", "receive", "manage"].into_iter().filter(|right| value[*right] == true);
    let rights: Vec<&str> = rights.collect();
    let host = value.get("host").and_then(Value::as_str).filter(|host| !host.is_empty());
    let host = host.map_or_else(String::new, |host| format!("{host} "));
    format!(
        "{host}{pattern}: {}",
        if rights.is_empty() { "-".to_owned() } else { rights.join("+") }
    )
}

/// Without what a terminal would take for an order, and not too long.
fn shown(text: &str) -> String {
    let plain: String = text.chars().map(|it| if it.is_control() { '�' } else { it }).collect();
    if plain.chars().count() <= WIDTH_MAX {
        return plain;
    }
    let mut short: String = plain.chars().take(WIDTH_MAX - 1).collect();
    short.push('…');
    short
}

/// A time as RFC 3339 has it, in UTC.
fn time(ms: u64) -> String {
    let seconds = ms / 1000;
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The date so many days after 1970-01-01, by the calendar's cycles of 400 years.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let part = (5 * of_year + 2) / 153;
    let day = of_year - (153 * part + 2) / 5 + 1;
    let month = if part < 10 { part + 3 } else { part - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

/// A word for people, beside the output.
#[expect(clippy::print_stderr, reason = "a word for people, beside the output")]
pub(super) fn tell(what: &str) {
    eprintln!("{what}");
}

#[cfg(test)]
mod tests {
    use super::{cell, table, time};
    use serde_json::json;

    #[test]
    fn a_table_has_columns() {
        let items = [json!({ "name": "a", "n": 1234 }), json!({ "name": "bb\u{1b}[2J", "n": 5 })];
        let text = table(&items, &[("NAME", "name"), ("N", "n")]);
        assert_eq!(text, "NAME        N\na       1,234\nbb�[2J      5\n");
        assert_eq!(table(&[], &[("NAME", "name")]), "NAME\n");
    }

    #[test]
    fn cells() {
        let value = json!({ "a": { "b": true }, "p": [{ "pattern": "x/**", "send": true, "receive": true, "manage": false }] });
        assert_eq!((cell(&value, "a.b").as_str(), cell(&value, "c").as_str()), ("yes", "-"));
        assert_eq!(cell(&value, "p"), "x/**: send+receive");
        let line = json!({ "at_ms": 0, "fields": { "peer": "a:1", "count": "3" } });
        assert_eq!(cell(&line, "at_ms"), "1970-01-01T00:00:00Z");
        assert_eq!(cell(&line, "fields"), "count=3 peer=a:1");
    }

    #[test]
    fn times() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(time(1_795_747_542_780), "2026-11-27T02:45:42Z");
    }
}
